"""What a person may do to sources and sendings: each act checked against the viewer's role, done by the store. No Streamlit.

The dashboard never calls a network: "retry" and "send again" are wishes that the worker finds in the store.
"""

from dataclasses import replace

from dashboard.acts import Done, NotYoursError
from dashboard.context import ADMIN, COMMUNITY_MANAGER, Context, Viewer
from dashboard.i18n import t
from dashboard.views_spend import money
from domain.case import RuleError
from store.outbox import OutboxRow
from store.sources import Source

KEEPERS = (COMMUNITY_MANAGER, ADMIN)
STUCK_LIMIT = 50
BUDGET_LIMIT = 1_000_000  # US dollars a month


def may_keep(viewer: Viewer) -> bool:
    """True for who looks after the sources."""
    return viewer.role in KEEPERS


def must_keep(context: Context) -> None:
    """Raises NotYoursError for who does not look after the sources."""
    if not may_keep(context.viewer):
        raise NotYoursError(t("Les sources sont tenues par les community managers et l'administration."))


def _source(context: Context, key: str) -> Source:
    must_keep(context)
    source = context.store.sources.get(key)
    if source is None:
        raise NotYoursError(t("Cette source n'existe plus."))
    return source


def retry(context: Context, key: str) -> Done:
    """Try a source at the worker's next turn."""
    source = _source(context, key)
    context.store.sources.retry_now(key)
    return Done(t("{title} sera réessayée dans un instant.", title=source.title))


def pause(context: Context, key: str) -> Done:
    """Listen no more; what was heard stays."""
    source = _source(context, key)
    context.store.sources.set_enabled(key, False)
    return Done(t("{title} est en pause.", title=source.title))


def resume(context: Context, key: str) -> Done:
    """Listen again, from where it stopped."""
    source = _source(context, key)
    context.store.sources.set_enabled(key, True)
    return Done(t("{title} reprend où elle s'était arrêtée.", title=source.title))


def set_budget(context: Context, key: str, price: float | None) -> Done:
    """Limit what a month of a source may cost, in US dollars; None or 0 takes the limit away."""
    source = _source(context, key)
    if price is not None and not 0 <= price <= BUDGET_LIMIT:
        raise RuleError(f"A budget is between 0 and {BUDGET_LIMIT:,} dollars a month. Nothing was changed.")
    before = context.store.ledger.standing(key, context.now).budget
    context.store.sources.set_budget(key, replace(before, price=price or None))
    if not price:
        return Done(t("{title} n'a plus de budget en dollars.", title=source.title))
    return Done(t("{title} peut coûter {price} par mois.", title=source.title, price=money(price)))


def stuck(context: Context) -> list[OutboxRow]:
    """Sendings that wait for a person, newest first; only those of the viewer's departments."""
    must_keep(context)
    return [row for row in context.store.outbox.stuck(STUCK_LIMIT) if _seen(context, row)]


def _seen(context: Context, row: OutboxRow) -> bool:
    if not context.viewer.departments:
        return True
    case = context.store.cases.get(row.case_id) if row.case_id else None
    return case is not None and context.viewer.sees(case.department)


def send_again(context: Context, key: str) -> Done:
    """A refused or doubtful sending leaves again, because the viewer says so."""
    if key not in {row.key for row in stuck(context)}:
        raise NotYoursError(t("Cet envoi n'attend plus personne."))
    context.store.outbox.send_again(key, actor=context.viewer.name, now=context.now)
    return Done(t("L'envoi repart dans un instant."))
