"""The door for operators: the `comptoir` command. Thin: it reads settings, builds the rooms and calls them.

Every command takes `--json`: the last line of stdout is then one object. Progress and messages go to stderr. Exit codes:
0 done, 1 a person must act (the message says what), 2 wrong usage. To add a command, add a function here and a line in
docs/operations.md; a test compares the two.
"""

from __future__ import annotations  # annotations name what is imported late

import logging
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

import cli_backfill
import cli_learn
import cli_map
import cli_understanding
import cli_watch
import collectors
import crm_sync
from cli_base import JsonFlag, err
from cli_base import command as _command
from domain.clock import utc_now
from domain.contracts import Collector, Watch
from domain.errors import ComptoirError, ConfigurationError, StorageError

if TYPE_CHECKING:  # the store and the settings are imported where they are used: `comptoir tag` needs neither
    import worker as steps
    from settings import Settings
    from store import Store
    from store.sources import Source

app = typer.Typer(
    name="comptoir",
    help="The counter where a retailer hears what is said about its brand, understands it and answers it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
cli_understanding.register(app)
cli_learn.register(app)
cli_map.register(app)
cli_watch.register(app)
cli_backfill.register(app)


def _load_settings() -> Settings:
    from settings import load_settings

    return load_settings()


def _open(settings: Settings) -> Store:
    from store import Store

    return Store.open(settings.url, settings.calendar())


def _collector_of(source: Source) -> Collector:
    from settings import resolve_secrets

    return collectors.build(source.collector, resolve_secrets(source.settings, f"source {source.key}"))


def build_worker(settings: Settings, store: Store) -> steps.Worker:
    """The worker of these settings; the sources named there are made or brought up to date."""
    import worker as steps
    from settings import resolve_secrets

    for wanted in settings.sources:
        store.sources.ensure(wanted.key, wanted.collector, wanted.title or wanted.key, wanted.settings)
    crms = {
        target.key: crm_sync.build(target.key, resolve_secrets(target.settings, f"CRM {target.key}"))
        for target in settings.crm_targets
    }
    heads = store.models.in_use()
    worker = steps.Worker(
        store=store,
        analyzer=cli_learn.analyzer_of(settings, heads),
        collector_of=_collector_of,
        crms=crms,
        interval=timedelta(seconds=settings.poll_seconds),
        learnt=heads.model if heads else None,
        analyzer_of=lambda row: cli_learn.analyzer_of(settings, row),
    )
    return steps.introduced(worker)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int | None], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(title, total=None)

        def told(done: int, total: int | None) -> None:
            bar.update(task, completed=done, total=total)

        yield told


