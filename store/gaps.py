"""Gaps: spans that a source could not hear, for good. Kept with the page that told of them, listed, never silent."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.contracts import Gap
from store import schema
from store.engine import Database, insert_ignoring
from store.rows import storable


@dataclass(frozen=True, slots=True)
class GapRow:
    """One span of one source; `at`: when it was noticed."""

    source_key: str
    since: datetime
    until: datetime
    reason: str
    at: datetime


def keep(connection: sa.Connection, source_key: str, gap: Gap, now: datetime) -> None:
    """Write a gap down. Told again it is one row; what began at the same moment and ends later, grows."""
    g = schema.gaps
    row = {"source_key": source_key, "since": gap.since, "until": gap.until, "reason": storable(gap.reason), "at": now}
    connection.execute(insert_ignoring(connection, g), [row])
    same = (g.c.source_key == source_key, g.c.since == gap.since, g.c.until < gap.until)
    connection.execute(sa.update(g).where(*same).values(until=gap.until, reason=row["reason"]))


class Gaps:
    """Reading gaps."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, source_key: str | None = None, limit: int = 100) -> list[GapRow]:
        """The gaps of one source, or of all, the newest span first."""
        g = schema.gaps
        query = sa.select(g).order_by(g.c.until.desc(), g.c.source_key, g.c.since).limit(limit)
        if source_key is not None:
            query = query.where(g.c.source_key == source_key)
        with self._database.read() as connection:
            return [GapRow(**row) for row in connection.execute(query).mappings()]
