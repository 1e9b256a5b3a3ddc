"""Changing cases: what every writer of cases shares.

`Changes` gathers what one transaction does to cases (rows, audit, counts) and writes it once, in bulk, refusing to
overwrite what somebody else changed meanwhile. Routing (`store.routing`) and acts of people (`store.cases`) use it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.case import Case, CaseId, RuleError
from domain.errors import StaleError
from store import audit, schema
from store.engine import Database, chunks
from store.rollups import Delta
from store.rows import case_of, case_row


def iterate_cases(connection: sa.Connection) -> Iterator[Case]:
    """All cases, streamed."""
    rows = connection.execute(sa.select(schema.cases), execution_options={"yield_per": 1000}).mappings()
    return (case_of(row) for row in rows)


def read_cases(connection: sa.Connection, case_ids: Sequence[str], *, lock: bool = False) -> dict[CaseId, Case]:
    """Cases by id, in the order of their ids; `lock` keeps other writers away until the transaction ends."""
    c = schema.cases
    found: dict[CaseId, Case] = {}
    for part in chunks(list(case_ids)):
        query = sa.select(c).where(c.c.id.in_(part)).order_by(c.c.id)
        for row in connection.execute(query.with_for_update() if lock else query).mappings():
            found[CaseId(row["id"])] = case_of(row)
    return found


def one_case(connection: sa.Connection, case_id: CaseId, is_sqlite: bool) -> Case:
    """One case, locked where the backend can. Raises RuleError where there is none."""
    c = schema.cases
    query = sa.select(c).where(c.c.id == case_id)
    row = connection.execute(query if is_sqlite else query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise RuleError(f"There is no case {case_id}.")
    return case_of(row)


_CASE_COLUMNS = [column.name for column in schema.cases.c if column.name != "id"]


class Changes:
    """What one transaction does to cases."""

    def __init__(self, database: Database, actor: str, now: datetime) -> None:
        self.delta = Delta(database.calendar)
        self.actor, self.now = actor, now
        self.inserts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []

    def change(self, before: Case | None, after: Case, action: str, **extra: Any) -> Case:
        """Note one change; the case as it will be written, with its new version."""
        if before is not None:
            after = replace(after, version=before.version + 1)
        row = case_row(after)
        if before is None:
            self.inserts.append(row)
        else:
            self.updates.append({**row, "key": row.pop("id"), "seen": before.version})
        self.delta.case(before, after)
        data = {**audit.changed_fields(before, after), **extra}
        self.audit.append({"at": self.now, "actor": self.actor, "action": action, "case_id": after.id, "data": data})
        return after

    def note(self, case_id: CaseId | None, action: str, data: dict[str, Any]) -> None:
        """Note an act that leaves its case as it is."""
        self.audit.append({"at": self.now, "actor": self.actor, "action": action, "case_id": case_id, "data": data})

    def write(self, connection: sa.Connection) -> None:
        """Write everything. Raises StaleError where a case changed since it was read."""
        c = schema.cases
        if self.inserts:
            connection.execute(sa.insert(c), self.inserts)
        statement = sa.update(c).where(c.c.id == sa.bindparam("key"), c.c.version == sa.bindparam("seen"))
        if self.updates:
            result = connection.execute(
                statement.values(**{name: sa.bindparam(name) for name in _CASE_COLUMNS}), self.updates
            )
            if result.rowcount not in {-1, len(self.updates)}:
                raise StaleError("A case changed while it was being written. Nothing was kept; read it again.")
        audit.append(connection, self.audit)
        self.delta.apply(connection)


def move_mentions(connection: sa.Connection, delta: Delta, which: sa.ColumnElement[bool], **values: str) -> None:
    """Give mentions another case or department, and their counts with them."""
    m = schema.mentions
    for row in connection.execute(sa.select(m).where(which)).mappings():
        delta.mention(row, {**row, **values})
    connection.execute(sa.update(m).where(which).values(**values))
