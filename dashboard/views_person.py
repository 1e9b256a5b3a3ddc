"""A person as the desk shows her or him: who, since when, which accounts on what ground, what happened. Pure; no Streamlit."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, day, exact, money, msg, n_t, short_number, t
from dashboard.palette import SENTIMENT_WORDS
from dashboard.views import STATUS_WORDS, case_title, label, network_title, sentiment_chip
from dashboard.views_case import safe_url
from domain.analysis import Sentiment
from domain.case import Case, Status
from domain.person import CustomerEvent, EventKind, Evidence, IdentityLink, LinkState, Person
from store.people import AccountRow

EVIDENCE_WORDS: dict[Evidence, str] = {
    Evidence.OWN_ACCOUNT: msg("son propre compte"),
    Evidence.VERIFIED_EMAIL: msg("courriel vérifié"),
    Evidence.CONSENT: msg("a donné son accord"),
    Evidence.STAFF: msg("confirmé par l'équipe"),
}
EVENT_WORDS: dict[EventKind, str] = {
    EventKind.ORDER: msg("Commande {ref}"),
    EventKind.CART: msg("Panier"),
    EventKind.DELIVERY: msg("Livraison de {ref}"),
    EventKind.RETURN: msg("Retour de {ref}"),
    EventKind.VISIT: msg("Visite en boutique"),
}
STATE_WORDS: dict[str, str] = {
    "shipped": msg("expédiée"),
    "delivered": msg("livrée"),
    "paid": msg("payée"),
    "preparing": msg("en préparation"),
    "cancelled": msg("annulée"),
    "late": msg("en retard"),
    "lost": msg("perdue"),
    "open": msg("ouvert"),
    "abandoned": msg("abandonné"),
    "converted": msg("devenu commande"),
    "refunded": msg("remboursé"),
    "received": msg("reçu"),
    "requested": msg("demandé"),
    "returned": msg("retournée"),
}
LEVELS = {Sentiment.NEGATIVE.value: 0, Sentiment.NEUTRAL.value: 1, Sentiment.POSITIVE.value: 2}


def first_name(name: str) -> str:
    """What to write after “Bonjour”: the first word of a name that looks like a name, else nothing."""
    first = name.strip().split(" ")[0] if name.strip() else ""
    return first if first[:1].isupper() and first.replace("-", "").replace("'", "").isalpha() and len(first) > 1 else ""


def identity(person: Person | None, fallback: str) -> dict[str, Any]:
    """Name and the line under it."""
    if person is None:
        return {"name": fallback or t("Sans nom"), "line": t("Rien d'autre n'est connu."), "chips": []}
    if person.customer_since:
        line = t("client·e depuis {year}", year=person.customer_since)
    elif person.customer_ref:
        line = t("client·e")
    else:
        line = t("pas de fiche client reliée")
    if person.city:
        line = f"{line} · {person.city}"
    chips = [t("carte de fidélité")] if person.loyalty else []
    return {"name": person.name or fallback or t("Sans nom"), "line": line, "chips": chips}


def accounts(rows: Sequence[AccountRow], links: Sequence[IdentityLink]) -> list[dict[str, Any]]:
    """Each account with the ground on which we think that it is this person's; suggested links come last."""
    grounds = {link.account_id: link for link in links if link.state is not LinkState.UNDONE}
    found = []
    for row in rows:
        link = grounds.get(row.id)
        certain = link is None or link.state is LinkState.CONFIRMED
        name = row.handle or row.name
        found.append(
            {
                "network": row.network,
                "networkTitle": network_title(row.network),
                "name": f"@{name}" if row.handle and row.network != "mail" else name,
                "url": safe_url(row.url),
                "certain": certain,
                "word": t("certain") if certain else t("à confirmer"),
                "ground": t(EVIDENCE_WORDS[link.evidence]) if link else "",
                "followers": n_t("{n} abonné", "{n} abonnés", row.follower_count)
                if row.follower_count is not None and row.follower_count < 1000
                else t("{n} abonnés", n=short_number(row.follower_count))
                if row.follower_count
                else "",
            }
        )
    return sorted(found, key=lambda account: not account["certain"])


def timeline(events: Sequence[CustomerEvent], now: datetime, zone: ZoneInfo, currency: str) -> list[dict[str, Any]]:
    """Orders, deliveries, carts, returns and visits, newest first, each in one line."""
    return [_event(event, now, zone, currency) for event in events]


def _event(event: CustomerEvent, now: datetime, zone: ZoneInfo, currency: str) -> dict[str, Any]:
    data = event.data
    status = str(data.get("status", ""))
    words = [t(STATE_WORDS[status]) if status in STATE_WORDS else label(status) if status else ""]
    late = _days_late(data, now)
    if late:
        words.append(n_t("en retard de {n} jour", "en retard de {n} jours", late))
    if data.get("carrier"):
        words.append(label(str(data["carrier"])))
    if data.get("store"):
        words.append(label(str(data["store"])))
    if data.get("reason"):
        words.append(str(data["reason"]))
    if event.amount is not None:
        words.append(money(event.amount, currency))
    return {
        "kind": event.kind.value,
        "title": t(EVENT_WORDS[event.kind], ref=data.get("order") or event.ref),
        "detail": " · ".join(word for word in words if word),
        "items": _items(data.get("items")),
        "late": bool(late),
        "when": clock(event.at, now, zone),
        "at": exact(event.at, zone),
    }


def _days_late(data: dict[str, Any], now: datetime) -> int:
    promised = _day_of(data.get("promised_on"))
    if promised is None or data.get("status") == "cancelled":
        return 0
    return max(0, ((_day_of(data.get("delivered_on")) or now.date()) - promised).days)


def _day_of(value: object) -> date | None:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _items(items: object) -> str:
    return ", ".join(str(item) for item in items) if isinstance(items, list) else ""


def mood(points: Sequence[tuple[datetime, str]], zone: ZoneInfo) -> dict[str, Any]:
    """The person's mood over time, as points 0 (negative) .. 2 (positive) and as a sentence."""
    known = [(at, sentiment) for at, sentiment in points if sentiment in LEVELS]
    marks = [
        {"level": LEVELS[sentiment], "title": f"{day(at, zone)} : {t(SENTIMENT_WORDS[Sentiment(sentiment)])}"}
        for at, sentiment in known
    ]
    if not known:
        return {"points": [], "text": t("Rien n'a encore été analysé.")}
    last = t(SENTIMENT_WORDS[Sentiment(known[-1][1])])
    text = n_t("{n} message, le dernier {last}", "{n} messages, le dernier {last}", len(known), last=last)
    return {"points": marks, "text": text}


def other_cases(cases: Sequence[Case], now: datetime, zone: ZoneInfo) -> list[dict[str, Any]]:
    """The person's other conversations."""
    return [
        {
            "id": case.id,
            "network": case.network,
            "networkTitle": network_title(case.network),
            "title": case_title(case),
            "status": t(STATUS_WORDS[case.status]),
            "open": case.status is not Status.RESOLVED,
            "sentiment": sentiment_chip(case.sentiment),
            "ago": ago(case.last_inbound_at, now),
            "at": exact(case.last_inbound_at, zone),
        }
        for case in cases
    ]
