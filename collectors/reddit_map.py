"""Reddit's things as mentions: `mention_of` for one, `map_answer` for whatever one saved answer holds. Pure.

A thing is a kind (t1 comment, t3 post, t4 private message) and its data; ids here are full names (`t1_abc`). The fields have
grown since 2016 and any may be missing. What its author or a moderator took away still comes, as `[deleted]` or `[removed]`.
Reading is in `reddit_read`.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import unescape
from typing import Any, NamedTuple

from collectors.values import short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, reason_in, rejected, text_of
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionId, MentionKind

NETWORK = "reddit"
SITE = "https://www.reddit.com"
COMMENT, POST, MESSAGE = "t1", "t3", "t4"
KINDS = {COMMENT: MentionKind.COMMENT, POST: MentionKind.POST, MESSAGE: MentionKind.MESSAGE}
GONE = frozenset({"[deleted]", "[removed]", "[deleted by user]", "[removed by reddit]", "[ removed by reddit ]"})
NOBODY = frozenset({"", "[deleted]", "[removed]"})
_RAW = (
    "id", "name", "subreddit", "subreddit_id", "subreddit_type", "link_id", "parent_id", "permalink", "context", "created_utc",
    "edited", "score", "ups", "upvote_ratio", "num_comments", "locked", "archived", "link_locked", "link_archived",
    "link_title", "link_permalink", "link_author", "over_18", "quarantine", "spoiler", "stickied", "distinguished",
    "is_submitter", "is_self", "url", "domain", "post_hint", "link_flair_text", "crosspost_parent", "removed_by_category",
    "type", "subject", "dest", "first_message_name", "collapsed", "score_hidden",
)  # fmt: skip
_LINK_IN_PATH = re.compile(r"/comments/([a-z0-9]{1,13})(?:/|$)", re.IGNORECASE)
_FULL_NAME = re.compile(r"t[134]_[a-z0-9]{1,13}", re.IGNORECASE)


class Thing(NamedTuple):
    """A thing in an answer: what kind it is (t1, t3, t4), and its data."""

    kind: str
    data: dict[str, Any]

    @property
    def full_name(self) -> str:
        """`t1_abc`; "" where it has no id."""
        return full_name(self.data, self.kind)


def full_name(data: Mapping[str, Any], kind: str) -> str:
    """Of a thing's data."""
    name, bare = text_of(data.get("name")), text_of(data.get("id"))
    if _FULL_NAME.fullmatch(name) and name.startswith(f"{kind}_"):
        return name
    bare = bare.removeprefix(f"{kind}_")
    return short_id(f"{kind}_{bare}") if bare else ""


def moment_in(data: Mapping[str, Any]) -> datetime | None:
    """When a thing was made."""
    return _moment(data.get("created_utc")) or _moment(data.get("created"))


def is_gone(thing: Thing) -> bool:
    """Whether its author or a moderator took it away."""
    words = text_of(thing.data.get("selftext" if thing.kind == POST else "body")).strip().lower()
    if thing.kind == MESSAGE:
        return False
    if words in GONE:
        return True
    return thing.kind == POST and bool(text_of(thing.data.get("removed_by_category")))


def mention_of(thing: Thing, *, own_name: str = "") -> Mention:
    """The mention that a thing is.

    Args:
        own_name: the account that is ours; its words are outbound.

    Raises:
        InputError: it is gone, or has no id, no date or no words, or too many of them.
    """
    kind, data = thing
    native_id, created_at = thing.full_name, moment_in(data)
    if not native_id:
        raise InputError("it has no id")
    if created_at is None:
        raise InputError("it has no date that can be read")
    if is_gone(thing):
        raise InputError("it was deleted by its author or removed by a moderator")
    author = _author(data)
    title, text = _title(thing), _said(thing)
    if not (title or text):
        raise InputError("it says nothing")
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=KINDS[kind],
        author=author,
        conversation_id=conversation_of(thing) or native_id,
        parent_id=_parent(thing, native_id),
        outbound=bool(own_name) and author is not None and author.native_id.casefold() == own_name.casefold(),
        title=title,
        url=_page(thing),
        engagement=Engagement(
            like_count=_score(data), reply_count=count_of(data.get("num_comments")) if kind == POST else None
        ),
        raw=_raw(thing),
    )


