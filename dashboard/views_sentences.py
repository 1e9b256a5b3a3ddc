"""The sentence at the head of a page, written from the readings: what holds today, against what, where, since when.

Each department has its question and a function that answers it, in `_ANSWERS`; a clause without data is left out, so that
a sentence never says more than the store knows. Pure; no Streamlit runs here.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.i18n import minutes, msg, n_t, number, share, t
from dashboard.views_days import Episode, day_title, spike_subject
from dashboard.views_indicators import Piece, before, too_few, value_text
from dashboard.views_openings import QueueState, part_title
from domain.departments import DEPARTMENT_BY_KEY
from store.indicators import INDICATOR_BY_KEY, Dimension, Indicator, Part, Reading, Scope

_HOLE = re.compile("\ue000(.*?)\ue001", re.DOTALL)

QUESTIONS: dict[str, str] = {
    "customer_service": msg("Répond-on à temps ?"),
    "marketing": msg("Que dit-on de nous ?"),
    "product_quality": msg("Quel produit pose problème ?"),
    "logistics": msg("Les livraisons tiennent-elles leurs promesses ?"),
    "stores_sales": msg("Comment nos boutiques sont-elles jugées ?"),
    "ecommerce": msg("Qu'est-ce qui retient d'acheter en ligne ?"),
    "finance": msg("Combien d'argent attend une réponse ?"),
    "human_resources": msg("Que dit-on de nous comme employeur ?"),
    "management": msg("Où faut-il regarder ?"),
}

# What each department looks at first: the number of "what changed" and "where", and the parts that it is cut into.
LEADS: dict[str, tuple[str, Dimension]] = {
    "customer_service": ("first_reply_median", "network"),
    "marketing": ("negative_share", "network"),
    "product_quality": ("defect_rate", "product"),
    "logistics": ("delivery_contact_rate", "carrier"),
    "stores_sales": ("average_rating", "store"),
    "ecommerce": ("mentions", "intent"),
    "finance": ("refund_count", "product"),
    "human_resources": ("employment_count", "network"),
    "management": ("mentions", "intent"),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What a department's sentence may speak of; `parts` is the breakdown of its lead."""

    department: str
    scope: Scope
    readings: Mapping[str, Reading]
    parts: Sequence[Part] = ()
    by: Dimension = "network"
    episodes: Sequence[Episode] = ()
    queue: QueueState | None = None
    currency: str = "EUR"

    def known(self, key: str) -> Reading | None:
        """A reading that has a value."""
        reading = self.readings.get(key)
        return reading if reading is not None and reading.value is not None else None


# -- holes: a translated text whose numbers become pieces of their own ----------------------------------------------------


def hole(text: str, opens: str = "", tone: str = "") -> str:
    """A value to put in a translated text that `pieces` cuts out again, with what it opens."""
    return f"\ue000{text}\ue002{opens}\ue002{tone}\ue001"


def pieces(text: str) -> list[Piece]:
    """The text around the holes, and the holes."""
    found: list[Piece] = []
    for index, part in enumerate(_HOLE.split(text)):
        if index % 2:
            found.append(Piece(*part.split("\ue002")))
        elif part:
            found.append(Piece(part))
    return found


def sentence(clauses: Sequence[str]) -> list[Piece]:
    """Clauses as one sentence: a capital first, semicolons between, a full stop at the end."""
    said = [clause for clause in clauses if clause]
    if not said:
        return []
    text = t("\u00a0; ").join(said)
    first = next((i for i, char in enumerate(text) if char.isalpha() or char == "\ue000"), 0)
    return pieces(text[:first] + text[first].upper() + text[first + 1 :] + ".")


def words(found: Sequence[Piece]) -> str:
    """The sentence without its links."""
    return "".join(piece.text for piece in found)


# -- clauses ---------------------------------------------------------------------------------------------------------------


def _value(facts: Facts, reading: Reading) -> str:
    indicator = INDICATOR_BY_KEY[reading.key]
    return hole(value_text(indicator, reading.value or 0.0, facts.currency), indicator.key if reading.n else "")


def _small(facts: Facts, key: str) -> bool:
    reading = facts.known(key)
    return reading is not None and too_few(INDICATOR_BY_KEY[key], reading)


def _against(facts: Facts, key: str) -> str:
    """`, 2 fois plus que les 7 jours d'avant`; empty where nothing can be compared or nothing moved."""
    reading = facts.known(key)
    if reading is None or reading.value is None or reading.previous is None:
        return ""
    indicator = INDICATOR_BY_KEY[key]
    words_of = _compared(indicator, reading.value, reading.previous, before(facts.scope, indicator))
    return (
        f"{words_of} {hole(t('(peut-être le hasard)'), tone='doubt')}" if words_of and reading.by_chance else words_of
    )


