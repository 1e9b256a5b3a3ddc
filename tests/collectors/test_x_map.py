"""What X's saved answers become: every shape from 2022 to 2026, in older and newer names, and none that raises."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.x import map_answer
from collectors.x_beside import Own
from collectors.x_text import id_before, moment_of_id, spoken, weight
from domain.mention import Engagement, Mention, MentionKind
from tests.fakes import x_shapes as shapes
from tests.fakes.x_shapes import ASKED, EDITED, LEA, OWNER, QUOTING, ROOT, TOM, renamed

OWN = Own(OWNER, "ormelune")


def one(body: Any, own: Own = OWN) -> Mention:
    mapped = map_answer(body, own)
    assert len(mapped.mentions) == 1 and not mapped.rejects, mapped
    return mapped.mentions[0]


# -- posts of v2 -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [shapes.OLD_PAGE, renamed(shapes.OLD_PAGE)], ids=["tweet", "post"])
def test_a_page_is_read_in_older_and_newer_names(body: dict[str, Any]) -> None:
    asked, quoting = map_answer(body, OWN).mentions
    assert asked.text == "@ormelune Taille & prix ? https://ormelune.example/p?a=1&b=2"
    assert (asked.native_id, asked.conversation_id, asked.parent_id) == (ASKED, ROOT, ROOT)
    assert asked.created_at == datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
    assert asked.author is not None
    assert (asked.author.native_id, asked.author.handle, asked.author.name) == (LEA, "lea_m", "Léa Martin")
    assert (asked.author.url, asked.author.follower_count) == ("https://x.com/lea_m", 321)
    assert asked.url == f"https://x.com/lea_m/status/{ASKED}"
    assert asked.engagement == Engagement(7, 5, 1, 900)
    assert asked.raw["media"] == [
        {"url": "https://pbs.twimg.com/media/a.jpg", "alt": "Un pull troué", "kind": "photo"},
        {"url": "https://video.twimg.com/b.mp4", "alt": "", "kind": "video"},
    ]
    assert asked.raw["place"]["full_name"] == "Nantes, France"
    assert asked.raw["withheld"]["country_codes"] == ["TR"]
    assert (asked.raw["summons"], asked.raw["own_thread"], asked.lang_hint) == ("mention", True, "fr")
    assert quoting.text == "Incroyable." and quoting.lang_hint == "id" and quoting.parent_id is None
    assert quoting.raw["quoted"] == {
        "id": ROOT,
        "text": "Nos pulls > les autres",
        "author": "ormelune",
        "url": f"https://x.com/ormelune/status/{ROOT}",
    }
    assert quoting.raw["summons"] == "quote" and "own_thread" not in quoting.raw


def test_an_author_who_is_not_told_is_known_by_number() -> None:
    quoting = map_answer(shapes.OLD_PAGE, OWN).mentions[1]
    assert quoting.author is not None and (quoting.author.native_id, quoting.author.handle) == (TOM, "")
    assert quoting.url == f"https://x.com/i/status/{QUOTING}"


@pytest.mark.parametrize("body", [shapes.LONG, renamed(shapes.LONG)], ids=["tweet", "post"])
def test_a_long_post_is_read_whole(body: dict[str, Any]) -> None:
    text = "Première moitié d’un très long récit, <et la seconde> : https://a.example/"
    assert one(body).text == text


def test_an_edited_post_stays_the_same_mention() -> None:
    mention = one(shapes.EDIT)
    assert (mention.native_id, mention.conversation_id) == (QUOTING, QUOTING)
    assert mention.text == "Texte corrigé" and mention.raw["latest_id"] == EDITED
    assert mention.url.endswith(EDITED)


def test_of_two_versions_the_newer_one_counts() -> None:
    old = {"id": QUOTING, "text": "avant", "edit_history_tweet_ids": [QUOTING, EDITED]}
    new = {"id": EDITED, "text": "après", "edit_history_tweet_ids": [QUOTING, EDITED]}
    for order in ([old, new], [new, old]):
        assert one({"data": order}).text == "après"


def test_a_bare_post_has_its_date_in_its_number() -> None:
    mention = one(shapes.BARE)
    assert mention.created_at == moment_of_id(ASKED) == datetime(2026, 3, 10, 5, 0, 0, tzinfo=UTC)
    assert mention.author is None and mention.conversation_id == ASKED


def test_only_links_is_still_something_said() -> None:
    entity = {
        "url": "https://t.co/a",
        "expanded_url": f"https://x.com/lea_m/status/{ASKED}/photo/1",
        "media_key": "3_1",
    }
    item = {"id": ASKED, "text": "https://t.co/a", "entities": {"urls": [entity]}}
    assert one({"data": item}).text == f"https://x.com/lea_m/status/{ASKED}/photo/1"


def test_a_link_that_begins_like_another_is_not_mixed_up() -> None:
    urls = [{"url": "https://t.co/ab", "expanded_url": "https://1.example"}]
    urls.append({"url": "https://t.co/abc", "expanded_url": "https://2.example"})
    item = {
        "id": ASKED,
        "text": "https://t.co/abc https://t.co/ab &amp;amp; https://t.co/zz",
        "entities": {"urls": urls},
    }
    assert one({"data": item}).text == "https://2.example https://1.example &amp; https://t.co/zz"


@pytest.mark.parametrize("url", ["javascript:alert(1)", "//evil.example", "", None, 7])
def test_a_link_that_is_none_of_the_web_is_left_short(url: Any) -> None:
    item = {
        "id": ASKED,
        "text": "voir https://t.co/a",
        "entities": {"urls": [{"url": "https://t.co/a", "expanded_url": url}]},
    }
    assert one({"data": item}).text == "voir https://t.co/a"


def test_ours_is_outbound_and_summons_nobody() -> None:
    mention = one({"data": {"id": ROOT, "text": "Merci @ormelune !", "author_id": OWNER}})
    assert mention.outbound and "summons" not in mention.raw
    assert not one({"data": {"id": ROOT, "text": "a", "author_id": OWNER}}, Own()).outbound


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("@ormelune ?", True),
        ("allô (@OrmeLune)", True),
        ("@ormelune_fr bonjour", False),
        ("mail@ormelune.example", False),
        ("@ormelunette et @ormelune", True),
        ("ormelune", False),
    ],
)
def test_a_name_in_the_text_calls_us(text: str, calls: bool) -> None:
    assert ("summons" in one({"data": {"id": ASKED, "text": text}}).raw) is calls


def test_deep_answers_in_our_conversations_are_marked() -> None:
    item = {"id": ASKED, "text": "tout à fait", "conversation_id": ROOT, "in_reply_to_tweet_id": QUOTING}
    assert one({"data": item}, Own(OWNER, "ormelune", frozenset({ROOT}))).raw["own_thread"] is True
    assert "own_thread" not in one({"data": item}).raw


def test_protected_authors_are_marked() -> None:
    user = {"id": LEA, "username": "lea_m", "protected": True}
    mention = one({"data": {"id": ASKED, "text": "@ormelune a", "author_id": LEA}, "includes": {"users": [user]}})
    assert mention.raw["protected"] is True


# -- direct messages -------------------------------------------------------------------------------------------------------


def test_direct_messages_are_private_and_threaded() -> None:
    mapped = map_answer(shapes.EVENTS, OWN)
    asked, answered = mapped.mentions
    assert (asked.kind, asked.text, asked.outbound) == (MentionKind.MESSAGE, "Ma commande 42 & la 43", False)
    assert asked.thread_id == answered.thread_id == f"x:{OWNER}-{LEA}"
    assert asked.raw["private"] is True and asked.url == f"https://x.com/messages/{OWNER}-{LEA}"
    assert (answered.text, answered.outbound) == ("[photo]", True)
    assert mapped.notes == ("Left out, as nothing is said in it: coming and going in a group (1).",)


# -- deliveries and older shapes -------------------------------------------------------------------------------------------


def test_deliveries_of_the_activity_api() -> None:
    said = {name: map_answer(body) for name, body in shapes.DELIVERIES.items()}
    assert not any(mapped.rejects for mapped in said.values())
    mention = said["mention"].mentions[0]
    assert mention.raw["summons"] == "mention" and mention.author and mention.author.handle == "lea_m"
    reply = said["reply"].mentions[0]
    assert (reply.parent_id, reply.raw["summons"], reply.raw["own_thread"]) == (ROOT, "answer", True)
    assert said["quote"].mentions[0].raw["summons"] == "quote"
    assert said["own"].mentions[0].outbound
    assert said["deletion"].deleted == (f"x:{ASKED}",)
    message = said["message"].mentions[0]
    assert (message.text, message.conversation_id, message.outbound) == ("bonjour & merci", f"{OWNER}-{LEA}", False)
    assert message.author and message.author.handle == "lea_m" and message.created_at.year == 2026
    assert said["repost"].mentions == said["like"].mentions == said["encrypted"].mentions == ()
    assert said["encrypted"].notes == ("Encrypted messages that no program can read: 1. Read them on X.",)
    assert said["revoked"].notes == ("The account has taken its permission back. Connect it again.",)


@pytest.mark.parametrize("name", ["statuses", "created"])
def test_statuses_of_the_older_interface(name: str) -> None:
    mention = one(shapes.OLDER[name])
    text = "@ormelune Une longue histoire qui ne tient pas & qui finit ici https://ormelune.example/x"
    assert (mention.native_id, mention.text, mention.parent_id) == (ASKED, text, ROOT)
    assert mention.author and (mention.author.handle, mention.author.follower_count) == ("lea_m", 321)
    assert mention.created_at == datetime(2026, 3, 10, 5, 0, tzinfo=UTC)
    assert mention.engagement == Engagement(7, 5, 1, None)
    assert mention.raw["summons"] == "mention"


def test_other_older_shapes() -> None:
    said = {name: map_answer(body) for name, body in shapes.OLDER.items()}
    assert not any(mapped.rejects for mapped in said.values())
    for name in ("deleted", "streamed deletion", "compliance job", "compliance stream"):
        assert said[name].deleted == (f"x:{ASKED}",), name
    assert said["messages"].mentions[0].conversation_id == f"{OWNER}-{LEA}"
    assert said["archive"].mentions[0].text == "Archivé"
    assert said["retweeted"].notes == ("Left out, as nothing is said in it: repost (1).",)
    assert said["typing"].notes == ("Left out, as nothing is said in it: sign of typing (1).",)


def test_a_status_that_x_cut_short_says_so() -> None:
    cut = {name: value for name, value in shapes.STATUS.items() if name != "extended_tweet"}
    mapped = map_answer([cut])
    assert mapped.notes == ("Posts that X has cut short in this answer: 1. Read them on X.",)


# -- errors, rejects, and what was never seen ------------------------------------------------------------------------------


def test_errors_beside_data_are_deletions_and_remarks() -> None:
    mapped = map_answer(shapes.PARTIAL)
    assert [mention.text for mention in mapped.mentions] == ["Encore là"]
    assert mapped.deleted == (f"x:{QUOTING}", f"x:{EDITED}")
    assert mapped.notes == (f"X adds: User has been suspended: [{TOM}].",) and not mapped.rejects


def test_a_post_that_is_gone_is_no_mention() -> None:
    body = {"data": [{"id": QUOTING, "text": "encore dans la page"}], "errors": shapes.PARTIAL["errors"]}
    assert map_answer(body).mentions == ()


def test_errors_alone() -> None:
    assert map_answer(shapes.ALL_GONE).deleted == (f"x:{QUOTING}", f"x:{EDITED}")
    for name, body in shapes.REFUSALS.items():
        mapped = map_answer(body)
        assert len(mapped.rejects) == 1 and mapped.rejects[0].reason.startswith("X answered with an error: "), name
        assert json.loads(mapped.rejects[0].raw) == body


@pytest.mark.parametrize(
    ("body", "position", "reason"),
    [
        (None, "answer", "it is no answer of X: neither an object nor a list"),
        ("<html>", "answer", "it is no answer of X: neither an object nor a list"),
        ({"posts": []}, "answer", "it is no answer of X that is known"),
        ({"data": [{"text": "a"}]}, "item 1", "it has no id"),
        ({"data": [{"id": ASKED, "text": "a"}, 7]}, "item 2", "it is no object"),
        ({"data": [{"id": ASKED, "author_id": LEA}]}, "item 1", "it has no text"),
        ({"data": [{"id": ASKED, "text": " "}]}, "item 1", "it has no text"),
        ({"data": [{"id": "20", "text": "just setting up"}]}, "item 1", "it has no date"),
        (
            {"data": [{"id": ASKED, "text": "x" * 100_001}]},
            "item 1",
            "the text has 100,001 characters; at most 100,000",
        ),
        ([{"id_str": ASKED, "user": {}}], "item 1", "it has no text"),
        (shapes.activity("post.create", {}), "post.create", "it has no text"),
        (shapes.activity("dm.received", {}), "dm.received", "it is no direct message"),
        (shapes.activity("post.delete", {}), "post.delete", "it has no id"),
        ([[[[[[[[]]]]]]]], "item 1", "it is no answer of X"),
    ],
)
def test_what_cannot_be_mapped_is_listed(body: Any, position: str, reason: str) -> None:
    rejects = map_answer(body).rejects
    assert [(reject.position, reject.reason[: len(reason)]) for reject in rejects] == [(position, reason)]


def test_raw_holds_nothing_that_cannot_be_stored() -> None:
    item = {
        "id": ASKED,
        "text": "a\x00\ud800",
        "entities": {"odd": float("nan"), "deep": [[["\ud800"]]]},
        "secret": "s",
    }
    mention = one({"data": item})
    json.dumps(mention.raw, allow_nan=False).encode()
    assert mention.text == "a\ufffd\ufffd" and "secret" not in mention.raw


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([ASKED, LEA, "x" * 999]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _spoilt(data: st.DataObject, value: Any, depth: int = 0) -> Any:
    """The value with some part replaced, dropped or doubled."""
    fate = data.draw(st.integers(0, 9)) if depth else 9
    if fate == 0:
        return data.draw(_JSON)
    if isinstance(value, dict) and value:
        key = data.draw(st.sampled_from(sorted(value)))
        changed = {**value, key: _spoilt(data, value[key], depth + 1)}
        if fate == 1:
            del changed[key]
        return changed
    if isinstance(value, list) and value:
        at = data.draw(st.integers(0, len(value) - 1))
        return [*value[:at], _spoilt(data, value[at], depth + 1), *value[at + (fate != 2) :]]
    return data.draw(_JSON)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_no_answer_makes_the_mapper_raise(data: st.DataObject) -> None:
    body = deepcopy(data.draw(st.sampled_from(shapes.ALL)))
    for _ in range(data.draw(st.integers(1, 3))):
        body = _spoilt(data, body)
    before = deepcopy(body)
    mapped = map_answer(body, data.draw(st.sampled_from([Own(), OWN])))
    assert repr(body) == repr(before)
    for mention in mapped.mentions:
        assert mention.text.strip() and len(mention.native_id) < 20 and len(mention.conversation_id) < 41
        assert mention.author is None or len(mention.author.native_id) < 51
        mention.text.encode()
        json.dumps(mention.raw, allow_nan=False).encode()
    for reject in mapped.rejects:
        assert reject.reason and len(reject.raw) <= 2_000
        reject.raw.encode()


# -- texts and numbers -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("Hello, world! 👋", 16),
        ("café", 4),
        ("cafe\u0301", 4),
        ("👨‍👩‍👧‍👦", 2),
        ("🙋🏽", 2),
        ("🇫🇷", 2),
        ("日本", 4),
        ("https://example.com/very/long/path", 23),
        ("voir ormelune.fr/pulls et www.a.b", 5 + 23 + 4 + 23),
        ("fin.Début", 9),
        ("“Bonjour” – à bientôt…", 23),
    ],
)
def test_characters_are_counted_as_x_counts_them(text: str, length: int) -> None:
    assert weight(text) == length


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("Bonjour Léa", "@lea_m Bonjour Léa"),
        ("Bonjour", "@lea_m @tom Bonjour "),
        ("voir https://Ormelune.example/a", "@a voir  https://ormelune.example/a/"),
        ("ormelune.fr", "http://ormelune.fr"),
        ("Le\u0301a", "Léa"),
        ("@tom merci", "@lea_m @tom merci"),
    ],
)
def test_an_answer_is_known_again(sent: str, shown: str) -> None:
    assert spoken(sent) == spoken(shown)


def test_numbers_hold_moments() -> None:
    moment = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
    before = moment_of_id(id_before(moment))
    assert before is not None and before < moment and (moment - before).total_seconds() < 0.002
    assert moment_of_id("20") is moment_of_id("") is moment_of_id("x" * 30) is None
