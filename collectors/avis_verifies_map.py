"""Avis Vérifiés' reviews (Skeepers Verified Reviews) as mentions: `heard` for one, `map_answer` for a saved answer. Pure.

Shapes: the Published API of 2025 (`review_rate`, `publish_date`), the Product Reviews API before it, and the JSON files that
shops were given before that (`rate`, `moderation`). Below a review the shop and its author may go on talking.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.reviews_map import map_bodies, review_of, stars
from collectors.values import language, rating, short_id, web_url
from collectors.wire import at, dict_of, first_text, kept, list_of, moment_of, text_of
from domain.contracts import Mapped
from domain.mention import Mention

NETWORK = "avis_verifies"
OFFICE = "https://app.netreviews.eu/"  # where the shop answers
_RAW = (
    "review_date", "publish_date", "order_date", "is_verified", "syndicated_review", "incentivization", "product_name",
    "product_brand", "product_sku", "product_page_url", "shop_id", "shop_name", "locale",
)  # fmt: skip
_COMMENTS = ("comments", "replies", "dialogs", "moderation")
_AUTHOR = frozenset({"3", "customer", "consumer", "author", "client"})
_FRENCH_DAY = re.compile(r"(\d{2})/(\d{2})/(\d{4})(?:[ T](\d{2}):(\d{2}))?")


def heard(item: Any) -> tuple[Mention, ...]:
    """The review, and what was said below it.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    review = dict_of(item)
    native_id = first_text(review, "review_id", "id_review_product", "id_review")
    names = (first_text(review, "author_firstname", "firstname"), first_text(review, "author_lastname", "lastname"))
    given = review.get("review_rate", review.get("rate"))
    mention = review_of(
        NETWORK,
        native_id,
        first_text(review, "review_content", "review", "content"),
        when(first_text(review, "review_date", "publish_date", "created_at", "date")),
        stars(given) or (rating(given) if isinstance(given, str) else None),
        title=text_of(review.get("review_title")),
        author_name=" ".join(name for name in names if name),
        url=OFFICE,
        store=first_text(review, "shop_name", "shop_reference", "shop_id") or None,
        product=first_text(review, "product_variation_id", "product_sku", "id_product", "product_ref", "product_name")
        or None,
        order_ref=first_text(review, "order_reference", "order_ref", "order_id") or None,
        lang_hint=language(first_text(review, "locale", "lang")),
        raw=_raw(review),
    )
    return (mention, *_below(mention, review))


def when(written: str) -> datetime | None:
    """A moment as ISO, as seconds since 1970, or as 31/12/2025 10:00; without a zone it is UTC."""
    if written.isascii() and written.isdigit() and len(written) == 10:
        return datetime.fromtimestamp(int(written), tz=UTC)
    french = _FRENCH_DAY.fullmatch(written)
    if french:
        day, month, year, hour, minute = (int(part or 0) for part in french.groups())
        try:
            return datetime(year, month, day, hour, minute, tzinfo=UTC)
        except ValueError:
            return None
    return moment_of(written)


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body holds, whichever version of the interface it comes from."""
    return map_bodies(body, ("data", "reviews"), _is_review, heard)


def _is_review(item: Mapping[str, Any]) -> bool:
    return any(
        name in item for name in ("review_id", "review_rate", "id_review", "id_review_product", "review_content")
    )


def _below(review: Mention, item: Mapping[str, Any]) -> Iterator[Mention]:
    for number, comment in enumerate(_comments(item), start=1):
        text = first_text(comment, "comment", "content", "message", "text")
        at_moment = when(first_text(comment, "comment_date", "publish_date", "created_at", "date")) or review.created_at
        origin = first_text(comment, "comment_origin", "origin", "author_type").lower()
        if text.strip():
            theirs = origin in _AUTHOR
            yield Mention(
                network=NETWORK,
                native_id=short_id(f"{review.native_id}/{number}"),
                text=text.strip(),
                created_at=at_moment,
                kind=review.kind,
                author=review.author if theirs else None,
                conversation_id=review.native_id,
                parent_id=review.native_id,
                outbound=not theirs,
                url=review.url,
                store=review.store,
                product=review.product,
                raw={"origin": origin} if origin else {},
            )


def _comments(item: Mapping[str, Any]) -> list[Any]:
    return next((list_of(item[name]) for name in _COMMENTS if isinstance(item.get(name), list)), [])


def _raw(review: Mapping[str, Any]) -> dict[str, Any]:
    raw = kept(review, _RAW)
    media = [web_url(first_text(one, "url", "large", "medium", "small")) for one in list_of(review.get("media"))]
    if any(media):
        raw["media"] = [{"url": url, "alt": ""} for url in media if url]
    answered = [one for one in _comments(review) if text_of(at(one, "comment_origin")) != "3"]
    if answered:
        raw["reply"] = {"count": len(answered)}
    return raw
