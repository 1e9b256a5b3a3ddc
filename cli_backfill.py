"""The door to the past: `comptoir backfill` announces the price of a span, and reads it after a yes.

Spans are kept by store/backfills.py and read by worker_past.py: here for who waits, else by the worker; either goes on where
the other stood. Imports stay late: the command line must start fast.
"""

from __future__ import annotations  # annotations name what is imported late

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import time as clock_time
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from cli_base import JsonFlag, command, err
from cli_watch import known_sources, named, opened, past_of
from domain.clock import utc_now
from domain.contracts import Watch
from domain.errors import InputError

if TYPE_CHECKING:
    from settings import Settings
    from store import Store
    from store.backfill_rows import Backfill
    from worker_past import Past


def register(app: typer.Typer) -> None:
    """Add the command of this module to the `comptoir` command."""
    app.command()(backfill)


def backfill(
    source: Annotated[str, typer.Argument(help="Key of the source whose past is read.")],
    since: Annotated[
        datetime | None, typer.Option("--from", help="First day that is read.", formats=["%Y-%m-%d"], metavar="DATE")
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option("--to", help="Last day; without it, up to now.", formats=["%Y-%m-%d"], metavar="DATE"),
    ] = None,
    watch_name: Annotated[
        str | None, typer.Option("--watch", help="Look for this watch only; without it, for all of the source.")
    ] = None,
    open_cases: Annotated[bool, typer.Option("--open-cases", help="Old messages open cases too.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Agree to the price that is announced.")] = False,
    cancel: Annotated[bool, typer.Option("--cancel", help="Give up what is open here; what it found stays.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read a span of a source's past: the price first, then with your yes the reading, a day after the other.

    It can be stopped at any time: the same command, or the worker, goes on where it stood.
    """
    if not cancel and since is None:
        raise typer.BadParameter("Say from which day on: --from 2026-01-31", param_hint="--from")
    with command(as_json) as outcome:
        settings, store = opened()
        [key] = known_sources(store, [source])
        if cancel or since is None:
            outcome.values = _cancel(settings, store, key)
            return
        span = _span(settings, since.date(), until.date() if until else None)
        past = past_of(store)
        try:
            asked = _asked(settings, store, key, span, watch_name, open_cases=open_cases)
            outcome.values = _read(settings, past, asked, yes=yes, may_ask=not as_json, must_act=outcome.must_act)
        finally:
            store.backfills.release(past.readings.reader)


def _span(settings: Settings, first: date, last: date | None) -> tuple[datetime, datetime | None]:
    midnight = clock_time(tzinfo=settings.zone)
    return datetime.combine(first, midnight), datetime.combine(last + timedelta(days=1), midnight) if last else None


def _asked(
    settings: Settings,
    store: Store,
    key: str,
    span: tuple[datetime, datetime | None],
    name: str | None,
    *,
    open_cases: bool,
) -> Backfill:
    since, until = span
    for one in store.backfills.all(source_key=key):
        if one.open and one.since == since and until in {None, one.until}:
            err.print(f"Going on with what {escape(one.asked_by)} asked for on {one.asked_at:%Y-%m-%d}.")
            return one
    now = utc_now()
    wanted = (
        Watch(query=store.watches.expanded(named(store, name).query)) if name else store.watches.of_source(key, Watch())
    )
    return store.backfills.ask(key, since, until or now, wanted, by=settings.viewer, at=now, opens_cases=open_cases)


def _cancel(settings: Settings, store: Store, key: str) -> dict[str, Any]:
    open_ones = [one for one in store.backfills.all(source_key=key) if one.open]
    for one in open_ones:
        store.backfills.cancel(one.id, by=settings.viewer, at=utc_now())
    err.print(f"{len(open_ones)} given up. What was found stays.")
    return {"cancelled": len(open_ones)}


def _read(
    settings: Settings, past: Past, asked: Backfill, *, yes: bool, may_ask: bool, must_act: list[str]
) -> dict[str, Any]:
    from store.backfill_rows import BackfillState
    from worker_past import read_whole

    one = _priced(past, asked)
    if one.state is BackfillState.ANNOUNCED:
        err.print(_price_line(one))
        if not (yes or (may_ask and sys.stdin.isatty() and typer.confirm("Read it?", err=True))):
            must_act.append("Nothing is read before a yes. Run it again with --yes, or say yes on the Watches page.")
            return _standing(one)
        one = past.store.backfills.confirm(one.id, by=settings.viewer, at=utc_now())
    elif one.state is BackfillState.PAUSED:
        err.print(f"It was paused. {escape(one.error)}")
        if not yes:
            must_act.append("Run it again with --yes to go on.")
            return _standing(one)
        one = past.store.backfills.resume(one.id, by=settings.viewer, at=utc_now())
    if one.state is BackfillState.RUNNING:
        with _bar(one) as told:
            one = read_whole(past, one.id, told)
        err.print(f"{one.found_count:,} found, {one.stored_count:,} of them new. The worker says what they say.")
    for note in one.notes:
        err.print(f"· {escape(note)}")
    if one.error:
        must_act.append(one.error)
    return _standing(one)


def _priced(past: Past, asked: Backfill) -> Backfill:
    from store.backfill_rows import BackfillState
    from worker_past import announce_prices

    with err.status("Asking for the price…"):
        announce_prices(past)
    one = past.store.backfills.get(asked.id)
    if one is None:
        raise InputError("This back-fill is no longer there.")
    if one.state is BackfillState.ASKED:
        raise InputError(f"The price cannot be told now: {one.error} The worker asks again; run this later.")
    return one


def _price_line(one: Backfill) -> str:
    count = (
        "an unknown number of messages" if one.count_estimated is None else f"about {one.count_estimated:,} messages"
    )
    if one.price_estimated is None:
        price = "at a price that nobody can tell"
    else:
        price = f"for about ${one.price_estimated:,.2f}" if one.price_estimated else "for free"
    limit = f"; it stops and asks again at ${one.suggested_limit:,.2f}" if one.suggested_limit else ""
    return (
        f"{one.since:%Y-%m-%d} to {one.until:%Y-%m-%d}: {count}, {price}{limit}. {escape(one.estimate_note)}".rstrip()
    )


def _standing(one: Backfill) -> dict[str, Any]:
    names = (
        "id",
        "count_estimated",
        "price_estimated",
        "price_limit",
        "price_spent",
        "found_count",
        "stored_count",
        "error",
    )
    told = {name: getattr(one, name) for name in names}
    return {**told, "state": one.state.value, "done_share": round(one.done_share, 4), "notes": list(one.notes)}


@contextmanager
def _bar(one: Backfill) -> Iterator[Callable[[Backfill], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task("Reading", total=1.0)

        def told(now: Backfill) -> None:
            said = f"{now.reached_at:%Y-%m-%d}: {now.found_count:,} found" + (f". {now.error}" if now.error else "")
            bar.update(task, completed=now.done_share, description=escape(said))

        told(one)
        yield told
