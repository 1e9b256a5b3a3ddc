"""How good an analyzer is on labelled messages: macro-F1, accuracy, calibration, abstention.

Rows are JSON lines with `text` and the gold labels of docs/labels.md under the names of `Task`. Nothing here trains. To
measure one more thing, add it to `Task` and say in `_answer` where an Analysis holds it.
"""

import gzip
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any

from domain.analysis import Analysis
from domain.contracts import Analyzer
from domain.errors import InputError
from domain.mention import Mention

_BATCH = 256
_BINS = 10
_SAID_AT = datetime(2026, 1, 1, tzinfo=UTC)  # analyzers read texts, not dates


class Task(StrEnum):
    """What can be measured; each is also the name of its gold label."""

    SENTIMENT = "sentiment"
    INTENT = "intent"
    URGENCY = "urgency"
    ASPECTS = "aspects"
    CHURN = "churn"
    TOXIC = "toxic"
    IRONY = "irony"
    DIRECTED = "directed"
    LANG = "lang"


@dataclass(frozen=True, slots=True)
class ClassScores:
    """One class against the rest. Shares 0..1; 0 where nothing was predicted or nothing was there."""

    precision: float
    recall: float
    f1: float
    support: int


@dataclass(frozen=True, slots=True)
class Scores:
    """An analyzer on one task.

    Attributes:
        n: rows measured.
        macro_f1: mean F1 of the classes that the gold labels hold, each counting the same.
        accuracy: share of rows answered exactly right; for aspects, of rows whose whole set is right.
        accuracy_kept: the same among the rows on which the analyzer did not abstain; None where it always did.
        abstention: share of rows marked uncertain; they count in all other figures.
        calibration_error: mean gap between stated probability and hit rate, ten bins (expected calibration error,
            Naeini et al. 2015); None for tasks without a probability.
    """

    task: Task
    n: int
    macro_f1: float
    accuracy: float
    accuracy_kept: float | None
    abstention: float
    calibration_error: float | None
    per_class: Mapping[str, ClassScores]


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a JSON-lines file, `.gz` or not; blank lines are skipped.

    Raises:
        InputError: the file cannot be read, or a line is not a JSON object with a `text`.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield _row(line, f"{path.name}, line {number}")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}). Give a UTF-8 file of JSON lines.") from error


def _row(line: str, place: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise InputError(f"{place}: not JSON ({error.msg}). One JSON object a line is expected.") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str):
        raise InputError(f"{place}: an object with a “text” is expected.")
    return row


def evaluate(analyzer: Analyzer, rows: Iterable[Mapping[str, Any]], task: Task | str) -> Scores:
    """Scores of the analyzer on the rows that carry a gold label for `task`; the others are left out.

    Raises:
        InputError: the task is unknown, or no row carries its label.
    """
    if task not in set(Task):
        raise InputError(f"There is no task “{task}”. Choose one of: {', '.join(Task)}.")
    wanted = Task(task)
    labelled = (row for row in rows if row.get(wanted.value) is not None)
    gold: list[frozenset[Hashable]] = []
    answers: list[frozenset[Hashable]] = []
    stated: list[float | None] = []
    kept: list[bool] = []
    while batch := list(islice(labelled, _BATCH)):
        for row, analysis in zip(batch, analyzer.analyze(_mentions(batch, len(gold))), strict=True):
            gold.append(_classes(row[wanted.value]))
            answer, probability = _answer(analysis, wanted)
            answers.append(answer)
            stated.append(probability)
            kept.append(not analysis.uncertain)
    if not gold:
        raise InputError(f"No row carries a label “{wanted}”. Give a file whose rows have it.")
    return _scores(wanted, gold, answers, stated, kept)


def _mentions(rows: Sequence[Mapping[str, Any]], start: int) -> list[Mention]:
    return [
        Mention(
            network="evaluation",
            native_id=str(start + place),
            text=row["text"],
            title=str(row.get("title") or ""),
            created_at=_SAID_AT,
        )
        for place, row in enumerate(rows)
    ]


def _classes(label: object) -> frozenset[Hashable]:
    if isinstance(label, list | tuple):
        return frozenset(label)
    return frozenset({label if isinstance(label, Hashable) else str(label)})


def _answer(analysis: Analysis, task: Task) -> tuple[frozenset[Hashable], float | None]:
    match task:
        case Task.SENTIMENT:
            return frozenset({analysis.sentiment.value.value}), analysis.sentiment.p
        case Task.INTENT:
            return frozenset({analysis.intent.value}), analysis.intent.p
        case Task.ASPECTS:
            return frozenset(analysis.aspects), None
        case _:
            return frozenset({getattr(analysis, task.value)}), None


def _scores(
    task: Task,
    gold: Sequence[frozenset[Hashable]],
    answers: Sequence[frozenset[Hashable]],
    stated: Sequence[float | None],
    kept: Sequence[bool],
) -> Scores:
    hits = [wanted == answer for wanted, answer in zip(gold, answers, strict=True)]
    kept_hits = [hit for hit, keep in zip(hits, kept, strict=True) if keep]
    classes = sorted(frozenset().union(*gold, *answers), key=str)
    per_class = {str(name): _one_class(name, gold, answers) for name in classes}
    f1s = [scores.f1 for scores in per_class.values() if scores.support]
    return Scores(
        task=task,
        n=len(gold),
        macro_f1=sum(f1s) / len(f1s) if f1s else 0.0,
        accuracy=sum(hits) / len(hits),
        accuracy_kept=sum(kept_hits) / len(kept_hits) if kept_hits else None,
        abstention=1 - sum(kept) / len(kept),
        calibration_error=_calibration_error(stated, hits),
        per_class=per_class,
    )


def _one_class(
    name: Hashable, gold: Sequence[frozenset[Hashable]], answers: Sequence[frozenset[Hashable]]
) -> ClassScores:
    support = sum(name in wanted for wanted in gold)
    claimed = sum(name in answer for answer in answers)
    right = sum(name in wanted and name in answer for wanted, answer in zip(gold, answers, strict=True))
    return ClassScores(
        precision=right / claimed if claimed else 0.0,
        recall=right / support if support else 0.0,
        f1=2 * right / (support + claimed),
        support=support,
    )


def _calibration_error(stated: Sequence[float | None], hits: Sequence[bool]) -> float | None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for probability, hit in zip(stated, hits, strict=True):
        if probability is None:
            return None
        bins.setdefault(min(int(probability * _BINS), _BINS - 1), []).append((probability, hit))
    gaps = (abs(sum(p for p, _ in rows) - sum(hit for _, hit in rows)) for rows in bins.values())
    return sum(gaps) / len(hits)
