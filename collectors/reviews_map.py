"""Reviews as mentions: what the networks of reviews have in common. Pure.

A review and our answer to it are two mentions of one thread; the networks keep one answer a review, so its id is made of the
review's. A rating without words is heard too: its stars stand as the title. What a vendor's fields mean is in its own
`*_map` module.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from collectors.values import short_id
from collectors.wire import at, reason_in, rejected, text_of
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Mention, MentionId, MentionKind
from domain.permission import ReplyRule, always

Heard = Callable[[Any], tuple[Mention, ...]]  # an item -> the review, and our answer where there is one
_TAG = re.compile(r"<[^<>]{1,500}>")


def stars(value: Any) -> int | None:
    """Whole stars 1..5 of 4, "4", 4.0; None for anything else."""
    if isinstance(value, str) and value.strip() in {"1", "2", "3", "4", "5"}:
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or value not in {1, 2, 3, 4, 5}:
        return None
    return int(value)


def drawn(rating: int) -> str:
    """ "★★★★☆", the title of a rating without words."""
    return "★" * rating + "☆" * (5 - rating)


def review_of(
    network: str,
    native_id: str,
    text: str,
    created_at: datetime | None,
    rating: int | None,
    *,
    title: str = "",
    author_name: str = "",
    **fields: Any,
) -> Mention:
    """The mention that a review is.

    Args:
        author_name: of a network that gives its authors no id: the same name twice is not the same person.

    Raises:
        InputError: it has no id, no date, or neither words nor stars.
    """
    native_id, title, text = short_id(native_id), title.strip(), text.strip()
    if not native_id:
        raise InputError("the review has no id")
    if created_at is None:
        raise InputError("the review has no date that can be read")
    if not (text or title):
        if rating is None:
            raise InputError("the review has neither words nor stars")
        title = drawn(rating)
    if author_name.strip():
        fields.setdefault("author", Author(f"of:{native_id}"[:255], name=author_name.strip()))
    return Mention(
        network=network,
        native_id=native_id,
        text=text,
        created_at=created_at,
        kind=MentionKind.REVIEW,
        conversation_id=native_id,
        title=title,
        rating=rating,
        **fields,
    )


def reply_id(native_id: str) -> str:
    """Of our answer to the review with this id."""
    return short_id(f"{native_id}/reply")


def reply_of(review: Mention, text: str, created_at: datetime | None, raw: Mapping[str, Any]) -> tuple[Mention, ...]:
    """Our answer below a review; none where there are no words."""
    if not text.strip():
        return ()
    answer = Mention(
        network=review.network,
        native_id=reply_id(review.native_id),
        text=text.strip(),
        created_at=created_at or review.created_at,
        kind=review.kind,
        conversation_id=review.native_id,
        parent_id=review.native_id,
        outbound=True,
        url=review.url,
        store=review.store,
        product=review.product,
        raw=dict(raw),
    )
    return (answer,)


def same_words(posted: str, text: str) -> bool:
    """Whether two answers are the same, however the network sets blanks, signs and markup."""
    return _bare(posted) == _bare(text) or _bare(posted) == _bare(_TAG.sub("", text))


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(char for char in plain if char.isalnum())
    return letters or "".join(plain.split())  # an answer of emoji only


def reply_rules(
    page: str, read_on: date, limit: int | None, *extra: ReplyRule, replaces: bool = True
) -> tuple[ReplyRule, ...]:
    """The rules that networks of reviews share, those of one network in the middle.

    Args:
        limit: characters of an answer.
        replaces: whether a second answer takes the place of the first.
    """
    told = (
        "This review has our answer already: a new one takes its place."
        if replaces
        else "This review has our answer already. Change it on the network's own page."
    )
    return (
        ReplyRule(
            "own words",
            lambda mention: mention.outbound,
            False,
            "These are our own words. Answer the review above.",
            page,
            read_on,
        ),
        *extra,
        ReplyRule(
            "answered already",
            lambda mention: bool(mention.raw.get("reply")),
            replaces,
            told,
            page,
            read_on,
            text_limit=limit,
        ),
        ReplyRule(
            "review", always, True, "Everybody who reads the review reads the answer.", page, read_on, text_limit=limit
        ),
    )


# -- whole answers -----------------------------------------------------------------------------------------------------------


def map_bodies(body: Any, lists: Sequence[str], is_review: Callable[[Mapping[str, Any]], bool], heard: Heard) -> Mapped:
    """The mentions that a saved JSON body holds: one review, a list of them, or an answer with such a list in it.

    Args:
        lists: names below which answers hold their reviews.
        is_review: whether an object is one.
    """
    found = _Found(lists, is_review, heard)
    found.read(body, "", 0)
    return Mapped(tuple(found.mentions.values()), tuple(found.rejects), (), tuple(found.notes))


class _Found:
    def __init__(self, lists: Sequence[str], is_review: Callable[[Mapping[str, Any]], bool], heard: Heard) -> None:
        self._lists, self._is_review, self._heard = lists, is_review, heard
        self.mentions: dict[MentionId, Mention] = {}
        self.rejects: list[Reject] = []
        self.notes: list[str] = []

    def read(self, body: Any, position: str, depth: int) -> None:
        if isinstance(body, list) and depth < 4:
            for number, item in enumerate(body, start=1):
                self.read(item, f"{position}, item {number}" if position else f"item {number}", depth + 1)
            return
        if not isinstance(body, dict):
            self._reject(position, "this is no object", body)
            return
        names = [name for name in self._lists if isinstance(body.get(name), list | dict)]
        if self._is_review(body):
            self._map(position, body)
        elif names and depth < 6:
            for name in names:
                self._below(body[name], f"{position}, {name}" if position else name, depth)
        elif any(name in body for name in self._lists):
            self._reject(position, "the list of reviews is none", body)
        elif "error" in body or "errors" in body or "fault" in body:
            reason = reason_in(body) or reason_in(body.get("fault")) or text_of(at(body, "fault", "faultstring"))
            self._reject(position, f"an error of the vendor: {reason[:200] or 'without words'}", body)
        elif not body or set(body) <= _EMPTY_LISTS:
            self.notes.append(f"{position or 'answer'}: no reviews in it")
        else:
            self._reject(position, "this is no review", body)

    def _below(self, inner: Any, position: str, depth: int) -> None:
        if isinstance(inner, dict) and not self._is_review(inner) and not any(name in inner for name in self._lists):
            inner = [item for value in inner.values() for item in (value if isinstance(value, list) else [value])]
        if inner:
            self.read(inner, position, depth + 1)
        else:
            self.notes.append(f"{position}: empty")

    def _map(self, position: str, item: Mapping[str, Any]) -> None:
        try:
            for mention in self._heard(item):
                self.mentions.setdefault(mention.id, mention)
        except InputError as error:
            self._reject(position, str(error), item)

    def _reject(self, position: str, reason: str, item: Any) -> None:
        self.rejects.append(rejected(position or "answer", reason, item))


# What an answer without reviews still holds.
_EMPTY_LISTS = frozenset(
    {"averageRating", "totalReviewCount", "nextPageToken", "pageInfo", "tokenPagination", "links", "meta", "included"}
)


def last_of(items: Iterable[Any], name: str) -> Mapping[str, Any]:
    """The last of these objects that holds `name`, as what it holds: the newest entry of a conversation."""
    found: Mapping[str, Any] = {}
    for item in items:
        inner = at(item, name)
        if isinstance(inner, dict):
            found = inner
    return found
