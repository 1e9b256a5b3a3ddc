"""The door to learning: `comptoir learn` and `comptoir models`, and the analyzer that speaks with what was learnt.

What is learnt from is in nlp/lessons.py, how and on what terms in nlp/learn.py, where it is kept in store/models.py; here
they meet. docs/learning.md tells operators what they see. Imports stay late: the command line must start fast.
"""

from __future__ import annotations  # annotations name what is imported late

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import nlp
from cli_base import JsonFlag, command, err
from domain.clock import utc_now
from domain.contracts import Analyzer
from domain.errors import ConfigurationError, InputError

if TYPE_CHECKING:
    from nlp.artefact import Artefact, Heads
    from nlp.embedded import EmbeddedAnalyzer
    from nlp.learn import Report
    from nlp.lessons import Lessons
    from settings import Settings
    from store import Store
    from store.models import ModelRow

log = logging.getLogger("comptoir.learn")

LEFT_ALONE = 1_000  # messages that people dealt with without a word on their tags: enough to weigh against corrections
SHIPPED = "shipped"
_BATCH = 128
Told = Callable[[int, int | None], None]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the `comptoir` command."""
    app.command()(learn)
    app.command()(models)


def heads_of(settings: Settings, row: ModelRow | None) -> bytes | None:
    """What was learnt, for `nlp.build`; None where nothing was, or where it does not belong to the analyzer, which it says."""
    if row is None or row.heads is None:
        return None
    if not _learns(settings):
        log.warning("The analyzer “%s” does not learn: %s waits until its own is back.", settings.analyzer, row.model)
        return None
    if row.base != _shipped():
        log.warning("%s was learnt on %s; %s speaks as shipped. Run `comptoir learn`.", row.model, row.base, _shipped())
        return None
    return row.heads


def analyzer_of(settings: Settings, row: ModelRow | None) -> Analyzer:
    """The analyzer of these settings, with these learnt heads where they belong to it.

    Raises:
        ConfigurationError: there is no such analyzer, or a file of it or the heads are damaged.
    """
    return nlp.build(settings.analyzer, heads=heads_of(settings, row), hub=settings.hub_heads)


def _learns(settings: Settings) -> bool:
    return any(row.key == settings.analyzer and row.learns for row in nlp.ANALYZERS)


def _shipped() -> str:
    from nlp import artefact

    folder = artefact.read()
    return f"{folder.name}@{folder.version}"


def learn(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Try and tell, change nothing.")] = False,
    undo: Annotated[bool, typer.Option("--undo", help="Go back to what was in use before; learns nothing.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Learn from what people said of tags, on the desk and on the labelling page.

    Each question is tried for itself. What was learnt is put in use only where it does better on answers that it never saw
    and no worse on the gold set that is shipped; the worker speaks with it from its next pass. What was analysed before
    stays as it is.
    """
    if dry_run and undo:
        raise typer.BadParameter("--undo changes what is in use; it has no dry run.", param_hint="--undo")
    with command(as_json) as outcome:
        settings, store = _opened()
        outcome.values = _undo(settings, store) if undo else _learn(settings, store, dry_run=dry_run)


def _opened() -> tuple[Settings, Store]:
    from settings import load_settings
    from store import Store

    settings = load_settings()
    return settings, Store.open(settings.url, settings.calendar())


def _undo(settings: Settings, store: Store) -> dict[str, Any]:
    was = store.models.in_use()
    row = store.models.undo(by=settings.viewer, at=utc_now())
    now = row.model if row else _shipped()
    err.print(f"{escape(now)} speaks again from the worker's next pass. What was analysed meanwhile keeps its model.")
    return {"undone": was.model if was else _shipped(), "model": now}


# -- learning --------------------------------------------------------------------------------------------------------------


def _learn(settings: Settings, store: Store, *, dry_run: bool) -> dict[str, Any]:
    from nlp import artefact, embedded, gold
    from nlp.learn import learn as try_heads

    if not _learns(settings):
        raise ConfigurationError(
            f"The analyzer “{settings.analyzer}” does not learn from labels. Nothing was changed. "
            f"Set COMPTOIR_ANALYZER={nlp.DEFAULT} to use the one that does."
        )
    row = store.models.in_use()
    row = row if row is not None and row.base == _shipped() else None
    analyzer = embedded.load(heads=row.heads if row else None)
    known = gold.read(analyzer.artefact.questions)
    lessons = _lessons(settings, store, analyzer, row)
    with _progress("Reading messages") as told:
        features = _features(analyzer, lessons, told)
    with _progress("Trying what they teach") as told:
        shipped, _ = artefact.read_heads()
        heads, report = try_heads(lessons, features, analyzer.artefact, shipped, analyzer.heads, known, told)
    if any(trial.held_back for trial in report.trials):
        err.print(_table(report))
    for line in _verdicts(report):
        err.print(line)
    model = _name(analyzer.artefact, heads) if report.accepted else str(analyzer.model)
    kept = bool(report.accepted) and not dry_run
    if kept:
        store.models.register(_shipped(), analyzer.figures(), at=utc_now())
        made = {"trials": report.as_list(), "from": str(analyzer.model), "gold": _figures(store, row, report)}
        store.models.add(model, _shipped(), heads.to_bytes(), made, by=settings.viewer, at=utc_now(), use=True)
    err.print(_what_next(report, model, kept=kept))
    return {
        "model": model,
        "kept": kept,
        "accepted": list(report.accepted),
        "messages": len(lessons),
        "trials": report.as_list(),
    }


