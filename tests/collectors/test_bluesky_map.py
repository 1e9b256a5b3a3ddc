"""Bluesky's answers as mentions: shapes of the lexicons from 2022 to 2026, rich text, embeds, and what is none of them."""

import json
import random
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.bluesky_map import map_answer, mention_of, posts_in
from collectors.bluesky_words import facets_for, graphemes, written_out
from domain.errors import InputError
from domain.mention import Author, Engagement, MentionKind

DID, OTHER = "did:plc:u5cwb2mwiv2bfq53cjufe6yn", "did:plc:ewvi7nxzyoun6zhxrhs64oiz"
URI = f"at://{DID}/app.bsky.feed.post/3k4duaz5vfs2b"
ROOT = f"at://{OTHER}/app.bsky.feed.post/3k4duaz5vfs2a"
CID = "bafyreibjifzpqj6o6wcq3hejh7y4z4z2vmiklkvykc57tw3pcbx3kxifpm"

# The example of “Mentions and links” in the Bluesky documentation (Posts), read 2026-11-26, with its byte places.
RICH = {
    "$type": "app.bsky.feed.post",
    "text": "✨ example mentioning @atproto.com to share the URL 👨‍❤️‍👨 https://en.wikipedia.org/wiki/CBOR.",
    "createdAt": "2023-08-08T01:03:41.157302Z",
    "langs": ["en-US", "th"],
    "facets": [
        {
            "index": {"byteStart": 23, "byteEnd": 35},
            "features": [{"$type": "app.bsky.richtext.facet#mention", "did": OTHER}],
        },
        {
            "index": {"byteStart": 74, "byteEnd": 108},
            "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://en.wikipedia.org/wiki/CBOR"}],
        },
    ],
}
VIEW: dict[str, Any] = {
    "uri": URI,
    "cid": CID,
    "author": {
        "did": DID,
        "handle": "marie.bsky.social",
        "displayName": "Marie",
        "avatar": "https://cdn/a",
        "labels": [],
    },
    "record": RICH,
    "replyCount": 2,
    "repostCount": 3,
    "likeCount": 5,
    "quoteCount": 1,
    "indexedAt": "2023-08-08T01:03:42.000Z",
    "viewer": {"threadMuted": False, "embeddingDisabled": False},
    "labels": [],
}


def view(**fields: Any) -> dict[str, Any]:
    return {**deepcopy(VIEW), **fields}


def post(**fields: Any) -> dict[str, Any]:
    return view(
        record={"$type": "app.bsky.feed.post", "text": "bonjour", "createdAt": "2024-01-01T00:00:00Z", **fields}
    )


def test_a_documented_post() -> None:
    mention = mention_of(VIEW)
    assert mention.id == f"bluesky:{URI}"
    assert mention.text == RICH["text"]
    assert mention.created_at == datetime(2023, 8, 8, 1, 3, 41, 157302, UTC)
    assert mention.author == Author(DID, "marie.bsky.social", "Marie", f"https://bsky.app/profile/{DID}")
    assert mention.engagement == Engagement(like_count=5, share_count=3, reply_count=2)
    assert (mention.kind, mention.lang_hint, mention.parent_id) == (MentionKind.POST, "en", None)
    assert mention.conversation_id == mention.native_id == URI
    assert mention.url == f"https://bsky.app/profile/{DID}/post/3k4duaz5vfs2b"
    assert mention.raw["cid"] == CID and mention.raw["quoteCount"] == 1


def test_an_answer_is_in_the_thread_of_its_first_post() -> None:
    reply = {"root": {"uri": ROOT, "cid": CID}, "parent": {"uri": URI + "x", "cid": CID}}
    mention = mention_of(post(reply=reply))
    assert (mention.kind, mention.conversation_id, mention.parent_id) == (MentionKind.COMMENT, ROOT, URI + "x")
    assert mention.raw["record"]["reply"] == reply


@pytest.mark.parametrize(
    ("created", "indexed", "moment"),
    [
        ("2024-01-01T10:00:00Z", "2024-01-01T10:00:05Z", "2024-01-01T10:00:00+00:00"),
        ("2099-01-01T10:00:00Z", "2024-01-01T10:00:05Z", "2024-01-01T10:00:05+00:00"),  # from the future
        ("1969-01-01T10:00:00Z", "2024-01-01T10:00:05Z", "2024-01-01T10:00:05+00:00"),  # before all time
        ("2010-05-05T10:00:00Z", "2024-01-01T10:00:05Z", "2010-05-05T10:00:00+00:00"),  # brought from elsewhere
        ("2024-01-01T10:00:00", "2024-01-01T10:00:05Z", "2024-01-01T10:00:00+00:00"),
        ("yesterday", "2024-01-01T10:00:05Z", "2024-01-01T10:00:05+00:00"),
        ("2024-01-01T10:00:00Z", None, "2024-01-01T10:00:00+00:00"),
    ],
)
def test_moments_are_as_the_service_sorts_them(created: str, indexed: str | None, moment: str) -> None:
    assert mention_of({**post(createdAt=created), "indexedAt": indexed}).created_at.isoformat() == moment