@app.command("import")
def import_file(
    file: Annotated[
        Path, typer.Argument(help="CSV, JSONL (plain or .gz) or XLSX; any size.", exists=True, dir_okay=False)
    ],
    network: Annotated[
        str, typer.Option(help="Where it was said, when the file does not tell: x, facebook, mail…")
    ] = "file",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="field=Column, where the column's name is not usual; may be repeated."),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Read mentions from a file. Good rows are kept, rejected ones are listed with line and reason; twice adds nothing."""
    with _command(as_json) as outcome:
        settings = _load_settings()
        store = _open(settings)
        key = f"import-{network}-{file.name}"[:80]
        values = {
            "path": str(file),
            "network": network,
            "timezone": settings.time_zone,
            "imported_at": utc_now().replace(microsecond=0).isoformat(),
        }
        if mapping:
            values["mapping"] = ",".join(mapping)
        source = store.sources.get(key)
        if (
            source is None or source.cursor is None
        ):  # an import that was cut short goes on with the date that it began with
            source = store.sources.ensure(key, "files", f"{file.name} → {network}", values, polled=False)
        outcome.values = _import(store, source, file)
        _list_rejects(store, key, outcome.values["rejected"])


def _import(store: Store, source: Source, file: Path) -> dict[str, Any]:
    collector = _collector_of(source)
    collector.check()
    counts = {"read": 0, "stored": 0, "duplicates": 0, "rejected": 0}
    notes: dict[str, None] = {}
    with _progress(f"Reading {file.name}") as told:
        for page in collector.fetch(Watch(), source.cursor):
            result = store.mentions.add_page(source.key, page, utc_now())
            for name in counts:
                counts[name] += getattr(result, name)
            notes.update(dict.fromkeys(page.notes))
            told(counts["read"], None)
    store.sources.start_over(source.key)
    store.sources.succeeded(source.key, utc_now())
    read, stored, duplicates, rejected = counts.values()
    err.print(f"{read:,} read: {stored:,} stored, {duplicates:,} already there, {rejected:,} rejected.")
    for note in notes:
        err.print(f"· {escape(note)}")
    return {**counts, "notes": list(notes)}


def _list_rejects(store: Store, key: str, count: int) -> None:
    if not count:
        return
    shown = store.mentions.rejects(key, limit=10)
    table = Table(
        "Where", "Why", title=f"Rejected rows ({min(count, len(shown))} of {count:,}; all are kept on the sources page)"
    )
    for reject in shown:
        table.add_row(escape(reject.position), escape(reject.reason))
    err.print(table)


@app.command()
def work(
    once: Annotated[bool, typer.Option("--once", help="One pass, then stop.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Collect, analyze, route and send: for ever, or one pass with --once."""
    import worker as steps

    with _command(as_json) as outcome:
        settings = _load_settings()
        worker = build_worker(settings, _open(settings))
        if once:
            report = steps.run_once(worker)
            outcome.values = {
                name: getattr(report, name) for name in ("collected", "analyzed", "routed", "sent", "failed")
            }
            outcome.must_act += report.needs_person
            err.print(", ".join(f"{count:,} {name}" for name, count in outcome.values.items()))
            return
        steps.run(worker, until=_told_to_stop())


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """What the store holds, and how the sources feel."""
    with _command(as_json) as outcome:
        store = _open(_load_settings())
        outcome.values = {
            "mentions": store.mention_count(),
            "analyses": store.analysis_count(),
            "cases": store.cases.count(),
            "persons": store.people.count(),
            "outbox": store.outbox.counts(),
        }
        table = Table("What", "Count", title="Comptoir")
        for name, value in outcome.values.items():
            table.add_row(
                name, f"{value:,}" if isinstance(value, int) else ", ".join(f"{k} {v:,}" for k, v in value.items())
            )
        err.print(table)
        health = Table("Source", "State", "Mentions", "Last word", title="Sources")
        for source in store.sources.all():
            health.add_row(
                escape(source.title), source.state, f"{source.mention_count:,}", escape(source.last_error or "")
            )
        err.print(health)


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Check settings, store, disk, analyzer, sources and CRMs, and say what to do where something is wrong."""
    with _command(as_json) as outcome:
        settings = _load_settings()
        checks: list[dict[str, Any]] = []

        def check(name: str, call: Callable[[], str]) -> None:
            try:
                checks.append({"check": name, "ok": True, "says": call()})
            except ComptoirError as error:
                checks.append({"check": name, "ok": False, "says": str(error)})

        check("store", lambda: _check_store(settings))
        check("disk", lambda: _check_disk(settings))
        check("analyzer", lambda: _check_analyzer(settings, store_ok=checks[0]["ok"]))
        for target in settings.crm_targets:
            check(f"crm {target.key}", lambda target=target: _check_crm(target.key, target.settings))  # type: ignore[misc]
        if checks[0]["ok"]:
            for source in _open(settings).sources.all():
                if source.polled and source.enabled:
                    check(f"source {source.key}", lambda source=source: _check_source(source))  # type: ignore[misc]
        for line in checks:
            err.print(
                f"[{'green' if line['ok'] else 'red'}]{'ok' if line['ok'] else 'no'}[/] {line['check']}: {escape(line['says'])}"
            )
        outcome.values = {"ok": all(line["ok"] for line in checks), "checks": checks}
        outcome.must_act += [f"{line['check']}: {line['says']}" for line in checks if not line["ok"]]


def _check_store(settings: Settings) -> str:
    store = _open(settings)
    with store.database.write():
        pass
    found = store.rebuild_rollups(write=False)
    if found:
        raise StorageError(f"{len(found)} counts disagree with their rows. Run `comptoir rebuild-rollups`.")
    return f"{store.mention_count():,} mentions in {store.database.engine.url.render_as_string(hide_password=True)}"


def _check_analyzer(settings: Settings, *, store_ok: bool) -> str:
    heads = _open(settings).models.in_use() if store_ok else None
    return str(cli_learn.analyzer_of(settings, heads).model)


def _check_disk(settings: Settings) -> str:
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(settings.data_dir).free
    if free < 500 * 2**20:
        raise StorageError(f"Only {free / 2**20:,.0f} MB are free where {settings.data_dir} lies. Free some space.")
    return f"{free / 2**30:,.1f} GB free"


def _check_crm(key: str, values: dict[str, str]) -> str:
    from settings import resolve_secrets

    crm = crm_sync.build(key, resolve_secrets(values, f"CRM {key}"))
    crm.check()
    return crm.spec.title


def _check_source(source: Source) -> str:
    _collector_of(source).check()
    return source.title


@app.command("rebuild-rollups")
def rebuild_rollups(as_json: JsonFlag = False) -> None:
    """Count all rows again, show where the kept counts disagreed (they should not), and mend them."""
    with _command(as_json) as outcome:
        found = _open(_load_settings()).rebuild_rollups()
        for difference in found[:20]:
            err.print(f"{difference.table} {difference.key}: kept {difference.stored}, counted {difference.counted}")
        err.print(
            "All counts agree with their rows." if not found else f"{len(found)} counts were wrong and are mended."
        )
        outcome.values = {"differences": len(found)}


@app.command()
def demo(
    fail: Annotated[
        str | None, typer.Option(help="Make the pretend network fail: 429, 5xx, timeout_after_send or malformed_page.")
    ] = None,
    times: Annotated[int, typer.Option(min=1, help="How many calls fail.")] = 1,
    retry_after: Annotated[int | None, typer.Option(help="Seconds that the network asks us to wait.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Open the demo shop: six weeks of conversation around an invented retailer. A second run keeps the data."""
    with _command(as_json) as outcome:
        settings = _load_settings()
        if fail is not None:
            _fail_network(settings, fail, times, retry_after)
            outcome.values = {"fail": fail, "times": times}
            return
        store = _open(settings)
        load_demo(settings, store)
        outcome.values = {
            "mentions": store.mention_count(),
            "cases": store.cases.count(),
            "persons": store.people.count(),
        }
        err.print(", ".join(f"{count:,} {name}" for name, count in outcome.values.items()))


