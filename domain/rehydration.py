"""When a kept mention is looked up again: often while it is young and people react to it, then as its network's terms demand.

Pure. The networks say how to look up (CanRehydrate), the store keeps the dates, the worker works them off.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.contracts import CanRehydrate, Collector

# Age of a mention up to which a step holds, and the time between two look-ups.
DECAY = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(days=1)),
    (timedelta(days=30), timedelta(days=7)),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How one source's mentions are looked up.

    Attributes:
        every: the longest time between two look-ups that the network's terms allow; None where they demand none.
        refreshes: keep counts fresh as well. Only where looking up is free: at a price, the duty alone is paid for.
    """

    every: timedelta | None
    refreshes: bool

    def next(self, created_at: datetime, looked_up_at: datetime) -> datetime | None:
        """When a mention that was seen at `looked_up_at` is due again; None for never."""
        step = self.every
        if self.refreshes:
            age = looked_up_at - created_at
            fresh = next((every for youth, every in DECAY if age < youth), None)
            step = min((one for one in (fresh, step) if one is not None), default=None)
        return looked_up_at + step if step is not None else None


def schedule_of(collector: Collector) -> Schedule | None:
    """How this collector's mentions are looked up; None where it cannot look them up."""
    if not isinstance(collector, CanRehydrate):
        return None
    return Schedule(collector.spec.rehydrate_every, refreshes=not collector.spec.price_per_read)
