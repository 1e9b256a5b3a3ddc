"""Macro-F1, macro recall and the like, from logits: what a run is chosen by, and what it reports.

For MANY heads the threshold of each label is an argument; calibrate.py chooses it on the tuning fold.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.train.data import Row
from nlp.train.heads import HEAD_BY_KEY, Kind, slices

Logits = NDArray[np.float32]
Numbers = NDArray[np.int64]


def class_scores(gold: Numbers, answers: Numbers, classes: int) -> tuple[list[float], list[float], list[int]]:
    """F1, recall and support of each class; 0 where it never occurs."""
    f1s, recalls, supports = [], [], []
    for number in range(classes):
        hits = int(((gold == number) & (answers == number)).sum())
        said, there = int((answers == number).sum()), int((gold == number).sum())
        f1s.append(2 * hits / (said + there) if said + there else 0.0)
        recalls.append(hits / there if there else 0.0)
        supports.append(there)
    return f1s, recalls, supports


def one(gold: Numbers, answers: Numbers, classes: int) -> dict[str, float]:
    """Scores of a ONE head; means run over the classes that the gold labels hold."""
    f1s, recalls, supports = class_scores(gold, answers, classes)
    held = [number for number in range(classes) if supports[number]]
    return {
        "n": len(gold),
        "macro_f1": float(np.mean([f1s[number] for number in held])),
        "macro_recall": float(np.mean([recalls[number] for number in held])),
        "accuracy": float((gold == answers).mean()),
    }


def many(gold: Numbers, answers: Numbers) -> dict[str, float]:
    """Scores of a MANY head over n x labels; labels that never occur are left out of the mean."""
    f1s = []
    for column in range(gold.shape[1]):
        known = gold[:, column] >= 0
        column_f1s, _, supports = class_scores(gold[known, column], answers[known, column], 2)
        if supports[1]:
            f1s.append(column_f1s[1])
    return {"n": len(gold), "macro_f1": float(np.mean(f1s)) if f1s else 0.0, "labels": len(f1s)}


def answers_of(head: str, logits: Logits, thresholds: Sequence[float] | None = None) -> Numbers:
    """Class numbers of a ONE head, or n x labels of 0 and 1."""
    part = logits[:, slices()[head]]
    if HEAD_BY_KEY[head].kind is Kind.ONE:
        found: Numbers = part.argmax(axis=1).astype(np.int64)
        return found
    limits = np.asarray(thresholds if thresholds is not None else [0.5] * part.shape[1])
    return (1 / (1 + np.exp(-part)) >= limits).astype(np.int64)


def score(
    rows: Sequence[Row], logits: Logits, head: str, thresholds: Mapping[str, Sequence[float]] | None = None
) -> dict[str, float]:
    """Scores of one head on the rows that have an answer for it; {"n": 0} where none has."""
    places = [place for place, row in enumerate(rows) if head in row.targets]
    if not places:
        return {"n": 0}
    gold: Any = np.asarray([rows[place].targets[head] for place in places])
    answers = answers_of(head, logits[places], (thresholds or {}).get(head))
    if HEAD_BY_KEY[head].kind is Kind.ONE:
        return one(gold, answers, len(HEAD_BY_KEY[head].labels))
    return many(gold, answers)


def report(
    rows: Sequence[Row], logits: Logits, thresholds: Mapping[str, Sequence[float]] | None = None
) -> dict[str, dict[str, float]]:
    """`<set>/<language>/<head>` and `<set>/all/<head>` -> scores; our sets are also put together as ``ours``."""
    found: dict[str, dict[str, float]] = {}
    names = {place: "ours" if row.source.startswith("ours") else row.source for place, row in enumerate(rows)}
    for name in sorted(set(names.values())):
        inside = [place for place in names if names[place] == name]
        langs = sorted({rows[place].lang for place in inside})
        for lang in [*langs, "all"] if len(langs) > 1 else langs:
            places = [place for place in inside if lang in ("all", rows[place].lang)]
            for head in HEAD_BY_KEY:
                scores = score([rows[place] for place in places], logits[places], head, thresholds)
                if scores["n"]:
                    found[f"{name}/{lang}/{head}"] = {key: round(value, 4) for key, value in scores.items()}
    return found
