"""The values of the indicators: what is asked (Scope), what an indicator is (Indicator), what is answered.

Definitions live beside their queries in subjects.py, opinions.py, answering.py and trade.py; nothing here reads the
store. `Scope` speaks of the shop's local days.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Literal, NamedTuple

Unit = Literal["count", "share", "minutes", "rating", "euros", "per_1000", "score"]
How = Literal["sum", "mean", "median", "per_1000", "stock"]
VolumeBy = Literal["day", "network", "sentiment", "intent", "department", "lang"]
Dimension = Literal["network", "store", "product", "carrier", "intent"]


@dataclass(frozen=True, slots=True)
class Scope:
    """What is looked at. Empty tuples mean all.

    Attributes:
        since, until: local days of the shop, `until` excluded.
    """

    since: date
    until: date
    departments: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    products: tuple[str, ...] = ()

    def previous(self) -> "Scope":
        """The same number of days, just before."""
        return replace(self, since=self.since - (self.until - self.since), until=self.since)

    def days(self) -> Iterator[date]:
        """Every day of it, oldest first."""
        for offset in range((self.until - self.since).days):
            yield self.since + timedelta(days=offset)


@dataclass(frozen=True, slots=True)
class Indicator:
    """One number on a screen: what it means, how it is counted, who owns it.

    Attributes:
        how: how the rows behind it make the value: `sum` or `mean` or `median` of `DrillRow.value`, `per_1000` (their
            sum for 1,000 of `Reading.n`), `stock` (their sum at one moment, not over a time).
        better: the direction that is good news; empty where neither is.
        whole_house: True where the department filter does not apply: the matter is counted whoever answers it.
        dimensions: what `breakdown` can be asked for.
        source: where the definition was published, or "Comptoir" where it is ours.
        version: grows when the formula changes; numbers of two versions are not compared.
    """

    key: str
    title_fr: str
    title_en: str
    unit: Unit
    formula_fr: str
    formula_en: str
    owner: str
    population_fr: str
    population_en: str
    how: How
    better: Literal["up", "down", ""] = ""
    source: str = "Comptoir"
    whole_house: bool = False
    dimensions: tuple[Dimension, ...] = ("network", "store", "product", "intent")
    version: int = 1

    def title(self, lang: str) -> str:
        """Title in `fr` or `en`."""
        return self.title_fr if lang == "fr" else self.title_en

    def formula(self, lang: str) -> str:
        """Formula in `fr` or `en`."""
        return self.formula_fr if lang == "fr" else self.formula_en

    def population(self, lang: str) -> str:
        """Who is counted, what is left out and which clock, in `fr` or `en`."""
        return self.population_fr if lang == "fr" else self.population_en


@dataclass(frozen=True, slots=True)
class Reading:
    """An indicator over a scope. None is "no data", which is not zero.

    Attributes:
        n: what the value rests on: rows counted, or for `per_1000` the thing that it is counted against.
        previous, previous_n: the same over `Scope.previous()`; None where the store does not reach back that far.
        by_chance: the change against `previous` is within what chance does at the 95 % level (see `chance.py`).
        series: (day, value, n) for each day that is over or under way; empty where no history is kept.
        mean: beside a median, the mean of the same rows.
    """

    key: str
    value: float | None
    n: int
    previous: float | None
    previous_n: int
    by_chance: bool
    series: tuple[tuple[date, float | None, int], ...]
    mean: float | None = None


@dataclass(frozen=True, slots=True)
class DrillRow:
    """One row that was counted.

    Attributes:
        case_id: None where no case stands behind it.
        network: empty for orders, carts and deliveries.
        text: at most 280 characters of what was said; for an event, what it was about.
        value: what the row adds, see `Indicator.how`.
    """

    kind: Literal["case", "mention", "event"]
    id: str
    case_id: str | None
    at: datetime
    network: str
    person_name: str
    text: str
    value: float


@dataclass(frozen=True, slots=True)
class VolumeRow:
    """How many mentions; `split` is empty where none was asked for."""

    label: str
    split: str
    count: int


class Part(NamedTuple):
    """One part of a breakdown: like a `Reading`, without its history."""

    label: str
    value: float | None
    n: int


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Words chosen because they are ordinary for their kind."""

    mention_id: str
    case_id: str | None
    at: datetime
    network: str
    person_name: str
    text: str
    sentiment: str
    intent: str


@dataclass(frozen=True, slots=True)
class Spike:
    """A day on which one network or one intent was louder than its week; both empty: everything together."""

    day: date
    network: str
    intent: str
    value: int
    expected: float
    threshold: float
