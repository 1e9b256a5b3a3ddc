"""From facts to numbers: totals, daily series, comparisons, drill-down rows and breakdowns of one indicator.

Everything here works for every indicator; what differs between them is in their `Measure`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from statistics import fmean, median
from typing import Any

import sqlalchemy as sa

from domain.person import EventKind
from store import schema
from store.engine import chunks
from store.indicators import chance
from store.indicators.facts import Expression, Facts, Frame, Measure, Row
from store.indicators.values import Dimension, DrillRow, How, Part, Reading

Connection = sa.Connection


@dataclass(slots=True)
class Tally:
    """What was counted: sum of the values, rows, sum of the squares; `base` is what a rate is counted against."""

    total: float = 0.0
    n: int = 0
    squares: float = 0.0
    values: list[float] = field(default_factory=list)
    base: int = 0

    def add(self, other: "Tally") -> None:
        """Count another one in."""
        self.total += other.total
        self.n += other.n
        self.squares += other.squares
        self.values += other.values
        self.base += other.base

    def value(self, how: How) -> float | None:
        """The indicator's value, None without data."""
        if how in {"sum", "stock"}:
            return self.total
        if how == "per_1000":
            return self.total / self.base * 1000 if self.base else None
        if how == "median":
            return median(self.values) if self.values else None
        return self.total / self.n if self.n else None

    def sample(self, how: How) -> int:
        """What the value rests on."""
        return self.base if how == "per_1000" else self.n


def tallies(
    connection: Connection, facts: Facts, by: Expression | None, *, uneven: bool = False, keep: bool = False
) -> dict[str, Tally]:
    """What was counted, for each value of a column.

    Args:
        uneven: the squares are wanted, and differ from the values.
        keep: one by one, for medians, and for values that are dear to compute more than once.
    """
    label = (sa.literal("") if by is None else by).label("label")
    if keep:
        found = {} if by is not None else {"": Tally()}
        for key, value in connection.execute(facts.select(label, facts.value)):
            one = float(value)
            found.setdefault(key, Tally()).add(Tally(one, 1, one * one, [one]))
        return found
    query = facts.select(label, facts.total, facts.count, facts.squares if uneven else sa.null())
    rows = connection.execute(query if by is None else query.group_by(by)).all()
    return {
        key: Tally(float(total or 0), int(n or 0), float((squares if uneven else total) or 0))
        for key, total, n, squares in rows
    }


def _with_base(found: dict[str, Tally], base: Mapping[str, Tally]) -> dict[str, Tally]:
    for key, tally in base.items():
        found.setdefault(key, Tally()).base = tally.n
    return found


def _facts(measure: Measure, frame: Frame) -> Facts:
    return measure.rollup(frame) if measure.rollup is not None and not frame.by_rows_only else measure.facts(frame)


def known_since(connection: Connection, measure: Measure, frame: Frame) -> date | None:
    """The first day of which anything is known, None where nothing is; before it, nothing is no zero."""
    starts: list[date] = []
    if "words" in measure.knows:
        r = schema.rollup_mentions.c
        day = connection.scalar(sa.select(r.day).where(r["count"] > 0).order_by(r.day).limit(1))
        if day is None:
            return None
        starts.append(date.fromisoformat(day))
    if "orders" in measure.knows:
        e = schema.events.c
        kinds = (EventKind.ORDER, EventKind.CART, EventKind.DELIVERY)
        firsts = [connection.scalar(sa.select(sa.func.min(e.at)).where(e.kind == kind.value)) for kind in kinds]
        known = [moment for moment in firsts if moment is not None]
        if not known:
            return None
        starts.append(frame.calendar.local_day(min(known)))
    return max(starts)


def read(connection: Connection, row: Row, frame: Frame) -> Reading:
    """One indicator with its comparison and its history."""
    indicator, measure = row
    start = known_since(connection, measure, frame)
    if start is None or frame.scope.until <= start:
        return Reading(indicator.key, None, 0, None, 0, False, ())
    if indicator.how == "stock":
        return _read_stock(connection, row, frame, start)
    return _read_flow(connection, row, frame, start)


