"""Did what comes in change? Two windows of messages compared, with a limit that matters and what chance alone gives.

A change is told where the measure passes both: its limit (how much change is worth a person's time) and what chance would
give on windows of that size, 99 times in 100. Pure, standard library. A new comparison is a function that returns `Shift`
and a line in `compare`.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import chain
from math import asin, log, sqrt
from random import Random
from statistics import fmean, median, pvariance

ENOUGH = 100  # messages in each window; below, nothing is told
PSI_LIMIT = 0.2
LENGTH_LIMIT = 0.3  # standard deviations of the logarithm of the length
UNKNOWN_LIMIT = 0.2  # Cohen's h
# Half of the messages moving to another network or another language shifts the mean by 0.12 to 0.16 of the spread.
CONTENT_LIMIT = 0.15
_FEWEST_DAYS = 6  # of the reference, to be split in two
_SPLITS = 200
_Z99, _Z98 = 2.575829, 2.326348  # two-sided and one-sided 1 %

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a model saw of one message: pieces of words, unknown ones among them, its place in the space of meanings."""

    day: date
    token_count: int
    unknown_count: int
    sketch: Vector


@dataclass(frozen=True, slots=True)
class Window:
    """Messages said from `since` to before `until`.

    Attributes:
        langs, networks: all messages, counted.
        seen: what one family of models saw, of a sample where there are many.
    """

    since: date
    until: date
    langs: Mapping[str, int]
    networks: Mapping[str, int]
    seen: Sequence[Seen] = ()

    @property
    def count(self) -> int:
        """Messages in the window."""
        return sum(self.networks.values())


class State(StrEnum):
    """What the comparison says."""

    STABLE = "stable"
    CHANGED = "changed"
    TOO_FEW = "too_few"


@dataclass(frozen=True, slots=True)
class Shift:
    """One comparison.

    Attributes:
        key: lang, network, length, unknown or content.
        value: how far the recent window is; None where there is too little data.
        limit: from where on it matters; chance: what chance gives at most, 99 times in 100.
        n_before, n_now: messages compared.
        before, now: the compared numbers by name (shares of a mix; median length; share of messages).
    """

    key: str
    limit: float
    n_before: int
    n_now: int
    value: float | None = None
    chance: float = 0.0
    before: Mapping[str, float] = field(default_factory=dict)
    now: Mapping[str, float] = field(default_factory=dict)

    @property
    def state(self) -> State:
        """Changed, stable, or too little data."""
        if self.value is None:
            return State.TOO_FEW
        return State.CHANGED if self.value >= self.limit and self.value > self.chance else State.STABLE


def compare(reference: Window, recent: Window) -> tuple[Shift, ...]:
    """All comparisons, in the order in which people ask."""
    return (
        mix("lang", reference.langs, recent.langs),
        mix("network", reference.networks, recent.networks),
        length(reference.seen, recent.seen),
        unknown(reference.seen, recent.seen),
        content(reference.seen, recent.seen),
    )


def changed(shifts: Sequence[Shift]) -> tuple[Shift, ...]:
    """Those that somebody should hear of."""
    return tuple(shift for shift in shifts if shift.state is State.CHANGED)


# -- mixes -----------------------------------------------------------------------------------------------------------------


def stability(before: Mapping[str, int], now: Mapping[str, int]) -> float:
    """Population stability index of two counts; half a message is added to each part, so that none is empty.

    Below 0.1 little has moved, above 0.25 very much. Source: Siddiqi 2006, "Credit Risk Scorecards".
    """
    parts = set(before) | set(now)
    n, m = sum(before.values()) + len(parts) / 2, sum(now.values()) + len(parts) / 2
    total = 0.0
    for part in parts:
        p, q = (before.get(part, 0) + 0.5) / n, (now.get(part, 0) + 0.5) / m
        total += (q - p) * log(q / p)
    return total


def stability_by_chance(parts: int, n: int, m: int) -> float:
    """What the index reaches 1 time in 100 where nothing moved: a chi-square over the sizes.

    Sources: Yurdakul & Naranjo 2020, "Statistical properties of the population stability index"; the quantile is Wilson &
    Hilferty's (1931).
    """
    if parts < 2 or not n or not m:
        return 0.0
    free = parts - 1
    quantile = free * (1 - 2 / (9 * free) + _Z98 * sqrt(2 / (9 * free))) ** 3
    return float(quantile * (1 / n + 1 / m))


