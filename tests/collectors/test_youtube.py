"""YouTube: late answers, units and quota, access that ends, moderation, and answers that leave once."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import access_tokens, youtube
from collectors.youtube import YoutubeCollector
from collectors.youtube_map import map_answer
from domain.contracts import Act, Cursor, IdempotencyKey, Page, Watch
from domain.errors import ConfigurationError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import HIDDEN_HERE, Mention
from tests.fakes.http_server import serve
from tests.fakes.youtube import BRAND, SETTINGS, FakeYoutube, Said

KEY = IdempotencyKey("k1")
WATCH = Watch(terms=("ormelune",))


@pytest.fixture
def vendor() -> Iterator[FakeYoutube]:
    access_tokens.forget_tokens()
    with serve(FakeYoutube()) as fake:
        yield fake


def collector(vendor: FakeYoutube, **settings: str) -> YoutubeCollector:
    made = youtube.connect({**SETTINGS, **settings}, now=lambda: vendor.clock, base=vendor.base, timeout=2.0)
    assert isinstance(made, YoutubeCollector)
    return made


def read(vendor: FakeYoutube, since: Cursor | None = None, **settings: str) -> tuple[list[Page], Cursor | None]:
    pages = list(collector(vendor, **settings).fetch(WATCH, since))
    return pages, next((page.cursor for page in reversed(pages) if page.cursor), since)


def said_in(pages: list[Page]) -> dict[str, Mention]:
    return {one.native_id: one for page in pages for one in page.mentions}


def mention_of(vendor: FakeYoutube, said: Said) -> Mention:
    top = said.parent or said
    return {one.native_id: one for one in map_answer(vendor.thread(top)).mentions}[said.key]


def test_a_thread_is_one_conversation_and_all_of_its_answers_are_heard(vendor: FakeYoutube) -> None:
    vendor.shown = 2
    top = vendor.say("marie", "Mon colis est perdu")
    below = [vendor.say(BRAND if n == 0 else f"c{n}", f"réponse {n}", parent=top) for n in range(7)]
    found = said_in(read(vendor)[0])
    assert set(found) == {top.key, *(one.key for one in below)}
    assert {one.conversation_id for one in found.values()} == {top.key}
    assert found[below[0].key].outbound and not found[top.key].outbound
    assert found[below[1].key].parent_id == top.key and found[top.key].url.endswith(f"lc={top.key}")


def test_a_late_answer_to_an_old_comment_is_heard_and_nothing_else_is_asked_twice(vendor: FakeYoutube) -> None:
    vendor.shown = 1
    top = vendor.say("marie", "Mon colis est perdu")
    vendor.say("a", "un", parent=top)
    vendor.say("b", "deux", parent=top)
    _, cursor = read(vendor)
    vendor.clock += timedelta(days=9)
    late = vendor.say("c", "trois", parent=top)
    pages, cursor = read(vendor, cursor)
    assert late.key in said_in(pages)
    asked = len(vendor.asked("/youtube/v3/comments", "GET"))
    vendor.clock += timedelta(minutes=20)
    read(vendor, cursor)
    assert [one.path for one in vendor.requests[-1:]] == ["/youtube/v3/commentThreads"]
    assert len(vendor.asked("/youtube/v3/comments", "GET")) == asked, "one page of threads, no answers again"


def test_units_are_told_with_each_page(vendor: FakeYoutube) -> None:
    vendor.page_limit = 2
    for number in range(5):
        vendor.say(f"c{number}", f"mot {number}")
    pages, _ = read(vendor, search="yes")
    assert sum(page.spent.unit_count for page in pages) == vendor.used == 3


def test_a_used_up_quota_waits_for_midnight_in_california(vendor: FakeYoutube) -> None:
    vendor.say("marie", "Bonjour")
    vendor.quota, vendor.clock = 0, datetime(2026, 3, 10, 20, 0, tzinfo=UTC)
    with pytest.raises(TransientError) as caught:
        read(vendor)
    assert caught.value.retry_after == timedelta(hours=11)  # 00:00 PDT is 07:00 UTC


def test_a_search_is_made_once_an_hour_and_finds_videos(vendor: FakeYoutube) -> None:
    found = {
        "title": "Mon avis sur Ormelune",
        "description": "Test",
        "channelId": "UCx",
        "publishedAt": "2026-03-09T09:00:00Z",
    }
    vendor.videos = [
        {"kind": "youtube#searchResult", "id": {"kind": "youtube#video", "videoId": "abc"}, "snippet": found},
        {
            "kind": "youtube#searchResult",
            "id": {"videoId": "def"},
            "snippet": {**found, "title": "Chats", "description": ""},
        },
    ]
    pages, cursor = read(vendor, search="yes")
    assert [one.title for one in said_in(pages).values()] == ["Mon avis sur Ormelune"]
    assert not collector(vendor).may_reply(said_in(pages)["video:abc"]).allowed
    read(vendor, cursor, search="yes")
    assert len(vendor.asked("/youtube/v3/search")) == 1


def test_edits_and_deletions_travel(vendor: FakeYoutube) -> None:
    edited, gone = vendor.say("marie", "Perdu"), vendor.say("luc", "Nul")
    kept = list(said_in(read(vendor)[0]).values())
    vendor.edit(edited, "Retrouvé")
    vendor.said.remove(gone)
    page = collector(vendor).rehydrate(kept)
    assert page.deleted == (f"youtube:{gone.key}",) and [one.text for one in page.changed] == ["Retrouvé"]
    assert [one.text for page in read(vendor)[0] for one in page.changed] == ["Retrouvé"]


# -- access ----------------------------------------------------------------------------------------------------------------


def test_an_access_that_ended_is_renewed_and_a_revoked_one_says_what_to_do(vendor: FakeYoutube) -> None:
    vendor.say("marie", "Bonjour")
    made = collector(vendor)
    made.check()
    vendor.tokens.clear()
    assert [one for page in made.fetch(WATCH, None) for one in page.mentions]
    vendor.tokens.clear()
    vendor.revoked = True
    with pytest.raises(ConfigurationError, match="refresh_token"):
        list(made.fetch(WATCH, None))


def test_the_keys_of_another_channel_are_not_taken(vendor: FakeYoutube) -> None:
    with pytest.raises(ConfigurationError, match="channel_id"):
        collector(vendor, channel_id="UCother").check()


# -- answers and acts ------------------------------------------------------------------------------------------------------


def test_an_answer_taken_in_silence_is_found_again(vendor: FakeYoutube) -> None:
    top = vendor.say("marie", "Perdu")
    answer = vendor.say("luc", "Moi aussi", parent=top)
    mention, made = mention_of(vendor, answer), collector(vendor)
    vendor.fail("hang", path="/youtube/v3/comments", method="POST", after=True)
    with pytest.raises(OutcomeUnknownError):
        made.reply(mention, "Nous cherchons.", KEY)
    [ours] = vendor.of(BRAND)
    assert ours.parent is top
    assert made.find_reply(mention, "Nous  cherchons.", KEY) == ours.key
    assert made.find_reply(mention, "Autre chose", KEY) is None


def test_who_may_be_answered_is_a_table_with_sources(vendor: FakeYoutube) -> None:
    made = collector(vendor)
    open_, closed = vendor.say("a", "ouvert"), vendor.say("b", "fermé", can_reply=False)
    ours = vendor.say(BRAND, "à nous")
    told = [made.may_reply(one).allowed for one in said_in(read(vendor)[0]).values()]
    assert sorted(told) == [False, False, True]
    assert made.may_reply(mention_of(vendor, open_)).allowed
    for said in (closed, ours):
        with pytest.raises(RefusedError):
            made.reply(said_in(read(vendor)[0])[said.key], "x", KEY)
    assert all(rule.source and rule.read_on for rule in youtube.RULES)


def test_hiding_showing_and_taking_back(vendor: FakeYoutube) -> None:
    theirs, ours = vendor.say("marie", "Escrocs"), vendor.say(BRAND, "à nous")
    found, made = said_in(read(vendor)[0]), collector(vendor)
    for act, hidden in ((Act.HIDE, True), (Act.HIDE, True), (Act.UNHIDE, False)):
        made.moderate(found[theirs.key], act, KEY)
        assert theirs.hidden is hidden
    for _ in range(2):
        made.moderate(found[ours.key], Act.DELETE, KEY)
    assert vendor.get(ours.key) is None
    with pytest.raises(RefusedError):
        made.moderate(found[theirs.key], Act.DELETE, KEY)


# -- saved answers ---------------------------------------------------------------------------------------------------------


def test_saved_answers_are_mapped_and_the_rest_is_told(vendor: FakeYoutube) -> None:
    top = vendor.say("marie", "Perdu")
    vendor.say("luc", "Moi &amp; moi", parent=top)
    body = {
        "items": [vendor.thread(top), {"kind": "youtube#comment", "id": "x", "snippet": {"textOriginal": "a"}}, 3, {}]
    }
    mapped = map_answer(body)
    assert [one.native_id for one in mapped.mentions] == [top.key, "Ug0000.a001"]
    assert [one.position for one in mapped.rejects] == ["item 2", "item 3", "item 4"]


@pytest.mark.parametrize(
    "body", [None, 3, "words", [], {}, {"items": None}, {"items": [None, [], {"kind": "youtube#commentThread"}]}]
)
def test_no_saved_answer_breaks_the_mapper(body: Any) -> None:
    assert map_answer(body).mentions == ()


# -- what must not be lost ---------------------------------------------------------------------------------------------------


def test_an_answer_in_the_place_of_a_deleted_one_is_heard_though_their_number_is_the_same(vendor: FakeYoutube) -> None:
    vendor.shown = 1
    top = vendor.say("marie", "Perdu")
    below = [vendor.say(f"c{number}", f"mot {number}", parent=top) for number in range(4)]
    _, cursor = read(vendor)
    vendor.said.remove(below[2])
    late = vendor.say("zoe", "tout autre chose", parent=top)
    vendor.clock += timedelta(hours=7)
    assert late.key in said_in(read(vendor, cursor)[0])


def test_without_searches_left_comments_are_heard_all_the_same(vendor: FakeYoutube) -> None:
    vendor.searches_left = 0
    said = vendor.say("marie", "Perdu")
    pages, cursor = read(vendor, search="yes")
    assert said.key in said_in(pages) and cursor is not None
    assert any("searches are used up" in note for page in pages for note in page.notes)


def test_comments_that_are_turned_off_are_told_and_are_no_failure(vendor: FakeYoutube) -> None:
    vendor.disabled = True
    pages, cursor = read(vendor)
    assert said_in(pages) == {} and cursor is not None
    assert any("turned off" in note for page in pages for note in page.notes)


def test_what_we_hid_is_not_taken_for_deleted(vendor: FakeYoutube) -> None:
    said = vendor.say("marie", "Escrocs")
    [kept] = said_in(read(vendor)[0]).values()
    made = collector(vendor)
    made.moderate(kept, Act.HIDE, KEY)
    assert said.hidden
    hidden = replace(kept, raw={**kept.raw, HIDDEN_HERE: True})
    assert made.rehydrate([hidden]).deleted == ()
    assert made.rehydrate([kept]).deleted == (kept.id,), "hidden by somebody else, or gone"


def test_a_whole_batch_that_is_gone_is_asked_for_twice_and_then_believed(vendor: FakeYoutube) -> None:
    for number in range(3):
        vendor.say(f"c{number}", f"mot {number}")
    kept = list(said_in(read(vendor)[0]).values())
    vendor.said.clear()
    before = len(vendor.requests)
    assert set(collector(vendor).rehydrate(kept).deleted) == {one.id for one in kept}
    assert len(vendor.requests) - before == 2


@pytest.mark.parametrize("status", ["heldForReview", "rejected", "likelySpam"])
def test_what_is_not_published_is_not_answered(vendor: FakeYoutube, status: str) -> None:
    said = vendor.say("marie", "Perdu", fields={"moderationStatus": status})
    nobody = vendor.say("x", "Moi", fields={"authorDisplayName": "", "authorChannelId": None})
    made = collector(vendor)
    for one in (said, nobody):
        assert not made.may_reply(mention_of(vendor, one)).allowed
