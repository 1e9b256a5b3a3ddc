"""What persons' answers make of an analysis: the row of `analyses` that counts where a label stands.

Such a row is signed `person@<model that spoke>` and is derived: it holds the model's answer with the standing answers in it
and is made anew whenever one of the two changes, so that taking a label back leaves no trace. The labels themselves are in
`store.labels`; to make a new question correctable, add it to `domain.label.Field` and, where it is no plain attribute, to
`corrected`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from domain.analysis import Analysis, ModelRef, Scored, Sentiment
from domain.label import Field, LabelValue
from store import schema
from store.engine import chunks
from store.rows import analysis_of, analysis_row

PERSON = "person"
_SIGNATURE_LIMIT = 80  # characters of `analyses.model`

Answers = Mapping[Field, LabelValue]


@dataclass(frozen=True, slots=True)
class Standing:
    """The answers that count for one mention, one a question, and when the last of them was given."""

    answers: Answers
    at: datetime


@dataclass(frozen=True, slots=True)
class Effective:
    """What counts for one mention; `at`: when a person last spoke, None where it is the model's own answer."""

    analysis: Analysis
    at: datetime | None = None


def signed(model: str) -> str:
    """How a corrected analysis of this model is signed."""
    return f"{PERSON}@{model}"[:_SIGNATURE_LIMIT]


def is_signed(model: str) -> bool:
    """True for the signature of a corrected analysis."""
    return model.startswith(f"{PERSON}@")


def corrected(analysis: Analysis, answers: Answers) -> Analysis:
    """The model's answer with the persons' in it; they are sure, and somebody has looked: nothing is uncertain any more."""
    values: dict[str, Any] = {field.value: value for field, value in answers.items()}
    sentiment = values.pop(Field.SENTIMENT.value, None)
    if sentiment is not None:
        values |= {f"p_{key.value}": float(key == sentiment) for key in Sentiment}
    if Field.INTENT.value in values:
        values["intent"] = Scored(values["intent"], 1.0)
    name, _, version = signed(str(analysis.model)).partition("@")
    told = replace(analysis, model=ModelRef(name, version), uncertain=False, **values)
    return replace(told, secondary=tuple(key for key in told.secondary if key != told.intent.value))


def answer_of(stored: Any) -> LabelValue:
    """A value as it was before JSON made lists of tuples."""
    value: LabelValue = tuple(stored) if isinstance(stored, list) else stored
    return value


def printable(value: LabelValue) -> Any:
    """A value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def standing(connection: sa.Connection, mention_ids: Iterable[str]) -> dict[str, Standing]:
    """The answers that count: of those not retracted, the latest to each question, whoever gave it."""
    la = schema.labels
    found: dict[str, Standing] = {}
    for part in chunks(sorted(set(mention_ids))):
        query = sa.select(la.c.mention_id, la.c.field, la.c.value, la.c.at)
        query = query.where(la.c.mention_id.in_(part), la.c.retracted_at.is_(None)).order_by(la.c.at, la.c.id)
        for mention_id, field, value, at in connection.execute(query):
            known = found.get(mention_id)
            answers = {**(known.answers if known else {}), Field(field): answer_of(value)}
            found[mention_id] = Standing(answers, at)
    return found


def spoken(connection: sa.Connection, models: Mapping[str, str]) -> dict[str, Analysis]:
    """What the models themselves said of mentions, given `mention id -> model of the analysis that counts now`."""
    a = schema.analyses
    best: dict[str, tuple[datetime, Analysis]] = {}
    for part in chunks(sorted(models)):
        for row in connection.execute(sa.select(a).where(a.c.mention_id.in_(part))).mappings():
            key, model = row["mention_id"], row["model"]
            if is_signed(model) or models[key] not in {model, signed(model)}:
                continue
            if key not in best or row["at"] > best[key][0]:  # two long names may share a signature: the newer one
                best[key] = (row["at"], analysis_of(row))
    return {key: analysis for key, (_, analysis) in best.items()}


def effective(connection: sa.Connection, analyses: Mapping[str, Analysis]) -> dict[str, Effective]:
    """What counts, given what the models said."""
    answers = standing(connection, analyses)
    return {
        key: Effective(corrected(analysis, answers[key].answers), answers[key].at)
        if key in answers
        else Effective(analysis)
        for key, analysis in analyses.items()
    }


def keep(connection: sa.Connection, found: Mapping[str, Effective]) -> None:
    """Write the corrected rows of these mentions, and take away those that no longer count."""
    a = schema.analyses
    for part in chunks(sorted(found)):
        connection.execute(sa.delete(a).where(a.c.mention_id.in_(part), a.c.model.startswith(f"{PERSON}@")))
    rows = [analysis_row(one.analysis, one.at) for one in found.values() if one.at is not None]
    if rows:
        connection.execute(sa.insert(a), rows)


def columns_of(analysis: Analysis) -> dict[str, Any]:
    """What a mention's own row repeats of the analysis that counts."""
    return {
        "intent": analysis.intent.value,
        "sentiment": analysis.sentiment.value.value,
        "lang": analysis.lang,
        "uncertain": analysis.uncertain,
        "urgency": analysis.urgency,
        "model": str(analysis.model),
    }
