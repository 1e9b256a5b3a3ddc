"""What has to leave: answers and acts to networks, records to CRMs, each once. What is put in is in `store.wishes`.

A row goes pending -> sending -> sent | refused | unknown. It is leased before the call leaves; a worker that finds a row
in `sending` with its lease run out knows that an earlier one died in the middle, and must read back before it sends again.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.budget import SpendKind
from domain.case import CaseId
from domain.contracts import CrmRecord, IdempotencyKey, Permission, RecordKind, Spend
from domain.mention import Mention, MentionId
from store import answers, audit, ledger, schema
from store.engine import Database

LEASE = timedelta(minutes=5)
BACK_OFF = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=2), timedelta(hours=6))


class OutboxState(StrEnum):
    """Where a row stands; `unknown` waits for a person: it may have been sent."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    WITHDRAWN = "withdrawn"  # taken back before it left


class OutboxKind(StrEnum):
    """What a row is."""

    REPLY = "reply"
    PRIVATE = "private"  # an answer that only its addressee reads
    MODERATION = "moderation"  # an act on a message
    CRM = "crm"


ASKED = (OutboxKind.REPLY, OutboxKind.PRIVATE, OutboxKind.MODERATION)  # by a person, of a network
_FAILURES = {
    OutboxKind.REPLY: "reply_failed",
    OutboxKind.PRIVATE: "reply_failed",
    OutboxKind.MODERATION: "moderation_failed",
}


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """One thing that leaves. `interrupted`: an earlier attempt may have been carried out."""

    key: IdempotencyKey
    kind: str
    target: str
    case_id: CaseId | None
    mention_id: MentionId | None
    payload: dict[str, Any]
    state: OutboxState
    attempt_count: int
    created_at: datetime
    created_by: str
    error: str | None
    interrupted: bool = False
    remote_id: str | None = None
    sent_at: datetime | None = None

    @property
    def record(self) -> CrmRecord:
        """The CRM record of a `crm` row."""
        key = IdempotencyKey(self.key.removeprefix(f"{self.target}:"))
        return CrmRecord(RecordKind(self.payload["kind"]), key, self.payload["fields"])


