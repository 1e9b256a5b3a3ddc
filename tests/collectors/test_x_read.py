"""Reading X: all lists, where a run goes on, what is lost, what it costs, and what goes wrong."""

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import pytest

import collectors
from collectors import x
from collectors.x_prices import PRICES, dollars
from collectors.x_text import id_before
from domain.contracts import Collector, Cursor, Page, Spend, Watch
from domain.errors import ComptoirError, ConfigurationError, ContractError, TransientError
from domain.mention import Mention
from tests.fakes.x import NEW, NOW, OLD, SETTINGS, FakeX, serve

EVERYTHING = Watch()


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at

    def ahead(self, **span: float) -> None:
        self.at += timedelta(**span)


@pytest.fixture(params=[OLD, NEW])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeX]:
    clock = Clock()
    with serve(FakeX(request.param, clock)) as vendor:
        yield vendor


def connect(fake: FakeX, *, page_size: int = 10, timeout: float = 10.0, **settings: str) -> Collector:
    names = {"fields": "tweet" if fake.version == OLD else "post"}
    return x.connect(
        {**SETTINGS, **names, **settings}, now=fake.now, base=fake.base, timeout=timeout, page_size=page_size
    )


def read(fake: FakeX, since: Cursor | None = None, watch: Watch = EVERYTHING, **settings: Any) -> list[Page]:
    return list(connect(fake, **settings).fetch(watch, since))


def said(pages: list[Page]) -> dict[str, Mention]:
    return {mention.native_id: mention for page in pages for mention in page.mentions}


def ago(fake: FakeX, **span: float) -> datetime:
    return fake.now() - timedelta(**span)


# -- what is read ----------------------------------------------------------------------------------------------------------


def test_a_conversation_of_five_turns_is_one_thread(fake: FakeX) -> None:
    world, lea = fake.world, fake.world.user("lea_m")
    turns = [world.say(lea, "Bonjour @ormelune, ma commande 42 ?", ago(fake, hours=5))]
    for number, author in enumerate([fake.owner, lea, fake.owner, lea], start=1):
        turns.append(world.say(author, f"tour {number}", ago(fake, hours=5 - number), parent=turns[-1].id))
    found = said(read(fake))
    assert set(found) == {turn.id for turn in turns}
    assert {found[turn.id].thread_id for turn in turns} == {f"x:{turns[0].id}"}
    assert [found[turn.id].parent_id for turn in turns] == [None, *(turn.id for turn in turns[:-1])]
    assert [found[turn.id].outbound for turn in turns] == [False, True, False, True, False]


def test_every_list_is_read_once(fake: FakeX) -> None:
    world, owner = fake.world, fake.owner
    lea, tom = world.user("lea_m"), world.user("tom")
    own = world.say(owner, "Les soldes commencent", ago(fake, days=2))
    mention = world.say(lea, "@ormelune et en boutique ?", ago(fake, hours=9))
    below = world.say(tom, "encore des soldes chez ormelune", ago(fake, hours=8), parent=own.id, names=False)
    searched = world.say(tom, "J'adore Ormelune & co", ago(fake, hours=7))
    quoting = world.say(tom, "haha ormelune", ago(fake, hours=6), quoted=own.id)
    message = world.write(lea, [owner], "en privé", ago(fake, hours=5))
    repost = world.say(tom, "RT @ormelune: Les soldes", ago(fake, hours=4), repeated=own.id)
    world.say(tom, "rien à voir", ago(fake, hours=3))
    pages = read(fake, watch=Watch(terms=("ormelune",)))
    found = said(pages)
    assert set(found) == {own.id, mention.id, below.id, searched.id, quoting.id, message.id}
    assert repost.id not in found
    assert "Left out, as nothing is said in it: repost (1)." in [note for page in pages for note in page.notes]
    assert found[below.id].raw["own_thread"] is True and found[own.id].outbound
    assert found[quoting.id].raw["summons"] == "quote" and "summons" not in found[searched.id].raw
    assert found[message.id].raw["private"] is True
    assert sum(len(page.mentions) for page in pages) == 6
    assert not any(page.rejects for page in pages)


