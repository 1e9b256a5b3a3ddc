"""The door to what messages say: `comptoir tag` and `comptoir evaluate`, for files, without a store and settings.

What a tag is and how files are kept whole is in nlp/tagging.py, what is measured in nlp/evaluate.py and nlp/scorecard.py.
Imports stay late and light: the first message is tagged within three seconds of the call.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

import nlp
from cli_base import JsonFlag, command, err
from domain.errors import InputError
from domain.taxonomy import INTENT_BY_KEY
from nlp.evaluate import Task

if TYPE_CHECKING:
    from nlp.evaluate import Scores
    from nlp.tagging import Counts, Rejected

_LISTED = 20  # rejected lines that are told; all are kept
_PLAIN_WIDTH = 120  # columns of a table that goes to a file
_STANDARD = Path("-")
_ALL = "all"
_SEEN = (
    "The shipped model has learnt from labelled rows of these sets, or was chosen on them. What it reaches on rows that it "
    "never saw is in nlp/weights/card.md."
)
AnalyzerChoice = Annotated[str, typer.Option(help="Which analyzer: embedded (the shipped model) or lexicon.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the `comptoir` command."""
    app.command()(tag)
    app.command()(evaluate)


def tag(
    file: Annotated[
        Path,
        typer.Argument(help="JSON lines, plain or .gz; - for stdin.", allow_dash=True),
    ],
    out: Annotated[
        Path,
        typer.Option(help="Where the tagged lines go; .gz packs them, - is stdout.", dir_okay=False, allow_dash=True),
    ],
    batch: Annotated[int, typer.Option(min=1, max=10_000, help="Messages that are read together.")] = 64,
    analyzer: AnalyzerChoice = nlp.DEFAULT,
    as_json: JsonFlag = False,
) -> None:
    """Tag the messages of a file: each line's text, after its title where it has one.

    All fields stay; added are lang sentiment p_negative p_neutral p_positive intent intent_p secondary aspects urgency
    churn toxic irony directed uncertain model. A field that has one of these names already is kept as given_<name>, and
    does not sway the answer. Lines that are no JSON objects are listed and kept in OUT.rejected. OUT is written whole or
    not at all.
    """
    from nlp.tagging import Counts, as_line, numbered_lines
    from nlp.tagging import tag as tag_lines

    if file != _STANDARD and not file.exists():
        raise typer.BadParameter(f"{file} does not exist.", param_hint="FILE")
    with command(as_json) as outcome:
        model = nlp.build(analyzer)
        counts = Counts()
        with _not_cut_short(out), ExitStack() as files, err.status("Tagging…") as status:
            lines = numbered_lines(files.enter_context(_opened(file)), str(file))
            written = files.enter_context(_written(out))
            rejects = files.enter_context(_Rejects(out))
            for item in tag_lines(model, lines, batch, counts):
                if isinstance(item, dict):
                    written.write(as_line(item))
                    status.update(f"Tagging… {counts.tagged:,}")
                else:
                    rejects.add(item)
        outcome.values = asdict(counts) | {"model": str(model.model)}
        _tell(counts, rejects, out)


@contextmanager
def _not_cut_short(out: Path) -> Iterator[None]:
    # A script must not take a stopped run for a finished one.
    try:
        yield
    except KeyboardInterrupt:
        raise InputError(f"Stopped before the end: {out} was not written. Start again.") from None


@contextmanager
def _opened(file: Path) -> Iterator[IO[bytes]]:
    if file == _STANDARD:
        yield sys.stdin.buffer
        return
    try:
        stream = file.open("rb")
    except OSError as error:
        raise InputError(f"{file} cannot be read ({error.strerror}). Nothing was written.") from error
    with stream:
        yield stream


@contextmanager
def _written(out: Path) -> Iterator[IO[bytes]]:
    from nlp.tagging import replaced

    if out == _STANDARD:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with replaced(out) as stream:
        yield stream


class _Rejects:
    """Lines that could not be tagged: beside OUT, as they came, so that they can be mended and tagged again."""

    def __init__(self, out: Path) -> None:
        is_file = out != _STANDARD and (out.is_file() or not out.exists())
        self.path = out.with_name(f"{out.name}.rejected") if is_file else None
        self.first: list[Rejected] = []
        self._files = ExitStack()
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> "_Rejects":
        return self

    def __exit__(self, *error: Any) -> None:
        self._files.__exit__(*error)
        if self.path is not None and self._stream is None and error[0] is None:
            self.path.unlink(missing_ok=True)  # those of an earlier run speak of another OUT

    def add(self, rejected: "Rejected") -> None:
        """Keep one."""
        from nlp.tagging import replaced

        if len(self.first) < _LISTED:
            self.first.append(rejected)
        if self.path is not None:
            self._stream = self._stream or self._files.enter_context(replaced(self.path))
            self._stream.write(rejected.raw.rstrip(b"\r\n") + b"\n")


