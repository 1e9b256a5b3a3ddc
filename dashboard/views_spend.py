"""What a source costs, what it may cost, what it could not hear, and what webhooks bring, in words. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, exact, language, msg, n_t, number, t, told
from domain.budget import Course, SpendKind
from domain.contracts import Spend
from store.gaps import GapRow
from store.inbox import InboxHealth
from store.ledger import Quota, SourceMonth

KIND_WORDS: dict[SpendKind, str] = {
    SpendKind.READING: msg("lecture"),
    SpendKind.REHYDRATION: msg("relecture"),
    SpendKind.WRITING: msg("réponses"),
    SpendKind.ESTIMATE: msg("estimations"),
}
_SMALL = 0.1  # US dollars; below, cents are too coarse


@dataclass(frozen=True, slots=True)
class BudgetState:
    """How a month stands. `share` of the budget is used, 0..1; `trouble` where a person may want to act."""

    share: float
    words: str
    trouble: bool


def money(price: float) -> str:
    """US dollars, with as many decimals as it takes to see them."""
    told_ = number(price, 2 if price >= _SMALL or not price else 4)
    return f"{told_}\u202f$" if language() == "fr" else f"${told_}"


def _amount(spent: Spend) -> str:
    if spent.price or not spent.unit_count:
        return money(spent.price)
    return n_t("{n} unité", "{n} unités", spent.unit_count)


def spend_line(month: SourceMonth) -> str:
    """This month in one sentence; empty where nothing was paid for and nothing is limited."""
    if not (month.spent.price or month.spent.unit_count):
        return t("Ce mois-ci : rien n'a été payé.") if month.budget.is_set else ""
    coming = Spend(price=month.forecast_price, unit_count=round(month.forecast_unit_count))
    parts = [
        t(
            "Ce mois-ci : {spent} jusqu'ici, {coming} prévus pour le mois entier.",
            spent=_amount(month.spent),
            coming=_amount(coming),
        )
    ]
    if month.price_per_useful is not None and month.spent.price:
        parts.append(
            n_t(
                "{price} pour le message qui a servi.",
                "{price} pour chacun des {n} messages qui ont servi.",
                month.useful_count,
                price=money(month.price_per_useful),
            )
        )
    elif month.spent.price:
        parts.append(t("Aucun message n'a encore ouvert ni rejoint un dossier."))
    return " ".join(parts)


def kinds_line(month: SourceMonth) -> str:
    """The same by what was paid for; empty where it was one thing only."""
    paid = {kind: spent for kind, spent in month.by_kind.items() if spent.price or spent.unit_count}
    if len(paid) < 2:
        return ""
    return " · ".join(f"{t(KIND_WORDS[kind])} {_amount(spent)}" for kind, spent in paid.items())


def budget_state(month: SourceMonth, now: datetime, zone: ZoneInfo) -> BudgetState | None:
    """How the month stands against its budget; None where there is none."""
    budget, verdict = month.budget, month.verdict
    if not budget.is_set:
        return None
    limit = money(budget.price) if budget.price is not None else n_t("{n} unité", "{n} unités", budget.unit_count or 0)
    share = f"{number(verdict.share * 100)}\u202f%" if language() == "fr" else f"{number(verdict.share * 100)}%"
    head = t("Budget du mois : {limit}, {share} dépensés.", limit=limit, share=share)
    if verdict.course is Course.STOP:
        until = clock(verdict.until, now, zone) if verdict.until else ""
        what = t("Plus rien n'est lu avant le {until} ; les réponses partent toujours.", until=until)
    elif verdict.course is Course.SLOW:
        what = t("Lue moins souvent, pour que le budget tienne jusqu'à la fin du mois.")
    elif verdict.course is Course.WARN:
        what = t("À ce rythme, le budget sera dépassé avant la fin du mois.")
    else:
        what = t("Dans le budget.")
    return BudgetState(min(verdict.share, 1.0), f"{head} {what}", verdict.course in {Course.SLOW, Course.STOP})


def quota_line(quota: Quota, now: datetime, zone: ZoneInfo) -> str:
    """What the vendor grants a day, and what is left of it."""
    when = clock(quota.resets_at, now, zone)
    used, granted = number(quota.used_count), number(quota.granted_count)
    if quota.is_used_up:
        return t(
            "Quota du jour : {used} unités sur {granted}. Le reste est gardé pour les réponses jusqu'à {when}.",
            used=used,
            granted=granted,
            when=when,
        )
    return t("Quota du jour : {used} unités sur {granted}, renouvelé à {when}.", used=used, granted=granted, when=when)


def gap_line(gap: GapRow, zone: ZoneInfo) -> str:
    """A span that nobody will hear, and why."""
    since, until = exact(gap.since, zone), exact(gap.until, zone)
    return t("Rien n'a pu être lu du {since} au {until}.", since=since, until=until) + f" {told(gap.reason)}"


def hook_lines(key: str, health: InboxHealth, now: datetime) -> Sequence[str]:
    """Where a vendor delivers, and how that goes; nothing where no delivery ever came."""
    if health.last_received_at is None and not health.refusals:
        return ()
    lines = [t("Livraisons à l'adresse {path}.", path=f"/hooks/{key}")]
    if health.last_received_at is not None:
        lines[0] += " " + t("Dernière {when}.", when=ago(health.last_received_at, now))
    if health.waiting_count:
        lines.append(
            n_t("{n} livraison attend d'être lue.", "{n} livraisons attendent d'être lues.", health.waiting_count)
        )
    if health.failed_count:
        lines.append(
            n_t(
                "{n} livraison n'a pas pu être lue : elle est gardée.",
                "{n} livraisons n'ont pas pu être lues : elles sont gardées.",
                health.failed_count,
            )
        )
    lines += [
        n_t(
            "{n} refusée en sept jours : {reason}",
            "{n} refusées en sept jours : {reason}",
            one.count,
            reason=told(one.reason),
        )
        for one in health.refusals[:3]
    ]
    return lines
