"""Sources: what the worker listens to, how each one feels, and where to resume."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.budget import Budget, Course
from domain.contracts import Cursor
from store import schema
from store.engine import Database, insert_ignoring, upsert

BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))


class SourceState(StrEnum):
    """What the sources page shows."""

    NEW = "new"
    OK = "ok"
    WAITING = "waiting"  # a passing trouble: tried again by itself
    BLOCKED = "blocked"  # a person must act


@dataclass(frozen=True, slots=True)
class Source:
    """One configured source and its health."""

    key: str
    collector: str
    title: str
    settings: dict[str, str]
    enabled: bool
    polled: bool
    cursor: Cursor | None
    state: SourceState
    mention_count: int
    failure_count: int
    retry_at: datetime | None
    last_started_at: datetime | None
    last_ok_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None
    notes: list[str]


class Sources:
    """Writing and reading sources."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ensure(self, key: str, collector: str, title: str, settings: dict[str, str], *, polled: bool = True) -> Source:
        """Make the source, or bring its title and settings up to date; cursor and health stay."""
        s = schema.sources
        known = self.get(key)
        values: dict[str, Any] = {"collector": collector, "title": title, "settings": settings, "polled": polled}
        if known is not None and all(getattr(known, name) == value for name, value in values.items()):
            return known
        fresh = {"enabled": True, "state": SourceState.NEW.value, "mention_count": 0, "failure_count": 0, "notes": []}
        with self._database.write() as connection:
            connection.execute(insert_ignoring(connection, s), [{"key": key, **values, **fresh}])
            connection.execute(sa.update(s).where(s.c.key == key).values(**values))
        return self._need(key)

    def get(self, key: str) -> Source | None:
        """One source."""
        s = schema.sources
        with self._database.read() as connection:
            row = connection.execute(sa.select(s).where(s.c.key == key)).mappings().one_or_none()
        return _source(row) if row else None

    def _need(self, key: str) -> Source:
        source = self.get(key)
        if source is None:
            raise LookupError(key)
        return source

    def all(self) -> list[Source]:
        """Every source, by title."""
        s = schema.sources
        with self._database.read() as connection:
            return [_source(row) for row in connection.execute(sa.select(s).order_by(s.c.title, s.c.key)).mappings()]

    def due(self, now: datetime, interval: timedelta) -> list[Source]:
        """Enabled, polled sources whose time has come: `interval` after the last good run, or the back-off's end."""
        return [
            source
            for source in self.all()
            if source.enabled
            and source.polled
            and (source.retry_at is None or source.retry_at <= now)
            and (source.state is not SourceState.OK or source.last_ok_at is None or source.last_ok_at + interval <= now)
        ]

    def started(self, key: str, now: datetime) -> None:
        """A run begins."""
        self._set(key, last_started_at=now)

    def succeeded(self, key: str, now: datetime) -> None:
        """A run came to its end."""
        self._set(
            key,
            state=SourceState.OK.value,
            last_ok_at=now,
            last_error=None,
            last_error_at=None,
            failure_count=0,
            retry_at=None,
        )

    def blocked(self, key: str, reason: str, now: datetime) -> None:
        """A person must act; tried again once an hour, in case that somebody did."""
        self._fail(key, SourceState.BLOCKED, reason, now, now + timedelta(hours=1))

    def waiting(self, key: str, reason: str, now: datetime, retry_after: timedelta | None = None) -> None:
        """Tried again by itself, each time after a longer while."""
        failures = self._need(key).failure_count
        wait = retry_after or BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        self._fail(key, SourceState.WAITING, reason, now, now + wait)

    def start_over(self, key: str) -> None:
        """Read the source from its beginning at the next run; what is there already stays one row."""
        self._set(key, cursor=None)

    def set_enabled(self, key: str, enabled: bool) -> None:
        """Switch listening on or off."""
        self._set(key, enabled=enabled)

    def set_budget(self, key: str, budget: Budget) -> None:
        """Limit what a month of this source may cost; a budget without limits takes the limit away."""
        b = schema.budgets
        with self._database.write() as connection:
            if not budget.is_set:
                connection.execute(sa.delete(b).where(b.c.source_key == key))
                return
            values = {"price": budget.price, "unit_count": budget.unit_count}
            fresh = {"source_key": key, **values, "course": Course.GO.value, "stopped_until": None}
            upsert(connection, b, ("source_key",), [fresh])

    def retry_now(self, key: str) -> None:
        """A person mended something: try at the next turn."""
        self._set(key, retry_at=None, state=SourceState.NEW.value)

    def _fail(self, key: str, state: SourceState, reason: str, now: datetime, retry_at: datetime) -> None:
        count = schema.sources.c.failure_count + 1
        self._set(key, state=state.value, last_error=reason, last_error_at=now, failure_count=count, retry_at=retry_at)

    def _set(self, key: str, **values: Any) -> None:
        s = schema.sources
        with self._database.write() as connection:
            connection.execute(sa.update(s).where(s.c.key == key).values(**values))


def _source(row: sa.RowMapping) -> Source:
    values = dict(row)
    return Source(**{**values, "state": SourceState(values["state"])})