def _compared(indicator: Indicator, value: float, previous: float, past: str) -> str:
    if indicator.unit in {"share", "score", "rating", "minutes"}:
        text, earlier = value_text(indicator, value), value_text(indicator, previous)
        return "" if text == earlier else t(", contre {earlier} {past}", earlier=earlier, past=past)
    if previous <= 0:
        return ""
    ratio = value / previous
    if ratio >= 1.8:
        digits = 0 if ratio >= 9.5 or round(ratio, 1).is_integer() else 1
        return t(", {times} fois plus que {past}", times=number(ratio, digits), past=past)
    apart = abs(ratio - 1)
    if apart < 0.05:
        return t(", comme {past}", past=past)
    if ratio > 1:
        return t(", {percent} de plus que {past}", percent=share(apart), past=past)
    return t(", {percent} de moins que {past}", percent=share(apart), past=past)


def worst(facts: Facts, key: str) -> Part | None:
    """The part of the breakdown that stands out on the bad side, among those that rest on something."""
    better = INDICATOR_BY_KEY[key].better
    least = 5 if INDICATOR_BY_KEY[key].unit in {"rating", "minutes"} else 10
    solid = [part for part in facts.parts if part.value is not None and part.n >= least]
    if len(solid) < 2:
        return None
    return (min if better == "up" else max)(solid, key=lambda part: part.value or 0.0)


def _where(facts: Facts, key: str) -> str:
    part = worst(facts, key)
    if part is None or not part.value:
        return ""
    value = value_text(INDICATOR_BY_KEY[key], part.value, facts.currency)
    name = part_title(facts.by, part.label)
    found = hole(value, f"part:{part.label}" if facts.by != "carrier" else "")
    if INDICATOR_BY_KEY[key].better == "up":
        return t(", au plus bas : {name} ({value})", name=name, value=found)
    return t(", surtout : {name} ({value})", name=name, value=found)


def _since(facts: Facts) -> str:
    if not facts.episodes:
        return ""
    episode = max(facts.episodes, key=lambda e: e.peak.value - e.peak.expected)
    peak = episode.peak
    return t(
        "jour le plus agité : {day}, {value} messages pour {expected} attendus ({subject})",
        day=day_title(peak.day, weekday=True),
        value=hole(number(peak.value), f"day:{peak.day.isoformat()}"),
        expected=number(peak.expected),
        subject=spike_subject(peak),
    )


def _count(facts: Facts, key: str, text: Callable[[int, str], str]) -> str:
    reading = facts.known(key)
    if reading is None or reading.value is None:
        return ""
    return text(round(reading.value), _value(facts, reading)) + _against(facts, key)


def _measured(facts: Facts, key: str, text: Callable[[str], str]) -> str:
    reading = facts.known(key)
    if reading is None or _small(facts, key):
        return ""
    return text(_value(facts, reading)) + _against(facts, key)


# -- one answer for each department ----------------------------------------------------------------------------------------


def _customer_service(f: Facts) -> list[str]:
    target = minutes(DEPARTMENT_BY_KEY["customer_service"].first_reply.total_seconds() / 60)
    return [
        _late(f),
        _measured(
            f,
            "first_reply_median",
            lambda value: t("la moitié des premières réponses partent en moins de {value}", value=value),
        ),
        _measured(
            f,
            "sla_share",
            lambda value: t("{value} arrivent dans le délai de {target} ouvrées", value=value, target=target),
        ),
    ]


def _late(f: Facts) -> str:
    if f.queue is None:
        return ""
    if not f.queue.open:
        return t("personne n'attend de réponse")
    waiting = n_t(
        "{what} conversation attend une réponse",
        "{what} conversations attendent une réponse",
        f.queue.open,
        what=hole(number(f.queue.open), f"open:{f.department}"),
    )
    if not f.queue.late:
        return t("{waiting}, aucune en retard", waiting=waiting)
    late = hole(number(f.queue.late), f"late:{f.department}", "bad")
    return t("{waiting}, dont {late} en retard", waiting=waiting, late=late)


def _marketing(f: Facts) -> list[str]:
    return [
        _count(
            f,
            "mentions",
            lambda n, what: n_t("{what} message nous concerne", "{what} messages nous concernent", n, what=what),
        ),
        _measured(f, "net_sentiment", lambda value: t("le sentiment net est de {value} (entre −1 et +1)", value=value)),
        _count(f, "praise_count", lambda n, what: n_t("{what} éloge", "{what} éloges", n, what=what)),
        _since(f),
    ]


