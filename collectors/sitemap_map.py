"""What a page's reviews, comments, questions and answers mean as mentions. Pure.

Sites seldom give their reviews an id: where there is none, it is made of what is said, by whom and where. A first name is no
account: who has no page of her own is a stranger again with each review.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Any
from urllib.parse import urldefrag, urljoin

from collectors.markup import text_of as readable
from collectors.reviews_map import drawn
from collectors.sitemap_page import Node, PageDocument, read_page, types_of
from collectors.values import content_id, count, counted, language, rating, short_id, web_url
from collectors.wire import dict_of, first_text, kept, list_of, rejected, text_of
from domain.clock import utc_now
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Engagement, Mention, MentionKind

NETWORK = "reviews"
_TEXTS = ("reviewBody", "text", "commentText", "description")
_DATES = ("datePublished", "dateCreated", "commentTime", "dateModified", "uploadDate")
_FIELDS = (
    "@type", "@id", "name", "headline", "reviewBody", "text", "description", "reviewRating", "author", "datePublished",
    "dateCreated", "url", "inLanguage", "upvoteCount",
)  # fmt: skip


def map_page(
    document: PageDocument, url: str, *, network: str, own_names: frozenset[str], fallback_at: datetime
) -> tuple[list[Mention], list[Reject], int]:
    """Mentions and rejects of a page, and how many were dated by the page.

    Args:
        own_names: names, in lower case, under which the shop itself speaks there.
        fallback_at: when the page was changed, for what has no date of its own.
    """
    place = urldefrag(urljoin(url, document.canonical))[0] if document.canonical and url else url
    mentions: dict[str, Mention] = {}
    ids: dict[int, str] = {}
    threads: dict[int, str] = {}
    rejects = [rejected(f"{url} {position}".strip(), reason, raw) for position, reason, raw in document.faults]
    undated = 0
    for node in document.nodes:
        parent = _parent(node, ids)
        try:
            mention = _mention(node, place, document.language, network, own_names, fallback_at, parent, threads)
        except InputError as error:
            rejects.append(rejected(f"{url} {node.position}".strip(), str(error), dict(node.data)))
            continue
        ids[id(node)], threads[id(node)] = mention.native_id, mention.conversation_id
        undated += _moment(node.data) is None
        mentions.setdefault(mention.native_id, mention)  # pages say the same thing in several blocks
    return list(mentions.values()), rejects, undated


def map_document(body: bytes) -> Mapped:
    """The mentions of a saved page, or of a body that is JSON-LD by itself; what has no date is dated now."""
    document = read_page(body)
    mentions, rejects, undated = map_page(
        document, web_url(document.canonical), network=NETWORK, own_names=frozenset(), fallback_at=utc_now()
    )
    notes = [f"{counted(undated, 'utterance')} without a date: dated now."] if undated else []
    if not (mentions or rejects):
        notes.append("The page says nothing in schema.org's words (JSON-LD): no review, comment, question or answer.")
    return Mapped(tuple(mentions), tuple(rejects), notes=tuple(notes))


def _mention(
    node: Node,
    place: str,
    page_language: str,
    network: str,
    own_names: frozenset[str],
    fallback_at: datetime,
    parent: str,
    threads: Mapping[int, str],
) -> Mention:
    data = node.data
    text = readable(first_text(data, *_TEXTS))
    title = readable(first_text(data, "headline", "name"))
    if node.kind == "question":
        text, title = (text or title), (title if text else "")
    stars = _stars(data.get("reviewRating"))
    if not text and not title:
        if stars is None:
            raise InputError("it says nothing")
        title = drawn(stars)
    name, page, is_shop = _who(data.get("author", data.get("creator")))
    written = _moment(data)
    native_id = _native_id(data, place, (node.kind, text, title, name, written.isoformat() if written else ""))
    thread = threads.get(id(node.within), parent) if node.within else ""
    return Mention(
        network=network,
        native_id=native_id,
        text=text,
        created_at=written or fallback_at,
        kind=MentionKind.REVIEW if "review" in node.kind else MentionKind.COMMENT,
        author=Author(short_id(page) if page else content_id((native_id, name)), name=name, url=page) if name else None,
        conversation_id=thread or native_id,
        parent_id=parent or None,
        outbound=bool(name) and (name.casefold() in own_names or (is_shop and bool(node.within) and not own_names)),
        title=title,
        url=web_url(urljoin(place, first_text(data, "url"))) or web_url(place),
        lang_hint=language(first_text(data, "inLanguage")) or language(page_language),
        rating=stars,
        product=_product(data, node.subject),
        store=_store(data, node.subject),
        engagement=Engagement(like_count=count(data.get("upvoteCount")), reply_count=count(data.get("answerCount"))),
        raw={**kept(dict(data), _FIELDS), "page": place},
    )


def _parent(node: Node, ids: Mapping[int, str]) -> str:
    within = node.within
    while within is not None:
        if id(within) in ids:
            return ids[id(within)]
        within = within.within
    return ""


def _native_id(data: Mapping[str, Any], place: str, said: tuple[str, ...]) -> str:
    """An id or address of its own, where it is not just the page's."""
    for name in ("@id", "url"):
        found = first_text(data, name)
        address = urljoin(place, found) if found and not found.startswith("_:") else ""
        if web_url(address) and address.rstrip("/#") != place.rstrip("/#"):
            return short_id(address)
    identifier = first_text(data, "identifier", "reviewId", "commentId")
    return content_id((place, "id", identifier)) if identifier else content_id((place, *said))


