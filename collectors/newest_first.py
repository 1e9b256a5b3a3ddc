"""Lists that a network gives the newest first, read from the newest down to what is known: `walk`, and `Marks`.

A list's mark moves only when all of its unread part was handed out, so a run may be killed anywhere. What appears late
(held back by a filter, or by a slow index) is still heard for a while below the mark. Pure but for `ask`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors.threads import digest_of
from collectors.wire import at, dict_of, list_of, moment_of, text_of
from domain.contracts import Gap

OVERLAP = timedelta(hours=3)
MAX_IDS = 1_000

Asked = tuple[list[Any], str] | None  # items and the token to go on with ("" at the end); None: nothing has changed


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a list was read.

    Attributes:
        moment: of the newest item; ids: of what was read shortly below it.
    """

    moment: datetime
    ids: frozenset[str] = frozenset()


@dataclass
class Marks:
    """The marks of all lists, by name."""

    known: dict[str, Mark] = field(default_factory=dict)

    @classmethod
    def read(cls, told: Any) -> "Marks":
        """As `told` wrote them; what cannot be read is left out, and its list is read from the start."""
        marks = cls()
        for name, one in dict_of(told).items():
            moment = moment_of(at(one, "at"))
            if moment:
                marks.known[name] = Mark(moment, frozenset(filter(None, map(text_of, list_of(at(one, "ids"))))))
        return marks

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {name: {"at": one.moment.isoformat(), "ids": sorted(one.ids)} for name, one in self.known.items()}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a list's items look like: their id ("" where there is none) and when they were made."""

    id_of: Callable[[Any], str]
    moment_of: Callable[[Any], datetime | None]


@dataclass(frozen=True, slots=True)
class Piece:
    """The unread items of one page; `gap` tells what was left out below them."""

    items: list[Any]
    gap: Gap | None = None


def walk(
    name: str,
    marks: Marks,
    ask: Callable[[str], Asked],
    shape: Shape,
    *,
    floor: datetime,
    most: int,
    lost: str,
    shown: int | None = None,
) -> Iterator[Piece]:
    """The unread part of a list, page by page; its mark moves when the last one was taken.

    Args:
        ask: the page behind a token ("" for the first).
        floor: how far back to read where nothing was read yet.
        most: pages to read at most.
        lost: what to say where there was more.
        shown: items that the network shows of a list at most, as far as one can go back.
    """
    mark = marks.known.get(name)
    until = mark.moment - OVERLAP if mark else floor
    seen: dict[str, datetime | None] = {}
    token = ""
    for number in range(1, most + 1):
        asked = ask(token)
        if asked is None:
            return
        items, following = asked
        fresh = {key: item for item in items if (key := shape.id_of(item) or digest_of([item], ())) not in seen}
        moments = {key: shape.moment_of(item) for key, item in fresh.items()}
        old = {key for key, moment in moments.items() if moment and moment < until}
        seen.update({key: moment for key, moment in moments.items() if key not in old})
        taken = [item for key, item in fresh.items() if key not in old and not (mark and key in mark.ids)]
        ended = bool(old) or not fresh or not following or following == token
        full = ended and not old and shown is not None and len(seen) >= shown  # the network shows no more
        cut = full or (number == most and not ended)
        gap = _left_out(mark.moment if mark else floor, seen, lost) if cut else None
        if taken or gap:
            yield Piece(taken, gap)
        if ended:
            break
        token = following
    moved = _moved(mark, seen)
    if moved:
        marks.known[name] = moved


def _left_out(since: datetime, seen: dict[str, datetime | None], lost: str) -> Gap | None:
    last = min((moment for moment in seen.values() if moment), default=since)
    return Gap(since, last, lost) if last > since else None


def _moved(mark: Mark | None, seen: dict[str, datetime | None]) -> Mark | None:
    newest = max((moment for moment in (*seen.values(), mark and mark.moment) if moment), default=None)
    if newest is None:
        return mark
    recent = [key for key, moment in seen.items() if moment is None or moment >= newest - OVERLAP]
    return Mark(newest, frozenset(recent[:MAX_IDS]))
