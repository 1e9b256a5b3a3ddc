"""Which texts belong together, and which part of our labels is held back: near-duplicates never straddle a fold.

Texts with the same key are the same text; texts that share most of their three-word runs are near-duplicates. Groups
are drawn by a seeded hash, so a fold does not move when rows are added elsewhere.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence

from nlp.text import fold as folded

FOLDS = 10
_RUN = 3
_COMMON = 40  # a run seen in more texts than this tells nothing
_WORD = re.compile(r"[^\W_]+")
_MASKS = frozenset({"user", "http", "https", "rt", "mail"})


def text_key(text: str) -> str:
    """What makes two texts the same: folded words, without masks, digits or marks; the raw text where none is left."""
    words = [word for word in _WORD.findall(folded(text)) if word not in _MASKS and not word.isdigit()]
    return " ".join(words) or text.strip()


def groups(texts: Sequence[str], threads: Sequence[str] | None = None, likeness: float = 0.5) -> list[int]:
    """One number a text, equal for texts of one author or thread, for copies, and for near-copies.

    Args:
        threads: author or thread of each text, "" where unknown.
        likeness: share of common three-word runs (Jaccard) from which two texts are near-copies.
    """
    parent = list(range(len(texts)))

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(one: int, other: int) -> None:
        low, high = sorted((root(one), root(other)))
        parent[high] = low

    keys = [text_key(text) for text in texts]
    first: dict[str, int] = {}
    for place, key in enumerate(keys):
        join(place, first.setdefault("k:" + key, place))
        if threads and threads[place]:
            join(place, first.setdefault("t:" + threads[place], place))
    for one, other in _near_copies(keys, likeness):
        join(one, other)
    return [root(place) for place in range(len(texts))]


def _near_copies(keys: Sequence[str], likeness: float) -> list[tuple[int, int]]:
    runs = [_runs(key) for key in keys]
    holders: dict[str, list[int]] = defaultdict(list)
    for place, mine in enumerate(runs):
        for run in sorted(mine):
            holders[run].append(place)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for places in holders.values():
        if 1 < len(places) <= _COMMON:
            for at, one in enumerate(places):
                for other in places[at + 1 :]:
                    shared[one, other] += 1
    return [
        (one, other)
        for (one, other), count in shared.items()
        if count >= likeness * (len(runs[one]) + len(runs[other]) - count)
    ]


def _runs(key: str) -> frozenset[str]:
    words = key.split()
    return frozenset(" ".join(words[at : at + _RUN]) for at in range(len(words) - _RUN + 1))


def draw(name: str, seed: int = 1, count: int = FOLDS) -> int:
    """Fold 0..count-1 of the group called `name`."""
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % count