def test_a_search_that_x_cannot_narrow_is_filtered_here(fake: FakeX) -> None:
    tom = fake.world.user("tom")
    wanted = fake.world.say(tom, "ormelune livraison en retard", ago(fake, hours=2))
    fake.world.say(tom, "ormelune c'est joli", ago(fake, hours=1))
    pages = read(fake, watch=Watch(query="ormelune livr*"))
    assert set(said(pages)) == {wanted.id}
    assert "Posts left out because X cannot search more narrowly: 1." in [note for page in pages for note in page.notes]


def test_what_cannot_be_searched_is_told_once(fake: FakeX) -> None:
    watch = Watch(query="lang:fr")
    pages = read(fake, watch=watch)
    assert any("X can only be searched for whole words" in note for page in pages for note in page.notes)
    assert read(fake, pages[-1].cursor, watch=watch) == []


def test_messages_can_be_left_unread(fake: FakeX) -> None:
    fake.world.write(fake.world.user("lea_m"), [fake.owner], "en privé", ago(fake, hours=5))
    assert said(read(fake, messages="no")) == {}
    assert not fake.asked("/2/dm_events")


# -- going on --------------------------------------------------------------------------------------------------------------


def populate(fake: FakeX) -> None:
    world, owner = fake.world, fake.owner
    people = [world.user(f"p{number}") for number in range(3)]
    own = world.say(owner, "bonjour à tous", ago(fake, days=1, hours=1))
    for number in range(34):
        at = ago(fake, days=1) + timedelta(minutes=number)
        asked = world.say(people[number % 3], f"@ormelune {number}", at)
        if number % 4 == 0:
            world.say(owner, f"réponse {number}", at + timedelta(seconds=9), parent=asked.id)
        world.say(people[number % 3], f"pull {number}", at + timedelta(seconds=20))
        world.say(people[number % 3], f"dessous {number}", at + timedelta(seconds=30), parent=own.id, names=False)
        world.write(people[0], [owner], f"privé {number}", at + timedelta(seconds=40))


def test_killed_after_any_page_nothing_is_lost_and_little_comes_twice(fake: FakeX) -> None:
    populate(fake)
    watch = Watch(terms=("pull",))
    whole = read(fake, watch=watch)
    everything = said(whole)
    assert len(everything) == 1 + 34 * 4 + 9 and len(whole) > 12
    for count in range(len(whole)):
        run = connect(fake).fetch(watch, None)
        stored = list(islice(run, count))
        run.close()  # type: ignore[attr-defined]
        rest = read(fake, stored[-1].cursor if stored else None, watch=watch)
        assert said(stored) | said(rest) == everything, count
        twice = said(stored).keys() & said(rest).keys()
        assert all("dessous" in everything[one].text for one in twice), count


def test_pages_of_any_size_tell_the_same(fake: FakeX) -> None:
    populate(fake)
    watch = Watch(terms=("pull",))
    wanted = said(read(fake, watch=watch))
    assert said(read(fake, watch=watch, page_size=37)) == wanted == said(read(fake, watch=watch, page_size=100))


def test_nothing_new_brings_nothing_and_costs_nothing(fake: FakeX) -> None:
    populate(fake)
    cursor = read(fake)[-1].cursor
    before = fake.billed.copy()
    assert read(fake, cursor) == []
    fake.now.ahead(minutes=1)  # type: ignore[attr-defined]
    assert read(fake, cursor) == []
    assert fake.billed == before


def test_only_what_is_new_comes_next_time(fake: FakeX) -> None:
    populate(fake)
    cursor = read(fake)[-1].cursor
    fake.now.ahead(minutes=5)  # type: ignore[attr-defined]
    lea = fake.world.user("lea_m")
    mention = fake.world.say(lea, "@ormelune encore moi", fake.now())
    message = fake.world.write(lea, [fake.owner], "et en privé", fake.now())
    pages = read(fake, cursor)
    assert set(said(pages)) == {mention.id, message.id}
    fake.now.ahead(seconds=20)  # type: ignore[attr-defined]
    assert read(fake, pages[-1].cursor) == []


def test_a_post_that_x_shows_late_still_arrives_and_is_billed_once(fake: FakeX) -> None:
    lea, tom = fake.world.user("lea_m"), fake.world.user("tom")
    seen = fake.world.say(lea, "@ormelune un", ago(fake, seconds=20))
    pages = read(fake, messages="no")
    cursor = pages[-1].cursor
    late = fake.world.say(tom, "@ormelune deux", ago(fake, seconds=40))  # older, and shown only now
    fake.now.ahead(seconds=50)  # type: ignore[attr-defined]
    again = read(fake, cursor, messages="no")
    assert set(said(again)) == {late.id} and seen.id not in said(again)
    spent = sum((page.spent for page in (*pages, *again)), Spend())
    assert spent.item_count == 4  # two posts, two authors


