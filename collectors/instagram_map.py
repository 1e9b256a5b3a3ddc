"""Instagram's media and comments as mentions. Pure; whole answers are taken apart in `instagram_answer`.

A conversation is a comment on one of our media with all that is answered below it, for the reasons that `facebook_map`
gives. On other people's media we only hear where we are named, and Instagram does not tell what a comment answers: there,
all that names us below one medium is one conversation, that of the medium.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from collectors.meta_items import Own, cut, edge, first_of, kept, media, moment, needed, person
from collectors.values import short_id, web_url
from collectors.wire import at, count_of, dict_of, text_of
from domain.mention import Engagement, Mention, MentionKind

NETWORK = "instagram"
_SITE = "https://www.instagram.com/"
_MEDIA_RAW = (
    "id", "media_type", "media_product_type", "timestamp", "permalink", "shortcode", "is_comment_enabled",
)  # fmt: skip
_COMMENT_RAW = ("id", "timestamp", "hidden", "parent_id", "like_count")
_TITLES = {"IMAGE": "Photo", "VIDEO": "Video", "CAROUSEL_ALBUM": "Album", "REELS": "Reel", "STORY": "Story"}
_OF_MEDIA = (
    "media_type", "media_product_type", "media_url", "caption", "permalink", "comments_count", "shortcode",
    "thumbnail_url", "is_comment_enabled", "children",
)  # fmt: skip
_OF_COMMENTS = ("text", "hidden", "parent_id", "replies", "comment_id")


@dataclass(frozen=True, slots=True)
class On:
    """What a comment stands on, as far as it is known.

    Attributes:
        sort: ``own``, ``mentioned`` (somebody else's medium, and we are named), ``tagged`` or ``hashtag``; else "".
        top_id: the comment that its branch began with; url: of the medium.
        live: it is a broadcast.
    """

    media_id: str = ""
    sort: str = ""
    top_id: str = ""
    url: str = ""
    live: bool = False

    def under(self, comment_id: str) -> "On":
        """What an answer to this comment stands on."""
        return replace(self, top_id=self.top_id or comment_id)


NOWHERE = On()


def is_media(item: Mapping[str, Any]) -> bool:
    """Whether an item is a medium."""
    return "text" not in item and any(name in item for name in _OF_MEDIA)


def is_comment(item: Mapping[str, Any]) -> bool:
    """Whether an item is a comment."""
    return any(name in item for name in _OF_COMMENTS)


def on_media(item: Mapping[str, Any], sort: str) -> On:
    """What comments on this medium stand on."""
    live = text_of(item.get("media_product_type")) == "LIVE"
    return On(text_of(item.get("id")), sort, url=web_url(text_of(item.get("permalink"))), live=live)


def sort_of(item: Mapping[str, Any], own: Own) -> str:
    """``own`` where a medium is ours; "" where nothing tells. Instagram names the owner of our own media only."""
    return "own" if own.is_us(item) or own.is_us(item.get("owner")) or dict_of(item.get("owner")) else ""


def map_media(item: Mapping[str, Any], own: Own, sort: str = "") -> Mention:
    """The mention that a medium is.

    Args:
        sort: see On; where the list that it stood in tells.

    Raises:
        InputError: it lacks id, date or words.
    """
    sort = sort or sort_of(item, own)
    native_id = short_id(text_of(item.get("id")))
    text = first_of(item, "caption")
    pictures = media(_media(item))
    kinds = (text_of(item.get("media_product_type")), text_of(item.get("media_type")))
    titles = [_TITLES[kind] for kind in kinds if kind in _TITLES] + [one["kind"].capitalize() for one in pictures]
    title = "" if text else next(iter(titles), "")
    created_at = needed(native_id, moment(item.get("timestamp")), text or title, "medium")
    whose = {"username": item.get("username"), **dict_of(item.get("owner"))}
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.POST,
        author=person(whose, page=_SITE),
        conversation_id=native_id,
        outbound=sort == "own",
        title=title,
        url=web_url(text_of(item.get("permalink"))),
        engagement=Engagement(
            like_count=count_of(item.get("like_count")),
            reply_count=count_of(item.get("comments_count")),
            view_count=count_of(item.get("view_count")),
        ),
        raw={"what": "media", "sort": sort, **kept(item, _MEDIA_RAW), **({"media": cut(pictures)} if pictures else {})},
    )


def map_comment(item: Mapping[str, Any], own: Own, on: On = NOWHERE) -> Mention:
    """The mention that a comment is. Raises InputError where it lacks id, date or words."""
    native_id = short_id(text_of(item.get("id")) or text_of(item.get("comment_id")))
    text = first_of(item, "text")
    created_at = needed(native_id, moment(item.get("timestamp")), text, "comment")
    medium = dict_of(item.get("media"))
    media_id = on.media_id or text_of(medium.get("id"))
    parent = text_of(item.get("parent_id"))
    parent = "" if parent in {media_id, native_id} else parent
    top = on.top_id or parent
    theirs = on.sort == "mentioned" and media_id
    raw = {"what": "comment", "sort": on.sort, "media_id": media_id, **kept(item, _COMMENT_RAW)}
    if top and top != native_id:
        raw["top_id"] = top
    if on.live or text_of(medium.get("media_product_type")) == "LIVE":
        raw["live"] = True
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.COMMENT,
        author=person(_author(item), page=_SITE),
        conversation_id=short_id(media_id if theirs else top or native_id),
        parent_id=short_id(top or media_id) or None,
        outbound=_is_ours(item, own),
        url=on.url or web_url(text_of(medium.get("permalink"))),
        engagement=Engagement(like_count=count_of(item.get("like_count")), reply_count=_answers(item)),
        raw=raw,
    )


def _author(item: Mapping[str, Any]) -> dict[str, Any]:
    given = dict_of(item.get("from"))
    handle = text_of(given.get("username")) or text_of(item.get("username"))
    return {"id": text_of(given.get("id")) or text_of(at(item, "user", "id")), "username": handle}


def _is_ours(item: Mapping[str, Any], own: Own) -> bool:
    """Instagram gives `user` only of our own comments, and an account's second number only of ourselves."""
    people = (item.get("from"), item.get("user"), {"username": item.get("username")})
    marked = bool(dict_of(item.get("user"))) or "self_ig_scoped_id" in dict_of(item.get("from"))
    return marked or any(own.is_us(one) for one in people)


def _answers(item: Mapping[str, Any]) -> int | None:
    """How many answers came along; None where there may be more."""
    found = edge(item, "replies")
    return len(found) if found and not at(item, "replies", "paging", "next") else None


def _media(item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    alt = text_of(item.get("alt_text"))
    for one in (item, *map(dict_of, edge(item, "children"))):
        video = text_of(one.get("media_type")) == "VIDEO" or text_of(one.get("media_product_type")) == "REELS"
        described = text_of(one.get("alt_text")) or alt
        yield text_of(one.get("media_url")), described, "video" if video else "photo"
        yield text_of(one.get("thumbnail_url")), described, "photo"
