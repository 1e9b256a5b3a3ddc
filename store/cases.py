"""Cases: routing writes them, people change them, each change with its audit row and counts in one transaction.

Every act of a person goes through `act`: read the case, check that nobody changed it since it was seen, apply a rule of
`domain.case`, write. To add an act, add a rule there and a line here. Lists for screens are in `store.queue`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain import case as rules
from domain.case import Case, CaseId, PersonId, RuleError, Status
from domain.contracts import CrmRecord
from domain.errors import StaleError
from domain.mention import MentionId
from domain.routing import Placement, RouteItem, RoutePlan, plan
from store import audit, outbox, people, schema
from store.engine import Database, chunks
from store.rollups import Delta
from store.rows import analysis_of, case_of, case_row, mention_of, storable

ROUTER = "comptoir"
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


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note on a case: never leaves."""

    author: str
    text: str
    at: datetime


def iterate_cases(connection: sa.Connection) -> Iterator[Case]:
    """All cases, streamed."""
    rows = connection.execute(sa.select(schema.cases), execution_options={"yield_per": 1000}).mappings()
    return (case_of(row) for row in rows)


def _read(connection: sa.Connection, case_ids: Sequence[str], *, lock: bool = False) -> dict[CaseId, Case]:
    c = schema.cases
    found: dict[CaseId, Case] = {}
    for part in chunks(list(case_ids)):
        query = sa.select(c).where(c.c.id.in_(part)).order_by(c.c.id)
        for row in connection.execute(query.with_for_update() if lock else query).mappings():
            found[CaseId(row["id"])] = case_of(row)
    return found


_CASE_COLUMNS = [column.name for column in schema.cases.c if column.name != "id"]


class _Changes:
    # Gathers changes of one transaction: rows, audit, counts, outbox; written once, in bulk.

    def __init__(self, database: Database, actor: str, now: datetime) -> None:
        self.delta = Delta(database.calendar)
        self.actor, self.now = actor, now
        self.inserts: list[dict[str, Any]] = []
        self.updates: list[dict[str, Any]] = []
        self.audit: list[dict[str, Any]] = []

    def change(self, before: Case | None, after: Case, action: str, **extra: Any) -> Case:
        if before is not None:
            after = replace(after, version=before.version + 1)
        row = case_row(after)
        if before is None:
            self.inserts.append(row)
        else:
            self.updates.append({**row, "key": row.pop("id"), "seen": before.version})
        self.delta.case(before, after)
        data = {**audit.changed_fields(before, after), **extra}
        self.audit.append({"at": self.now, "actor": self.actor, "action": action, "case_id": after.id, "data": data})
        return after

    def write(self, connection: sa.Connection) -> None:
        c = schema.cases
        if self.inserts:
            connection.execute(sa.insert(c), self.inserts)
        statement = sa.update(c).where(c.c.id == sa.bindparam("key"), c.c.version == sa.bindparam("seen"))
        if self.updates:
            result = connection.execute(
                statement.values(**{name: sa.bindparam(name) for name in _CASE_COLUMNS}), self.updates
            )
            if result.rowcount not in {-1, len(self.updates)}:
                raise StaleError("A case changed while it was being written. Nothing was kept; read it again.")
        audit.append(connection, self.audit)
        self.delta.apply(connection)


