"""Reading an Instagram account: threads, late answers, hashtags counted by the week, gaps, limits; looking up again."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from collectors import instagram
from collectors.instagram import InstagramCollector
from collectors.instagram_tags import hashtags_in, hashtags_of
from domain.contracts import (
    CanModerate,
    CanReadBack,
    CanRehydrate,
    CanReplyPrivately,
    Cursor,
    HearsWebhooks,
    Page,
    Watch,
)
from domain.errors import ConfigurationError, ContractError, TransientError
from domain.mention import Mention
from tests.contracts.bench_instagram import told
from tests.fakes.meta import ACCOUNT, SETTINGS, TOKEN, FakeMeta, serve


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def connected(fake: FakeMeta, **settings: str) -> InstagramCollector:
    made = instagram.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock, base=fake.base, timeout=10.0)
    assert isinstance(made, InstagramCollector)
    return made


def read(fake: FakeMeta, since: Cursor | None = None, watch: Watch = Watch(), **settings: str) -> list[Page]:  # noqa: B008
    return list(connected(fake, **settings).fetch(watch, since))


def heard(pages: list[Page]) -> dict[str, Mention]:
    return {one.text or one.title: one for page in pages for one in page.mentions}


def news(pages: list[Page]) -> set[str]:
    """What was not heard before: the last minutes are always read again."""
    again = {one.id for page in pages for one in page.changed}
    return {text for text, one in heard(pages).items() if one.id not in again}


def last(pages: list[Page]) -> Cursor:
    cursor = pages[-1].cursor
    assert cursor is not None
    return cursor


def notes(pages: list[Page]) -> list[str]:
    return [note for page in pages for note in page.notes]


def test_its_powers(fake: FakeMeta) -> None:
    for power in (CanReadBack, CanReplyPrivately, CanModerate, CanRehydrate, HearsWebhooks):
        assert isinstance(connected(fake), power), power


# -- threads ---------------------------------------------------------------------------------------------------------------


def test_a_conversation_of_four_turns_is_one_thread(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Le pull marin")
    first = world.reply(medium, "En bleu ?", "lea.m")
    second = world.reply(medium, "@lea.m Oui !", "ormelune", parent=first)
    third = world.reply(medium, "Et en ligne ?", "lea.m", parent=second)
    world.reply(medium, "@lea.m Demain !", "ormelune", parent=third)
    world.reply(medium, "Joli", "luc")
    found = heard(read(fake))
    turns = [found[text] for text in ("En bleu ?", "@lea.m Oui !", "Et en ligne ?", "@lea.m Demain !")]
    assert {one.thread_id for one in turns} == {f"instagram:{first.id}"}
    assert [one.outbound for one in turns] == [False, True, False, True]
    assert [one.parent_id for one in turns] == [medium.id, first.id, first.id, first.id]
    assert found["Joli"].conversation_id == found["Joli"].native_id
    assert found["Le pull marin"].outbound and found["Le pull marin"].raw["media"][0]["kind"] == "photo"
    author = turns[0].author
    assert author and (author.handle, author.url) == ("lea.m", "https://www.instagram.com/lea.m/")


def test_more_answers_than_come_along_are_fetched(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Le pull marin")
    first = world.reply(medium, "Concours !", "ormelune")
    for number in range(120):
        world.reply(medium, f"Moi {number}", f"client.{number}", parent=first)
    found = heard(read(fake))
    assert len(found) == 122
    assert {one.conversation_id for text, one in found.items() if text.startswith("Moi")} == {first.id}


def test_direct_messages_are_one_thread_a_person(fake: FakeMeta) -> None:
    world = fake.world
    for number in range(4):
        world.write(f"message {number}", "nina", instagram=True)
    world.write("Bonjour Nina", "", to="nina", instagram=True)
    world.write("Sur Messenger", "nina")
    found = heard(read(fake))
    assert len(found) == 5, "Messenger is the other source's matter"
    assert {one.conversation_id for one in found.values()} == {world.person("nina")}
    assert [one.outbound for one in found.values()].count(True) == 1


def test_comments_without_a_named_author(fake: FakeMeta) -> None:
    medium = fake.world.media("Le pull marin")
    fake.world.reply(medium, "Anonyme", "luc", **{"from": None, "username": None})
    assert heard(read(fake))["Anonyme"].author is None


# -- what comes later ------------------------------------------------------------------------------------------------------


def test_a_quiet_run_brings_nothing_and_asks_little(fake: FakeMeta) -> None:
    told(fake)
    pages = read(fake, hashtags="pullmarin")
    fake.requests.clear()
    assert read(fake, last(pages), hashtags="pullmarin") == []
    assert len(fake.requests) == 3  # media, tags, conversations: our account and the hashtag are remembered


def test_a_late_answer_below_an_old_comment_on_an_old_medium_arrives(fake: FakeMeta) -> None:
    world = fake.world
    old = world.media("Notre atelier")
    comments = [world.reply(old, f"n° {number}", f"client.{number}") for number in range(120)]
    for number in range(60):
        world.media(f"Nouveauté {number}", after=60 * 12)
    pages = read(fake)
    world.wait(hours=2)
    world.reply(old, "Je découvre", "ines", parent=comments[5])
    later = read(fake, last(pages))
    assert news(later) == {"Je découvre"}
    assert heard(later)["Je découvre"].conversation_id == comments[5].id


def test_new_comments_are_found_without_reading_all_the_old_ones(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Concours")
    for number in range(300):
        world.reply(medium, f"n° {number}", "luc")
    pages = read(fake)
    world.wait(minutes=20)
    world.reply(medium, "Encore un", "ines")
    fake.requests.clear()
    assert news(read(fake, last(pages))) == {"Encore un"}
    assert len(fake.asked(f"/v26.0/{medium.id}/comments")) == 1


def test_hidden_comments_are_heard_as_hidden(fake: FakeMeta) -> None:
    thing = fake.world.reply(fake.world.media("Le pull marin"), "Grossier", "luc")
    thing.hidden = True
    mention = heard(read(fake))["Grossier"]
    assert mention.raw["hidden"] is True
    assert not connected(fake).may_reply(mention).allowed


def test_a_medium_that_was_removed_is_told(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Le pull marin")
    world.reply(medium, "En bleu ?", "lea.m")
    pages = read(fake)
    world.delete(medium)
    world.wait(hours=25)
    later = read(fake, last(pages))
    assert [one for page in later for one in page.deleted] == [f"instagram:{medium.id}"]


def test_kept_mentions_are_looked_up_again(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Le pull marin")
    kept = [world.reply(medium, f"n° {number}", "luc") for number in range(3)]
    world.write("Bonjour", "nina", instagram=True)
    mentions = list(heard(read(fake)).values())
    kept[1].hidden = True
    world.delete(kept[2])
    page = connected(fake).rehydrate(mentions)
    assert page.deleted == (f"instagram:{kept[2].id}",)
    assert {one.text for one in page.changed} == {"n° 1", "Le pull marin"}
    assert page.notes == ("Messages, and what stands on others' media, cannot be looked up one by one: 1.",)


def test_messages_that_instagram_no_longer_shows_are_a_gap(fake: FakeMeta) -> None:
    world = fake.world
    world.write("Bonjour", "nina", instagram=True)
    pages = read(fake)
    for number in range(30):
        world.write(f"message {number}", "nina", instagram=True, after=5)
    later = read(fake, last(pages))
    assert len(heard(later)) == 20
    (gap,) = [page.gap for page in later if page.gap]
    assert gap.until == min(one.created_at for one in heard(later).values())
    assert "last 20 messages" in gap.reason
    assert read(fake, last(later)) == []


@pytest.mark.parametrize("stopped_after", range(1, 9))
def test_what_is_said_while_a_run_is_dead_is_heard_by_the_next(stopped_after: int) -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        world = fake.world
        run = connected(fake, hashtags="pullmarin").fetch(Watch(), None)
        stored = [page for _, page in zip(range(stopped_after), run, strict=False)]
        del run
        medium = world.all("media", author=ACCOUNT)[-2]
        world.reply(medium, "Pendant la panne", "luc", parent=world.all("reply", on=medium.id)[-1])
        world.media("Aussi pendant la panne")
        world.write("Et en privé", "nina.1", instagram=True)
        pages = [*stored, *read(fake, last(stored), hashtags="pullmarin")]
        world.wait(hours=1)
        pages += read(fake, last(pages), hashtags="pullmarin")
        everything = {one.id for page in read(fake, hashtags="pullmarin") for one in page.mentions}
        assert everything <= {one.id for page in pages for one in page.mentions}
        assert {"Pendant la panne", "Aussi pendant la panne", "Et en privé"} <= set(heard(pages))


def test_two_orders_of_paging_tell_the_same_story() -> None:
    stories = []
    for oldest_first, page_limit in ((False, 3), (True, 3), (False, 100), (True, 7)):
        with serve(told(FakeMeta(page_limit=page_limit, oldest_first=oldest_first))) as fake:
            first = read(fake)
            fake.world.reply(fake.world.all("media", author=ACCOUNT)[-1], "Plus tard", "luc", after=120)
            mentions = [one for page in (*first, *read(fake, last(first))) for one in page.mentions]
            stories.append({(one.id, one.thread_id, one.text, one.created_at) for one in mentions})
    assert all(story == stories[0] for story in stories)


# -- hashtags --------------------------------------------------------------------------------------------------------------


def test_what_bears_a_hashtag_is_heard_without_its_author(fake: FakeMeta) -> None:
    world = fake.world
    world.media("Mon look #pullmarin", "zoe", lists=("pullmarin",))
    mention = heard(read(fake, hashtags="#PullMarin"))["Mon look #pullmarin"]
    assert (mention.author, mention.outbound, mention.raw["sort"]) == (None, False, "hashtag")
    assert not connected(fake).may_reply(mention).allowed
    assert [request.params["q"] for request in fake.asked("/v26.0/ig_hashtag_search")] == ["pullmarin"]


def test_hashtags_are_read_once_an_hour_and_bring_only_what_is_new(fake: FakeMeta) -> None:
    world = fake.world
    world.media("Un #pullmarin", "zoe", lists=("pullmarin",))
    pages = read(fake, hashtags="pullmarin")
    world.wait(minutes=30)
    world.media("Deux #pullmarin", "zoe", lists=("pullmarin",))
    assert heard(read(fake, last(pages), hashtags="pullmarin")) == {}
    world.wait(minutes=30)
    later = read(fake, last(pages), hashtags="pullmarin")
    assert set(heard(later)) == {"Deux #pullmarin"}
    assert len(fake.asked("/v26.0/ig_hashtag_search")) == 1


def test_the_thirty_first_hashtag_of_a_week_waits_and_is_told(fake: FakeMeta) -> None:
    world = fake.world
    tags = [f"tag{number}" for number in range(31)]
    pages = read(fake, hashtags=" ".join(tags))
    assert len(world.queried) == 30 and "tag30" not in world.queried
    (note,) = notes(pages)
    assert "30 different hashtags in seven days" in note and "#tag30" in note and "2026-03-16" in note
    world.wait(hours=2)
    later = read(fake, last(pages), hashtags=" ".join(tags))
    assert notes(later) == [], "told once"
    world.wait(days=3)
    later = read(fake, last(later or pages), hashtags=" ".join(tags[1:]))  # one less, but it still counts
    assert "tag30" not in world.queried
    world.wait(days=4)
    read(fake, last(later), hashtags=" ".join(tags[1:]))
    assert "tag30" in world.queried, "a week after the first one"


def test_instagram_counts_what_other_tools_asked_for(fake: FakeMeta) -> None:
    fake.hashtag_limit = 1
    pages = read(fake, hashtags="un, deux")
    assert [note for note in notes(pages) if "#deux" in note and "30 unique hashtags" in note]


def test_a_hashtag_that_was_not_read_for_more_than_a_day_has_a_gap(fake: FakeMeta) -> None:
    world = fake.world
    world.media("Un #pullmarin", "zoe", lists=("pullmarin",))
    pages = read(fake, hashtags="pullmarin")
    stopped = world.clock
    world.wait(days=3)
    world.media("Trois #pullmarin", "zoe", lists=("pullmarin",))
    later = read(fake, last(pages), hashtags="pullmarin")
    (gap,) = [page.gap for page in later if page.gap]
    assert (gap.since, gap.until) == (stopped, world.clock - timedelta(days=1))


def test_a_watch_adds_its_hashtags_and_filters_them(fake: FakeMeta) -> None:
    world = fake.world
    world.media("Top #pullmarin", "zoe", lists=("pullmarin",))
    world.media("Concours #pullmarin", "luc", lists=("pullmarin",))
    found = heard(read(fake, watch=Watch(query="#pullmarin SAUF concours")))
    assert set(found) == {"Top #pullmarin"}
    assert set(heard(read(fake, watch=Watch(terms=("#pullmarin",))))) == {"Top #pullmarin", "Concours #pullmarin"}
    assert heard(read(fake, watch=Watch(terms=("pull",)))) == {}


def test_hashtags_as_people_write_them() -> None:
    assert hashtags_in(" #Ormelune, pullmarin;été\n#ormelune ") == ("ormelune", "pullmarin", "été")
    assert hashtags_of(Watch(terms=("ormelune", "#Soldes"), query='#pull OU ("#marin breton" SAUF #promo)')) == (
        "soldes", "pull", "marin",
    )  # fmt: skip
    with pytest.raises(ConfigurationError, match="cannot be used: “pull-marin” is no hashtag"):
        instagram.connect({**SETTINGS, "hashtags": "pull-marin"})


# -- limits and troubles ---------------------------------------------------------------------------------------------------


def read_until_error(fake: FakeMeta, stored: list[Page]) -> None:
    since = stored[-1].cursor if stored else None
    for page in connected(fake, hashtags="pullmarin").fetch(Watch(), since):
        stored.append(page)


def test_reading_slows_down_after_a_page_and_goes_on_later() -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        everything = {one.id for page in read(fake, hashtags="pullmarin") for one in page.mentions}
        fake.usage = 88
        stored: list[Page] = []
        for _ in range(40):
            try:
                read_until_error(fake, stored)
            except TransientError as error:
                assert error.retry_after and timedelta(minutes=30) < error.retry_after < timedelta(minutes=40)
            else:
                break
        else:
            pytest.fail("the reading never comes to its end")
        assert {one.id for page in stored for one in page.mentions} == everything


@pytest.mark.parametrize(
    ("effect", "fields", "expected"),
    [
        ("status", {"status": 429}, TransientError),
        ("status", {"status": 503}, TransientError),
        ("html", {"status": 502}, TransientError),
        ("html", {"status": 200}, ContractError),
        ("truncated", {}, ContractError),
        ("status", {"status": 401}, ConfigurationError),
        ("status", {"status": 403}, ConfigurationError),
    ],
)
@pytest.mark.parametrize("call", [0, 1, 4, 9])
def test_trouble_in_the_middle_of_a_run(
    effect: str, fields: dict[str, Any], expected: type[Exception], call: int
) -> None:
    with serve(told(FakeMeta(page_limit=3))) as fake:
        everything = {one.id for page in read(fake, hashtags="pullmarin") for one in page.mentions}
        fake.fail(effect, path=fake.requests[call].path, **fields)
        stored: list[Page] = []
        with pytest.raises(expected) as caught:
            read_until_error(fake, stored)
        assert TOKEN not in str(caught.value) and len(str(caught.value)) > 20
        fake.faults.clear()
        read_until_error(fake, stored)
        assert {one.id for page in stored for one in page.mentions} == everything


def test_the_token_is_kept_nowhere(fake: FakeMeta) -> None:
    for page in read(told(fake), hashtags="pullmarin"):
        assert TOKEN not in repr(page)
        assert all(TOKEN not in json.dumps(one.raw) for one in page.mentions)
    assert fake.leaks == []


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"access_token": "wrong"}, "no longer accepts the token"),
        ({"app_secret": "wrong"}, "appsecret_proof"),
        ({"page": ""}, "Page ID"),
        ({"page": "104000000000009"}, "that is the token of the Page"),
        ({"account": "17841400000000009"}, "Make them agree"),
        ({"account": "ormelune"}, "is a number"),
        ({"version": "v12.0"}, "retired the version"),
        ({"follow": "0"}, "number of days"),
    ],
)
def test_check_says_what_to_do(fake: FakeMeta, settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        connected(fake, **settings).check()


@pytest.mark.parametrize(
    ("permission", "words"),
    [
        ("instagram_basic", "instagram_basic"),
        ("instagram_manage_comments", r"instagram_manage_comments.*set tagged to no"),
        ("instagram_manage_messages", r"instagram_manage_messages.*set messages to no"),
    ],
)
def test_check_names_the_permission_that_is_missing(fake: FakeMeta, permission: str, words: str) -> None:
    connected(fake, hashtags="ormelune").check()
    fake.permissions.discard(permission)
    with pytest.raises(ConfigurationError, match=words):
        connected(fake).check()


def test_a_page_without_an_account(fake: FakeMeta) -> None:
    fake.fail("status", path=f"/v26.0/{SETTINGS['page']}", status=200, data={"id": SETTINGS["page"]}, times=2)
    with pytest.raises(ConfigurationError, match="connected to the Page"):
        connected(fake).check()
    with pytest.raises(ConfigurationError, match="connected to the Page"):
        read(fake)
