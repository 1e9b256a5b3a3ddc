"""What is put in the outbox: answers and acts that people ask for, records for the CRMs.

Each is called inside the transaction of what it belongs to (the act with its audit row, the case that opened). A key that is
there already stays as it is, so asking twice is asking once. Sending and settling are in `store.outbox`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from domain.case import Case, CaseId, PersonId
from domain.contracts import Act
from domain.mention import MentionId
from domain.routing import RouteItem
from store import schema
from store.engine import insert_ignoring
from store.outbox import OutboxKind, OutboxState

if TYPE_CHECKING:
    from store.routing import PersonInfo, RecordsFor

_WAITING = (OutboxState.PENDING.value, OutboxState.SENDING.value)


def enqueue_reply(
    connection: sa.Connection,
    case_id: CaseId,
    mention_id: MentionId,
    text: str,
    source_key: str,
    key: str,
    actor: str,
    now: datetime,
    *,
    private: bool = False,
) -> bool:
    """Put an answer in the outbox; False where this key is there already."""
    o = schema.outbox
    if connection.scalar(sa.select(o.c.key).where(o.c.key == key)):
        return False
    kind = OutboxKind.PRIVATE if private else OutboxKind.REPLY
    row = _row(key, kind, source_key, {"text": text}, now, actor)
    connection.execute(insert_ignoring(connection, o), [{**row, "case_id": case_id, "mention_id": mention_id}])
    return True


def enqueue_act(
    connection: sa.Connection,
    case_id: CaseId,
    mention_id: MentionId,
    act: Act,
    source_key: str,
    key: str,
    actor: str,
    now: datetime,
    due_at: datetime,
) -> str | None:
    """Put an act on a message in the outbox; None where the same act on it waits there already."""
    o = schema.outbox
    newest = sa.select(o.c.key, o.c.payload, o.c.state).where(
        o.c.kind == OutboxKind.MODERATION.value, o.c.mention_id == mention_id, o.c.state != OutboxState.WITHDRAWN.value
    )
    last = connection.execute(newest.order_by(o.c.created_at.desc(), o.c.key.desc()).limit(1)).mappings().one_or_none()
    if last is not None and last["payload"]["act"] == act.value and last["state"] in _WAITING:
        return None
    row = _row(key, OutboxKind.MODERATION, source_key, {"act": act.value}, now, actor)
    values = {**row, "due_at": due_at, "case_id": case_id, "mention_id": mention_id}
    connection.execute(insert_ignoring(connection, o), [values])
    return key


def enqueue_records(
    connection: sa.Connection,
    opened: Sequence[tuple[Case, RouteItem]],
    persons: Mapping[PersonId, "PersonInfo"],
    records_for: "RecordsFor",
    now: datetime,
) -> None:
    """Put what the CRMs should know of new cases in the outbox; a key that is there already stays as it is."""
    rows: dict[str, dict[str, Any]] = {}
    for case, opener in opened:
        person = persons.get(case.person_id) if case.person_id else None
        for target, record in records_for(case, opener, person):
            payload = {"kind": record.kind.value, "fields": record.fields}
            row = _row(f"{target}:{record.key}", OutboxKind.CRM, target, payload, now, "comptoir")
            rows[row["key"]] = {**row, "case_id": case.id, "mention_id": None}
    if rows:
        connection.execute(insert_ignoring(connection, schema.outbox), list(rows.values()))


def _row(key: str, kind: OutboxKind, target: str, payload: dict[str, Any], now: datetime, actor: str) -> dict[str, Any]:
    return {
        "key": key,
        "kind": kind.value,
        "target": target,
        "payload": payload,
        "state": OutboxState.PENDING.value,
        "attempt_count": 0,
        "due_at": now,
        "created_at": now,
        "created_by": actor,
    }
