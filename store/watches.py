"""Watches: what people want to be listened to, in the language of `domain.watch`, and what each source gets of it.

Every change is a row of the audit, written in the same transaction. `Watches.of_source` joins what is enabled for one source
into the one `Watch` that collectors know.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.contracts import Watch
from domain.errors import InputError
from domain.watch import MAX_LENGTH
from domain.watch_lists import check, expand, key_of
from store import audit, schema
from store.audit import AuditRow
from store.engine import Database
from store.rows import storable

ADDED, CHANGED, REMOVED = "watch_added", "watch_changed", "watch_removed"  # in the audit
NAME_LENGTH = 80
_JOINT = " OR "  # binds last, so that no expression needs parentheses of its own
_TOLD = ("name", "query", "kind", "sources", "enabled")
_LOCK = 730154  # PostgreSQL's advisory lock of whoever changes watches: together they must stay short enough


class WatchKind(StrEnum):
    """Whom it is about."""

    BRAND = "brand"
    COMPETITOR = "competitor"
    TOPIC = "topic"


@dataclass(frozen=True, slots=True)
class WatchRow:
    """One watch.

    Attributes:
        sources: keys of the sources that it is for; none means all of them.
    """

    id: int
    name: str
    query: str
    kind: WatchKind
    sources: tuple[str, ...]
    enabled: bool
    created_by: str
    created_at: datetime
    changed_at: datetime

    def concerns(self, source_key: str) -> bool:
        """Whether it is meant for this source."""
        return not self.sources or source_key in self.sources


class Watches:
    """Writing and reading watches."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        name: str,
        query: str,
        *,
        by: str,
        at: datetime,
        kind: WatchKind = WatchKind.BRAND,
        sources: Sequence[str] = (),
        enabled: bool = True,
    ) -> WatchRow:
        """Keep a new watch; the worker listens to it from its next pass.

        Raises:
            InputError: the expression cannot be read or names a watch that is not there, the name is taken, or all watches
                together are too long for a source.
        """
        row = WatchRow(0, _named(name), _clean_query(query), kind, tuple(sorted(set(sources))), enabled, by, at, at)
        with self._database.write() as connection:
            others = self._locked(connection)
            _check(row, others)
            values = {key: getattr(row, key) for key in ("name", "query", "enabled", "created_by", "created_at")}
            values |= {"kind": kind.value, "sources": list(row.sources), "changed_at": at}
            row_id = connection.execute(
                sa.insert(schema.watches).values(**values).returning(schema.watches.c.id)
            ).scalar_one()
            row = replace(row, id=row_id)
            _tell(connection, ADDED, row, {name: [None, _plain(getattr(row, name))] for name in _TOLD}, by, at)
        return row

    def change(self, watch_id: int, *, by: str, at: datetime, **changes: Any) -> WatchRow:
        """Change name, query, kind, sources or enabled.

        Raises:
            InputError: as `add`, or the watch is no longer there.
        """
        with self._database.write() as connection:
            others = self._locked(connection)
            before = next((row for row in others if row.id == watch_id), None)
            if before is None:
                raise InputError("This watch is no longer there. Nothing was changed.")
            after = replace(before, **_clean(changes))
            moved = {name for name in _TOLD if getattr(after, name) != getattr(before, name)}
            if not moved:
                return before
            _check(after, [row for row in others if row.id != watch_id])
            after = replace(after, changed_at=at)
            values = {name: _plain(getattr(after, name)) for name in moved} | {"changed_at": at}
            connection.execute(sa.update(schema.watches).where(schema.watches.c.id == watch_id).values(**values))
            told = {
                name: [_plain(getattr(before, name)), _plain(getattr(after, name))] for name in _TOLD if name in moved
            }
            _tell(connection, CHANGED, after, told, by, at)
        return after

    def remove(self, watch_id: int, *, by: str, at: datetime) -> None:
        """Listen to it no more; what it found stays. Raises InputError where it is gone, or another watch names it."""
        with self._database.write() as connection:
            rows = self._locked(connection)
            row = next((row for row in rows if row.id == watch_id), None)
            if row is None:
                raise InputError("This watch is no longer there. Nothing was changed.")
            _wholes([other for other in rows if other.id != watch_id], about=row)
            connection.execute(sa.delete(schema.watches).where(schema.watches.c.id == watch_id))
            _tell(connection, REMOVED, row, {"query": [row.query, None]}, by, at)

    # -- reading -----------------------------------------------------------------------------------------------------------

    def all(self) -> list[WatchRow]:
        """Every watch, by name."""
        with self._database.read() as connection:
            return _all(connection)

    def whole(self) -> list[WatchRow]:
        """Every watch, with what its lists stand for in their places."""
        rows = self.all()
        wholes = _wholes(rows)
        return [replace(row, query=wholes[row.id]) for row in rows]

    def expanded(self, query: str) -> str:
        """An expression that is not kept, with what its lists stand for. Raises InputError where it cannot be read."""
        clean, rows = _clean_query(query), self.all()
        check(clean, [row.name for row in rows])
        return expand(clean, _queries(rows))

    def get(self, watch_id: int) -> WatchRow | None:
        """One watch."""
        return next((row for row in self.all() if row.id == watch_id), None)

    def named(self, name: str) -> WatchRow | None:
        """The watch of this name, whatever its capitals."""
        return next((row for row in self.all() if row.name.lower() == name.strip().lower()), None)

    def of_source(self, source_key: str, default: Watch) -> Watch:
        """What this source is to be asked for: what the settings say, and all watches that are enabled for it."""
        wanted = [row.query for row in self.whole() if row.enabled and row.concerns(source_key)]
        return replace(default, query=joined([default.query, *wanted]))

    def history(self, watch_id: int) -> list[AuditRow]:
        """Who changed it, when and how, oldest first."""
        a = schema.audit
        query = sa.select(a).where(a.c.action.in_([ADDED, CHANGED, REMOVED])).order_by(a.c.id)
        with self._database.read() as connection:
            rows = [AuditRow(**row) for row in connection.execute(query).mappings()]
        return [row for row in rows if row.data.get("watch") == watch_id]

    def _locked(self, connection: sa.Connection) -> list[WatchRow]:
        if not self._database.is_sqlite:  # two who add at once would each find room for their own
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        return _all(connection)


