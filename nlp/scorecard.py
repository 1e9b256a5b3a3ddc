"""How good an analyzer is on the data folder, on one page: `python -m nlp.scorecard DATA_FOLDER [--analyzer KEY] [--json]`.

Which rows are measured is decided here (SETS), how they are measured in nlp/evaluate.py. No official test part is read,
and of our labels only the odd rows: the even ones may be learnt from, as nlp/lexicon_weights.py does. To measure one
more set, add a row to SETS.
"""

import argparse
import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from domain.analysis import Analysis, ModelRef, Sentiment
from domain.contracts import Analyzer
from domain.errors import ComptoirError, InputError
from domain.mention import Mention
from nlp import build
from nlp.evaluate import Scores, Task, evaluate, read_rows

Row = dict[str, Any]

LABELLED = ("freemobile_fr", "trustpilot_fr_ecommerce", "complaints_en")
LABEL_TASKS = tuple(task for task in Task if task is not Task.LANG)
UMSAB_LANGS = ("fr", "en", "de", "es", "it", "pt")
_TOGETHER = "all three together"
_SECOND_READER = "labels/second_reader.jsonl"
_PLAIN_WIDTH = 120  # columns of a table that goes to a file


def is_measured(row: Row) -> bool:
    """True for the rows of our labels that nothing may be fitted on: the odd ones."""
    return bool(row["row"] % 2)


def labelled_rows(folder: Path, name: str) -> list[Row]:
    """All rows of one set of our labels, each with text, title and language of its source line.

    Raises:
        InputError: a file cannot be read, or a label points to no line.
    """
    texts = dict(_numbered(_file(folder, f"{name}.jsonl")))
    rows = []
    for label in _labels(folder, name):
        source = texts.get(label["row"])
        if source is None:
            raise InputError(f"labels/{name}.jsonl speaks of row {label['row']}, which {name}.jsonl does not have.")
        rows.append({key: source.get(key) for key in ("text", "title", "lang")} | label)
    return rows


def _labels(folder: Path, name: str) -> Iterator[Row]:
    for number, label in _numbered(folder / "labels" / f"{name}.jsonl"):
        if not isinstance(label.get("row"), int):
            raise InputError(f"labels/{name}.jsonl, line {number + 1}: a label needs the “row” that it speaks of.")
        yield label


def _file(folder: Path, name: str) -> Path:
    """The file, or its compressed form where only that is there."""
    packed = folder / f"{name}.gz"
    return packed if packed.exists() and not (folder / name).exists() else folder / name


def _numbered(path: Path) -> Iterator[tuple[int, Row]]:
    # Our labels name lines, blank ones included, and need no text of their own: hence not nlp.evaluate.read_rows.
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as lines:
            for number, line in enumerate(lines):
                if line.strip():
                    yield number, json.loads(line)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read ({error}). Give a UTF-8 file of JSON lines.") from error


def _odd_rows(names: Sequence[str], folder: Path) -> list[Row]:
    return [row for name in names for row in labelled_rows(folder, name) if is_measured(row)]


def _public_rows(name: str, wanted: Mapping[str, str], folder: Path) -> list[Row]:
    """Rows of a public set whose fields are as wanted, their label as sentiment."""
    return [
        {"text": row["text"], "sentiment": row["label"]}
        for row in read_rows(_file(folder, f"{name}.jsonl"))
        if row.get("label") in set(Sentiment) and all(row.get(key) == value for key, value in wanted.items())
    ]


@dataclass(frozen=True, slots=True)
class MeasuredSet:
    """Rows that are measured together.

    Attributes:
        which: which rows of the files (odd, val, all), for the reader of the table.
        files: what has to be in the folder, `.gz` or not.
        rows: data folder -> rows with the gold labels of `tasks`.
    """

    key: str
    which: str
    files: tuple[str, ...]
    tasks: tuple[Task, ...]
    rows: Callable[[Path], list[Row]]


def _ours(key: str, *names: str) -> MeasuredSet:
    files = tuple(file for name in names for file in (f"labels/{name}.jsonl", f"{name}.jsonl"))
    return MeasuredSet(key, "odd", files, LABEL_TASKS, partial(_odd_rows, names))


def _public(key: str, which: str, name: str, **wanted: str) -> MeasuredSet:
    return MeasuredSet(key, which, (f"{name}.jsonl",), (Task.SENTIMENT,), partial(_public_rows, name, wanted))


SETS: tuple[MeasuredSet, ...] = (
    *(_ours(name, name) for name in LABELLED),
    _ours(_TOGETHER, *LABELLED),
    _public("airline_sentiment", "all", "airline_sentiment"),
    *(_public(f"umsab {lang}", "val", "umsab", split="val", lang=lang) for lang in UMSAB_LANGS),
    _public("tweeteval_sentiment", "val", "tweeteval_sentiment", split="val"),
)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How often two careful readers say the same; much above it, an analyzer has learnt one reader, not the truth.

    Attributes:
        share: 0..1, comparable with `Scores.accuracy`.
        n: messages that both have read, even rows too.
    """

    share: float
    n: int


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the card."""

    key: str
    which: str
    scores: Scores
    readers: Agreement | None = None


@dataclass(frozen=True, slots=True)
class Scorecard:
    """What was measured of which model; `skipped` says in sentences what was not, and why."""

    model: ModelRef
    lines: tuple[Line, ...]
    skipped: tuple[str, ...]


