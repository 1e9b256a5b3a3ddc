"""How much the answers of the word lists count beside the network: one number a head, added to the logit of the label.

Learnt on our messages with odd numbers, which the lists' own weights never saw (nlp/lexicon_weights.py), answered by
networks that never saw them either (crossfit.py). Source: Wolpert 1992, "Stacked generalization".
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nlp import word_cues
from nlp.artefact import Kind as Answers
from nlp.artefact import Question
from nlp.train import score
from nlp.train.calibrate import softmax
from nlp.train.data import Row
from nlp.train.heads import HEAD_BY_KEY, HEADS, LOGIT_COUNT, Kind, slices

_WEIGHTS = np.linspace(0, 3, 31)
_TEMPERATURES = np.exp(np.linspace(np.log(0.5), np.log(2.5), 9))
_MOST = 4.0


def questions() -> dict[str, Question]:
    """The heads, as run time sees them."""
    return {
        head.key: Question(head.key, Answers(head.kind.value), head.labels, slices()[head.key].start) for head in HEADS
    }


def cues(rows: Sequence[Row]) -> score.Logits:
    """What the lists say: n x logits, 0 or 1."""
    return word_cues.cues([row.text for row in rows], questions())


def unseen(row: Row) -> bool:
    """Whether the weights of the lists were fitted without this message of ours."""
    return row.number % 2 == 1


def weights(rows: Sequence[Row], logits: score.Logits, told: score.Logits) -> score.Logits:
    """What to add to each logit where the lists give its label; 0 for heads that they do not answer.

    Args:
        rows: messages that neither network nor lists saw.
        logits: of the network.
        told: `cues` of the rows.
    """
    found = np.zeros(LOGIT_COUNT, np.float32)
    for key in word_cues.QUESTIONS:
        part = slices()[key]
        gold = np.asarray([row.targets[key] for row in rows])
        best = _one if HEAD_BY_KEY[key].kind is Kind.ONE else _many
        found[part] = round(min(_MOST, max(0.0, best(gold, logits[:, part], told[:, part]))), 2)
    return found


def _one(gold: NDArray[np.int64], logits: score.Logits, told: score.Logits) -> float:
    places = np.arange(len(gold))

    def cost(weight: float) -> float:
        moved = logits + weight * told
        return min(float(-np.log(softmax(moved / heat)[places, gold] + 1e-12).mean()) for heat in _TEMPERATURES)

    return float(min(_WEIGHTS, key=cost))


def _many(gold: NDArray[np.int64], logits: score.Logits, told: score.Logits) -> float:
    from sklearn.linear_model import LogisticRegression

    if not 0 < gold.sum() < gold.size:
        return 0.0
    model = LogisticRegression(C=1.0).fit(np.stack([logits.ravel(), told.ravel()], axis=1), gold.ravel())
    own, other = model.coef_[0]
    return float(other / own) if own > 0 else 0.0
