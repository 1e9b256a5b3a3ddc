"""Bluesky's posts as mentions: `mention_of` for one, `map_answer` for whatever one saved answer holds. Pure.

A post comes as a view (post, author, counts, pictures with addresses) or inside a notification (the bare record). Links
are written short in the text and whole in facets, whose places are bytes. Reading is in `bluesky_read`.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.bluesky_words import written_out
from collectors.values import language, short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, moment_of, reason_in, rejected, text_of
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionId, MentionKind

NETWORK = "bluesky"
POST = "app.bsky.feed.post"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POST_REASONS = frozenset({"mention", "reply", "quote", "subscribed-post"})
_V2 = "app.bsky.unspecced.defs#threadItem"
_DEEPEST = 2_000  # answers below answers; the service gives at most a thousand


def mention_of(post: Any, *, own_did: str = "") -> Mention:
    """The mention that a post view or a notification is.

    Args:
        own_did: the account that is ours; its words are outbound.

    Raises:
        InputError: it has no address, no date or no words, or is no post.
    """
    view, record = dict_of(post), dict_of(at(post, "record"))
    uri = text_of(view.get("uri"))
    if not uri.startswith("at://"):
        raise InputError("the post has no address (at://…)")
    if f"/{POST}/" not in uri or text_of(record.get("$type")) not in {"", POST}:
        raise InputError("this is no post")
    created_at = _moment(record, view)
    if created_at is None:
        raise InputError("the post has no date that can be read")
    did = uri.removeprefix("at://").partition("/")[0]
    media = media_of(view, record, did)
    text = written_out(record) or "\n".join(filter(None, _said_by_embed(view, record, media)))
    if not text:
        raise InputError("the post says nothing")
    native_id = short_id(uri)
    root, parent = (short_id(text_of(at(record, "reply", name, "uri"))) for name in ("root", "parent"))
    author = _author(view.get("author"), did)
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.COMMENT if parent else MentionKind.POST,
        author=author,
        conversation_id=root or parent or native_id,
        parent_id=parent or None,
        outbound=bool(own_did) and author.native_id == own_did,
        url=page_of(uri),
        lang_hint=next((code for tag in list_of(record.get("langs")) if (code := language(text_of(tag)))), None),
        engagement=Engagement(
            like_count=count_of(view.get("likeCount")),
            share_count=count_of(view.get("repostCount")),
            reply_count=count_of(view.get("replyCount")),
        ),
        raw=_raw(view, record, media),
    )


def page_of(uri: str) -> str:
    """Address of a post's page for people."""
    did, _, rest = uri.removeprefix("at://").partition("/")
    return web_url(f"https://bsky.app/profile/{did}/post/{rest.rpartition('/')[2]}") if rest else ""


def _moment(record: Mapping[str, Any], view: Mapping[str, Any]) -> datetime | None:
    # As the service sorts: what the author's program claims, unless that is before all time or still to come.
    claimed, indexed = moment_of(record.get("createdAt")), moment_of(view.get("indexedAt"))
    if claimed is None or claimed < _EPOCH:
        return indexed
    return min(claimed, indexed) if indexed else claimed


def _author(told: Any, did: str) -> Author:
    native_id = text_of(at(told, "did")) or did
    handle = first_text(told, "handle")
    return Author(
        native_id,
        handle=handle if handle != "handle.invalid" else "",
        name=first_text(told, "displayName") or handle,
        url=web_url(f"https://bsky.app/profile/{native_id}"),
        follower_count=count_of(at(told, "followersCount")),
    )


# -- what hangs on a post ------------------------------------------------------------------------------------------------


