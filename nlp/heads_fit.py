"""Moving the head of one question towards answers: regularised logistic regression in numpy, the same numbers every time.

The loss is that of the probabilities which people are shown: calibration (offset and temperature) stands inside it, so what
comes out needs none of its own. A move costs what it changes on known messages (`Ruler`), not its length. What is learnt
from, and whether the result is any good, is decided in heads_trial.py and learn.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from nlp.artefact import Kind
from nlp.products import Array, crossed, product

Loss = Callable[[Array], tuple[float, Array]]

_STEPS, _MEMORY = 120, 10
_STILL = 1e-6  # relative gain of a step under which it is the last
_RIDGE = 0.003  # share of a plain ridge in the price of a move: directions that no known message has are not free


@dataclass(frozen=True, slots=True, eq=False)
class Ruler:
    """Turns vectors so that the length of a move is the mean square by which it moves logits of known messages.

    Directions that matter to known messages are dear, those that only new words take are cheap: what is learnt about a
    product's name leaves alone what was known before. As the Fisher penalty of Kirkpatrick et al. 2017, "Overcoming
    catastrophic forgetting in neural networks", for a linear layer, without its weighting by doubt.
    """

    turn: Array

    @classmethod
    def of(cls, features: NDArray[np.float32]) -> "Ruler":
        """From the vectors of known messages, n x hidden."""
        known = with_ones(features)
        moment = known.T @ known / len(known)
        price = moment + _RIDGE * np.trace(moment) / len(moment) * np.eye(len(moment))
        return cls(np.linalg.inv(np.linalg.cholesky(price)).T)

    def turned(self, features: NDArray[np.float32]) -> Array:
        """n x hidden -> n x (hidden + 1)."""
        found: Array = with_ones(features) @ self.turn
        return found

    def back(self, move: Array) -> Array:
        """A move in turned vectors as one of a head, labels x (hidden + 1), the last column the bias."""
        found: Array = move @ self.turn.T
        return found


def with_ones(features: NDArray[np.float32]) -> Array:
    """n x hidden -> n x (hidden + 1), for the bias."""
    return np.concatenate([features.astype(np.float64), np.ones((len(features), 1))], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Messages with what their answers should be.

    Attributes:
        features: n x (hidden + 1), turned.
        base: logits before any move, offsets added, n x labels.
        divisors: temperatures, n x 1.
        targets: n x labels, probabilities that are aimed at.
        weights: n x labels, 0 where nothing is known; the same along a row where there is one answer of several.
    """

    features: Array
    base: Array
    divisors: Array
    targets: Array
    weights: Array

    def scores(self, move: Array) -> Array:
        """Calibrated logits of these messages after a move (labels x (hidden + 1))."""
        found: Array = (product(self.features, move.T) + self.base) / self.divisors
        return found

    def part(self, rows: NDArray[np.bool_]) -> "Examples":
        """Some of them."""
        return Examples(*(getattr(self, one.name)[rows] for one in fields(Examples)))

    def weighted(self, factors: Array | float) -> "Examples":
        """The same with their weights multiplied, by one factor or a factor a row."""
        return replace(self, weights=self.weights * np.reshape(factors, (-1, 1)))


def together(*parts: Examples) -> Examples:
    """All of them as one."""
    return Examples(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(Examples)))


def probabilities(kind: Kind, scores: Array) -> Array:
    """Calibrated logits -> shares that sum to 1, or a probability a label."""
    if kind is Kind.MANY:
        flags: Array = 1 / (1 + np.exp(-scores))
        return flags
    shares: Array = np.exp(_log_shares(scores))
    return shares


def losses(kind: Kind, scores: Array, targets: Array) -> Array:
    """Negative log-likelihood, n x labels; rows sum to the loss of a message."""
    if kind is Kind.ONE:
        found: Array = -targets * _log_shares(scores)
        return found
    each: Array = np.logaddexp(0, scores) - targets * scores
    return each


def _log_shares(scores: Array) -> Array:
    centred = scores - scores.max(axis=1, keepdims=True)
    found: Array = centred - np.log(np.exp(centred).sum(axis=1, keepdims=True))
    return found


def fit(kind: Kind, examples: Examples, strength: float, free: NDArray[np.bool_], begin: Array | None = None) -> Array:
    """The move that explains the examples best, counting what it costs; labels x (hidden + 1), turned.

    Args:
        strength: weight of the cost against the mean loss of an example.
        free: labels whose numbers may move.
        begin: a move near to it, where one is known; the end is the same, and comes sooner.
    """
    shape = (examples.base.shape[1], examples.features.shape[1])
    first = np.zeros(shape) if begin is None else begin
    share = examples.weights / np.maximum(examples.weights.sum(axis=0), 1e-12)
    slope = share / examples.divisors

    def loss(flat: Array) -> tuple[float, Array]:
        move = flat.reshape(shape)
        scores = examples.scores(move)
        value = (share * losses(kind, scores, examples.targets)).sum() + strength * (flat @ flat) / 2
        errors = slope * (probabilities(kind, scores) - examples.targets)
        gradient = crossed(errors, examples.features) + strength * move
        gradient[~free] = 0
        return float(value), gradient.ravel()

    return minimise(loss, first.ravel()).reshape(shape)


def minimise(loss: Loss, start: Array) -> Array:
    """Where a smooth convex loss is least. Source: Nocedal & Wright 2006, "Numerical Optimization", algorithm 7.5 (L-BFGS)."""
    place, (value, gradient) = start, loss(start)
    memory: list[tuple[Array, Array]] = []
    for _ in range(_STEPS):
        direction = -_curved(gradient, memory)
        length, slope = 1.0, float(gradient @ direction)
        if slope >= 0:
            break
        while True:
            there = place + length * direction
            new_value, new_gradient = loss(there)
            if new_value <= value + 1e-4 * length * slope or length < 1e-9:
                break
            length /= 2
        step, change = there - place, new_gradient - gradient
        if step @ change > 1e-16:
            memory = [*memory[1 - _MEMORY :], (step, change)]
        gain, place, value, gradient = value - new_value, there, new_value, new_gradient
        if gain <= _STILL * max(abs(value), 1e-6):
            break
    return place


def _curved(gradient: Array, memory: list[tuple[Array, Array]]) -> Array:
    # The gradient times the inverse curvature that the last steps let one guess.
    found, shares = gradient.copy(), []
    for step, change in reversed(memory):
        share = float(step @ found) / float(step @ change)
        found -= share * change
        shares.append(share)
    if memory:
        step, change = memory[-1]
        found *= float(step @ change) / float(change @ change)
    else:
        found /= max(1.0, float(np.linalg.norm(gradient)))
    for (step, change), share in zip(memory, reversed(shares), strict=True):
        found += (share - float(change @ found) / float(step @ change)) * step
    return found
