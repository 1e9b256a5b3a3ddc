"""Labels: what persons say of mentions, each made effective in the transaction that keeps it.

`put` and `retract` write the label, the corrected analysis (`store.corrections`), the mention, its counts, its case and one
audit row, or nothing. A label is never changed: another answer is another label, and of those not retracted the latest to a
question counts. A mention without a case gets none by a label; it follows in the counts alone.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis
from domain.case import RuleError
from domain.label import Field, Label, LabelValue, Origin, checked, tag_of
from domain.mention import MentionId
from store import corrections, schema
from store.corrections import answer_of, printable
from store.engine import Database, chunks
from store.relabel import Relabelling
from store.rows import storable

LABEL, LABEL_RETRACTED = "label", "label_retracted"  # in the audit


class Labels:
    """Writing and reading labels."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        mention_id: MentionId,
        answers: Mapping[Field, LabelValue],
        *,
        by: str,
        at: datetime,
        origin: Origin,
        keeps_case: bool = True,
    ) -> list[Label]:
        """Keep one person's answers about one mention and let them count from now on.

        An answer that equals the model's is kept like any other: a confirmation is worth as much.

        Args:
            keeps_case: where the answers move the case to another department, the person goes on holding it if they did.
                Anybody else who held it does not: they may not see it there.

        Raises:
            RuleError: there is no such mention, or a value answers another question.
            StaleError: the mention changed its case at this very moment.
        """
        given = {Field(field): checked(Field(field), value) for field, value in answers.items()}
        if not given:
            raise RuleError("There is no answer in it. Nothing was kept.")
        with self._database.write() as connection:
            held = Relabelling(self._database, connection, [mention_id])
            if not held.rows:
                raise RuleError("This message is not here any more. Nothing was kept.")
            spoken = held.spoken.get(mention_id)
            kept = [
                _insert(connection, mention_id, field, value, spoken, storable(by), origin, at)
                for field, value in given.items()
            ]
            held.write(LABEL, kept, by=by, at=at, keeps_case=keeps_case)
        return kept

    def retract(self, label_ids: Sequence[int], *, by: str, at: datetime) -> int:
        """Take labels back; what counted before counts again. How many were not taken back already.

        Raises:
            StaleError: one of the mentions changed its case at this very moment.
        """
        la = schema.labels
        wanted = sa.select(la).where(la.c.id.in_(list(label_ids)), la.c.retracted_at.is_(None)).order_by(la.c.id)
        with self._database.write() as connection:
            mention_ids = {row["mention_id"] for row in connection.execute(wanted).mappings()}
            held = Relabelling(self._database, connection, sorted(mention_ids))
            gone = [_label(row) for row in connection.execute(wanted).mappings()]  # as they are now that we hold them
            ids = [label.id for label in gone]
            if ids:
                connection.execute(sa.update(la).where(la.c.id.in_(ids)).values(retracted_at=at))
                held.write(LABEL_RETRACTED, gone, by=by, at=at)
        return len(gone)

    # -- reading ---------------------------------------------------------------------------------------------------------

    def of(self, mention_ids: Sequence[MentionId]) -> list[Label]:
        """The standing labels of these mentions, oldest first: one a person and question, their latest."""
        la = schema.labels
        found: list[Label] = []
        with self._database.read() as connection:
            for part in chunks(list(mention_ids)):
                query = sa.select(la).where(_stands(la), la.c.mention_id.in_(part))
                found += [_label(row) for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda label: label.id)

    def all(self, *, since: datetime | None = None, origin: Origin | None = None) -> Iterator[Label]:
        """All standing labels, oldest first, streamed: one a person, mention and question, their latest."""
        la = schema.labels
        query = sa.select(la).where(_stands(la)).order_by(la.c.id)
        if since is not None:
            query = query.where(la.c.at >= since)
        if origin is not None:
            query = query.where(la.c.origin == origin.value)
        with self._database.read() as connection:
            for row in connection.execute(query, execution_options={"yield_per": 1000}).mappings():
                yield _label(row)

    def counts(self, *, origin: Origin | None = None) -> dict[Field, int]:
        """How many standing labels there are to each question; questions without any are left out."""
        la = schema.labels
        query = sa.select(la.c.field, sa.func.count()).where(_stands(la)).group_by(la.c.field)
        if origin is not None:
            query = query.where(la.c.origin == origin.value)
        with self._database.read() as connection:
            found = {row[0]: int(row[1]) for row in connection.execute(query)}
        return {field: found[field.value] for field in Field if field.value in found}

    def model_answers(self, mention_ids: Sequence[MentionId]) -> dict[MentionId, Analysis]:
        """What the model alone says of these mentions, whatever persons answered since; None are left out."""
        m = schema.mentions
        models: dict[str, str] = {}
        with self._database.read() as connection:
            for part in chunks(list(mention_ids)):
                models |= dict(connection.execute(sa.select(m.c.id, m.c.model).where(m.c.id.in_(part))).all())
            found = corrections.spoken(connection, models)
        return {MentionId(key): analysis for key, analysis in found.items()}


def _stands(la: sa.Table) -> sa.ColumnElement[bool]:
    # Not retracted, and the same person has not answered the same question again since.
    later = la.alias("later")
    again = sa.select(later.c.id).where(
        later.c.mention_id == la.c.mention_id,
        later.c.field == la.c.field,
        later.c.by == la.c.by,
        later.c.retracted_at.is_(None),
        sa.or_(later.c.at > la.c.at, sa.and_(later.c.at == la.c.at, later.c.id > la.c.id)),
    )
    return sa.and_(la.c.retracted_at.is_(None), ~again.exists())


def _label(row: Mapping[Any, Any]) -> Label:
    return Label(
        id=row["id"],
        mention_id=MentionId(row["mention_id"]),
        field=Field(row["field"]),
        value=answer_of(row["value"]),
        was=answer_of(row["was"]) if row["was"] is not None else None,
        model=row["model"],
        by=row["by"],
        origin=Origin(row["origin"]),
        at=row["at"],
        retracted_at=row["retracted_at"],
    )


def _insert(
    connection: sa.Connection,
    mention_id: MentionId,
    field: Field,
    value: LabelValue,
    spoken: Analysis | None,
    by: str,
    origin: Origin,
    at: datetime,
) -> Label:
    was = tag_of(spoken, field) if spoken is not None else None
    model = str(spoken.model) if spoken is not None else ""
    row = {
        "mention_id": mention_id,
        "field": field.value,
        "value": printable(value),
        "was": None if was is None else printable(was),
        "model": model,
        "by": by,
        "origin": origin.value,
        "at": at,
    }
    written = connection.execute(sa.insert(schema.labels).values(**row)).inserted_primary_key
    return Label(written[0] if written else 0, mention_id, field, value, was, model, by, origin, at)
