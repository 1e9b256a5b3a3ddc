"""Our own labels as rows: real messages joined to their labels by line, and the written ones, for training only.

The guide that the labels follow is docs/labels.md. Folds are drawn by near-duplicate group; see folds.py.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from nlp import folds
from nlp.embedded import prepare, whole_text
from nlp.train.data import HELD_BACK, TUNING, Part, Row, Target, read_lines
from nlp.train.heads import HEAD_BY_KEY, Kind

REAL = ("freemobile_fr.jsonl", "trustpilot_fr_ecommerce.jsonl.gz", "complaints_en.jsonl.gz")
WRITTEN = "written_retail.jsonl"
HERE = Path(__file__).with_name("written")
WRITTEN_WEIGHT = 0.7  # one hand, tidier than real messages


def rows(folder: Path) -> Iterator[Row]:
    """All labelled messages; real ones fall into train, val or test by fold, written ones into train."""
    for fold, row in by_fold(folder):
        yield replace(row, part=part_of(fold))
    yield from written(folder)


def by_fold(folder: Path) -> Iterator[tuple[int, Row]]:
    """Real messages with the number of their fold, as rows of no part in particular."""
    joined = list(_joined(folder))
    texts = [prepare(text) for text, _, _, _ in joined]
    numbers = folds.groups(texts, [thread for _, _, thread, _ in joined])
    for (_, label, _, source), text, number in zip(joined, texts, numbers, strict=True):
        if not text:
            continue
        row = Row(text, label["lang"], Part.TRAIN, source, targets(label), number=label["row"])
        yield folds.draw(folds.text_key(texts[number])), row


def written(folder: Path) -> Iterator[Row]:
    """Messages that were written for training, those of the data folder and ours beside this file."""
    for path in (folder / "labels" / WRITTEN, *sorted(HERE.glob("*.jsonl"))):
        for label in read_lines(path):
            yield Row(prepare(label["text"]), label["lang"], Part.TRAIN, "written", targets(label), WRITTEN_WEIGHT)


def _joined(folder: Path) -> Iterator[tuple[str, dict[str, Any], str, str]]:
    for name in REAL:
        texts = list(read_lines(folder / name))
        stem = name.split(".")[0]
        for label in read_lines(folder / "labels" / f"{stem}.jsonl"):
            message = texts[label["row"]]
            thread = str(message.get("author") or message.get("thread") or "")
            yield (
                whole_text(str(message.get("title") or ""), str(message["text"])),
                {**label, "lang": message["lang"]},
                thread,
                f"ours_{stem}",
            )


def part_of(fold: int) -> Part:
    """What a fold of our labels is for."""
    if fold in HELD_BACK:
        return Part.TEST
    return Part.VAL if fold in TUNING else Part.TRAIN


def targets(label: dict[str, Any]) -> dict[str, Target]:
    """The answers to every head that a label gives."""
    found: dict[str, Target] = {
        "sentiment": index("sentiment", label["sentiment"]),
        "intent": index("intent", label["intent"]),
        "secondary": flags("secondary", label["secondary"]),
        "aspects": flags("aspects", label["aspects"]),
        "urgency": int(label["urgency"]),
    }
    for key in ("churn", "toxic", "irony", "directed"):
        found[key] = (int(label[key]),)
    return found


def index(head: str, label: str) -> int:
    """Class number of a label."""
    return HEAD_BY_KEY[head].labels.index(label)


def flags(head: str, labels: Iterable[str]) -> tuple[int, ...]:
    """One number a label: 1 where it is among `labels`, 0 elsewhere."""
    if HEAD_BY_KEY[head].kind is not Kind.MANY:
        raise ValueError(f"{head} has one answer, not several.")
    present = set(labels)
    return tuple(int(name in present) for name in HEAD_BY_KEY[head].labels)