def _read_flow(connection: Connection, row: Row, frame: Frame, start: date) -> Reading:
    indicator, measure = row
    how, both = indicator.how, frame.with_previous()
    facts = _facts(measure, both)
    days = tallies(connection, facts, facts.day, uneven=measure.uneven, keep=how == "median")
    if measure.against is not None:
        against = measure.against(both, None)
        days = _with_base(days, tallies(connection, against, against.day))
    border = frame.scope.since.isoformat()
    now, before = Tally(), Tally()
    for day, tally in days.items():
        (now if day >= border else before).add(tally)
    value, previous = now.value(how), before.value(how)
    if how in {"sum", "per_1000"} and frame.scope.previous().since < start:
        previous = None  # the store does not reach back that far: half a period is no comparison
    return Reading(
        indicator.key,
        value,
        now.sample(how),
        previous,
        before.sample(how) if previous is not None else 0,
        value is not None and previous is not None and _by_chance(indicator.unit, how, now, before, _elapsed(frame)),
        _series(frame, start, days, how),
        fmean(now.values) if now.values else None,
    )


def _elapsed(frame: Frame) -> float:
    # How much of the current period is over, against the whole previous one.
    whole = frame.until_at - frame.since_at
    return max((min(frame.until_at, frame.now) - frame.since_at) / whole, 0.0) if whole else 1.0


def _by_chance(unit: str, how: How, now: Tally, before: Tally, elapsed: float) -> bool:
    if how == "median":
        return chance.medians(now.values, before.values)
    if how == "per_1000":
        return chance.counts(now.n, before.n, now.base, before.base)
    if how == "mean" and unit == "share":
        return chance.shares(now.total, now.n, before.total, before.n)
    if how == "mean":
        return chance.means(now.total, now.squares, now.n, before.total, before.squares, before.n)
    if now.total == now.n and before.total == before.n:  # every row adds one
        return chance.counts(now.n, before.n, elapsed)
    return chance.sums(now.total, now.squares, before.total, before.squares, elapsed)


def _days(frame: Frame, start: date) -> list[date]:
    return [day for day in frame.scope.days() if start <= day <= frame.today]


def _series(
    frame: Frame, start: date, days: Mapping[str, Tally], how: How
) -> tuple[tuple[date, float | None, int], ...]:
    empty = Tally()
    found = ((day, days.get(day.isoformat(), empty)) for day in _days(frame, start))
    return tuple((day, tally.value(how), tally.sample(how)) for day, tally in found)


def _stock(connection: Connection, measure: Measure, frame: Frame) -> Tally:
    return tallies(connection, measure.facts(frame), None, keep=measure.uneven)[""]


def _read_stock(connection: Connection, row: Row, frame: Frame, start: date) -> Reading:
    indicator, measure = row
    now = _stock(connection, measure, frame)
    if not measure.remembers:
        return Reading(indicator.key, now.total, now.n, None, 0, False, ())
    before = _stock(connection, measure, frame.previous()) if frame.scope.since > start else None
    series: tuple[tuple[date, float | None, int], ...] = ()
    if measure.flows is not None:
        series = _stock_series(connection, measure, frame, start, now.n)
    return Reading(
        indicator.key,
        now.total,
        now.n,
        before.total if before else None,
        before.n if before else 0,
        before is not None and _by_chance(indicator.unit, indicator.how, now, before, 1.0),
        series,
    )


def _stock_series(
    connection: Connection, measure: Measure, frame: Frame, start: date, last: int
) -> tuple[tuple[date, float | None, int], ...]:
    # Backwards from the end: what was there a day before is what is there, minus what came, plus what went.
    if measure.flows is None:
        return ()
    came, went = (tallies(connection, facts, facts.day) for facts in (of(frame) for of in measure.flows))
    empty, level, found = Tally(), last, []
    for day in reversed(_days(frame, start)):
        found.append((day, float(level), level))
        level += went.get(day.isoformat(), empty).n - came.get(day.isoformat(), empty).n
    return tuple(reversed(found))


