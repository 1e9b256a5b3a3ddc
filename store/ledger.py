"""The ledger: what each source cost, by day and kind, against what it may cost.

`record` writes with the page (or the answer) that was paid for, in the same transaction. The rules are in `domain.budget`;
budgets are set with `Sources.set_budget`. `Ledger.months` is what the sources page shows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain import budget as rules
from domain.budget import Budget, Course, SpendKind, Verdict
from domain.clock import Calendar
from domain.contracts import Spend
from store import schema
from store.engine import Database, upsert

_AMOUNTS = ("call_count", "item_count", "price", "unit_count")


@dataclass(frozen=True, slots=True)
class SpendRow:
    """What one source cost on one day (the shop's), for one kind of thing."""

    source_key: str
    day: date
    kind: SpendKind
    spent: Spend


@dataclass(frozen=True, slots=True)
class Quota:
    """Units that a vendor grants a day. `day` is the vendor's own; what was used on another day no longer counts."""

    granted_count: int
    used_count: int
    resets_at: datetime

    @property
    def is_used_up(self) -> bool:
        """True where what is left is kept for answers."""
        return rules.is_used_up(self.used_count, self.granted_count)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the worker asks before it reads: the month's verdict, and the day's quota where the vendor counts one."""

    verdict: Verdict = field(default_factory=Verdict)
    spent: Spend = field(default_factory=Spend)
    budget: Budget = field(default_factory=Budget)
    quota: Quota | None = None


@dataclass(frozen=True, slots=True)
class SourceMonth:
    """A source's month so far.

    Attributes:
        by_kind: the same by what was paid for; kinds that cost nothing are left out.
        forecast_price, forecast_unit_count: of the whole month; see `domain.budget.forecast`.
        useful_count: mentions of others, heard this month, that opened or joined a case.
        price_per_useful: what hearing cost (answers aside) for each of them, in US dollars; None where there is none.
    """

    source_key: str
    spent: Spend
    by_kind: Mapping[SpendKind, Spend]
    budget: Budget
    verdict: Verdict
    forecast_price: float
    forecast_unit_count: float
    useful_count: int
    price_per_useful: float | None
    quota: Quota | None


def record(
    connection: sa.Connection, calendar: Calendar, source_key: str, kind: SpendKind, spent: Spend, now: datetime
) -> None:
    """Add to what a source cost today; what cost nothing leaves no row."""
    if spent == Spend():
        return
    s = schema.spending
    amounts = {name: getattr(spent, name) for name in _AMOUNTS}
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(s)
    grown = {name: s.c[name] + insert.excluded[name] for name in _AMOUNTS}
    row = {"source_key": source_key, "day": calendar.local_day(now).isoformat(), "kind": kind.value, **amounts}
    connection.execute(insert.on_conflict_do_update(index_elements=["source_key", "day", "kind"], set_=grown), [row])
    if spent.unit_count:
        _use_quota(connection, source_key, spent.unit_count, now)


def _use_quota(connection: sa.Connection, source_key: str, unit_count: int, now: datetime) -> None:
    q = schema.quotas
    query = sa.select(q).where(q.c.source_key == source_key)
    if connection.dialect.name != "sqlite":
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is not None:
        today = rules.quota_day(now, row["zone"])
        used = unit_count + (row["used_count"] if row["day"] == today else 0)
        connection.execute(sa.update(q).where(q.c.source_key == source_key).values(day=today, used_count=used))


class Ledger:
    """Writing and reading what sources cost."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, source_key: str, kind: SpendKind, spent: Spend, now: datetime) -> None:
        """Add what something without a page cost, such as an estimate."""
        if spent != Spend():
            with self._database.write() as connection:
                record(connection, self._database.calendar, source_key, kind, spent, now)

    def set_quota(self, source_key: str, granted_count: int | None, zone: str, now: datetime) -> None:
        """What the vendor grants a day, as its collector tells; told again, nothing is written."""
        q = schema.quotas
        with self._database.read() as connection:
            row = connection.execute(sa.select(q).where(q.c.source_key == source_key)).mappings().one_or_none()
        if granted_count is None:
            if row is not None:
                with self._database.write() as connection:
                    connection.execute(sa.delete(q).where(q.c.source_key == source_key))
            return
        if row is None or (row["unit_count"], row["zone"]) != (granted_count, zone):
            values = {"source_key": source_key, "unit_count": granted_count, "zone": zone}
            used = {"day": rules.quota_day(now, zone), "used_count": 0}
            if row is not None and row["zone"] == zone:
                used = {"day": row["day"], "used_count": row["used_count"]}
            with self._database.write() as connection:
                upsert(connection, q, ("source_key",), [{**values, **used}])

    def set_course(self, source_key: str, course: Course, stopped_until: datetime | None = None) -> bool:
        """Note how a source with a budget goes on; True where that is news, worth telling a person once."""
        b = schema.budgets
        where = (b.c.source_key == source_key, b.c.course != course.value)
        with self._database.read() as connection:
            if connection.scalar(sa.select(b.c.source_key).where(*where)) is None:
                return False
        with self._database.write() as connection:
            connection.execute(sa.update(b).where(*where).values(course=course.value, stopped_until=stopped_until))
        return True

    # -- reading -----------------------------------------------------------------------------------------------------------

    def standings(self, now: datetime) -> dict[str, Standing]:
        """How the sources that have a budget or a quota stand; the others are left out: nothing holds them back."""
        with self._database.read() as connection:
            budgets, quotas = _budgets(connection), _quotas(connection, now)
            spent = self._spent(connection, now, list(budgets)) if budgets else {}
        zone = self._database.calendar.zone
        found = {}
        for key in budgets.keys() | quotas.keys():
            limit, so_far = budgets.get(key, Budget()), _total(spent.get(key, {}).values())
            found[key] = Standing(rules.judge(so_far, limit, now, zone), so_far, limit, quotas.get(key))
        return found

    def standing(self, source_key: str, now: datetime) -> Standing:
        """How one source stands."""
        return self.standings(now).get(source_key, Standing())

    def months(self, now: datetime) -> dict[str, SourceMonth]:
        """This month of every source, by key."""
        zone = self._database.calendar.zone
        with self._database.read() as connection:
            keys = list(connection.scalars(sa.select(schema.sources.c.key).order_by(schema.sources.c.key)))
            budgets, quotas = _budgets(connection), _quotas(connection, now)
            spent = self._spent(connection, now)
            useful = self._useful(connection, now)
        found = {}
        for key in keys:
            by_kind = spent.get(key, {})
            total, limit, count = _total(by_kind.values()), budgets.get(key, Budget()), useful.get(key, 0)
            heard = _total(amount for kind, amount in by_kind.items() if kind is not SpendKind.WRITING)
            found[key] = SourceMonth(
                key,
                total,
                by_kind,
                limit,
                rules.judge(total, limit, now, zone),
                rules.forecast(total.price, now, zone),
                rules.forecast(total.unit_count, now, zone),
                count,
                rules.price_per_useful(heard.price, count),
                quotas.get(key),
            )
        return found

    def month(self, source_key: str, now: datetime) -> SourceMonth | None:
        """This month of one source."""
        return self.months(now).get(source_key)

    def days(self, since: date, until: date, source_key: str | None = None) -> list[SpendRow]:
        """What each of these days cost (`until` not included), oldest first."""
        s = schema.spending
        query = sa.select(s).where(s.c.day >= since.isoformat(), s.c.day < until.isoformat())
        query = query.order_by(s.c.day, s.c.source_key, s.c.kind)
        if source_key is not None:
            query = query.where(s.c.source_key == source_key)
        with self._database.read() as connection:
            return [
                SpendRow(row["source_key"], date.fromisoformat(row["day"]), SpendKind(row["kind"]), _spend(row))
                for row in connection.execute(query).mappings()
            ]

    def _spent(
        self, connection: sa.Connection, now: datetime, keys: list[str] | None = None
    ) -> dict[str, dict[SpendKind, Spend]]:
        s, calendar = schema.spending, self._database.calendar
        start, end = (calendar.local_day(edge).isoformat() for edge in rules.month_of(now, calendar.zone))
        amounts = [sa.func.sum(s.c[name]).label(name) for name in _AMOUNTS]
        query = sa.select(s.c.source_key, s.c.kind, *amounts).where(s.c.day >= start, s.c.day < end)
        query = query.group_by(s.c.source_key, s.c.kind)
        if keys is not None:
            query = query.where(s.c.source_key.in_(keys))
        found: defaultdict[str, dict[SpendKind, Spend]] = defaultdict(dict)
        for row in connection.execute(query).mappings():
            found[row["source_key"]][SpendKind(row["kind"])] = _spend(row)
        return dict(found)

    def _useful(self, connection: sa.Connection, now: datetime) -> dict[str, int]:
        m = schema.mentions.c
        start, end = rules.month_of(now, self._database.calendar.zone)
        this_month = (m.collected_at >= start, m.collected_at < end)
        query = sa.select(m.source_key, sa.func.count()).where(
            *this_month, m.case_id.is_not(None), m.outbound.is_(False)
        )
        return {key: int(count) for key, count in connection.execute(query.group_by(m.source_key))}


def _total(amounts: Iterable[Spend]) -> Spend:
    return sum(amounts, Spend())


def _spend(row: Mapping[Any, Any]) -> Spend:
    return Spend(int(row["call_count"]), int(row["item_count"]), float(row["price"]), int(row["unit_count"]))


def _budgets(connection: sa.Connection) -> dict[str, Budget]:
    b = schema.budgets
    rows = connection.execute(sa.select(b.c.source_key, b.c.price, b.c.unit_count))
    return {key: Budget(price, unit_count) for key, price, unit_count in rows}


def _quotas(connection: sa.Connection, now: datetime) -> dict[str, Quota]:
    found = {}
    for row in connection.execute(sa.select(schema.quotas)).mappings():
        used = row["used_count"] if row["day"] == rules.quota_day(now, row["zone"]) else 0
        found[row["source_key"]] = Quota(row["unit_count"], used, rules.next_reset(now, row["zone"]))
    return found
