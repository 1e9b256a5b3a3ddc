"""A fairer hearing for rare classes: one number a head, folded into the bias of the answers.

A model that has seen a class rarely says it too rarely for macro-F1. Adding `-strength * log(share)` to the logits of a
class repairs it (Menon et al. 2021, "Long-tail learning via logit adjustment"); the strength is chosen on the tuning
fold, and 0 wins unless another is clearly better. Runs before calibration, which then makes the probabilities honest.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from nlp.train import score
from nlp.train.data import Part, Row
from nlp.train.heads import HEAD_BY_KEY, LOGIT_COUNT, slices

BALANCED = ("intent", "urgency")
_STRENGTHS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
_WORTH = 0.01  # macro-F1 that a strength must gain over none


def shares(rows: Sequence[Row], head: str) -> np.ndarray:
    """Share of each class among our training rows; a class that never occurs counts as one row."""
    own = [row for row in rows if row.part is Part.TRAIN and (row.source.startswith("ours") or row.source == "written")]
    counts = Counter(row.targets[head] for row in own if head in row.targets)
    numbers = np.asarray([max(1, counts[number]) for number in range(len(HEAD_BY_KEY[head].labels))], np.float32)
    found: np.ndarray = numbers / numbers.sum()
    return found


def offsets(rows: Sequence[Row], tuning: Sequence[Row], logits: score.Logits) -> tuple[np.ndarray, dict[str, float]]:
    """What to add to each logit, and the strength chosen for each head.

    Args:
        rows: all rows, for the shares.
        tuning: the tuning fold of our labels, with its logits.
    """
    total = np.zeros(LOGIT_COUNT, np.float32)
    chosen: dict[str, float] = {}
    for head in BALANCED:
        part = slices()[head]
        step = -np.log(shares(rows, head))
        scores = {}
        for strength in _STRENGTHS:
            moved = logits.copy()
            moved[:, part] += strength * (step - step.min())
            scores[strength] = score.score(tuning, moved, head).get("macro_f1", 0.0)
        best = max(_STRENGTHS, key=lambda strength: scores[strength])
        chosen[head] = best if scores[best] >= scores[0.0] + _WORTH else 0.0
        total[part] = chosen[head] * (step - step.min())
    return total, chosen
