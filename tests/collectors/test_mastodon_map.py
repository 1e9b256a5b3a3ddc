"""Mastodon's answers as mentions: documented shapes from 2022 to 2026, other servers' shapes, and what is none of them."""

import json
import random
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.mastodon_map import links_of, map_answer, mention_of
from domain.errors import InputError
from domain.mention import Author, Engagement, MentionKind

# Status of the Mastodon documentation (entities: Status, example), read 2026-11-26; the profile is shortened.
ACCOUNT = {
    "id": "1",
    "username": "Gargron",
    "acct": "Gargron",
    "display_name": "Eugen",
    "locked": False,
    "bot": False,
    "created_at": "2016-03-16T14:34:26.392Z",
    "note": "<p>Developer of Mastodon.</p>",
    "url": "https://mastodon.social/@Gargron",
    "avatar": "https://files.mastodon.social/a.jpg",
    "followers_count": 322930,
    "emojis": [],
    "fields": [{"name": "Patreon", "value": "…", "verified_at": None}],
}
STATUS: dict[str, Any] = {
    "id": "103270115826048975",
    "created_at": "2019-12-08T03:48:33.901Z",
    "in_reply_to_id": None,
    "in_reply_to_account_id": None,
    "sensitive": False,
    "spoiler_text": "",
    "visibility": "public",
    "language": "en",
    "uri": "https://mastodon.social/users/Gargron/statuses/103270115826048975",
    "url": "https://mastodon.social/@Gargron/103270115826048975",
    "replies_count": 5,
    "reblogs_count": 6,
    "favourites_count": 11,
    "quotes_count": 2,
    "favourited": False,
    "content": "<p>&quot;I lost my inheritance with one wrong digit on my sort code&quot;</p><p>"
    '<a href="https://www.theguardian.com/money/2019/dec/07/i-lost" rel="nofollow noopener noreferrer" target="_blank">'
    '<span class="invisible">https://www.</span><span class="ellipsis">theguardian.com/money/2019/dec</span>'
    '<span class="invisible">/07/i-lost</span></a></p>',
    "reblog": None,
    "application": {"name": "Web", "website": None},
    "account": ACCOUNT,
    "media_attachments": [],
    "mentions": [],
    "tags": [],
    "emojis": [],
    "quote": None,
    "card": {
        "url": "https://www.theguardian.com/money/2019/dec/07/i-lost",
        "title": "‘I lost my £193,000’",
        "html": "",
    },
    "poll": None,
    "quote_approval": {"automatic": [], "manual": [], "current_user": "automatic"},
}


def status(**fields: Any) -> dict[str, Any]:
    return {**deepcopy(STATUS), **fields}


def said(content: str, **fields: Any) -> str:
    return mention_of(status(content=content, **fields)).text


def test_the_documented_status() -> None:
    mention = mention_of(STATUS)
    assert mention.id == "mastodon:103270115826048975"
    assert mention.text == (
        '"I lost my inheritance with one wrong digit on my sort code"\n\n'
        "https://www.theguardian.com/money/2019/dec/07/i-lost"
    )
    assert mention.created_at == datetime(2019, 12, 8, 3, 48, 33, 901000, UTC)
    assert mention.author == Author("1", "Gargron", "Eugen", "https://mastodon.social/@Gargron", 322930)
    assert mention.engagement == Engagement(like_count=11, share_count=6, reply_count=5)
    assert (mention.kind, mention.parent_id, mention.conversation_id) == (MentionKind.POST, None, mention.native_id)
    assert (mention.url, mention.lang_hint) == ("https://mastodon.social/@Gargron/103270115826048975", "en")
    assert mention.raw["visibility"] == "public" and mention.raw["card"]["title"] == "‘I lost my £193,000’"
    assert mention.raw["links"] == ["https://www.theguardian.com/money/2019/dec/07/i-lost"]
    assert "note" not in mention.raw["account"] and "favourited" not in mention.raw


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("<p>Bonjour<br>à tous</p><p>Fin</p>", "Bonjour\nà tous\n\nFin"),
        (
            '<p><span class="h-card"><a href="https://x/@m" class="u-url mention">@<span>marie</span></a></span> oui</p>',
            "@marie oui",
        ),
        ('<p>un <a href="https://shop.example/a?b=1&amp;c=2">lien nommé</a></p>', "un lien nommé"),
        ("<p>1 &lt; 2 &amp; 3 &#39;ok&#39;</p>", "1 < 2 & 3 'ok'"),
        ('<p>salut <img src="https://x/e.png" alt=":blobcat:" class="emoji"> :wave:</p>', "salut :blobcat: :wave:"),
        ("<script>alert(1)</script><p>non</p><style>p{}</style>", "non"),
        ("<ul><li>un</li><li>deux</li></ul>", "un\n\ndeux"),
        ("<blockquote>dit</blockquote>et <b>donc</b> <del>pas</del>", "dit\net donc pas"),
        ("texte nu", "texte nu"),
        ("<p>sans fin", "sans fin"),
        ("<p>a\x00b\ud800c</p>", "a\ufffdb\ufffdc"),
    ],
)
def test_markup_becomes_text(content: str, text: str) -> None:
    assert said(content) == text


