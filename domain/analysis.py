"""What an analyzer says of a mention: Analysis, with a probability beside every tag.

Analyses are kept with the model that made them and are never overwritten by a person: a correction is a row of its own.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

from domain.mention import MentionId

T = TypeVar("T")


class Sentiment(StrEnum):
    """Of the author, towards the brand or the experience; what is meant, not what is said."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model spoke: `name` and `version`; together they tell two analyses apart for ever."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Scored(Generic[T]):
    """A tag and its probability, 0..1."""

    value: T
    p: float


@dataclass(frozen=True, slots=True)
class Signals:
    """What a model saw of a text, kept to notice when the input changes; nothing can be read back from it.

    Attributes:
        token_count: tokens of the whole text, before any cut.
        unknown_count: tokens that the model has no piece for.
        sketch: the text's vector, projected to a few numbers: little-endian float16, the same length for one model.
    """

    token_count: int
    unknown_count: int
    sketch: bytes


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything that one model says of one mention.

    Attributes:
        lang: ISO 639-1 code, ``und`` where no language could be told.
        p_negative, p_neutral, p_positive: probabilities, sum 1.
        secondary: other intents really present, at most two.
        urgency: 0 none, 1 unresolved problem, 2 blocking, money or a deadline, 3 safety, health, law or public crisis.
        directed: False where it is not said to or about an own experience with the brand.
        uncertain: True where the model abstains: a person should look.
        signals: what the model saw; None where it does not tell. Two equal answers are equal whatever it says.
    """

    mention_id: MentionId
    model: ModelRef
    lang: str
    p_negative: float
    p_neutral: float
    p_positive: float
    intent: Scored[str]
    secondary: tuple[str, ...] = ()
    aspects: tuple[str, ...] = ()
    urgency: int = 0
    churn: bool = False
    toxic: bool = False
    irony: bool = False
    directed: bool = True
    uncertain: bool = False
    signals: Signals | None = field(default=None, compare=False)

    @property
    def sentiment(self) -> Scored[Sentiment]:
        """The likeliest of the three; neutral wins a tie, for a flat text must stay flat."""
        ranked = max(
            (self.p_neutral, 1, Sentiment.NEUTRAL),
            (self.p_negative, 0, Sentiment.NEGATIVE),
            (self.p_positive, 0, Sentiment.POSITIVE),
            key=lambda row: row[:2],
        )
        return Scored(ranked[2], ranked[0])
