"""What the quality page reads: what people say of what models said, desk corrections, the models themselves.

Reads only. The few labels are read one by one, the rest is counted in SQL. Labels are written in `labels.py`; windows of
what came in are in `windows.py`, the arithmetic in `domain/quality.py` and `domain/drift.py`.
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from domain.analysis import Sentiment
from domain.case import CaseId
from domain.drift import Window
from domain.label import Field, Origin
from domain.mention import MentionId
from domain.quality import Pair, Tags, tags_of
from store import schema, windows
from store.corrections import PERSON, is_signed
from store.engine import Database, chunks


@dataclass(frozen=True, slots=True)
class Reviews:
    """Answers of people to one question, on drawn messages.

    Attributes:
        pairs: one for each message: what the model had said before anybody answered, so that it cannot have learnt it, and
            what most people say (the first of them in a tie).
        doubles: answers of the first two people, for messages that two have read.
    """

    pairs: list[Pair]
    doubles: list[tuple[Tags, Tags]]


@dataclass(frozen=True, slots=True)
class Correction:
    """How often the desk said `value` where the model had said `was`; the same where it agreed."""

    field: Field
    was: Tags
    value: Tags
    count: int


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A message behind a figure."""

    mention_id: MentionId
    case_id: CaseId | None
    network: str
    person_name: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Spoken:
    """A model that has spoken here, or was registered. `report` is what its maker measured, unread."""

    model: str
    analysis_count: int
    base: str | None = None
    created_at: datetime | None = None
    in_use: bool = False
    report: Any = None