def mix(key: str, before: Mapping[str, int], now: Mapping[str, int]) -> Shift:
    """Did the parts of a whole move?"""
    n, m = sum(before.values()), sum(now.values())
    if min(n, m) < ENOUGH:
        return Shift(key, PSI_LIMIT, n, m)
    return Shift(
        key,
        PSI_LIMIT,
        n,
        m,
        stability(before, now),
        stability_by_chance(len(set(before) | set(now)), n, m),
        {part: count / n for part, count in before.items()},
        {part: count / m for part, count in now.items()},
    )


# -- length, unknown pieces ------------------------------------------------------------------------------------------------


def length(before: Sequence[Seen], now: Sequence[Seen]) -> Shift:
    """Standardised shift of the mean logarithm of the length, in standard deviations of the reference.

    Source: Glass 1976, "Primary, secondary, and meta-analysis of research" (delta).
    """
    n, m = len(before), len(now)
    if min(n, m) < ENOUGH:
        return Shift("length", LENGTH_LIMIT, n, m)
    old, new = ([log(1 + row.token_count) for row in rows] for rows in (before, now))
    spread = sqrt(pvariance(old))
    gap = abs(fmean(new) - fmean(old))
    return Shift(
        "length",
        LENGTH_LIMIT,
        n,
        m,
        gap / spread if spread else float(gap > 0),
        _by_chance(n, m),
        {"": median(row.token_count for row in before)},
        {"": median(row.token_count for row in now)},
    )


def unknown(before: Sequence[Seen], now: Sequence[Seen]) -> Shift:
    """Are there more messages (or fewer) with a piece that the model does not know?

    Source: Cohen 1988, "Statistical Power Analysis for the Behavioral Sciences", ch. 6 (h: 0.2 small, 0.5 medium).
    """
    n, m = len(before), len(now)
    if min(n, m) < ENOUGH:
        return Shift("unknown", UNKNOWN_LIMIT, n, m)
    old, new = (sum(row.unknown_count > 0 for row in rows) / len(rows) for rows in (before, now))
    gap = abs(2 * asin(sqrt(new)) - 2 * asin(sqrt(old)))
    return Shift("unknown", UNKNOWN_LIMIT, n, m, gap, _by_chance(n, m), {"": old}, {"": new})


def _by_chance(n: int, m: int) -> float:
    # Both measures above have a variance of 1/n + 1/m where nothing moved.
    return _Z99 * sqrt(1 / n + 1 / m)


# -- content ---------------------------------------------------------------------------------------------------------------


def content(before: Sequence[Seen], now: Sequence[Seen]) -> Shift:
    """How far the mean sketch moved, in units of the reference's own spread.

    What chance gives is found by cutting the reference in two halves of days, again and again: days and not messages,
    for the messages of one day speak of the same things.
    """
    n, m = len(before), len(now)
    days: dict[date, list[Vector]] = {}
    for row in before:
        days.setdefault(row.day, []).append(row.sketch)
    sizes = Counter(len(row.sketch) for row in chain(before, now))
    if min(n, m) < ENOUGH or len(days) < _FEWEST_DAYS or len(sizes) != 1 or 0 in sizes:
        return Shift("content", CONTENT_LIMIT, n, m)
    sums = {day: (_sum(rows), len(rows)) for day, rows in sorted(days.items())}
    middle = _mean(list(sums.values()))
    squares = sum(x * x for row in before for x in row.sketch) / n
    spread = sqrt(max(squares - sum(x * x for x in middle), 0.0))
    if not spread:
        return Shift("content", CONTENT_LIMIT, n, m)
    moved = _distance(middle, _mean([(_sum([row.sketch for row in now]), m)])) / spread
    halves = _halves(list(sums.values()), spread)
    # Two halves of the reference differ by 4/n in variance, the two windows by 1/n + 1/m.
    chance = halves * sqrt((1 / n + 1 / m) / (4 / n))
    return Shift("content", CONTENT_LIMIT, n, m, moved, chance)


def _halves(days: list[tuple[Vector, int]], spread: float) -> float:
    random = Random(0)  # noqa: S311 - statistics, not secrets
    found = []
    for _ in range(_SPLITS):
        random.shuffle(days)
        half = len(days) // 2
        found.append(_distance(_mean(days[:half]), _mean(days[half:])) / spread)
    return sorted(found)[int(0.99 * (_SPLITS - 1))]


def _sum(vectors: Sequence[Vector]) -> Vector:
    return tuple(map(sum, zip(*vectors, strict=True)))


def _mean(sums: Sequence[tuple[Vector, int]]) -> Vector:
    count = sum(n for _, n in sums)
    return tuple(total / count for total in _sum([vector for vector, _ in sums]))


def _distance(one: Vector, other: Vector) -> float:
    return sqrt(sum((x - y) ** 2 for x, y in zip(one, other, strict=True)))
