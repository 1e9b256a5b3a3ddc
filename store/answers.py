"""Answers of ours that arrived: each becomes a mention, as if it had been collected back, or new words of one that is kept.

`keep` is called inside the transaction that marks the outbox row as sent. The network may bring the same answer first or
later: same id, one row. Review sites keep one answer a review: a second one replaces the words of the first.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain import case as rules
from domain.case import CaseId
from domain.contracts import Permission
from domain.mention import Mention, MentionKind
from store import schema
from store.changes import Changes, one_case
from store.engine import Database
from store.rollups import Delta
from store.rows import mention_row

AUTHOR = "comptoir"  # in the audit


def keep(
    connection: sa.Connection,
    database: Database,
    answer: Mention,
    source_key: str,
    asked_at: datetime,
    now: datetime,
    rights: Callable[[Mention], Permission] | None,
) -> None:
    """Store the answer, or the words that it replaces.

    Args:
        asked_at: when a person asked for it; what was kept before then under its id said something else.
        rights: what may be done to it later, such as taking it back.
    """
    m = schema.mentions
    day = database.calendar.local_day(now).isoformat()
    values = mention_row(answer, source_key, now, day, rights(answer) if rights is not None else None)
    columns = (m.c.outbound, m.c.collected_at, m.c.deleted_at, m.c.case_id)
    query = sa.select(*columns).where(m.c.id == values["id"])
    kept = connection.execute(query).mappings().one_or_none()
    if kept is None:
        connection.execute(sa.insert(m).values(**values))
        delta = Delta(database.calendar)
        delta.mention(None, values)
        delta.apply(connection)
    elif kept["outbound"] and kept["deleted_at"] is None and kept["collected_at"] < asked_at:
        _replace(connection, database, values, kept["case_id"], now)


def answer_to(mention: Mention, text: str, remote_id: str, now: datetime, *, private: bool) -> Mention:
    """Our answer as a mention; a private one is a message, and stays in the conversation that it answers."""
    return Mention(
        network=mention.network,
        native_id=remote_id,
        text=text,
        created_at=now,
        kind=MentionKind.MESSAGE if private else mention.kind,
        conversation_id=mention.conversation_id or mention.native_id,
        parent_id=mention.native_id,
        outbound=True,
    )


def _replace(
    connection: sa.Connection, database: Database, values: dict[str, Any], case_id: CaseId | None, now: datetime
) -> None:
    m = schema.mentions
    words = {"text": values["text"], "folded": values["folded"], "edited_at": now}
    connection.execute(sa.update(m).where(m.c.id == values["id"]).values(**words))
    if case_id is None:
        return  # the router has not seen it yet
    before = one_case(connection, case_id, database.is_sqlite)
    after = rules.take_reply(before, now)
    if after != before:
        changes = Changes(database, AUTHOR, now)
        changes.change(before, after, "replied")
        changes.write(connection)