class Quality:
    """Reading what quality is made of."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- people ------------------------------------------------------------------------------------------------------------

    def reviews(self, field: Field) -> Reviews:
        """What people said of one question on the labelling page. Of one person, the last answer counts."""
        lab, m, a = schema.labels.c, schema.mentions.c, schema.analyses.c
        columns = [lab.mention_id, lab.value, lab.was, lab.model, lab.by, m.lang, m.network, m.day]
        columns += [a.intent, a.intent_p, a.p_negative, a.p_neutral, a.p_positive, a.uncertain]
        query = (
            sa.select(*columns)
            .join(schema.mentions, m.id == lab.mention_id)
            .outerjoin(schema.analyses, sa.and_(a.mention_id == lab.mention_id, a.model == lab.model))
            .where(lab.field == field.value, lab.origin == Origin.LABELLING.value, lab.retracted_at.is_(None))
            .order_by(lab.mention_id, lab.at, lab.id)
        )
        first: dict[str, sa.RowMapping] = {}
        answers: dict[str, dict[str, Tags]] = {}
        with self._database.read() as connection:
            for row in connection.execute(query).mappings():
                first.setdefault(row["mention_id"], row)
                # a person keeps the place of her first answer and the value of her last
                answers.setdefault(row["mention_id"], {})[row["by"]] = tags_of(field, row["value"])
        told = {key: list(by_person.values()) for key, by_person in answers.items()}
        pairs = [_pair(field, row, Counter(told[key]).most_common(1)[0][0]) for key, row in first.items()]
        return Reviews(
            [p for p in pairs if p is not None], [(said[0], said[1]) for said in told.values() if len(said) > 1]
        )

    def corrections(self, since: datetime) -> list[Correction]:
        """What the desk said of tags since then, most often first; confirmations among them."""
        lab = schema.labels.c
        was, value, count = sa.cast(lab.was, sa.Text), sa.cast(lab.value, sa.Text), sa.func.count()
        query = (
            sa.select(lab.field, was, value, count)
            .where(*_of_desk(since), lab.was.is_not(None))
            .group_by(lab.field, was, value)
            .order_by(count.desc(), lab.field, was, value)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        found = []
        for name, before, after, total in rows:
            field = Field(name)
            found.append(
                Correction(field, tags_of(field, json.loads(before)), tags_of(field, json.loads(after)), total)
            )
        return found

    def corrected(self, correction: Correction, since: datetime) -> list[MentionId]:
        """The messages behind a correction, newest first."""
        lab = schema.labels.c
        query = (
            sa.select(lab.mention_id, lab.was, lab.value)
            .where(*_of_desk(since), lab.field == correction.field.value, lab.was.is_not(None))
            .order_by(lab.at.desc(), lab.id.desc())
        )
        wanted = (correction.was, correction.value)
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        seen = (
            mention_id
            for mention_id, was, value in rows
            if (tags_of(correction.field, was), tags_of(correction.field, value)) == wanted
        )
        return [MentionId(mention_id) for mention_id in dict.fromkeys(seen)]

    def messages(
        self, ids: Iterable[MentionId], departments: Sequence[str] = (), *, limit: int, offset: int = 0
    ) -> tuple[int, list[Reviewed]]:
        """(how many there are, a page of them) of these messages, newest first.

        Args:
            departments: those whose messages may be shown; none named means all.
        """
        m, acc, p = schema.mentions.c, schema.accounts.c, schema.persons.c
        own = [m.department.in_(departments)] if departments else []
        details = (
            sa.select(m.id, m.case_id, m.network, sa.func.coalesce(p.name, acc.name, ""), m.text, m.created_at)
            .outerjoin(schema.accounts, acc.id == m.account_id)
            .outerjoin(schema.persons, p.id == acc.person_id)
        )
        places: list[tuple[datetime, str]] = []
        with self._database.read() as connection:
            for part in chunks(sorted(set(ids))):
                rows = connection.execute(sa.select(m.created_at, m.id).where(m.id.in_(part), *own))
                places += [(at, mention_id) for at, mention_id in rows]
            shown = [mention_id for _, mention_id in sorted(places, reverse=True)[offset : offset + limit]]
            found = {row[0]: Reviewed(*row) for row in connection.execute(details.where(m.id.in_(shown)))}
        return len(places), [found[MentionId(mention_id)] for mention_id in shown]

    # -- models ------------------------------------------------------------------------------------------------------------

    def models(self) -> list[Spoken]:
        """Every model that has spoken or was registered, the one that speaks now first, then by how much they said."""
        a, mo = schema.analyses.c, schema.models.c
        with self._database.read() as connection:
            spoken = sa.select(a.model, sa.func.count()).group_by(a.model)
            counts = {model: int(count) for model, count in connection.execute(spoken) if not is_signed(model)}
            registered = sa.select(mo.model, mo.base, mo.created_at, mo.in_use, mo.report)
            known = {row.model: row for row in connection.execute(registered)}
            current = next((name for name, row in known.items() if row.in_use), "") or _last(connection)
        rows = [
            Spoken(row.model, counts.get(row.model, 0), *row[1:3], name == current, row.report)
            for name, row in known.items()
        ]
        rows += [Spoken(name, count, in_use=name == current) for name, count in counts.items() if name not in known]
        return sorted(rows, key=lambda row: (not row.in_use, -row.analysis_count, row.model))

    # -- what came in ------------------------------------------------------------------------------------------------------

    def unsure(self, since: date, until: date) -> tuple[int, int]:
        """(messages that the model asks a person to look at and nobody has, all messages) of these days."""
        with self._database.read() as connection:
            return windows.unsure(connection, since, until)

    def windows(self, today: date, model: str) -> tuple[Window, Window]:
        """(reference, recent): what came in before, and in the last 28 days; see `windows.both`."""
        with self._database.read() as connection:
            return windows.both(connection, today, model)


def _of_desk(since: datetime) -> list[sa.ColumnElement[bool]]:
    lab = schema.labels.c
    return [lab.origin == Origin.DESK.value, lab.retracted_at.is_(None), lab.at >= since]


def _pair(field: Field, row: sa.RowMapping, right: Tags) -> Pair | None:
    # None where the model had said nothing: there is nothing to compare.
    if row["was"] is None:
        return None
    said = tags_of(field, row["was"])
    return Pair(
        row["mention_id"],
        said,
        right,
        _probability(field, row, said),
        bool(row["uncertain"]),
        row["lang"] or "und",
        row["network"],
        row["day"][:7],
        row["model"],
    )


def _probability(field: Field, row: sa.RowMapping, said: Tags) -> float | None:
    if field is Field.INTENT:
        return row["intent_p"] if row["intent"] == said[0] else None
    if field is Field.SENTIMENT and said[0] in set(Sentiment):
        p: float | None = row[f"p_{said[0]}"]
        return p
    return None


def _last(connection: sa.Connection) -> str:
    # Whoever spoke last of the newest message.
    m = schema.mentions.c
    query = sa.select(m.model).where(m.model != "").order_by(m.created_at.desc(), m.id).limit(1)
    return (connection.scalar(query) or "").removeprefix(f"{PERSON}@")
