"""Cases as the desk shows them: deadlines in words, reasons of a priority, rows of the queue. Pure; no Streamlit.

Values in, plain dictionaries and strings out, in the language of the run. What one conversation shows is in
`views_case.py`, a person in `views_person.py`, the history in `views_audit.py`, indicators in `views_indicators.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, exact, minutes, msg, n_t, t, title_of
from dashboard.palette import SENTIMENT_SIGNS, SENTIMENT_WORDS
from domain.analysis import Sentiment
from domain.case import Case, Priority, Status
from domain.departments import DEPARTMENT_BY_KEY
from domain.taxonomy import INTENT_BY_KEY
from store.queue import QueueRow, Sort, View

SOON = timedelta(hours=1)  # a deadline nearer than this is shown as near

# The order of the tabs; the words are the team's, not the store's.
VIEW_TITLES: dict[View, str] = {
    View.MINE: msg("À moi"),
    View.UNASSIGNED: msg("Non prises"),
    View.LATE: msg("En retard"),
    View.WAITING: msg("En attente"),
    View.UNCERTAIN: msg("Incertaines"),
    View.OPEN: msg("Toutes"),
    View.RESOLVED: msg("Résolues"),
}
SORT_TITLES: dict[Sort, str] = {
    Sort.PRIORITY: msg("Priorité"),
    Sort.DUE: msg("Échéance"),
    Sort.NEWEST: msg("Plus récentes"),
    Sort.OLDEST: msg("Plus anciennes"),
}
PRIORITY_WORDS: dict[Priority, str] = {
    Priority.LOW: msg("basse"),
    Priority.NORMAL: msg("normale"),
    Priority.HIGH: msg("haute"),
    Priority.URGENT: msg("urgente"),
}
URGENCY_WORDS: dict[int, str] = {
    1: msg("problème à résoudre"),
    2: msg("bloquant, argent ou date"),
    3: msg("sécurité, santé, droit ou crise"),
}
STATUS_WORDS: dict[Status, str] = {
    Status.OPEN: msg("à nous de répondre"),
    Status.PENDING: msg("attend une réponse du client"),
    Status.SNOOZED: msg("mise en attente"),
    Status.RESOLVED: msg("résolue"),
    Status.MERGED: msg("fusionnée"),
}
NETWORK_TITLES: dict[str, str] = {
    "x": "X",
    "facebook": "Facebook",
    "instagram": "Instagram",
    "reviews": msg("Avis"),
    "blog": msg("Blog"),
    "mail": msg("Courriel"),
    "mastodon": "Mastodon",
    "bluesky": "Bluesky",
    "reddit": "Reddit",
    "youtube": "YouTube",
    "tiktok": "TikTok",
    "linkedin": "LinkedIn",
    "feed": msg("Fil de presse"),
    "forum": msg("Forum"),
    "sitemap": msg("Site du magasin"),
    "google": "Google",
    "google_business": "Google",
    "trustpilot": "Trustpilot",
    "avis_verifies": "Avis Vérifiés",
    "app_store": "App Store",
    "google_play": "Google Play",
    "amazon": "Amazon",
    "cdiscount": "Cdiscount",
    "fnac": "Fnac",
    "google_shopping": "Google Shopping",
    "marketplace": msg("Place de marché"),
    "form": msg("Formulaire"),
    "chat": msg("Discussion en ligne"),
    "phone": msg("Téléphone"),
    "in_store": msg("En magasin"),
    "webhook": msg("Autre service"),
    "file": msg("Fichier"),
    "files": msg("Fichier"),
}
LANGUAGE_TITLES: dict[str, str] = {
    "fr": msg("français"),
    "en": msg("anglais"),
    "es": msg("espagnol"),
    "de": msg("allemand"),
    "it": msg("italien"),
    "nl": msg("néerlandais"),
    "pt": msg("portugais"),
    "und": msg("langue inconnue"),
}


def network_title(key: str) -> str:
    """A network as people call it; the key itself for one that we have no word for."""
    return t(NETWORK_TITLES[key]) if key in NETWORK_TITLES else key.replace("_", " ").capitalize()


def language_title(key: str) -> str:
    """A language of messages."""
    return t(LANGUAGE_TITLES[key]) if key in LANGUAGE_TITLES else key


def label(key: str) -> str:
    """A shop's own key (store, product) as words: `paris-bastille` -> `Paris Bastille`."""
    return key if key != key.lower() else key.replace("-", " ").replace("_", " ").title()


def sentiment_chip(sentiment: Sentiment) -> dict[str, str]:
    """Colour key, sign and word of a sentiment."""
    return {
        "key": sentiment.value,
        "sign": SENTIMENT_SIGNS[sentiment],
        "word": t(SENTIMENT_WORDS[sentiment]),
    }


@dataclass(frozen=True, slots=True)
class Deadline:
    """Where a case stands with the clock: `state` is ok, soon, late, waiting or done; always with its words."""

    state: str
    text: str
    at: datetime | None = None
    short: str = ""  # for lists; empty where the words are short already


