"""Figures on our real labels from answers of networks that never saw them (crossfit.py), and how far two people agree.

Thresholds, temperatures and the hearing of rare classes are chosen fold by fold on the answers of the other folds, so no
figure here was tuned on its own rows. The shape is the one that the Quality page reads (domain/quality.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.label import Field
from domain.quality import agreement, tags_of
from nlp.train import balance, ours, score, stack
from nlp.train.calibrate import calibrate, calibration_error, reliability, softmax
from nlp.train.data import Row, read_lines
from nlp.train.heads import HEAD_BY_KEY, HEADS, Kind, slices

LANGS = ("fr", "en", "all")
ABSTENTION = 0.15
_DRAWS = 500


@dataclass(frozen=True, slots=True)
class Judged:
    """Answers to our real messages, each by a network and a calibration that never saw it.

    Attributes:
        logits: calibrated; what probabilities are made of.
        answers: head -> class numbers, or n x labels of 0 and 1.
    """

    rows: Sequence[Row]
    logits: score.Logits
    answers: dict[str, NDArray[Any]]


def judge(
    rows: Sequence[Row], logits: score.Logits, told: score.Logits, parts: NDArray[Any], learnt: Sequence[Row]
) -> Judged:
    """Weigh the word lists and calibrate, each part on the answers of the others.

    Args:
        told: what the word lists say.
        parts: which network answered each row.
        learnt: all training rows, for the shares of classes.
    """
    moved = np.zeros_like(logits)
    answers: dict[str, NDArray[Any]] = {}
    for part in sorted(set(parts.tolist())):
        inside, others = np.flatnonzero(parts == part).tolist(), np.flatnonzero(parts != part).tolist()
        known = [rows[place] for place in others]
        weights = stack.weights(known, logits[others], told[others])
        both = logits + weights * told
        added, _ = balance.offsets(learnt, known, both[others])
        calibration = calibrate(known, both[others] + added)
        moved[inside] = calibration.apply([rows[place].lang for place in inside], both[inside] + added)
        for head in HEADS:
            found = score.answers_of(head.key, moved[inside], calibration.thresholds.get(head.key))
            table = answers.setdefault(head.key, np.zeros((len(rows), *found.shape[1:]), np.int64))
            table[inside] = found
    return Judged(rows, moved, answers)


def gold_figures(judged: Judged) -> dict[str, Any]:
    """`<language>/<head>` -> scores with their interval, calibration, abstention and confusion."""
    found: dict[str, Any] = {}
    for lang in LANGS:
        places = [place for place, row in enumerate(judged.rows) if lang in ("all", row.lang)]
        for head in HEADS:
            if places:
                found[f"{lang}/{head.key}"] = _figures(judged, np.asarray(places), head.key)
    return found


def _figures(judged: Judged, places: NDArray[Any], key: str) -> dict[str, Any]:
    head = HEAD_BY_KEY[key]
    gold: NDArray[Any] = np.asarray([judged.rows[place].targets[key] for place in places])
    answers = judged.answers[key][places]
    scores = _scores(key, gold, answers)
    dice = np.random.default_rng(1)
    draws = [dice.integers(0, len(places), len(places)) for _ in range(_DRAWS)]
    again = [_scores(key, gold[draw], answers[draw])["macro_f1"] for draw in draws]
    found: dict[str, Any] = {
        "n": len(places),
        "macro_f1": round(scores["macro_f1"], 4),
        "interval": [round(float(np.quantile(again, q)), 4) for q in (0.025, 0.975)],
        "labels": list(head.labels),
    }
    if head.kind is Kind.MANY:
        found["support"] = [int((gold[:, column] == 1).sum()) for column in range(gold.shape[1])]
        found["f1"] = [
            round(score.class_scores(gold[:, column], answers[:, column], 2)[0][1], 4)
            for column in range(gold.shape[1])
        ]
        return found
    f1s, _, supports = score.class_scores(gold, answers, len(head.labels))
    shares = softmax(judged.logits[places][:, slices()[key]])
    sure, right = shares.max(axis=1), answers == gold
    kept = np.argsort(-sure, kind="stable")[: round((1 - ABSTENTION) * len(sure))]
    confusion = np.zeros((len(head.labels), len(head.labels)), int)
    np.add.at(confusion, (gold, answers), 1)
    return found | {
        "support": supports,
        "f1": [round(value, 4) for value in f1s],
        "accuracy": round(float(right.mean()), 4),
        "calibration_error": round(calibration_error(sure, right), 4),
        "bins": [[round(value, 4) for value in row] for row in reliability(sure, right)],
        "abstention": {
            "share": ABSTENTION,
            "accuracy": round(float(right.mean()), 4),
            "accuracy_kept": round(float(right[kept].mean()), 4),
        },
        "confusion": confusion.tolist(),
    }


def _scores(key: str, gold: NDArray[Any], answers: NDArray[Any]) -> dict[str, float]:
    head = HEAD_BY_KEY[key]
    return score.one(gold, answers, len(head.labels)) if head.kind is Kind.ONE else score.many(gold, answers)


def people(folder: Path) -> dict[str, Any]:
    """How far the second reader of our labels agrees with the first: agreement and Cohen's kappa of each question."""
    first = {
        (path.name.split(".")[0], label["row"]): label
        for path in (folder / "labels" / f"{name.split('.')[0]}.jsonl" for name in ours.REAL)
        for label in read_lines(path)
    }
    path = folder / "labels" / "second_reader.jsonl"
    if not path.exists():
        return {}
    pairs = [(first[line["source"], line["row"]], line) for line in read_lines(path)]
    fields = (Field.INTENT, Field.SENTIMENT, Field.URGENCY, Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED)
    return {
        field.value: agreement(
            field, [(tags_of(field, mine[field.value]), tags_of(field, theirs[field.value])) for mine, theirs in pairs]
        )
        for field in fields
    }
