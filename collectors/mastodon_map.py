"""Mastodon's statuses as mentions: `mention_of` for one, `map_answer` for whatever one saved answer holds. Pure.

Other servers speak the same interface (Pleroma, GoToSocial, snac…): ids are opaque texts here, and every field may be
missing. A boost is nobody's words: the status that was boosted is mapped. Reading is in `mastodon_read`.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from html import unescape
from typing import Any

from collectors.markup import pieces, text_of
from collectors.values import language, short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, moment_of, reason_in, rejected
from collectors.wire import text_of as clean_text
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionId, MentionKind

NETWORK = "mastodon"
_RAW = (
    "id", "uri", "url", "visibility", "spoiler_text", "sensitive", "created_at", "edited_at", "language",
    "in_reply_to_id", "in_reply_to_account_id", "tags", "application",
)  # fmt: skip
_ACCOUNT = ("id", "username", "acct", "display_name", "url", "bot", "locked", "created_at")
_CARD = ("url", "title", "description", "type", "provider_name")
_POLL = ("id", "expires_at", "expired", "multiple", "votes_count", "voters_count")
_EMOJI = re.compile(r"<img\b[^<>]{0,500}?\balt=[\"'](:[^\"'<>:\s]{1,60}:)[\"'][^<>]{0,500}>", re.IGNORECASE)
_QUOTE_START = re.compile(r"<p\b[^<>]{0,100}\bquote-inline\b[^<>]{0,100}>", re.IGNORECASE)
HAS_MESSAGE = frozenset({"mention", "status", "quote", "quoted_update", "update", "poll"})


def mention_of(status: Any, *, own_id: str = "", root_of: Callable[[str], str] = lambda _: "") -> Mention:
    """The mention that a status is.

    Args:
        own_id: the account that is ours; its words are outbound.
        root_of: first status of the thread that a status belongs to; "" where unknown.

    Raises:
        InputError: it has no id, no date or no words, or too many of them.
    """
    status = unboosted(status)
    native_id = short_id(clean_text(status.get("id")))
    created_at = moment_of(status.get("created_at"))
    if not native_id:
        raise InputError("the status has no id")
    if created_at is None:
        raise InputError("the status has no date that can be read")
    media = _media(status)
    title, text = clean_text(status.get("spoiler_text")).strip(), said(status, media)
    if not (title or text):
        raise InputError("the status says nothing")
    parent = short_id(clean_text(status.get("in_reply_to_id")))
    parent = "" if parent == native_id else parent
    author = _author(status.get("account"))
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=_kind(status, parent),
        author=author,
        conversation_id=short_id(root_of(native_id)) or parent or native_id,
        parent_id=parent or None,
        outbound=bool(own_id) and author is not None and author.native_id == own_id,
        title=title,
        url=web_url(clean_text(status.get("url"))) or web_url(clean_text(status.get("uri"))),
        lang_hint=language(clean_text(status.get("language"))),
        engagement=Engagement(
            like_count=count_of(status.get("favourites_count")),
            share_count=count_of(status.get("reblogs_count")),
            reply_count=count_of(status.get("replies_count")),
        ),
        raw=_raw(status, media),
    )


def unboosted(status: Any) -> dict[str, Any]:
    """The status itself, or the one that it boosts."""
    outer = dict_of(status)
    return dict_of(outer.get("reblog")) or outer


def said(status: Mapping[str, Any], media: list[dict[str, Any]]) -> str:
    """The words of a status: markup removed, emoji codes kept, poll options below; alt texts where there is nothing else."""
    content = clean_text(status.get("content"))
    if status.get("quote"):
        content = _without_quote_link(content)
    words = text_of(_EMOJI.sub(lambda match: match[1], content)) if content else clean_text(status.get("text")).strip()
    options = [clean_text(at(option, "title")).strip() for option in list_of(at(status, "poll", "options"))]
    lines = [words, *(f"○ {option}" for option in options if option)]
    if not words and not options:
        lines = [one["alt"] or f"[{one['kind']}]" for one in media]
    return "\n".join(line for line in lines if line)


def _without_quote_link(content: str) -> str:
    # For readers that know no quotes, servers write “RE: address” above; who knows them does not show it.
    start = _QUOTE_START.search(content)
    end = content.find("</p>", start.end()) if start else -1
    return content[: start.start()] + content[end + 4 :] if start and end >= 0 else content


def links_of(content: str) -> list[str]:
    """Addresses that a status links to, those of people and hashtags left out."""
    found = []
    for piece in pieces(content):
        if piece.tag == "a" and not piece.closing and "mention" not in piece.inside and "hashtag" not in piece.inside:
            href = re.search(r"""href\s{0,3}=\s{0,3}["']([^"'<>]{1,2000})["']""", piece.inside)
            address = web_url(unescape(href[1])) if href else ""
            if address and address not in found:
                found.append(address)
    return found[:20]


def _kind(status: Mapping[str, Any], parent: str) -> MentionKind:
    if status.get("visibility") == "direct":
        return MentionKind.MESSAGE
    return MentionKind.COMMENT if parent else MentionKind.POST


def _author(account: Any) -> Author | None:
    native_id = short_id(clean_text(at(account, "id")))
    if not native_id:
        return None
    return Author(
        native_id,
        handle=first_text(account, "acct", "username"),
        name=first_text(account, "display_name", "username", "acct"),
        url=web_url(first_text(account, "url")),
        follower_count=count_of(at(account, "followers_count")),
    )


def _media(status: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []
    for item in list_of(status.get("media_attachments")):
        url = next((u for u in (web_url(first_text(item, n)) for n in ("url", "remote_url", "preview_url")) if u), "")
        kind = first_text(item, "type") or "unknown"
        found.append({"url": url, "alt": first_text(item, "description").strip(), "kind": kind})
    return found


def _raw(status: Mapping[str, Any], media: list[dict[str, Any]]) -> dict[str, Any]:
    raw = kept(status, _RAW)
    raw["account"] = kept(status.get("account"), _ACCOUNT)
    raw["mentions"] = [kept(one, ("id", "acct", "url")) for one in list_of(status.get("mentions"))]
    raw["emojis"] = [kept(one, ("shortcode", "url")) for one in list_of(status.get("emojis"))]
    raw["links"] = links_of(clean_text(status.get("content")))
    raw["media"] = media
    raw["card"] = kept(status.get("card"), _CARD)
    poll = status.get("poll")
    if isinstance(poll, dict):
        options = [kept(one, ("title", "votes_count")) for one in list_of(poll.get("options"))]
        raw["poll"] = {**kept(poll, _POLL), "options": options}
    quote = status.get("quote")
    if isinstance(quote, dict):
        quoted = dict_of(quote.get("quoted_status")) or quote
        raw["quote"] = {
            **kept(quote, ("state", "quoted_status_id")),
            **kept(quoted, ("id", "url")),
            "text": text_of(clean_text(quoted.get("content"))),
        }
    return {name: value for name, value in raw.items() if value not in ({}, [])}


# -- whole answers ---------------------------------------------------------------------------------------------------------


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body of this interface holds, whichever method it answers."""
    found = _Found()
    found.read(body, "answer")
    roots = Roots()
    roots.learn(status for _, status in found.statuses)
    for parent, child in found.links:
        roots.link(parent, child)
    mentions: dict[MentionId, Mention] = {}
    for position, status in found.statuses:
        try:
            mention = mention_of(status, root_of=roots.of)
            mentions.setdefault(mention.id, mention)
        except InputError as error:
            found.reject(position, str(error), status)
    notes = [f"Notifications without a message: {count} of type {kind}." for kind, count in sorted(found.notes.items())]
    return Mapped(tuple(mentions.values()), tuple(found.rejects), tuple(found.deleted), tuple(notes))


