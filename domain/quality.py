"""How good a model is, measured against what people say: F1, calibration, abstention, agreement. Pure, standard library.

`measure` makes the figures of one question from pairs (what the model said, what people say); a model brings figures of
the same shape in its report (`Report`), read in `report.py`. Whether the input changed is asked in `drift.py`. A new
figure is a key of `HeadFigures`, a line in `measure` and one in the reader.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, pi, sqrt
from random import Random
from typing import Any, TypedDict

from domain.analysis import Sentiment
from domain.label import URGENCIES, Field
from domain.taxonomy import ASPECTS, INTENTS

Tags = tuple[str, ...]
YES, NO = "yes", "no"
FLAGS = frozenset({Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED})
SETS = frozenset({Field.SECONDARY, Field.ASPECTS})  # questions with several answers at once
ENOUGH = 30  # messages under which a figure says too little
_BINS = 10
_RESAMPLES = 300
_Z95 = 1.959964


# -- the shape of figures --------------------------------------------------------------------------------------------------


class Abstention(TypedDict):
    """What it brings to leave uncertain answers aside: their share, accuracy of all answers and of the others."""

    share: float
    accuracy: float
    accuracy_kept: float


class HeadFigures(TypedDict, total=False):
    """Figures of one question; any key may be missing.

    `interval` is the 95 % interval of `macro_f1`; `bins` are [mean probability, hit rate, messages]; `confusion` has a row
    for each tag that is right and a column for each that was said; `f1` and `support` (times right) have a number for each
    tag; all in the order of `labels`. `tags` are [hits, times said, times right] of each tag.
    """

    n: int
    macro_f1: float
    interval: list[float]
    accuracy: float
    calibration_error: float
    bins: list[list[float]]
    abstention: Abstention
    labels: list[str]
    confusion: list[list[int]]
    f1: list[float]
    support: list[int]
    tags: dict[str, list[int]]


class PeopleFigures(TypedDict, total=False):
    """How often two people say the same of the same message."""

    agreement: float
    kappa: float
    n: int


class Report(TypedDict, total=False):
    """What was measured when a model was made: `<language or all>/<question>` -> figures, question -> people."""

    gold: dict[str, HeadFigures]
    people: dict[str, PeopleFigures]


# -- what is measured ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """What a model said of a message before people were asked, and what they say.

    Attributes:
        p: probability of what was said; None where the question has none kept.
        uncertain: the model had asked for a person.
        month: of the message, `YYYY-MM`.
    """

    mention_id: str
    said: Tags
    right: Tags
    p: float | None = None
    uncertain: bool = False
    lang: str = "und"
    network: str = ""
    month: str = ""
    model: str = ""

    @property
    def hit(self) -> bool:
        """The very same answer, whatever the order."""
        return set(self.said) == set(self.right)


def tags_of(field: Field, value: Any) -> Tags:
    """An answer as tags: one of a choice, `yes` or `no` of a flag, any number of a set."""
    if field in FLAGS:
        return (YES if value else NO,)
    return tuple(str(tag) for tag in value) if field in SETS else (str(value),)


def choices_of(field: Field) -> Tags:
    """All tags of a question, in their order."""
    if field is Field.SENTIMENT:
        return tuple(sentiment.value for sentiment in Sentiment)
    if field in {Field.INTENT, Field.SECONDARY}:
        return tuple(intent.key for intent in INTENTS)
    if field is Field.ASPECTS:
        return tuple(aspect.key for aspect in ASPECTS)
    return tuple(str(level) for level in URGENCIES) if field is Field.URGENCY else (NO, YES)


def measure(pairs: Sequence[Pair], field: Field) -> HeadFigures:
    """All figures of one question; {"n": 0} without pairs. The pairs must be a fair sample of what they speak for."""
    figures: HeadFigures = {"n": len(pairs)}
    if not pairs:
        return figures
    figures["accuracy"] = _accuracy(pairs)
    counted: Iterable[str] = (YES,) if field in FLAGS else choices_of(field)
    score = macro_f1(_outcomes(pairs), counted)
    if score is not None:
        figures["macro_f1"] = score
        low, high = f1_interval(pairs, counted)
        if low < high:  # where every message came out alike, drawing them again tells nothing
            figures["interval"] = [low, high]
    stated = [pair for pair in pairs if pair.p is not None]
    if stated:
        figures["bins"], figures["calibration_error"] = reliability(stated)
    kept = [pair for pair in pairs if not pair.uncertain]
    if kept:
        share = 1 - len(kept) / len(pairs)
        figures["abstention"] = {"share": share, "accuracy": figures["accuracy"], "accuracy_kept": _accuracy(kept)}
    figures["tags"] = {
        tag: [sum(tag in p.said and tag in p.right for p in pairs), said, right]
        for tag in choices_of(field)
        if (said := sum(tag in p.said for p in pairs)) + (right := sum(tag in p.right for p in pairs))
    }
    if field not in SETS:
        figures["labels"], figures["confusion"] = confusion(pairs, choices_of(field))
    return figures


def _accuracy(pairs: Sequence[Pair]) -> float:
    return sum(pair.hit for pair in pairs) / len(pairs)


# -- the measures ----------------------------------------------------------------------------------------------------------

Outcome = tuple[Tags, Tags]  # said, right


def _outcomes(pairs: Iterable[Pair]) -> dict[Outcome, int]:
    return Counter((pair.said, pair.right) for pair in pairs)


def macro_f1(outcomes: Mapping[Outcome, int], counted: Iterable[str]) -> float | None:
    """Mean F1 over those of the counted tags that are right at least once; None where none is.

    Source: van Rijsbergen 1979, "Information Retrieval", ch. 7; Opitz & Burst 2019, "Macro F1 and Macro F1".
    """
    hits: Counter[str] = Counter()
    told: Counter[str] = Counter()  # said and right together
    right: Counter[str] = Counter()
    for (tags, truth), count in outcomes.items():
        for tag in tags:
            told[tag] += count
            if tag in truth:
                hits[tag] += count
        for tag in truth:
            told[tag] += count
            right[tag] += count
    scores = [2 * hits[tag] / told[tag] for tag in counted if right[tag]]
    return sum(scores) / len(scores) if scores else None


def f1_interval(pairs: Iterable[Pair], counted: Iterable[str], resamples: int = _RESAMPLES) -> tuple[float, float]:
    """95 % percentile interval of macro-F1 by the bootstrap with Poisson counts; the same answer every time.

    Messages with the same outcome are drawn together, so that the cost does not grow with their number.

    Sources: Efron & Tibshirani 1993, "An Introduction to the Bootstrap"; Hanley & MacGibbon 2006, "Creating non-parametric
    bootstrap samples using Poisson frequencies".
    """
    random, outcomes, tags = Random(0), _outcomes(pairs), tuple(counted)  # noqa: S311 - statistics, not secrets
    found = []
    for _ in range(resamples):
        drawn = {outcome: _poisson(count, random) for outcome, count in outcomes.items()}
        score = macro_f1(drawn, tags)
        if score is not None:
            found.append(score)
    found.sort()
    if not found:
        return 0.0, 1.0
    return found[int(0.025 * (len(found) - 1))], found[-int(0.025 * (len(found) - 1)) - 1]


def _poisson(rate: float, random: Random) -> int:
    if rate > 30:
        return max(0, round(random.gauss(rate, sqrt(rate))))
    limit, count, product = exp(-rate), 0, random.random()
    while product > limit:
        product *= random.random()
        count += 1
    return count


def wilson(share: float, n: float) -> tuple[float, float]:
    """95 % interval of a share of `n`. Source: Wilson 1927, "Probable inference, the law of succession"."""
    if n <= 0:
        return 0.0, 1.0
    middle = (share + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 * sqrt(share * (1 - share) / n + _Z95**2 / (4 * n * n)) / (1 + _Z95**2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def confusion(pairs: Iterable[Pair], choices: Sequence[str]) -> tuple[list[str], list[list[int]]]:
    """(tags that occur, counts): a row for each right tag, a column for each said one."""
    cells = Counter((pair.right[0], pair.said[0]) for pair in pairs)
    there = {tag for cell in cells for tag in cell}
    labels = [tag for tag in choices if tag in there]
    return labels, [[cells[right, said] for said in labels] for right in labels]


def step_of(p: float) -> int:
    """The step 0..9 that a probability, or the mean of those of one step, falls into."""
    return min(int(p * _BINS + 1e-9), _BINS - 1)  # a hair, for 0.8 may come as 0.7999...


def reliability(pairs: Iterable[Pair]) -> tuple[list[list[float]], float]:
    """(bins that hold any, expected calibration error) over ten equal steps of probability.

    Source: Guo et al. 2017, "On Calibration of Modern Neural Networks".
    """
    groups: dict[int, list[Pair]] = {}
    for pair in pairs:
        if pair.p is not None:
            groups.setdefault(step_of(pair.p), []).append(pair)
    bins = [
        [sum(pair.p or 0.0 for pair in group) / len(group), _accuracy(group), float(len(group))]
        for _, group in sorted(groups.items())
    ]
    total = sum(n for _, _, n in bins)
    return bins, sum(abs(stated - hit) * n for stated, hit, n in bins) / total if total else 0.0


def chance_calibration_error(bins: Sequence[Sequence[float]]) -> float:
    """The calibration error that perfect probabilities would show on as many messages, by chance alone.

    Mean of a half-normal whose spread is that of a bin's hit rate: sqrt(2 p (1 - p) / (pi n)).
    """
    total = sum(n for _, _, n in bins)
    return sum(n * sqrt(2 * p * (1 - p) / (pi * n)) for p, _, n in bins if n) / total if total else 0.0


# -- people ----------------------------------------------------------------------------------------------------------------


def agreement(field: Field, both: Sequence[tuple[Tags, Tags]]) -> PeopleFigures:
    """How often two people agree; kappa takes off what chance gives, for urgency by the square of the distance."""
    if not both:
        return {"n": 0}
    first, second = [a for a, _ in both], [b for _, b in both]
    found: PeopleFigures = {"n": len(both), "agreement": sum(set(a) == set(b) for a, b in both) / len(both)}
    if field is Field.URGENCY:
        kappa = quadratic_kappa([int(a[0]) for a in first], [int(b[0]) for b in second])
    else:
        kappa = cohen_kappa([frozenset(a) for a in first], [frozenset(b) for b in second])
    if kappa is not None:
        found["kappa"] = kappa
    return found


def cohen_kappa(first: Sequence[Hashable], second: Sequence[Hashable]) -> float | None:
    """Agreement of two people beyond chance, 1 at best; None where chance alone would make them agree always.

    Source: Cohen 1960, "A coefficient of agreement for nominal scales".
    """
    n = len(first)
    a, b = Counter(first), Counter(second)
    expected = sum(a[tag] * b[tag] for tag in a) / n**2 if n else 1.0
    seen = sum(x == y for x, y in zip(first, second, strict=True)) / n if n else 0.0
    return (seen - expected) / (1 - expected) if expected < 1 else None


def quadratic_kappa(first: Sequence[int], second: Sequence[int]) -> float | None:
    """Kappa for steps of a scale, where a miss by two counts four times as much; None without any difference to expect.

    Source: Cohen 1968, "Weighted kappa: nominal scale agreement with provision for scaled disagreement".
    """
    n = len(first)
    seen = sum((x - y) ** 2 for x, y in zip(first, second, strict=True))
    a, b = Counter(first), Counter(second)
    expected = sum(a[x] * b[y] * (x - y) ** 2 for x in a for y in b) / n if n else 0.0
    return 1 - seen / expected if expected else None
