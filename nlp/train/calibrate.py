"""Probabilities that mean what they say, and thresholds: chosen on val and on the tuning fold, never on what is reported.

One temperature a head and language (a language with few rows shares that of all), for sentiment also one offset a class
and language, and for heads with several answers one threshold a label. Sources: Guo et al. 2017, "On Calibration of Modern
Neural Networks"; Alexandari et al. 2020, "Maximum Likelihood with Bias-Corrected Calibration is Hard-To-Beat at Label
Shift Adaptation".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nlp.train.data import Row
from nlp.train.heads import HEADS, Head, Kind, slices
from nlp.train.score import Logits

ALL = "*"
_ENOUGH_ROWS = 100
_ENOUGH_YES = 8  # positives from which a label gets a threshold of its own
_TEMPERATURES = np.exp(np.linspace(np.log(0.4), np.log(4.0), 70))
_THRESHOLDS = np.linspace(0.1, 0.7, 25)
_FLAG_LEAST = 0.3  # a flag on a message accuses somebody: never on less than this
_BINS = 10
OFFSET_HEAD = "sentiment"
ABSTAINING = ("sentiment", "intent")
_DOUBT_ROWS = 150  # rows at which an offset is believed by half
_ROUNDS, _PACE = 400, 0.5


@dataclass(slots=True)
class Calibration:
    """What turns logits into answers.

    Attributes:
        temperatures: head -> language -> divisor of its logits; the key ``*`` serves all other languages.
        offsets: head -> language -> what is added to each logit, before the division.
        thresholds: head -> least probability of each label (heads with several answers).
        abstain_below: head -> probability under which an answer is called uncertain.
    """

    temperatures: dict[str, dict[str, float]] = field(default_factory=dict)
    offsets: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    thresholds: dict[str, list[float]] = field(default_factory=dict)
    abstain_below: dict[str, float] = field(default_factory=dict)

    def temperature(self, head: str, lang: str) -> float:
        """Divisor for a head and a language."""
        known = self.temperatures.get(head, {})
        return known.get(lang, known.get(ALL, 1.0))

    def apply(self, langs: Sequence[str], logits: Logits) -> Logits:
        """All logits with their offsets, divided by their temperatures: what probabilities are made of."""
        found = logits.astype(np.float32)
        for head, part in slices().items():
            for lang in set(langs):
                inside = np.asarray([other == lang for other in langs])[:, None]
                table = self.offsets.get(head, {})
                shift = np.asarray(table.get(lang, table.get(ALL, 0.0)), np.float32)
                moved = (logits[:, part] + shift) / self.temperature(head, lang)
                found[:, part] = np.where(inside, moved, found[:, part])
        return found


def softmax(logits: NDArray[Any]) -> NDArray[Any]:
    """Rows of probabilities."""
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: NDArray[Any] = raised / raised.sum(axis=1, keepdims=True)
    return found


def calibrate(rows: Sequence[Row], logits: Logits, abstention: float = 0.15) -> Calibration:
    """Temperatures, thresholds and the abstaining limits of sentiment and intent.

    Args:
        rows: val rows and the tuning fold, with the logits of the artefact itself (after quantisation).
        abstention: share of our messages that are called uncertain, for either reason.
    """
    found = Calibration()
    sure: dict[str, dict[int, float]] = {}
    for head, part in zip(HEADS, slices().values(), strict=True):
        places = [place for place, row in enumerate(rows) if head.key in row.targets]
        if not places:
            continue
        known, own = [rows[place] for place in places], logits[places][:, part]
        langs = [row.lang for row in known]
        if head.key == OFFSET_HEAD:
            found.offsets[head.key] = _offsets(known, own)
            own = found.apply(langs, logits[places])[:, part]
        found.temperatures[head.key] = _temperatures(head, known, own)
        own = found.apply(langs, logits[places])[:, part]
        if head.kind is Kind.ONE:
            if head.key in ABSTAINING:
                ours = [at for at, row in enumerate(known) if row.source.startswith("ours")] or list(range(len(known)))
                sure[head.key] = {
                    places[at]: float(p) for at, p in zip(ours, softmax(own).max(axis=1)[ours], strict=True)
                }
        else:
            gold = np.asarray([row.targets[head.key] for row in known])
            found.thresholds[head.key] = _thresholds(gold, 1 / (1 + np.exp(-own)))
    found.abstain_below = limits(sure, abstention) if sure else {}
    return found


def limits(sure: Mapping[str, Mapping[int, float]], share: float) -> dict[str, float]:
    """Probabilities under which an answer is uncertain, such that `share` of the messages have one: the same quantile of each.

    Args:
        sure: head -> message -> probability of the likeliest label; messages that not every head answers are left out.
    """
    both = sorted(set.intersection(*(set(known) for known in sure.values())))
    table = np.asarray([[known[place] for place in both] for known in sure.values()])
    # How far down its own head a message stands, 0 the least sure; its worst place decides.
    ranks = table.argsort(axis=1).argsort(axis=1) / table.shape[1]
    quantile = float(np.quantile(ranks.min(axis=0), share))
    return {head: round(float(np.quantile(row, quantile)), 4) for head, row in zip(sure, table, strict=True)}


def _offsets(rows: Sequence[Row], logits: NDArray[Any]) -> dict[str, list[float]]:
    """Per language, the offsets under which the labels are likeliest, our own rows and the public ones counting the same.

    Drawn towards none. Not balanced over classes: brands hear more blame than praise, and short words of blame would
    be taken for neutral ones.
    """
    gold = np.asarray([row.targets[OFFSET_HEAD] for row in rows])
    langs = np.asarray([row.lang for row in rows])
    ours = np.asarray([row.source.startswith("ours") for row in rows])
    found: dict[str, list[float]] = {ALL: [0.0] * logits.shape[1]}
    for lang in sorted(set(langs.tolist())):
        inside = langs == lang
        if inside.sum() >= _ENOUGH_ROWS and np.bincount(gold[inside], minlength=logits.shape[1]).min() >= _ENOUGH_YES:
            belief = inside.sum() / (inside.sum() + _DOUBT_ROWS)
            best = belief * _likeliest_offsets(gold[inside], logits[inside], ours[inside])
            found[lang] = [round(float(value), 4) for value in best - best.mean()]
    return found


def _likeliest_offsets(gold: NDArray[Any], logits: NDArray[Any], ours: NDArray[Any]) -> NDArray[Any]:
    wanted = np.eye(logits.shape[1])[gold]
    counts = {kind: max(1, int((ours == kind).sum())) for kind in (True, False)}
    weights = np.asarray([1 / counts[bool(kind)] for kind in ours])[:, None]
    weights = weights / weights.sum()
    offsets = np.zeros(logits.shape[1])
    for _ in range(_ROUNDS):
        offsets += _PACE * logits.shape[1] * (weights * (wanted - softmax(logits + offsets))).sum(axis=0)
    return offsets


def _temperatures(head: Head, rows: Sequence[Row], logits: NDArray[Any]) -> dict[str, float]:
    gold = np.asarray([row.targets[head.key] for row in rows])
    langs = np.asarray([row.lang for row in rows])
    found = {ALL: _best_temperature(head, gold, logits)}
    for lang in sorted(set(langs.tolist())):
        inside = langs == lang
        if inside.sum() >= _ENOUGH_ROWS:
            found[lang] = _best_temperature(head, gold[inside], logits[inside])
    return found


def _best_temperature(head: Head, gold: NDArray[Any], logits: NDArray[Any]) -> float:
    costs = [_cost(head, gold, logits / temperature) for temperature in _TEMPERATURES]
    return round(float(_TEMPERATURES[int(np.argmin(costs))]), 4)


def _cost(head: Head, gold: NDArray[Any], logits: NDArray[Any]) -> float:
    """Mean negative log-likelihood."""
    if head.kind is Kind.ONE:
        return float(-np.log(softmax(logits)[np.arange(len(gold)), gold] + 1e-12).mean())
    signed = np.where(gold == 1, logits, -logits)
    return float(np.where(gold >= 0, np.logaddexp(0, -signed), 0).sum() / max(1, (gold >= 0).sum()))


def _thresholds(gold: NDArray[Any], probabilities: NDArray[Any]) -> list[float]:
    found = []
    limits = _THRESHOLDS if gold.shape[1] > 1 else _THRESHOLDS[_THRESHOLDS >= _FLAG_LEAST]
    for column in range(gold.shape[1]):
        known = gold[:, column] >= 0
        yes = gold[known, column] == 1
        if yes.sum() < _ENOUGH_YES:
            found.append(0.5)
            continue
        f1s = [_f1(yes, probabilities[known, column] >= limit) for limit in limits]
        good = limits[np.asarray(f1s) >= max(f1s) - 0.01]  # the middle of the plateau, not its luckiest point
        found.append(round(float(np.median(good)), 3))
    return found


def _f1(yes: NDArray[Any], said: NDArray[Any]) -> float:
    hits = int((yes & said).sum())
    total = int(yes.sum() + said.sum())
    return 2 * hits / total if total else 0.0


def reliability(sure: NDArray[Any], right: NDArray[Any]) -> list[list[float]]:
    """Stated probability, hit rate and rows of each of the ten bins that holds any."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    return [
        [float(sure[bins == number].mean()), float(right[bins == number].mean()), int((bins == number).sum())]
        for number in sorted(set(bins.tolist()))
    ]


def calibration_error(sure: NDArray[Any], right: NDArray[Any]) -> float:
    """Mean gap between stated probability and hit rate over ten bins, weighted by their rows."""
    return sum(abs(stated - hit) * count for stated, hit, count in reliability(sure, right)) / len(sure)
