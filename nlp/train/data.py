"""The rows that the model learns from, is chosen on, and is reported on; never one text in two of these parts.

`load` reads every set of the data folder through `SOURCES` (sources.py), joins our labels by row, cuts our labels into
folds, and drops from the training part whatever stands, word for word, in a held-back part. Data sets are not shipped.
"""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from nlp import folds

HELD_BACK = frozenset({0, 1})  # folds of our labels that are reported
TUNING = frozenset({2})  # fold of our labels on which thresholds and temperatures are chosen
Target = int | tuple[int, ...]


class Part(StrEnum):
    """What a row is for."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Row:
    """One text and what is known of it.

    Attributes:
        text: as the analyzer sees it: normalised, masked, clipped.
        targets: head -> class number, or one number a label (1 yes, 0 no, -1 not known).
        weight: how far its labels are trusted, 0..1.
        source: set that it comes from, the key of its sampling rate.
        number: line of its file, from 0; -1 where nobody needs it.
    """

    text: str
    lang: str
    part: Part
    source: str
    targets: dict[str, Target] = field(default_factory=dict)
    weight: float = 1.0
    number: int = -1


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Objects of a JSON-lines file, `.gz` or not."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def load(folder: Path) -> list[Row]:
    """Every row of every set, once, with the part that it belongs to."""
    from nlp.train import ours, sources

    rows = list(ours.rows(folder))
    for source in sources.SOURCES:
        rows.extend(source.rows(folder))
    return without_leaks(rows)


def without_leaks(rows: Iterable[Row]) -> list[Row]:
    """The rows without training texts that are held back elsewhere, and without val texts that are tested elsewhere.

    Among training rows of one source, later copies of a text are dropped too.
    """
    rows = list(rows)
    keys = [folds.text_key(row.text) for row in rows]
    tested = {key for row, key in zip(rows, keys, strict=True) if row.part is Part.TEST}
    held = tested | {key for row, key in zip(rows, keys, strict=True) if row.part is Part.VAL}
    kept, seen = [], set()
    for row, key in zip(rows, keys, strict=True):
        if row.part is Part.TRAIN:
            if key in held or (row.source, key) in seen:
                continue
            seen.add((row.source, key))
        elif row.part is Part.VAL and key in tested:
            continue
        kept.append(row)
    return kept
