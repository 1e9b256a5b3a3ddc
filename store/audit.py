"""Who did what, when: one row per change of a case, appended in the transaction of the change, never altered.

Rows hold ids, states and field names, never the words of a person: an erasure need not touch them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any

import sqlalchemy as sa

from domain.case import Case, CaseId
from store import schema
from store.engine import Database


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act on a case."""

    id: int
    at: datetime
    actor: str
    action: str
    case_id: CaseId | None
    data: dict[str, Any]


_COUNTED = frozenset({"version"})


def changed_fields(before: Case | None, after: Case) -> dict[str, list[Any]]:
    """`{field: [before, after]}`, printable; only `department` and `status` for a case that has just been opened."""
    if before is None:
        return {"status": [None, after.status.value], "department": [None, after.department]}
    return {
        f.name: [_printable(getattr(before, f.name)), _printable(getattr(after, f.name))]
        for f in fields(Case)
        if f.name not in _COUNTED and getattr(before, f.name) != getattr(after, f.name)
    }


def _printable(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.value if isinstance(value, Enum) else value


def append(connection: sa.Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows of `{at, actor, action, case_id, data}`; only inside the transaction of what they tell."""
    if rows:
        connection.execute(sa.insert(schema.audit), list(rows))


class Audit:
    """Reading the audit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_case(self, case_id: CaseId) -> list[AuditRow]:
        """All acts on a case, oldest first, those before a merge included."""
        a = schema.audit
        with self._database.read() as connection:
            rows = connection.execute(sa.select(a).where(a.c.case_id == case_id).order_by(a.c.id))
            return [AuditRow(**row) for row in rows.mappings()]

    def latest(self, limit: int = 50, before_id: int | None = None) -> list[AuditRow]:
        """The newest acts of all cases, newest first; page with the last row's id."""
        a = schema.audit
        query = sa.select(a).order_by(a.c.id.desc()).limit(limit)
        if before_id is not None:
            query = query.where(a.c.id < before_id)
        with self._database.read() as connection:
            return [AuditRow(**row) for row in connection.execute(query).mappings()]
