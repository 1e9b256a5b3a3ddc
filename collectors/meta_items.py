"""What Meta's items have in common, on Facebook and on Instagram: moments, people, media, and what is kept of them. Pure.

Each function takes anything and gives a value of its kind or none. What an item is and which mention it makes is said in
`facebook_map`, `instagram_map` and `meta_messages`.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from collectors.values import short_id, web_url
from collectors.wire import at, count_of, dict_of, first_text, list_of, moment_of, storable, text_of
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Mention, MentionId

_RAW_LIMIT = 2_000
_MEDIA_LIMIT = 10
_MILLISECONDS = 100_000_000_000
_SECRET = ("access_token", "appsecret_proof")


@dataclass(frozen=True, slots=True)
class Own:
    """What is known of our own account.

    Attributes:
        ids: of the Page, of the Instagram account.
        handle: name on Instagram, without @.
    """

    ids: frozenset[str] = frozenset()
    handle: str = ""

    def is_us(self, person: Any) -> bool:
        """Whether this is who spoke."""
        given = dict_of(person)
        handle = text_of(given.get("username")).lower()
        return text_of(given.get("id")) in self.ids or bool(handle and handle == self.handle.lower())


NOBODY = Own()


def moment(value: Any) -> datetime | None:
    """An ISO date, or seconds or milliseconds since 1970, as number or digits; aware UTC."""
    if isinstance(value, str) and not (value.isascii() and value.isdigit()):
        return moment_of(value)
    seconds = count_of(value)
    if not seconds:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1000 if seconds > _MILLISECONDS else seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None


def seconds(value: Any) -> int:
    """Whole seconds since 1970 of what `moment` reads; 0 where it reads nothing."""
    found = moment(value)
    return max(0, int(found.timestamp())) if found else 0


def needed(native_id: str, created_at: datetime | None, said: str, what: str) -> datetime:
    """The date of an item that has all that a mention needs. Raises InputError where it lacks something."""
    if not native_id:
        raise InputError(f"the {what} has no id")
    if created_at is None and not said:
        raise InputError(f"the {what} is named only by its id: nothing of it is told")
    if created_at is None:
        raise InputError(f"the {what} has no date that can be read")
    if not said:
        raise InputError(f"the {what} says nothing")
    return created_at


def person(value: Any, *, page: str = "") -> Author | None:
    """Who spoke, where Meta says so: it names people only to those who may know them.

    Args:
        page: address of people's pages on this network, to be followed by their handle.
    """
    given = dict_of(value)
    handle, name = text_of(given.get("username")), text_of(given.get("name"))
    native_id = text_of(given.get("id")) or handle
    if not native_id:
        return None
    url = web_url(text_of(given.get("link"))) or (web_url(f"{page}{handle}/") if page and handle else "")
    return Author(short_id(native_id), handle=handle, name=name, url=url)


def media(found: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    """Pictures and video as links, each once: address, alternative text, kind."""
    kept: dict[str, dict[str, str]] = {}
    for address, alt, kind in found:
        url = web_url(address)
        if url and not any(word in url for word in _SECRET):
            kept.setdefault(url, {"url": url, "alt": alt, "kind": kind})
    return list(kept.values())[:_MEDIA_LIMIT]


def cut(value: Any) -> Any:
    """A copy that can be stored, without Meta's links to further pages: they hold the token."""
    if isinstance(value, dict):
        return {key: cut(inner) for key, inner in storable(value).items() if key not in {"paging", *_SECRET}}
    if isinstance(value, list):
        return [cut(inner) for inner in value]
    if isinstance(value, str) and any(word in value for word in _SECRET):
        return "…"
    return storable(value)


def kept(item: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """These fields of an item, as they may be stored."""
    return {name: cut(item[name]) for name in names if item.get(name) not in (None, "", [], {})}


def rejected(position: str, reason: str, item: Any) -> Reject:
    """An item that cannot be a mention."""
    try:
        raw = json.dumps(cut(storable(item)), ensure_ascii=False)
    except (RecursionError, TypeError, ValueError):
        raw = ""
    return Reject(position, reason, raw[:_RAW_LIMIT])


def edge(item: Any, name: str) -> list[Any]:
    """The items of an edge that came along: ``{"comments": {"data": [...]}}``, or the bare list of older answers."""
    value = dict_of(item).get(name)
    return list_of(value) or list_of(dict_of(value).get("data"))


def total(item: Any, name: str) -> int | None:
    """How many an edge holds, as its summary says."""
    return count_of(at(item, name, "summary", "total_count"))


def first_of(item: Any, *names: str) -> str:
    """The first field that says something besides blanks."""
    return next((found for name in names if (found := first_text(item, name).strip())), "")


@dataclass
class Sorting:
    """What an answer that is taken apart has brought so far.

    Attributes:
        passed: what holds no words by its nature (a like, a sign of reading), counted for a note.
    """

    mentions: dict[MentionId, Mention] = field(default_factory=dict)
    changed: dict[MentionId, Mention] = field(default_factory=dict)
    deleted: dict[MentionId, None] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    def add(self, position: str, item: Any, make: Callable[[], Mention], *, changed: bool = False) -> Mention | None:
        """Map an item; one that cannot be mapped is a reject."""
        try:
            mention = make()
        except InputError as error:
            self.rejects.append(rejected(position, str(error), item))
            return None
        self.mentions[mention.id] = mention
        if changed:
            self.changed[mention.id] = mention
        return mention

    def gone(self, network: str, native_id: str) -> None:
        """The network says that this is no longer there."""
        self.deleted[MentionId(f"{network}:{short_id(native_id)}")] = None

    def refuse(self, position: str, reason: str, item: Any) -> None:
        """An item that is no mention."""
        self.rejects.append(rejected(position, reason, item))

    def said(self) -> tuple[str, ...]:
        """Remarks for whoever reads the result."""
        passed = [f"Passed over, as no words are in it: {what} ({count})." for what, count in self.passed.items()]
        return (*passed, *self.notes)

    def mapped(self) -> Mapped:
        """As `map_answer` gives it."""
        mentions = tuple(one for one in self.mentions.values() if one.id not in self.deleted)
        return Mapped(mentions, tuple(self.rejects), tuple(self.deleted), self.said())
