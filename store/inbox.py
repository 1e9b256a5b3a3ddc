"""What vendors delivered by webhook: kept raw and once, taken one by one by the worker, and listed where it cannot be read.

A row goes waiting -> done | failed | discarded. It becomes mentions and `done` in one transaction (`Mentions.add_page` with
its key); what fails is tried again, then waits for a person with its body. What was read loses its body after BODY_KEPT.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from domain.contracts import Delivery
from store import audit, schema
from store.engine import Database, insert_ignoring
from store.rows import storable

LEASE = timedelta(minutes=5)
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6))
MAX_ATTEMPTS = 8  # of what cannot be read; a day of them
PATIENCE = timedelta(days=7)  # with a vendor that does not answer
BODY_KEPT = timedelta(hours=24)  # of what was read; also the time in which vendors want deleted words gone
KEY_KEPT = timedelta(days=90)  # so long a repeated delivery is known; longer than any vendor sends again
_KEY_LIMIT = 200
_REASON_LIMIT = 200
_HEADERS = ("content-type",)
_WORN_OUT = "Reading it ended the worker {count} times. Its body is kept: send it to support, then discard it."


class DeliveryState(StrEnum):
    """Where a delivery stands; `failed` waits for a person."""

    WAITING = "waiting"
    DONE = "done"
    FAILED = "failed"
    DISCARDED = "discarded"


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One delivery; `body` is None once it was dropped."""

    source_key: str
    key: str
    received_at: datetime
    headers: dict[str, str]
    body: bytes | None
    state: DeliveryState
    attempt_count: int
    due_at: datetime
    settled_at: datetime | None
    error: str | None

    @property
    def delivery(self) -> Delivery:
        """As it came."""
        return Delivery("POST", {}, self.headers, self.body or b"", self.received_at)


@dataclass(frozen=True, slots=True)
class Refusal:
    """How often deliveries were turned away for one reason."""

    reason: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class InboxHealth:
    """What the sources page says of a source's deliveries.

    Attributes:
        troubled_count: of those that wait, how many failed before.
        refusals: since the day asked for, most frequent first.
    """

    waiting_count: int
    troubled_count: int
    failed_count: int
    last_received_at: datetime | None
    refusals: tuple[Refusal, ...]


