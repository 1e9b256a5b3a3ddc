"""Google's reviews of a shop's places as mentions: `heard` for one, `map_answer` for a whole saved answer. Pure.

Shapes: My Business API v4, resource accounts.locations.reviews (starRating is a word; the author has a name and no id; a
review is edited in place). Google puts its own translation beside the author's words: only the author's are kept as text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from collectors.reviews_map import map_bodies, reply_of, review_of
from collectors.values import web_url
from collectors.wire import at, dict_of, kept, list_of, moment_of, text_of
from domain.contracts import Mapped
from domain.mention import Mention

NETWORK = "google"
_STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
_RAW = ("name", "reviewId", "createTime", "updateTime", "reviewReplyUrl")
_LOCATION = re.compile(r"(?:accounts/[^/\s]+/)?(locations/[^/\s]+)")
# “… (Translated by Google) …” comes after the words, or before them and then with “(Original)”.
_ORIGINAL = re.compile(r"\(\s*Original\s*\)\s*", re.IGNORECASE)
_TRANSLATED = re.compile(r"\s*\(\s*(?:Translated by Google|Traduit par Google)\s*\)\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Store:
    """A place, as the shop knows it: its code where it has one, else its name; `url`: where people see it."""

    key: str
    url: str = ""


def heard(item: Any, stores: Mapping[str, Store] | None = None) -> tuple[Mention, ...]:
    """The review and our answer.

    Args:
        stores: ``locations/…`` -> the place; the number stands for one that is not in it.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    review = dict_of(dict_of(item).get("review")) or dict_of(item)  # batchGetReviews wraps it
    name = text_of(review.get("name"))
    place = _LOCATION.match(name) or _LOCATION.match(text_of(at(item, "name")))
    location = place[1] if place else ""
    store = (stores or {}).get(location) or (Store(location.partition("/")[2]) if location else None)
    author, reply = dict_of(review.get("reviewer")), dict_of(review.get("reviewReply"))
    native_id = text_of(review.get("reviewId")) or name.rpartition("/reviews/")[2]
    rating = _STARS.get(text_of(review.get("starRating")).upper())
    mention = review_of(
        NETWORK,
        native_id,
        own_words(text_of(review.get("comment"))),
        moment_of(review.get("createTime")) or moment_of(review.get("updateTime")),
        rating,
        author_name="" if author.get("isAnonymous") is True else text_of(author.get("displayName")),
        url=web_url(text_of(review.get("reviewReplyUrl"))) or (store.url if store else ""),
        store=store.key if store else None,
        raw=_raw(review, reply),
    )
    said = own_words(text_of(reply.get("comment")))
    state = _state(reply)
    return (
        mention,
        *reply_of(mention, said, moment_of(reply.get("updateTime")), {**kept(review, ("name",)), **state}),
    )


def own_words(comment: str) -> str:
    """The author's words, without Google's translation of them."""
    if not _TRANSLATED.search(comment):
        return comment
    original = _ORIGINAL.search(comment)
    if original:
        return comment[original.end() :].strip()
    before = _TRANSLATED.split(comment, maxsplit=1)[0].strip()
    return before or comment


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body holds, whichever method it answers."""
    return map_bodies(body, ("reviews", "locationReviews"), _is_review, partial(heard, stores=None))


def _is_review(item: Mapping[str, Any]) -> bool:
    return "starRating" in item or "reviewId" in item or isinstance(item.get("review"), dict)


def _state(reply: Mapping[str, Any]) -> dict[str, Any]:
    """Of our answer: Google reads it before others may."""
    return {"state": text_of(reply.get("reviewReplyState")), **kept(reply, ("policyViolation", "updateTime"))}


def _raw(review: Mapping[str, Any], reply: Mapping[str, Any]) -> dict[str, Any]:
    raw = kept(review, _RAW)
    media = [kept(one, ("thumbnailUrl", "videoUrl")) for one in list_of(review.get("reviewMediaItems"))]
    if any(media):
        raw["media"] = [{"url": one.get("videoUrl") or one.get("thumbnailUrl"), "alt": ""} for one in media if one]
    if _TRANSLATED.search(text_of(review.get("comment"))):
        raw["comment"] = text_of(review.get("comment"))
    if reply:
        raw["reply"] = {**kept(reply, ("comment", "updateTime", "policyViolation")), "state": _state(reply)["state"]}
    return raw
