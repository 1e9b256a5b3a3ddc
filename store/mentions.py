"""Mentions and what the analyzers said of them.

`add_page` stores a page and its cursor in one transaction; `unanalyzed`/`save_analyses` are the backlog of the analyze
step. A mention that is already there is a duplicate, never a second row; what becomes of it later is in `store.edits` and
`store.deletions`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.budget import SpendKind
from domain.case import CaseId
from domain.contracts import Page, Permission, Reject
from domain.mention import Author, Mention, MentionId
from domain.rehydration import Schedule
from store import corrections, deletions, edits, gaps, inbox, ledger, people, schema
from store.engine import Database, backlog_exists, chunks, insert_ignoring
from store.rollups import Delta
from store.rows import analysis_of, analysis_row, mention_of, mention_row, storable


@dataclass(frozen=True, slots=True)
class PageResult:
    """What became of one page. `read` = stored + duplicates + rejected; `changed` and `deleted` were there before."""

    stored: int
    duplicates: int
    rejected: int
    changed: int = 0
    deleted: int = 0

    @property
    def read(self) -> int:
        """Items in the page."""
        return self.stored + self.duplicates + self.rejected


@dataclass(frozen=True, slots=True)
class RejectRow:
    """An item of a source that could not become a mention."""

    source_key: str
    position: str
    reason: str
    raw: str
    at: datetime


@dataclass(frozen=True)
class Backlog:
    """Mentions that wait for an analysis, and the way to store it."""

    mentions: list[Mention]
    _database: Database
    _connection: sa.Connection | None

    def save(self, analyses: Sequence[Analysis], now: datetime) -> int:
        """Store analyses and move their mentions on; how many were not already done."""
        by_id = {analysis.mention_id: analysis for analysis in analyses}
        delta = Delta(self._database.calendar)
        if self._connection is not None:
            return _save(self._connection, by_id, now, delta)
        with self._database.write() as connection:
            return _save(connection, by_id, now, delta)


class Mentions:
    """Writing and reading mentions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_page(
        self,
        source_key: str,
        page: Page,
        now: datetime,
        may_reply: Callable[[Mention], Permission] | None = None,
        *,
        delivery: str = "",
        kind: SpendKind = SpendKind.READING,
        schedule: Schedule | None = None,
        looked_up: Sequence[Mention] = (),
    ) -> PageResult:
        """Store all that a page tells, and its cursor, in one transaction; the same page again adds nothing.

        Args:
            may_reply: asked for each mention, and its answer kept beside it for whoever writes.
            delivery: key of what a webhook brought: it is read once this page is kept, and a second time adds nothing.
            kind: what the page's price was paid for.
            schedule: when its mentions are to be looked up again; None for never.
            looked_up: the kept mentions that the source was asked about.
        """
        told = self._rows(source_key, page, now, may_reply, schedule)
        with self._database.write() as connection:
            if page.changed or page.deleted:
                edits.hold(connection)
            if delivery and not inbox.mark_done(connection, source_key, delivery, now):
                return PageResult(0, len(page.mentions), 0)
            gone = deletions.told_before(connection, told)
            rows = {key: deletions.emptied(row, gone[key]) if key in gone else row for key, row in told.items()}
            fresh = self._insert_new(connection, rows)
            _see_authors(connection, page, fresh, gone, now)
            delta = Delta(self._database.calendar)
            for key in fresh:
                delta.mention(None, rows[key])
            delta.apply(connection)
            known = {key for mention in page.changed if (key := storable(mention.id)) not in fresh}
            changed = edits.change(connection, {key: told[key] for key in known}, now)
            _looked_up(connection, looked_up, schedule, now)
            deleted = deletions.delete(connection, self._database.calendar, page.deleted, now)
            rejected = _keep_rejects(connection, source_key, page.rejects, now)
            heard = sum(not rows[key]["outbound"] for key in fresh)
            self._advance(connection, source_key, page, heard)
            ledger.record(connection, self._database.calendar, source_key, kind, page.spent, now)
            if page.gap is not None:
                gaps.keep(connection, source_key, page.gap, now)
        duplicates = len(page.mentions) - len(fresh & {storable(mention.id) for mention in page.mentions})
        return PageResult(len(fresh), duplicates, rejected, len(changed), deleted)

    def _rows(
        self,
        source_key: str,
        page: Page,
        now: datetime,
        may_reply: Callable[[Mention], Permission] | None,
        schedule: Schedule | None,
    ) -> dict[str, dict[str, Any]]:
        day_of = self._database.calendar.local_day
        rows: dict[str, dict[str, Any]] = {}
        for mention in (*page.changed, *page.mentions):  # of two tellings, the changed one is the later
            permission = may_reply(mention) if may_reply is not None else None
            row = mention_row(mention, source_key, now, day_of(mention.created_at).isoformat(), permission)
            due = schedule.next(mention.created_at, now) if schedule is not None else None
            rows.setdefault(row["id"], {**row, "deleted_at": None, "look_up_at": due})
        return rows

    @staticmethod
    def _insert_new(connection: sa.Connection, rows: dict[str, dict[str, Any]]) -> set[str]:
        m = schema.mentions
        known: set[str] = set()
        for part in chunks(list(rows)):
            known.update(connection.scalars(sa.select(m.c.id).where(m.c.id.in_(part))))
        new = [row for key, row in rows.items() if key not in known]
        if not new:
            return set()
        if connection.dialect.name == "sqlite":  # we hold the write lock: nobody can have slipped in
            connection.execute(sa.insert(m), new)
            return {row["id"] for row in new}
        inserted = connection.execute(insert_ignoring(connection, m).returning(m.c.id), new)
        return set(inserted.scalars())

    @staticmethod
    def _advance(connection: sa.Connection, source_key: str, page: Page, heard: int) -> None:
        s = schema.sources
        values: dict[str, Any] = {"mention_count": s.c.mention_count + heard}
        if page.cursor is not None:
            values["cursor"] = page.cursor
        if page.notes:
            values["notes"] = list(page.notes)
        connection.execute(sa.update(s).where(s.c.key == source_key).values(**values))

    def unanalyzed_count(self) -> int:
        """How many mentions wait for the analyze step."""
        return self._count("collected")

    def unrouted_count(self) -> int:
        """How many mentions wait for the route step."""
        return self._count("analyzed")

    def _count(self, step: str) -> int:
        m = schema.mentions
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(m.c.step == step)) or 0

    @contextmanager
    def unanalyzed(self, limit: int) -> Iterator["Backlog"]:
        """The oldest mentions that nobody analysed, to be saved inside the block.

        On PostgreSQL they stay locked for the block, so that several workers share the backlog and none waits; SQLite has
        one worker, which must not hold the write lock while a model thinks: there, `save` ignores what is done already.
        """
        m = schema.mentions
        columns = [column for column in m.c if column.name not in {"raw", "folded"}]
        query = sa.select(*columns).where(m.c.step == "collected").order_by(m.c.created_at, m.c.id).limit(limit)
        if self._database.is_sqlite:
            with self._database.read() as connection:
                batch = [mention_of(row) for row in connection.execute(query).mappings()]
            yield Backlog(batch, self._database, None)
            return
        if not backlog_exists(self._database, "collected"):
            yield Backlog([], self._database, None)
            return
        with self._database.write() as connection:
            rows = connection.execute(query.with_for_update(skip_locked=True)).mappings()
            yield Backlog([mention_of(row) for row in rows], self._database, connection)

    def edited(self, limit: int) -> list[Mention]:
        """Mentions of cases that say something else since; they wait for a new analysis, the oldest first."""
        m = schema.mentions
        columns = [column for column in m.c if column.name not in {"raw", "folded"}]
        query = sa.select(*columns).where(m.c.step == edits.EDITED).order_by(m.c.created_at, m.c.id).limit(limit)
        with self._database.read() as connection:
            return [mention_of(row) for row in connection.execute(query).mappings()]

    def save_again(self, read: Sequence[Mention], analyses: Sequence[Analysis], now: datetime) -> int:
        """Store what a model says of `edited` mentions; how many were not done, or edited once more, in the meantime."""
        return edits.save_again(self._database, read, {one.mention_id: one for one in analyses}, now)

    def due_for_look_up(self, source_key: str, now: datetime, limit: int) -> list[Mention]:
        """Kept mentions whose time to be looked up has come, with `raw`, the longest overdue first."""
        m = schema.mentions
        query = sa.select(m).where(m.c.source_key == source_key, m.c.look_up_at <= now)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(m.c.look_up_at, m.c.id).limit(limit)).mappings().all()
            authors = people.authors_of(connection, [row["account_id"] for row in rows])
        return [mention_of(row, authors.get(row["account_id"])) for row in rows]

    def analysis(self, mention_id: MentionId) -> Analysis | None:
        """The current analysis of a mention."""
        a, m = schema.analyses, schema.mentions
        query = (
            sa.select(a)
            .join(m, sa.and_(m.c.id == a.c.mention_id, m.c.model == a.c.model))
            .where(a.c.mention_id == mention_id)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return analysis_of(row) if row else None

    def get(self, mention_id: MentionId) -> Mention | None:
        """One mention with its author."""
        m = schema.mentions
        with self._database.read() as connection:
            row = connection.execute(sa.select(m).where(m.c.id == mention_id)).mappings().one_or_none()
            if row is None:
                return None
            authors = people.authors_of(connection, [row["account_id"]])
        return mention_of(row, authors.get(row["account_id"]))

    def case_ids(self, mention_ids: Sequence[MentionId]) -> list[CaseId]:
        """The cases that hold these mentions, in the order of their ids."""
        m = schema.mentions
        found: set[CaseId] = set()
        with self._database.read() as connection:
            for part in chunks(list(mention_ids)):
                query = sa.select(m.c.case_id).where(m.c.id.in_(part), m.c.case_id.is_not(None)).distinct()
                found.update(CaseId(case_id) for case_id in connection.scalars(query) if case_id)
        return sorted(found)

    def rejects(self, source_key: str | None = None, limit: int = 100) -> list[RejectRow]:
        """Items that could not become mentions, newest first."""
        r = schema.rejects
        query = sa.select(*(c for c in r.c if c.name != "id")).order_by(r.c.at.desc(), r.c.position).limit(limit)
        if source_key is not None:
            query = query.where(r.c.source_key == source_key)
        with self._database.read() as connection:
            return [RejectRow(**row) for row in connection.execute(query).mappings()]


def _see_authors(
    connection: sa.Connection, page: Page, fresh: Collection[str], gone: Mapping[str, datetime], now: datetime
) -> None:
    # Who wrote what was gone before we heard it is counted, and not named.
    heard = {storable(m.id): m for m in (*page.changed, *page.mentions) if not m.outbound and storable(m.id) in fresh}
    for key in gone.keys() & heard.keys():
        author = heard[key].author
        heard[key] = replace(heard[key], author=Author(author.native_id) if author else None)
    people.see_authors(connection, list(heard.values()), now)


def _looked_up(
    connection: sa.Connection, mentions: Sequence[Mention], schedule: Schedule | None, now: datetime
) -> None:
    m = schema.mentions
    for mention in mentions:
        due = schedule.next(mention.created_at, now) if schedule is not None else None
        values = {"looked_up_at": now, "look_up_at": due}
        connection.execute(sa.update(m).where(m.c.id == mention.id).values(**values))


def _keep_rejects(connection: sa.Connection, source_key: str, rejects: Sequence[Reject], now: datetime) -> int:
    rows = []
    for reject in rejects:
        values = (source_key, reject.position, reject.reason, reject.raw)
        digest = blake2b("\x1f".join(values).encode("utf-8", "replace"), digest_size=16).hexdigest()
        rows.append(
            {
                "id": digest,
                "source_key": source_key,
                "position": reject.position,
                "reason": storable(reject.reason),
                "raw": storable(reject.raw[:2000]),
                "at": now,
            }
        )
    if rows:
        connection.execute(insert_ignoring(connection, schema.rejects), rows)
    return len(rows)


def _save(connection: sa.Connection, by_id: dict[MentionId, Analysis], now: datetime, delta: Delta) -> int:
    m = schema.mentions
    waiting: list[sa.RowMapping] = []
    columns = [
        m.c[name]
        for name in ("id", "day", "network", "department", "intent", "sentiment", "lang", "outbound", "uncertain")
    ]
    for part in chunks(list(by_id)):
        query = sa.select(*columns).where(m.c.id.in_(part), m.c.step == "collected").order_by(m.c.id)
        if connection.dialect.name != "sqlite":
            query = query.with_for_update()
        waiting += connection.execute(query).mappings()
    if not waiting:
        return 0
    told = corrections.effective(connection, {row["id"]: by_id[row["id"]] for row in waiting})
    updates = []
    for row in waiting:
        values = corrections.columns_of(told[row["id"]].analysis)
        delta.mention(row, {**row, **values})
        updates.append({"key": row["id"], **values})
    fields = ("intent", "sentiment", "lang", "uncertain", "urgency", "model")
    connection.execute(
        sa.update(m)
        .where(m.c.id == sa.bindparam("key"))
        .values(step="analyzed", **{name: sa.bindparam(name) for name in fields}),
        updates,
    )
    connection.execute(
        insert_ignoring(connection, schema.analyses), [analysis_row(by_id[row["id"]], now) for row in waiting]
    )
    corrected = {key: one for key, one in told.items() if one.at is not None}
    corrections.keep(connection, corrected)  # what persons answered before goes on counting
    delta.apply(connection)
    return len(waiting)