def _who(value: Any) -> tuple[str, str, bool]:
    """Name, page of her own, and whether it is an organisation."""
    person = next((one for one in list_of(value) if one), value) if isinstance(value, list) else value
    if isinstance(person, str):
        return readable(text_of(person))[:200], "", False
    data = dict_of(person)
    name = readable(first_text(data, "name", "alternateName", "givenName"))[:200]
    page = next((found for key in ("url", "@id") if (found := web_url(first_text(data, key)))), "")
    return (
        name,
        page,
        bool({"organization", "corporation", "store", "onlinestore", "localbusiness"} & set(types_of(data))),
    )


def _stars(value: Any) -> int | None:
    """Stars of a Rating, of a bare number, or of "8/10"."""
    if isinstance(value, list):
        value = next(iter(value), None)
    if not isinstance(value, dict):
        return rating(_number(value))
    given, best = _number(value.get("ratingValue")), _number(value.get("bestRating")).partition(".")[0]
    out_of = best if best.isascii() and best.isdigit() and 0 < len(best) < 5 else "5"
    percent = given.removesuffix("%").strip()
    if given.endswith("%"):
        return rating(f"{percent}/100")
    if out_of == "5":
        return rating(given)  # also where it says "8/10" itself
    return rating(f"{given}/{out_of}")


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else text_of(value).strip()


def _product(data: Mapping[str, Any], subject: Mapping[str, Any]) -> str | None:
    """Key of the product spoken of, as the page states it."""
    for one in (dict_of(data.get("itemReviewed")), dict_of(data.get("about")), subject):
        if any("product" in kind for kind in types_of(one)):
            found = first_text(one, "sku", "productID", "mpn", "gtin13", "gtin", "name")
            return found[:200] or None
    return None


def _store(data: Mapping[str, Any], subject: Mapping[str, Any]) -> str | None:
    for one in (dict_of(data.get("itemReviewed")), subject):
        if {"store", "localbusiness"} & set(types_of(one)):
            found = first_text(one, "branchCode", "name")
            return found[:200] or None
    return None


def _moment(data: Mapping[str, Any]) -> datetime | None:
    """In UTC; a day alone is its noon."""
    for name in _DATES:
        written = first_text(data, name).strip()
        try:
            found = datetime.fromisoformat(written) if written else None
            if found is not None and len(written) <= 10:
                return datetime.combine(found.date(), time(12), UTC)
            if found is not None:
                return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (OverflowError, ValueError):
            continue
    return None
