"""The door to listening: `comptoir watch`, with list, add, preview, change and remove.

The language of watches is in domain/watch.py and docs/watches.md. Previews are answered by worker_past.py: here for who waits
at the command line, else by the worker. Imports stay late: the command line must start fast.
"""

from __future__ import annotations  # annotations name what is imported late

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

import collectors
from cli_base import JsonFlag, command, err
from domain.clock import utc_now
from domain.contracts import Collector
from domain.errors import InputError

if TYPE_CHECKING:
    from settings import Settings
    from store import Store
    from store.previews import Preview
    from store.sources import Source
    from store.watches import WatchRow
    from worker_past import Past

_POLL = 0.5  # seconds between two looks at what another process answers
_PATIENCE = timedelta(minutes=3)

watch = typer.Typer(
    name="watch",
    help="What to listen to, in one language for all networks: list, add, preview, change, remove.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
SourceOption = Annotated[
    list[str] | None, typer.Option("--source", help="Only for this source; may be repeated. Without it, for all.")
]
KindOption = Annotated[str, typer.Option(help="Whom it is about: brand, competitor or topic.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to the `comptoir` command."""
    app.add_typer(watch)


def opened() -> tuple[Settings, Store]:
    """Settings and store; the sources of the settings are there."""
    from settings import load_settings
    from store import Store

    settings = load_settings()
    store = Store.open(settings.url, settings.calendar())
    for wanted in settings.sources:
        store.sources.ensure(wanted.key, wanted.collector, wanted.title or wanted.key, wanted.settings)
    return settings, store


def past_of(store: Store) -> Past:
    """What looking back needs."""
    from worker_past import Past

    return Past(store, _collector_of)


def _collector_of(source: Source) -> Collector:
    from settings import resolve_secrets

    return collectors.build(source.collector, resolve_secrets(source.settings, f"source {source.key}"))


# -- watches ---------------------------------------------------------------------------------------------------------------


@watch.command("list")
def list_watches(as_json: JsonFlag = False) -> None:
    """List the watches, with what each one listens for and where."""
    with command(as_json) as outcome:
        _, store = opened()
        rows = store.watches.all()
        table = Table("Watch", "About", "Listens for", "Sources", "On", title="Watches")
        for row in rows:
            where = ", ".join(row.sources) or "all"
            table.add_row(escape(row.name), row.kind, escape(row.query), escape(where), "yes" if row.enabled else "")
        err.print(table if rows else "No watch yet. Add one: comptoir watch add NAME 'EXPRESSION'")
        outcome.values = {"watches": [_told(row) for row in rows]}


@watch.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is about, such as “Brand” or “Deliveries”.")],
    query: Annotated[str, typer.Argument(help="The expression; see docs/watches.md.", metavar="EXPRESSION")],
    kind: KindOption = "brand",
    source: SourceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Keep a new watch; the worker listens to it from its next pass."""
    with command(as_json) as outcome:
        settings, store = opened()
        keys = known_sources(store, source)
        row = store.watches.add(name, query, kind=_kind(kind), sources=keys, by=settings.viewer, at=utc_now())
        err.print(
            f"“{escape(row.name)}” is kept. What it would have found: comptoir watch preview '{escape(row.name)}'"
        )
        outcome.values = _told(row)


@watch.command()
def change(
    name: Annotated[str, typer.Argument(help="The watch to change.")],
    query: Annotated[str | None, typer.Option(help="Another expression.", metavar="EXPRESSION")] = None,
    rename: Annotated[str | None, typer.Option(help="Another name.")] = None,
    kind: Annotated[str | None, typer.Option(help="brand, competitor or topic.")] = None,
    source: Annotated[list[str] | None, typer.Option("--source", help="Only for these sources from now on.")] = None,
    all_sources: Annotated[bool, typer.Option("--all-sources", help="For all sources from now on.")] = False,
    enabled: Annotated[bool | None, typer.Option("--resume/--pause", help="Listen to it, or not for now.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Change a watch, pause it or resume it; what it found stays."""
    if source and all_sources:
        raise typer.BadParameter("--source and --all-sources exclude each other.", param_hint="--source")
    with command(as_json) as outcome:
        settings, store = opened()
        row = named(store, name)
        changes: dict[str, Any] = {
            "query": query, "name": rename, "kind": _kind(kind) if kind else None, "enabled": enabled,
            "sources": () if all_sources else (known_sources(store, source) or None),
        }  # fmt: skip
        changes = {key: value for key, value in changes.items() if value is not None}
        if not changes:
            raise InputError("Nothing to change was named. See comptoir watch change --help.")
        after = store.watches.change(row.id, by=settings.viewer, at=utc_now(), **changes)
        err.print(f"“{escape(after.name)}” is changed: {escape(after.query)}{'' if after.enabled else ' (paused)'}")
        outcome.values = _told(after)


@watch.command()
def remove(
    name: Annotated[str, typer.Argument(help="The watch to remove.")],
    as_json: JsonFlag = False,
) -> None:
    """Listen to a watch no more; what it found stays, and how to add it again is told."""
    with command(as_json) as outcome:
        settings, store = opened()
        row = named(store, name)
        store.watches.remove(row.id, by=settings.viewer, at=utc_now())
        err.print(f"“{escape(row.name)}” is removed. To have it back: comptoir watch add '{escape(row.name)}' …")
        err.print(row.query, markup=False, highlight=False)
        outcome.values = _told(row)


def _told(row: WatchRow) -> dict[str, Any]:
    told = {name: getattr(row, name) for name in ("name", "query", "enabled", "created_by")}
    return {**told, "kind": row.kind.value, "sources": list(row.sources), "changed_at": row.changed_at.isoformat()}


def _kind(text: str) -> Any:
    from store.watches import WatchKind

    if text not in set(WatchKind):
        raise InputError(f"“{text}” is no kind of watch. Use one of {', '.join(WatchKind)}.")
    return WatchKind(text)


def named(store: Store, name: str) -> WatchRow:
    """The watch of this name. Raises InputError where there is none."""
    row = store.watches.named(name)
    if row is None:
        known = ", ".join(f"“{one.name}”" for one in store.watches.all()) or "none yet"
        raise InputError(f"There is no watch “{name}”. Known: {known}.")
    return row


def known_sources(store: Store, keys: Sequence[str] | None) -> list[str]:
    """The keys, checked. Raises InputError where there is no such source."""
    known = {source.key for source in store.sources.all()}
    for key in keys or ():
        if key not in known:
            raise InputError(f"There is no source “{key}”. Known: {', '.join(sorted(known)) or 'none yet'}.")
    return list(keys or ())


# -- what one would find ---------------------------------------------------------------------------------------------------


@watch.command()
def preview(
    query: Annotated[str, typer.Argument(help="A watch by its name, or an expression.", metavar="WATCH")],
    days: Annotated[int, typer.Option(min=1, max=90, help="How far to look back.")] = 7,
    source: SourceOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Tell what a watch would have found, with samples and what reading it would have cost; nothing is kept."""
    with command(as_json) as outcome:
        settings, store = opened()
        row = store.watches.named(query)
        expression, keys = (row.query, row.sources) if row else (query, ())
        keys = (
            tuple(known_sources(store, source)) or keys or tuple(one.key for one in store.sources.all() if one.enabled)
        )
        if not keys:
            raise InputError("There is no source to ask yet. Set one in comptoir.toml, or run comptoir demo.")
        now, expression = utc_now(), store.watches.expanded(expression)
        wish = store.previews.ask(expression, keys, now - timedelta(days=days), now, by=settings.viewer, at=now)
        found = _answers(store, wish)
        _show(store, found, days)
        outcome.values = {"query": expression, "days": days, "sources": [_answer(one) for one in found]}
        outcome.must_act += [f"{one.source_key}: {one.error}" for one in found if one.error]


def _answers(store: Store, wish: str) -> list[Preview]:
    from worker_past import answer_previews

    begun = utc_now()
    with err.status("Asking…"):
        while True:
            answer_previews(past_of(store))
            found = store.previews.of(wish)
            if all(one.settled for one in found) or utc_now() - begun > _PATIENCE:
                return found
            time.sleep(_POLL)  # the worker has taken some of them


def _answer(one: Preview) -> dict[str, Any]:
    told = {name: getattr(one, name) for name in ("found_count", "price", "spent", "among_kept", "looked_count")}
    told |= {"source": one.source_key, "state": one.state.value, "note": one.note, "error": one.error}
    told["queries"] = list(one.search.queries) if one.search else None
    told["filtered_here"] = list(one.search.left) if one.search else None
    names = ("network", "author", "text", "url")
    samples = [
        {name: getattr(s, name) for name in names} | {"created_at": s.created_at.isoformat()} for s in one.samples
    ]
    return {**told, "samples": samples}


def _show(store: Store, found: Sequence[Preview], days: int) -> None:
    titles = {source.key: source.title for source in store.sources.all()}
    table = Table("Source", title=f"Over the last {days} days")
    for title in ("Found", "Reading costs", "Asking cost"):
        table.add_column(title, justify="right")
    table.add_column("Asked as")
    for one in found:
        count = "not told" if one.found_count is None else f"{one.found_count:,}"
        asked = f"among {one.looked_count:,} kept messages" if one.among_kept else ""
        if one.search is not None:
            asked = "\n".join(one.search.queries) or one.search.note or asked
        table.add_row(escape(titles.get(one.source_key, one.source_key)), *_prices(one, count), escape(asked))
    err.print(table)
    for one in found:
        if one.search is not None and one.search.left:
            err.print(f"· {one.source_key} cannot write {', '.join(one.search.left)}: filtered here.", markup=False)
        if one.note:
            err.print(f"· {one.source_key}: {one.note}", markup=False)
    for sample in [sample for one in found for sample in one.samples][:6]:
        err.print(f"  {sample.author or '?'} ({sample.network}): {' '.join(sample.text.split())[:160]}", markup=False)


def _prices(one: Preview, count: str) -> tuple[str, str, str]:
    if one.state.value != "done":
        return one.state.value, "", ""
    return count, f"${one.price:,.2f}" if one.found_count is not None else "not told", f"${one.spent:,.2f}"