class Inbox:
    """Writing and reading deliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, source_key: str, key: str, delivery: Delivery) -> bool:
        """Keep a delivery raw; False where its key is known. Once this returns, it is safe to say yes to the vendor."""
        row = {
            "source_key": source_key,
            "key": _short(key),
            "received_at": delivery.received_at,
            "headers": {name: storable(delivery.headers[name]) for name in _HEADERS if name in delivery.headers},
            "body": delivery.body,
            "state": DeliveryState.WAITING.value,
            "attempt_count": 0,
            "due_at": delivery.received_at,
        }
        i = schema.inbox
        with self._database.read() as connection:  # a vendor that repeats itself must not make us write
            known = sa.select(i.c.key).where(i.c.source_key == source_key, i.c.key == row["key"])
            if connection.scalar(known) is not None:
                return False
        with self._database.write() as connection:
            made = connection.execute(insert_ignoring(connection, i).values(**row).returning(i.c.key))
            return made.first() is not None

    # -- the worker's side -------------------------------------------------------------------------------------------------

    def sources_due(self, now: datetime) -> list[str]:
        """Keys of enabled sources with deliveries to read now; an idle worker only reads."""
        i, s = schema.inbox, schema.sources
        query = sa.select(i.c.source_key).where(_due(now)).distinct().order_by(i.c.source_key)
        query = query.join(s, s.c.key == i.c.source_key).where(s.c.enabled.is_(True))
        with self._database.read() as connection:
            return list(connection.scalars(query))

    def take(self, source_key: str, now: datetime) -> InboxRow | None:
        """The oldest delivery that is due, leased in a transaction of its own; one whose reader died comes again."""
        i = schema.inbox
        query = sa.select(i).where(i.c.source_key == source_key, _due(now)).order_by(i.c.received_at, i.c.key).limit(1)
        with self._database.read() as connection:  # an idle worker must not write
            if connection.execute(query).first() is None:
                return None
        with self._database.write() as connection:
            while True:
                locked = query if self._database.is_sqlite else query.with_for_update(skip_locked=True)
                found = connection.execute(locked).mappings().first()
                if found is None:
                    return None
                row = _row(found)
                if row.error is None and row.attempt_count >= MAX_ATTEMPTS:  # nobody lived to say why
                    _settle(connection, row, DeliveryState.FAILED, now, _WORN_OUT.format(count=row.attempt_count))
                    continue
                leased = {"due_at": now + LEASE, "attempt_count": row.attempt_count + 1, "error": None}
                connection.execute(sa.update(i).where(*_is(row.source_key, row.key)).values(**leased))
                return _row({**found, **leased, "error": row.error})

    def retry(self, row: InboxRow, reason: str, now: datetime, retry_after: timedelta | None = None) -> None:
        """It could not be read now: again later, each time a longer while; then it waits for a person."""
        if row.attempt_count >= MAX_ATTEMPTS:
            self.failed(row, reason, now)
            return
        self._later(row, reason, now, retry_after, row.attempt_count)

    def wait(self, row: InboxRow, reason: str, now: datetime, retry_after: timedelta | None = None) -> None:
        """The vendor or a person must act first: again later, however often, for PATIENCE."""
        if now - row.received_at >= PATIENCE:
            self.failed(row, reason, now)
            return
        self._later(row, reason, now, retry_after, min(row.attempt_count, len(BACK_OFF)))

    def failed(self, row: InboxRow, reason: str, now: datetime) -> None:
        """It cannot be read: a person decides, its body is kept."""
        with self._database.write() as connection:
            _settle(connection, row, DeliveryState.FAILED, now, reason)

    def _later(
        self, row: InboxRow, reason: str, now: datetime, retry_after: timedelta | None, attempt_count: int
    ) -> None:
        wait = retry_after or BACK_OFF[min(row.attempt_count, len(BACK_OFF)) - 1]
        values = {"due_at": now + wait, "error": storable(reason), "attempt_count": attempt_count}
        still = schema.inbox.c.state == DeliveryState.WAITING.value
        with self._database.write() as connection:
            connection.execute(sa.update(schema.inbox).where(*_is(row.source_key, row.key), still).values(**values))

    def tidy(self, now: datetime) -> None:
        """Drop bodies that were read BODY_KEPT ago, and what nobody needs to know any more."""
        i, r = schema.inbox, schema.inbox_refusals
        closed = i.c.state.in_([DeliveryState.DONE.value, DeliveryState.DISCARDED.value])
        old_body = sa.and_(closed, i.c.body.is_not(None), i.c.settled_at <= now - BODY_KEPT)
        old_row = sa.and_(closed, i.c.settled_at <= now - KEY_KEPT)
        old_refusal = r.c.last_at <= now - KEY_KEPT
        with self._database.read() as connection:
            wanted = [sa.select(i.c.key).where(sa.or_(old_body, old_row)), sa.select(r.c.reason).where(old_refusal)]
            if not any(connection.execute(query.limit(1)).first() for query in wanted):
                return
        with self._database.write() as connection:
            connection.execute(sa.delete(i).where(old_row))
            connection.execute(sa.update(i).where(old_body).values(body=None))
            connection.execute(sa.delete(r).where(old_refusal))

    # -- a person's side ---------------------------------------------------------------------------------------------------

    def health(self, source_key: str, now: datetime, since: timedelta = timedelta(days=7)) -> InboxHealth:
        """What waits and fails, and what was turned away in the last days."""
        i, r = schema.inbox, schema.inbox_refusals
        day = self._database.calendar.local_day(now - since).isoformat()
        states = sa.select(i.c.state, sa.func.count(), sa.func.count(i.c.error)).where(i.c.source_key == source_key)
        last = sa.select(i.c.received_at).where(i.c.source_key == source_key).order_by(i.c.received_at.desc()).limit(1)
        many = sa.func.sum(r.c.count).label("many")
        refused = sa.select(r.c.reason, many, sa.func.max(r.c.last_at))
        refused = refused.where(r.c.source_key == source_key, r.c.day >= day).group_by(r.c.reason)
        with self._database.read() as connection:
            counts = {
                state: (count, troubled) for state, count, troubled in connection.execute(states.group_by(i.c.state))
            }
            received_at = connection.scalar(last)
            refusals = connection.execute(refused.order_by(many.desc(), r.c.reason)).all()
        waiting, troubled = counts.get(DeliveryState.WAITING.value, (0, 0))
        return InboxHealth(
            waiting,
            troubled,
            counts.get(DeliveryState.FAILED.value, (0, 0))[0],
            received_at,
            tuple(Refusal(reason, int(count), at) for reason, count, at in refusals),
        )

    def troubled(self, source_key: str | None = None, limit: int = 50) -> list[InboxRow]:
        """Deliveries that could not be read yet, those that wait for a person first, then the newest."""
        i = schema.inbox
        query = sa.select(i).where(
            sa.or_(
                i.c.state == DeliveryState.FAILED.value,
                sa.and_(i.c.state == DeliveryState.WAITING.value, i.c.error.is_not(None)),
            )
        )
        if source_key is not None:
            query = query.where(i.c.source_key == source_key)
        first = sa.case((i.c.state == DeliveryState.FAILED.value, 0), else_=1)
        query = query.order_by(first, i.c.received_at.desc(), i.c.key).limit(limit)
        with self._database.read() as connection:
            return [_row(row) for row in connection.execute(query).mappings()]

    def get(self, source_key: str, key: str) -> InboxRow | None:
        """One delivery."""
        with self._database.read() as connection:
            query = sa.select(schema.inbox).where(*_is(source_key, _short(key)))
            row = connection.execute(query).mappings().one_or_none()
        return _row(row) if row else None

    def again(self, source_key: str, key: str, *, actor: str, now: datetime) -> None:
        """A person decided: read a failed delivery again."""
        values = {"state": DeliveryState.WAITING.value, "attempt_count": 0, "due_at": now, "settled_at": None}
        self._decide(source_key, key, values, "read_delivery_again", actor, now)

    def discard(self, source_key: str, key: str, *, actor: str, now: datetime) -> None:
        """A person decided: nobody needs a failed delivery; its body goes, its key stays known."""
        values = {"state": DeliveryState.DISCARDED.value, "body": None, "settled_at": now}
        self._decide(source_key, key, values, "discard_delivery", actor, now)

    def _decide(
        self, source_key: str, key: str, values: dict[str, Any], action: str, actor: str, now: datetime
    ) -> None:
        failed = schema.inbox.c.state == DeliveryState.FAILED.value
        with self._database.write() as connection:
            done = connection.execute(sa.update(schema.inbox).where(*_is(source_key, key), failed).values(**values))
            if done.rowcount:
                data = {"source_key": source_key, "key": key}
                audit.append(connection, [{"at": now, "actor": actor, "action": action, "case_id": None, "data": data}])

    # -- what was turned away ----------------------------------------------------------------------------------------------

    def refuse(self, source_key: str, reason: str, now: datetime, count: int = 1) -> None:
        """Deliveries were turned away at the door; nothing of them is kept but their number."""
        r = schema.inbox_refusals
        row = {
            "source_key": source_key,
            "day": self._database.calendar.local_day(now).isoformat(),
            "reason": storable(reason)[:_REASON_LIMIT],
            "count": count,
            "last_at": now,
        }
        insert = (sqlite if self._database.is_sqlite else postgresql).insert(r)
        statement = insert.on_conflict_do_update(
            index_elements=["source_key", "day", "reason"],
            set_={"count": r.c.count + insert.excluded.count, "last_at": insert.excluded.last_at},
        )
        with self._database.write() as connection:
            connection.execute(statement, [row])


def mark_done(connection: sa.Connection, source_key: str, key: str, now: datetime) -> bool:
    """A delivery is read, in the transaction that keeps what it says; False where another worker has read it before."""
    i = schema.inbox
    values = {"state": DeliveryState.DONE.value, "settled_at": now, "error": None}
    waiting = i.c.state == DeliveryState.WAITING.value
    return bool(connection.execute(sa.update(i).where(*_is(source_key, key), waiting).values(**values)).rowcount)


def _settle(connection: sa.Connection, row: InboxRow, state: DeliveryState, now: datetime, reason: str) -> None:
    waiting = schema.inbox.c.state == DeliveryState.WAITING.value
    connection.execute(
        sa.update(schema.inbox)
        .where(*_is(row.source_key, row.key), waiting)
        .values(state=state.value, settled_at=now, error=storable(reason))
    )


def _due(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(schema.inbox.c.state == DeliveryState.WAITING.value, schema.inbox.c.due_at <= now)


def _is(source_key: str, key: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return schema.inbox.c.source_key == source_key, schema.inbox.c.key == key


def _short(key: str) -> str:
    key = storable(key)
    return key if len(key) <= _KEY_LIMIT else blake2b(key.encode(), digest_size=32).hexdigest()


def _row(row: Mapping[Any, Any]) -> InboxRow:
    return InboxRow(**{**row, "state": DeliveryState(row["state"])})