def _tell(counts: "Counts", rejects: _Rejects, out: Path) -> None:
    err.print(f"{counts.tagged:,} tagged in {escape(str(out))}, {counts.rejected:,} rejected.")
    if counts.without_text:
        err.print(f"· {counts.without_text:,} had no “text” and are tagged as empty.")
    for rejected in rejects.first:
        err.print(f"· line {rejected.line:,}: {escape(rejected.reason)}")
    if counts.rejected > len(rejects.first):
        err.print(f"· and {counts.rejected - len(rejects.first):,} more.")
    if counts.rejected and rejects.path is not None:
        err.print(f"Rejected lines are kept as they came in {escape(str(rejects.path))}.")


def evaluate(
    file: Annotated[
        str, typer.Argument(help="JSON lines with gold labels, plain or .gz; or “all”: the labelled data of --data.")
    ],
    task: Annotated[
        list[Task] | None, typer.Option(help="What to measure; may be repeated. Without it, all that has labels.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="With “all”: folder of the labelled data.", exists=True, file_okay=False)
    ] = None,
    analyzer: AnalyzerChoice = nlp.DEFAULT,
    as_json: JsonFlag = False,
) -> None:
    """Measure an analyzer on labelled messages: macro-F1, accuracy, calibration, abstention.

    Gold labels stand under the task's name, or as given_<name> in a file that was tagged; for sentiment and intent, a
    field “label” will do.
    """
    if file == _ALL and data is None:
        raise typer.BadParameter("“all” needs the folder of the labelled data: --data FOLDER", param_hint="--data")
    with command(as_json) as outcome:
        outcome.values = (
            _evaluate_all(analyzer, data) if data and file == _ALL else _evaluate(analyzer, file, task or [])
        )


def _evaluate_all(analyzer: str, folder: Path) -> dict[str, Any]:
    from nlp.scorecard import as_object, as_table, measure

    with err.status("Measuring…"):
        card = measure(nlp.build(analyzer), folder)
    notes = [_SEEN] if analyzer == nlp.DEFAULT else []
    (err if err.is_terminal else Console(stderr=True, width=_PLAIN_WIDTH)).print(as_table(card))
    err.print("\n".join([*card.skipped, *notes]), markup=False, highlight=False)
    return as_object(card) | {"notes": notes}


def _evaluate(analyzer: str, file: str, tasks: Sequence[Task]) -> dict[str, Any]:
    from nlp.evaluate import evaluate as scores_of
    from nlp.evaluate import read_rows
    from nlp.scorecard import ReadOnce, rounded

    rows = [_with_gold(row) for row in read_rows(Path(file))]
    wanted = tasks or [task for task in Task if any(row.get(task.value) is not None for row in rows)]
    if not wanted:
        raise InputError(
            f"No row of {file} carries a gold label. Give one under the name of a task: {', '.join(Task)}."
        )
    reader = ReadOnce(nlp.build(analyzer))
    with err.status("Measuring…"):
        found = {task.value: scores_of(reader, rows, task) for task in wanted}
    _show(found, str(reader.model), file)
    return {
        "model": str(reader.model),
        "rows": len(rows),
        "tasks": {name: rounded(asdict(scores)) for name, scores in found.items()},
    }


def _with_gold(row: dict[str, Any]) -> dict[str, Any]:
    from nlp.tagging import untagged

    row = untagged(row)
    label = row.get("label")
    if label in ("negative", "neutral", "positive"):
        return {Task.SENTIMENT.value: label, **row}
    return {Task.INTENT.value: label, **row} if isinstance(label, str) and label in INTENT_BY_KEY else row


def _show(found: "dict[str, Scores]", model: str, file: str) -> None:
    from rich.table import Table

    table = Table(
        "Task", "n", "Macro-F1", "Accuracy", "Calibration error", "Abstains", title=f"{model} on {escape(file)}"
    )
    for name, scores in found.items():
        gap = "–" if scores.calibration_error is None else f"{scores.calibration_error:.3f}"
        shares = (f"{scores.macro_f1:.3f}", f"{scores.accuracy:.3f}", gap, f"{scores.abstention:.3f}")
        table.add_row(name, f"{scores.n:,}", *shares)
    err.print(table)
