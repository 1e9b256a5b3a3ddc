"""What the desk shows: the queue, one conversation, the counts beside the views. Reads only.

Everything is filtered, sorted and paged in SQL; a page holds at most 50 rows. Late, mine and the like are views, defined
once in `_view`, so that the number on a tab and the rows behind it cannot disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.case import Case, CaseId, Status
from domain.contracts import Permission
from domain.mention import Author, Mention
from domain.taxonomy import INTENTS
from store import people, schema
from store.engine import Database, chunks
from store.rows import analysis_of, case_of, fold, mention_of, permission_of

PAGE_SIZE = 50


class View(StrEnum):
    """The tabs of the desk."""

    OPEN = "open"
    MINE = "mine"
    UNASSIGNED = "unassigned"
    LATE = "late"
    WAITING = "waiting"
    UNCERTAIN = "uncertain"
    RESOLVED = "resolved"


class Sort(StrEnum):
    """What comes first."""

    PRIORITY = "priority"
    DUE = "due"
    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """Which cases. Empty tuples and None mean all; `departments` is what the person may see."""

    view: View = View.OPEN
    departments: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    intents: tuple[str, ...] = ()
    sentiments: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    langs: tuple[str, ...] = ()
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: Sort = Sort.PRIORITY


@dataclass(frozen=True, slots=True)
class QueueRow:
    """One case in the list: who, and the last words of the customer (cut to 280 characters)."""

    case: Case
    person_name: str
    snippet: str


@dataclass(frozen=True, slots=True)
class Message:
    """One utterance of a conversation. `analysis` is None for our own words; a deleted one has none left to show."""

    mention: Mention
    author: Author | None
    analysis: Analysis | None
    source_key: str
    permission: Permission | None = None
    edited_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A case, what was said in it (oldest first), and the post that it hangs under, where that is not part of it."""

    case: Case
    messages: list[Message]
    root: Mention | None


def _view(view: View, now: datetime, me: str) -> sa.ColumnElement[bool]:
    c = schema.cases.c
    is_open = c.status == Status.OPEN.value
    active = c.status.in_([Status.OPEN.value, Status.PENDING.value, Status.SNOOZED.value])
    overdue = sa.or_(
        sa.and_(c.first_reply_at.is_(None), c.first_reply_due_at < now),
        c.resolution_due_at < now,
    )
    views: dict[View, sa.ColumnElement[bool]] = {
        View.OPEN: is_open,
        View.MINE: sa.and_(active, c.assignee == me),
        View.UNASSIGNED: sa.and_(is_open, c.assignee.is_(None)),
        View.LATE: sa.and_(is_open, overdue),
        View.WAITING: c.status.in_([Status.PENDING.value, Status.SNOOZED.value]),
        View.UNCERTAIN: sa.and_(is_open, c.uncertain.is_(True)),
        View.RESOLVED: c.status == Status.RESOLVED.value,
    }
    return views[view]


def _conditions(f: QueueFilter) -> list[sa.ColumnElement[bool]]:
    c = schema.cases.c
    pairs: tuple[tuple[sa.Column[Any], Sequence[str]], ...] = (
        (c.department, f.departments),
        (c.network, f.networks),
        (c.intent, f.intents),
        (c.sentiment, f.sentiments),
        (c.store, f.stores),
        (c.product, f.products),
        (c.lang, f.langs),
    )
    found: list[sa.ColumnElement[bool]] = [column.in_(values) for column, values in pairs if values]
    if f.since is not None:
        found.append(c.last_inbound_at >= f.since)
    if f.until is not None:
        found.append(c.last_inbound_at < f.until)
    if f.text.strip():
        found.append(_matches(fold(f.text.strip())))
    return found


def _matches(words: str) -> sa.ColumnElement[bool]:
    # In what was said, in the name of the intent ("livraison"), in the person's name, or the case's own id.
    c, m, p = schema.cases.c, schema.mentions, schema.persons
    pattern = "%" + words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"
    intents = [i.key for i in INTENTS if words in fold(i.title_fr) or words in fold(i.title_en)]
    said = sa.select(m.c.case_id).where(m.c.folded.like(pattern, escape="\\"), m.c.case_id.is_not(None))
    named = sa.select(p.c.id).where(sa.func.lower(p.c.name).like(pattern, escape="\\"))
    return sa.or_(c.id.in_(said), c.intent.in_(intents), c.person_id.in_(named), c.id == words)


def _order(sort: Sort) -> tuple[Any, ...]:
    c = schema.cases.c
    due = sa.func.coalesce(c.first_reply_due_at, c.resolution_due_at)
    orders: dict[Sort, tuple[Any, ...]] = {
        Sort.PRIORITY: (c.priority.desc(), sa.case((c.first_reply_at.is_(None), 0), else_=1), due, c.id),
        Sort.DUE: (due, c.id),
        Sort.NEWEST: (c.last_inbound_at.desc(), c.id),
        Sort.OLDEST: (c.last_inbound_at, c.id),
    }
    return orders[sort]


