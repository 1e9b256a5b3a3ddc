"""The Bluesky collector against a fake service: hearing all of a thread, few log-ins, answering once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

import worker as steps
from collectors import bluesky
from collectors.bluesky import RULES, BlueskyCollector
from collectors.bluesky_map import mention_of
from collectors.bluesky_place import MAX_KNOWN, Mark, Place
from collectors.bluesky_read import BACK_PAGES
from collectors.bluesky_reply import record_key
from collectors.bluesky_service import forget_sessions
from domain.analysis import Analysis
from domain.contracts import (
    CanBackfill,
    CanEstimate,
    CanReadBack,
    CanRehydrate,
    CanReply,
    Cursor,
    IdempotencyKey,
    Page,
    Watch,
)
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention
from store import Store
from store.outbox import OutboxState
from tests.builders import MODEL, analysis
from tests.fakes.bluesky import BRAND, HANDLE, PASSWORD, FakeBluesky, Post, did_of
from tests.fakes.http_server import serve

KEY = IdempotencyKey("key-1")
MARIE, PAUL, ZOE = "marie.example", "paul.example", "zoe.example"


@pytest.fixture(autouse=True)
def _no_sessions() -> None:
    forget_sessions()


@pytest.fixture
def service() -> Iterator[FakeBluesky]:
    with serve(FakeBluesky()) as fake:
        yield fake


def collector(
    fake: FakeBluesky, *, now: datetime | None = None, timeout: float = 5.0, **settings: str
) -> BlueskyCollector:
    """A minute after the last thing that happened, unless told otherwise."""
    given = {"handle": HANDLE, "app_password": PASSWORD, "service": fake.base, "allow_private": "yes", **settings}
    made = bluesky.connect(given, now=lambda: now or fake.clock + timedelta(minutes=1), timeout=timeout)
    assert isinstance(made, BlueskyCollector)
    return made


def read(
    fake: FakeBluesky, since: Cursor | None = None, *, watch: Watch | None = None, **options: Any
) -> tuple[list[Mention], Cursor | None, list[Page]]:
    pages = list(collector(fake, **options).fetch(watch or Watch(), since))
    cursor = pages[-1].cursor if pages else since
    return [mention for page in pages for mention in page.mentions], cursor, pages


def talk(fake: FakeBluesky) -> list[Post]:
    """Six turns, three voices; only two of them name or answer the brand."""
    first = fake.say(MARIE, f"@{HANDLE} mon colis est perdu")
    second = fake.say(HANDLE, "Quel numéro ?", parent=first)
    third = fake.say(MARIE, "4711", parent=second)
    fourth = fake.say(PAUL, "Moi aussi !", parent=first)
    fifth = fake.say(HANDLE, "Il part demain.", parent=third)
    return [first, second, third, fourth, fifth, fake.say(MARIE, "merci", parent=fifth)]


def ids(mentions: Sequence[Mention]) -> set[str]:
    return {mention.native_id for mention in mentions}


# -- hearing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page_limit", [100, 2, 1])
def test_a_conversation_is_one_thread_with_all_its_voices_however_it_is_paged(page_limit: int) -> None:
    with serve(FakeBluesky()) as service:
        service.page_limit = page_limit
        said = talk(service)
        other = service.say("luc.example", f"@{HANDLE} autre chose")
        mentions, _, _ = read(service)
    assert ids(mentions) == {one.uri for one in (*said, other)}
    assert {one.conversation_id for one in mentions if one.native_id != other.uri} == {said[0].uri}
    parents = {mention.native_id: mention.parent_id for mention in mentions}
    assert [parents[one.uri] for one in said] == [one.parent or None for one in said]
    assert {one.native_id for one in mentions if one.outbound} == {said[1].uri, said[4].uri}
    assert all(one.engagement.like_count == 0 for one in mentions)


def test_a_run_that_dies_at_any_page_is_continued_while_people_go_on_talking() -> None:
    for dies_after in range(10):
        forget_sessions()
        with serve(FakeBluesky()) as service:
            service.page_limit = 2
            talk(service)
            for number in range(5):
                service.say(f"c{number}.example", f"@{HANDLE} {number}")
            run = collector(service).fetch(Watch(), None)
            kept = list(islice(run, dies_after))
            cursor = next((page.cursor for page in reversed(kept) if page.cursor), None)
            service.say("late.example", f"@{HANDLE} entre-temps")
            rest, cursor, _ = read(service, cursor)
            heard = {one.native_id for page in kept for one in page.mentions} | ids(rest)
            assert heard == {one.uri for one in service.posts}, dies_after
            assert read(service, cursor)[0] == []


def test_what_appears_late_within_the_hour_is_heard_and_nothing_is_told_twice(service: FakeBluesky) -> None:
    talk(service)
    _, cursor, _ = read(service)
    late = service.say("eve.example", f"@{HANDLE} retard")
    service.notifications[-1]["at"] -= timedelta(minutes=5)  # seen by the service before what we have read already
    mentions, cursor, _ = read(service, cursor)
    assert ids(mentions) == {late.uri}
    assert read(service, cursor)[2] == []


def test_late_answers_that_do_not_name_us_are_heard(service: FakeBluesky) -> None:
    said = talk(service)
    _, cursor, _ = read(service)
    late = service.say(ZOE, "et moi donc", parent=said[3], after=60)
    mentions, cursor, _ = read(service, cursor)
    assert {one.conversation_id for one in mentions if one.native_id == late.uri} == {said[0].uri}
    later = service.say(ZOE, "toujours rien", parent=late, after=60 * 24 * 3)
    assert later.uri in ids(read(service, cursor, now=service.clock + timedelta(hours=1))[0])


def test_counts_and_deletions_in_a_living_thread_are_told(service: FakeBluesky) -> None:
    said = talk(service)
    _, cursor, _ = read(service)
    said[2].likes = 9
    service.delete(said[3])
    service.say(ZOE, "dommage", parent=said[3])
    _, cursor, pages = read(service, cursor)
    changed = {one.native_id: one for page in pages for one in page.changed}
    assert changed[said[2].uri].engagement.like_count == 9
    assert [one for page in pages for one in page.deleted] == [f"bluesky:{said[3].uri}"]
    assert read(service, cursor)[2] == []
    service.delete(said[0])
    _, cursor, pages = read(service, cursor)
    assert [one for page in pages for one in page.deleted] == [f"bluesky:{said[0].uri}"]


def test_hidden_posts_do_not_stop_the_others(service: FakeBluesky) -> None:
    said = talk(service)
    service.hidden.add(said[3].uri)
    assert said[5].uri in ids(read(service)[0])


def test_quotes_of_our_posts_are_heard(service: FakeBluesky) -> None:
    ours = service.say(HANDLE, "Soldes !")
    embed = {"$type": "app.bsky.embed.record#view", "record": {**ours.ref, "value": ours.record}}
    quoting = service.say(MARIE, "voyez ce qu'ils osent", embed=embed)
    mentions, _, _ = read(service)
    [heard] = [one for one in mentions if one.native_id == quoting.uri]
    assert heard.raw["quote"]["text"] == "Soldes !" and heard.conversation_id == quoting.uri


def test_likes_and_followers_are_left_out_also_by_services_that_send_them(service: FakeBluesky) -> None:
    said = talk(service)
    service.notify("like", said[0])
    read(service)
    assert service.asked("/xrpc/app.bsky.notification.listNotifications")[0].all("reasons") == [
        "mention",
        "reply",
        "quote",
    ]


def test_pictures_come_with_their_addresses_though_notifications_have_none(service: FakeBluesky) -> None:
    picture = {"thumb": "https://cdn.example/t", "fullsize": "https://cdn.example/f", "alt": "la botte"}
    embed = {"$type": "app.bsky.embed.images#view", "images": [picture]}
    service.say(MARIE, f"@{HANDLE} regardez", embed=embed, labels=["graphic-media"])
    [mention], _, _ = read(service)
    assert mention.raw["media"] == [{"url": "https://cdn.example/f", "alt": "la botte", "kind": "image"}]
    assert mention.raw["labels"] == ["graphic-media"]


def test_searches_are_asked_for_each_alternative_and_filtered_here(service: FakeBluesky) -> None:
    hit = service.say("luc.example", "Ormelune a de belles bottes")
    service.say("luc.example", "ormelune recrute, concours !")
    other = service.say("eve.example", "mon pull marin adoré")
    tagged = service.say("eve.example", "joli #soldes")
    watch = Watch(query='(ormelune SAUF concours) OU "pull marin"', terms=("#soldes",))
    mentions, cursor, _ = read(service, watch=watch)
    assert ids(mentions) == {hit.uri, other.uri, tagged.uri}
    asked = service.asked("/xrpc/app.bsky.feed.searchPosts")
    assert {one.params["q"] for one in asked} == {"ormelune", '"pull marin"', "#soldes"}
    assert {one.params["sort"] for one in asked} == {"latest"} and all(one.params["since"] for one in asked)
    new = service.say("eve.example", "ormelune encore")
    assert ids(read(service, cursor, watch=watch)[0]) == {new.uri}


def test_a_search_that_the_service_cannot_read_is_named_after_the_rest_was_heard(service: FakeBluesky) -> None:
    said = talk(service)
    data = {"error": "BadQueryString", "message": "unbalanced quotes"}
    service.fail("status", path="/xrpc/app.bsky.feed.searchPosts", status=400, data=data)
    run = collector(service).fetch(Watch(terms=("le monde",)), None)
    kept: list[Mention] = []
    with pytest.raises(ConfigurationError, match=r"“\"le monde\"”.*unbalanced quotes"):
        kept.extend(one for page in run for one in _noted(kept, page))
    assert said[0].uri in ids(kept)


def _noted(kept: list[Mention], page: Page) -> list[Mention]:
    kept.extend(page.mentions)
    return []


def test_more_than_can_be_read_back_is_a_gap_that_is_told(service: FakeBluesky) -> None:
    service.page_limit = 2
    service.say(MARIE, f"@{HANDLE} un")
    _, cursor, _ = read(service)
    for number in range(2 * BACK_PAGES + 7):
        service.say(f"c{number}.example", f"@{HANDLE} {number}", after=7)
    _, _, pages = read(service, cursor)
    [gap] = [page.gap for page in pages if page.gap]
    assert gap.since < gap.until and "notifications" in gap.reason


def test_what_is_left_of_the_limit_is_kept_for_answers() -> None:
    with serve(FakeBluesky(limit=20)) as service:
        asked = [service.say(f"c{number}.example", f"@{HANDLE} {number}") for number in range(40)]
        patient = collector(service)
        with pytest.raises(TransientError, match="kept for answers") as caught:
            list(patient.fetch(Watch(), None))
        assert caught.value.retry_after == timedelta(minutes=4)
        service.used = 0
        assert collector(service).reply(mention_of(service.view(asked[0])), "On regarde.", KEY)


def test_cursors_that_cannot_be_read_start_again() -> None:
    for text in ("", "[]", "{", '{"marks": {"own": 1, "x": {"at": "then"}}, "threads": [1]}', "null"):
        assert Place.read(Cursor(text)) == Place()


def test_a_mark_knows_the_last_hour_and_no_more_than_fits() -> None:
    start = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
    many = [(f"at://x/{number}", start + timedelta(seconds=number)) for number in range(2 * MAX_KNOWN)]
    mark = Mark.after(many, None)
    assert mark is not None and mark.moment == many[-1][1] and len(mark.known) == MAX_KNOWN
    assert Mark.after([], mark) == Mark(mark.moment) and Mark.after([], None) is None
    older = Mark.after([("at://x/old", start)], mark)
    assert older is not None and older.moment == mark.moment


# -- the session -----------------------------------------------------------------------------------------------------------


def test_one_log_in_serves_all_sources_and_runs_of_the_account(service: FakeBluesky) -> None:
    talk(service)
    for _ in range(3):
        read(service)
        collector(service).check()
    assert (service.logins, service.refreshes) == (1, 0)


def test_an_expired_token_is_refreshed_once_also_for_an_answer(service: FakeBluesky) -> None:
    mention = asked_by(service)
    read(service)
    service.expire()
    read(service)
    assert (service.logins, service.refreshes) == (1, 1)
    service.expire()
    collector(service).reply(mention, "On regarde.", KEY)
    assert (service.logins, service.refreshes) == (1, 2)
    service.expire(refresh=True)
    read(service)
    assert (service.logins, service.refreshes) == (2, 3)
    assert len(service.of(HANDLE)) == 1


def test_a_password_that_was_withdrawn_says_what_to_do(service: FakeBluesky) -> None:
    read(service)
    service.password = "other"
    service.expire(refresh=True)
    with pytest.raises(ConfigurationError, match=r"Invalid identifier or password.*app_password") as caught:
        read(service)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"app_password": "wrong"}, "does not accept the name and password of"),
        ({"handle": "nobody.example"}, "nobody.example"),
        ({"service": "http://127.0.0.1:9"}, "cannot be reached"),
    ],
)
def test_check_says_what_to_do(service: FakeBluesky, changed: dict[str, str], words: str) -> None:
    collector(service).check()
    with pytest.raises((ConfigurationError, TransientError), match=words):
        collector(service, **changed).check()


@pytest.mark.parametrize(("key", "words"), [("handle", "setting handle is missing"), ("app_password", "app_password")])
def test_a_missing_setting_is_named(service: FakeBluesky, key: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        collector(service, **{key: " "})


SUSPENDED = {"did": BRAND, "accessJwt": "aaaa", "refreshJwt": "bbbb", "active": False, "status": "suspended"}


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 401, "data": {"error": "AuthFactorTokenRequired", "message": "code"}}, "second factor"),
        (
            {"status": 400, "data": {"error": "AccountTakedown", "message": "Account has been taken down"}},
            "closed our account",
        ),
        ({"status": 403}, "may not do this"),
        ({"status": 200, "data": SUSPENDED}, "closed our account .suspended"),
    ],
)
def test_a_log_in_that_a_person_must_mend(service: FakeBluesky, fault: dict[str, Any], words: str) -> None:
    service.fail("status", path="/xrpc/com.atproto.server.createSession", **fault)
    with pytest.raises(ConfigurationError, match=words):
        collector(service).check()


def test_a_log_in_that_is_not_possible_now_is_tried_later(service: FakeBluesky) -> None:
    reset = str(int((service.clock + timedelta(minutes=11)).timestamp()))
    service.fail("status", path="/xrpc/com.atproto.server", status=429, headers={"RateLimit-Reset": reset})
    with pytest.raises(TransientError) as caught:
        collector(service).check()
    assert caught.value.retry_after == timedelta(minutes=10)
    service.fail("status", path="/xrpc/com.atproto.server", status=200, data={})
    with pytest.raises(ConfigurationError, match=r"holds no session.*Check the setting service"):
        collector(service).check()


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"effect": "status", "status": 429, "headers": {"Retry-After": "60"}}, TransientError),
        ({"effect": "status", "status": 429}, TransientError),
        ({"effect": "status", "status": 502}, TransientError),
        ({"effect": "html", "status": 503}, TransientError),
        ({"effect": "html", "status": 200}, ContractError),
        ({"effect": "truncated"}, ContractError),
        ({"effect": "hang"}, TransientError),
        ({"effect": "status", "status": 403}, ConfigurationError),
        ({"effect": "status", "status": 200, "data": {"odd": 1}}, ContractError),
        (
            {"effect": "status", "status": 302, "headers": {"Location": "https://elsewhere.example/"}},
            ConfigurationError,
        ),
    ],
)
def test_trouble_while_reading_is_told_and_loses_nothing(
    service: FakeBluesky, fault: dict[str, Any], error: type[Exception]
) -> None:
    talk(service)
    _, cursor, _ = read(service)
    new = service.say("luc.example", f"@{HANDLE} encore")
    service.fail(**fault, path="/xrpc/app.bsky.notification")
    with pytest.raises(error) as caught:
        list(collector(service, timeout=0.3 if fault["effect"] == "hang" else 5.0).fetch(Watch(), cursor))
    assert len(str(caught.value)) > 20 and "-token" not in str(caught.value)
    if isinstance(caught.value, TransientError) and "headers" in fault:
        assert caught.value.retry_after == timedelta(minutes=1)
    assert new.uri in ids(read(service, cursor)[0])


# -- answering -------------------------------------------------------------------------------------------------------------


def asked_by(fake: FakeBluesky, **fields: Any) -> Mention:
    return mention_of(fake.view(fake.say(MARIE, f"@{HANDLE} mon colis ?", **fields)))


def test_powers(service: FakeBluesky) -> None:
    for power in (CanReply, CanReadBack, CanRehydrate, CanEstimate, CanBackfill):
        assert isinstance(collector(service), power)


@pytest.mark.parametrize(
    ("viewer", "key", "allowed"), [({}, "public", True), ({"replyDisabled": True}, "answers off", False)]
)
def test_each_rule(service: FakeBluesky, viewer: dict[str, Any], key: str, allowed: bool) -> None:
    post = service.say(MARIE, f"@{HANDLE} bonjour")
    post.viewer = viewer
    [mention], _, _ = read(service)
    told = collector(service).may_reply(mention)
    rule = next(rule for rule in RULES if rule.applies(mention))
    assert (rule.key, told.allowed, told.reason) == (key, allowed, rule.reason)
    assert told.text_limit == (300 if allowed else None) and told.public
    own = collector(service).may_reply(replace(mention, outbound=True))
    assert not own.allowed and own.reason == RULES[0].reason
    if not allowed:
        with pytest.raises(RefusedError, match="only some people"):
            collector(service).reply(mention, "Oui.", KEY)


def test_an_answer_hangs_under_the_message_in_its_thread_and_language(service: FakeBluesky) -> None:
    said = talk(service)
    mention = mention_of(service.view(said[5]))
    text = f"Merci @{MARIE} ! Suivi : https://ormelune.example/suivi (#colis) @nobody.example"
    remote_id = collector(service).reply(mention, text, KEY)
    answer = service.posts[-1]
    assert answer.uri == remote_id and remote_id.startswith(f"at://{BRAND}/app.bsky.feed.post/")
    assert answer.record["reply"] == {"root": said[0].ref, "parent": said[5].ref}
    assert answer.record["langs"] == ["fr"] and answer.record["createdAt"].endswith("Z")
    encoded = text.encode()
    shown = [encoded[one["index"]["byteStart"] : one["index"]["byteEnd"]].decode() for one in answer.record["facets"]]
    assert shown == [f"@{MARIE}", "https://ormelune.example/suivi", "#colis"]
    assert answer.record["facets"][0]["features"][0]["did"] == did_of(MARIE)


def test_no_language_is_claimed_where_none_is_known(service: FakeBluesky) -> None:
    collector(service).reply(asked_by(service, langs=[]), "Oui.", KEY)
    assert "langs" not in service.of(HANDLE)[0].record


def test_the_same_key_makes_no_second_answer_and_another_does(service: FakeBluesky) -> None:
    mention = asked_by(service)
    first = collector(service).reply(mention, "Oui.", KEY)
    written = dict(service.of(HANDLE)[0].record)
    assert collector(service, now=service.clock + timedelta(hours=2)).reply(mention, "Oui.", KEY) == first
    assert service.of(HANDLE)[0].record == written, "the answer that is there was written over"
    assert collector(service).reply(mention, "Oui.", IdempotencyKey("key-2")) != first
    assert len(service.of(HANDLE)) == 2


def test_a_service_without_swaps_writes_the_same_place_again() -> None:
    with serve(FakeBluesky(knows_swaps=False)) as service:
        mention = asked_by(service)
        assert collector(service).reply(mention, "Oui.", KEY) == collector(service).reply(mention, "Oui.", KEY)
        assert len(service.of(HANDLE)) == 1


def test_the_place_of_an_answer_looks_like_a_time_after_the_message(service: FakeBluesky) -> None:
    mention = asked_by(service)
    digits = "234567abcdefghijklmnopqrstuvwxyz"
    keys = {record_key(mention, IdempotencyKey(f"key-{number}")) for number in range(200)}
    assert len(keys) == 200
    own = mention.native_id.rpartition("/")[2]
    assert all(len(key) == 13 and set(key) <= set(digits) and own < key for key in keys)
    odd = replace(mention, native_id="at://did:web:x.example/app.bsky.feed.post/self")
    assert len(record_key(odd, KEY)) == 13 and record_key(odd, KEY)[0] in "234567abcdefghij"


@pytest.mark.parametrize(
    "fault", [{"effect": "hang"}, {"effect": "cut"}, {"effect": "truncated"}, {"effect": "html", "status": 200}]
)
def test_silence_after_an_answer_is_read_back_and_makes_no_second(service: FakeBluesky, fault: dict[str, Any]) -> None:
    mention = asked_by(service)
    assert collector(service).find_reply(mention, "Il part demain.", KEY) is None
    service.fail(**fault, path="/xrpc/com.atproto.repo.putRecord", after=True)
    with pytest.raises(OutcomeUnknownError):
        collector(service, timeout=0.3).reply(mention, "Il part demain.", KEY)
    found = collector(service).find_reply(mention, "Il part demain.", KEY)
    assert [one.uri for one in service.of(HANDLE)] == [found]
    assert collector(service).find_reply(mention, "Il part demain.", IdempotencyKey("other")) is None
    assert collector(service).reply(mention, "Il part demain.", KEY) == found


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        (
            {"status": 400, "data": {"error": "InvalidRequest", "message": "Invalid record"}},
            RefusedError,
            "Invalid record",
        ),
        (
            {"status": 400, "data": {"error": "InvalidSwap", "message": "Record was at null"}},
            RefusedError,
            "Record was at",
        ),
        ({"status": 403}, ConfigurationError, "app_password"),
        ({"status": 429, "headers": {"Retry-After": "30"}}, TransientError, "wait"),
        ({"status": 503}, TransientError, "out of order"),
        ({"status": 502}, OutcomeUnknownError, "looked up"),
        ({"status": 200, "data": {}}, OutcomeUnknownError, "without naming it"),
    ],
)
def test_refusals_of_an_answer(service: FakeBluesky, fault: dict[str, Any], error: type[Exception], words: str) -> None:
    mention = asked_by(service)
    service.fail("status", path="/xrpc/com.atproto.repo.putRecord", **fault)
    with pytest.raises(error, match=words):
        collector(service).reply(mention, "Oui.", KEY)
    assert service.of(HANDLE) == []


def test_what_is_too_long_or_gone_is_refused_before_it_is_sent(service: FakeBluesky) -> None:
    mention = asked_by(service)
    assert collector(service).reply(mention, "👨‍👩‍👧‍👦" * 100, KEY)
    for text in ("x" * 301, "👨‍👩‍👧‍👦" * 150):
        with pytest.raises(RefusedError, match="takes 300"):
            collector(service).reply(mention, text, KEY)
    service.delete(service.posts[0])
    with pytest.raises(RefusedError, match="no longer on Bluesky"):
        collector(service).reply(mention, "Oui.", IdempotencyKey("key-3"))
    assert len(service.asked("/xrpc/com.atproto.repo.putRecord")) == 1


def test_an_author_who_has_turned_answers_off_since_is_respected(service: FakeBluesky) -> None:
    mention = asked_by(service)
    service.posts[0].viewer = {"replyDisabled": True}
    with pytest.raises(RefusedError, match="only some people"):
        collector(service).reply(mention, "Oui.", KEY)


# -- looking up again, looking back ------------------------------------------------------------------------------------------


def test_changes_and_deletions_are_looked_up_and_hidden_posts_kept(service: FakeBluesky) -> None:
    said = talk(service)
    many = [service.say(f"c{number}.example", f"@{HANDLE} {number}") for number in range(60)]
    mentions, _, _ = read(service)
    said[0].likes, said[2].labels = 4, ["spam"]
    service.delete(said[3])
    service.hidden.add(many[7].uri)
    before = len(service.requests)
    page = collector(service).rehydrate(mentions)
    changed = {one.native_id: one for one in page.changed}
    assert set(changed) >= {said[0].uri, said[2].uri} and len(changed) <= 4
    assert changed[said[0].uri].engagement.like_count == 4 and changed[said[2].uri].raw["labels"] == ["spam"]
    assert changed[said[2].uri].conversation_id == said[0].uri
    assert page.deleted == (f"bluesky:{said[3].uri}",)
    assert (
        page.spent.call_count == len(service.requests) - before == 5
    )  # 66 posts, 25 at once, and two that are missing


def test_what_a_watch_would_have_found(service: FakeBluesky) -> None:
    for number in range(30):
        service.say(f"c{number}.example", f"ormelune {number}", after=60)
    watch = Watch(query="ormelune")
    told = collector(service).estimate(watch, service.clock - timedelta(hours=10), service.clock)
    assert told.count == 10 and len(told.samples) == 6 and told.price == 0 and told.spent.call_count == 1
    nothing = collector(service).estimate(Watch(), service.clock - timedelta(days=1), service.clock)
    assert nothing.count is None


@pytest.mark.parametrize("dies_after", [1, 2, 3, None])
def test_the_past_is_read_by_days_and_can_be_gone_on_with(service: FakeBluesky, dies_after: int | None) -> None:
    service.page_limit = 4
    said = [service.say(f"c{number}.example", f"ormelune {number}", after=200) for number in range(40)]
    since, until = said[3].indexed_at, said[36].indexed_at
    watch = Watch(terms=("ormelune",))
    kept = list(islice(collector(service).backfill(watch, since, until, None), dies_after))
    rest = list(collector(service).backfill(watch, since, until, kept[-1].cursor))
    heard = [one for page in (*kept, *rest) for one in page.mentions]
    assert [one.native_id for one in heard] == [one.uri for one in said[3:36]]
    assert [one.created_at for one in heard] == sorted(one.created_at for one in heard)


# -- all the way -----------------------------------------------------------------------------------------------------------


class FlatAnalyzer:
    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(mention.id) for mention in mentions]


def test_a_conversation_is_one_case_and_is_answered_once_though_the_service_falls_silent(
    store: Store, service: FakeBluesky
) -> None:
    said = talk(service)
    clock = [service.clock + timedelta(minutes=1)]
    given = {"handle": HANDLE, "app_password": PASSWORD, "service": service.base, "allow_private": "yes"}
    made = bluesky.connect(given, now=lambda: clock[0], timeout=0.5)
    store.sources.ensure("b", "bluesky", "Bluesky", {})
    worker = steps.Worker(store, FlatAnalyzer(), lambda _: made, {}, timedelta(0), now=lambda: clock[0])
    steps.run_once(worker)
    ids_ = [mention_of(service.view(one)).id for one in said if one.handle != PAUL]
    [case_id] = store.mentions.case_ids(ids_)  # Paul's own trouble, below the same post, is a case of its own
    conversation = store.queue.conversation(case_id)
    assert conversation is not None and {one.mention.id for one in conversation.messages} >= set(ids_)
    store.cases.reply(case_id, ids_[-1], "Avec plaisir.", source_key="b", key="k1", actor="Awa", now=clock[0])
    service.fail("hang", path="/xrpc/com.atproto.repo.putRecord", after=True)
    assert steps.run_once(worker).failed == 1
    for _ in range(4):
        clock[0] += timedelta(minutes=5)
        steps.run_once(worker)
    [row] = store.outbox.of_case(case_id)
    assert row.state is OutboxState.SENT
    assert [one.record["text"] for one in service.of(HANDLE)].count("Avec plaisir.") == 1
    conversation = store.queue.conversation(case_id)
    assert conversation is not None
    assert sum(one.mention.text == "Avec plaisir." for one in conversation.messages) == 1
