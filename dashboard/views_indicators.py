"""Indicators as pages show them: numbers in words, changes, cards. Pure; no Streamlit runs here.

Rules that hold for every number live here once: a share of fewer than `ENOUGH` rows is no share, no data is not zero, a
change that chance explains says so. Days are in `views_days.py`, sentences in `views_sentences.py`, what a click opens in
`views_openings.py`, sources in `views_sources.py`.
"""

from dataclasses import dataclass, replace

from dashboard.i18n import (
    language,
    minutes,
    money,
    msg,
    n_t,
    number,
    share,
    short_number,
    t,
    title_of,
)
from dashboard.views_days import smoothed
from domain.departments import DEPARTMENT_BY_KEY, Department
from store.indicators import (
    Dimension,
    Indicator,
    Reading,
    Scope,
)

ENOUGH = 30  # rows under a share; below, a few people decide it
_ENOUGH_FOR_PERCENT = 20  # a count's change is told in percent from here on, else in units
MINUS = "\u2212"

DIMENSION_TITLES: dict[Dimension, str] = {
    "network": msg("Réseau"),
    "store": msg("Boutique"),
    "product": msg("Produit"),
    "carrier": msg("Transporteur"),
    "intent": msg("Intention"),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a sentence or a cell: `opens` names what a click opens, `tone` is good, bad, doubt or quiet."""

    text: str
    opens: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One number as a person reads it: everything is already written in her or his language.

    Attributes:
        quiet: the value is a remark ("aucune donnée"), not a number.
        past: what the change is measured against.
        tone: `good`, `bad` or empty, for the change; not shown where `doubt` says that it may be chance.
        spark: one value a day, None for a day without data.
        help: (label, text) lines behind the question mark.
        opens: what a click on the value opens; empty for nothing.
    """

    key: str
    title: str
    value: str
    quiet: bool = False
    change: str = ""
    past: str = ""
    tone: str = ""
    doubt: str = ""
    note: str = ""
    spark: tuple[float | None, ...] = ()
    target: float | None = None
    target_text: str = ""
    help: tuple[tuple[str, str], ...] = ()
    opens: str = ""


# -- the past ---------------------------------------------------------------------------------------------------------------


def before(scope: Scope, indicator: Indicator) -> str:
    """What the change is measured against: the days before, or for a stock the moment at which they ended."""
    days = (scope.until - scope.since).days
    if days == 1:
        return t("la veille")
    if indicator.how == "stock":
        return t("{n} jours plus tôt", n=number(days))
    return t("les {n} jours d'avant", n=number(days))


# -- numbers in words ------------------------------------------------------------------------------------------------------


def value_text(indicator: Indicator, value: float, currency: str = "EUR") -> str:
    """The value with its unit, as its kind is read: `1 204`, `38 %`, `1 h 12`, `4,2 sur 5`."""
    if indicator.unit == "share":
        return share(value)
    if indicator.unit == "minutes":
        return minutes(value)
    if indicator.unit == "rating":
        return t("{value} sur 5", value=number(value, 1))
    if indicator.unit == "euros":
        return money(round(value), currency)
    if indicator.unit == "score":
        return signed(value, 2)
    if indicator.unit == "per_1000":
        return number(value, 0 if value >= 100 else 1)
    return number(value) if value < 100_000 else short_number(value)


def axis_text(indicator: Indicator, value: float, currency: str = "EUR") -> str:
    """The value beside a line of a chart: as short as it can be."""
    if not value:
        return "0"
    if indicator.unit in {"rating", "per_1000", "count"}:
        return number(value, 0 if float(value).is_integer() else 1)
    return value_text(indicator, value, currency)


def signed(value: float, digits: int = 0) -> str:
    """A number that always shows its sign; zero has none."""
    text = number(abs(value), digits)
    if not any(char in "123456789" for char in text):
        return text
    return f"+{text}" if value > 0 else f"{MINUS}{text}"


def too_few(indicator: Indicator, reading: Reading) -> bool:
    """True where the sample is too small for a share to mean anything."""
    return indicator.unit in {"share", "score"} and 0 < reading.n < ENOUGH


def change_text(indicator: Indicator, value: float, previous: float, currency: str = "EUR") -> str:
    """How far the value moved, in the unit in which people compare it; empty where it did not."""
    gap = value - previous
    if indicator.unit == "share":
        points = round(gap * 100)
        return n_t("{gap} point", "{gap} points", points, gap=signed(points)) if points else ""
    if indicator.unit == "minutes":
        return f"{'+' if gap > 0 else MINUS}{minutes(gap)}" if round(gap) else ""
    if indicator.unit == "rating":
        return signed(gap, 1) if round(gap, 1) else ""
    if indicator.unit == "score":
        return signed(gap, 2) if round(gap, 2) else ""
    if previous >= _ENOUGH_FOR_PERCENT or (indicator.unit in {"euros", "per_1000"} and previous > 0):
        if value >= 2 * previous:
            return f"× {number(value / previous, 1)}"
        percent = round(gap / previous * 100)
        return f"{signed(percent)}{share(0.0).lstrip('0')}" if percent else ""
    if indicator.unit == "euros":
        return f"{'+' if gap > 0 else MINUS}{money(abs(round(gap)), currency)}" if round(gap) else ""
    return signed(gap) if round(gap) else ""


def tone_of(indicator: Indicator, reading: Reading) -> str:
    """`good`, `bad`, or empty: the same, unknown, may be chance, or neither good nor bad news."""
    if reading.value is None or reading.previous is None or reading.by_chance or not indicator.better:
        return ""
    if reading.value == reading.previous:
        return ""
    return "good" if (reading.value > reading.previous) == (indicator.better == "up") else "bad"


# What stands behind an indicator where it is not messages; the answering ones count conversations.
_CONVERSATIONS = frozenset(
    {"first_reply_median", "reply_rate", "sla_share", "open_cases", "late_cases", "reopen_share"}
)


def sample(indicator: Indicator, n: int, by: Dimension | None = None) -> str:
    """`182 messages`: how many rows stand behind a number, and what they are; `by` where it is a part of a breakdown."""
    if by == "carrier":
        return n_t("{n} colis", "{n} colis", n)
    if indicator.key in _CONVERSATIONS:
        return n_t("{n} conversation", "{n} conversations", n)
    if indicator.key in {"average_rating", "review_reply_rate"}:
        return n_t("{n} avis", "{n} avis", n)
    if indicator.key == "defect_rate":
        return n_t("{n} vente", "{n} ventes", n)
    if indicator.key in {"delivery_contact_rate", "late_order_share"}:
        return n_t("{n} commande", "{n} commandes", n)
    if indicator.key == "cart_abandonment_share":
        return n_t("{n} panier", "{n} paniers", n)
    if indicator.key == "revenue_at_risk":
        return n_t("{n} client·e", "{n} client·es", n)
    return n_t("{n} message", "{n} messages", n)


# -- cards -----------------------------------------------------------------------------------------------------------------


def target_of(indicator: Indicator, department: Department | None) -> tuple[float | None, str]:
    """The target of a department for an indicator, as a value and in words; (None, "") where it has none."""
    if department is None or indicator.key != "first_reply_median":
        return None, ""
    value = department.first_reply.total_seconds() / 60
    return value, t("cible {value} ouvrées", value=minutes(value))


def card(
    indicator: Indicator, reading: Reading, scope: Scope, department: Department | None = None, currency: str = "EUR"
) -> Card:
    """The card of one reading."""
    base = Card(
        key=indicator.key,
        title=title_of(indicator),
        value=t("aucune donnée"),
        quiet=True,
        help=help_lines(indicator, reading),
    )
    if reading.value is None:
        return base
    opens = indicator.key if reading.n else ""
    if too_few(indicator, reading):
        return replace(base, value=sample(indicator, reading.n), note=t("trop peu pour conclure"), opens=opens)
    target, target_text = target_of(indicator, department)
    text = value_text(indicator, reading.value, currency)
    change, past, tone, doubt = _change(indicator, reading, scope, currency)
    return replace(
        base,
        value=text,
        quiet=False,
        change=change,
        past=past,
        tone=tone,
        doubt=doubt,
        note=_note(indicator, reading),
        spark=tuple(value for _, value in smoothed(indicator, reading)),
        target=target,
        target_text=target_text,
        opens=opens,
    )


def _change(indicator: Indicator, reading: Reading, scope: Scope, currency: str) -> tuple[str, str, str, str]:
    # (change, what it is measured against, tone, doubt)
    if reading.value is None or indicator.key == "late_cases":
        return "", "", "", ""
    if reading.previous is None:
        return "", t("pas encore de passé à comparer"), "", ""
    if indicator.unit in {"share", "score"} and reading.previous_n < ENOUGH:
        return "", t("trop peu avant pour comparer"), "", ""
    earlier, when = value_text(indicator, reading.previous, currency), before(scope, indicator)
    past = t("contre {value}, {before}", value=earlier, before=when) if indicator.how == "stock" else ""
    past = past or t("contre {value} {before}", value=earlier, before=when)
    moved = change_text(indicator, reading.value, reading.previous, currency)
    if not moved:
        return t("inchangé"), past, "", ""
    return moved, past, tone_of(indicator, reading), t("peut-être le hasard") if reading.by_chance else ""


def _note(indicator: Indicator, reading: Reading) -> str:
    if indicator.key == "late_cases":
        return t("maintenant, quelle que soit la période")
    if indicator.how in {"sum", "stock"} and indicator.unit == "count" and indicator.key != "estimated_reach":
        return ""  # the value is its own sample
    counted = t("sur {sample}", sample=sample(indicator, reading.n))
    if reading.mean is not None:
        return t("{counted} · moyenne {mean}", counted=counted, mean=value_text(indicator, reading.mean))
    return counted


def help_lines(indicator: Indicator, reading: Reading) -> tuple[tuple[str, str], ...]:
    """How it is counted, on whom, whose number it is, and which version of the formula."""
    owner = DEPARTMENT_BY_KEY.get(indicator.owner)
    lang = language()
    return (
        (t("Formule"), indicator.formula(lang)),
        (t("Population"), indicator.population(lang)),
        (t("Échantillon"), sample(indicator, reading.n)),
        (t("Tenu par"), title_of(owner) if owner else indicator.owner),
        (t("Source et version"), t("{source}, version {version}", source=indicator.source, version=indicator.version)),
    )