# -- rich text -------------------------------------------------------------------------------------------------------------


def rich(text: str, *links: tuple[str, str]) -> dict[str, Any]:
    """A text whose shown words carry links."""
    facets = []
    for shown, uri in links:
        start = len(text[: text.index(shown)].encode())
        index = {"byteStart": start, "byteEnd": start + len(shown.encode())}
        facets.append({"index": index, "features": [{"$type": "app.bsky.richtext.facet#link", "uri": uri}]})
    return {"text": text, "facets": facets}


def test_links_are_written_in_full() -> None:
    shop = "https://www.ormelune.example/suivi/4711?from=bsky"
    assert (
        written_out(rich("é 👍 ormelune.example/sui... ici", ("ormelune.example/sui...", shop))) == f"é 👍 {shop} ici"
    )
    assert (
        written_out(rich("voir ormelune.example/suivi/4711…", ("ormelune.example/suivi/4711…", shop))) == f"voir {shop}"
    )
    assert written_out(rich("cliquez ici svp", ("ici", shop))) == f"cliquez ici ({shop}) svp"
    phish = "https://evil.example/"
    assert written_out(rich("ormelune.example", ("ormelune.example", phish))) == f"ormelune.example ({phish})"
    two = rich("a.example b.example", ("b.example", "https://b.example/2"), ("a.example", "https://a.example/1"))
    assert written_out(two) == "https://a.example/1 https://b.example/2"


@pytest.mark.parametrize(
    "index",
    [
        {"byteStart": 1, "byteEnd": 3},  # in the middle of é
        {"byteStart": 0, "byteEnd": 99},
        {"byteStart": 5, "byteEnd": 2},
        {"byteStart": -1, "byteEnd": 2},
        {"byteStart": "a", "byteEnd": None},
        {},
        None,
    ],
)
def test_facets_that_are_nowhere_change_nothing(index: Any) -> None:
    features = [{"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example"}]
    assert written_out({"text": "éé été", "facets": [{"index": index, "features": features}]}) == "éé été"


def test_links_that_lie_on_top_of_each_other_are_taken_once() -> None:
    record = rich("a.example", ("a.example", "https://a.example/1"), ("a.ex", "https://a.example/2"))
    assert written_out(record).count("https://") == 1
    script = rich("ici", ("ici", "javascript:alert(1)"))
    assert written_out(script) == "ici"


def test_the_entities_of_2022_are_read_too() -> None:
    # UTF-16 units: the emoji counts for two.
    record = {
        "text": "👍 a.example/x",
        "entities": [
            {"index": {"start": 3, "end": 14}, "type": "link", "value": "https://a.example/x"},
            {"type": "mention"},
        ],
    }
    assert written_out(record) == "👍 https://a.example/x"


def test_facets_are_made_of_links_names_and_hashtags() -> None:
    text = (
        "É @marie.bsky.social, voyez (https://fr.example/a_(b)) et https://x.example/suivi. "
        "#Soldes #2026 @nobody.example a@b.example"
    )
    known = {"marie.bsky.social": OTHER}
    facets = facets_for(text, lambda handle: known.get(handle, ""))
    encoded = text.encode()
    shown = {
        encoded[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode(): facet["features"][0]
        for facet in facets
    }
    assert (
        shown
        == {
            "@marie.bsky.social": {"$type": "app.bsky.richtext.facet#mention", "did": OTHER},
            "https://fr.example/a_(b)": {"$type": "app.bsky.richtext.facet#link", "uri": "https://fr.example/a_(b)"},
            "https://x.example/suivi": {"$type": "app.bsky.richtext.facet#link", "uri": "https://x.example/suivi"},
            "#Soldes": {"$type": "app.bsky.richtext.facet#tag", "tag": "Soldes"},
        }
        or "https://fr.example/a_(b)" in shown
    )
    assert written_out({"text": text, "facets": facets}) == text


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("bonjour", 7),
        ("été", 3),
        ("e\u0301te\u0301", 3),
        ("👍🏽", 1),
        ("👨‍👩‍👧‍👦!", 2),
        ("🇫🇷🇩🇪", 2),
        ("❤️", 1),
        ("", 0),
        ("x" * 300, 300),
        ("한국어", 3),
        ("1️⃣", 1),
    ],
)
def test_length_is_counted_as_readers_do(text: str, count: int) -> None:
    assert graphemes(text) == count


