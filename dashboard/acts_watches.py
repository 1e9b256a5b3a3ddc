"""What a person may do to watches and back-fills: each act checked against the viewer's role, done by the store. No Streamlit.

The dashboard never calls a network: what a watch would find, what a back-fill costs and reading it are wishes that the worker
finds in the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dashboard.acts import Done, NotYoursError
from dashboard.acts_sources import may_keep
from dashboard.context import Context
from dashboard.i18n import t
from dashboard.views_watches import DAYS
from domain.contracts import Watch
from domain.errors import InputError
from store.backfill_rows import Backfill
from store.watches import WatchKind, WatchRow


@dataclass(frozen=True, slots=True)
class Draft:
    """A watch as it stands in the editor; `watch_id` is None for a new one, no sources means all."""

    watch_id: int | None
    name: str
    query: str
    kind: WatchKind
    sources: tuple[str, ...] = ()


def checked(context: Context) -> None:
    """Raises NotYoursError where the viewer does not look after the sources."""
    if not may_keep(context.viewer):
        raise NotYoursError(t("Les veilles sont tenues par les community managers et l'administration."))


def save(context: Context, draft: Draft) -> Done:
    """Keep a draft: a new watch, or the change of one. Raises InputError with what to mend."""
    checked(context)
    by, at, watches = context.viewer.name, context.now, context.store.watches
    if draft.watch_id is None:
        row = watches.add(draft.name, draft.query, kind=draft.kind, sources=draft.sources, by=by, at=at)
    else:
        values = {"name": draft.name, "query": draft.query, "kind": draft.kind, "sources": draft.sources}
        row = watches.change(draft.watch_id, by=by, at=at, **values)
    return Done(t("« {name} » est gardée : écoutée dès le prochain tour.", name=row.name))


def pause(context: Context, watch_id: int) -> Done:
    """Listen to it no more for now."""
    return _switch(context, watch_id, False)


def resume(context: Context, watch_id: int) -> Done:
    """Listen to it again."""
    return _switch(context, watch_id, True)


def _switch(context: Context, watch_id: int, enabled: bool) -> Done:
    checked(context)
    row = context.store.watches.change(watch_id, by=context.viewer.name, at=context.now, enabled=enabled)
    text = t("« {name} » reprend.", name=row.name) if enabled else t("« {name} » est en pause.", name=row.name)
    return Done(text)


def remove(context: Context, watch_id: int) -> WatchRow:
    """Listen to it no more; the watch as it was, for `restore`."""
    checked(context)
    row = context.store.watches.get(watch_id)
    if row is None:
        raise InputError("This watch is no longer there. Nothing was changed.")
    context.store.watches.remove(watch_id, by=context.viewer.name, at=context.now)
    return row


def restore(context: Context, row: WatchRow) -> Done:
    """Take a removal back."""
    checked(context)
    context.store.watches.add(
        row.name,
        row.query,
        kind=row.kind,
        sources=row.sources,
        enabled=row.enabled,
        by=context.viewer.name,
        at=context.now,
    )
    return Done(t("« {name} » est revenue.", name=row.name))


def try_out(context: Context, query: str, sources: Sequence[str]) -> str:
    """Ask what an expression would have found; the wish to look up. Raises InputError where it cannot be read."""
    checked(context)
    keys = list(sources) or [source.key for source in context.store.sources.all() if source.enabled]
    if not keys:
        raise InputError(t("Aucune source n'est réglée : il n'y a personne à qui demander."))
    since = context.now - timedelta(days=DAYS)
    whole = context.store.watches.expanded(query)
    return context.store.previews.ask(whole, keys, since, context.now, by=context.viewer.name, at=context.now)


# -- back-fills ------------------------------------------------------------------------------------------------------------


def ask_backfill(context: Context, source_key: str, first: date, last: date, *, opens_cases: bool) -> Backfill:
    """Ask for a span of whole days of the shop; all watches of the source are looked for."""
    checked(context)
    if context.store.sources.get(source_key) is None:
        raise NotYoursError(t("Cette source n'existe plus."))
    midnight = time(tzinfo=context.zone)
    since, until = datetime.combine(first, midnight), datetime.combine(last + timedelta(days=1), midnight)
    watch = context.store.watches.of_source(source_key, Watch())
    by, at = context.viewer.name, context.now
    return context.store.backfills.ask(source_key, since, until, watch, by=by, at=at, opens_cases=opens_cases)


def confirm(context: Context, backfill_id: int) -> Done:
    """Agree to the price."""
    checked(context)
    context.store.backfills.confirm(backfill_id, by=context.viewer.name, at=context.now)
    return Done(t("La lecture commence."))


def pause_backfill(context: Context, backfill_id: int) -> Done:
    """Read no further for now."""
    checked(context)
    context.store.backfills.pause(backfill_id, by=context.viewer.name, at=context.now)
    return Done(t("La lecture est en pause ; ce qui est lu reste."))


def resume_backfill(context: Context, backfill_id: int) -> Done:
    """Go on where it stopped."""
    checked(context)
    context.store.backfills.resume(backfill_id, by=context.viewer.name, at=context.now)
    return Done(t("La lecture reprend où elle s'était arrêtée."))


def cancel_backfill(context: Context, backfill_id: int) -> Done:
    """Give it up."""
    checked(context)
    context.store.backfills.cancel(backfill_id, by=context.viewer.name, at=context.now)
    return Done(t("Abandonnée ; ce qui a été trouvé reste."))
