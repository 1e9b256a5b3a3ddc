"""Cases: routing writes them, people change them, each change with its audit row and counts in one transaction.

Every act of a person goes through `act`: read the case, check that nobody changed it since it was seen, apply a rule of
`domain.case`, write. To add an act, add a rule there and a line here. Lists for screens are in `store.queue`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain import case as rules
from domain.case import Case, CaseId, RuleError, Status
from domain.contracts import Act
from domain.errors import StaleError
from domain.mention import MentionId
from store import audit, routing, schema, wishes
from store.changes import Changes, move_mentions, one_case, read_cases
from store.engine import Database, chunks
from store.routing import ROUTER, RecordsFor, RouteResult
from store.rows import case_of, storable


@dataclass(frozen=True, slots=True)
class Note:
    """An internal note on a case: never leaves."""

    author: str
    text: str
    at: datetime


class Cases:
    """Writing cases, and reading one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- the steps of the worker ---------------------------------------------------------------------------------------

    def route(self, limit: int, now: datetime, records_for: RecordsFor) -> RouteResult:
        """Place the oldest analysed mentions; see `store.routing.route`."""
        return routing.route(self._database, limit, now, records_for)

    def wake_due(self, now: datetime) -> int:
        """Bring back the snoozed cases whose date has come; how many."""
        c = schema.cases
        query = sa.select(c).where(c.c.status == Status.SNOOZED.value, c.c.snoozed_until <= now).order_by(c.c.id)
        with self._database.read() as connection:
            if connection.execute(query.limit(1)).first() is None:
                return 0
        with self._database.write() as connection:
            changes = Changes(self._database, ROUTER, now)
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
            before = one_case(connection, case_id, self._database.is_sqlite)
            if seen_version is not None and before.version != seen_version:
                raise StaleError(
                    "Somebody changed this case a moment ago. Here is how it stands now; act again if needed."
                )
            after = rule(before)
            if after == before:
                return before
            changes = Changes(self._database, actor, now)
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
            before = one_case(connection, case_id, self._database.is_sqlite)
            changes = Changes(self._database, actor, now)
            after = rules.transfer(before, department, now, calendar)
            if after.department != before.department:
                after = changes.change(before, after, "transfer")
                move_mentions(connection, changes.delta, schema.mentions.c.case_id == case_id, department=department)
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
            found = read_cases(connection, [source_id, target_id], lock=not self._database.is_sqlite)
            source, target = _need(found, source_id), _need(found, target_id)
            merged_source, merged_target = rules.merge(source, target)
            moved = list(connection.scalars(sa.select(m.c.id).where(m.c.case_id == source_id).order_by(m.c.id)))
            changes = Changes(self._database, actor, now)
            move_mentions(
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
            source = one_case(connection, source_id, self._database.is_sqlite)
            if source.merged_into is None:
                raise RuleError("This case was not merged.")
            target = one_case(connection, source.merged_into, self._database.is_sqlite)
            rows = connection.execute(
                sa.select(a.c.data).where(a.c.case_id == target.id, a.c.action == "merge").order_by(a.c.id.desc())
            ).scalars()
            record = next(data for data in rows if data["source"] == source_id)
            changes = Changes(self._database, actor, now)
            for part in chunks(record["moved"]):
                move_mentions(
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
            one_case(connection, case_id, self._database.is_sqlite)
            connection.execute(
                sa.insert(schema.notes).values(case_id=case_id, author=actor, text=storable(text), at=now)
            )
            audit.append(connection, [{"at": now, "actor": actor, "action": "note", "case_id": case_id, "data": {}}])

    def reply(
        self,
        case_id: CaseId,
        mention_id: MentionId,
        text: str,
        *,
        source_key: str,
        key: str,
        actor: str,
        now: datetime,
        private: bool = False,
    ) -> None:
        """Ask the worker to send an answer: outbox row and audit row in one transaction; the same `key` asks once."""
        with self._database.write() as connection:
            one_case(connection, case_id, self._database.is_sqlite)
            text = storable(text)
            if wishes.enqueue_reply(
                connection, case_id, mention_id, text, source_key, key, actor, now, private=private
            ):
                action = "reply_private" if private else "reply"
                data = {"mention_id": mention_id}
                audit.append(
                    connection, [{"at": now, "actor": actor, "action": action, "case_id": case_id, "data": data}]
                )

    def moderate(
        self,
        case_id: CaseId,
        mention_id: MentionId,
        act: Act,
        *,
        source_key: str,
        key: str,
        actor: str,
        now: datetime,
        due_at: datetime | None = None,
    ) -> str | None:
        """Ask the worker for an act on a message; its key, or None where the same act waits already.

        Args:
            due_at: it leaves then; until then it can be taken back (`Moderation.withdraw`).
        """
        with self._database.write() as connection:
            one_case(connection, case_id, self._database.is_sqlite)
            asked = wishes.enqueue_act(
                connection, case_id, mention_id, act, source_key, key, actor, now, due_at if due_at is not None else now
            )
            if asked is not None:
                data = {"mention_id": mention_id}
                row = {"at": now, "actor": actor, "action": act.value, "case_id": case_id, "data": data}
                audit.append(connection, [row])
        return asked

    # -- reading one -----------------------------------------------------------------------------------------------------

    def get(self, case_id: CaseId) -> Case | None:
        """One case."""
        with self._database.read() as connection:
            return read_cases(connection, [case_id]).get(case_id)

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