class ReadOnce:
    """Asks an analyzer once for each text, however many tasks and sets hold it; analyzers are pure."""

    def __init__(self, analyzer: Analyzer) -> None:
        self.model = analyzer.model
        self._analyzer = analyzer
        self._known: dict[tuple[str, str], Analysis] = {}

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        new = {_key(mention): mention for mention in mentions if _key(mention) not in self._known}
        self._known.update(zip(new, self._analyzer.analyze(list(new.values())), strict=True))
        return [replace(self._known[_key(mention)], mention_id=mention.id) for mention in mentions]


def _key(mention: Mention) -> tuple[str, str]:
    return mention.title, mention.text


def measure(analyzer: Analyzer, folder: Path) -> Scorecard:
    """Every set whose files are in the folder, in the order of SETS.

    Raises:
        InputError: a file that is there cannot be read, or none is there.
    """
    reader = ReadOnce(analyzer)
    agreements, skipped = _agreements(folder)
    lines: list[Line] = []
    for measured in SETS:
        absent = [name for name in measured.files if not _file(folder, name).exists()]
        rows = [] if absent else measured.rows(folder)
        tasks = [task for task in measured.tasks if any(row.get(task.value) is not None for row in rows)]
        lines += [
            Line(measured.key, measured.which, evaluate(reader, rows, task), agreements.get((measured.key, task)))
            for task in tasks
        ]
        if absent:
            skipped.append(f"{measured.key}: skipped, for {', '.join(absent)} is not in the folder.")
        elif not tasks:
            skipped.append(
                f"{measured.key}: skipped, for its files hold no labelled row to measure ({measured.which})."
            )
    if not lines:
        raise InputError(f"Nothing in {folder} can be measured. Give the folder that holds the labelled data.")
    return Scorecard(reader.model, tuple(lines), tuple(skipped))


def _agreements(folder: Path) -> tuple[dict[tuple[str, Task], Agreement], list[str]]:
    """(set, task) -> agreement, and what is missing for it."""
    if not (folder / _SECOND_READER).exists():
        return {}, [f"Two readers agree: left empty, for {_SECOND_READER} is not in the folder."]
    first: dict[tuple[str, Any], Row] = {
        (name, label["row"]): label
        for name in LABELLED
        if (folder / "labels" / f"{name}.jsonl").exists()
        for label in _labels(folder, name)
    }
    same: dict[tuple[str, Task], list[bool]] = defaultdict(list)
    for _, second in _numbered(folder / _SECOND_READER):
        source = str(second.get("source"))
        label = first.get((source, second.get("row")), {})
        for task in LABEL_TASKS:
            if label.get(task.value) is not None and second.get(task.value) is not None:
                equal = _comparable(label[task.value]) == _comparable(second[task.value])
                same[source, task].append(equal)
                same[_TOGETHER, task].append(equal)
    return {key: Agreement(sum(equals) / len(equals), len(equals)) for key, equals in same.items()}, []


def _comparable(label: object) -> object:
    return frozenset(label) if isinstance(label, list) else label


def as_table(card: Scorecard) -> Table:
    """The card for people."""
    table = Table(title=f"{card.model} on labelled messages", title_justify="left")
    table.box, table.padding, table.pad_edge = SIMPLE_HEAD, (0, 1, 0, 0), False
    for title in ("set", "rows", "task"):
        table.add_column(title)
    for title in ("n", "macro-F1", "accuracy", "calibration\nerror", "abstains", "accuracy\n(kept)"):
        table.add_column(title, justify="right")
    table.add_column("two readers\nagree (n)", justify="right")
    for key, group in groupby(card.lines, attrgetter("key")):
        lines = list(group)
        for line in lines:
            table.add_row(*((key, line.which) if line is lines[0] else ("", "")), *_cells(line))
        if len(lines) > 1:
            table.add_section()
    return table


def _cells(line: Line) -> tuple[str, ...]:
    scores, readers = line.scores, line.readers
    figures = (scores.macro_f1, scores.accuracy, scores.calibration_error, scores.abstention, scores.accuracy_kept)
    agree = f"{_figure(readers.share)} ({readers.n})" if readers else ""
    return scores.task.value, f"{scores.n:,}", *map(_figure, figures), agree


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def as_object(card: Scorecard) -> dict[str, Any]:
    """The card for programs: the same figures to four digits, each class included."""
    lines = []
    for line in card.lines:
        scores = asdict(line.scores)
        readers = asdict(line.readers) if line.readers else None
        lines.append({"set": line.key, "rows": line.which, **scores, "readers": readers})
    return {"model": str(card.model), "skipped": list(card.skipped), "lines": rounded(lines)}


def rounded(value: Any) -> Any:
    """The same value with each number in it to four digits."""
    if isinstance(value, float):
        return round(value, 4)
    if isinstance(value, dict):
        return {key: rounded(one) for key, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, list) else value


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure an analyzer on the labelled data of a folder."""
    parser = argparse.ArgumentParser(prog="python -m nlp.scorecard", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder that holds the labelled data")
    parser.add_argument("--analyzer", default="lexicon", help="key in nlp.ANALYZERS (default: lexicon)")
    parser.add_argument("--json", action="store_true", help="also write everything as one JSON object, the last line")
    chosen = parser.parse_args(arguments)
    try:
        with Console(stderr=True).status("Measuring…"):
            card = measure(build(chosen.analyzer), chosen.data)
    except ComptoirError as error:
        parser.exit(2, f"{error}\n")
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PLAIN_WIDTH)
    console.print(as_table(card))
    notes = (
        f"{', '.join(LABELLED)}: only odd rows; even ones may have been learnt from.",
        "written_retail is not measured: it was written for training, tidier than real messages.",
        *card.skipped,
    )
    console.print("\n".join(notes), markup=False, highlight=False)
    if chosen.json:
        sys.stdout.write(json.dumps(as_object(card), ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