def test_late_comments_on_old_posts_arrive(fake: FakeX) -> None:
    own = fake.world.say(fake.owner, "Il y a dix jours", ago(fake, days=10))
    cursor = read(fake, history="12")[-1].cursor
    fake.now.ahead(hours=1)  # type: ignore[attr-defined]
    late = fake.world.say(fake.world.user("tom"), "je découvre", fake.now(), parent=own.id, names=False)
    found = said(read(fake, cursor, history="12"))
    assert found[late.id].conversation_id == own.id and found[late.id].raw["own_thread"]


def test_conversations_are_left_after_a_while(fake: FakeX) -> None:
    own = fake.world.say(fake.owner, "Bonjour", ago(fake, days=3))
    cursor = read(fake, follow="5")[-1].cursor
    assert own.id in json.loads(str(cursor))["threads"]
    fake.now.ahead(days=3)  # type: ignore[attr-defined]
    fake.world.say(fake.world.user("lea_m"), "@ormelune hé", fake.now())
    assert json.loads(str(read(fake, cursor, follow="5")[-1].cursor))["threads"] == {}


def test_an_edit_replaces_what_was_heard(fake: FakeX) -> None:
    post = fake.world.say(fake.world.user("lea_m"), "@ormelune ma comande", ago(fake, minutes=20))
    cursor = read(fake)[-1].cursor
    fake.world.edit(post, "@ormelune ma commande", ago(fake, minutes=5))
    pages = read(fake, cursor)
    changed = [mention for page in pages for mention in page.changed]
    assert [(one.native_id, one.text) for one in changed] == [(post.id, "@ormelune ma commande")]


def test_a_quiet_year_is_no_gap(fake: FakeX) -> None:
    watch = Watch(terms=("ormelune",))
    cursor: Cursor | None = None
    for _ in range(20):
        pages = read(fake, cursor, watch=watch, messages="no")
        assert not any(page.gap for page in pages)
        cursor = pages[-1].cursor if pages else cursor
        fake.now.ahead(hours=23)  # type: ignore[attr-defined]


def test_a_span_that_x_no_longer_searches_is_a_gap(fake: FakeX) -> None:
    tom = fake.world.user("tom")
    watch = Watch(terms=("ormelune",))
    fake.world.say(tom, "ormelune un", fake.now())
    cursor = read(fake, watch=watch)[-1].cursor
    start = fake.now()
    fake.now.ahead(days=3)  # type: ignore[attr-defined]
    lost = fake.world.say(tom, "ormelune deux", fake.now())
    fake.now.ahead(days=9)  # type: ignore[attr-defined]
    heard = fake.world.say(tom, "ormelune trois", fake.now())
    pages = read(fake, cursor, watch=watch)
    assert set(said(pages)) == {heard.id} and lost.id not in said(pages)
    gaps = [page.gap for page in pages if page.gap]
    assert gaps and abs(gaps[0].since - start) < timedelta(minutes=10)
    assert timedelta(days=6, hours=23) < fake.now() - gaps[0].until < timedelta(days=7)


def test_more_mentions_than_x_lists_are_searched_for(fake: FakeX) -> None:
    lea = fake.world.user("lea_m")
    first = fake.world.say(lea, "@ormelune zéro", ago(fake, days=2))
    cursor = read(fake, page_size=100)[-1].cursor
    fake.now.ahead(days=1)  # type: ignore[attr-defined]
    posts = [fake.world.say(lea, f"@ormelune {n}", ago(fake, hours=9) + timedelta(seconds=n)) for n in range(950)]
    pages = read(fake, cursor, page_size=100)
    assert set(said(pages)) == {post.id for post in posts} and first.id not in said(pages)
    assert not any(page.gap for page in pages)
    assert sum(len(page.mentions) for page in pages) == 950


# -- what it costs ---------------------------------------------------------------------------------------------------------


