"""Comparing two heads on the same messages: macro-F1 before and after, and how sure the difference is.

Answers are n x labels of True and False, for questions with one answer too. Pure; nothing here learns. For a new measure,
write one beside `_f1s` and give it its name in `Measure`.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nlp.products import Array, product

Flags = NDArray[np.bool_]

FEW = 5  # messages under which the F1 of a label tells nothing
_DRAWS = 1000
_SURE = 0.05  # chance of no gain at all above which a gain does not count
_BINS = 10


class Measure(StrEnum):
    """What is compared."""

    MACRO_F1 = "macro-F1"
    ACCURACY = "accuracy"


@dataclass(frozen=True, slots=True)
class Compared:
    """Two heads side by side, in points (0..100).

    Attributes:
        n: answers of people among the messages.
        low, high: the gain's 5th and 95th percentile when the messages are drawn again, whole groups at a time.
    """

    measure: Measure
    n: int
    before: float
    after: float
    low: float
    high: float

    @property
    def gain(self) -> float:
        """After minus before."""
        return self.after - self.before

    @property
    def sure(self) -> bool:
        """Better in at least 95 of 100 drawings."""
        return self.low > 0


def compare(
    truth: Flags,
    before: Flags,
    after: Flags,
    weights: Array,
    groups: NDArray[np.int64],
    *,
    counted: Flags | None,
    n: int,
) -> Compared:
    """Macro-F1 over the counted labels, or accuracy where none is.

    Args:
        groups: messages that are drawn together.

    Sources: paired bootstrap, Efron & Tibshirani 1993, "An Introduction to the Bootstrap"; Hanley & MacGibbon 2006,
    "Creating non-parametric bootstrap samples using Poisson frequencies".
    """
    if counted is None:
        hits = [(truth == said).all(axis=1) for said in (before, after)]
        cells = np.stack([*hits, np.ones(len(truth))], axis=1)[:, :, None].astype(np.float64)
    else:
        cells = np.stack([truth & before, before, truth & after, after, truth], axis=1)[:, :, counted]
    score = _accuracies if counted is None else _f1s
    _, places = np.unique(groups, return_inverse=True)
    sums = np.zeros((int(places.max(initial=-1)) + 1, *cells.shape[1:]))
    np.add.at(sums, places, cells * weights[:, None, None])
    whole = score(sums.sum(axis=0)[None])[0]
    drawn = score((product(_drawings(len(sums)), sums.reshape(len(sums), -1))).reshape(_DRAWS, *cells.shape[1:]))
    low, high = np.quantile(drawn[:, 1] - drawn[:, 0], [_SURE, 1 - _SURE])
    measure = Measure.ACCURACY if counted is None else Measure.MACRO_F1
    return Compared(measure, n, float(whole[0]), float(whole[1]), float(low), float(high))


@lru_cache(maxsize=8)
def _drawings(groups: int) -> Array:
    """How often each group is drawn, drawings x groups; the same each time."""
    return np.random.default_rng(1).poisson(1.0, (_DRAWS, groups)).astype(np.float64)


def _f1s(sums: Array) -> Array:
    """draws x (hits, said, hits after, said after, there) x labels -> draws x 2, points."""
    hits, said, there = sums[:, [0, 2]], sums[:, [1, 3]], sums[:, [4]]
    found: Array = 100 * (2 * hits / np.maximum(said + there, 1e-9)).mean(axis=2)
    return found


def _accuracies(sums: Array) -> Array:
    """draws x (hits, hits after, all) x 1 -> draws x 2, points."""
    found: Array = 100 * sums[:, :2, 0] / np.maximum(sums[:, 2:, 0], 1e-9)
    return found


def points(truth: Flags, said: Flags, counted: Flags | None) -> float:
    """What `compare` compares, of one head."""
    if counted is None:
        return 100 * float((truth == said).all(axis=1).mean())
    f1s = 2 * (truth & said).sum(axis=0) / np.maximum(truth.sum(axis=0) + said.sum(axis=0), 1)
    return 100 * float(f1s[counted].mean())


def calibration_error(stated: Array, right: Flags) -> float:
    """Mean gap between stated probability and hit rate, ten bins (expected calibration error)."""
    bins = np.minimum((stated * _BINS).astype(int), _BINS - 1)
    gaps = [abs(float((stated - right)[bins == number].sum())) for number in np.unique(bins)]
    return sum(gaps) / max(1, len(stated))
