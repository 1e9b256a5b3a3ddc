"""What the model is asked: HEADS, one row a question, and where each one's logits lie.

All heads are one linear layer on one vector, cut into slices. To add a head, add a row here and give its targets in
sources.py; the loss, the scores, the calibration and the exported settings follow from the row.
"""

from dataclasses import dataclass
from enum import StrEnum

from domain.analysis import Sentiment
from domain.taxonomy import ASPECTS, INTENTS


class Kind(StrEnum):
    """How logits become answers: one class of several, or each label for itself."""

    ONE = "one"
    MANY = "many"


@dataclass(frozen=True, slots=True)
class Head:
    """One question.

    Attributes:
        weight: share of this head in the loss.
        smoothing: label smoothing, 0..1.
    """

    key: str
    kind: Kind
    labels: tuple[str, ...]
    weight: float = 1.0
    smoothing: float = 0.0


_INTENT_KEYS = tuple(intent.key for intent in INTENTS)

HEADS: tuple[Head, ...] = (
    Head("sentiment", Kind.ONE, tuple(sentiment.value for sentiment in Sentiment), smoothing=0.05),
    Head("intent", Kind.ONE, _INTENT_KEYS, smoothing=0.05),
    Head("secondary", Kind.MANY, _INTENT_KEYS, weight=0.7),
    Head("aspects", Kind.MANY, tuple(aspect.key for aspect in ASPECTS), weight=1.6),
    Head("urgency", Kind.ONE, ("0", "1", "2", "3"), weight=1.0, smoothing=0.05),
    Head("churn", Kind.MANY, ("churn",), weight=0.5),
    Head("toxic", Kind.MANY, ("toxic",), weight=0.4),
    Head("irony", Kind.MANY, ("irony",), weight=0.4),
    Head("directed", Kind.MANY, ("directed",), weight=0.3),
)
HEAD_BY_KEY = {head.key: head for head in HEADS}
LOGIT_COUNT = sum(len(head.labels) for head in HEADS)


def slices() -> dict[str, slice]:
    """Head -> its columns among the `LOGIT_COUNT` logits, in the order of HEADS."""
    found: dict[str, slice] = {}
    start = 0
    for head in HEADS:
        found[head.key] = slice(start, start + len(head.labels))
        start += len(head.labels)
    return found
