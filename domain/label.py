"""What a person says of a mention: Label, one answer to one question, given on the desk or on the labelling page.

A label never overwrites an analysis: it is a row of its own, can be retracted, and remembers what the model had said. The
questions are the tags of an analysis (`Field`); `checked` is the one place that says which answers they take.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.analysis import Analysis, Sentiment
from domain.case import RuleError
from domain.mention import MentionId
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY

LabelValue = str | int | bool | tuple[str, ...]
URGENCIES = (0, 1, 2, 3)
MAX_SECONDARY = 2
MAX_ASPECTS = 3


class Field(StrEnum):
    """A tag that a person can give or correct; its name is that of the attribute of Analysis."""

    SENTIMENT = "sentiment"
    INTENT = "intent"
    SECONDARY = "secondary"
    ASPECTS = "aspects"
    URGENCY = "urgency"
    CHURN = "churn"
    TOXIC = "toxic"
    IRONY = "irony"
    DIRECTED = "directed"


class Origin(StrEnum):
    """Where a label was given: DESK ones lean towards errors, LABELLING ones were drawn by us."""

    DESK = "desk"
    LABELLING = "labelling"


@dataclass(frozen=True, slots=True)
class Label:
    """One answer of one person to one question about one mention.

    Attributes:
        was: what the current analysis said when the label was given; None where there was none.
        model: which model said it, `name@version`.
        retracted_at: when it was taken back; a retracted label counts nowhere.
    """

    id: int
    mention_id: MentionId
    field: Field
    value: LabelValue
    was: LabelValue | None
    model: str
    by: str
    origin: Origin
    at: datetime
    retracted_at: datetime | None = None


def tag_of(analysis: Analysis, field: Field) -> LabelValue:
    """What an analysis answers to this question."""
    if field is Field.SENTIMENT:
        return analysis.sentiment.value.value
    if field is Field.INTENT:
        return analysis.intent.value
    value: LabelValue = getattr(analysis, field.value)
    return value


def checked(field: Field, value: Any) -> LabelValue:
    """The value in its own type: lists become tuples in the order of the taxonomy.

    Raises:
        RuleError: it is no answer to this question.
    """
    if field is Field.SENTIMENT and value in set(Sentiment):
        return Sentiment(value).value
    if field is Field.INTENT and value in INTENT_BY_KEY:
        return str(value)
    if field is Field.URGENCY and type(value) is int and value in URGENCIES:
        return value
    if field in {Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED} and type(value) is bool:
        return value
    if field in {Field.SECONDARY, Field.ASPECTS} and isinstance(value, (list, tuple)):
        known: Any = INTENT_BY_KEY if field is Field.SECONDARY else ASPECT_BY_KEY
        most = MAX_SECONDARY if field is Field.SECONDARY else MAX_ASPECTS
        if set(value) <= set(known) and len(set(value)) == len(value) <= most:
            return tuple(key for key in known if key in value)
    raise RuleError(f"{value!r} is no answer to “{field.value}”. Nothing was kept.")