def test_the_spend_is_what_x_bills(fake: FakeX) -> None:
    populate(fake)
    pages = read(fake, watch=Watch(terms=("pull",)), owns_app="yes")
    spent = sum((page.spent for page in pages), Spend())
    billed = fake.billed
    assert spent.item_count == billed["post"] + billed["post_owned"] + billed["user"] + billed["event"]
    price = billed["post"] * 0.005 + billed["post_owned"] * 0.001 + (billed["user"] + billed["event"]) * 0.010
    assert spent.price == pytest.approx(price)
    assert spent.call_count == len(fake.requests)
    assert spent.unit_count == billed["post"] + billed["post_owned"]


def test_owned_reads_cost_less_and_a_subscription_nothing(fake: FakeX) -> None:
    fake.world.say(fake.world.user("lea_m"), "@ormelune ?", ago(fake, hours=1))
    prices = {}
    for plan, settings in {"payg": {}, "own": {"owns_app": "yes"}, "pro": {"plan": "pro"}}.items():
        prices[plan] = sum((page.spent for page in read(fake, **settings)), Spend()).price
    assert prices == {"payg": pytest.approx(0.015), "own": pytest.approx(0.011), "pro": 0}


def test_context_can_be_saved() -> None:
    with serve(FakeX(OLD)) as fake:
        tom = fake.world.user("tom")
        other = fake.world.say(tom, "quelque chose", ago(fake, hours=2))
        fake.world.say(fake.world.user("lea_m"), "@ormelune regardez", ago(fake, hours=1), quoted=other.id)
        assert sum((page.spent for page in read(fake, context="no")), Spend()).item_count == 2
        assert sum((page.spent for page in read(fake)), Spend()).item_count == 3


def test_messages_listed_again_are_counted_once_a_day(fake: FakeX) -> None:
    fake.world.write(fake.world.user("lea_m"), [fake.owner], "privé", ago(fake, hours=2))
    pages = read(fake)
    fake.now.ahead(minutes=10)  # type: ignore[attr-defined]
    again = read(fake, pages[-1].cursor)
    assert sum((page.spent for page in again), Spend()).price == 0
    fake.now.ahead(days=1)  # type: ignore[attr-defined]
    before = fake.billed["event"]
    tomorrow = read(fake, again[-1].cursor if again else pages[-1].cursor)
    assert fake.billed["event"] == before + 1
    assert sum((page.spent for page in tomorrow), Spend()).price == pytest.approx(0.02)


def test_prices_have_a_source() -> None:
    assert {price.item for price in PRICES} == {price.item for price in PRICES if price.source and price.read_on}
    assert len({price.item for price in PRICES}) == len(PRICES)
    assert x.SPEC.price_per_read == dollars(PRICES[0].item)


def test_messages_are_asked_for_less_often_than_x_allows(fake: FakeX) -> None:
    lea = fake.world.user("lea_m")
    cursor = read(fake)[-1].cursor
    for number in range(30):
        fake.now.ahead(minutes=1)  # type: ignore[attr-defined]
        fake.world.say(lea, f"@ormelune {number}", fake.now())
        cursor = read(fake, cursor)[-1].cursor
    assert len(fake.asked("/2/dm_events")) <= 11


# -- what goes wrong -------------------------------------------------------------------------------------------------------


def error_of(fake: FakeX, **settings: Any) -> ComptoirError:
    with pytest.raises(ComptoirError) as caught:
        read(fake, **settings)
    text = str(caught.value)
    assert not any(SETTINGS[key] in text for key in SETTINGS if key not in {"account"}), text
    return caught.value


def test_expired_keys_say_where_to_make_new_ones(fake: FakeX) -> None:
    error = error_of(fake, access_token_secret="old")
    assert isinstance(error, ConfigurationError)
    assert "console.x.com" in str(error) and "access_token_secret" in str(error)


