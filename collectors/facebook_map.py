"""Facebook's posts, comments and recommendations as mentions. Pure; whole answers are taken apart in `facebook_answer`.

A conversation is a comment on one of our posts with all that is answered below it: a post with 500 comments is not one
conversation, and 500 people are not one case. Where a post is itself somebody's word to us (a visitor's post, a post that
tags the Page, a recommendation), the post and everything below it are one conversation. Our own posts stand alone.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from collectors.meta_items import Own, cut, edge, first_of, kept, media, moment, needed, person, total
from collectors.values import content_id, short_id, web_url
from collectors.wire import at, count_of, dict_of, list_of, text_of
from domain.mention import Engagement, Mention, MentionKind

NETWORK = "facebook"
_ID = re.compile(r"[0-9]+(?:_[0-9]+)*", re.ASCII)
_POST_RAW = (
    "id", "created_time", "updated_time", "permalink_url", "parent_id", "status_type", "is_hidden", "is_published", "story",
    "message_tags", "to", "shares", "can_reply_privately", "tagged_time", "link", "type", "item", "verb", "edited_time",
)  # fmt: skip
_COMMENT_RAW = (
    "id", "created_time", "permalink_url", "parent", "object", "is_hidden", "is_private", "can_comment", "can_hide",
    "can_remove", "can_reply_privately", "like_count", "comment_count", "message_tags", "private_reply_conversation",
    "item", "verb", "edited_time",
)  # fmt: skip
_RATING_RAW = (
    "created_time", "has_rating", "has_review", "rating", "recommendation_type", "reviewer", "item", "verb",
)  # fmt: skip
_KINDS = {
    "album": "photo", "animated_image_autoplay": "gif", "animated_image_share": "gif", "animated_image_video": "gif",
    "cover_photo": "photo", "photo": "photo", "profile_media": "photo", "sticker": "sticker", "video": "video",
    "video_autoplay": "video", "video_inline": "video",
}  # fmt: skip
_RECOMMENDS = {"positive": "Recommended", "negative": "Not recommended"}
_THEIRS = frozenset({"visitor", "tagged", "rating"})


@dataclass(frozen=True, slots=True)
class Below:
    """What a comment stands below, as far as it is known.

    Attributes:
        post_id: the post; sort: ``own``, ``visitor``, ``tagged`` or ``rating``, else "".
        parent_id, top_id: the comment that is answered, and the one that its branch began with.
    """

    post_id: str = ""
    sort: str = ""
    parent_id: str = ""
    top_id: str = ""

    def under(self, comment_id: str) -> "Below":
        """What an answer to this comment stands below."""
        return Below(self.post_id, self.sort, comment_id, self.top_id or comment_id)


NOWHERE = Below()


def sort_of(post: Any, own: Own) -> str:
    """Whose post it is: ``own``, ``visitor`` or ``tagged``; "" where nothing tells."""
    given = dict_of(post)
    author = text_of(at(given, "from", "id"))
    if own.is_us(given.get("from")):
        return "own"
    if "tagged_time" in given:
        return "tagged"
    page = text_of(given.get("id")).partition("_")[0]  # on a Page, posts are named by the Page, whoever wrote them
    if author and author == page:
        return "tagged" if own.ids else "own"
    if page in own.ids or text_of(given.get("status_type")) == "wall_post":
        return "visitor"  # a Page is always named as the author of its own posts; people are not
    return "visitor" if author and not own.ids else ""


def map_post(post: Mapping[str, Any], own: Own, sort: str = "") -> Mention:
    """The mention that a post is.

    Args:
        sort: where the list that it stood in tells; else it is told from the post.

    Raises:
        InputError: it lacks id, date or words.
    """
    sort = sort or sort_of(post, own)
    native_id = short_id(text_of(post.get("id")))
    pictures = media(_media(post))
    text = first_of(post, "message")
    title = "" if text else _title(post, pictures)
    created_at = needed(native_id, moment(post.get("created_time")), text or title, "post")
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.POST,
        author=person(post.get("from")),
        conversation_id=native_id,
        outbound=sort == "own",
        title=title,
        url=_address(post, native_id),
        engagement=Engagement(
            like_count=next(
                (count for name in ("reactions", "likes") if (count := total(post, name)) is not None), None
            ),
            share_count=count_of(at(post, "shares", "count")),
            reply_count=total(post, "comments"),
        ),
        raw={"what": "post", "sort": sort, **kept(post, _POST_RAW), **_with(pictures)},
    )


def map_comment(comment: Mapping[str, Any], own: Own, below: Below = NOWHERE) -> Mention:
    """The mention that a comment is. Raises InputError where it lacks id, date or words."""
    native_id = short_id(text_of(comment.get("id")))
    pictures = media(_media(comment))
    text = first_of(comment, "message")
    title = "" if text else _title(comment, pictures)
    created_at = needed(native_id, moment(comment.get("created_time")), text or title, "comment")
    post_id = below.post_id or text_of(at(comment, "object", "id"))
    parents = _parents(comment) or [one for one in (below.parent_id, below.top_id) if one]
    top = below.top_id or (parents[-1] if parents else native_id)
    thread = post_id if below.sort in _THEIRS and post_id else top
    raw = {"what": "comment", "sort": below.sort, "post_id": post_id, **kept(comment, _COMMENT_RAW), **_with(pictures)}
    if top != native_id:
        raw["top_id"] = top
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.COMMENT,
        author=person(comment.get("from")),
        conversation_id=short_id(thread),
        parent_id=short_id(parents[0] if parents else post_id) or None,
        outbound=own.is_us(comment.get("from")),
        title=title,
        url=_address(comment, native_id),
        engagement=Engagement(
            like_count=count_of(comment.get("like_count")), reply_count=count_of(comment.get("comment_count"))
        ),
        raw=raw,
    )


def map_rating(row: Mapping[str, Any]) -> Mention:
    """The mention that a recommendation is; stars where it has some (older ones), else only its direction, in raw.

    Raises:
        InputError: it has no date, or says nothing at all.
    """
    story = text_of(at(row, "open_graph_story", "id")) or text_of(row.get("open_graph_story_id"))
    reviewer = row.get("reviewer")
    stars = count_of(row.get("rating"))
    text = first_of(row, "review_text") or first_of(row.get("open_graph_story"), "message")
    title = _RECOMMENDS.get(text_of(row.get("recommendation_type")).lower(), "")
    if not title and stars:
        title = f"{stars} / 5"
    when = row.get("created_time") or at(row, "open_graph_story", "start_time")
    native_id = short_id(story) or content_id((text_of(at(reviewer, "id")), text_of(when), text))
    created_at = needed(native_id, moment(when), text or title, "recommendation")
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.REVIEW,
        author=person(reviewer),
        conversation_id=native_id,
        title=title,
        url=_address({}, story),
        rating=stars if stars in range(1, 6) else None,
        raw={"what": "rating", "sort": "rating", "story_id": story, **kept(row, _RATING_RAW)},
    )


def is_rating(item: Mapping[str, Any]) -> bool:
    """Whether a row is a recommendation."""
    names = (
        "recommendation_type",
        "has_review",
        "has_rating",
        "review_text",
        "open_graph_story",
        "open_graph_story_id",
    )
    return any(name in item for name in names) or ("reviewer" in item and "rating" in item)


def _parents(comment: Mapping[str, Any]) -> list[str]:
    """The comments above, nearest first."""
    found: list[str] = []
    above = comment.get("parent")
    while isinstance(above, dict) and len(found) < 10:
        if parent_id := text_of(above.get("id")):
            found.append(parent_id)
        above = above.get("parent")
    return found


def _address(item: Mapping[str, Any], native_id: str) -> str:
    given = web_url(text_of(item.get("permalink_url")))
    return given or (f"https://www.facebook.com/{native_id}" if _ID.fullmatch(native_id) else "")


def _title(item: Mapping[str, Any], pictures: list[dict[str, str]]) -> str:
    """What there is to say of an item without words of its own."""
    attached = [*edge(item, "attachments"), item.get("attachment")]
    told = next((found for one in attached if (found := first_of(one, "title", "description"))), "")
    told = told or first_of(item, "story", "name", "description", "caption", "title")
    return told or next((one["alt"] or one["kind"].capitalize() for one in pictures), "")


def _with(pictures: list[dict[str, str]]) -> dict[str, Any]:
    return {"media": cut(pictures)} if pictures else {}


def _media(item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in (*edge(item, "attachments"), item.get("attachment")):
        yield from _attached(dict_of(one))
    for name, kind in (("source", "video"), ("video", "video"), ("photo", "photo"), ("full_picture", "photo")):
        yield text_of(item.get(name)), "", kind
    if text_of(item.get("item")) in {"photo", "video"}:  # a delivery: its link is the picture
        yield text_of(item.get("link")), "", text_of(item.get("item"))
    for one in list_of(item.get("photos")):
        yield text_of(one), "", "photo"


def _attached(one: dict[str, Any], depth: int = 0) -> Iterator[tuple[str, str, str]]:
    kind = _KINDS.get(text_of(one.get("media_type")) or text_of(one.get("type")), "")
    kind = kind or _KINDS.get(text_of(one.get("type")), "")
    inner = edge(one, "subattachments") if depth < 3 else []
    if kind and not inner:
        address = text_of(at(one, "media", "source")) if kind == "video" else ""
        address = address or text_of(at(one, "media", "image", "src")) or text_of(one.get("url"))
        yield address, first_of(one, "description", "title"), kind
    for other in inner:
        yield from _attached(dict_of(other), depth + 1)