def joined(queries: Iterable[str]) -> str:
    """One expression that finds what any of these finds."""
    return _JOINT.join(dict.fromkeys(query.strip() for query in queries if query.strip()))


def _all(connection: sa.Connection) -> list[WatchRow]:
    w = schema.watches
    rows = connection.execute(sa.select(w).order_by(w.c.name, w.c.id)).mappings()
    return [WatchRow(**{**row, "kind": WatchKind(row["kind"]), "sources": tuple(row["sources"])}) for row in rows]


def _named(name: str) -> str:
    clean = storable(" ".join(name.split()))
    if not clean:
        raise InputError("The watch needs a name. Write what it is about, such as “Brand” or “Deliveries”.")
    if len(clean) > NAME_LENGTH:
        raise InputError(f"The name has {len(clean)} characters; at most {NAME_LENGTH} are kept. Shorten it.")
    return clean


def _clean_query(query: str) -> str:
    return storable(" ".join(query.split()))


def _queries(rows: Iterable[WatchRow]) -> dict[str, str]:
    return {key_of(row.name): row.query for row in rows}


def _wholes(rows: Sequence[WatchRow], about: WatchRow | None = None) -> dict[int, str]:
    """Watch id -> its expression without lists.

    Args:
        about: the watch that is being changed or removed: trouble of another one comes from there.
    """
    named, wholes = _queries(rows), {}
    for row in rows:
        try:
            wholes[row.id] = expand(row.query, named, (key_of(row.name),))
        except InputError as error:
            if about is None or row.id == about.id:
                raise
            raise InputError(
                f"The watch “{row.name}” names this one, and could not be read any more. {error}"
            ) from error
    return wholes


def _clean(changes: dict[str, Any]) -> dict[str, Any]:
    clean = dict(changes)
    if "name" in clean:
        clean["name"] = _named(clean["name"])
    if "query" in clean:
        clean["query"] = _clean_query(clean["query"])
    if "kind" in clean:
        clean["kind"] = WatchKind(clean["kind"])
    if "sources" in clean:
        clean["sources"] = tuple(sorted(set(clean["sources"])))
    return clean


def _check(row: WatchRow, others: Sequence[WatchRow]) -> None:
    if any(row.name.lower() == other.name.lower() for other in others):
        raise InputError(f"There is a watch “{row.name}” already. Give this one another name, or change that one.")
    check(row.query, [other.name for other in others])
    wholes = _wholes([*others, row], about=row)
    if not row.enabled:
        return
    every = [replace(other, query=wholes[other.id]) for other in (*others, row) if other.enabled]
    for source_key in {key for one in every for key in one.sources} | {""}:
        length = len(joined(one.query for one in every if one.concerns(source_key)))
        if row.concerns(source_key) and length > MAX_LENGTH:
            raise InputError(
                f"Together, the watches of one source have {length:,} characters; at most {MAX_LENGTH:,} are read. "
                "Shorten one, pause one, or keep it to fewer sources."
            )


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, WatchKind) else value


def _tell(
    connection: sa.Connection, action: str, row: WatchRow, changes: dict[str, Any], by: str, at: datetime
) -> None:
    data = {"watch": row.id, "title": row.name, "changes": changes}
    audit.append(connection, [{"at": at, "actor": by, "action": action, "case_id": None, "data": data}])
