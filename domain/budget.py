"""What a source may cost: monthly budgets, daily quotas, and what the worker makes of them. Pure.

`judge` says go, warn, slow or stop for what a month has cost so far; `next_reset` says when a vendor's daily quota is whole
again. Only reading and looking up obey: an answer to a customer leaves whatever the budget says, at the price that its
permission told beforehand. To learn of another vendor's day, add it to QUOTA_ZONES.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from enum import StrEnum
from math import inf
from zoneinfo import ZoneInfo

from domain.contracts import Spend

WARN_SHARE = 0.8  # of the budget; from here on a person is warned, whatever the forecast
SLOW_SHARE = 0.5  # before it, a high forecast only warns: a month's first days foretell little
MOST_SLOWED = 60.0  # a source that is asked every minute is still asked every hour
KEPT_FOR_ANSWERS = 0.1  # part of a daily quota that reading leaves
HARD_SHARE = 1.25  # of the budget; here a run ends even where it has no place to resume from yet

QUOTA_ZONES = {
    # Source: YouTube Data API, "Quota Calculator" (developers.google.com/youtube/v3/determine_quota_cost), not read again.
    "youtube": "America/Los_Angeles",
}
"""Whose midnight ends a vendor's day; UTC where a vendor is not named."""


class SpendKind(StrEnum):
    """What was paid for."""

    READING = "reading"
    REHYDRATION = "rehydration"
    WRITING = "writing"
    ESTIMATE = "estimate"


class Course(StrEnum):
    """How a source goes on; each is stricter than the one before."""

    GO = "go"
    WARN = "warn"
    SLOW = "slow"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Budget:
    """What a month may cost, in US dollars and in units of the vendor; None where there is no such limit."""

    price: float | None = None
    unit_count: int | None = None

    @property
    def is_set(self) -> bool:
        """True where anything is limited."""
        return self.price is not None or self.unit_count is not None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a month's spending means for a source.

    Attributes:
        share: part of the budget that is used, 0 where there is none; may pass 1.
        forecast_share: part of the budget that the whole month will have used, going on like this.
        factor: by which the time between two readings grows; 1 except where the course is SLOW.
        until: when a new month begins and reading goes on; None except where the course is STOP.
    """

    course: Course = Course.GO
    share: float = 0.0
    forecast_share: float = 0.0
    factor: float = 1.0
    until: datetime | None = None


def month_of(now: datetime, zone: tzinfo) -> tuple[datetime, datetime]:
    """First moments of this month and of the next, on the shop's clock; aware UTC."""
    first = now.astimezone(zone).date().replace(day=1)
    following = (first + timedelta(days=32)).replace(day=1)
    start, end = (datetime.combine(day, time(0), zone).astimezone(UTC) for day in (first, following))
    return start, end


def forecast(amount: float, now: datetime, zone: tzinfo) -> float:
    """What the whole month will have cost.

    Linear by the days elapsed: amount x days of the month / days elapsed, fractions of a day included, at least one day: the
    first hours of a month are not multiplied by more than its days.
    """
    elapsed, whole = _days(now, zone)
    return amount * whole / max(elapsed, 1.0)


def _days(now: datetime, zone: tzinfo) -> tuple[float, float]:
    start, end = month_of(now, zone)
    day = timedelta(days=1)
    return (now - start) / day, (end - start) / day


def judge(spent: Spend, budget: Budget, now: datetime, zone: tzinfo) -> Verdict:
    """What to do, given what this month has cost.

    STOP from the whole budget on, until the 1st. SLOW where the forecast is above the budget and at least half of it is used;
    the factor is the pace so far over the pace that what is left allows, so that it lasts to the month's end. WARN where the
    forecast is above the budget or four fifths of it are used. Of money and units, the tighter one decides.
    """
    pairs = ((spent.price, budget.price), (float(spent.unit_count), budget.unit_count))
    share = max((_part(amount, limit) for amount, limit in pairs if limit is not None), default=0.0)
    coming = forecast(share, now, zone)
    if share >= 1:
        return Verdict(Course.STOP, share, coming, until=month_of(now, zone)[1])
    if coming > 1 and share >= SLOW_SHARE:
        elapsed, whole = _days(now, zone)
        factor = share / max(elapsed, 1.0) * (whole - elapsed) / (1 - share)
        return Verdict(Course.SLOW, share, coming, min(max(factor, 1.0), MOST_SLOWED))
    return Verdict(Course.WARN if coming > 1 or share >= WARN_SHARE else Course.GO, share, coming)


def _part(amount: float, limit: float) -> float:
    return amount / limit if limit > 0 else inf


def price_per_useful(price: float, useful_count: int) -> float | None:
    """US dollars for one useful mention: one of others that opened or joined a case. None where there was none."""
    return price / useful_count if useful_count else None


# -- daily quotas ----------------------------------------------------------------------------------------------------------


def quota_zone(collector: str) -> str:
    """Whose midnight ends the day of a vendor."""
    return QUOTA_ZONES.get(collector, "UTC")


def quota_day(now: datetime, zone: str) -> str:
    """The vendor's day, as YYYY-MM-DD."""
    return now.astimezone(ZoneInfo(zone)).date().isoformat()


def next_reset(now: datetime, zone: str) -> datetime:
    """When the vendor's next day begins."""
    there = now.astimezone(ZoneInfo(zone))
    return datetime.combine(there.date() + timedelta(days=1), time(0), ZoneInfo(zone)).astimezone(UTC)


def is_used_up(used_count: int, granted_count: int) -> bool:
    """True where what is left of a day's units is kept for answers."""
    return used_count >= granted_count * (1 - KEPT_FOR_ANSWERS)
