"""Choosing few that stand for many: vectors of messages, and one message from each cluster of them. Pure; no SQL.

Vectors are what the model drew of each text (`Signals.sketch`) or, without that, counts of words. To cluster on something
else, write one more function that makes vectors.
"""

from collections.abc import Iterable, Mapping, Sequence
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

_WORD_BUCKETS = 256
_ROUNDS = 10

Vectors = NDArray[np.float32]


def of_sketches(sketches: Sequence[bytes | None]) -> Vectors | None:
    """One row a text; None where the model draws no sketches, or where two models speak and they cannot be compared."""
    sizes = {len(sketch) if sketch else 0 for sketch in sketches}
    if len(sizes) > 1 or 0 in sizes:
        return None
    return np.stack([np.frombuffer(sketch or b"", "<f2").astype(np.float32) for sketch in sketches])


def of_words(texts: Iterable[Sequence[str]]) -> Vectors:
    """Counts of words in a few hundred buckets: texts that share words lie close."""
    rows = []
    for words in texts:
        row = np.zeros(_WORD_BUCKETS, np.float32)
        for word in words:
            row[crc32(word.encode("utf-8", "replace")) % _WORD_BUCKETS] += 1
        rows.append(row)
    return np.sqrt(np.stack(rows))


def spread(vectors: Vectors, count: int) -> list[int]:
    """At most `count` places, ascending: the first of each cluster (k-means, on directions); places are given best first."""
    known = np.nan_to_num(vectors, posinf=0.0, neginf=0.0)
    points = known - known.mean(axis=0)
    points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-6)
    centres = points[_starts(points, count)]
    nearest = np.zeros(len(points), int)
    for _ in range(_ROUNDS):
        nearest = np.argmax(points @ centres.T, axis=1)
        for cluster in np.unique(nearest):
            mean = points[nearest == cluster].mean(axis=0)
            centres[cluster] = mean / max(float(np.linalg.norm(mean)), 1e-6)
    first: Mapping[int, int] = {int(nearest[place]): place for place in reversed(range(len(points)))}
    chosen = sorted(first.values())[:count]
    taken = set(chosen)  # copies of one text make fewer clusters than asked: the best of the others fill up
    rest = [place for place in range(len(points)) if place not in taken]
    return sorted(chosen + rest[: count - len(chosen)])


def _starts(points: Vectors, count: int) -> list[int]:
    # Far from each other, by chance weighted with the distance (k-means++); the dice are the same each time.
    dice = np.random.default_rng(7)
    chosen = [0]
    gaps = 1 - points @ points[0]
    while len(chosen) < min(count, len(points)):
        weights = np.maximum(gaps, 0)
        total = float(weights.sum())
        if total <= 1e-6:
            break
        chosen.append(int(dice.choice(len(points), p=weights / total)))
        gaps = np.minimum(gaps, 1 - points @ points[chosen[-1]])
    return chosen