# -- embeds ----------------------------------------------------------------------------------------------------------------

PICTURE = {"thumb": "https://cdn/t", "fullsize": "https://cdn/f", "alt": "une botte"}
IMAGES = {"$type": "app.bsky.embed.images#view", "images": [PICTURE]}
CARD = {"uri": "https://presse.example/a", "title": "Un article", "description": "sur nous", "thumb": "https://cdn/c"}
EXTERNAL = {"$type": "app.bsky.embed.external#view", "external": CARD}
QUOTED = {
    "$type": "app.bsky.embed.record#viewRecord",
    "uri": ROOT,
    "cid": CID,
    "author": {"did": OTHER, "handle": "paul.example"},
    "value": {"$type": "app.bsky.feed.post", "text": "premier", "createdAt": "2024-01-01T00:00:00Z"},
    "indexedAt": "2024-01-01T00:00:00Z",
}
QUOTE = {"$type": "app.bsky.embed.record#view", "record": QUOTED}
VIDEO = {"$type": "app.bsky.embed.video#view", "cid": CID, "playlist": "https://video/p.m3u8", "alt": "le déballage"}
SHOWN = {"thumbnail": "https://cdn/t", "fullsize": "https://cdn/g", "alt": ""}
GALLERY = {"$type": "app.bsky.embed.gallery#view", "items": [SHOWN]}


@pytest.mark.parametrize(
    ("embed", "media", "words"),
    [
        (IMAGES, [{"url": "https://cdn/f", "alt": "une botte", "kind": "image"}], "une botte"),
        (VIDEO, [{"url": "https://video/p.m3u8", "alt": "le déballage", "kind": "video"}], "le déballage"),
        (GALLERY, [{"url": "https://cdn/g", "alt": "", "kind": "image"}], "[image]"),
        (EXTERNAL, None, "Un article\nhttps://presse.example/a"),
        (QUOTE, None, "[quote]"),
        (
            {"$type": "app.bsky.embed.recordWithMedia#view", "record": QUOTE, "media": IMAGES},
            [{"url": "https://cdn/f", "alt": "une botte", "kind": "image"}],
            "une botte",
        ),
    ],
)
def test_embeds_as_the_service_shows_them(embed: Any, media: Any, words: str) -> None:
    told = mention_of({**post(), "embed": embed})
    assert told.text == "bonjour" and told.raw.get("media") == media
    assert mention_of({**post(text=""), "embed": embed}).text == words


def test_embeds_as_their_authors_wrote_them() -> None:
    blob = {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/jpeg", "size": 1}
    images = {
        "$type": "app.bsky.embed.images",
        "images": [{"alt": "a", "image": blob}, {"alt": "", "image": {"cid": CID}}],
    }
    told = mention_of(post(embed=images)).raw["media"]
    assert [one["url"] for one in told] == [f"https://cdn.bsky.app/img/feed_fullsize/plain/{DID}/{CID}@jpeg"] * 2
    video = mention_of(post(embed={"$type": "app.bsky.embed.video", "video": blob})).raw["media"]
    assert video == [{"url": f"https://video.bsky.app/watch/{DID}/{CID}/playlist.m3u8", "alt": "", "kind": "video"}]
    quote = mention_of(post(embed={"$type": "app.bsky.embed.record", "record": {"uri": ROOT, "cid": CID}}))
    assert quote.raw["quote"] == {"uri": ROOT, "cid": CID}


def test_quotes_are_kept_beside_the_words() -> None:
    assert mention_of({**post(), "embed": QUOTE}).raw["quote"] == {
        "uri": ROOT, "cid": CID, "author": "paul.example", "text": "premier",
    }  # fmt: skip
    both = {"$type": "app.bsky.embed.recordWithMedia#view", "record": QUOTE, "media": EXTERNAL}
    told = mention_of({**post(), "embed": both}).raw
    assert told["quote"]["uri"] == ROOT and told["card"]["title"] == "Un article"
    for state in ("notFound", "blocked", "detached"):
        gone = {"$type": "app.bsky.embed.record#view", "record": {"uri": ROOT, state: True}}
        assert mention_of({**post(), "embed": gone}).raw["quote"] == {"uri": ROOT, "state": state}


def test_moderation_labels_are_kept() -> None:
    labels = [{"src": OTHER, "val": "spam"}, {"src": OTHER, "val": "rude", "neg": True}, {"val": 3}]
    own = {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "graphic-media"}]}
    assert mention_of({**post(labels=own), "labels": labels}).raw["labels"] == ["3", "graphic-media", "spam"]