def embeds_of(view: Mapping[str, Any], record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What is embedded, as the service shows it, else as the author wrote it; quote and media apart."""
    embed = dict_of(view.get("embed")) or dict_of(record.get("embed"))
    if isinstance(at(embed, "media"), dict):
        yield embed["media"]
        yield dict_of(at(embed, "record"))
    elif embed:
        yield embed


def media_of(view: Mapping[str, Any], record: Mapping[str, Any], did: str) -> list[dict[str, str]]:
    """Pictures and video, as links with their descriptions."""
    found = []
    for embed in embeds_of(view, record):
        for item in (*list_of(embed.get("images")), *list_of(embed.get("items"))):
            blob = _blob(at(item, "image"))
            made = f"https://cdn.bsky.app/img/feed_fullsize/plain/{did}/{blob}@jpeg" if blob else ""
            url = web_url(first_text(item, "fullsize", "thumb", "thumbnail")) or made
            found.append({"url": url, "alt": first_text(item, "alt").strip(), "kind": "image"})
        playlist, blob = first_text(embed, "playlist"), _blob(embed.get("video"))
        if playlist or blob:
            made = f"https://video.bsky.app/watch/{did}/{blob}/playlist.m3u8" if blob else ""
            found.append({"url": web_url(playlist) or made, "alt": first_text(embed, "alt").strip(), "kind": "video"})
    return found


def _blob(told: Any) -> str:
    return text_of(at(told, "ref", "$link")) or text_of(at(told, "cid"))  # cid: before 2023


def _card(view: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    for embed in embeds_of(view, record):
        external = kept(embed.get("external"), ("uri", "title", "description"))
        if external:
            return external
    return {}


def _quote(view: Mapping[str, Any], record: Mapping[str, Any]) -> dict[str, Any]:
    for embed in embeds_of(view, record):
        quoted = dict_of(embed.get("record"))
        quoted = dict_of(quoted.get("record")) or quoted
        if text_of(quoted.get("uri")):
            gone = next((name for name in ("notFound", "blocked", "detached") if quoted.get(name)), "")
            told = {**kept(quoted, ("uri", "cid")), "state": gone, "author": first_text(quoted.get("author"), "handle")}
            return {name: value for name, value in {**told, "text": written_out(quoted.get("value"))}.items() if value}
    return {}


def _said_by_embed(view: Mapping[str, Any], record: Mapping[str, Any], media: list[dict[str, str]]) -> Iterator[str]:
    # A post without words: what its pictures show, or what it links to.
    card, quote = _card(view, record), _quote(view, record)
    yield from (one["alt"] or f"[{one['kind']}]" for one in media)
    yield text_of(card.get("title"))
    yield text_of(card.get("uri"))
    if not (media or card) and quote:
        yield "[quote]"


def _raw(view: Mapping[str, Any], record: Mapping[str, Any], media: list[dict[str, str]]) -> dict[str, Any]:
    labels = [*list_of(view.get("labels")), *list_of(at(record, "labels", "values"))]
    raw = {
        **kept(view, ("uri", "cid", "indexedAt", "reason", "reasonSubject", "quoteCount")),
        "record": kept(record, ("text", "createdAt", "langs", "reply", "tags", "facets")),
        "author": kept(view.get("author"), ("did", "handle", "displayName")),
        "author_labels": sorted({text_of(at(one, "val")) for one in list_of(at(view, "author", "labels"))} - {""}),
        "labels": sorted({text_of(at(one, "val")) for one in labels if not at(one, "neg")} - {""}),
        "viewer": kept(view.get("viewer"), ("replyDisabled", "threadMuted")),
        "media": media,
        "card": _card(view, record),
        "quote": _quote(view, record),
    }
    return {name: value for name, value in raw.items() if value not in ({}, [])}


# -- whole answers ---------------------------------------------------------------------------------------------------------


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body of this interface holds, whichever method it answers."""
    found = _Found()
    found.read(body, "answer")
    mentions: dict[MentionId, Mention] = {}
    for position, post in found.posts:
        try:
            mention = mention_of(post)
            mentions.setdefault(mention.id, mention)
        except InputError as error:
            found.reject(position, str(error), post)
    return Mapped(tuple(mentions.values()), tuple(found.rejects), tuple(found.deleted), tuple(found.told()))


def posts_in(thread: Any) -> tuple[list[Any], list[str], int]:
    """A thread as the service nests it, flat: its post views, the addresses of what is gone, and how many are blocked."""
    found = _Found()
    found.read(thread, "thread")
    gone = [one.removeprefix(f"{NETWORK}:") for one in found.deleted]
    return [post for _, post in found.posts], gone, found.blocked


class _Found:
    """What is in a body."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, Any]] = []
        self.rejects: list[Reject] = []
        self.deleted: list[MentionId] = []
        self.blocked = 0
        self.other: dict[str, int] = {}

    def read(self, body: Any, position: str) -> None:
        waiting = [(body, position, 0)]
        while waiting:  # not by recursion: threads are deep
            item, where, depth = waiting.pop()
            if depth < _DEEPEST:
                waiting += reversed(self._inside(item, where, depth))
            else:
                self.reject(where, f"more than {_DEEPEST} levels deep", item)

    def _inside(self, item: Any, where: str, depth: int) -> list[tuple[Any, str, int]]:
        if isinstance(item, list):
            prefix = "" if where == "answer" else f"{where}, "
            return [(one, f"{prefix}item {number}", depth + 1) for number, one in enumerate(item, start=1)]
        if not isinstance(item, dict):
            self.reject(where, "this is no object", item)
            return []
        for name in ("posts", "feed", "notifications", "thread"):
            if isinstance(item.get(name), list):
                return [
                    (one, f"{name[:-1] if name.endswith('s') else name} {n}", depth + 1)
                    for n, one in enumerate(item[name], start=1)
                ]
        if isinstance(item.get("thread"), dict):
            return [(item["thread"], "thread", depth + 1)]
        if item.get("notFound") is True:
            self._gone(item, where)
        elif item.get("blocked") is True:
            self.blocked += 1
        elif isinstance(item.get("post"), dict):
            self.posts.append((where, item["post"]))
            parents = (
                [(item["parent"], f"parent of {where}", depth + 1)] if isinstance(item.get("parent"), dict) else []
            )
            replies = enumerate(list_of(item.get("replies")), start=1)
            return [*parents, *((one, f"{where}, reply {number}", depth + 1) for number, one in replies)]
        elif isinstance(item.get("value"), dict) and "uri" in item:
            if text_of(item["value"].get("$type")).startswith(_V2):  # app.bsky.unspecced.getPostThreadV2
                return self._v2(item, where, depth)
            self.posts.append((where, {**item, "record": item["value"]}))  # com.atproto.repo.getRecord
        elif "record" in item:
            self._post(item, where)
        else:
            return self._rest(item, where, depth)
        return []

    def _v2(self, item: Mapping[str, Any], where: str, depth: int) -> list[tuple[Any, str, int]]:
        value, kind = item["value"], text_of(item["value"].get("$type")).removeprefix(_V2)
        if kind == "NotFound":
            self._gone(item, where)
        elif kind == "Blocked":
            self.blocked += 1
        elif kind == "Post":
            return [(value, where, depth + 1)]
        else:
            self.reject(where, "its author shows it to people who are logged in only", item)
        return []

    def _post(self, item: Mapping[str, Any], where: str) -> None:
        reason = first_text(item, "reason")
        if reason and "isRead" in item and reason not in _POST_REASONS:
            self.other[reason] = self.other.get(reason, 0) + 1
        elif "commit" not in item and text_of(at(item, "record", "$type")) not in {"", POST}:
            self.reject(where, "this is no post", item)
        else:
            self.posts.append((where, item))

    def _rest(self, item: Mapping[str, Any], where: str, depth: int) -> list[tuple[Any, str, int]]:
        if isinstance(item.get("commit"), dict):
            self._jetstream(item, where)
        elif "error" in item:
            self.reject(where, f"an error of the service: {reason_in(item)[:200] or text_of(item['error'])}", item)
        elif isinstance(item.get("records"), list):  # com.atproto.repo.listRecords
            return [(one, f"record {number}", depth + 1) for number, one in enumerate(item["records"], start=1)]
        elif isinstance(item.get("data"), dict | list):
            return [(item["data"], where, depth + 1)]
        elif item.get("$type") == POST:
            self.reject(where, "a bare record: it does not say whose it is", item)
        else:
            self.reject(where, "this is neither a post nor a list of posts", item)
        return []

    def _jetstream(self, item: Mapping[str, Any], where: str) -> None:
        commit, did = item["commit"], text_of(item.get("did"))
        uri = f"at://{did}/{text_of(commit.get('collection'))}/{text_of(commit.get('rkey'))}"
        if commit.get("collection") != POST or not did:
            self.reject(where, "this is no post", item)
        elif commit.get("operation") == "delete":
            self.deleted.append(MentionId(f"{NETWORK}:{short_id(uri)}"))
        else:
            post = {"uri": uri, "cid": commit.get("cid"), "record": commit.get("record"), "author": {"did": did}}
            self.posts.append((where, post))

    def _gone(self, item: Mapping[str, Any], where: str) -> None:
        uri = text_of(item.get("uri"))
        if uri.startswith("at://"):
            self.deleted.append(MentionId(f"{NETWORK}:{short_id(uri)}"))
        else:
            self.reject(where, "something that is gone, without its address", item)

    def told(self) -> Iterator[str]:
        """Notes on what holds no message."""
        for reason, count in sorted(self.other.items()):
            yield f"Notifications without a message: {count} of type {reason}."
        if self.blocked:
            yield f"Hidden posts: {self.blocked}. Somebody there has blocked somebody."

    def reject(self, position: str, reason: str, item: Any) -> None:
        self.rejects.append(rejected(position, reason, item))