def test_privacy_and_answers_decide_the_kind() -> None:
    assert mention_of(status(visibility="direct")).kind is MentionKind.MESSAGE
    answer = mention_of(status(in_reply_to_id="103270115826048900"))
    assert (answer.kind, answer.parent_id, answer.conversation_id) == (
        MentionKind.COMMENT, "103270115826048900", "103270115826048900",
    )  # fmt: skip


def test_a_content_warning_is_the_title() -> None:
    mention = mention_of(status(spoiler_text="Colis", content="<p>perdu</p>"))
    assert (mention.title, mention.text) == ("Colis", "perdu")
    assert mention_of(status(spoiler_text="Colis", content="")).title == "Colis"


def test_pictures_are_links_with_their_descriptions() -> None:
    media = [
        {"id": "1", "type": "image", "url": "https://files/a.jpg", "description": "une botte trouée"},
        {"id": "2", "type": "video", "url": None, "remote_url": "https://files/b.mp4", "description": None},
        {"id": "3", "type": "audio", "url": "javascript:alert(1)"},
    ]
    mention = mention_of(status(content="", media_attachments=media))
    assert mention.raw["media"] == [
        {"url": "https://files/a.jpg", "alt": "une botte trouée", "kind": "image"},
        {"url": "https://files/b.mp4", "alt": "", "kind": "video"},
        {"url": "", "alt": "", "kind": "audio"},
    ]
    assert mention.text == "une botte trouée\n[video]\n[audio]"
    assert said("<p>voyez</p>", media_attachments=media) == "voyez"


def test_a_poll_says_its_options() -> None:
    options = [{"title": "Rouge", "votes_count": 1}, {"title": "Bleu", "votes_count": None}]
    poll = {"id": "7", "expired": False, "multiple": False, "votes_count": 3, "options": options}
    mention = mention_of(status(content="<p>Quelle couleur ?</p>", poll=poll))
    assert mention.text == "Quelle couleur ?\n○ Rouge\n○ Bleu"
    assert mention.raw["poll"]["options"] == [{"title": "Rouge", "votes_count": 1}, {"title": "Bleu"}]


def test_a_quote_is_kept_beside_the_words() -> None:
    quoting = status(
        id="2",
        content='<p class="quote-inline">RE: <a href="https://mastodon.social/@Gargron/1">link</a></p><p>Vrai ?</p>',
        quote={"state": "accepted", "quoted_status": STATUS},
    )
    mention = mention_of(quoting)
    assert mention.text == "Vrai ?"
    assert mention.raw["quote"]["id"] == STATUS["id"] and mention.raw["quote"]["text"].startswith('"I lost')
    gone = mention_of(status(quote={"state": "revoked", "quoted_status": None}))
    assert gone.raw["quote"] == {"state": "revoked", "text": ""}
    shallow = mention_of(status(quote={"state": "accepted", "quoted_status_id": "5"}))
    assert shallow.raw["quote"]["quoted_status_id"] == "5"


def test_a_boost_is_the_words_of_who_said_them() -> None:
    boost = {"id": "9", "created_at": "2026-03-01T10:00:00Z", "content": "", "reblog": STATUS, "account": {"id": "2"}}
    assert mention_of(boost).native_id == STATUS["id"]


