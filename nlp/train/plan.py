"""Which rows are seen in which order: a pure function of the rows, the rates and the seed, so that a run can resume.

A pass draws from each source its share; sources with classes are drawn flatter than they are. Passes continue through
each source where the last one stopped, so a small rate sees all rows in the end.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from nlp.train.data import Part, Row

_FLATTEN = 0.25  # a class with sixteen times the rows is drawn twice as often
_PLAIN = frozenset({"ours_freemobile_fr", "ours_trustpilot_fr_ecommerce", "ours_complaints_en", "written", "umsab"})


def passes(rows: Sequence[Row], rates: Mapping[str, float], seed: int) -> Iterator[list[int]]:
    """Endless passes; each is a list of places in `rows`, shuffled."""
    pools: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, row in enumerate(rows):
        if row.part is Part.TRAIN:
            pools[row.source, _class_of(row)].append(place)
    quotas = _quotas(pools, rates)
    queues: dict[tuple[str, str], list[int]] = {key: [] for key in pools}
    number = 0
    while True:
        dice = random.Random(f"{seed}:{number}")  # noqa: S311
        drawn: list[int] = []
        for key in sorted(pools):
            queue = queues[key]
            while len(queue) < quotas[key]:
                fresh = list(pools[key])
                dice.shuffle(fresh)
                queue.extend(fresh)
            drawn.extend(queue[: quotas[key]])
            del queue[: quotas[key]]
        dice.shuffle(drawn)
        yield drawn
        number += 1


def _class_of(row: Row) -> str:
    """Sources with one answer a row are drawn by class and language, ours whole."""
    if row.source in _PLAIN:
        return ""
    for head in ("intent", "sentiment", "toxic", "irony"):
        if head in row.targets:
            return f"{head}={row.targets[head]}"
    return ""


def _quotas(pools: Mapping[tuple[str, str], Sequence[int]], rates: Mapping[str, float]) -> dict[tuple[str, str], int]:
    totals: dict[str, int] = defaultdict(int)
    flats: dict[str, float] = defaultdict(float)
    for (source, _), places in pools.items():
        totals[source] += len(places)
        flats[source] += len(places) ** _FLATTEN
    return {
        (source, name): round(rates.get(source, 0.0) * totals[source] * len(places) ** _FLATTEN / flats[source])
        for (source, name), places in pools.items()
    }
