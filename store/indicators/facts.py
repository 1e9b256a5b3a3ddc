"""What the families of indicators are made of: Frame (a scope on one backend), Facts (rows to count), Measure.

A family says once which rows count and what each adds; totals, daily series, drill-down and breakdowns are all read from
that one statement (see reading.py), so that a number and the rows behind it cannot disagree.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from domain.clock import Calendar
from store import schema
from store.indicators.values import Dimension, Indicator, Scope

COUNTED = ("day", "network", "department", "intent", "sentiment", "lang")  # what the roll-ups know of a mention
Expression = sa.ColumnElement[Any]
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Frame:
    """A scope, the present, and the backend that is asked."""

    scope: Scope
    now: datetime
    calendar: Calendar
    sqlite: bool

    @property
    def since_at(self) -> datetime:
        """The scope's first moment, UTC."""
        return self._midnight(self.scope.since)

    @property
    def until_at(self) -> datetime:
        """The first moment after the scope, UTC."""
        return self._midnight(self.scope.until)

    @property
    def end_at(self) -> datetime:
        """The moment at which a stock is counted: the scope's end, or now where it is still under way."""
        return min(self.until_at, self.now)

    @property
    def today(self) -> date:
        """The shop's day."""
        return self.calendar.local_day(self.now)

    @property
    def by_rows_only(self) -> bool:
        """True where the roll-ups do not know what the scope filters by."""
        return bool(self.scope.stores or self.scope.products)

    def previous(self) -> "Frame":
        """The same length just before."""
        return replace(self, scope=self.scope.previous())

    def with_previous(self) -> "Frame":
        """Both periods in one, so that one query reads them."""
        return replace(self, scope=replace(self.scope, since=self.scope.previous().since))

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(0), self.calendar.zone).astimezone(UTC)

    # -- the few expressions that the two backends spell differently ----------------------------------------------------

    def local_day(self, moment: Expression) -> Expression:
        """The shop's day, `YYYY-MM-DD`, of a moment inside the scope."""
        if not self.sqlite:
            # Written into the text of the query: PostgreSQL takes two parameters for two different expressions.
            zone = sa.literal(self.calendar.zone.key, literal_execute=True)
            shape = sa.literal("YYYY-MM-DD", literal_execute=True)
            return sa.func.to_char(sa.func.timezone(zone, moment), shape, type_=sa.String)
        *changes, (_, last) = self._offsets()
        if not changes:
            return self._shifted(moment, last)
        return sa.case(
            *((moment < until, self._shifted(moment, offset)) for until, offset in changes),
            else_=self._shifted(moment, last),
        )

    @staticmethod
    def _shifted(moment: Expression, offset: timedelta) -> Expression:
        seconds = int(offset.total_seconds())
        return sa.func.date(moment, f"{seconds:+d} seconds", type_=sa.String)

    def _offsets(self) -> list[tuple[datetime, timedelta]]:
        # (valid until, offset from UTC) over the scope: SQLite knows no time zones, the scope crosses few changes.
        found: list[tuple[datetime, timedelta]] = []
        moment = self.since_at
        for day in Scope(self.scope.since, self.scope.until + timedelta(days=1)).days():
            midnight = self._midnight(day)
            if self._offset(midnight) != self._offset(moment):
                found.append((self._change(moment, midnight), self._offset(moment)))
            moment = midnight
        return [*found, (moment, self._offset(moment))]

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.calendar.zone).utcoffset() or timedelta()

    def _change(self, low: datetime, high: datetime) -> datetime:
        before = self._offset(low)
        while high - low > timedelta(seconds=1):
            middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
            low, high = (middle, high) if self._offset(middle) == before else (low, middle)
        return high

    def minutes(self, start: Expression, end: Expression) -> Expression:
        """Calendar minutes between two moments, to the second."""
        if self.sqlite:
            seconds: Expression = sa.cast(sa.func.strftime("%s", end), sa.Integer) - sa.cast(
                sa.func.strftime("%s", start), sa.Integer
            )
        else:
            whole = sa.literal("second", literal_execute=True)
            seconds = sa.extract("epoch", sa.func.date_trunc(whole, end) - sa.func.date_trunc(whole, start))
        return sa.cast(seconds, sa.Float) / 60.0

    def each(self, array: Expression) -> Any:
        """A list kept as JSON, as a table with one column `value`; what is no list may give a row without a value."""
        if self.sqlite:
            return sa.func.json_each(array).table_valued("value", name="item")
        listed = sa.case((sa.func.json_typeof(array) == sa.literal("array", literal_execute=True), array))
        return sa.func.json_array_elements_text(listed).table_valued("value", name="item")


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows to count.

    Attributes:
        value: what one row adds.
        day: the local day that it counts for; None for a stock.
        columns: kind, id, case_id, at, network, person_id, account_id, text, and the dimensions that the rows know.
        weight: how many rows one row stands for; None for one (roll-ups have more).
    """

    source: Any
    where: tuple[Condition, ...]
    value: Expression
    day: Expression | None
    columns: Mapping[str, Expression] = field(default_factory=dict)
    weight: Expression | None = None

    def select(self, *columns: Expression) -> sa.Select[Any]:
        """A query over the rows."""
        return sa.select(*columns).select_from(self.source).where(*self.where)

    @property
    def total(self) -> Expression:
        """Sum of the values."""
        return sa.func.sum(self.value if self.weight is None else self.value * self.weight)

    @property
    def count(self) -> Expression:
        """Number of rows."""
        return sa.func.count() if self.weight is None else sa.func.sum(self.weight)

    @property
    def squares(self) -> Expression:
        """Sum of the squares of the values."""
        square = self.value * self.value
        return sa.func.sum(square if self.weight is None else square * self.weight)


FactsOf = Callable[[Frame], Facts]


@dataclass(frozen=True, slots=True)
class Measure:
    """How an indicator is counted.

    Attributes:
        facts: its rows.
        rollup: the same numbers out of the roll-ups; None where they do not suffice.
        against: for `per_1000`, what it is counted against: rows of the dimension asked, or all.
        facts_by: rows for a dimension that needs more tables than `facts` reads.
        flows: for a stock, what came in and what went out, for its history.
        uneven: True where rows add unlike amounts; elsewhere each adds nothing or one.
        remembers: False for a stock of which only the present is known.
        knows: what must have begun for the number to mean anything: mentions (`words`), customer events (`orders`).
    """

    facts: FactsOf
    rollup: FactsOf | None = None
    against: Callable[[Frame, Dimension | None], Facts] | None = None
    facts_by: Mapping[Dimension, FactsOf] = field(default_factory=dict)
    flows: tuple[FactsOf, FactsOf] | None = None
    uneven: bool = False
    remembers: bool = True
    knows: tuple[Literal["words", "orders"], ...] = ("words",)


Row = tuple[Indicator, Measure]


def chosen(pairs: Sequence[tuple[Expression, tuple[str, ...]]]) -> tuple[Condition, ...]:
    """Conditions for the filters that are set."""
    return tuple(column.in_(values) for column, values in pairs if values)


def mention_facts(
    frame: Frame, where: tuple[Condition, ...], value: Expression, source: Any = None, *, newest: bool = False
) -> Facts:
    """Mentions of others, by the day on which they were said; `newest` where the latest few are wanted, not all."""
    m, scope = schema.mentions.c, frame.scope
    filters = chosen(
        [
            (m.department, scope.departments),
            (m.network, scope.networks),
            (m.store, scope.stores),
            (m.product, scope.products),
        ]
    )
    period: tuple[Condition, ...] = (m.day >= scope.since.isoformat(), m.day < scope.until.isoformat())
    if newest:  # the same period, by the column whose index leads from the newest backwards
        period = (m.created_at >= frame.since_at, m.created_at < frame.until_at)
    columns: dict[str, Expression] = {
        "kind": sa.literal("mention"),
        "id": m.id,
        "case_id": m.case_id,
        "at": m.created_at,
        "network": m.network,
        "person_id": sa.null(),
        "account_id": m.account_id,
        "text": sa.func.substr(m.text, 1, 280),
        "store": m.store,
        "product": m.product,
        **{name: m[name] for name in COUNTED},
    }
    return Facts(
        schema.mentions if source is None else source,
        (*period, m.outbound.is_(False), *filters, *where),
        value,
        m.day,
        columns,
    )


def rollup_facts(frame: Frame, where: tuple[Condition, ...], value: Expression) -> Facts:
    """The same from the roll-ups; only for scopes without stores and products."""
    r, scope = schema.rollup_mentions.c, frame.scope
    filters = chosen([(r.department, scope.departments), (r.network, scope.networks)])
    period = (r.day >= scope.since.isoformat(), r.day < scope.until.isoformat(), r.outbound.is_(False), r["count"] > 0)
    columns: dict[str, Expression] = {name: r[name] for name in COUNTED}
    return Facts(schema.rollup_mentions, (*period, *filters, *where), value, r.day, columns, r["count"])


def case_facts(
    frame: Frame,
    where: tuple[Condition, ...],
    value: Expression,
    moment: Expression | None = schema.cases.c.opened_at,
    source: Any = None,
) -> Facts:
    """Cases, merged ones aside, by the day of `moment`; None for a stock, which looks at no period."""
    c, scope = schema.cases.c, frame.scope
    # In a stock, `coalesce` changes nothing but the plan: see `in_progress`.
    department = sa.func.coalesce(c.department, "") if moment is None else c.department
    filters = chosen(
        [
            (department, scope.departments),
            (c.network, scope.networks),
            (c.store, scope.stores),
            (c.product, scope.products),
        ]
    )
    period: tuple[Condition, ...] = (c.status != "merged",)
    if moment is not None:
        period = (*period, moment >= frame.since_at, moment < frame.until_at)
    columns: dict[str, Expression] = {
        "kind": sa.literal("case"),
        "id": c.id,
        "case_id": c.id,
        "at": c.opened_at,
        "network": c.network,
        "person_id": c.person_id,
        "account_id": sa.null(),
        "text": sa.null(),
        "store": c.store,
        "product": c.product,
        "intent": c.intent,
    }
    day = None if moment is None else frame.local_day(moment)
    return Facts(schema.cases if source is None else source, (*period, *filters, *where), value, day, columns)


def in_progress(end: datetime) -> tuple[Condition, ...]:
    """Cases that were opened and not ended at a moment."""
    c = schema.cases.c
    # `coalesce` changes nothing but the plan: few cases are unended, nearly all were opened before any given moment.
    return sa.func.coalesce(c.opened_at, end) < end, sa.or_(c.resolved_at.is_(None), c.resolved_at >= end)
