"""The Mastodon collector against a fake server: hearing all of a thread, stopping anywhere, answering once."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

import worker as steps
from collectors import mastodon
from collectors.mastodon import RULES, MastodonCollector
from collectors.mastodon_map import mention_of
from collectors.mastodon_place import Place
from collectors.mastodon_read import BACK_PAGES
from collectors.mastodon_reply import length, same_words
from collectors.mastodon_server import Rules
from collectors.threads import Thread
from domain.analysis import Analysis
from domain.contracts import (
    CanReadBack,
    CanRehydrate,
    CanReply,
    CanReplyPrivately,
    Cursor,
    IdempotencyKey,
    Page,
    Watch,
)
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention, MentionKind
from store import Store
from store.outbox import OutboxState
from tests.builders import MODEL, analysis
from tests.fakes.http_server import serve
from tests.fakes.mastodon import BRAND, TOKEN, FakeMastodon, Status, hashes, small_numbers, snowflakes, ulids

NOW = datetime(2026, 3, 9, 12, 0, tzinfo=UTC)  # the fake's story begins at 8:00
KEY = IdempotencyKey("key-1")


@pytest.fixture
def server() -> Iterator[FakeMastodon]:
    with serve(FakeMastodon()) as fake:
        yield fake


def collector(
    fake: FakeMastodon, *, now: datetime | None = None, timeout: float = 5.0, **settings: str
) -> MastodonCollector:
    """A minute after the last thing that happened, unless told otherwise."""
    given = {"server": fake.base, "access_token": TOKEN, "allow_private": "yes", **settings}
    made = mastodon.connect(given, now=lambda: now or fake.clock + timedelta(minutes=1), timeout=timeout)
    assert isinstance(made, MastodonCollector)
    return made


def read(
    server: FakeMastodon, since: Cursor | None = None, *, watch: Watch | None = None, **options: Any
) -> tuple[list[Mention], Cursor | None, list[Page]]:
    pages = list(collector(server, **options).fetch(watch or Watch(), since))
    cursor = pages[-1].cursor if pages else since
    return [mention for page in pages for mention in page.mentions], cursor, pages


def talk(server: FakeMastodon) -> list[Status]:
    """Six turns, three voices; only two of them name the brand."""
    first = server.say("marie", f"@{BRAND} mon colis est perdu")
    second = server.say(BRAND, "@marie Quel numéro ?", parent=first)
    third = server.say("marie", "4711", parent=second)
    fourth = server.say("paul@ailleurs.example", "Moi aussi !", parent=first)
    fifth = server.say(BRAND, "@marie Il part demain.", parent=third)
    return [first, second, third, fourth, fifth, server.say("marie", f"merci @{BRAND}", parent=fifth)]


# -- hearing ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ids", [snowflakes, small_numbers, ulids, hashes])
@pytest.mark.parametrize("min_id", ["adjacent", "floor", "ignored"])
def test_a_conversation_is_one_thread_with_all_its_voices_whatever_the_server_is_like(
    ids: Callable[[int], str], min_id: str
) -> None:
    version = 7 if (ids, min_id) == (snowflakes, "adjacent") else 0
    with serve(FakeMastodon(ids=ids, min_id=min_id, version=version)) as server:
        said = talk(server)
        other = server.say("luc", f"@{BRAND} autre chose")
        mentions, _, _ = read(server)
    assert {mention.native_id for mention in mentions} == {one.id for one in (*said, other)}
    assert {one.conversation_id for one in mentions if one.native_id != other.id} == {said[0].id}
    parents = {mention.native_id: mention.parent_id for mention in mentions}
    assert [parents[one.id] for one in said] == [one.parent for one in said]
    assert {one.native_id for one in mentions if one.outbound} == {said[1].id, said[4].id}


def test_a_long_absence_is_made_up_for_without_a_hole() -> None:
    for min_id in ("adjacent", "floor", "ignored"):
        with serve(FakeMastodon(ids=ulids, version=0, min_id=min_id)) as server:
            server.say("marie", f"@{BRAND} un")
            _, cursor, _ = read(server)
            missed = [server.say(f"c{number}", f"@{BRAND} {number}").id for number in range(130)]
            mentions, _, pages = read(server, cursor)
            assert {one.native_id for one in mentions} >= set(missed), min_id
            assert all(page.gap is None for page in pages)


def test_a_run_that_dies_at_any_page_is_continued_while_people_go_on_talking() -> None:
    for dies_after in range(12):
        with serve(FakeMastodon()) as server:
            server.page_limit = 2
            talk(server)
            for number in range(5):
                server.say(f"c{number}", f"@{BRAND} {number}")
            run = collector(server).fetch(Watch(), None)
            kept = list(islice(run, dies_after))
            cursor = next((page.cursor for page in reversed(kept) if page.cursor), None)
            server.say("late", f"@{BRAND} entre-temps")
            rest, cursor, _ = read(server, cursor)
            heard = {one.native_id for page in kept for one in page.mentions} | {one.native_id for one in rest}
            assert heard == {one.id for one in server.statuses}, dies_after
            assert read(server, cursor)[0] == []


def test_late_answers_that_do_not_name_us_are_heard(server: FakeMastodon) -> None:
    said = talk(server)
    _, cursor, _ = read(server)
    late = server.say("zoe@ailleurs.example", "et moi donc", parent=said[3], after=60)
    mentions, cursor, _ = read(server, cursor)
    assert [(one.native_id, one.conversation_id) for one in mentions if one.native_id == late.id] == [
        (late.id, said[0].id)
    ]
    later = server.say("zoe@ailleurs.example", "toujours rien", parent=late, after=60 * 24 * 3)
    mentions, cursor, _ = read(server, cursor, now=later.at + timedelta(hours=1))
    assert later.id in {one.native_id for one in mentions}


def test_quiet_threads_are_read_seldomer_and_then_no_more() -> None:
    thread = Thread(NOW, asked_at=NOW)
    waits = [(minutes, thread.due(NOW + timedelta(minutes=minutes))) for minutes in (1, 59, 61, 60 * 25)]
    assert waits == [(1, True), (59, True), (61, True), (60 * 25, True)]
    asked = replace(thread, asked_at=NOW + timedelta(hours=2))
    assert not asked.due(NOW + timedelta(hours=2, minutes=14)) and asked.due(NOW + timedelta(hours=2, minutes=15))
    assert not replace(thread, asked_at=NOW + timedelta(days=13)).due(NOW + timedelta(days=13, hours=5))
    assert not thread.due(NOW + timedelta(days=15))


def test_an_unchanged_server_is_read_without_a_word(server: FakeMastodon) -> None:
    talk(server)
    _, cursor, _ = read(server)
    _, cursor, _ = read(server, cursor)
    asked = len(server.requests)
    assert read(server, cursor)[2] == []
    assert len(server.requests) - asked <= 6


def test_edits_in_a_living_thread_come_as_changed(server: FakeMastodon) -> None:
    said = talk(server)
    _, cursor, _ = read(server)
    _, cursor, _ = read(server, cursor)
    server.edit(said[2], "4712, pardon")
    _, cursor, pages = read(server, cursor)
    changed = {one.native_id: one for page in pages for one in page.changed}
    assert changed[said[2].id].text == "4712, pardon" and changed[said[2].id].raw["edited_at"]
    assert changed[said[2].id].conversation_id == said[0].id
    assert read(server, cursor)[2] == []


def test_private_messages_are_messages(server: FakeMastodon) -> None:
    server.say("marie", f"@{BRAND} mon adresse est …", visibility="direct")
    [mention], _, _ = read(server)
    assert mention.kind is MentionKind.MESSAGE and mention.raw["visibility"] == "direct"


def test_quotes_are_asked_for_only_where_they_exist() -> None:
    for version, types in ((7, ["mention", "quote"]), (6, ["mention"]), (0, ["mention"])):
        with serve(FakeMastodon(version=version)) as server:
            quoting = server.say("marie", "voyez ce qu'ils disent")
            server.notify("quote", "marie", quoting)
            mentions, _, _ = read(server)
            assert server.asked("/api/v1/notifications")[0].all("types") == types
            assert [one.native_id for one in mentions] == ([quoting.id] if version == 7 else [])


def test_a_notification_whose_message_is_gone_is_kept_aside(server: FakeMastodon) -> None:
    server.notify("mention", "marie", None)
    _, _, pages = read(server)
    assert [reject.reason for page in pages for reject in page.rejects] == ["its message is gone"]


def test_hashtags_are_followed_and_filtered_by_the_watch(server: FakeMastodon) -> None:
    tagged = server.say("luc", "vu aujourd'hui #ormelune")
    named = server.say("luc", "la botte Alizé est belle #mode")
    server.say("luc", "rien à voir #mode")
    watch = Watch(query='#mode ET (alizé OU "pull marin")')
    mentions, _, _ = read(server, watch=watch, hashtags="#ormelune; mode")
    assert len(mentions) == 3  # who names a hashtag in the settings hears all of it
    mentions, _, _ = read(server, watch=watch, hashtags="ormelune")
    assert {one.native_id for one in mentions} == {tagged.id, named.id}  # the watch names #mode itself
    mentions, _, _ = read(server, watch=Watch(terms=("#mode",)))
    assert len(mentions) == 2


def test_searches_are_asked_for_each_alternative_and_filtered_here(server: FakeMastodon) -> None:
    hit = server.say("luc", "Ormelune a de belles bottes")
    server.say("luc", "ormelune recrute, concours !")
    other = server.say("eve", "mon pull marin adoré")
    watch = Watch(query='(ormelune SAUF concours) OU "pull marin"')
    mentions, cursor, _ = read(server, watch=watch)
    assert {one.native_id for one in mentions} == {hit.id, other.id}
    assert {one.params["q"] for one in server.asked("/api/v2/search")} == {"ormelune", '"pull marin"'}
    assert {one.params["resolve"] for one in server.asked("/api/v2/search")} == {"false"}
    new = server.say("eve", "ormelune encore")
    mentions, _, _ = read(server, cursor, watch=watch)
    assert [one.native_id for one in mentions] == [new.id]


@pytest.mark.parametrize("has_search", [True, False])
def test_a_server_without_search_is_still_heard(has_search: bool) -> None:
    with serve(FakeMastodon(has_search=has_search)) as server:
        server.say("luc", f"@{BRAND} bonjour")
        if not has_search:
            server.fail("status", path="/api/v2/search", status=404, times=9)
        assert len(read(server, watch=Watch(terms=("ormelune",)))[0]) == 1


def test_more_than_can_be_read_back_is_a_gap_that_is_told() -> None:
    with serve(FakeMastodon(ids=hashes, version=0, min_id="ignored")) as server:
        server.page_limit = 2
        server.say("luc", "un #ormelune")
        _, cursor, _ = read(server, hashtags="ormelune")
        for number in range(2 * BACK_PAGES + 5):
            server.say("luc", f"{number} #ormelune")
        mentions, _, pages = read(server, cursor, hashtags="ormelune")
        [gap] = [page.gap for page in pages if page.gap]
        assert len([one for one in mentions if "#ormelune" in one.text]) == 2 * BACK_PAGES
        assert gap.since < gap.until and "#ormelune" in gap.reason


def test_what_is_left_of_the_limit_is_kept_for_answers() -> None:
    with serve(FakeMastodon(limit=40)) as server:
        asked = [server.say(f"c{number}", "un", parent_id=f"gone-{number}") for number in range(60)]
        for one in asked:
            server.notify("mention", one.acct, one)
        patient = collector(server)
        with pytest.raises(TransientError, match="kept for answers") as caught:
            list(patient.fetch(Watch(), None))
        assert caught.value.retry_after is not None and caught.value.retry_after > timedelta(minutes=5)
        mention = mention_of(server.status(server.statuses[0]))
        assert patient.reply(mention, "On regarde.", KEY)


def test_cursors_that_cannot_be_read_start_again() -> None:
    for text in ("", "[]", "{", '{"marks": {"own": 1, "x": {"id": "1"}}, "threads": [1]}', "null"):
        assert Place.read(Cursor(text)) == Place()


# -- settings and permissions ----------------------------------------------------------------------------------------------


def test_check_says_what_to_do(server: FakeMastodon) -> None:
    collector(server).check()
    cases: list[tuple[dict[str, str], str]] = [
        ({"access_token": "wrong"}, "no longer accepts our token: The access token is invalid.*access_token"),
        ({"server": server.base + "/blog"}, "Check the setting server"),
        ({"server": "127.0.0.1:1"}, "cannot be reached"),
    ]
    for settings, words in cases:
        with pytest.raises((ConfigurationError, TransientError), match=f"(?s){words}"):
            collector(server, **settings).check()
    server.fail("status", path="/api/v1/accounts/verify_credentials", status=422, data={})
    with pytest.raises(ConfigurationError, match=r"does not accept our token.*access_token"):
        collector(server).check()
    for settings, words in (({"server": ""}, "server is missing"), ({"access_token": " "}, "access_token is missing")):
        with pytest.raises(ConfigurationError, match=words):
            collector(server, **settings)


@pytest.mark.parametrize("missing", mastodon.PERMISSIONS)
def test_a_permission_that_is_missing_is_named(missing: str) -> None:
    granted = tuple(name for name in mastodon.PERMISSIONS if name != missing)
    with serve(FakeMastodon(scopes=granted)) as server, pytest.raises(ConfigurationError, match=missing):
        collector(server).check()
    with serve(FakeMastodon(scopes=("read", "write"))) as server:
        collector(server).check()


def test_a_permission_that_is_withdrawn_later_is_named(server: FakeMastodon) -> None:
    talk(server)
    for path, name in (("notifications", "read:notifications"), ("statuses", "read:statuses")):
        server.fail("status", path=f"/api/v1/{path}", status=403)
        with pytest.raises(ConfigurationError, match=name):
            list(collector(server).fetch(Watch(), None))
    server.fail("status", path="/api/v1/notifications", status=403, data={"error": "Your login is currently disabled"})
    with pytest.raises(ConfigurationError, match="locked our account: Your login is currently disabled"):
        list(collector(server).fetch(Watch(), None))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (
            {"effect": "status", "status": 429, "headers": {"X-RateLimit-Reset": "2026-03-09T12:03:00.000000Z"}},
            TransientError,
        ),
        ({"effect": "status", "status": 429}, TransientError),
        ({"effect": "status", "status": 500}, TransientError),
        ({"effect": "status", "status": 503, "headers": {"Retry-After": "60"}}, TransientError),
        ({"effect": "html", "status": 502}, TransientError),
        ({"effect": "html", "status": 200}, ContractError),
        ({"effect": "truncated"}, ContractError),
        ({"effect": "hang"}, TransientError),
        ({"effect": "status", "status": 401}, ConfigurationError),
        ({"effect": "status", "status": 200, "data": {"error": "odd"}}, ContractError),
        (
            {"effect": "status", "status": 301, "headers": {"Location": "https://elsewhere.example/"}},
            ConfigurationError,
        ),
    ],
)
def test_trouble_while_reading_is_told_and_loses_nothing(
    server: FakeMastodon, fault: dict[str, Any], error: type[Exception]
) -> None:
    talk(server)
    _, cursor, _ = read(server)
    new = server.say("luc", f"@{BRAND} encore")
    server.fail(**fault, path="/api/v1/notifications")
    with pytest.raises(error) as caught:
        list(collector(server, now=NOW, timeout=0.3 if fault["effect"] == "hang" else 5.0).fetch(Watch(), cursor))
    assert len(str(caught.value)) > 20 and TOKEN not in str(caught.value)
    if isinstance(caught.value, TransientError) and "headers" in fault:
        assert caught.value.retry_after in {timedelta(minutes=3), timedelta(seconds=60)}
    assert new.id in {one.native_id for one in read(server, cursor)[0]}


# -- answering -------------------------------------------------------------------------------------------------------------


def asked_by(server: FakeMastodon, **fields: Any) -> Mention:
    return mention_of(server.status(server.say("marie", f"@{BRAND} mon colis ?", **fields)))


def test_powers() -> None:
    with serve(FakeMastodon()) as server:
        made = collector(server)
    for power in (CanReply, CanReadBack, CanReplyPrivately, CanRehydrate):
        assert isinstance(made, power)


@pytest.mark.parametrize(
    ("fields", "key", "allowed", "public"),
    [
        ({}, "public", True, True),
        ({"visibility": "unlisted"}, "public", True, True),
        ({"visibility": "private"}, "followers only", True, False),
        ({"visibility": "direct"}, "direct", True, False),
        ({"account": {"id": "brand"}}, "nobody named", False, True),
        ({"account": None}, "nobody named", False, True),
    ],
)
def test_each_rule(server: FakeMastodon, fields: dict[str, Any], key: str, allowed: bool, public: bool) -> None:
    mention = mention_of({**server.status(server.say("marie", "bonjour")), **fields})
    told = collector(server).may_reply(mention)
    [rule] = [rule for rule in RULES if rule.key == key]
    assert next(rule for rule in RULES if rule.applies(mention)) is rule
    assert (told.allowed, told.public, told.reason) == (allowed, public, rule.reason)
    assert told.text_limit == (500 - len("@marie ") if allowed else None)
    assert not collector(server).may_reply(replace(mention, outbound=True)).allowed


def test_the_servers_own_limit_counts_names_warnings_and_links_its_way() -> None:
    with serve(FakeMastodon(max_characters=100)) as server:
        mention = asked_by(server, spoiler="Colis")
        answering = collector(server)
        list(answering.fetch(Watch(), None))
        assert answering.may_reply(mention).text_limit == 100 - len("@marie ") - len("Colis")
        with pytest.raises(RefusedError, match=r"101 characters.*takes 100"):
            answering.reply(mention, "x" * 89, KEY)
        assert answering.reply(mention, "x" * 88, KEY)
    assert length("@marie@loin.example https://shop.example/" + "x" * 80, Rules()) == len("@marie ") + 23


@pytest.mark.parametrize("visibility", ["public", "unlisted", "private", "direct"])
def test_an_answer_is_as_private_as_the_message_and_keeps_its_warning(server: FakeMastodon, visibility: str) -> None:
    mention = asked_by(server, visibility=visibility, spoiler="Colis", language="fr")
    remote_id = collector(server).reply(mention, "On regarde.", KEY)
    [answer] = server.of(BRAND)
    assert (answer.id, answer.text, answer.parent) == (remote_id, "@marie On regarde.", mention.native_id)
    assert (answer.visibility, answer.spoiler, answer.language) == (visibility, "Colis", "fr")
    [sent] = server.asked("/api/v1/statuses", "POST")
    assert sent.headers["idempotency-key"] == KEY


def test_a_public_message_may_be_answered_privately(server: FakeMastodon) -> None:
    mention = asked_by(server)
    assert collector(server).may_reply_privately(mention).public is False
    collector(server).reply_privately(mention, "Votre adresse ?", KEY)
    assert [one.visibility for one in server.of(BRAND)] == ["direct"]


def test_whoever_is_named_already_is_not_named_twice(server: FakeMastodon) -> None:
    mention = asked_by(server)
    collector(server).reply(mention, "Bonjour @marie !", KEY)
    collector(server).reply(mention, "Bonjour @mariette !", IdempotencyKey("key-2"))
    assert [one.text for one in server.of(BRAND)] == ["Bonjour @marie !", "@marie Bonjour @mariette !"]


def test_the_same_key_makes_no_second_answer(server: FakeMastodon) -> None:
    mention = asked_by(server)
    assert collector(server).reply(mention, "Oui.", KEY) == collector(server).reply(mention, "Oui.", KEY)
    assert len(server.of(BRAND)) == 1


@pytest.mark.parametrize("honours_keys", [True, False])
@pytest.mark.parametrize(
    "fault", [{"effect": "hang"}, {"effect": "cut"}, {"effect": "truncated"}, {"effect": "html", "status": 200}]
)
def test_silence_after_an_answer_is_read_back_and_makes_no_second(honours_keys: bool, fault: dict[str, Any]) -> None:
    with serve(FakeMastodon(honours_keys=honours_keys)) as server:
        mention = asked_by(server)
        server.fail(**fault, path="/api/v1/statuses", method="POST", after=True)
        answering = collector(server, timeout=0.3)
        with pytest.raises(OutcomeUnknownError):
            answering.reply(mention, "Bonjour, il part demain 🙂 https://ormelune.example/suivi", KEY)
        assert collector(server).find_reply(mention, "Autre texte", KEY) is None
        found = collector(server).find_reply(
            mention, "Bonjour,  il part demain 🙂 https://ormelune.example/suivi\n", KEY
        )
        assert [one.id for one in server.of(BRAND)] == [found]


def test_an_answer_is_found_behind_many_others_of_ours(server: FakeMastodon) -> None:
    mention = asked_by(server)
    remote_id = collector(server).reply(mention, "Oui.", KEY)
    for number in range(90):
        server.say(BRAND, f"Nouveauté {number}")
    assert collector(server).find_reply(mention, "Oui.", KEY) == remote_id
    assert collector(server).find_reply(replace(mention, native_id="other"), "Oui.", KEY) is None


@pytest.mark.parametrize(
    ("fault", "error", "words"),
    [
        ({"status": 422, "data": {"error": "Validation failed: Text can't be blank"}}, RefusedError, "can't be blank"),
        ({"status": 400, "data": {"error": "Bad Request: status too long"}}, RefusedError, "too long"),
        ({"status": 404}, RefusedError, "no longer on Mastodon"),
        ({"status": 403, "data": {"error": "This action is not allowed"}}, RefusedError, "not allowed"),
        ({"status": 403}, ConfigurationError, "write:statuses"),
        ({"status": 401}, ConfigurationError, "access_token"),
        ({"status": 429, "headers": {"Retry-After": "30"}}, TransientError, "wait"),
        ({"status": 503}, TransientError, "out of order"),
        ({"status": 500}, OutcomeUnknownError, "looked up"),
        ({"status": 200, "data": {}}, OutcomeUnknownError, "without naming it"),
    ],
)
def test_refusals_of_an_answer(server: FakeMastodon, fault: dict[str, Any], error: type[Exception], words: str) -> None:
    mention = asked_by(server)
    server.fail("status", path="/api/v1/statuses", method="POST", **fault)
    with pytest.raises(error, match=words) as caught:
        collector(server).reply(mention, "Oui.", KEY)
    assert type(caught.value) is error and TOKEN not in str(caught.value)
    assert server.of(BRAND) == []


def test_an_answer_too_long_for_a_server_that_did_not_say_so_is_refused_in_its_words() -> None:
    for status in (422, 400):
        with serve(FakeMastodon(length_error=status)) as server:
            mention = asked_by(server)
            answering = collector(server)
            assert answering._server.rules.text_limit == 500
            server.max_characters = 50  # changed since
            with pytest.raises(RefusedError, match="Text character limit of 50 exceeded"):
                answering.reply(mention, "x" * 60, KEY)


@pytest.mark.parametrize(
    ("posted", "text", "same"),
    [
        ("@marie Bonjour", "Bonjour", True),
        ("@marie@loin.example:8001 @eve Bonjour !", "bonjour!", True),
        ("@marie On regarde", "On *regarde*", True),
        ("@marie 👍", "👍", True),
        ("@marie 👍", "👎", False),
        ("@marie Bonjour", "Bonsoir", False),
        ("Bonjour @marie", "Bonjour", False),
    ],
)
def test_two_answers_are_the_same_words(posted: str, text: str, same: bool) -> None:
    assert same_words(posted, text) is same


# -- looking up again --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [7, 0])
def test_edits_counts_and_deletions_are_looked_up(version: int) -> None:
    with serve(FakeMastodon(version=version)) as server:
        said = talk(server)
        mentions, _, _ = read(server)
        edited, gone, liked = said[0], said[3], said[2]
        server.edit(edited, f"@{BRAND} retrouvé !")
        server.delete(gone)
        liked.likes = 3
        before = len(server.requests)
        page = collector(server).rehydrate(mentions)
        changed = {one.native_id: one for one in page.changed}
        assert changed[edited.id].text == f"@{BRAND} retrouvé !"
        assert changed[liked.id].engagement.like_count == 3
        assert page.deleted == (f"mastodon:{gone.id}",)
        assert {one.conversation_id for one in page.changed} == {said[0].id}
        assert {one.native_id for one in page.changed if one.outbound} <= {said[1].id, said[4].id}
        assert page.spent.call_count == len(server.requests) - before
        if version:
            assert len(server.requests) - before <= 3


# -- all the way -----------------------------------------------------------------------------------------------------------


class FlatAnalyzer:
    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(mention.id) for mention in mentions]


@contextmanager
def shop(store: Store, server: FakeMastodon, **settings: str) -> Iterator[tuple[steps.Worker, list[datetime]]]:
    clock = [NOW]
    given = {"server": server.base, "access_token": TOKEN, "allow_private": "yes", **settings}
    made = mastodon.connect(given, now=lambda: clock[0], timeout=0.5)
    store.sources.ensure("m", "mastodon", "Mastodon", {})
    yield steps.Worker(store, FlatAnalyzer(), lambda _: made, {}, timedelta(0), now=lambda: clock[0]), clock


@pytest.mark.parametrize("honours_keys", [True, False])
def test_a_conversation_is_one_case_and_is_answered_once_though_the_server_falls_silent(
    store: Store, honours_keys: bool
) -> None:
    with serve(FakeMastodon(honours_keys=honours_keys)) as server, shop(store, server) as (worker, clock):
        said = talk(server)
        steps.run_once(worker)
        ids = [mention_of(server.status(one)).id for one in said if not one.acct.startswith("paul")]
        [case_id] = store.mentions.case_ids(ids)  # Paul's own trouble, below the same post, is a case of its own
        conversation = store.queue.conversation(case_id)
        assert conversation is not None
        assert {message.mention.id for message in conversation.messages} >= set(ids)
        store.cases.reply(case_id, ids[-1], "Avec plaisir.", source_key="m", key="k1", actor="Awa", now=clock[0])
        server.fail("hang", path="/api/v1/statuses", method="POST", after=True)
        assert steps.run_once(worker).failed == 1
        for _ in range(4):
            clock[0] += timedelta(minutes=5)
            steps.run_once(worker)
        [row] = store.outbox.of_case(case_id)
        assert row.state is OutboxState.SENT
        assert [one.text for one in server.of(BRAND)].count("@marie Avec plaisir.") == 1
        conversation = store.queue.conversation(case_id)
        assert conversation is not None
        assert sum("Avec plaisir." in one.mention.text for one in conversation.messages) == 1