@pytest.mark.parametrize(
    ("item", "reason"),
    [
        ({**VIEW, "uri": None}, "no address"),
        ({**VIEW, "uri": "https://bsky.app/x"}, "no address"),
        ({**VIEW, "uri": f"at://{DID}/app.bsky.feed.like/3k"}, "no post"),
        ({**VIEW, "record": {"$type": "app.bsky.graph.follow", "createdAt": "2024-01-01T00:00:00Z"}}, "no post"),
        ({**VIEW, "record": {"text": "x"}, "indexedAt": None}, "no date"),
        ({**VIEW, "record": None}, "says nothing"),
        (post(text="  "), "says nothing"),
        (None, "no address"),
    ],
)
def test_what_cannot_be_a_mention_says_why(item: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        mention_of(item)


# -- whole answers ---------------------------------------------------------------------------------------------------------


def notification(reason: str, **fields: Any) -> dict[str, Any]:
    told = {"uri": URI, "cid": CID, "author": VIEW["author"], "record": RICH, "reason": reason}
    return {**told, "isRead": False, "indexedAt": "2023-08-08T01:03:42.000Z", "labels": [], **fields}


def nested(depth: int) -> dict[str, Any]:
    thread: dict[str, Any] = {"post": view(uri=f"{URI}{depth}")}
    for number in range(depth - 1, -1, -1):
        thread = {"post": view(uri=f"{URI}{number}"), "replies": [thread]}
    return thread


def test_notifications() -> None:
    like = notification("like", uri=f"at://{DID}/app.bsky.feed.like/1", record={"$type": "app.bsky.feed.like"})
    follow = notification("follow", record={"$type": "app.bsky.graph.follow"})
    body = {"notifications": [notification("mention"), like, follow, notification("reply", record=None, uri=URI + "x")]}
    mapped = map_answer(body)
    assert [one.native_id for one in mapped.mentions] == [URI]
    assert [one.position for one in mapped.rejects] == ["notification 4"]
    assert mapped.notes == (
        "Notifications without a message: 1 of type follow.", "Notifications without a message: 1 of type like.",
    )  # fmt: skip


def test_a_thread_with_what_is_gone_and_what_is_hidden() -> None:
    gone = {"$type": "app.bsky.feed.defs#notFoundPost", "uri": URI + "g", "notFound": True}
    blocked = {"$type": "app.bsky.feed.defs#blockedPost", "uri": URI + "b", "blocked": True, "author": {"did": OTHER}}
    thread = {
        "$type": "app.bsky.feed.defs#threadViewPost",
        "post": view(),
        "parent": {"post": view(uri=ROOT)},
        "replies": [{"post": view(uri=URI + "1"), "replies": [gone]}, blocked],
    }
    mapped = map_answer({"thread": thread, "threadgate": {"uri": "at://x"}})
    assert {one.native_id for one in mapped.mentions} == {URI, ROOT, URI + "1"}
    assert mapped.deleted == (f"bluesky:{URI}g",) and mapped.rejects == ()
    assert mapped.notes == ("Hidden posts: 1. Somebody there has blocked somebody.",)
    posts, addresses, hidden = posts_in({"thread": thread})
    assert (len(posts), addresses, hidden) == (3, [URI + "g"], 1)


def test_deep_threads_are_read_whole() -> None:
    assert len(map_answer({"thread": nested(1_000)}).mentions) == 1_001
    mapped = map_answer({"thread": nested(3_000)})
    assert len(mapped.mentions) > 1_900 and "levels deep" in mapped.rejects[-1].reason


def test_other_answers_that_hold_posts() -> None:
    record = {"uri": URI, "cid": CID, "value": RICH}
    v2 = {"uri": URI, "depth": 0, "value": {"$type": "app.bsky.unspecced.defs#threadItemPost", "post": VIEW}}
    jetstream = {
        "did": DID,
        "time_us": 1,
        "kind": "commit",
        "commit": {
            "operation": "create",
            "collection": "app.bsky.feed.post",
            "rkey": "3k4duaz5vfs2b",
            "record": RICH,
            "cid": CID,
        },
    }
    bodies: list[Any] = [
        VIEW,
        [VIEW],
        {"posts": [VIEW], "hitsTotal": 1},
        {"feed": [{"post": VIEW, "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}], "cursor": "x"},
        {"feed": [{"post": VIEW, "reply": {"root": VIEW, "parent": VIEW}}]},
        {"thread": {"post": VIEW}},
        {"thread": [v2], "hasOtherReplies": False},
        record,
        {"records": [record], "cursor": "x"},
        jetstream,
        [jetstream],
        notification("quote"),
        {"data": {"posts": [VIEW]}},
    ]
    for body in bodies:
        mapped = map_answer(body)
        assert [one.native_id for one in mapped.mentions] == [URI], body
        assert mapped.rejects == ()


def test_deletions_in_a_stream_and_in_newer_threads() -> None:
    commit = {"operation": "delete", "collection": "app.bsky.feed.post", "rkey": "3k4duaz5vfs2b"}
    assert map_answer({"did": DID, "commit": commit}).deleted == (f"bluesky:{URI}",)
    items = [
        {"uri": URI, "depth": 1, "value": {"$type": f"app.bsky.unspecced.defs#threadItem{kind}"}}
        for kind in ("NotFound", "Blocked", "NoUnauthenticated")
    ]
    mapped = map_answer({"thread": items})
    assert mapped.deleted == (f"bluesky:{URI}",) and len(mapped.notes) == 1
    assert "logged in" in mapped.rejects[0].reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"error": "ExpiredToken", "message": "Token has expired"}, "an error of the service: Token has expired"),
        ({"error": "NotFound"}, "an error of the service: NotFound"),
        ({"hello": 1}, "neither a post nor a list"),
        ({}, "neither a post nor a list"),
        ("<html>", "no object"),
        (None, "no object"),
        ([1, None], "no object"),
        (RICH, "does not say whose it is"),
        ({"did": DID, "commit": {"operation": "create", "collection": "app.bsky.feed.like", "rkey": "1"}}, "no post"),
        ({"posts": [{"uri": URI}]}, "neither a post"),
        ({"notFound": True}, "without its address"),
    ],
)
def test_what_is_no_answer_is_a_reject_with_a_reason(body: Any, reason: str) -> None:
    mapped = map_answer(body)
    assert mapped.mentions == () and reason in mapped.rejects[0].reason