class Outbox:
    """The send step's backlog, and what became of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, kind: str | Collection[str], target: str, limit: int, now: datetime) -> list[OutboxRow]:
        """Take due rows for one target, oldest first, marked `sending` in a transaction of its own before any call leaves.

        Rows whose sender died (lease run out) come too, with `interrupted` set.
        """
        o = schema.outbox
        due = sa.or_(
            sa.and_(o.c.state == OutboxState.PENDING.value, o.c.due_at <= now),
            sa.and_(o.c.state == OutboxState.SENDING.value, o.c.lease_until <= now),
        )
        kinds = [kind] if isinstance(kind, str) else list(kind)
        query = sa.select(o).where(o.c.kind.in_(kinds), o.c.target == target, due)
        query = query.order_by(o.c.created_at, o.c.key).limit(limit)
        with self._database.read() as connection:  # an idle worker must not write
            if connection.execute(query.limit(1)).first() is None:
                return []
        with self._database.write() as connection:
            locked = query if self._database.is_sqlite else query.with_for_update(skip_locked=True)
            rows = connection.execute(locked).mappings().all()
            statement = sa.update(o).where(o.c.key == sa.bindparam("k"))
            if rows:
                connection.execute(
                    statement.values(
                        state=OutboxState.SENDING.value, lease_until=now + LEASE, attempt_count=o.c.attempt_count + 1
                    ),
                    [{"k": row["key"]} for row in rows],
                )
        return [_outbox_row(row, interrupted=row["state"] == OutboxState.SENDING.value) for row in rows]

    def sent(self, rows: Sequence[tuple[OutboxRow, str]], now: datetime) -> None:
        """They arrived, with the id that the other side gave."""
        if rows:
            with self._database.write() as connection:
                mark_sent(connection, rows, now)

    def reply_sent(
        self,
        row: OutboxRow,
        mention: Mention,
        remote_id: str,
        now: datetime,
        rights: Callable[[Mention], Permission] | None = None,
        price: float = 0.0,
    ) -> None:
        """An answer arrived: it becomes a mention of ours in the same transaction; see `store.answers`.

        Args:
            rights: what may be done to a mention, asked for our answer.
            price: US dollars that sending it cost; goes into the ledger with it.
        """
        private = row.kind == OutboxKind.PRIVATE
        answer = answers.answer_to(mention, row.payload["text"], remote_id, now, private=private)
        with self._database.write() as connection:
            mark_sent(connection, [(row, remote_id)], now)
            answers.keep(connection, self._database, answer, row.target, row.created_at, now, rights)
            spent = Spend(call_count=1, item_count=1, price=price)
            ledger.record(connection, self._database.calendar, row.target, SpendKind.WRITING, spent, now)

    def is_taken(self, row: OutboxRow, remote_id: str) -> bool:
        """True where another answer to the same message is known to be the one with this id."""
        o = schema.outbox
        others = (o.c.mention_id == row.mention_id, o.c.remote_id == remote_id, o.c.key != row.key)
        with self._database.read() as connection:
            return connection.execute(sa.select(o.c.key).where(*others).limit(1)).first() is not None

    def retry(
        self, rows: Sequence[OutboxRow], reason: str, now: datetime, retry_after: timedelta | None = None
    ) -> None:
        """Certainly not sent: again later, each time a longer while; `retry_after` where the other side said when."""
        for row in rows:
            wait = retry_after or BACK_OFF[min(row.attempt_count, len(BACK_OFF) - 1)]
            self._settle([row], OutboxState.PENDING, reason, now, due_at=now + wait)

    def refused(self, rows: Sequence[OutboxRow], reason: str, now: datetime) -> None:
        """The other side said no: a person decides."""
        self._settle(rows, OutboxState.REFUSED, reason, now)

    def unknown(self, rows: Sequence[OutboxRow], reason: str, now: datetime) -> None:
        """Nobody can tell whether it arrived: a person looks and decides."""
        self._settle(rows, OutboxState.UNKNOWN, reason, now)

    def doubt(
        self, rows: Sequence[OutboxRow], reason: str, now: datetime, retry_after: timedelta | None = None
    ) -> None:
        """It may have arrived: read back at the next attempt, not before a while (networks show new posts late)."""
        o = schema.outbox
        with self._database.write() as connection:
            for row in rows:
                wait = retry_after or BACK_OFF[min(row.attempt_count, len(BACK_OFF) - 1)]
                connection.execute(
                    sa.update(o)
                    .where(o.c.key == row.key)
                    .values(state=OutboxState.SENDING.value, error=reason, lease_until=now + wait)
                )

    def _settle(
        self, rows: Sequence[OutboxRow], state: OutboxState, reason: str, now: datetime, due_at: datetime | None = None
    ) -> None:
        o = schema.outbox
        with self._database.write() as connection:
            for row in rows:
                values = {"state": state.value, "error": reason, "lease_until": None, "due_at": due_at or now}
                connection.execute(sa.update(o).where(o.c.key == row.key).values(**values))
                if row.case_id is not None and row.kind in _FAILURES and state is not OutboxState.PENDING:
                    data = {"state": state.value, "mention_id": row.mention_id}
                    entry = {
                        "at": now,
                        "actor": "comptoir",
                        "action": _FAILURES[OutboxKind(row.kind)],
                        "case_id": row.case_id,
                        "data": data,
                    }
                    audit.append(connection, [entry])

    def send_again(self, key: str, *, actor: str, now: datetime) -> None:
        """A person decided: try a refused or unknown row again."""
        o = schema.outbox
        with self._database.write() as connection:
            row = connection.execute(sa.select(o).where(o.c.key == key)).mappings().one_or_none()
            if row is None or row["state"] not in {OutboxState.REFUSED.value, OutboxState.UNKNOWN.value}:
                return
            connection.execute(
                sa.update(o).where(o.c.key == key).values(state=OutboxState.PENDING.value, due_at=now, error=None)
            )
            entry = {"at": now, "actor": actor, "action": "send_again", "case_id": row["case_id"], "data": {"key": key}}
            audit.append(connection, [entry])

    def of_case(self, case_id: CaseId, kind: str | Collection[str] = ASKED) -> list[OutboxRow]:
        """What was asked for a case, oldest first."""
        o = schema.outbox
        kinds = [kind] if isinstance(kind, str) else list(kind)
        query = sa.select(o).where(o.c.case_id == case_id, o.c.kind.in_(kinds)).order_by(o.c.created_at, o.c.key)
        with self._database.read() as connection:
            return [_outbox_row(row) for row in connection.execute(query).mappings()]

    def stuck(self, limit: int = 50) -> list[OutboxRow]:
        """Rows that wait for a person, newest first."""
        o = schema.outbox
        states = [OutboxState.REFUSED.value, OutboxState.UNKNOWN.value]
        query = sa.select(o).where(o.c.state.in_(states)).order_by(o.c.created_at.desc(), o.c.key).limit(limit)
        with self._database.read() as connection:
            return [_outbox_row(row) for row in connection.execute(query).mappings()]

    def counts(self) -> dict[str, int]:
        """Rows by state; a row that is being sent counts as pending."""
        o = schema.outbox
        with self._database.read() as connection:
            found: dict[str, int] = dict(
                connection.execute(sa.select(o.c.state, sa.func.count()).group_by(o.c.state)).all()
            )
        return {
            "pending": found.get("pending", 0) + found.get("sending", 0),
            "sent": found.get("sent", 0),
            "refused": found.get("refused", 0),
            "unknown": found.get("unknown", 0),
        }


def mark_sent(connection: sa.Connection, rows: Sequence[tuple[OutboxRow, str]], now: datetime) -> None:
    """They arrived, with the id that the other side gave."""
    statement = sa.update(schema.outbox).where(schema.outbox.c.key == sa.bindparam("k"))
    values = {"state": OutboxState.SENT.value, "sent_at": now, "error": None, "lease_until": None}
    connection.execute(
        statement.values(**values, remote_id=sa.bindparam("r")),
        [{"k": row.key, "r": remote_id} for row, remote_id in rows],
    )


def _outbox_row(row: sa.RowMapping, *, interrupted: bool = False) -> OutboxRow:
    return OutboxRow(
        key=row["key"],
        kind=row["kind"],
        target=row["target"],
        case_id=row["case_id"],
        mention_id=row["mention_id"],
        payload=row["payload"],
        state=OutboxState(row["state"]),
        attempt_count=row["attempt_count"],
        created_at=row["created_at"],
        created_by=row["created_by"],
        error=row["error"],
        interrupted=interrupted,
        remote_id=row["remote_id"],
        sent_at=row["sent_at"],
    )