@pytest.mark.parametrize(
    "fields",
    [
        {"id": 103270115826048975},  # numbers instead of texts: early versions and some others
        {"edited_at": "2022-03-30T10:00:00.000Z"},
        {"created_at": "2019-12-08T03:48:33"},  # no zone
        {"created_at": "2019-12-08T03:48:33.901+01:00"},
        {"language": None, "url": None, "card": None, "application": None},
        {"pleroma": {"conversation_id": 12, "local": True}, "emoji_reactions": []},
        {"account": None},
        {"account": {"acct": "nobody"}},
        {"followers": 3, "tags": "none", "mentions": {}, "media_attachments": None, "emojis": [1, None]},
        {"replies_count": -1, "reblogs_count": "12", "favourites_count": True},
    ],
)
def test_older_and_other_servers_are_understood(fields: dict[str, Any]) -> None:
    mention = mention_of(status(**fields))
    assert mention.text.startswith('"I lost') and mention.created_at.tzinfo is UTC
    json.dumps(mention.raw, allow_nan=False)


def test_a_status_without_a_page_of_its_own_keeps_its_address() -> None:
    assert mention_of(status(url=None)).url == STATUS["uri"]
    assert mention_of(status(url="javascript:alert(1)", uri="tag:x")).url == ""


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "no id"),
        ({"id": ""}, "no id"),
        ({"created_at": "yesterday"}, "no date"),
        ({"created_at": None}, "no date"),
        ({"content": "<p></p>"}, "says nothing"),
        ({"content": "x" * 100_001}, "100,001 characters"),
    ],
)
def test_what_cannot_be_a_mention_says_why(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        mention_of(status(**fields))


def test_links_that_lead_elsewhere_than_they_say_are_kept() -> None:
    content = (
        '<a href="https://phish.example/x?a=1&amp;b=2">ormelune.example</a> <a class="mention" href="https://m/@a">@a</a>'
        "<a href='javascript:x'>y</a><a href='https://phish.example/x?a=1&amp;b=2'>again</a>"
    )
    assert links_of(content) == ["https://phish.example/x?a=1&b=2"]


# -- whole answers ---------------------------------------------------------------------------------------------------------


def notification(kind: str, item: Any = None, **fields: Any) -> dict[str, Any]:
    shape = {"id": "34975861", "type": kind, "created_at": "2019-11-23T07:49:02.064Z", "account": ACCOUNT}
    return {**shape, **({"status": item} if item else {}), **fields}


def test_a_page_of_notifications() -> None:
    body = [
        notification("mention", status(id="1")),
        notification("favourite", status(id="2")),
        notification("follow_request"),
        notification("mention"),
        notification("quote", status(id="3")),
        notification("mention", status(id="4", content="")),
    ]
    mapped = map_answer(body)
    assert [mention.native_id for mention in mapped.mentions] == ["1", "3"]
    assert [(reject.position, reject.reason) for reject in mapped.rejects] == [
        ("item 4", "the message of this notification is gone"),
        ("item 6", "the status says nothing"),
    ]
    assert mapped.notes == (
        "Notifications without a message: 1 of type favourite.",
        "Notifications without a message: 1 of type follow_request.",
    )


def test_grouped_notifications() -> None:
    groups = [{"group_key": "favourite-1", "type": "favourite"}, {"group_key": "ungrouped-2", "type": "mention"}]
    mapped = map_answer({"accounts": [ACCOUNT], "statuses": [status(id="1")], "notification_groups": groups})
    assert [mention.native_id for mention in mapped.mentions] == ["1"] and len(mapped.notes) == 1


def test_a_context_is_one_thread_though_its_middle_is_not_in_it() -> None:
    # Context of the documentation (statuses API methods): the status asked for, …505698, is in neither list.
    body = {
        "ancestors": [
            status(id="103188938570975982"),
            status(id="103188971072973252", in_reply_to_id="103188938570975982"),
            status(id="103188982235527758", in_reply_to_id="103188971072973252"),
        ],
        "descendants": [status(id="103189026958574542", in_reply_to_id="103189005915505698")],
    }
    mapped = map_answer(body)
    assert {mention.conversation_id for mention in mapped.mentions} == {"103188938570975982"}
    assert mapped.mentions[3].parent_id == "103189005915505698"


def test_a_thread_in_a_list_in_any_order_is_one() -> None:
    chain = [status(id=str(number), in_reply_to_id=str(number - 1) if number else None) for number in range(1, 7)]
    chain[0]["in_reply_to_id"] = None
    for seed in range(3):
        shuffled = random.Random(seed).sample(chain, len(chain))
        assert {mention.conversation_id for mention in map_answer(shuffled).mentions} == {"1"}
    looped = [
        status(id="1", in_reply_to_id="2"),
        status(id="2", in_reply_to_id="1"),
        status(id="3", in_reply_to_id="3"),
    ]
    assert len(map_answer(looped).mentions) == 3


def test_other_answers_that_hold_statuses() -> None:
    conversation = {"id": "5", "unread": True, "accounts": [ACCOUNT], "last_status": status(visibility="direct")}
    event = {"stream": ["user"], "event": "update", "payload": json.dumps(STATUS)}
    told = {"stream": ["user"], "event": "notification", "payload": json.dumps(notification("mention", STATUS))}
    search = {"accounts": [], "statuses": [STATUS], "hashtags": [{"name": "cats"}]}
    for body in (
        STATUS,
        [STATUS],
        [conversation],
        event,
        [event],
        told,
        search,
        {"data": [STATUS]},
        [[STATUS]],
        notification("mention", STATUS),
    ):
        mapped = map_answer(body)
        assert [mention.native_id for mention in mapped.mentions] == [STATUS["id"]], body
        assert mapped.rejects == ()


def test_a_deleted_status_in_a_stream() -> None:
    mapped = map_answer([{"stream": ["user"], "event": "delete", "payload": "106692867363994015"}])
    assert mapped.deleted == ("mastodon:106692867363994015",) and mapped.rejects == ()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "The access token is invalid"}, "an error of the server: The access token is invalid"),
        ({"error": "x", "error_description": "expired"}, "an error of the server: expired"),
        ({"hello": "world"}, "neither a status nor a notification"),
        ({}, "neither a status nor a notification"),
        ("<html>", "no object"),
        (None, "no object"),
        (12, "no object"),
        ([None, 3], "no object"),
        ({"event": "update", "payload": "{broken"}, "no JSON"),
        ({"id": "3221", "scheduled_at": "2019-12-05T12:33:01.000Z", "params": {"text": "x"}}, "neither a status"),
    ],
)
def test_what_is_no_answer_is_a_reject_with_a_reason(body: Any, reason: str) -> None:
    mapped = map_answer(body)
    assert mapped.mentions == () and reason in mapped.rejects[0].reason


