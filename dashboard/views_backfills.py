"""Back-fills as the watches page shows them: the price before, how far the reading is, why it waits. Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, day, minutes, n_t, share, t
from dashboard.views_case import dollars
from dashboard.views_watches import sentences
from store.backfill_rows import Backfill, BackfillState


def state_word(one: Backfill, now: datetime) -> tuple[str, str, str]:
    """(word, icon, colour) of where it stands."""
    if one.state is BackfillState.RUNNING and one.retry_at is not None and one.retry_at > now:
        return t("Attend"), "schedule", "orange"
    return {
        BackfillState.ASKED: (t("Prix demandé"), "hourglass_top", "gray"),
        BackfillState.ANNOUNCED: (t("Attend votre accord"), "price_check", "orange"),
        BackfillState.RUNNING: (t("En cours"), "autorenew", "blue"),
        BackfillState.PAUSED: (t("En pause"), "pause_circle", "gray"),
        BackfillState.DONE: (t("Terminée"), "check_circle", "green"),
        BackfillState.CANCELLED: (t("Abandonnée"), "cancel", "gray"),
        BackfillState.REFUSED: (t("Impossible"), "block", "red"),
    }[one.state]


def title(one: Backfill, source_title: str, zone: ZoneInfo) -> str:
    """Whose past, and which span."""
    last = one.until - timedelta(microseconds=1)
    return t("{source}, du {since} au {until}", source=source_title, since=day(one.since, zone), until=day(last, zone))


def price_line(one: Backfill) -> str:
    """What was announced."""
    if one.state is BackfillState.ASKED:
        return sentences(one.error) or t("Le collecteur demande le prix au réseau.")
    if one.count_estimated is None:
        count = t("un nombre de messages inconnu")
    else:
        count = n_t("environ {n} message", "environ {n} messages", one.count_estimated)
    if one.price_estimated is None:
        price = t("à un prix que personne ne peut dire d'avance")
    else:
        price = (
            t("pour environ {price}", price=dollars(one.price_estimated)) if one.price_estimated else t("gratuitement")
        )
    parts = [t("Annoncé : {count}, {price}.", count=count, price=price)]
    limit = one.suggested_limit if one.state is BackfillState.ANNOUNCED else one.price_limit
    if limit is not None and one.open:
        parts.append(t("À {limit}, la lecture s'arrête et vous redemande.", limit=dollars(limit)))
    return " ".join([*parts, sentences(one.estimate_note)]).strip()


def yes_word(one: Backfill) -> str:
    """The button that agrees to the price."""
    if one.price_estimated:
        return t("Lire pour ≈ {price}", price=dollars(one.price_estimated))
    return t("Lire") if one.price_estimated is not None else t("Lire quand même")


def progress_line(one: Backfill, now: datetime, zone: ZoneInfo) -> str:
    """How far, what was found, what it cost, and how long it may still take."""
    found = n_t("{n} message trouvé", "{n} messages trouvés", one.found_count)
    new = n_t("{n} nouveau", "{n} nouveaux", one.stored_count)
    parts = [share(one.done_share), t("{found}, dont {new}", found=found, new=new)]
    if one.price_spent:
        parts.append(t("dépensé {price}", price=dollars(one.price_spent)))
    if one.state is BackfillState.RUNNING:
        if one.done_share:
            parts.append(t("lu jusqu'au {day}", day=day(one.reached_at, zone)))
        left = remaining(one, now)
        if left is not None:
            parts.append(t("encore environ {span}", span=minutes(max(1, left.total_seconds() / 60))))
    return " · ".join(parts)


def remaining(one: Backfill, now: datetime) -> timedelta | None:
    """How long reading the rest should take, as fast as it went so far; None where nobody can tell."""
    waits = one.retry_at is not None and one.retry_at > now
    if one.confirmed_at is None or not 0.02 <= one.done_share < 1 or waits:
        return None
    return (now - one.confirmed_at) * ((1 - one.done_share) / one.done_share)


def trouble_line(one: Backfill, now: datetime) -> str:
    """Why it waits or ended early; empty where all is well."""
    if not one.error or one.state is BackfillState.ASKED:
        return ""
    again = ""
    if one.state is BackfillState.RUNNING and one.retry_at is not None and one.retry_at > now:
        again = " " + t("Nouvel essai {when}, sans rien perdre.", when=ago(one.retry_at, now))
    return sentences(one.error) + again