def deadline(case: Case, now: datetime, zone: ZoneInfo) -> Deadline:
    """What the clock says of a case, the nearest promise first."""
    if case.status is Status.RESOLVED and case.resolved_at is not None:
        return Deadline("done", t("résolue {when}", when=ago(case.resolved_at, now)), case.resolved_at)
    if case.status is Status.MERGED:
        return Deadline("done", t(STATUS_WORDS[Status.MERGED]))
    if case.status is Status.SNOOZED and case.snoozed_until is not None:
        when = clock(case.snoozed_until, now, zone)
        return Deadline("waiting", t("revient {when}", when=when), case.snoozed_until)
    if case.status is Status.PENDING:
        return Deadline("waiting", t("au tour du client"), case.last_reply_at)
    promises = [(case.resolution_due_at, t("solution"))]
    if case.first_reply_at is None:
        promises.insert(0, (case.first_reply_due_at, t("1re réponse")))
    known = [(due, what) for due, what in promises if due is not None]
    if not known:
        return Deadline("ok", t("sans échéance"))
    return _promise(*min(known, key=lambda promise: promise[0]), now)


def _promise(due: datetime, what: str, now: datetime) -> Deadline:
    left = abs((due - now).total_seconds() / 60)
    rough = minutes(left // 1440 * 1440 if left >= 1440 else left // 60 * 60 if left >= 60 else left)
    if due < now:
        text = t("{what} en retard de {span}", what=what, span=minutes(left))
        return Deadline("late", text, due, t("en retard de {span}", span=rough))
    text = t("{what} dans {span}", what=what, span=minutes(left))
    return Deadline("soon" if due - now <= SOON else "ok", text, due, t("{what} dans {span}", what=what, span=rough))


def priority_reasons(case: Case, now: datetime) -> list[str]:
    """Why a case stands where it stands, the strongest reason first."""
    reasons = []
    if case.urgency:
        reasons.append(t(URGENCY_WORDS[case.urgency]))
    if case.intent == "churn_threat":
        reasons.append(t("départ annoncé"))
    if case.sentiment is Sentiment.NEGATIVE:
        reasons.append(t("message négatif"))
    if int(case.priority) > max(case.urgency, 1 if case.sentiment is Sentiment.NEGATIVE else 0):
        reasons.append(t("risque de départ ou compte très suivi"))
    if case.first_reply_at is None and case.waiting_since is not None:
        reasons.append(t("sans réponse depuis {span}", span=_span(case.waiting_since, now)))
    if case.reopened_count:
        reasons.append(n_t("rouverte {n} fois", "rouverte {n} fois", case.reopened_count))
    return reasons or [t("rien ne presse")]


def _span(start: datetime, now: datetime) -> str:
    return minutes(max(0.0, (now - start).total_seconds() / 60))


def why(case: Case, now: datetime) -> str:
    """The priority and its reasons, in one line."""
    word = t(PRIORITY_WORDS[case.priority])
    return t("Priorité {word} : {reasons}", word=word, reasons=", ".join(priority_reasons(case, now)))


def case_title(case: Case) -> str:
    """The matter of a case, in a word or two."""
    return title_of(INTENT_BY_KEY[case.intent])


def department_title(key: str) -> str:
    """A department, by its key."""
    return title_of(DEPARTMENT_BY_KEY[key])


def queue_item(row: QueueRow, now: datetime, zone: ZoneInfo, me: str) -> dict[str, Any]:
    """One row of the list, ready for the component: words only, nothing to compute."""
    case = row.case
    due = deadline(case, now, zone)
    holder = "" if case.assignee is None else t("à moi") if case.assignee == me else case.assignee
    return {
        "id": case.id,
        "network": case.network,
        "networkTitle": network_title(case.network),
        "name": row.person_name or t("Sans nom"),
        "ago": ago(case.last_inbound_at, now),
        "at": exact(case.last_inbound_at, zone),
        "snippet": " ".join(row.snippet.split()) or t("Sans texte"),  # deleted on its network, or stars alone
        "title": case_title(case),
        "department": department_title(case.department),
        "due": {
            "state": due.state,
            "text": due.short or due.text,
            "at": f"{due.text} ({exact(due.at, zone)})" if due.at else due.text,
        },
        "sentiment": sentiment_chip(case.sentiment),
        "priority": int(case.priority),
        "priorityWord": t(PRIORITY_WORDS[case.priority]),
        "why": why(case, now),
        "uncertain": case.uncertain,
        "holder": holder,
        "count": case.mention_count,
        "countWord": n_t("{n} message", "{n} messages", case.mention_count),
        "open": case.status is Status.OPEN,
    }


def tabs(counts: dict[View, int], chosen: View) -> list[dict[str, Any]]:
    """The tabs of the desk with their counts; late ones carry a warning where there are any."""
    return [
        {
            "key": view.value,
            "title": t(title),
            "count": counts.get(view, 0),
            "chosen": view is chosen,
            "warn": view is View.LATE and counts.get(view, 0) > 0,
        }
        for view, title in VIEW_TITLES.items()
    ]


def next_id(shown: Sequence[str], current: str | None, at: int = 0) -> str | None:
    """The case after the current one in the list; the first one after the last.

    Args:
        at: where the current one stood, for when it has left the list since (it was resolved, say).
    """
    if not shown:
        return None
    if current not in shown:
        return shown[at % len(shown)]
    return shown[(shown.index(current) + 1) % len(shown)]


def settle(shown: Sequence[str], fresh: Sequence[str]) -> tuple[list[str], int]:
    """The order to keep on screen after a silent refresh, and how many new cases wait to be shown.

    Rows that are still there keep their order, gone ones leave, new ones below the last row are added, new ones above it
    wait until they are asked for: nothing jumps. A list that had been empty shows at once what came.
    """
    kept = [key for key in shown if key in set(fresh)]
    if not kept:
        return list(fresh), 0
    end = max(fresh.index(key) for key in kept)
    below = [key for key in fresh[end + 1 :] if key not in set(shown)]
    waiting = sum(1 for key in fresh[:end] if key not in set(shown))
    return kept + below, waiting
