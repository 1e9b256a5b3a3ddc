"""Trustpilot's reviews of a shop and of its products as mentions: `heard` for one, `map_answer` for a whole saved answer. Pure.

Shapes: Service Reviews API and Product Reviews API, public and private; private ones name the order. Reviews as the pages of
trustpilot.com hold them (`rating`, `dates`) are understood too. E-mail addresses are not kept.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from collectors.reviews_map import map_bodies, reply_of, review_of, stars
from collectors.values import language, short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, kept, list_of, moment_of, text_of
from domain.contracts import Mapped
from domain.mention import Author, Engagement, Mention

NETWORK = "trustpilot"
_RAW = (
    "createdAt", "updatedAt", "experiencedAt", "isVerified", "reviewVerificationLevel", "source", "complianceLabels",
    "conversationId",
)  # fmt: skip


def heard(item: Any) -> tuple[Mention, ...]:
    """The review and our answer.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    review = dict_of(item)
    native_id, consumer, product = text_of(review.get("id")), dict_of(review.get("consumer")), review.get("product")
    reply = _reply(review)
    said = first_text(reply, "text", "message", "comment", "content")
    location = review.get("location")
    fields: dict[str, Any] = {
        "url": _url(review, native_id),
        "store": (location if isinstance(location, str) else first_text(location, "name", "id")) or None,
        "product": first_text(product, "sku", "name", "id") or None,
        "order_ref": first_text(review, "referenceId", "orderId") or None,
        "lang_hint": language(text_of(review.get("language"))),
        "engagement": Engagement(like_count=count_of(review.get("numberOfLikes", review.get("likes")))),
    }
    if text_of(consumer.get("id")):
        fields["author"] = _author(consumer)
    mention = review_of(
        NETWORK,
        native_id,
        first_text(review, "text", "content"),
        moment_of(first_text(review, "createdAt") or text_of(at(review, "dates", "publishedDate"))),
        stars(review.get("stars", review.get("rating"))),
        title=text_of(review.get("title")),
        author_name=first_text(consumer, "displayName", "name"),
        **fields,
        raw={
            "sort": "product" if is_product(review) else "service",
            "state": first_text(review, "status", "state"),
            **kept(review, _RAW),
            **kept(review.get("businessUnit"), ("identifyingName",)),
            **({"reply": {"text": said, **kept(reply, ("createdAt", "updatedAt"))}} if said else {}),
        },
    )
    written = first_text(reply, "createdAt", "publishedDate")
    about = kept(reply, ("authorBusinessUserName", "updatedAt"))
    return (mention, *reply_of(mention, said, moment_of(written), about))


def is_product(review: Mapping[str, Any]) -> bool:
    """Whether a product was reviewed, not the shop."""
    return isinstance(review.get("product"), dict) or "attributeRatings" in review


def map_answer(body: Any) -> Mapped:
    """The mentions that one JSON body holds, whichever method it answers."""
    return map_bodies(
        body,
        ("reviews", "productReviews"),
        lambda item: "stars" in item or ("id" in item and "consumer" in item) or ("rating" in item and "id" in item),
        heard,
    )


def _reply(review: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in ("companyReply", "reply", "firstCompanyComment"):
        found = review.get(name)
        if isinstance(found, dict):
            return found
    return {}


def _author(consumer: Mapping[str, Any]) -> Author:
    native_id = short_id(text_of(consumer.get("id")))
    name = first_text(consumer, "displayName", "name")
    return Author(native_id, name=name, url=f"https://www.trustpilot.com/users/{quote(native_id, safe='')}")


def _url(review: Mapping[str, Any], native_id: str) -> str:
    if is_product(review):
        return web_url(text_of(at(review, "product", "productUrl")))
    links = [text_of(at(link, "href")) for link in list_of(review.get("links")) if at(link, "rel") == "review"]
    given = next((url for url in map(web_url, links) if "www.trustpilot.com/" in url), "")
    return given or (f"https://www.trustpilot.com/reviews/{quote(native_id, safe='')}" if native_id else "")