def _fail_network(settings: Settings, fail: str, times: int, retry_after: int | None) -> None:
    from collectors.demo_network import FAULTS, DemoNetwork

    if fail not in FAULTS:
        raise typer.BadParameter(f"{fail!r} is not one of {', '.join(FAULTS)}", param_hint="--fail")
    DemoNetwork(settings.demo_dir).fail(fail, times=times, retry_after=retry_after)
    err.print(f"The next {times} call(s) that “{fail}” concerns will fail.")


def load_demo(settings: Settings, store: Store) -> None:
    """Load the demo shop with a progress bar, unless it is there."""
    import demo_shop

    known = store.sources.get(demo_shop.SOURCE_KEY)
    if known is not None and known.last_ok_at is not None:
        return
    source = demo_shop.ensure_source(store, settings.demo_dir.absolute(), utc_now())
    with _progress("Opening the demo shop") as told:
        demo_shop.load(build_worker(settings, store), source, told)


@app.command()
def run(as_json: JsonFlag = False) -> None:
    """Start the worker and the dashboard together; loads the demo shop where no source is set. Ctrl-C stops both."""
    with _command(as_json) as outcome:
        settings = _load_settings()
        store = _open(settings)
        if settings.demo:
            load_demo(settings, store)
        store.close()
        _need_free_port(settings)
        address = f"http://{settings.host}:{settings.port}"
        door = Path(__file__).with_name("streamlit_app.py")
        command = [sys.executable, "-m", "streamlit", "run", str(door), "--server.address", settings.host]
        command += ["--server.port", str(settings.port), "--server.headless", "true", "--logger.level", "error"]
        # A session of its own: Ctrl-C reaches us, and we end the dashboard after the worker's pass.
        dashboard = subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True)  # noqa: S603
        outcome.values = {"address": address}
        try:
            worker = build_worker(settings, _open(settings))
            err.print(f"\n  [bold]Comptoir[/bold]  →  {address}    (Ctrl-C to stop)\n")
            _run_beside(worker, dashboard)
        finally:
            dashboard.terminate()
            dashboard.wait(timeout=10)


def _need_free_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"{settings.host}:{settings.port} cannot be used ({error.strerror}). "
                "Is Comptoir running already? Stop it, or set COMPTOIR_PORT to another number."
            ) from error


def _run_beside(worker: steps.Worker, dashboard: subprocess.Popen[bytes]) -> None:
    import worker as steps

    stopping = _told_to_stop()
    steps.run(worker, until=lambda: stopping() or dashboard.poll() is not None)
    if not stopping():
        raise StorageError(f"The dashboard ended by itself (code {dashboard.returncode}); its words are above.")


def _told_to_stop() -> Callable[[], bool]:
    # Ends after the pass at hand, so that nothing is cut short; being killed would lose nothing either.
    logging.basicConfig(
        level=logging.WARNING, format="%(message)s", handlers=[RichHandler(console=err, show_path=False)]
    )
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told.is_set


def main() -> None:
    """Entry point of the `comptoir` command."""
    app()


if __name__ == "__main__":
    main()
