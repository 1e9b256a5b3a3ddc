"""Counts kept beside the rows, changed in the same transaction as the rows that they count.

A writer collects a `Delta` (minus the old key, plus the new one) and applies it once. `rebuild` counts the rows again and
says where the two disagreed: they never should, and a test drives random histories to prove it.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.case import Case, Status
from domain.clock import Calendar
from store import schema
from store.engine import Database

MentionKey = tuple[str, str, str, str, str, str, bool, bool]
CaseKey = tuple[str, str, str, str]

_MENTION_COLUMNS = ("day", "network", "department", "intent", "sentiment", "lang", "outbound", "uncertain")
_CASE_COLUMNS = ("day", "department", "network", "metric")


def mention_key(row: Mapping[Any, Any]) -> MentionKey:
    """Where a row of `mentions` is counted."""
    return tuple(row[column] for column in _MENTION_COLUMNS)


def case_keys(case: Case, calendar: Calendar) -> list[CaseKey]:
    """Where a case is counted: everything by the day on which it was opened, except `resolved`, by the day of the end."""
    if case.status is Status.MERGED:
        return []
    opened = calendar.local_day(case.opened_at).isoformat()
    keys = [(opened, case.department, case.network, "opened")]
    if case.first_reply_at is not None:
        keys.append((opened, case.department, case.network, "answered"))
        if case.first_reply_due_at is not None and case.first_reply_at <= case.first_reply_due_at:
            keys.append((opened, case.department, case.network, "in_time"))
    if case.reopened_count:
        keys.append((opened, case.department, case.network, "reopened"))
    if case.resolved_at is not None:
        keys.append((_day(case.resolved_at, calendar), case.department, case.network, "resolved"))
    return keys


def _day(moment: datetime, calendar: Calendar) -> str:
    return calendar.local_day(moment).isoformat()


@dataclass
class Delta:
    """Changes to apply to the counts of one transaction."""

    calendar: Calendar
    mentions: Counter[MentionKey] = field(default_factory=Counter)
    cases: Counter[CaseKey] = field(default_factory=Counter)

    def mention(self, before: Mapping[Any, Any] | None, after: Mapping[Any, Any] | None) -> None:
        """A row of `mentions` appeared, changed or went."""
        if before is not None:
            self.mentions[mention_key(before)] -= 1
        if after is not None:
            self.mentions[mention_key(after)] += 1

    def case(self, before: Case | None, after: Case | None) -> None:
        """A case appeared, changed or went."""
        if before is not None:
            self.cases.subtract(case_keys(before, self.calendar))
        if after is not None:
            self.cases.update(case_keys(after, self.calendar))

    def apply(self, connection: sa.Connection) -> None:
        """Add the changes to the stored counts."""
        _add(connection, schema.rollup_mentions, _MENTION_COLUMNS, self.mentions)
        _add(connection, schema.rollup_cases, _CASE_COLUMNS, self.cases)


def _add(connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], counter: Mapping[Any, int]) -> None:
    # Sorted, so that two writers on PostgreSQL take the row locks in the same order and cannot block each other.
    rows = [dict(zip(columns, key, strict=True), count=n) for key, n in sorted(counter.items()) if n]
    if not rows:
        return
    insert = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    statement = insert.on_conflict_do_update(
        index_elements=list(columns), set_={"count": table.c.count + insert.excluded.count}
    )
    connection.execute(statement, rows)


@dataclass(frozen=True, slots=True)
class Difference:
    """One count that did not agree with its rows."""

    table: str
    key: tuple[Any, ...]
    stored: int
    counted: int


def _stored(connection: sa.Connection, table: sa.Table, columns: tuple[str, ...]) -> Counter[Any]:
    rows = connection.execute(sa.select(*(table.c[c] for c in columns), table.c["count"]).where(table.c["count"] != 0))
    return Counter({tuple(row[:-1]): row[-1] for row in rows})


def _counted(connection: sa.Connection, calendar: Calendar) -> tuple[Counter[Any], Counter[Any]]:
    from store.changes import iterate_cases  # changes.py writes rollups; only this check reads cases back

    m = schema.mentions
    columns = [m.c[column] for column in _MENTION_COLUMNS]
    mentions = Counter(
        {
            tuple(row[:-1]): row[-1]
            for row in connection.execute(sa.select(*columns, sa.func.count()).group_by(*columns))
        }
    )
    cases: Counter[Any] = Counter()
    for case in iterate_cases(connection):
        cases.update(case_keys(case, calendar))
    return mentions, cases


def rebuild(database: Database, *, write: bool = True) -> list[Difference]:
    """Count all rows again; the differences found, which are then mended unless `write` is False."""
    with database.write() as connection:
        counted = _counted(connection, database.calendar)
        found: list[Difference] = []
        for table, columns, fresh in zip(
            (schema.rollup_mentions, schema.rollup_cases), (_MENTION_COLUMNS, _CASE_COLUMNS), counted, strict=True
        ):
            stored = _stored(connection, table, columns)
            found += _differences(table.name, stored, fresh)
            if write:
                connection.execute(sa.delete(table))
                _add(connection, table, columns, fresh)
    return found


def _differences(table: str, stored: Counter[Any], counted: Counter[Any]) -> Iterable[Difference]:
    for key in sorted(stored.keys() | counted.keys()):
        if stored[key] != counted[key]:
            yield Difference(table, key, stored[key], counted[key])