class Roots:
    """Which status a thread began with, as far as the statuses that were seen tell."""

    def __init__(self) -> None:
        self._parents: dict[str, str] = {}

    def learn(self, statuses: Iterable[Any]) -> None:
        """Take what these statuses say that they answer."""
        for status in map(unboosted, statuses):
            native_id, parent = clean_text(status.get("id")), clean_text(status.get("in_reply_to_id"))
            if native_id:
                self._parents[native_id] = parent

    def link(self, parent: str, child: str) -> None:
        """`child` answers `parent`, or one that is not here in between."""
        if parent and child and parent != child:
            self._parents[child] = self._parents.get(child) or parent

    def of(self, native_id: str) -> str:
        """The first status of its thread, or the earliest one that is known of it."""
        walked: set[str] = set()
        while native_id not in walked and (parent := self._parents.get(native_id, "")):
            walked.add(native_id)
            native_id = parent
        return native_id

    def complete(self, native_id: str) -> bool:
        """Whether the chain of answers was followed to a status that answers none."""
        return self._parents.get(self.of(native_id)) == ""


class _Found:
    """What is in a body."""

    def __init__(self) -> None:
        self.statuses: list[tuple[str, Any]] = []
        self.links: list[tuple[str, str]] = []
        self.rejects: list[Reject] = []
        self.deleted: list[MentionId] = []
        self.notes: dict[str, int] = {}

    def read(self, body: Any, position: str, depth: int = 0) -> None:
        if isinstance(body, list) and depth < 4:
            for number, item in enumerate(body, start=1):
                self.read(item, f"item {number}" if depth == 0 else f"{position}, item {number}", depth + 1)
        elif not isinstance(body, dict):
            self.reject(position, "this is no object", body)
        elif "ancestors" in body and "descendants" in body:
            self._context(body)
        elif isinstance(body.get("statuses"), list):
            self._listed(body)
        elif "payload" in body and "event" in body:
            self._event(body, position, depth)
        elif isinstance(body.get("last_status"), dict):
            self.read(body["last_status"], position, depth + 1)
        elif "type" in body and ("account" in body or "status" in body) and "content" not in body:
            self._notification(body, position)
        elif "content" in body or "reblog" in body or "visibility" in body:
            self.statuses.append((position, body))
        elif "error" in body:
            self.reject(position, f"an error of the server: {reason_in(body)[:200]}", body)
        elif not self._nested(body, depth):
            self.reject(position, "this is neither a status nor a notification", body)

    def _context(self, body: Mapping[str, Any]) -> None:
        ancestors, descendants = list_of(body["ancestors"]), list_of(body["descendants"])
        self.statuses += [(f"ancestor {number}", one) for number, one in enumerate(ancestors, start=1)]
        self.statuses += [(f"descendant {number}", one) for number, one in enumerate(descendants, start=1)]
        known = {clean_text(at(one, "id")) for one in (*ancestors, *descendants)}
        if ancestors:  # the status that was asked for is in neither list, but ties them together
            last = clean_text(at(ancestors[-1], "id"))
            missing = (clean_text(at(one, "in_reply_to_id")) for one in descendants)
            self.links += [(last, parent) for parent in missing if parent and parent not in known]

    def _listed(self, body: Mapping[str, Any]) -> None:
        # A search, or grouped notifications: both have their statuses in one list.
        self.statuses += [(f"status {number}", one) for number, one in enumerate(body["statuses"], start=1)]
        for group in list_of(body.get("notification_groups")):
            kind = first_text(group, "type") or "unknown"
            if kind not in HAS_MESSAGE:
                self.notes[kind] = self.notes.get(kind, 0) + 1

    def _event(self, body: Mapping[str, Any], position: str, depth: int) -> None:
        payload = body["payload"]
        if body["event"] == "delete" and clean_text(payload):
            self.deleted.append(MentionId(f"{NETWORK}:{short_id(clean_text(payload))}"))
            return
        if isinstance(payload, str):
            try:
                payload = json.loads(payload)
            except (ValueError, RecursionError):
                self.reject(position, "the event holds no JSON", body)
                return
        if depth < 4:
            self.read(payload, position, depth + 1)

    def _notification(self, body: Mapping[str, Any], position: str) -> None:
        kind = first_text(body, "type")
        if kind not in HAS_MESSAGE and kind != "pleroma:chat_mention":
            self.notes[kind] = self.notes.get(kind, 0) + 1
        elif isinstance(body.get("status"), dict):
            self.statuses.append((position, body["status"]))
        else:
            self.reject(position, "the message of this notification is gone", body)

    def _nested(self, body: Mapping[str, Any], depth: int) -> bool:
        # An envelope of somebody's own ("data": […]) around what is known.
        inside = [body[name] for name in ("data", "items", "notifications", "status") if body.get(name)]
        if depth >= 3 or not inside or not isinstance(inside[0], dict | list):
            return False
        self.read(inside[0], "answer", depth if isinstance(inside[0], list) else depth + 1)
        return True

    def reject(self, position: str, reason: str, item: Any) -> None:
        self.rejects.append(rejected(position, reason, item))
