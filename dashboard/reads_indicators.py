"""Cached reads of indicators, queues of departments and sources; see `reads.py` for how they are kept.

Every scope goes through `own`, so that what a viewer may not see cannot be read by a page that forgot to ask.
"""

from collections.abc import Sequence
from dataclasses import replace

from dashboard.context import Context
from dashboard.reads import cached, minute
from dashboard.views_openings import QueueState
from domain.departments import DEPARTMENTS
from store.indicators import Dimension, DrillRow, Part, Reading, Scope, Spike, Verbatim, VolumeBy, VolumeRow
from store.queue import QueueFilter, Sort, View

NOBODY = "-"  # a department that does not exist: a scope of nothing


def departments_of(context: Context) -> tuple[str, ...]:
    """The departments that this person sees, in the order of the domain."""
    return tuple(d.key for d in DEPARTMENTS if context.viewer.sees(d.key))


def own(context: Context, scope: Scope) -> Scope:
    """The scope, cut down to what the viewer may see; no departments means all, and only for who sees all."""
    mine = context.viewer.departments
    if not mine:
        return scope
    asked = tuple(key for key in scope.departments if key in mine) if scope.departments else mine
    return replace(scope, departments=asked or (NOBODY,))


def reading(context: Context, key: str, scope: Scope) -> Reading:
    """One indicator."""
    mine, now = own(context, scope), context.now
    return cached(context, "reading", (key, mine, minute(now)), lambda: context.store.indicators.read(key, mine, now))


def readings(context: Context, keys: Sequence[str], scope: Scope) -> dict[str, Reading]:
    """Several, by key."""
    return {key: reading(context, key, scope) for key in keys}


def rows(context: Context, key: str, scope: Scope, limit: int, offset: int) -> list[DrillRow]:
    """The rows behind an indicator."""
    mine, now = own(context, scope), context.now
    return cached(
        context,
        "drill_rows",
        (key, mine, minute(now), limit, offset, context.viewer.departments),
        lambda: context.store.indicators.rows(key, mine, now, limit, offset, context.viewer.departments),
    )


def row_count(context: Context, key: str, scope: Scope) -> int:
    """How many rows `rows` has in all."""
    mine, now = own(context, scope), context.now
    seen_by = context.viewer.departments
    return cached(
        context,
        "row_count",
        (key, mine, minute(now), seen_by),
        lambda: context.store.indicators.row_count(key, mine, now, seen_by),
    )


def breakdown(context: Context, key: str, scope: Scope, by: Dimension) -> list[Part]:
    """The indicator for each value of a dimension."""
    mine, now = own(context, scope), context.now
    return cached(
        context,
        "breakdown",
        (key, mine, by, minute(now)),
        lambda: context.store.indicators.breakdown(key, mine, by, now),
    )


def volume(context: Context, scope: Scope, by: VolumeBy, split: VolumeBy | None = None) -> list[VolumeRow]:
    """How many mentions, one way or two."""
    mine = own(context, scope)
    return cached(context, "volume", (mine, by, split), lambda: context.store.indicators.volume(mine, by, split))


def verbatims(context: Context, scope: Scope, limit: int = 5) -> list[Verbatim]:
    """Ordinary words of the scope."""
    mine = own(context, scope)
    return cached(context, "verbatims", (mine, limit), lambda: context.store.indicators.verbatims(mine, limit))


def spikes(context: Context, scope: Scope) -> list[Spike]:
    """Days louder than their week."""
    mine = own(context, scope)
    return cached(context, "spikes", (mine,), lambda: context.store.indicators.spikes(mine))


def queue_states(context: Context, departments: Sequence[str]) -> list[QueueState]:
    """What waits in each of these departments, as far as the viewer may see them."""
    seen = tuple(key for key in departments if context.viewer.sees(key))
    return cached(
        context, "queue_states", (seen, minute(context.now)), lambda: [_queue_state(context, key) for key in seen]
    )


def _queue_state(context: Context, department: str) -> QueueState:
    queue, me, now = context.store.queue, context.viewer.name, context.now
    f = QueueFilter(view=View.OPEN, departments=(department,), sort=Sort.OLDEST)
    counts = queue.counts(f, me=me, now=now)
    oldest = queue.page(f, me=me, now=now)[0].case if counts[View.OPEN] else None
    return QueueState(
        department,
        counts[View.OPEN],
        counts[View.LATE],
        counts[View.UNASSIGNED],
        (oldest.waiting_since or oldest.last_inbound_at) if oldest else None,
    )