def test_no_log_holds_a_secret(fake: FakeX, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    fake.world.say(fake.world.user("lea_m"), "@ormelune ?", ago(fake, hours=1))
    pages = read(fake)
    collector = connect(fake)
    collector.estimate(EVERYTHING, ago(fake, days=1), fake.now())  # type: ignore[attr-defined]
    for key, secret in SETTINGS.items():
        if key not in {"account", "consumer_key"}:
            assert secret not in caplog.text, key
            assert secret not in repr(pages) and secret not in repr(vars(collector)), key


def test_keys_of_another_account_are_noticed(fake: FakeX) -> None:
    with pytest.raises(ConfigurationError, match="belong to @ormelune, the setting account says @autre"):
        connect(fake, account="autre").check()
    connect(fake, account="@OrmeLune").check()


@pytest.mark.parametrize("level", ["read", "read-write"])
def test_a_missing_permission_is_named(fake: FakeX, level: str) -> None:
    fake.level = level
    with pytest.raises(ConfigurationError, match="Read and write and Direct message"):
        connect(fake).check()
    error = error_of(fake)
    assert isinstance(error, ConfigurationError) and "Read and write and Direct message" in str(error)


def test_used_up_credits_are_for_a_person(fake: FakeX) -> None:
    fake.fail("status", status=402)
    error = error_of(fake)
    assert isinstance(error, ConfigurationError) and "credits at X are used up" in str(error)


def test_a_limit_says_how_long_to_wait(fake: FakeX) -> None:
    populate(fake)
    fake.limits["GET /2/users/:id/mentions"] = 2
    with pytest.raises(TransientError) as caught:
        read(fake)
    assert caught.value.retry_after == timedelta(minutes=15)
    assert len(fake.asked("/2/users/1111111111/mentions")) == 2  # X was not asked in vain


def test_after_a_limit_the_run_goes_on_where_it_stood(fake: FakeX) -> None:
    populate(fake)
    fake.limits["GET /2/users/:id/mentions"] = 2
    cursor: Cursor | None = None
    found: dict[str, Mention] = {}
    for _ in range(4):
        try:
            for page in connect(fake).fetch(EVERYTHING, cursor):
                found |= said([page])
                cursor = page.cursor
        except TransientError:
            fake.now.ahead(minutes=15)  # type: ignore[attr-defined]
    assert sum(1 for one in found.values() if one.text.startswith("@ormelune")) == 34


@pytest.mark.parametrize(
    ("headers", "wait"),
    [({}, timedelta(minutes=15)), ({"retry-after": "7"}, timedelta(seconds=7))],
)
def test_a_429_with_and_without_headers(fake: FakeX, headers: dict[str, str], wait: timedelta) -> None:
    fake.fail("status", status=429, headers=headers)
    error = error_of(fake)
    assert isinstance(error, TransientError) and error.retry_after == wait
    assert len(fake.requests) == 1


def test_a_usage_cap_is_waited_for_long(fake: FakeX) -> None:
    capped = {
        "title": "UsageCapExceeded",
        "period": "Monthly",
        "scope": "Product",
        "detail": "Usage cap exceeded: Monthly product cap",
        "type": "https://api.twitter.com/2/problems/usage-capped",
    }
    fake.fail("status", status=429, data=capped)
    error = error_of(fake)
    assert isinstance(error, TransientError) and error.retry_after == timedelta(hours=12)
    assert "monthly" in str(error) and "spending limit" in str(error)


def test_the_limit_for_messages_does_not_hold_up_the_rest(fake: FakeX) -> None:
    mention = fake.world.say(fake.world.user("lea_m"), "@ormelune ?", ago(fake, hours=1))
    fake.fail("status", path="/2/dm_events", status=429)
    pages = read(fake)
    assert mention.id in said(pages)


@pytest.mark.parametrize(
    ("effect", "fields", "kind"),
    [
        ("status", {"status": 503}, TransientError),
        ("html", {"status": 502}, TransientError),
        ("html", {"status": 200}, ContractError),
        ("truncated", {}, ContractError),
        ("hang", {}, TransientError),
        ("cut", {}, TransientError),
        ("huge", {"status": 200}, ContractError),
        ("status", {"status": 200, "data": ["a", "list"]}, ContractError),
        ("status", {"status": 302, "headers": {"Location": "http://127.0.0.1:9/2"}}, ConfigurationError),
        ("status", {"status": 403, "data": {"detail": "no"}}, ConfigurationError),
        ("status", {"status": 404}, ConfigurationError),
        ("status", {"status": 400, "data": [1]}, ComptoirError),
    ],
)
def test_trouble_is_told_and_asked_about_once(fake: FakeX, effect: str, fields: Any, kind: type[Exception]) -> None:
    fake.fail(effect, path="/2/users", **fields)
    error = error_of(fake, timeout=0.5)
    assert isinstance(error, kind) and len(str(error)) > 20
    assert len(fake.requests) == 1


def test_a_search_that_x_refuses_names_the_watch(fake: FakeX) -> None:
    data = {
        "errors": [{"message": "There were errors processing your request: missing EOF at '\"'"}],
        "title": "Invalid Request",
    }
    fake.fail("status", path="/2/tweets/search", status=400, data=data)
    with pytest.raises(ConfigurationError, match="Change the watch"):
        read(fake, watch=Watch(terms=("pull",)))


def test_odd_items_are_rejects_and_the_rest_is_kept(fake: FakeX) -> None:
    good = {"id": id_before(ago(fake, hours=1)), "text": "@ormelune bien", "author_id": "5"}
    body = {"data": [good, {"id": id_before(ago(fake, hours=2))}, "odd", {"text": "sans numéro"}], "meta": {}}
    fake.fail("status", path="/2/users/1111111111/mentions", status=200, data=body)
    pages = read(fake)
    assert set(said(pages)) == {good["id"]}
    positions = [reject.position for page in pages for reject in page.rejects]
    assert positions == ["mentions, item 2", "mentions, item 3", "mentions, item 4"]


def test_an_endless_list_ends(fake: FakeX) -> None:
    body = {"data": [{"id": id_before(ago(fake, hours=1)), "text": "@ormelune"}], "meta": {"next_token": "again"}}
    fake.fail("status", path="/2/users/1111111111/mentions", status=200, data=body, times=50)
    assert len(said(read(fake))) == 1
    assert len(fake.asked("/2/users/1111111111/mentions")) == 2


def test_settings_alone_lead_to_a_server_of_ones_own(fake: FakeX) -> None:
    collectors.build("x", {**SETTINGS, "api_host": fake.base, "allow_private": "yes"}).check()
    with pytest.raises(ConfigurationError):
        collectors.build("x", {**SETTINGS, "api_host": fake.base})


def test_partial_errors_are_deletions(fake: FakeX) -> None:
    tom = fake.world.user("tom")
    quoted = fake.world.say(tom, "à effacer", ago(fake, hours=3))
    fake.world.say(fake.world.user("lea_m"), "@ormelune voyez", ago(fake, hours=2), quoted=quoted.id)
    fake.world.delete(quoted.id)
    assert [gone for page in read(fake) for gone in page.deleted] == [f"x:{quoted.id}"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": ""}, "setting account"),
        ({"account": "pas un nom"}, "is no handle"),
        ({"consumer_key": " "}, "setting consumer_key"),
        ({"access_token_secret": ""}, "setting access_token_secret"),
        ({"plan": "gold"}, "Choose one of payg"),
        ({"owns_app": "maybe"}, "Write yes or no"),
        ({"history": "99"}, "from 1 to 30"),
        ({"history": "abc"}, "from 1 to 30"),
        ({"archive": "yes", "bearer_token": ""}, "needs the setting bearer_token"),
        ({"api_host": "http://api.x.com"}, "https://"),
        ({"api_host": "api.x.com"}, "no address"),
    ],
)
def test_settings_that_cannot_be_used(changes: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        x.connect({**SETTINGS, **changes})


@pytest.mark.parametrize(
    "cursor", ["", "{", "[]", '{"lists": 7}', '{"lists": {"mentions": {"since": "a"}}, "threads": {"1": []}}']
)
def test_a_damaged_cursor_begins_anew(fake: FakeX, cursor: str) -> None:
    populate(fake)
    assert said(read(fake, Cursor(cursor))) == said(read(fake))


def test_a_worn_out_mark_of_messages_begins_anew(fake: FakeX) -> None:
    populate(fake)
    pages = read(fake)
    state = json.loads(str(pages[-1].cursor))
    state["lists"]["messages"] = {"token": "worn-out-mark-of-a-page", "newest": id_before(fake.now())}
    found = said(read(fake, Cursor(json.dumps(state))))
    assert sum(1 for one in found.values() if one.raw.get("private")) == 34


def test_an_account_whose_number_the_token_does_not_tell(fake: FakeX) -> None:
    fake.world.say(fake.world.user("lea_m"), "@ormelune ?", ago(fake, hours=1))
    odd = {"access_token": "no-number"}
    import tests.fakes.x as module

    before = module.SETTINGS["access_token"]
    module.SETTINGS["access_token"] = "no-number"
    try:
        pages = read(fake, **odd)
        assert len(said(pages)) == 1 and fake.asked("/2/users/me")
        asked = len(fake.asked("/2/users/me"))
        read(fake, pages[-1].cursor, **odd)
        assert len(fake.asked("/2/users/me")) == asked  # remembered
    finally:
        module.SETTINGS["access_token"] = before
