"""The route step: analysed mentions open or join cases, and what the CRMs should know of it goes to the outbox.

`domain.routing.plan` decides; this module reads the candidates and writes the plan, in one transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from domain import case as rules
from domain.case import Case, CaseId, PersonId
from domain.contracts import CrmRecord
from domain.routing import Placement, RouteItem, RoutePlan, plan
from store import people, schema, wishes
from store.changes import Changes, read_cases
from store.engine import Database, backlog_exists, chunks
from store.rollups import Delta
from store.rows import analysis_of, mention_of

ROUTER = "comptoir"
ROUTER_LOCK = 730152  # PostgreSQL's advisory lock of whoever places mentions
RecordsFor = Callable[[Case, RouteItem, "PersonInfo | None"], Sequence[tuple[str, CrmRecord]]]


@dataclass(frozen=True, slots=True)
class PersonInfo:
    """What a finding may say of its person: enough to find the CRM's contact, nothing more."""

    id: PersonId
    name: str
    email: str | None
    phone: str | None
    customer_ref: str | None
    lang: str | None


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What one routing batch did."""

    routed: int
    opened: int


def route(database: Database, limit: int, now: datetime, records_for: RecordsFor) -> RouteResult:
    """Place the oldest analysed mentions: cases, audit, counts and outbox rows in one transaction.

    `records_for` says what the CRMs should know of a case that opened, given the mention that opened it; it must not look
    anything up.
    """
    if not backlog_exists(database, "analyzed"):
        return RouteResult(0, 0)
    with database.write() as connection:
        if not database.is_sqlite:  # one router at a time: two words of one thread must meet
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ROUTER_LOCK)))
        items = _backlog(connection, limit)
        if not items:
            return RouteResult(0, 0)
        waiting = len(items)
        items = sorted((*items, *_early_answers(connection, items)), key=lambda i: (i.mention.created_at, i.mention.id))
        cases, threads, parents = _candidates(connection, items)
        planned = plan(items, cases, threads, parents, database.calendar)
        changes = Changes(database, ROUTER, now)
        _write_plan(changes, planned)
        _write_placements(connection, planned.placements, changes.delta)
        changes.write(connection)
        openers = {rules.case_id_for(item.mention.id): item for item in items}
        opened = [(case, openers[key]) for key, case in planned.after.items() if planned.before[key] is None]
        persons = _person_infos(connection, [case for case, _ in opened])
        wishes.enqueue_records(connection, opened, persons, records_for, now)
    return RouteResult(waiting, len(opened))


def _backlog(connection: sa.Connection, limit: int) -> list[RouteItem]:
    m, a = schema.mentions, schema.analyses
    columns = [column for column in m.c if column.name not in {"raw", "folded"}]
    query = sa.select(*columns).where(m.c.step == "analyzed").order_by(m.c.created_at, m.c.id).limit(limit)
    rows = connection.execute(query).mappings().all()
    keys = [row["id"] for row in rows]
    analyses = {}
    for part in chunks(keys):
        for row in connection.execute(sa.select(a).where(a.c.mention_id.in_(part))).mappings():
            analyses[row["mention_id"], row["model"]] = analysis_of(row)
    accounts = [row["account_id"] for row in rows]
    authors = people.authors_of(connection, accounts)
    persons = people.person_of_accounts(connection, accounts)
    return [
        RouteItem(
            mention_of(row, authors.get(row["account_id"])),
            analyses.get((row["id"], row["model"])),
            persons.get(row["account_id"]),
        )
        for row in rows
    ]


def _early_answers(connection: sa.Connection, items: Sequence[RouteItem]) -> list[RouteItem]:
    # Where a network gives our own words first, and fails before what they answer, they were placed nowhere. What we said
    # before the message that comes now (a post of ours under which people speak) is no answer to it.
    m = schema.mentions
    since: dict[str, datetime] = {}
    for item in items:
        if not item.mention.outbound:
            thread_id = item.mention.thread_id
            since[thread_id] = min(since.get(thread_id, item.mention.created_at), item.mention.created_at)
    columns = [column for column in m.c if column.name not in {"raw", "folded"}]
    homeless = (m.c.outbound.is_(True), m.c.case_id.is_(None), m.c.step == "done")
    found = []
    for part in chunks(sorted(since)):
        rows = connection.execute(sa.select(*columns).where(m.c.thread_id.in_(part), *homeless)).mappings()
        found += [
            RouteItem(mention_of(row), None, None) for row in rows if row["created_at"] >= since[row["thread_id"]]
        ]
    return found


def _candidates(
    connection: sa.Connection, items: Sequence[RouteItem]
) -> tuple[list[Case], dict[str, list[CaseId]], dict[str, CaseId]]:
    m, c = schema.mentions, schema.cases
    threads: dict[str, list[CaseId]] = {}
    parents: dict[str, CaseId] = {}
    for part in chunks(sorted({item.mention.thread_id for item in items})):
        query = (
            sa.select(m.c.thread_id, m.c.case_id).where(m.c.thread_id.in_(part), m.c.case_id.is_not(None)).distinct()
        )
        for thread_id, case_id in connection.execute(query.order_by(m.c.thread_id, m.c.case_id)):
            threads.setdefault(thread_id, []).append(case_id)
    wanted = {f"{i.mention.network}:{i.mention.parent_id}" for i in items if i.mention.parent_id}
    for part in chunks(sorted(wanted)):
        query = sa.select(m.c.id, m.c.case_id).where(m.c.id.in_(part), m.c.case_id.is_not(None))
        parents.update({key: CaseId(case_id) for key, case_id in connection.execute(query)})
    wanted_cases = {key for keys in threads.values() for key in keys} | set(parents.values())
    for part in chunks(sorted({item.person_id for item in items if item.person_id})):
        query = sa.select(c.c.id).where(c.c.person_id.in_(part), c.c.status.in_(["open", "pending", "snoozed"]))
        wanted_cases.update(connection.scalars(query))
    found = read_cases(connection, sorted(wanted_cases), lock=connection.dialect.name != "sqlite")
    return list(found.values()), threads, parents


def _write_plan(changes: Changes, planned: RoutePlan) -> None:
    acts: dict[CaseId, str] = {}
    for placement in planned.placements:
        if placement.case_id is not None and placement.act != "none":
            acts.setdefault(placement.case_id, placement.act)
    for case_id, after in planned.after.items():
        before = planned.before[case_id]
        if before is None or after != before:
            changes.change(before, after, acts.get(case_id, "joined"))


def _write_placements(connection: sa.Connection, placements: Sequence[Placement], delta: Delta) -> None:
    m = schema.mentions
    by_id = {placement.mention_id: placement for placement in placements}
    columns = [
        m.c[name]
        for name in ("id", "day", "network", "department", "intent", "sentiment", "lang", "outbound", "uncertain")
    ]
    updates = []
    for part in chunks(list(by_id)):
        for row in connection.execute(sa.select(*columns).where(m.c.id.in_(part))).mappings():
            placement = by_id[row["id"]]
            delta.mention(row, {**row, "department": placement.department})
            updates.append({"key": row["id"], "case": placement.case_id, "dept": placement.department})
    statement = sa.update(m).where(m.c.id == sa.bindparam("key"))
    connection.execute(
        statement.values(step="done", case_id=sa.bindparam("case"), department=sa.bindparam("dept")), updates
    )


def _person_infos(connection: sa.Connection, cases: Sequence[Case]) -> dict[PersonId, PersonInfo]:
    p = schema.persons
    columns = [p.c[name] for name in ("id", "name", "email", "phone", "customer_ref", "lang")]
    found: dict[PersonId, PersonInfo] = {}
    for part in chunks(sorted({case.person_id for case in cases if case.person_id})):
        for row in connection.execute(sa.select(*columns).where(p.c.id.in_(part))).mappings():
            found[PersonId(row["id"])] = PersonInfo(**row)
    return found
