"""What a label changes besides itself: its mention, the counts, the case and its deadlines, the audit.

`Relabelling` takes hold of mentions and their cases, and after labels were written or taken back in the same transaction
brings everything in line with what counts now. Which analysis counts is told by `store.corrections`, what a case makes of
it by `domain.routing.retag`; the labels themselves are in `store.labels`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.case import Case, CaseId
from domain.errors import StaleError
from domain.label import Label
from domain.routing import RouteItem, retag
from domain.taxonomy import department_of
from store import corrections, people, schema
from store.changes import Changes, move_mentions, read_cases
from store.corrections import printable
from store.engine import Database, chunks
from store.routing import ROUTER_LOCK
from store.rows import analysis_of, analysis_row, mention_of

_COLUMNS = [column for column in schema.mentions.c if column.name not in {"raw", "folded"}]


class Relabelling:
    """Mentions and their cases, kept from other writers until the transaction ends.

    Attributes:
        rows: the mentions that are there, as they stand.
        spoken: what the models themselves said of them.

    Raises:
        StaleError: one of the mentions changed its case at this very moment.
    """

    def __init__(self, database: Database, connection: sa.Connection, mention_ids: Sequence[str]) -> None:
        self._database, self._connection = database, connection
        self.rows, self._cases = self._hold(list(mention_ids))
        self.spoken = corrections.spoken(connection, {row["id"]: row["model"] for row in self.rows})

    def _hold(self, mention_ids: list[str]) -> tuple[list[sa.RowMapping], dict[CaseId, Case]]:
        # Cases come before mentions, as for every writer of both. A mention that is not placed yet belongs to the router,
        # who has a lock of its own and takes it before both.
        m, connection = schema.mentions, self._connection
        lock = not self._database.is_sqlite
        where = sa.select(m.c.id, m.c.case_id, m.c.step).where(m.c.id.in_(mention_ids))
        seen = connection.execute(where).all()
        if lock and any(row.step != "done" for row in seen):
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(ROUTER_LOCK)))
            seen = connection.execute(where).all()
        placed = {row.id: row.case_id for row in seen}
        cases = read_cases(connection, sorted({case_id for case_id in placed.values() if case_id}), lock=lock)
        query = sa.select(*_COLUMNS).where(m.c.id.in_(mention_ids)).order_by(m.c.id)
        rows = list(connection.execute(query.with_for_update() if lock else query).mappings())
        if any(row["case_id"] != placed.get(row["id"]) for row in rows):
            raise StaleError("The message went to another conversation a moment ago. Nothing was kept; try again.")
        return rows, cases

    def write(self, action: str, labels: Sequence[Label], *, by: str, at: datetime, keeps_case: bool = True) -> None:
        """Bring everything in line with the labels as they stand now; `labels` are those that were given or taken back."""
        connection, changes = self._connection, Changes(self._database, by, at)
        told = corrections.effective(connection, self.spoken)
        counting = {key: one.analysis for key, one in told.items()}
        before = {case_id: _said_in(connection, case_id) for case_id in self._cases}
        for row in self.rows:
            if row["id"] in counting:
                _change_mention(connection, changes, row, counting[row["id"]])
        corrections.keep(connection, told)
        case_of = {row["id"]: row["case_id"] for row in self.rows}
        for case_id in sorted({case_of.get(label.mention_id) for label in labels}, key=str):
            said = _audit_data([label for label in labels if case_of.get(label.mention_id) == case_id])
            if case_id is None:
                changes.note(None, action, said)
                continue
            items = before[case_id]
            after = [replace(i, analysis=counting.get(i.mention.id, i.analysis)) for i in items]
            self._follow(changes, self._cases[case_id], (items, after), action, said, by if keeps_case else None)
        changes.write(connection)

    def say_again(self, analyses: Mapping[str, Analysis], *, by: str, at: datetime) -> None:
        """Put new analyses of mentions whose words changed in place of the old ones; their cases follow.

        What persons said of the old words goes on counting until they say something else.
        """
        connection, changes, a = self._connection, Changes(self._database, by, at), schema.analyses
        rows = [row for row in self.rows if row["id"] in analyses]
        told = corrections.effective(connection, analyses)
        ids_of: dict[CaseId, list[str]] = {}
        for row in rows:
            if row["case_id"] is not None:
                ids_of.setdefault(row["case_id"], []).append(row["id"])
        before = {case_id: _said_in(connection, case_id) for case_id in ids_of}
        for part in chunks(sorted(analyses)):
            connection.execute(sa.delete(a).where(a.c.mention_id.in_(part)))
        if rows:
            connection.execute(sa.insert(a), [analysis_row(analyses[row["id"]], at) for row in rows])
        corrections.keep(connection, told)
        for row in rows:
            _change_mention(connection, changes, row, told[row["id"]].analysis, step="done")
        for case_id, mention_ids in sorted(ids_of.items()):
            items = before[case_id]
            after = [replace(i, analysis=told[i.mention.id].analysis) if i.mention.id in told else i for i in items]
            said = {"mention_ids": sorted(mention_ids)}
            self._follow(changes, self._cases[case_id], (items, after), "mention_edited", said, None)
        changes.write(connection)

    def _follow(
        self,
        changes: Changes,
        case: Case,
        items: tuple[list[RouteItem], list[RouteItem]],
        action: str,
        said: dict[str, Any],
        keeper: str | None,
    ) -> None:
        history = _history(self._connection, case.id)
        after = retag(case, *items, self._database.calendar, department_chosen=_was_transferred(history))
        if after.department != case.department:
            if case.active:
                after = replace(after, assignee=_holder(case, after, history, said.get("labels", ()), keeper))
            which = schema.mentions.c.case_id == case.id
            move_mentions(self._connection, changes.delta, which, department=after.department)
        if after == case:  # nobody's view of it grows old by an answer that changes nothing
            changes.note(case.id, action, said)
        else:
            changes.change(case, after, action, **said)


def _audit_data(labels: Sequence[Label]) -> dict[str, Any]:
    return {
        "labels": [label.id for label in labels],
        "mention_ids": sorted({label.mention_id for label in labels}),
        "answers": {label.field.value: printable(label.value) for label in labels},
    }


def _change_mention(
    connection: sa.Connection, changes: Changes, row: sa.RowMapping, analysis: Analysis, **more: str
) -> None:
    m = schema.mentions
    values = corrections.columns_of(analysis) | more
    if row["case_id"] is None and row["step"] == "done":  # in a case, the department is the case's
        values["department"] = department_of(analysis.intent.value, analysis.aspects, analysis.urgency)
    changes.delta.mention(row, {**row, **values})
    connection.execute(sa.update(m).where(m.c.id == row["id"]).values(**values))


def _said_in(connection: sa.Connection, case_id: CaseId) -> list[RouteItem]:
    m, a = schema.mentions, schema.analyses
    rows = list(connection.execute(sa.select(*_COLUMNS).where(m.c.case_id == case_id)).mappings())
    query = sa.select(a).join(m, sa.and_(m.c.id == a.c.mention_id, m.c.model == a.c.model))
    found = connection.execute(query.where(m.c.case_id == case_id)).mappings()
    analyses = {row["mention_id"]: analysis_of(row) for row in found}
    authors = people.authors_of(connection, [row["account_id"] for row in rows])
    return [RouteItem(mention_of(row, authors.get(row["account_id"])), analyses.get(row["id"]), None) for row in rows]


def _history(connection: sa.Connection, case_id: CaseId) -> list[tuple[str, dict[str, Any]]]:
    a = schema.audit
    rows = connection.execute(sa.select(a.c.action, a.c.data).where(a.c.case_id == case_id).order_by(a.c.id))
    return [(action, data) for action, data in rows]


def _was_transferred(history: Sequence[tuple[str, dict[str, Any]]]) -> bool:
    # A transfer that was taken back leaves the case where its tags had put it.
    moves = [data["department"] for action, data in history if action == "transfer" and "department" in data]
    return bool(moves) and moves[0][0] != moves[-1][1]


def _holder(
    before: Case,
    after: Case,
    history: Sequence[tuple[str, dict[str, Any]]],
    labels: Sequence[int],
    keeper: str | None,
) -> str | None:
    # Who holds a case that changes its department: whoever answered, if they did and go on; else nobody, as after a
    # transfer. Where this takes back the very move that one of these labels made, it is in the hands that it was in.
    move = {"department": [after.department, before.department]}
    for action, data in reversed(history):
        if action == "label" and set(data["labels"]) & set(labels) and data.items() >= move.items():
            holder: str | None = data["assignee"][0] if "assignee" in data else before.assignee
            return holder
        if "assignee" in data:  # it has changed hands since
            break
    return before.assignee if before.assignee == keeper else None
