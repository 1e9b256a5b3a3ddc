"""What a stranger's JSON says: items to mentions, by a mapping or by the usual names of fields, as exports are read.

Pure. An item that cannot be a mention is a reject that says which path found nothing. What a mapping is made of is in
`webhook_paths`; what fields mean (dates, stars, counts, made ids) is in `tables.columns`, shared with files.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from collectors.tables.columns import Plan, Reading, UnusableRowError, flat, mention_of, plan_for
from collectors.tables.dates import DateReader
from collectors.values import counted, network_key, plain_name, short_id
from collectors.webhook_paths import Layout, follow, is_yes
from collectors.wire import dict_of, list_of, rejected, storable, text_of
from domain.contracts import Mapped, Reject
from domain.mention import Mention, MentionId, MentionKind

NETWORK = "webhook"
_KINDS = {
    **{kind.value: kind for kind in MentionKind},
    **dict.fromkeys(("call", "chat", "email", "form", "mail", "note", "sms", "ticket"), MentionKind.MESSAGE),
    **dict.fromkeys(("avis", "feedback", "rating", "survey"), MentionKind.REVIEW),
    **dict.fromkeys(("answer", "question", "reply"), MentionKind.COMMENT),
}
_WHOSE = ("", "user", "author", "from", "customer", "visitor", "contact", "reviewer")
_ADDRESSES = frozenset(f"{who}email{more}" for who in _WHOSE for more in ("", "address"))
_ITEMS_LIMIT = 10_000
_ARRIVAL = "\x00arrival"  # no field of a sender's can be named so
_NAMES_SHOWN = 20
_MATTER = ("native_id", "created_at", "conversation_id")  # what is told where nothing is found of it


@dataclass(frozen=True, slots=True)
class Chosen:
    """How the deliveries of one source are read.

    Attributes:
        kind: of items that do not say; None: reviews where there are stars, else messages.
    """

    layout: Layout = field(default_factory=Layout)
    network: str = NETWORK
    kind: MentionKind | None = None
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Paris"))


@dataclass(slots=True)
class Found:
    """What one body holds."""

    mentions: dict[str, Mention] = field(default_factory=dict)  # by id
    updated: set[str] = field(default_factory=set)
    deleted: list[MentionId] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    missing: Counter[str] = field(default_factory=Counter)
    undated: int = 0
    items: int = 0

    def mapped(self, layout: Layout) -> Mapped:
        """As `comptoir map` prints it."""
        return Mapped(tuple(self.mentions.values()), tuple(self.rejects), tuple(self.deleted), self.notes(layout))

    def changed(self) -> tuple[Mention, ...]:
        """Those that may be kept already, with other words."""
        return tuple(one for key, one in self.mentions.items() if key in self.updated)

    def notes(self, layout: Layout) -> tuple[str, ...]:
        """What a person should know of how it was read."""
        told = [
            f"The path {layout.path(key)} of {key} found nothing."
            for key in _MATTER
            if self.items and self.missing[key] == self.items
        ]
        if self.undated:
            told.append(f"{counted(self.undated, 'item')} had no date: dated by the arrival.")
        return tuple(told)


def read_body(body: Any, chosen: Chosen, received_at: datetime) -> Found:
    """Everything that a body says.

    Args:
        body: any JSON.
        received_at: the moment of what has no date.
    """
    body = storable(body)
    found = Found()
    reader = _Reader(chosen, received_at, body)
    for position, item in _items(body, chosen.layout, found):
        if found.items >= _ITEMS_LIMIT:
            reason = f"a delivery may have {_ITEMS_LIMIT:,} items: this one and those after it were not read"
            found.rejects.append(rejected(position, reason, item))
            break
        found.items += 1
        reader.take(position, item, found)
    return found


def read_kind(word: Any) -> MentionKind | None:
    """The sort of utterance that a word means; None where it means none."""
    return _KINDS.get(text_of(word).strip().lower())


def _items(body: Any, layout: Layout, found: Found) -> Iterator[tuple[str, Any]]:
    if layout.items is not None:
        root = list(follow(body, layout.items.steps))
        items = [inner for one in root for inner in (one if isinstance(one, list) else [one])]
        if not root:
            reason = f"the items are read from {layout.items.written}, which is not in it. {_holds(body)}"
            found.rejects.append(rejected("body", reason, body))
    elif isinstance(body, list):
        items = body
    elif not layout.rules and isinstance(body, dict):
        items = _guessed(body)
    else:
        items = [body]
    for number, item in enumerate(items, start=1):
        yield f"item {number}", item


def _guessed(body: dict[str, Any]) -> list[Any]:
    """The body itself where it says something, else the only list of objects in it."""
    if "text" in plan_for(flat(body), {}):
        return [body]
    lists = [value for value in body.values() if dict_of(next(iter(list_of(value)), None))]
    return list_of(lists[0]) if len(lists) == 1 else [body]


class _Reader:
    """The items of one body, one after the other."""

    def __init__(self, chosen: Chosen, received_at: datetime, body: Any) -> None:
        self._chosen, self._at, self._body = chosen, received_at, body
        self._reading = Reading(DateReader(chosen.zone, day_first=True), chosen.network, received_at)

    def take(self, position: str, item: Any, found: Found) -> None:
        if not isinstance(item, dict) and not self._chosen.layout.rules:
            found.rejects.append(rejected(position, "it is no object with fields", item))
            return
        cells, plan = self._cells(item)
        found.missing.update(key for key in self._chosen.layout.rules if key not in cells)
        if is_yes(cells.get("deleted")):
            self._gone(position, item, cells, plan, found)
            return
        undated = cells.get(plan.get("created_at", "")) in (None, "")
        if undated:  # said by us, so that two that say the same at two times are two
            plan["created_at"] = _ARRIVAL
            cells[_ARRIVAL] = self._at.isoformat()
        try:
            mention, _remarks = mention_of(dict_of(item) or {"value": item}, cells, plan, self._reading)
        except UnusableRowError as error:
            found.rejects.append(rejected(position, self._reason(error, item, cells, plan), item))
            return
        found.undated += undated
        self._keep(replace(mention, kind=self._kind(cells, mention)), is_yes(cells.get("updated")), found)

    def _cells(self, item: Any) -> tuple[dict[str, Any], Plan]:
        if self._chosen.layout.rules:
            cells = self._chosen.layout.cells(item, self._body)
            plan = {key: key for key in cells}
        else:
            cells = flat(dict_of(item))
            plan = plan_for(cells, {})
            address = next((name for name in cells if plain_name(name) in _ADDRESSES), None)
            if "author_id" not in plan and address:
                plan["author_id"] = address
        scale = text_of(cells.get("rating_scale"))
        stars = cells.get(plan.get("rating", ""))
        if scale.isdecimal() and isinstance(stars, int | float | str) and "/" not in str(stars):
            cells[plan["rating"]] = f"{stars}/{scale}"
        return cells, plan

    def _kind(self, cells: Mapping[str, Any], mention: Mention) -> MentionKind:
        told = read_kind(cells.get("kind"))
        if told or self._chosen.kind:
            return told or self._chosen.kind or mention.kind
        return mention.kind if mention.kind is MentionKind.REVIEW else MentionKind.MESSAGE

    def _keep(self, mention: Mention, updated: bool, found: Found) -> None:
        made = mention.native_id.startswith("h") and mention.id in found.mentions
        if made and found.mentions[mention.id].raw == mention.raw:  # said twice without an id: two mentions
            number = sum(key.startswith(mention.id) for key in found.mentions) + 1
            native_id = f"{mention.native_id}-{number}"
            own = mention.conversation_id == mention.native_id
            mention = replace(
                mention, native_id=native_id, conversation_id=native_id if own else mention.conversation_id
            )
        found.mentions[mention.id] = mention  # of two with one id, the later holds
        if updated:
            found.updated.add(mention.id)

    def _gone(self, position: str, item: Any, cells: Mapping[str, Any], plan: Plan, found: Found) -> None:
        native_id = text_of(cells.get(plan.get("native_id", ""))).strip()
        if not native_id:
            found.rejects.append(rejected(position, "it was deleted, and does not say its id", item))
            return
        network = network_key(text_of(cells.get(plan.get("network", "")))) or self._chosen.network
        found.deleted.append(MentionId(f"{network}:{short_id(native_id)}"))

    def _reason(self, error: UnusableRowError, item: Any, cells: Mapping[str, Any], plan: Plan) -> str:
        rules = self._chosen.layout.rules
        if rules and "text" not in cells:
            return f"the text is read from {self._chosen.layout.path('text')}, which is not in it. {_holds(item)}"
        if not rules and "text" not in plan:
            return (
                f"none of its fields has a name that is usual for texts. {_holds(item)} Name it in the setting mapping."
            )
        return str(error)


def _holds(value: Any) -> str:
    if isinstance(value, list):
        return f"It is a list of {len(value)}."
    names = [str(name)[:60] for name in flat(dict_of(value))]
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"It holds: {', '.join(names[:_NAMES_SHOWN])}{more}." if names else "It holds no fields."
