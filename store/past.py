"""Messages of the past: analysed and counted like all others, but they open and join no case.

A back-fill sets them aside as it stores them (`set_aside`); the worker analyses them after what is new, a batch a pass. Their
deadlines passed long ago: a case of theirs would be late from its first minute.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.mention import Mention
from domain.taxonomy import department_of
from store import schema
from store.engine import Database, backlog_exists, chunks
from store.mentions import Backlog
from store.rollups import Delta
from store.rows import mention_of, storable

PAST = "past"  # the step at which they wait for their analysis


def unknown(connection: sa.Connection, mentions: Sequence[Mention]) -> list[Mention]:
    """Those that are not kept yet."""
    m = schema.mentions
    known: set[str] = set()
    for part in chunks([storable(one.id) for one in mentions]):
        known.update(connection.scalars(sa.select(m.c.id).where(m.c.id.in_(part))))
    return [one for one in mentions if storable(one.id) not in known]


def set_aside(connection: sa.Connection, mentions: Sequence[Mention], collected_at: datetime) -> None:
    """Take mentions that were stored a moment ago in this transaction out of routing."""
    m = schema.mentions
    for part in chunks([storable(one.id) for one in mentions]):
        ours = sa.and_(m.c.id.in_(part), m.c.collected_at == collected_at)
        connection.execute(sa.update(m).where(ours, m.c.step == "collected").values(step=PAST))
        connection.execute(sa.update(m).where(ours, m.c.step == "analyzed").values(step="done"))  # our own words


@dataclass(frozen=True)
class PastBacklog:
    """Messages of the past that wait for an analysis, and the way to store it."""

    mentions: list[Mention]
    _database: Database
    _connection: sa.Connection | None

    def save(self, analyses: Sequence[Analysis], now: datetime) -> int:
        """Store analyses and count them for the departments that they concern; how many were not already done."""
        if self._connection is not None:
            return self._save(self._connection, analyses, now)
        with self._database.write() as connection:
            return self._save(connection, analyses, now)

    def _save(self, connection: sa.Connection, analyses: Sequence[Analysis], now: datetime) -> int:
        m = schema.mentions
        ids = [analysis.mention_id for analysis in analyses]
        for part in chunks(ids):
            waiting = sa.and_(m.c.id.in_(part), m.c.step == PAST)
            connection.execute(sa.update(m).where(waiting).values(step="collected"))
        saved = Backlog(self.mentions, self._database, connection).save(analyses, now)
        _count_for_departments(connection, analyses, Delta(self._database.calendar))
        return saved


class Past:
    """The backlog of the past."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def unanalyzed(self, limit: int) -> Iterator[PastBacklog]:
        """The newest ones that nobody analysed, to be saved inside the block; locks as `Mentions.unanalyzed` does."""
        m = schema.mentions
        columns = [column for column in m.c if column.name not in {"raw", "folded"}]
        query = sa.select(*columns).where(m.c.step == PAST).order_by(m.c.created_at.desc(), m.c.id).limit(limit)
        if self._database.is_sqlite or not backlog_exists(self._database, PAST):
            with self._database.read() as connection:
                batch = [mention_of(row) for row in connection.execute(query).mappings()]
            yield PastBacklog(batch, self._database, None)
            return
        with self._database.write() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings()
            yield PastBacklog([mention_of(row) for row in rows], self._database, connection)

    def unanalyzed_count(self) -> int:
        """How many wait for their analysis."""
        m = schema.mentions
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(m.c.step == PAST)) or 0


def _count_for_departments(connection: sa.Connection, analyses: Sequence[Analysis], delta: Delta) -> None:
    m = schema.mentions
    by_id = {storable(analysis.mention_id): analysis for analysis in analyses}
    names = ("id", "day", "network", "department", "intent", "sentiment", "lang", "outbound", "uncertain", "urgency")
    updates = []
    for part in chunks(sorted(by_id)):
        query = sa.select(*(m.c[name] for name in names)).where(m.c.id.in_(part), m.c.step == "analyzed")
        for row in connection.execute(query).mappings():
            department = department_of(row["intent"], by_id[row["id"]].aspects, row["urgency"])
            delta.mention(row, {**row, "department": department})
            updates.append({"key": row["id"], "dept": department})
    if updates:
        statement = sa.update(m).where(m.c.id == sa.bindparam("key"))
        connection.execute(statement.values(step="done", department=sa.bindparam("dept")), updates)
    delta.apply(connection)
