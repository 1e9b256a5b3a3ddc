"""Acts on messages (hide, show again, delete our own): whose turn it is, what becomes of the message once it is done.

They wait in the outbox like answers and are asked for with `Cases.moderate`. Two acts on one message leave in the order in
which they were asked for, and an older one that has not left when a newer one is asked for never leaves. A network does an
act twice as once, so an interrupted one is simply done again.
"""

from datetime import datetime
from enum import Enum, auto

import sqlalchemy as sa

from domain.contracts import Act
from domain.mention import HIDDEN_HERE
from store import audit, deletions, edits, schema
from store.engine import Database
from store.outbox import OutboxKind, OutboxRow, OutboxState, mark_sent
from store.rows import permission_json, permission_of

_OPPOSITE = {Act.HIDE: Act.UNHIDE, Act.UNHIDE: Act.HIDE}


class Turn(Enum):
    """Whether an act may leave now."""

    NOW = auto()
    WAIT = auto()  # another one on the same message is under way
    OVERTAKEN = auto()  # a newer one on the same message was asked for


class Moderation:
    """What the send step asks and tells about acts on messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def turn(self, row: OutboxRow) -> Turn:
        """Whether a leased act may leave."""
        o = schema.outbox
        query = sa.select(o.c.key, o.c.state, o.c.error, o.c.created_at).where(
            o.c.kind == OutboxKind.MODERATION.value,
            o.c.mention_id == row.mention_id,
            o.c.key != row.key,
            o.c.state != OutboxState.WITHDRAWN.value,
        )
        with self._database.read() as connection:
            others = connection.execute(query).mappings().all()
        mine = (row.created_at, row.key)
        if any((other["created_at"], other["key"]) > mine for other in others):
            return Turn.OVERTAKEN
        if any(other["state"] == OutboxState.SENDING.value and other["error"] is None for other in others):
            return Turn.WAIT
        return Turn.NOW

    def overtaken(self, row: OutboxRow, now: datetime) -> None:
        """A leased act that will not leave, since a newer one was asked for."""
        with self._database.write() as connection:
            _withdraw(connection, row.key, OutboxState.SENDING)
            audit.append(connection, [_entry(row, "moderation_withdrawn", "comptoir", now)])

    def withdraw(self, key: str, *, actor: str, now: datetime) -> bool:
        """Take an act back before it leaves; False where it is too late."""
        o = schema.outbox
        with self._database.write() as connection:
            query = sa.select(o.c.case_id, o.c.mention_id, o.c.payload).where(o.c.key == key)
            row = connection.execute(query).mappings().one_or_none()
            if row is None or not _withdraw(connection, key, OutboxState.PENDING):
                return False
            data = {"mention_id": row["mention_id"], "act": row["payload"]["act"]}
            entry = {
                "at": now,
                "actor": actor,
                "action": "moderation_withdrawn",
                "case_id": row["case_id"],
                "data": data,
            }
            audit.append(connection, [entry])
        return True

    def done(self, row: OutboxRow, now: datetime) -> None:
        """The network did it: what may be done to the message changes; a deleted one loses its words."""
        act, m = Act(row.payload["act"]), schema.mentions
        with self._database.write() as connection:
            edits.hold(connection)
            mark_sent(connection, [(row, "")], now)
            if act is Act.DELETE and row.mention_id is not None:
                deletions.delete(connection, self._database.calendar, [row.mention_id], now)
            else:
                raw = dict(connection.scalar(sa.select(m.c.raw).where(m.c.id == row.mention_id)) or {})
                raw[HIDDEN_HERE] = act is Act.HIDE
                connection.execute(sa.update(m).where(m.c.id == row.mention_id).values(raw=raw))
                kept = permission_of(connection.scalar(sa.select(m.c.permission).where(m.c.id == row.mention_id)))
                values = permission_json(kept) if kept is not None else None
                if kept is not None and values is not None:
                    others = [one.value for one in kept.acts if one not in _OPPOSITE]
                    values["acts"] = [*others, _OPPOSITE[act].value]
                    connection.execute(sa.update(m).where(m.c.id == row.mention_id).values(permission=values))
            audit.append(connection, [_entry(row, "moderated", "comptoir", now)])


def _withdraw(connection: sa.Connection, key: str, state: OutboxState) -> bool:
    o = schema.outbox
    values = {"state": OutboxState.WITHDRAWN.value, "error": None, "lease_until": None}
    statement = sa.update(o).where(o.c.key == key, o.c.state == state.value).values(**values)
    return connection.execute(statement).rowcount == 1


def _entry(row: OutboxRow, action: str, actor: str, now: datetime) -> dict[str, object]:
    data = {"mention_id": row.mention_id, "act": row.payload["act"]}
    return {"at": now, "actor": actor, "action": action, "case_id": row.case_id, "data": data}