def breakdown(connection: Connection, row: Row, frame: Frame, by: Dimension) -> list[Part]:
    """The indicator for each value of a dimension."""
    indicator, measure = row
    if by not in indicator.dimensions:
        known = ", ".join(indicator.dimensions) or "none"
        raise ValueError(f"{indicator.key} has no breakdown by {by}; it has: {known}")
    facts = measure.facts_by[by](frame) if by in measure.facts_by else _facts(measure, frame)
    if by not in facts.columns:
        facts = measure.facts(frame)
    found = tallies(connection, facts, facts.columns[by], keep=indicator.how == "median")
    if measure.against is not None:
        against = measure.against(frame, by)
        found = _with_base(found, tallies(connection, against, against.columns[by]))
    parts = [
        Part(label, tally.value(indicator.how), tally.sample(indicator.how)) for label, tally in found.items() if label
    ]
    return sorted(parts, key=lambda part: (-part.n, part.label))


def row_count(connection: Connection, row: Row, frame: Frame) -> int:
    """How many rows were counted."""
    return connection.scalar(row[1].facts(frame).select(sa.func.count())) or 0


_SHOWN = ("kind", "id", "case_id", "at", "network", "person_id", "account_id", "text")


def rows(connection: Connection, row: Row, frame: Frame, limit: int, offset: int) -> list[DrillRow]:
    """The rows that were counted: what is bad news first, then the newest."""
    indicator, measure = row
    facts = measure.facts(frame)
    value = facts.value.label("value")
    columns = [facts.columns[name].label(name) for name in _SHOWN]
    if "data" in facts.columns:
        columns.append(facts.columns["data"].label("data"))
    worst = value.asc() if indicator.better == "up" else value.desc()
    order = (worst, facts.columns["at"].desc(), facts.columns["id"])
    query = facts.select(*columns, value).order_by(*order).limit(limit).offset(offset)
    found = connection.execute(query).mappings().all()
    names = names_of(connection, found)
    said = _last_words(connection, [each["id"] for each in found if each["kind"] == "case"])
    return [
        DrillRow(
            each["kind"],
            each["id"],
            each["case_id"],
            each["at"],
            each["network"],
            names.get(each["person_id"] or each["account_id"], ""),
            each["text"] or said.get(each["id"]) or _about(each),
            float(each["value"]),
        )
        for each in found
    ]


def names_of(connection: Connection, found: Sequence[Mapping[Any, Any]]) -> dict[str | None, str]:
    """Names by person id and by account id, for rows that have either."""
    p, a = schema.persons, schema.accounts
    names: dict[str | None, str] = {}
    for part in chunks(sorted({each["person_id"] for each in found if each["person_id"]})):
        people = sa.select(p.c.id, p.c.name).where(p.c.id.in_(part))
        names |= {row[0]: row[1] for row in connection.execute(people)}
    for part in chunks(sorted({each["account_id"] for each in found if each["account_id"]})):
        query = sa.select(a.c.id, p.c.name).join(p, p.c.id == a.c.person_id).where(a.c.id.in_(part))
        names |= {row[0]: row[1] for row in connection.execute(query)}
    return names


def _last_words(connection: Connection, case_ids: list[str]) -> dict[str, str]:
    m, words = schema.mentions.c, dict[str, str]()
    for part in chunks(case_ids):
        query = (
            sa.select(m.case_id, sa.func.substr(m.text, 1, 280))
            .where(m.case_id.in_(part), m.outbound.is_(False))
            .order_by(m.created_at, m.id)
        )
        words |= {row[0]: row[1] for row in connection.execute(query)}  # the last one stays
    return words


def _about(row: Mapping[Any, Any]) -> str:
    # An event says nothing; what it was about, without a word of any language.
    data = row.get("data") or {}
    promised = data.get("promised_on") or data.get("promised_at")
    arrived = data.get("delivered_on") or data.get("delivered_at")
    parts = [data.get("order"), data.get("carrier"), ", ".join(map(str, data.get("items", ())))]
    if promised:
        parts.append(f"{promised} → {arrived or '…'}")
    return " · ".join(str(part) for part in parts if part)[:280]