def test_nothing_is_nothing() -> None:
    assert map_answer([]) == map_answer({"ancestors": [], "descendants": []}) != map_answer({})
    assert not map_answer([]).rejects


SHAPES = [
    STATUS,
    [notification("mention", STATUS), notification("follow")],
    {"ancestors": [STATUS], "descendants": [status(id="2", in_reply_to_id="1", poll={"options": [{"title": "a"}]})]},
    {
        "statuses": [status(quote={"state": "accepted", "quoted_status": STATUS})],
        "notification_groups": [{"type": "follow"}],
    },
    {"event": "update", "payload": json.dumps(STATUS)},
    {"error": "no"},
]
ODD = [
    None,
    True,
    -1,
    10**40,
    1e400,
    "",
    "\x00",
    "\ud800",
    "x" * 300,
    [],
    {},
    [[]],
    {"id": {}},
    "0001-01-01T00:00:00+14:00",
]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**32), st.integers(1, 6))
def test_no_answer_makes_it_fail(shape: Any, seed: int, changes: int) -> None:
    body = spoilt(deepcopy(shape), random.Random(seed), changes)
    mapped = map_answer(body)
    for mention in mapped.mentions:
        json.dumps(mention.raw, allow_nan=False).encode()
        mention.text.encode()
        assert mention.native_id and (mention.text or mention.title)


NAMES = (
    "id",
    "type",
    "status",
    "content",
    "statuses",
    "event",
    "payload",
    "data",
    "reblog",
    "ancestors",
    "descendants",
)
LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
ANY_JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
)


@settings(max_examples=100, deadline=None)
@given(ANY_JSON)
def test_no_json_makes_it_fail(body: Any) -> None:
    map_answer(body)


def spoilt(body: Any, chance: random.Random, changes: int) -> Any:
    """The same with some places changed: other values, missing and unknown fields, other types."""
    for _ in range(changes):
        places = list(_places(body))
        if not places:
            return body
        holder, key = chance.choice(places)
        kind = chance.randrange(4)
        if kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[chance.choice(["new", "type", "content", "event"])] = deepcopy(chance.choice(ODD))
        else:
            holder[key] = deepcopy(chance.choice(ODD))
    return body


def _places(body: Any) -> Any:
    if isinstance(body, dict | list):
        for key in list(body) if isinstance(body, dict) else range(len(body)):
            yield body, key
            yield from _places(body[key])