def _product_quality(f: Facts) -> list[str]:
    return [
        _measured(f, "defect_rate", lambda value: t("{value} défauts signalés pour 1 000 ventes", value=value))
        + _where(f, "defect_rate"),
        _count(
            f,
            "safety_count",
            lambda n, what: n_t("{what} alerte de sécurité", "{what} alertes de sécurité", n, what=what),
        ),
        _since(f),
    ]


def _logistics(f: Facts) -> list[str]:
    return [
        _measured(
            f,
            "delivery_contact_rate",
            lambda value: t("{value} plaintes de livraison pour 1 000 commandes", value=value),
        )
        + _where(f, "delivery_contact_rate"),
        _measured(f, "late_order_share", lambda value: t("{value} des commandes en ligne sont en retard", value=value)),
        _since(f),
    ]


def _stores_sales(f: Facts) -> list[str]:
    return [
        _measured(f, "average_rating", lambda value: t("la note moyenne est de {value}", value=value))
        + _where(f, "average_rating"),
        _measured(f, "review_reply_rate", lambda value: t("{value} des avis ont reçu une réponse", value=value)),
        _count(
            f,
            "purchase_intent_count",
            lambda n, what: n_t("{what} envie d'achat", "{what} envies d'achat", n, what=what),
        ),
    ]


def _ecommerce(f: Facts) -> list[str]:
    return [
        _measured(f, "cart_abandonment_share", lambda value: t("{value} des paniers sont abandonnés", value=value)),
        _count(
            f,
            "purchase_intent_count",
            lambda n, what: n_t("{what} envie d'achat", "{what} envies d'achat", n, what=what),
        ),
        _measured(f, "negative_share", lambda value: t("{value} des messages sur le site sont négatifs", value=value)),
        _since(f),
    ]


def _finance(f: Facts) -> list[str]:
    reading = f.known("revenue_at_risk")
    at_risk = ""
    if reading is not None:
        at_risk = n_t(
            "{value} d'achats des douze derniers mois chez {n} client·e qui a une plainte en cours",
            "{value} d'achats des douze derniers mois chez {n} client·es qui ont une plainte en cours",
            reading.n,
            value=_value(f, reading),
        )
    return [
        at_risk,
        _count(
            f,
            "refund_count",
            lambda n, what: n_t("{what} demande de remboursement", "{what} demandes de remboursement", n, what=what),
        ),
        _count(
            f,
            "billing_count",
            lambda n, what: n_t("{what} question de facture", "{what} questions de facture", n, what=what),
        ),
    ]


def _human_resources(f: Facts) -> list[str]:
    return [
        _count(
            f,
            "employment_count",
            lambda n, what: n_t(
                "{what} message sur l'emploi chez nous", "{what} messages sur l'emploi chez nous", n, what=what
            ),
        ),
        _measured(f, "negative_share", lambda value: t("{value} des messages reçus sont négatifs", value=value)),
        _late(f),
    ]


def _management(f: Facts) -> list[str]:
    return [
        _count(f, "mentions", lambda n, what: n_t("{what} message entendu", "{what} messages entendus", n, what=what)),
        _measured(f, "sla_share", lambda value: t("{value} des réponses partent dans les délais", value=value)),
        _count(
            f,
            "safety_count",
            lambda n, what: n_t("{what} alerte de sécurité", "{what} alertes de sécurité", n, what=what),
        ),
        _measured(f, "revenue_at_risk", lambda value: t("{value} d'achats annuels sont à risque", value=value)),
        _since(f),
    ]


_ANSWERS: dict[str, Callable[[Facts], list[str]]] = {
    "customer_service": _customer_service,
    "marketing": _marketing,
    "product_quality": _product_quality,
    "logistics": _logistics,
    "stores_sales": _stores_sales,
    "ecommerce": _ecommerce,
    "finance": _finance,
    "human_resources": _human_resources,
    "management": _management,
}


def _plain_answer(f: Facts) -> list[str]:
    return [
        _count(f, "mentions", lambda n, what: n_t("{what} message", "{what} messages", n, what=what)),
        _late(f),
        _since(f),
    ]


def department_sentence(facts: Facts) -> list[Piece]:
    """The answer to the department's question; what to expect where nothing is known yet."""
    found = sentence(_ANSWERS.get(facts.department, _plain_answer)(facts))
    return found or [Piece(t("Rien à dire encore : aucune donnée dans cette période."))]