class Cases:
    """Writing cases, and reading one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- the route step ------------------------------------------------------------------------------------------------

    def route(self, limit: int, now: datetime, records_for: RecordsFor) -> RouteResult:
        """Place the oldest analysed mentions: cases, audit, counts and outbox rows in one transaction.

        `records_for` says what the CRMs should know of a case that opened, given the mention that opened it; it must not look
        anything up.
        """
        with self._database.write() as connection:
            if not self._database.is_sqlite:  # one router at a time: two words of one thread must meet
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(730152)"))
            items = _backlog(connection, limit)
            if not items:
                return RouteResult(0, 0)
            cases, threads, parents = _candidates(connection, items)
            planned = plan(items, cases, threads, parents, self._database.calendar)
            changes = _Changes(self._database, ROUTER, now)
            _write_plan(changes, planned)
            _write_placements(connection, planned.placements, changes.delta)
            changes.write(connection)
            openers = {rules.case_id_for(item.mention.id): item for item in items}
            opened = [(case, openers[key]) for key, case in planned.after.items() if planned.before[key] is None]
            persons = _person_infos(connection, [case for case, _ in opened])
            outbox.enqueue_records(connection, opened, persons, records_for, now)
        return RouteResult(len(items), len(opened))

    def wake_due(self, now: datetime) -> int:
        """Bring back the snoozed cases whose date has come; how many."""
        c = schema.cases
        query = sa.select(c).where(c.c.status == Status.SNOOZED.value, c.c.snoozed_until <= now).order_by(c.c.id)
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            changes = _Changes(self._database, ROUTER, now)
            for row in connection.execute(query).mappings().all():
                before = case_of(row)
                changes.change(before, rules.wake(before, now), "wake")
            changes.write(connection)
        return len(changes.updates)

    # -- acts of people ------------------------------------------------------------------------------------------------

    def act(
        self,
        case_id: CaseId,
        rule: Callable[[Case], Case],
        action: str,
        *,
        actor: str,
        now: datetime,
        seen_version: int | None = None,
    ) -> Case:
        """Apply one rule to one case.

        Args:
            seen_version: the version that the person looked at; None for acts that any state allows.

        Raises:
            StaleError: somebody changed the case since.
            RuleError: the act makes no sense now.
        """
        with self._database.write() as connection:
            before = _one(connection, case_id, self._database.is_sqlite)
            if seen_version is not None and before.version != seen_version:
                raise StaleError(
                    "Somebody changed this case a moment ago. Here is how it stands now; act again if needed."
                )
            after = rule(before)
            if after == before:
                return before
            changes = _Changes(self._database, actor, now)
            after = changes.change(before, after, action)
            changes.write(connection)
        return after

    def assign(
        self, case_id: CaseId, assignee: str | None, *, actor: str, now: datetime, seen_version: int | None = None
    ) -> Case:
        """Give to somebody, or back to the queue."""
        action = "assign" if assignee else "release"
        return self.act(
            case_id, lambda c: rules.assign(c, assignee), action, actor=actor, now=now, seen_version=seen_version
        )

    def transfer(self, case_id: CaseId, department: str, *, actor: str, now: datetime) -> Case:
        """Hand to another department; the counts of its messages move along."""
        calendar = self._database.calendar
        with self._database.write() as connection:
            before = _one(connection, case_id, self._database.is_sqlite)
            changes = _Changes(self._database, actor, now)
            after = rules.transfer(before, department, now, calendar)
            if after.department != before.department:
                after = changes.change(before, after, "transfer")
                _move_mentions(connection, changes.delta, schema.mentions.c.case_id == case_id, department=department)
                changes.write(connection)
        return after

    def snooze(
        self, case_id: CaseId, until: datetime, *, actor: str, now: datetime, seen_version: int | None = None
    ) -> Case:
        """Put aside until a date."""
        return self.act(
            case_id, lambda c: rules.snooze(c, until, now), "snooze", actor=actor, now=now, seen_version=seen_version
        )

    def resolve(self, case_id: CaseId, *, actor: str, now: datetime, seen_version: int | None = None) -> Case:
        """Close."""
        return self.act(
            case_id, lambda c: rules.resolve(c, now), "resolve", actor=actor, now=now, seen_version=seen_version
        )

    def reopen(self, case_id: CaseId, *, actor: str, now: datetime) -> Case:
        """Open again."""
        return self.act(case_id, rules.reopen, "reopen", actor=actor, now=now)

    def merge(self, source_id: CaseId, target_id: CaseId, *, actor: str, now: datetime) -> Case:
        """Move everything of one case into another; the target as it became."""
        m = schema.mentions
        with self._database.write() as connection:
            found = _read(connection, [source_id, target_id], lock=not self._database.is_sqlite)
            source, target = _need(found, source_id), _need(found, target_id)
            merged_source, merged_target = rules.merge(source, target)
            moved = list(connection.scalars(sa.select(m.c.id).where(m.c.case_id == source_id).order_by(m.c.id)))
            changes = _Changes(self._database, actor, now)
            _move_mentions(
                connection, changes.delta, m.c.case_id == source_id, case_id=target_id, department=target.department
            )
            was = _before_merge(source), _before_merge(target)
            changes.change(source, merged_source, "merged_into", target=target_id)
            result = changes.change(target, merged_target, "merge", source=source_id, moved=moved, was=was)
            changes.write(connection)
        return result

    def unmerge(self, source_id: CaseId, *, actor: str, now: datetime) -> Case:
        """Undo a merge: both cases as they were, with what was said since staying in the target."""
        m, a = schema.mentions, schema.audit
        with self._database.write() as connection:
            source = _one(connection, source_id, self._database.is_sqlite)
            if source.merged_into is None:
                raise RuleError("This case was not merged.")
            target = _one(connection, source.merged_into, self._database.is_sqlite)
            rows = connection.execute(
                sa.select(a.c.data).where(a.c.case_id == target.id, a.c.action == "merge").order_by(a.c.id.desc())
            ).scalars()
            record = next(data for data in rows if data["source"] == source_id)
            changes = _Changes(self._database, actor, now)
            for part in chunks(record["moved"]):
                _move_mentions(
                    connection, changes.delta, m.c.id.in_(part), case_id=source_id, department=source.department
                )
            was_source, was_target = record["was"]
            restored = replace(source, merged_into=None, **_restored(was_source))
            remaining = target.mention_count - restored.mention_count
            kept: dict[str, Any] = {"mention_count": remaining}
            if target.version == was_target["version"] + 1:  # nothing happened since: exactly as it was
                kept = {**_restored(was_target), "mention_count": remaining}
            changes.change(target, replace(target, **kept), "unmerge", source=source_id)
            result = changes.change(source, restored, "unmerged_from", target=target.id)
            changes.write(connection)
        return result

    def add_note(self, case_id: CaseId, text: str, *, actor: str, now: datetime) -> None:
        """An internal note; its text stays out of the audit."""
        with self._database.write() as connection:
            _one(connection, case_id, self._database.is_sqlite)
            connection.execute(
                sa.insert(schema.notes).values(case_id=case_id, author=actor, text=storable(text), at=now)
            )
            audit.append(connection, [{"at": now, "actor": actor, "action": "note", "case_id": case_id, "data": {}}])

    def reply(
        self, case_id: CaseId, mention_id: MentionId, text: str, *, source_key: str, key: str, actor: str, now: datetime
    ) -> None:
        """Ask the worker to send an answer: outbox row and audit row in one transaction; the same `key` asks once."""
        with self._database.write() as connection:
            _one(connection, case_id, self._database.is_sqlite)
            if outbox.enqueue_reply(connection, case_id, mention_id, storable(text), source_key, key, actor, now):
                row = {
                    "at": now,
                    "actor": actor,
                    "action": "reply",
                    "case_id": case_id,
                    "data": {"mention_id": mention_id},
                }
                audit.append(connection, [row])

    # -- reading one -----------------------------------------------------------------------------------------------------

    def get(self, case_id: CaseId) -> Case | None:
        """One case."""
        with self._database.read() as connection:
            return _read(connection, [case_id]).get(case_id)

    def notes(self, case_id: CaseId) -> list[Note]:
        """Internal notes, oldest first."""
        n = schema.notes
        query = sa.select(n.c.author, n.c.text, n.c.at).where(n.c.case_id == case_id).order_by(n.c.id)
        with self._database.read() as connection:
            return [Note(*row) for row in connection.execute(query)]

    def count(self) -> int:
        """How many cases there are, merged ones aside."""
        c = schema.cases
        with self._database.read() as connection:
            return connection.scalar(sa.select(sa.func.count()).where(c.c.status != Status.MERGED.value)) or 0


def _need(found: Mapping[CaseId, Case], case_id: CaseId) -> Case:
    if case_id not in found:
        raise RuleError(f"There is no case {case_id}.")
    return found[case_id]


def _one(connection: sa.Connection, case_id: CaseId, is_sqlite: bool) -> Case:
    c = schema.cases
    query = sa.select(c).where(c.c.id == case_id)
    row = connection.execute(query if is_sqlite else query.with_for_update()).mappings().one_or_none()
    if row is None:
        raise RuleError(f"There is no case {case_id}.")
    return case_of(row)


_RESTORABLE = (
    "status", "mention_count", "opened_at", "last_inbound_at", "waiting_since", "first_reply_at", "last_reply_at",
    "priority", "urgency", "snoozed_until",
)  # fmt: skip


def _before_merge(case: Case) -> dict[str, Any]:
    values: dict[str, Any] = {"version": case.version}
    for name in _RESTORABLE:
        value = getattr(case, name)
        values[name] = value.isoformat() if isinstance(value, datetime) else value
    return values


def _restored(was: Mapping[str, Any]) -> dict[str, Any]:
    values = {name: was[name] for name in _RESTORABLE}
    for name, value in values.items():
        if name.endswith(("_at", "_since", "_until")) and value is not None:
            values[name] = datetime.fromisoformat(value)
    return {**values, "status": Status(values["status"]), "priority": rules.Priority(values["priority"])}


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
    found = _read(connection, sorted(wanted_cases), lock=connection.dialect.name != "sqlite")
    return list(found.values()), threads, parents


def _write_plan(changes: _Changes, planned: RoutePlan) -> None:
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


def _move_mentions(connection: sa.Connection, delta: Delta, which: sa.ColumnElement[bool], **values: str) -> None:
    m = schema.mentions
    for row in connection.execute(sa.select(m).where(which)).mappings():
        delta.mention(row, {**row, **values})
    connection.execute(sa.update(m).where(which).values(**values))


def _person_infos(connection: sa.Connection, cases: Sequence[Case]) -> dict[PersonId, PersonInfo]:
    p = schema.persons
    columns = [p.c[name] for name in ("id", "name", "email", "phone", "customer_ref", "lang")]
    found: dict[PersonId, PersonInfo] = {}
    for part in chunks(sorted({case.person_id for case in cases if case.person_id})):
        for row in connection.execute(sa.select(*columns).where(p.c.id.in_(part))).mappings():
            found[PersonId(row["id"])] = PersonInfo(**row)
    return found
