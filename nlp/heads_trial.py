"""One question on the bench: its head fitted under several strengths, each message judged by a fit that never saw it.

Messages fall into five folds, those of a conversation and near copies together. Fold 0 of the labels is learnt from by
nobody, now or later; the fit that leaves out fold 0 of the gold set as well is the one that would be used. Whether it is used
is decided in nlp/learn.py, what a fit is stands in heads_fit.py, how two heads are compared in heads_score.py.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nlp.artefact import ALL, Artefact, Floats, Kind, Question
from nlp.gold import UNKNOWN, Gold, Numbers
from nlp.heads_fit import Examples, Ruler, fit, losses, probabilities, together, with_ones
from nlp.heads_score import FEW, Compared, Flags, calibration_error, compare, points
from nlp.lessons import FOLDS, HELD_BACK, Lessons, Role
from nlp.products import Array

STRENGTHS = (3.0, 1.0, 0.3, 0.1, 0.03)  # what a move costs
SHARES = (0.5, 0.75, 1.0)  # how much of a move is made
REPLAYS = (1.0, 4.0)  # weight of the gold set against all that the retailer's own messages weigh
ENOUGH_HELD_BACK = 200  # held-back answers from which they judge alone; with fewer, every fold is held back in turn
_ENOUGH_GOLD = 50  # gold messages under which a language is not judged by itself
_KEPT = 0.8  # share of the shipped model's own answer in what a gold message should say; the rest is its label
_MOST_RIGHT = 0.98  # however good a head is on the gold set, some of its answers here are wrong


@dataclass(frozen=True, slots=True)
class GoldScore:
    """Macro-F1 in points on the gold messages of one language, or of all together (``*``).

    Attributes:
        unseen: before and after, each message judged by a fit that did not replay it.
        after: by the head that would be used, which replayed four messages of five.
    """

    lang: str
    unseen: Compared
    after: float

    @property
    def lost(self) -> float:
        """Points that count against the head.

        Of the head itself, in each language. Unseen, of all languages together; in one language alone as little as chance
        allows, for the F1 of a few hundred messages moves by more than the half point that is asked about.
        """
        unseen = self.unseen.gain if self.lang == ALL else self.unseen.high
        return max(self.unseen.before - self.after, -unseen)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Fits under one strength and replay, and how far to follow them.

    Attributes:
        settings: strength, replay and share.
        head: the one that would be used, labels x (hidden + 1).
        own, gold: calibrated logits of each message by a fit that never saw it.
        gold_after: by the head that would be used.
    """

    settings: tuple[float, float, float]
    head: Array
    own: Array
    gold: Array
    gold_after: Array


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What all questions share: vectors of the lessons and of the gold set, as they are and turned by the ruler."""

    own: Floats
    gold: Floats
    ruler: Ruler
    own_turned: Array
    gold_turned: Array

    @classmethod
    def of(cls, own: Floats, gold: Floats) -> "Shared":
        """From vectors, n x hidden."""
        ruler = Ruler.of(gold)
        return cls(own, gold, ruler, ruler.turned(own), ruler.turned(gold))


class Bench:
    """One question with everything that its head is tried on.

    Args:
        shipped, in_use: its head, labels x (hidden + 1), as shipped and as it stands.
    """

    def __init__(
        self,
        artefact: Artefact,
        question: Question,
        lessons: Lessons,
        gold: Gold,
        shared: Shared,
        shipped: Array,
        in_use: Array,
    ) -> None:
        self.question, self._kind, self._lessons = question, question.kind, lessons
        self._asked, self._ruler, self._shipped = lessons.asked[question.key], shared.ruler, shipped
        self._limits = np.asarray(artefact.thresholds.get(question.key, (0.5,) * len(question.labels)))
        self.labelled, self.left = self._asked.labelled, self._asked.roles == Role.LEFT
        offsets, divisors = self._calibrations(artefact, np.asarray(lessons.langs))
        raw = with_ones(shared.own)
        self._rows = self._examples(shared.own_turned, raw @ shipped.T + offsets, divisors, self._asked.answers)
        self._before = (raw @ in_use.T + offsets) / divisors
        answers = gold.answers[question.key]
        offsets, divisors = self._calibrations(artefact, gold.langs)
        base = with_ones(shared.gold) @ shipped.T + offsets
        self._gold = self._examples(shared.gold_turned, base, divisors, answers)
        self._gold_before = base / divisors
        self._gold_langs, self._gold_known = gold.langs, (answers != UNKNOWN).all(axis=1)
        self._gold_folds = np.random.default_rng(1).permutation(len(answers)) % FOLDS

    def _calibrations(self, artefact: Artefact, langs: NDArray[np.str_]) -> tuple[Array, Array]:
        key, count = self.question.key, len(self.question.labels)
        heat, shift = artefact.temperatures.get(key, {}), artefact.offsets.get(key, {})
        nothing = [0.0] * count
        offsets = np.asarray([shift.get(lang, shift.get(ALL, nothing)) for lang in langs], np.float64)
        divisors = np.asarray([heat.get(lang, heat.get(ALL, 1.0)) for lang in langs], np.float64)
        return offsets.reshape(-1, count), divisors.reshape(-1, 1)

    def _examples(self, turned: Array, base: Array, divisors: Array, answers: Numbers) -> Examples:
        flags = (answers == 1) if self._kind is Kind.MANY else (answers == np.arange(base.shape[1]))
        known = np.broadcast_to(answers != UNKNOWN, base.shape).astype(np.float64)
        return Examples(turned, base, divisors, flags.astype(np.float64), known)

    def _said(self, scores: Array) -> Flags:
        if self._kind is Kind.MANY:
            found: Flags = probabilities(self._kind, scores) >= self._limits
            return found
        chosen: Flags = scores.argmax(axis=1)[:, None] == np.arange(scores.shape[1])
        return chosen

    # -- what there is -----------------------------------------------------------------------------------------------------

    @cached_property
    def free(self) -> Flags:
        """Labels that enough answers to learn from hold, and, where each stands for itself, enough do not."""
        used = self.labelled & (self._lessons.folds != HELD_BACK)
        there = self._rows.targets[used].sum(axis=0)
        enough: Flags = there >= FEW
        return enough & (used.sum() - there >= FEW) if self._kind is Kind.MANY else enough

    @cached_property
    def _left_weight(self) -> float:
        # Such that wrong tags are no likelier among the rows of the desk than on the gold set; never above an answer's own.
        return min(1.0, self._right_missing(self.labelled) / max(1, int(self.left.sum())))

    def _right_missing(self, rows: Flags) -> float:
        """Right tags that the desk would have confirmed beside these corrections, were it asked about all that it reads."""
        hits = (self._said(self._gold_before) == (self._gold.targets == 1))[self._gold_known].all(axis=1)
        right = min(_MOST_RIGHT, float(hits.mean()))
        roles, trust = self._asked.roles[rows], self._asked.trust[rows]
        wrong = float(trust[roles == Role.CORRECTED].sum())
        return max(0.0, wrong * right / (1 - right) - float(trust[roles == Role.CONFIRMED].sum()))

    @cached_property
    def _own(self) -> Examples:
        # People's answers, and for what they left alone the probabilities that stood there: nothing to gain by moving.
        targets = np.where(self.left[:, None], probabilities(self._kind, self._before), self._rows.targets)
        weights = np.where(self.left, self._left_weight, self._asked.trust)[:, None] * np.ones_like(targets)
        return replace(self._rows, targets=targets, weights=weights)

    @cached_property
    def _replayed(self) -> Examples:
        # Labels alone would move much that the retailer never asked about; answers alone would keep known mistakes.
        own_answer = probabilities(self._kind, self._gold_before)
        return replace(self._gold, targets=_KEPT * own_answer + (1 - _KEPT) * self._gold.targets)

    # -- fitting -----------------------------------------------------------------------------------------------------------

    def runs(self) -> list[Run]:
        """Every strength, replay and share; first the one that fits best what it had not learnt from."""
        found: list[Run] = []
        for replay in REPLAYS:
            moves: list[Array | None] = [None] * FOLDS
            for strength in STRENGTHS:
                moves = [self._move(fold, strength, replay, moves[fold]) for fold in range(FOLDS)]
                found += self._runs(strength, replay, [move for move in moves if move is not None])
        return sorted(found, key=self._cost)

    def _move(self, fold: int, strength: float, replay: float, begin: Array | None) -> Array:
        folds = self._lessons.folds
        mine = self._own.part((folds != HELD_BACK) & (folds != fold) & (self.labelled | self.left))
        replayed = self._replayed.part(self._gold_folds != fold)
        weight = replay * float(mine.weights.sum()) / max(float(replayed.weights.sum()), 1e-9)
        return fit(self._kind, together(mine, replayed.weighted(weight)), strength, self.free, begin)

    def _runs(self, strength: float, replay: float, moves: Sequence[Array]) -> Iterator[Run]:
        start, gold_start = self._rows.base / self._rows.divisors, self._gold_before
        own, known = np.zeros_like(start), np.zeros_like(gold_start)
        for fold, move in enumerate(moves):
            mine, theirs = self._lessons.folds == fold, self._gold_folds == fold
            own[mine], known[theirs] = self._rows.part(mine).scores(move), self._gold.part(theirs).scores(move)
        head, after = self._ruler.back(moves[0]), self._gold.scores(moves[0])
        for share in SHARES:  # scores are linear in the move
            yield Run(
                (strength, replay, share),
                self._shipped + share * head,
                start + share * (own - start),
                gold_start + share * (known - gold_start),
                gold_start + share * (after - gold_start),
            )

    def _cost(self, run: Run) -> float:
        """Mean loss on the messages to learn from, each by a fit that left it out."""
        used = self._lessons.folds != HELD_BACK
        total = losses(self._kind, run.own, self._own.targets) * self._own.weights
        return float(total[used].sum() / max(float(self._own.weights[used].sum()), 1e-9))

    # -- judging -----------------------------------------------------------------------------------------------------------

    def _counted(self, truth: Flags) -> Flags | None:
        counted: Flags = truth.sum(axis=0) >= FEW
        return counted if counted.sum() >= (2 if self._kind is Kind.ONE else 1) else None

    def gold_scores(self, run: Run) -> tuple[GoldScore, ...]:
        """Of all languages together, and of each that holds enough messages."""
        truth, found = self._gold.targets == 1, []
        was, now, then = (self._said(scores) for scores in (self._gold_before, run.gold, run.gold_after))
        for lang in (ALL, *sorted(set(self._gold_langs.tolist()))):
            rows = self._gold_known & ((self._gold_langs == lang) | (lang == ALL))
            count, counted = int(rows.sum()), self._counted(truth[rows])
            if count >= _ENOUGH_GOLD:
                even, alone = np.ones(count), np.arange(count)
                unseen = compare(truth[rows], was[rows], now[rows], even, alone, counted=counted, n=count)
                found.append(GoldScore(lang, unseen, points(truth[rows], then[rows], counted)))
        return tuple(found)

    @property
    def crossed(self) -> bool:
        """Whether every fold is held back in turn, the held-back fifth alone being too small."""
        return int((self.labelled & (self._lessons.folds == HELD_BACK)).sum()) < ENOUGH_HELD_BACK

    @property
    def _judged(self) -> Flags:
        # Messages that neither the new head nor the one in use has learnt from.
        held: Flags = self._lessons.folds == HELD_BACK
        return held | ~self._asked.met if self.crossed else held

    def compared(self, run: Run) -> Compared:
        """The head in use and the new one on messages that neither has learnt from.

        Messages that were left alone count as right. Where too few were, gold messages that were right stand in for them:
        a head that mends every correction by spoiling everything else must not look good.
        """
        told, left, truth = self._judged & self.labelled, self._judged & self.left, self._rows.targets == 1
        was, now = self._said(self._before), self._said(run.own)
        gold_was, gold_now = self._said(self._gold_before), self._said(run.gold)
        stand_in = self._stand_in(gold_was, told)
        missing = max(0.0, self._right_missing(told) - self._left_weight * int(left.sum()))
        weights = [self._asked.trust[told], np.full(int(left.sum()), self._left_weight)]
        weights.append(np.full(int(stand_in.sum()), missing / max(1, int(stand_in.sum()))))
        groups = [self._lessons.groups[told], self._lessons.groups[left], -1 - np.flatnonzero(stand_in)]
        return compare(
            np.concatenate([truth[told], was[left], gold_was[stand_in]]),
            np.concatenate([was[told], was[left], gold_was[stand_in]]),
            np.concatenate([now[told], now[left], gold_now[stand_in]]),
            np.concatenate(weights),
            np.concatenate(groups),
            counted=self._counted(truth[told]),
            n=int(told.sum()),
        )

    def _stand_in(self, gold_was: Flags, told: Flags) -> Flags:
        right: Flags = (gold_was == (self._gold.targets == 1)).all(axis=1) & self._gold_known
        spoken = right & np.isin(self._gold_langs, sorted(set(np.asarray(self._lessons.langs)[told].tolist())))
        return spoken if spoken.sum() >= _ENOUGH_GOLD else right

    def calibration(self, run: Run) -> tuple[float, float]:
        """Expected calibration error before and after, on gold messages and on drawn ones, none of them learnt from.

        Labels of the desk have no say: they are no fair sample of what is right.
        """
        told, known = self._judged & (self._asked.roles == Role.DRAWN), self._gold_known
        truth = np.concatenate([self._rows.targets[told], self._gold.targets[known]]) == 1
        before, after = (
            self._calibration(np.concatenate([own[told], gold[known]]), truth)
            for own, gold in ((self._before, self._gold_before), (run.own, run.gold))
        )
        return before, after

    def _calibration(self, scores: Array, truth: Flags) -> float:
        stated = probabilities(self._kind, scores)
        if self._kind is Kind.MANY:
            return calibration_error(stated.ravel(), truth.ravel())
        best = stated.argmax(axis=1)
        return calibration_error(stated.max(axis=1), truth[np.arange(len(truth)), best])

    def gold_pairs(self, run: Run) -> Iterator[tuple[str, Flags, Flags, float | None]]:
        """(language, said, right, probability of what was said) of each gold message, by a fit that did not replay it."""
        stated, said = probabilities(self._kind, run.gold), self._said(run.gold)
        for place in np.flatnonzero(self._gold_known).tolist():
            p = float(stated[place].max()) if self._kind is Kind.ONE else None
            yield str(self._gold_langs[place]), said[place], self._gold.targets[place] == 1, p
