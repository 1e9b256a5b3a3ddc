"""Learning from a retailer's labels: the heads of the shipped model moved, question by question, or left as they are.

Pure: lessons, vectors and the gold set in, new heads and a report out. A question is moved only where people gave enough
answers, and a moved head is taken only if it is better on answers that it never saw and no worse on the gold set. Rows are
made in lessons.py, fits and judgements in heads_trial.py; docs/learning.md tells operators what they see.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from domain.label import Field
from domain.quality import FLAGS, NO, YES, HeadFigures, Pair, measure
from nlp.artefact import Artefact, Floats, Heads, Question
from nlp.gold import Gold
from nlp.heads_score import FEW, Compared, Flags
from nlp.heads_trial import Bench, GoldScore, Run, Shared
from nlp.lessons import Lessons, Role
from nlp.products import Array

ENOUGH = 30  # answers to a question under which its head is left alone
TOLERATED = 0.5  # points that a head may lose on the gold set
_WELL_CALIBRATED = 0.05  # expected calibration error up to which nobody minds,
_DRIFT = 0.01  # and how much it may grow where it was above
Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one question.

    Attributes:
        label_count: answers that people gave; of them `corrected_count` on the desk, other than the model's.
        left_count: messages that people dealt with without touching this tag.
        held_back: None where nothing was tried.
        crossed: judged on every fold in turn, for the held-back fifth alone is too small.
        calibration: expected calibration error before and after, on messages that were not learnt from.
        settings: what a move cost (the less, the further it went), weight of the gold set, and share of the move that was made.
        reason: why it was not taken, empty where it was.
    """

    question: str
    label_count: int
    corrected_count: int = 0
    left_count: int = 0
    held_back: Compared | None = None
    crossed: bool = False
    gold: tuple[GoldScore, ...] = ()
    calibration: tuple[float, float] | None = None
    settings: tuple[float, float, float] | None = None
    accepted: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What was tried.

    Attributes:
        trials: one a question that people answered.
        figures: `<language or all>/<question>` -> figures of each moved head on the gold set, as `domain.quality` has them.
    """

    trials: tuple[Trial, ...]
    figures: dict[str, HeadFigures]

    @property
    def accepted(self) -> tuple[str, ...]:
        """The questions whose heads moved."""
        return tuple(trial.question for trial in self.trials if trial.accepted)

    def as_list(self) -> list[dict[str, Any]]:
        """The trials for programs, rounded."""
        found: list[dict[str, Any]] = _rounded([asdict(trial) for trial in self.trials])
        return found


def learn(
    lessons: Lessons,
    features: Floats,
    artefact: Artefact,
    shipped: Heads,
    in_use: Heads,
    gold: Gold,
    told: Told = lambda _done, _total: None,
) -> tuple[Heads, Report]:
    """The heads in use with every question moved that gains by it, and what was measured.

    Moves start from the shipped heads each time, with all labels that there are: learning twice is learning once, and what
    was retracted leaves no trace.

    Args:
        features: the vectors of `lessons.texts`, n x hidden.
        told: called with (questions done, questions).
    """
    weight, bias = in_use.weight.copy(), in_use.bias.copy()
    shared = Shared.of(features, gold.features)
    asked = [key for key in artefact.questions if key in lessons.asked and lessons.asked[key].labelled.any()]
    trials, figures = [], {}
    for done, key in enumerate(asked):
        told(done, len(asked))
        question = artefact.questions[key]
        heads = _joined(shipped, question), _joined(in_use, question)
        bench = Bench(artefact, question, lessons, gold, shared, *heads)
        trial, run = _attempt(bench, lessons)
        trials.append(trial)
        if run is not None:
            weight[question.columns], bias[question.columns] = run.head[:, :-1], run.head[:, -1]
            figures.update(_figures(bench, run))
    told(len(asked), len(asked))
    return Heads(weight, bias), Report(tuple(trials), figures)


def _joined(heads: Heads, question: Question) -> Array:
    part = question.columns
    return np.concatenate([heads.weight[part], heads.bias[part, None]], axis=1).astype(np.float64)


def _attempt(bench: Bench, lessons: Lessons) -> tuple[Trial, Run | None]:
    """What became of a question, and the run that is taken."""
    key, count = bench.question.key, int(bench.labelled.sum())
    corrected = int((lessons.asked[key].roles == Role.CORRECTED).sum())
    trial = Trial(key, count, corrected, int(bench.left.sum()))
    if count < ENOUGH:
        return replace(trial, reason=f"{ENOUGH - count} more answers are needed"), None
    if not bench.free.any():
        return replace(trial, reason=f"no tag was given {FEW} times to learn from"), None
    for run in bench.runs():
        gold, calibration = bench.gold_scores(run), bench.calibration(run)
        reason = _against(gold, calibration)
        if not reason:
            break
    trial = replace(
        trial,
        held_back=bench.compared(run),
        crossed=bench.crossed,
        gold=gold,
        calibration=calibration,
        settings=run.settings,
    )
    if not reason and not (trial.held_back and trial.held_back.sure):
        reason = "it gains nothing sure on answers that it had not learnt from"
    if reason:
        return replace(trial, reason=reason), None
    return replace(trial, accepted=True), run


def _against(gold: tuple[GoldScore, ...], calibration: tuple[float, float]) -> str:
    """What speaks against a head, whatever it gains; empty where nothing does."""
    worst = max(gold, key=lambda score: score.lost, default=None)
    if worst is not None and worst.lost > TOLERATED:
        return f"it would lose {worst.lost:.2f} points on the gold set"
    before, after = calibration
    if after > max(_WELL_CALIBRATED, before + _DRIFT):
        return f"its probabilities would be off by {after:.2f} on average instead of {before:.2f}"
    return ""


def _figures(bench: Bench, run: Run) -> dict[str, HeadFigures]:
    """Figures of a moved head on the gold set, in all languages together and in each."""
    field, pairs = Field(bench.question.key), []
    for number, (lang, said, right, p) in enumerate(bench.gold_pairs(run)):
        pairs.append(Pair(str(number), _tags(bench, said), _tags(bench, right), p, lang=lang))
    found = {}
    for lang in ("all", *sorted({pair.lang for pair in pairs})):
        figures = measure([pair for pair in pairs if lang in {"all", pair.lang}], field)
        figures.pop("abstention", None)  # a message is left to people for any of its tags, not for this one
        found[f"{lang}/{field.value}"] = figures
    return found


def _tags(bench: Bench, flags: Flags) -> tuple[str, ...]:
    if Field(bench.question.key) in FLAGS:
        return (YES if flags[0] else NO,)
    return tuple(label for label, there in zip(bench.question.labels, flags.tolist(), strict=True) if there)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
