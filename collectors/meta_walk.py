"""Reading one list of the Graph from the newest item down, in pages that are each a safe place to stop.

Graph's lists are said to be “ranked”, and some come oldest first: a page ends the reading only if all of it lies below the
floor and it runs from new to old. Graph's own mark of a page is used for an hour; after that, or where Graph no longer
knows it, the list is read from the top again: what comes twice falls on its id. What is in the items is the caller's matter.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.meta_graph import Graph
from collectors.meta_items import seconds
from collectors.meta_place import Mark
from collectors.wire import dict_of
from domain.contracts import Gap
from domain.errors import RefusedError, TransientError

_STALE_AFTER = 3_600  # seconds
_PAGE_CAP = 500
_SURELY_LONG = 100  # a list of so many items that ends above what was read was cut by Meta, not emptied by people

Moment = Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Edge:
    """A list of the Graph.

    Attributes:
        fields: what is asked for of each item.
        limit: items a page.
        params: further parameters.
        moment: when an item was made, in seconds; 0 where unknown.
    """

    node: str
    name: str
    fields: str
    limit: int
    moment: Moment
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A page of a list.

    Attributes:
        ended: nothing follows.
        floor: how far down the reading goes; what lies below it came along by chance.
        gap: what Meta no longer shows, told with the last page.
    """

    items: list[Any]
    ended: bool
    floor: int = 0
    gap: Gap | None = None


def by(field: str) -> Moment:
    """The moment in this field of an item."""
    return lambda item: seconds(dict_of(item).get(field))


def pieces(graph: Graph, edge: Edge, mark: Mark, *, floor: int, now: datetime) -> Iterator[Piece]:
    """The list down to `floor`; the mark is moved on before each piece is handed out.

    Raises:
        TransientError: what is left of Meta's allowance is kept for answers; or the list seems to have no end.
    """
    known = mark.since
    if not mark.begun or now.timestamp() - mark.begun > _STALE_AFTER:
        mark.begin(floor, int(now.timestamp()))
    oldest = 0
    whole = not mark.position
    for _ in range(_PAGE_CAP):
        graph.usage.must_last()
        try:
            listing = graph.listing(
                edge.node, edge.name, edge.fields, limit=edge.limit, position=mark.position, params=dict(edge.params)
            )
        except RefusedError:
            if not mark.position:
                raise
            mark.begin(mark.floor, int(now.timestamp()))  # Graph no longer knows the page: from the top again
            whole = True
            continue
        times = [when for item in listing.items if (when := edge.moment(item))]
        mark.top, mark.count = max([mark.top, *times]), mark.count + len(listing.items)
        oldest = min([oldest or max(times, default=0), *times]) if times else oldest
        below = bool(times) and max(times) < mark.floor and times[0] >= times[-1]
        turning = listing.position == mark.position
        ended = below or turning or not listing.position
        if not ended:
            mark.position = listing.position
            yield Piece(listing.items, ended=False, floor=mark.floor)
            continue
        gap = _gap(graph.name, known, oldest) if whole and not below and mark.count >= _SURELY_LONG else None
        reached = mark.floor
        mark.settle()
        yield Piece(listing.items, ended=True, floor=reached, gap=gap)
        return
    raise TransientError(
        f"A list of {graph.name} is longer than {_PAGE_CAP} pages. What was read is stored, and the rest follows by itself.",
        retry_after=timedelta(minutes=5),
    )


def _gap(name: str, known: int, oldest: int) -> Gap | None:
    if not known or oldest <= known:
        return None
    since, until = datetime.fromtimestamp(known, tz=UTC), datetime.fromtimestamp(oldest, tz=UTC)
    return Gap(since, until, f"{name} shows no more than its newest items, and what lies between was not read in time.")