class Queue:
    """Reading cases for the screens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, f: QueueFilter, *, me: str, now: datetime, page: int = 0) -> list[QueueRow]:
        """At most 50 cases, in the order of the filter."""
        c = schema.cases
        query = sa.select(c).where(_view(f.view, now, me), *_conditions(f)).order_by(*_order(f.sort))
        query = query.limit(PAGE_SIZE).offset(page * PAGE_SIZE)
        with self._database.read() as connection:
            cases = [case_of(row) for row in connection.execute(query).mappings()]
            names = _names(connection, [case.person_id for case in cases if case.person_id])
            snippets = _snippets(connection, [case.id for case in cases])
        return [
            QueueRow(case, names.get(case.person_id, "") if case.person_id else "", snippets.get(case.id, ""))
            for case in cases
        ]

    def counts(self, f: QueueFilter, *, me: str, now: datetime) -> dict[View, int]:
        """How many cases each view holds, under the other conditions of the filter; one query."""
        columns = [sa.func.coalesce(sa.func.sum(sa.case((_view(view, now, me), 1), else_=0)), 0) for view in View]
        query = sa.select(*columns).select_from(schema.cases).where(*_conditions(replace(f, view=View.OPEN)))
        with self._database.read() as connection:
            row = connection.execute(query).one()
        return {view: int(count) for view, count in zip(View, row, strict=True)}

    def conversation(self, case_id: CaseId) -> Conversation | None:
        """Everything said in a case; None where there is no such case."""
        c, m, a = schema.cases, schema.mentions, schema.analyses
        with self._database.read() as connection:
            row = connection.execute(sa.select(c).where(c.c.id == case_id)).mappings().one_or_none()
            if row is None:
                return None
            columns = [column for column in m.c if column.name != "folded"]
            said = sa.select(*columns).where(m.c.case_id == case_id).order_by(m.c.created_at, m.c.id)
            rows = connection.execute(said).mappings().all()
            analyses: dict[str, Analysis] = {}
            for part in chunks([r["id"] for r in rows]):
                query = sa.select(a).join(m, sa.and_(m.c.id == a.c.mention_id, m.c.model == a.c.model))
                for found in connection.execute(query.where(a.c.mention_id.in_(part))).mappings():
                    analyses[found["mention_id"]] = analysis_of(found)
            root = _root(connection, rows)
            authors = people.authors_of(connection, [r["account_id"] for r in rows])
        messages = [
            Message(
                mention_of(r, authors.get(r["account_id"])),
                authors.get(r["account_id"]),
                analyses.get(r["id"]),
                r["source_key"],
                permission_of(r["permission"]),
                r["edited_at"],
                r["deleted_at"],
            )
            for r in rows
        ]
        return Conversation(case_of(row), messages, root)

    def of_person(self, person_id: str, *, but: CaseId | None = None, limit: int = 10) -> list[Case]:
        """Other cases of a person, newest first."""
        c = schema.cases
        query = sa.select(c).where(c.c.person_id == person_id, c.c.status != Status.MERGED.value)
        if but is not None:
            query = query.where(c.c.id != but)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(c.c.last_inbound_at.desc()).limit(limit)).mappings()
            return [case_of(row) for row in rows]

    def mood(self, person_id: str, limit: int = 30) -> list[tuple[datetime, str]]:
        """(when, sentiment) of what a person said, oldest first."""
        m, a = schema.mentions, schema.accounts
        query = (
            sa.select(m.c.created_at, m.c.sentiment)
            .join(a, a.c.id == m.c.account_id)
            .where(a.c.person_id == person_id, m.c.sentiment != "")
            .order_by(m.c.created_at.desc(), m.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row[0], row[1]) for row in connection.execute(query)][::-1]

    def values(self, column: str) -> list[str]:
        """The distinct values of a filterable column (network, store, product, lang), for the filter bar."""
        if column not in {"network", "store", "product", "lang"}:
            raise ValueError(column)
        c = schema.cases.c[column]
        with self._database.read() as connection:
            return list(connection.scalars(sa.select(c).where(c.is_not(None)).distinct().order_by(c)))


def _root(connection: sa.Connection, rows: Sequence[sa.RowMapping]) -> Mention | None:
    # The brand's post, or somebody else's message, that the first word of the case answers.
    m = schema.mentions
    if not rows or rows[0]["parent_id"] is None:
        return None
    known = {row["id"] for row in rows}
    if rows[0]["parent_id"] in known:
        return None
    row = connection.execute(sa.select(m).where(m.c.id == rows[0]["parent_id"])).mappings().one_or_none()
    if row is None:
        return None
    return mention_of(row, people.authors_of(connection, [row["account_id"]]).get(row["account_id"]))


def _names(connection: sa.Connection, person_ids: Sequence[str]) -> dict[str, str]:
    p = schema.persons
    names: dict[str, str] = {}
    for part in chunks(sorted(set(person_ids))):
        names.update(connection.execute(sa.select(p.c.id, p.c.name).where(p.c.id.in_(part))).all())
    return names


def _snippets(connection: sa.Connection, case_ids: Sequence[str]) -> dict[str, str]:
    # The newest inbound text of each case.
    m = schema.mentions
    rank = sa.func.row_number().over(partition_by=m.c.case_id, order_by=(m.c.created_at.desc(), m.c.id)).label("rank")
    inner = (
        sa.select(m.c.case_id, sa.func.substr(m.c.text, 1, 280).label("text"), rank)
        .where(m.c.case_id.in_(list(case_ids)), m.c.outbound.is_(False))
        .subquery()
    )
    rows = connection.execute(sa.select(inner.c.case_id, inner.c.text).where(inner.c.rank == 1))
    return dict(rows.all())
