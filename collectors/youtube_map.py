"""YouTube's comments and videos as mentions. Pure; whole answers are taken apart by `map_answer`.

A conversation is a comment below a video with all that is answered below it; YouTube knows no deeper level. A video that a
search finds is a post. Shapes: YouTube Data API v3, resources comment, commentThread, video and searchResult.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from html import unescape
from typing import Any

from collectors.values import short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, moment_of, reason_in, rejected, text_of
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionKind

NETWORK = "youtube"
SITE = "https://www.youtube.com"
_RAW = ("videoId", "channelId", "canReply", "isPublic", "moderationStatus", "updatedAt", "viewerRating")
COMMENT, THREAD, VIDEO, FOUND = "youtube#comment", "youtube#commentThread", "youtube#video", "youtube#searchResult"


def changed_at(comment: Mapping[str, Any]) -> datetime | None:
    """When a comment was last written anew; None where it never was."""
    first, last = (moment_of(at(comment, "snippet", name)) for name in ("publishedAt", "updatedAt"))
    return last if first and last and last > first else None


def mention_of(
    comment: Mapping[str, Any], *, own_channel: str = "", thread: Mapping[str, Any] | None = None
) -> Mention:
    """The mention that a comment is.

    Args:
        own_channel: the channel that is ours; its words are outbound.
        thread: snippet of the thread that it was found in, which knows the video and whether one may answer.

    Raises:
        InputError: it has no id, no date or no words.
    """
    snippet, above = dict_of(comment.get("snippet")), thread or {}
    native_id, created_at = short_id(text_of(comment.get("id"))), moment_of(snippet.get("publishedAt"))
    if not native_id:
        raise InputError("it has no id")
    if created_at is None:
        raise InputError("it has no date that can be read")
    text = text_of(snippet.get("textOriginal")) or unescape(text_of(snippet.get("textDisplay")))
    if not text.strip():
        raise InputError("it says nothing")
    parent = short_id(text_of(snippet.get("parentId")))
    video = text_of(snippet.get("videoId")) or text_of(above.get("videoId"))
    author = _author(snippet)
    raw = {**kept(above, _RAW), **kept(snippet, _RAW), **({"videoId": video} if video else {})}
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text.strip(),
        created_at=created_at,
        kind=MentionKind.COMMENT,
        author=author,
        conversation_id=parent or native_id,
        parent_id=parent or None,
        outbound=bool(own_channel) and author is not None and author.native_id == own_channel,
        url=web_url(f"{SITE}/watch?v={video}&lc={native_id}") if video else "",
        engagement=Engagement(
            like_count=count_of(snippet.get("likeCount")), reply_count=count_of(above.get("totalReplyCount"))
        ),
        raw=raw,
    )


def video_of(item: Mapping[str, Any], *, own_channel: str = "") -> Mention:
    """The mention that a video is, as a search finds it. Raises InputError as `mention_of`."""
    snippet = dict_of(item.get("snippet"))
    key = text_of(at(item, "id", "videoId")) or text_of(item.get("id"))
    created_at = moment_of(snippet.get("publishedAt"))
    title, text = (unescape(text_of(snippet.get(name))).strip() for name in ("title", "description"))
    if not key or created_at is None:
        raise InputError("it has no id" if not key else "it has no date that can be read")
    if not (title or text):
        raise InputError("it says nothing")
    channel = text_of(snippet.get("channelId"))
    author = (
        Author(channel, name=text_of(snippet.get("channelTitle")), url=f"{SITE}/channel/{channel}") if channel else None
    )
    return Mention(
        network=NETWORK,
        native_id=short_id(f"video:{key}"),
        text=text,
        created_at=created_at,
        kind=MentionKind.POST,
        author=author,
        conversation_id=short_id(f"video:{key}"),
        outbound=bool(own_channel) and channel == own_channel,
        title=title,
        url=web_url(f"{SITE}/watch?v={key}"),
        raw={"videoId": key, "what": "video"},
    )


def comments_in(thread: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The comments of a thread that its resource shows: the first, and some of the answers."""
    first = at(thread, "snippet", "topLevelComment")
    replies = list_of(at(thread, "replies", "comments"))
    return [one for one in (first, *replies) if isinstance(one, dict)]


def _author(snippet: Mapping[str, Any]) -> Author | None:
    told = snippet.get("authorChannelId")
    channel = text_of(at(told, "value")) or text_of(told)
    name = text_of(snippet.get("authorDisplayName")).strip()
    if not (channel or name):
        return None
    handle = name if name.startswith("@") else ""
    return Author(
        short_id(channel or name),
        handle=handle.lstrip("@"),
        name=name.lstrip("@"),
        url=f"{SITE}/channel/{channel}" if channel else "",
    )


def map_answer(body: Any) -> Mapped:
    """Everything that one saved answer holds."""
    mentions: dict[str, Mention] = {}
    rejects: list[Reject] = []
    other = 0
    for position, item, thread in _items(body):
        kind = text_of(item.get("kind")) if isinstance(item, dict) else ""
        try:
            if not isinstance(item, dict):
                raise InputError("this is no object")
            if isinstance(item.get("error"), dict | str):
                raise InputError(f"an error of YouTube: {reason_in(item)[:200] or 'no words'}")
            if kind in {VIDEO, FOUND}:
                mention = video_of(item)
            elif kind in {"", COMMENT} and "snippet" in item:
                mention = mention_of(item, thread=thread)
            elif kind:
                other += 1
                continue
            else:
                raise InputError("this is neither a comment nor a video")
        except InputError as error:
            rejects.append(rejected(position, str(error), item))
            continue
        mentions.setdefault(mention.id, mention)
    notes = (f"Left out, as nothing is said in it: {other}.",) if other else ()
    return Mapped(tuple(mentions.values()), tuple(rejects), (), notes)


def _items(body: Any) -> Iterator[tuple[str, Any, Mapping[str, Any] | None]]:
    found = body.get("items") if isinstance(body, dict) and "items" in body else body
    for number, item in enumerate(found if isinstance(found, list) else [found], start=1):
        place = f"item {number}"
        if isinstance(item, dict) and (
            item.get("kind") == THREAD or at(item, "snippet", "topLevelComment") is not None
        ):
            comments = comments_in(item)
            if not comments:
                yield place, {}, None
            for count, comment in enumerate(comments, start=1):
                yield f"{place}, comment {count}", comment, dict_of(item.get("snippet"))
        else:
            yield place, item, None


def name_of(thread: Mapping[str, Any]) -> str:
    """Id of a thread: that of its first comment."""
    return first_text(thread, "id") or text_of(at(thread, "snippet", "topLevelComment", "id"))