def conversation_of(thing: Thing) -> str:
    """Full name of the post that a thing stands below, or of the first message of a private talk; "" where unknown."""
    kind, data = thing
    if kind == POST:
        return thing.full_name
    if kind == MESSAGE:
        return text_of(data.get("first_message_name")) or thing.full_name
    link = text_of(data.get("link_id"))
    if link:
        return link if link.startswith("t3_") else f"t3_{link}"
    for path in (data.get("context"), data.get("permalink"), data.get("link_permalink"), data.get("link_url")):
        found = _LINK_IN_PATH.search(text_of(path))
        if found:
            return f"t3_{found[1].lower()}"
    parent = text_of(data.get("parent_id"))
    return parent if parent.startswith("t3_") else ""


def _parent(thing: Thing, native_id: str) -> str | None:
    if thing.kind == POST:
        return None
    parent = short_id(text_of(thing.data.get("parent_id")))
    return None if parent in {"", native_id} else parent


def _moment(value: Any) -> datetime | None:
    if isinstance(value, str) and value.replace(".", "", 1).isascii() and value.replace(".", "", 1).isdigit():
        value = float(value[:20])
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 2**34:
        return None
    return datetime.fromtimestamp(value, tz=UTC) if math.isfinite(value) else None


def _author(data: Mapping[str, Any]) -> Author | None:
    name = text_of(data.get("author")).strip()
    if name.lower() in NOBODY:
        return None
    return Author(short_id(name), handle=name, name=name, url=web_url(f"{SITE}/user/{name}"))


def _score(data: Mapping[str, Any]) -> int | None:
    score = data.get("score")
    if isinstance(score, int) and not isinstance(score, bool) and score < 0:
        return 0  # more against than for; the number itself stays in raw
    return count_of(score)


def _title(thing: Thing) -> str:
    name = {POST: "title", MESSAGE: "subject"}.get(thing.kind, "")
    return _plain(thing.data, text_of(thing.data.get(name)).strip()) if name else ""


def _said(thing: Thing) -> str:
    data = thing.data
    if thing.kind != POST:
        return _plain(data, text_of(data.get("body")).strip())
    words = _plain(data, text_of(data.get("selftext")).strip())
    elsewhere = web_url(text_of(data.get("url_overridden_by_dest")) or text_of(data.get("url")))
    is_self = data.get("is_self") is True or "/comments/" in elsewhere
    lines = [words, "" if is_self else elsewhere, *(one["alt"] for one in _media(data))]
    return "\n\n".join(dict.fromkeys(line for line in lines if line))


def _plain(data: Mapping[str, Any], text: str) -> str:
    """Without raw_json=1, Reddit writes & < > as entities, also in plain fields; its HTML fields tell which it was."""
    html = text_of(data.get("body_html")) or text_of(data.get("selftext_html"))
    return unescape(text) if html.startswith("&lt;") else text


def _page(thing: Thing) -> str:
    data = thing.data
    path = text_of(data.get("permalink")) or text_of(data.get("context"))
    if path.startswith("/") and not path.startswith("//"):
        return web_url(SITE + path.partition("?")[0])
    if path:
        return web_url(path)
    if thing.kind == MESSAGE:
        return web_url(f"{SITE}/message/messages/{thing.full_name.removeprefix('t4_')}")
    link = conversation_of(thing).removeprefix("t3_")
    if not link:
        return ""
    below = f"_/{thing.full_name.removeprefix('t1_')}/" if thing.kind == COMMENT else ""
    return web_url(f"{SITE}/comments/{link}/{below}")