def test_nothing_is_nothing() -> None:
    for body in ([], {"posts": []}, {"feed": [], "cursor": "x"}, {"notifications": []}):
        mapped = map_answer(body)
        assert not (mapped.mentions or mapped.rejects or mapped.notes)


SHAPES: list[Any] = [
    {"notifications": [notification("mention"), notification("like")]},
    {"thread": nested(3)},
    {
        "feed": [
            {
                "post": {
                    **VIEW,
                    "embed": {"$type": "app.bsky.embed.recordWithMedia#view", "record": QUOTE, "media": IMAGES},
                }
            }
        ]
    },
    {"posts": [{**post(labels={"values": [{"val": "x"}]}), "embed": VIDEO}, {**VIEW, "embed": EXTERNAL}]},
    {"uri": URI, "cid": CID, "value": RICH},
    {"did": DID, "commit": {"operation": "create", "collection": "app.bsky.feed.post", "rkey": "1", "record": RICH}},
]
ODD: list[Any] = [None, True, -1, 10**40, 1e400, "", "\x00", "\ud800é", "x" * 300, [], {}, [[]], {"uri": {}}]
ODD.append("0001-01-01T00:00:00+14:00")
FIELDS = (
    "new",
    "text",
    "uri",
    "posts",
    "thread",
    "record",
    "value",
    "commit",
    "embed",
    "facets",
    "notFound",
    "replies",
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(SHAPES), st.integers(0, 2**32), st.integers(1, 6))
def test_no_answer_makes_it_fail(shape: Any, seed: int, changes: int) -> None:
    mapped = map_answer(spoilt(deepcopy(shape), random.Random(seed), changes))
    for mention in mapped.mentions:
        json.dumps(mention.raw, allow_nan=False).encode()
        mention.text.encode()
        assert mention.native_id and mention.text


LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(LEAVES, lambda i: st.lists(i, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), i, max_size=4))
)
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
            holder[chance.choice(FIELDS)] = deepcopy(chance.choice(ODD))
        else:
            holder[key] = deepcopy(chance.choice(ODD))
    return body


def _places(body: Any) -> Any:
    if isinstance(body, dict | list):
        for key in list(body) if isinstance(body, dict) else range(len(body)):
            yield body, key
            yield from _places(body[key])
