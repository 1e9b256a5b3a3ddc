"""Back-fills: spans of the past that a person asked to read, how far each one is, and what it found.

asked -> announced (price) -> running (a person said yes) -> done, with paused and cancelled on the way; refused where the
source cannot be read back. A page and how far it brings us stand in one transaction. One process reads a span at a time: it
holds a lease that every page renews, and a page that comes after somebody else took over, paused or cancelled is not kept.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from domain.budget import SpendKind
from domain.contracts import Page, Permission, Spend, Watch
from domain.errors import InputError, StaleError
from domain.mention import Mention
from domain.rehydration import Schedule
from store import audit, ledger, past, schema
from store.backfill_rows import BLANK, OPEN, Backfill, BackfillState, backfill_of, need, noted, too_dear, watch_json
from store.engine import Database
from store.mentions import Mentions, PageResult
from store.rows import storable

LEASE = timedelta(minutes=5)
LIVE = timedelta(days=1)  # a message that is younger waits for an answer, however it was heard
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1))
MOST_FAILURES = 8  # then it waits for a person
_ACTIONS = {name: f"backfill_{name}" for name in ("asked", "confirmed", "paused", "resumed", "cancelled")}


@dataclass(frozen=True)
class _Joined(Database):
    # A database whose writes join a transaction that is under way.
    connection: sa.Connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        yield self.connection


class Backfills:
    """Writing and reading back-fills."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- what people decide ------------------------------------------------------------------------------------------------

    def ask(
        self,
        source_key: str,
        since: datetime,
        until: datetime,
        watch: Watch,
        *,
        by: str,
        at: datetime,
        opens_cases: bool = False,
    ) -> Backfill:
        """Ask for a span; the same span again, while the first is open, is that one.

        Raises:
            InputError: the span is empty, or lies in the future.
        """
        until = min(until, at)
        if since >= until:
            raise InputError("The span is empty: its beginning must lie before its end, and before now.")
        b = schema.backfills
        same = (b.c.source_key == source_key, b.c.since == since, b.c.until == until)
        with self._database.write() as connection:
            known = connection.scalar(sa.select(b.c.id).where(*same, b.c.state.in_([s.value for s in OPEN])))
            if known is None:
                values = {**BLANK, "source_key": source_key, "since": since, "until": until, "reached_at": since}
                values |= {"watch": watch_json(watch), "opens_cases": opens_cases, "asked_by": by, "asked_at": at}
                known = connection.execute(sa.insert(b).values(**values).returning(b.c.id)).scalar_one()
                span = {"since": since.isoformat(), "until": until.isoformat()}
                _tell(connection, "asked", known, source_key, by, at, span)
            return need(connection, known)

    def announce(self, backfill_id: int, count: int | None, price: float | None, note: str) -> Backfill:
        """What it would find and cost; from here on it waits for a person."""
        values: dict[str, Any] = {
            "count_estimated": count,
            "price_estimated": price,
            "estimate_note": storable(note),
            "error": "",
        }
        return self._move(backfill_id, (BackfillState.ASKED,), BackfillState.ANNOUNCED, **values)

    def refuse(self, backfill_id: int, reason: str, now: datetime) -> Backfill:
        """The source cannot be read back."""
        values: dict[str, Any] = {"error": storable(reason), "finished_at": now}
        return self._move(backfill_id, (BackfillState.ASKED,), BackfillState.REFUSED, **values)

    def price_later(self, backfill_id: int, reason: str, now: datetime, retry_after: timedelta | None = None) -> None:
        """The source could not say now what it costs: asked again by itself."""
        b = schema.backfills
        asked = sa.and_(b.c.id == backfill_id, b.c.state == BackfillState.ASKED.value)
        with self._database.write() as connection:
            failures = need(connection, backfill_id).failure_count
            rest = retry_after or BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            values = {"error": storable(reason), "failure_count": failures + 1, "retry_at": now + rest}
            connection.execute(sa.update(b).where(asked).values(**values))

    def confirm(self, backfill_id: int, *, by: str, at: datetime, price_limit: float | None = None) -> Backfill:
        """A person agrees to the price; reading begins.

        Args:
            price_limit: US dollars at which it stops and asks again; `Backfill.suggested_limit` unless given.
        """
        with self._database.read() as connection:
            limit = need(connection, backfill_id).suggested_limit if price_limit is None else price_limit
        values: dict[str, Any] = {"confirmed_by": by, "confirmed_at": at, "price_limit": limit}
        before = (BackfillState.ANNOUNCED,)
        return self._move(backfill_id, before, BackfillState.RUNNING, ("confirmed", by, at), **values)

    def pause(self, backfill_id: int, *, by: str, at: datetime) -> Backfill:
        """Read no further for now; nothing is lost."""
        return self._move(
            backfill_id, (BackfillState.RUNNING,), BackfillState.PAUSED, ("paused", by, at), lease_until=None
        )

    def resume(self, backfill_id: int, *, by: str, at: datetime) -> Backfill:
        """Go on from where it stopped; where it stopped for its price, that much more may be spent."""
        with self._database.read() as connection:
            row = need(connection, backfill_id)
        values: dict[str, Any] = {"error": "", "failure_count": 0, "retry_at": None}
        if row.price_limit is not None and row.price_spent >= row.price_limit:
            values["price_limit"] = row.price_spent + row.price_limit
        return self._move(backfill_id, (BackfillState.PAUSED,), BackfillState.RUNNING, ("resumed", by, at), **values)

    def cancel(self, backfill_id: int, *, by: str, at: datetime) -> Backfill:
        """Give it up; what was found stays."""
        return self._move(backfill_id, OPEN, BackfillState.CANCELLED, ("cancelled", by, at), finished_at=at)

    # -- what whoever reads it does ----------------------------------------------------------------------------------------

    def lease(self, reader: str, now: datetime, only: int | None = None) -> list[Backfill]:
        """Take the spans that may be read now, oldest wish first; those of a reader that died come when its lease ends.

        They come as they were before, with the `reader` that had them last.
        """
        b = schema.backfills
        free = sa.or_(b.c.lease_until.is_(None), b.c.lease_until <= now, b.c.reader == reader)
        rested = sa.or_(b.c.retry_at.is_(None), b.c.retry_at <= now)
        query = sa.select(b.c.id).where(b.c.state == BackfillState.RUNNING.value, free, rested)
        if only is not None:
            query = query.where(b.c.id == only)
        query = query.order_by(b.c.asked_at, b.c.id)
        with self._database.read() as connection:  # an idle worker must not write
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            locked = query if self._database.is_sqlite else query.with_for_update(skip_locked=True)
            taken = list(connection.scalars(locked))
            found = [need(connection, key) for key in taken]
            connection.execute(sa.update(b).where(b.c.id.in_(taken)).values(reader=reader, lease_until=now + LEASE))
            return found

    def release(self, reader: str) -> None:
        """A reader leaves: others need not wait for its leases."""
        b = schema.backfills
        held = sa.and_(b.c.reader == reader, b.c.lease_until.is_not(None))
        with self._database.read() as connection:
            if connection.execute(sa.select(b.c.id).where(held).limit(1)).first() is None:
                return
        with self._database.write() as connection:
            connection.execute(sa.update(b).where(held).values(lease_until=None, reader=None))

    def begin_again(self, backfill_id: int, reader: str) -> None:
        """The reader starts from the cursor: what it found since is about to be found once more."""
        with self._database.write() as connection:
            self._held(connection, backfill_id, reader)
            self._set(connection, backfill_id, window_found_count=0)

    def add_page(
        self,
        backfill: Backfill,
        reader: str,
        page: Page,
        now: datetime,
        may_reply: Callable[[Mention], Permission] | None = None,
        schedule: Schedule | None = None,
    ) -> PageResult:
        """Store a page of the past and how far it brings us, in one transaction; the source's own cursor stays.

        Raises:
            StaleError: somebody paused or cancelled it, or another process reads it by now; the page was not kept.
        """
        with self._database.write() as connection:
            row = self._held(connection, backfill.id, reader)
            joined = Mentions(_Joined(self._database.engine, self._database.calendar, connection))
            fresh = past.unknown(connection, page.mentions)
            # Place, remarks and price of the live reading are other ones: those of this page are kept here.
            plain = replace(page, cursor=None, notes=(), gap=None, spent=Spend())
            result = joined.add_page(backfill.source_key, plain, now, may_reply, schedule=schedule)
            ledger.record(connection, self._database.calendar, backfill.source_key, SpendKind.READING, page.spent, now)
            if not row["opens_cases"]:
                past.set_aside(connection, [one for one in fresh if one.created_at < now - LIVE], now)
            found = row["window_found_count"] + len(page.mentions)
            values: dict[str, Any] = {
                "stored_count": row["stored_count"] + result.stored,
                "price_spent": row["price_spent"] + page.spent.price,
                "window_found_count": found,
                "lease_until": now + LEASE,
                "failure_count": 0,
                "retry_at": None,
                "error": "",
                "notes": noted(row["notes"], page),
            }
            if page.cursor is not None:
                values |= {"cursor": page.cursor, "found_count": row["found_count"] + found, "window_found_count": 0}
            limit = row["price_limit"]
            if limit is not None and values["price_spent"] >= limit:
                values |= {"state": BackfillState.PAUSED.value, "error": too_dear(values["price_spent"])}
            self._set(connection, backfill.id, **values)
        return result

    def reach(self, backfill: Backfill, reader: str, end: datetime, now: datetime) -> Backfill:
        """A window is read to its end; with the last one, the span is. Raises StaleError as `add_page`."""
        with self._database.write() as connection:
            row = self._held(connection, backfill.id, reader)
            found = row["found_count"] + row["window_found_count"]
            values: dict[str, Any] = {"reached_at": end, "found_count": found, "window_found_count": 0}
            if end >= row["until"]:
                values |= {"state": BackfillState.DONE.value, "finished_at": now, "lease_until": None}
            self._set(connection, backfill.id, **values)
            return need(connection, backfill.id)

    def wait(self, backfill: Backfill, reason: str, now: datetime, retry_after: timedelta | None = None) -> None:
        """A passing trouble: tried again by itself, each time after a longer while; after many, a person decides."""
        failures = backfill.failure_count
        rest = retry_after or BACK_OFF[min(failures, len(BACK_OFF) - 1)]
        values: dict[str, Any] = {"error": storable(reason), "failure_count": failures + 1, "retry_at": now + rest}
        if failures + 1 >= MOST_FAILURES:
            values["state"] = BackfillState.PAUSED.value
        self._keep(backfill.id, values)

    def rest(self, backfill_id: int, reason: str, until: datetime) -> None:
        """Nothing went wrong, but it must wait until then."""
        self._keep(backfill_id, {"error": storable(reason), "retry_at": until})

    def stop(self, backfill: Backfill, reason: str) -> None:
        """A person must act first: paused, with the reason."""
        self._keep(backfill.id, {"error": storable(reason), "state": BackfillState.PAUSED.value, "lease_until": None})

    # -- reading -----------------------------------------------------------------------------------------------------------

    def get(self, backfill_id: int) -> Backfill | None:
        """One back-fill."""
        b = schema.backfills
        with self._database.read() as connection:
            row = connection.execute(sa.select(b).where(b.c.id == backfill_id)).mappings().one_or_none()
        return backfill_of(row) if row else None

    def all(self, limit: int = 50, source_key: str | None = None) -> list[Backfill]:
        """The newest wishes first."""
        b = schema.backfills
        query = sa.select(b).order_by(b.c.asked_at.desc(), b.c.id.desc()).limit(limit)
        if source_key is not None:
            query = query.where(b.c.source_key == source_key)
        with self._database.read() as connection:
            return [backfill_of(row) for row in connection.execute(query).mappings()]

    def asked(self, now: datetime) -> list[Backfill]:
        """Those whose price is not known yet and may be asked for now, oldest first."""
        b = schema.backfills
        rested = sa.or_(b.c.retry_at.is_(None), b.c.retry_at <= now)
        query = sa.select(b).where(b.c.state == BackfillState.ASKED.value, rested).order_by(b.c.asked_at, b.c.id)
        with self._database.read() as connection:
            return [backfill_of(row) for row in connection.execute(query).mappings()]

    # -- writing -----------------------------------------------------------------------------------------------------------

    def _move(
        self,
        backfill_id: int,
        before: Sequence[BackfillState],
        after: BackfillState,
        told: tuple[str, str, datetime] | None = None,
        **values: Any,
    ) -> Backfill:
        with self._database.write() as connection:
            row = need(connection, backfill_id, lock=not self._database.is_sqlite)
            if row.state not in before:
                raise StaleError("This back-fill has moved on since you looked. Nothing was changed; look again.")
            self._set(connection, backfill_id, state=after.value, **values)
            if told is not None:
                act, by, at = told
                _tell(connection, act, backfill_id, row.source_key, by, at, {"price": row.price_estimated})
            return need(connection, backfill_id)

    def _held(self, connection: sa.Connection, backfill_id: int, reader: str) -> sa.RowMapping:
        b = schema.backfills
        query = sa.select(b).where(b.c.id == backfill_id)
        if not self._database.is_sqlite:
            query = query.with_for_update()
        row = connection.execute(query).mappings().one()
        if row["state"] != BackfillState.RUNNING.value or row["reader"] != reader:
            raise StaleError("Somebody paused or cancelled this back-fill, or another process reads it.")
        return row

    def _keep(self, backfill_id: int, values: dict[str, Any]) -> None:
        b = schema.backfills
        running = sa.and_(b.c.id == backfill_id, b.c.state == BackfillState.RUNNING.value)
        with self._database.write() as connection:
            connection.execute(sa.update(b).where(running).values(**values))

    @staticmethod
    def _set(connection: sa.Connection, backfill_id: int, **values: Any) -> None:
        b = schema.backfills
        connection.execute(sa.update(b).where(b.c.id == backfill_id).values(**values))


def _tell(
    connection: sa.Connection, act: str, backfill_id: int, source_key: str, by: str, at: datetime, more: dict[str, Any]
) -> None:
    data = {"backfill": backfill_id, "source": source_key, **more}
    row = {"at": at, "actor": by, "action": _ACTIONS[act], "case_id": None, "data": data}
    audit.append(connection, [row])
