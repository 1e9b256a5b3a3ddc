"""X's past: what a watch would find and cost, spans read in windows, and kept posts looked up again."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from collectors import x
from domain.contracts import CanBackfill, CanEstimate, CanRehydrate, Cursor, Page, Watch
from domain.errors import ConfigurationError, TransientError
from domain.mention import Mention
from tests.fakes.x import NEW, NOW, OLD, SETTINGS, FakeX, serve

PULL = Watch(terms=("pull",))


@pytest.fixture(params=[OLD, NEW])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeX]:
    with serve(FakeX(request.param)) as vendor:
        yield vendor


def connect(fake: FakeX, **settings: str) -> Any:
    names = {"fields": "tweet" if fake.version == OLD else "post"}
    collector = x.connect({**SETTINGS, **names, **settings}, now=fake.now, base=fake.base)
    assert isinstance(collector, CanEstimate) and isinstance(collector, CanBackfill)
    assert isinstance(collector, CanRehydrate)
    return collector


def populate(fake: FakeX, days: int = 6) -> None:
    people = [fake.world.user(f"p{number}") for number in range(4)]
    for number in range(days * 10):
        at = NOW - timedelta(days=days) + timedelta(hours=2.4 * number)
        fake.world.say(people[number % 4], f"un pull {number}", at)
        if number % 2 == 0:
            fake.world.say(people[number % 4], f"@ormelune {number}", at + timedelta(seconds=1))


def said(pages: list[Page]) -> dict[str, Mention]:
    return {mention.native_id: mention for page in pages for mention in page.mentions}


# -- estimate --------------------------------------------------------------------------------------------------------------


def test_an_estimate_counts_and_shows_samples(fake: FakeX) -> None:
    populate(fake)
    found = connect(fake).estimate(PULL, NOW - timedelta(days=7), NOW)
    assert found.count == 60 + 30 and "30 name the account" in found.note
    assert len(found.samples) == 10 and all("pull" in sample.text for sample in found.samples)
    assert found.price == pytest.approx(90 * (0.005 + 0.4 * 0.010))
    assert found.spent.price == pytest.approx(2 * 0.005 + 10 * 0.005 + 4 * 0.010)
    assert found.spent.call_count == len(fake.requests) == 3


def test_without_a_bearer_token_there_are_samples_only(fake: FakeX) -> None:
    populate(fake)
    found = connect(fake, bearer_token="").estimate(PULL, NOW - timedelta(days=7), NOW)
    assert found.count is None and found.price == 0 and "bearer_token" in found.note and len(found.samples) == 10


def test_an_estimate_says_what_it_leaves_out(fake: FakeX) -> None:
    populate(fake)
    found = connect(fake).estimate(Watch(query="pull rouge* OU pull bleu*"), NOW - timedelta(days=30), NOW)
    assert "seven days" in found.note and "left out" in found.note
    assert found.samples == ()


def test_an_estimate_of_the_whole_archive(fake: FakeX) -> None:
    populate(fake, days=20)
    found = connect(fake, archive="yes").estimate(PULL, NOW - timedelta(days=30), NOW)
    assert found.count == 200 + 100
    assert fake.asked("/2/tweets/counts/all") and fake.asked("/2/tweets/search/all")


# -- backfill --------------------------------------------------------------------------------------------------------------


def test_a_span_is_read_day_by_day_from_its_beginning(fake: FakeX) -> None:
    populate(fake)
    since, until = NOW - timedelta(days=5), NOW - timedelta(days=1)
    pages = list(connect(fake).backfill(PULL, since, until, None))
    found = said(pages)
    wanted = [post for post in fake.world.posts.values() if since <= post.created_at < until]
    assert set(found) == {post.id for post in wanted}
    ends = [json.loads(str(page.cursor))["until"] for page in pages if page.cursor]
    assert ends == sorted(ends) and len(ends) == 4 and ends[-1] == until.isoformat()
    assert not any(page.gap for page in pages)
    assert sum(len(page.mentions) for page in pages) == len(found)


def test_a_broken_off_backfill_goes_on(fake: FakeX) -> None:
    populate(fake)
    since, until = NOW - timedelta(days=5), NOW
    whole = list(connect(fake).backfill(PULL, since, until, None))
    for count in range(1, len(whole)):
        stored = list(islice(connect(fake).backfill(PULL, since, until, None), count))
        cursor = next((page.cursor for page in reversed(stored) if page.cursor), None)
        rest = list(connect(fake).backfill(PULL, since, until, cursor))
        assert said(stored) | said(rest) == said(whole), count
    assert list(connect(fake).backfill(PULL, since, until, whole[-1].cursor)) == []


def test_what_x_no_longer_searches_is_a_gap(fake: FakeX) -> None:
    populate(fake)
    since = NOW - timedelta(days=20)
    pages = list(connect(fake).backfill(PULL, since, NOW, None))
    gaps = [page.gap for page in pages if page.gap]
    assert len(gaps) == 1 and gaps[0].since == since and NOW - gaps[0].until < timedelta(days=7)
    assert len(said(pages)) == 90


def test_the_archive_is_read_at_the_pace_that_x_allows(fake: FakeX) -> None:
    populate(fake, days=12)
    collector = connect(fake, archive="yes")
    rests: list[float] = []
    collector._past = replace(collector._past, pause=rests.append)
    pages = list(collector.backfill(PULL, NOW - timedelta(days=12), NOW, None))
    assert len(said(pages)) == 120 + 60 and not any(page.gap for page in pages)
    old = len(fake.asked("/2/tweets/search/all"))
    assert len(rests) == old and min(rests) > 1


def test_a_watch_that_x_cannot_narrow_is_filtered(fake: FakeX) -> None:
    populate(fake)
    found = said(list(connect(fake).backfill(Watch(query="pull 1*"), NOW - timedelta(days=6), NOW, None)))
    ours = [one for one in found.values() if one.text.startswith("@ormelune")]
    assert {one.text for one in found.values() if one not in ours} == {f"un pull {n}" for n in (1, *range(10, 20))}
    assert len(ours) == 30  # what names the account is always wanted


@pytest.mark.parametrize("cursor", ["{", "{}", '{"until": "soon"}', "[]"])
def test_a_damaged_cursor_begins_anew(fake: FakeX, cursor: str) -> None:
    populate(fake, days=2)
    span = (PULL, NOW - timedelta(days=2), NOW)
    assert said(list(connect(fake).backfill(*span, Cursor(cursor)))) == said(list(connect(fake).backfill(*span, None)))


# -- kept posts ------------------------------------------------------------------------------------------------------------


def heard(fake: FakeX) -> list[Mention]:
    return [mention for page in connect(fake).fetch(PULL, None) for mention in page.mentions]


def test_unchanged_posts_are_left_alone(fake: FakeX) -> None:
    world = fake.world
    lea = world.user("lea_m")
    quoted = world.say(fake.owner, "Nos pulls", NOW - timedelta(hours=9))
    media = ({"media_key": "3_1", "type": "photo", "url": "https://pbs.example/a.jpg", "alt_text": "un pull"},)
    world.say(lea, "@ormelune joli & doux https://ormelune.example/?a=1&b=2", NOW - timedelta(hours=8), media=media)
    world.say(lea, "@ormelune celui-là", NOW - timedelta(hours=7), quoted=quoted.id)
    world.say(lea, "@ormelune " + "très long " * 60, NOW - timedelta(hours=6), long=True)
    world.edit(world.say(lea, "@ormelune a", NOW - timedelta(hours=5)), "@ormelune b", NOW - timedelta(hours=4.9))
    mentions = heard(fake)
    assert len(mentions) == 5
    page = connect(fake).rehydrate(mentions)
    assert (page.changed, page.deleted, page.notes) == ((), (), ())
    assert page.spent.price == pytest.approx(5 * 0.005) and page.spent.call_count == 1
    bare = connect(fake).rehydrate([replace(mention, raw={}) for mention in mentions])
    assert (bare.changed, bare.deleted) == ((), ())


def test_what_became_of_kept_posts(fake: FakeX) -> None:
    world = fake.world
    people = {
        name: world.user(name) for name in ("liked", "deleted", "suspended", "private", "edited", "hidden", "abroad")
    }
    posts = {name: world.say(user, f"@ormelune {name}", NOW - timedelta(hours=5)) for name, user in people.items()}
    message = world.write(people["liked"], [fake.owner], "privé", NOW - timedelta(hours=4))
    kept = {mention.native_id: mention for mention in heard(fake)}
    posts["liked"].likes = 12
    world.delete(posts["deleted"].id)
    people["suspended"].suspended = True
    people["private"].protected = True
    world.edit(posts["edited"], "@ormelune corrigé", NOW - timedelta(hours=4.8))
    posts["hidden"].withheld, posts["abroad"].withheld = ("FR", "DE"), ("TR",)
    page = connect(fake).rehydrate(list(kept.values()))
    assert set(page.deleted) == {f"x:{posts[name].id}" for name in ("deleted", "suspended", "private", "hidden")}
    changed = {mention.native_id: mention for mention in page.changed}
    assert set(changed) == {posts["liked"].id, posts["edited"].id}
    assert changed[posts["liked"].id].engagement.like_count == 12
    assert changed[posts["edited"].id].text == "@ormelune corrigé"
    assert changed[posts["liked"].id].author == kept[posts["liked"].id].author
    assert page.notes == ("Direct messages cannot be looked up again: 1 left as they are.",) and message
    again = connect(fake).rehydrate(page.changed)
    assert again.changed == ()


def test_many_posts_are_looked_up_a_hundred_at_a_time(fake: FakeX) -> None:
    lea = fake.world.user("lea_m")
    for number in range(230):
        fake.world.say(lea, f"@ormelune {number}", NOW - timedelta(hours=5) + timedelta(seconds=number))
    mentions = heard(fake)
    before = len(fake.requests)
    page = connect(fake).rehydrate(mentions)
    assert len(fake.requests) - before == 3 and page.spent.item_count == 230
    assert connect(fake).rehydrate([]) == Page((), None)


def test_country_decides_what_is_withheld(fake: FakeX) -> None:
    post = fake.world.say(fake.world.user("lea_m"), "@ormelune", NOW - timedelta(hours=5))
    mentions = heard(fake)
    post.withheld = ("TR",)
    assert connect(fake, country="tr").rehydrate(mentions).deleted == (f"x:{post.id}",)
    post.withheld = ("XX",)
    assert connect(fake).rehydrate(mentions).deleted == (f"x:{post.id}",)


def test_trouble_while_looking_up_is_told(fake: FakeX) -> None:
    fake.world.say(fake.world.user("lea_m"), "@ormelune", NOW - timedelta(hours=5))
    mentions = heard(fake)
    fake.fail("status", path="/2/tweets", status=503)
    with pytest.raises(TransientError):
        connect(fake).rehydrate(mentions)
    fake.fail("status", path="/2/tweets", status=402)
    with pytest.raises(ConfigurationError):
        connect(fake).rehydrate(mentions)