def _media(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    described = dict_of(data.get("media_metadata"))
    for item in list_of(at(data, "gallery_data", "items")):
        one = dict_of(described.get(text_of(at(item, "media_id"))))
        url = web_url(unescape(text_of(at(one, "s", "u")) or text_of(at(one, "s", "gif"))))
        found.append({"url": url, "alt": text_of(at(item, "caption")).strip(), "kind": "image"})
    video = web_url(text_of(at(data, "media", "reddit_video", "fallback_url")))
    if video:
        found.append({"url": video, "alt": "", "kind": "video"})
    if not found and text_of(data.get("post_hint")) == "image":
        found.append({"url": web_url(text_of(data.get("url"))), "alt": "", "kind": "image"})
    return found


def _raw(thing: Thing) -> dict[str, Any]:
    raw = {"kind": thing.kind, **kept(thing.data, _RAW), "media": _media(thing.data)}
    return {name: value for name, value in raw.items() if value != []}


# -- whole answers ---------------------------------------------------------------------------------------------------------


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body of this interface holds, whichever method it answers."""
    found = Contents.of(body)
    mentions: dict[MentionId, Mention] = {}
    deleted: dict[MentionId, None] = {}
    for position, thing in found.things:
        if is_gone(thing) and thing.full_name:
            deleted[MentionId(f"{NETWORK}:{thing.full_name}")] = None
            continue
        try:
            mention = mention_of(thing)
            mentions.setdefault(mention.id, mention)
        except InputError as error:
            found.reject(position, str(error), thing.data)
    notes = [
        f"Left out, for they are no messages: {count} of kind {kind}." for kind, count in sorted(found.other.items())
    ]
    if found.more:
        count = sum(count_of(one.get("count")) or 0 for one in found.more)
        notes.append(f"Reddit cut the thread short: {count} more comments are not in this answer.")
    return Mapped(tuple(mentions.values()), tuple(found.rejects), tuple(deleted), tuple(notes))


class Contents:
    """What is in a body, taken apart without depth limits: threads are nested as deep as people answer.

    Attributes:
        things: comments, posts and private messages, with their places; in the order in which they stand.
        more: what Reddit left out of a thread.
        other: kinds of things that hold no words of anybody, counted.
    """

    def __init__(self) -> None:
        self.things: list[tuple[str, Thing]] = []
        self.more: list[dict[str, Any]] = []
        self.other: dict[str, int] = {}
        self.rejects: list[Reject] = []

    @classmethod
    def of(cls, body: Any) -> "Contents":
        """A body taken apart."""
        contents = cls()
        waiting = [("answer", body)]
        while waiting:
            position, one = waiting.pop()
            waiting += reversed(contents._take(position, one))
        return contents

    def reject(self, position: str, reason: str, item: Any) -> None:
        """Keep aside what cannot be used."""
        self.rejects.append(rejected(position, reason, item))

    def _take(self, position: str, one: Any) -> list[tuple[str, Any]]:
        if isinstance(one, list):
            return _numbered(position, one)
        if not isinstance(one, dict):
            self.reject(position, "this is no object", one)
            return []
        kind, data = text_of(one.get("kind")), one.get("data")
        if isinstance(one.get("json"), dict):
            return self._answer(position, one["json"])
        if kind == "more":
            self.more.append(dict_of(data))
            return []
        if kind == "Listing" or (isinstance(data, dict) and isinstance(data.get("children"), list)):
            return _numbered(position, list_of(at(data, "children")))
        if kind and isinstance(data, dict):
            return self._thing(position, kind, data)
        if isinstance(data, list):  # an envelope of somebody's own
            return _numbered(position, data)
        bare = _kind_of(one)
        if bare:
            return self._thing(position, bare, one)
        if "error" in one or "message" in one:
            self.reject(position, f"an error of Reddit: {reason_in(one)[:200] or text_of(one.get('error'))}", one)
        else:
            self.reject(position, "this is neither a comment nor a post", one)
        return []

    def _thing(self, position: str, kind: str, data: dict[str, Any]) -> list[tuple[str, Any]]:
        if kind not in KINDS:
            self.other[kind[:40]] = self.other.get(kind[:40], 0) + 1
            return []
        self.things.append((position, Thing(kind, data)))
        below = data.get("replies")
        return _numbered(position, list_of(at(below, "data", "children")), "answer")

    def _answer(self, position: str, told: dict[str, Any]) -> list[tuple[str, Any]]:
        for problem in list_of(told.get("errors")):
            words = [text_of(word) for word in list_of(problem)]
            self.reject(position, f"an error of Reddit: {': '.join(filter(None, words[:2])) or 'no words'}", problem)
        return _numbered(position, list_of(at(told, "data", "things")))


def _numbered(position: str, items: list[Any], word: str = "item") -> list[tuple[str, Any]]:
    start = "" if position == "answer" else f"{position}, "
    start = start if len(start) < 200 else "deep in the thread, "
    return [(f"{start}{word} {number}", item) for number, item in enumerate(items, start=1)]


def _kind_of(data: Mapping[str, Any]) -> str:
    """The kind of a thing that came without its envelope, as archives keep them; "" where it is none."""
    name = text_of(data.get("name"))[:2]
    if name in KINDS:
        return name
    if "body" in data:
        return COMMENT if "subreddit" in data or "link_id" in data or "parent_id" in data else ""
    return POST if "title" in data and ("selftext" in data or first_text(data, "permalink", "domain", "url")) else ""