def _lessons(settings: Settings, store: Store, analyzer: EmbeddedAnalyzer, row: ModelRow | None) -> Lessons:
    from nlp.lessons import gather

    labels = list(store.labels.all())
    if not labels:
        raise InputError(
            "Nobody has confirmed or corrected a tag yet, so there is nothing to learn from. Correct tags on the desk, or "
            "answer on the labelling page; from 30 answers to a question on, it can be tried."
        )
    # Questions that hub models answer are not ours to learn; under which name the others are answered is.
    model = str(analyzer_of(settings, row).model) if settings.analyzer_hub else str(analyzer.model)
    questions = {key: one for key, one in analyzer.artefact.questions.items() if key not in settings.analyzer_hub}
    return gather(
        labels,
        store.models.said([label.mention_id for label in labels]),
        store.models.left_alone(model, LEFT_ALONE),
        questions,
        model=model,
        learnt_at=row.created_at if row else None,
    )


def _features(analyzer: EmbeddedAnalyzer, lessons: Lessons, told: Told) -> Any:
    import numpy as np

    texts, parts = lessons.texts, []
    for start in range(0, len(texts), _BATCH):
        told(start, len(texts))
        parts.append(analyzer.features(texts[start : start + _BATCH]))
    return np.concatenate(parts) if parts else analyzer.features([])


def _name(folder: Artefact, heads: Heads) -> str:
    return f"{folder.name}@{folder.version}+{heads.digest}"


def _figures(store: Store, row: ModelRow | None, report: Report) -> Mapping[str, Any]:
    # What did not move is as good as it was: its figures are those of the model that was in use.
    before = row or store.models.get(_shipped())
    return {**(before.report.get("gold", {}) if before else {}), **report.figures}


# -- telling ---------------------------------------------------------------------------------------------------------------


def _table(report: Report) -> Table:
    from nlp.heads_score import Measure

    table = Table("Question", "Measured on", title="Messages that were not learnt from; points of macro-F1")
    for title in ("n", "Before", "After", "Gain, 5 to 95 %"):
        table.add_column(title, justify="right")
    for trial in report.trials:
        if trial.held_back is None:
            continue
        own = "your answers" if trial.held_back.measure is Measure.MACRO_F1 else "your answers (accuracy)"
        rows = [(own, trial.held_back)]
        rows += [(f"gold set, {score.lang.replace('*', 'all')}", score.unseen) for score in trial.gold]
        for place, (name, found) in enumerate(rows):
            figures = (
                f"{found.n:,}",
                f"{found.before:.1f}",
                f"{found.after:.1f}",
                f"{found.low:+.1f} to {found.high:+.1f}",
            )
            table.add_row("" if place else trial.question, name, *figures)
        table.add_section()
    return table


def _verdicts(report: Report) -> Iterator[str]:
    for trial in report.trials:
        corrected = f", {trial.corrected_count:,} correct the model" if trial.corrected_count else ""
        result = "[green]taken[/green]" if trial.accepted else f"left as it is: {escape(trial.reason)}"
        yield f"· {trial.question} ({trial.label_count:,} answers{corrected}): {result}."


def _what_next(report: Report, model: str, *, kept: bool) -> str:
    if kept:
        return (
            f"{escape(model)} is in use: the worker speaks with it from its next pass, and what was analysed before stays. "
            "Better without? `comptoir learn --undo`."
        )
    if report.accepted:
        return f"A dry run: nothing was changed. `comptoir learn` would put {escape(model)} in use."
    return (
        f"Nothing was changed: {escape(model)} goes on. More answers help most on the labelling page, where messages are drawn "
        "for what they teach."
    )


@contextmanager
def _progress(title: str) -> Iterator[Told]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def told(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield told


# -- models ----------------------------------------------------------------------------------------------------------------


def models(
    use: Annotated[
        str | None, typer.Option(help="Put this model in use: a name from the list, or “shipped”.", metavar="MODEL")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """List the models that were shipped or learnt here, and which one is in use; with --use, choose another."""
    with command(as_json) as outcome:
        settings, store = _opened()
        if use is not None:
            wanted = None if use in {SHIPPED, _shipped()} else use
            store.models.use(wanted, by=settings.viewer, at=utc_now())
        row = store.models.in_use()
        current = row.model if row else _shipped()
        rows = [_line(one, current) for one in store.models.all()]
        if current not in {one["model"] for one in rows}:
            rows.insert(0, {"model": current, "base": None, "created_at": None, "by": "", "learnt": [], "in_use": True})
        table = Table("Model", "In use", "Made", "By", "Learnt", title="Models")
        for one in rows:
            table.add_row(
                escape(one["model"]),
                "yes" if one["in_use"] else "",
                (one["created_at"] or "")[:16],
                escape(one["by"]),
                ", ".join(one["learnt"]),
            )
        err.print(table)
        outcome.values = {"in_use": current, "models": rows}


def _line(row: ModelRow, current: str) -> dict[str, Any]:
    return {
        "model": row.model,
        "base": row.base,
        "created_at": row.created_at.isoformat(),
        "by": row.created_by,
        "learnt": [trial["question"] for trial in row.report.get("trials", []) if trial["accepted"]],
        "in_use": row.model == current,
    }
