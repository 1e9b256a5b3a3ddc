"""What stands behind a number: where a click leads, the rows of the drawer, parts of a breakdown, queues. Pure; no Streamlit.

Pages hand tokens to their components and get one back when something is clicked; `opening_of` knows what each means, and
nothing else can be opened.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from dashboard.i18n import ago, clock, exact, minutes, money, msg, number, t, title_of
from dashboard.palette import SENTIMENT_SIGNS, SENTIMENT_WORDS
from dashboard.views import label, network_title
from dashboard.views_days import day_title
from dashboard.views_indicators import ENOUGH, Card, Piece, sample, value_text
from domain.analysis import Sentiment
from domain.departments import DEPARTMENT_BY_KEY
from domain.taxonomy import INTENT_BY_KEY
from store.indicators import INDICATOR_BY_KEY, Dimension, DrillRow, Indicator, Part, Scope, Verbatim


@dataclass(frozen=True, slots=True)
class Opening:
    """What a click opens: the rows of an indicator in a scope, or a page of the app with filters."""

    title: str = ""
    indicator: str = ""
    scope: Scope | None = None
    page: str = ""
    filters: tuple[tuple[str, str], ...] = ()


_DESK_VIEWS = ("open", "late", "unassigned", "uncertain")


def opening_of(
    token: str, scope: Scope, today: date, lead: str = "mentions", by: Dimension = "network"
) -> Opening | None:
    """What a token of a page opens; None for one that we did not make.

    Tokens: an indicator's key; `day:YYYY-MM-DD`, `network:`, `intent:`, `lang:`; `part:` of the lead indicator's breakdown;
    `today`, `today:negative`; `<view of the desk>:<department or nothing>`; `page:<department>`.
    """
    kind, _, rest = token.partition(":")
    if token in INDICATOR_BY_KEY:
        return Opening(title_of(INDICATOR_BY_KEY[token]), token, scope)
    if kind == "today":
        day = replace(scope, since=today, until=today + timedelta(days=1))
        return Opening(t("Aujourd'hui"), "negative_share" if rest == "negative" else "mentions", day)
    if kind == "day":
        return _day_opening(rest, scope)
    if kind == "part":
        return _part_opening(rest, scope, lead, by)
    if kind == "network":
        return Opening(network_title(rest), "mentions", replace(scope, networks=(rest,)))
    if kind in {"intent", "lang"}:
        return Opening(page="desk", filters=_desk_filters(scope, **{kind: rest}))
    if kind in _DESK_VIEWS and (not rest or rest in DEPARTMENT_BY_KEY):
        return Opening(page="desk", filters=_pairs(view=kind, department=rest))
    if kind == "page" and rest in DEPARTMENT_BY_KEY:
        return Opening(page=rest)
    return None


def _day_opening(text: str, scope: Scope) -> Opening | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return Opening(day_title(day, weekday=True), "mentions", replace(scope, since=day, until=day + timedelta(days=1)))


def _part_opening(name: str, scope: Scope, lead: str, by: Dimension) -> Opening | None:
    narrowed = part_scope(scope, by, name)
    if narrowed is not None:
        return Opening(f"{title_of(INDICATOR_BY_KEY[lead])} · {part_title(by, name)}", lead, narrowed)
    return Opening(page="desk", filters=_desk_filters(scope, intent=name)) if by == "intent" else None


def _pairs(**filters: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in filters.items() if value)


def _desk_filters(scope: Scope, **filters: str) -> tuple[tuple[str, str], ...]:
    return _pairs(
        **filters,
        department=",".join(scope.departments),
        network=",".join(scope.networks),
        since=scope.since.isoformat(),
        until=(scope.until - timedelta(days=1)).isoformat(),
    )


# -- parts and rows --------------------------------------------------------------------------------------------------------


def part_title(by: Dimension, key: str) -> str:
    """The name of one part of a breakdown."""
    if by == "network":
        return network_title(key)
    if by == "intent" and key in INTENT_BY_KEY:
        return title_of(INTENT_BY_KEY[key])
    return label(key)


def part_scope(scope: Scope, by: Dimension, key: str) -> Scope | None:
    """The scope narrowed to one part; None where a scope cannot say it."""
    if by == "network":
        return replace(scope, networks=(key,))
    if by == "store":
        return replace(scope, stores=(key,))
    return replace(scope, products=(key,)) if by == "product" else None


def drill_row(
    indicator: Indicator, row: DrillRow, now: datetime, zone: ZoneInfo, currency: str = "EUR"
) -> dict[str, str]:
    """One row behind a number, ready for the list."""
    return {
        "case_id": row.case_id or "",
        "who": row.person_name or t("Sans nom"),
        "where": network_title(row.network) if row.network else t("Boutique en ligne"),
        "when": clock(row.at, now, zone),
        "exact": exact(row.at, zone),
        "text": _closer(row.text),
        "worth": _worth(indicator, row.value, currency),
        "tag": "",
        "tone": "",
    }


# What a row adds to a share, in a word: (it counts, it does not).
_SHARE_WORDS: dict[str, tuple[str, str]] = {
    "negative_share": (msg("négatif"), msg("pas négatif")),
    "reply_rate": (msg("répondu"), msg("sans réponse")),
    "review_reply_rate": (msg("répondu"), msg("sans réponse")),
    "sla_share": (msg("dans les délais"), msg("hors délai")),
    "reopen_share": (msg("rouverte"), msg("pas rouverte")),
    "late_order_share": (msg("en retard"), msg("à l'heure")),
    "cart_abandonment_share": (msg("abandonné"), msg("acheté")),
}


def _worth(indicator: Indicator, value: float, currency: str) -> str:
    if indicator.unit == "minutes":
        return minutes(value)
    if indicator.unit == "euros":
        return money(round(value), currency)
    if indicator.unit == "rating":
        return t("{value} sur 5", value=number(value))
    if indicator.unit == "score":
        return t(SENTIMENT_WORDS[Sentiment.POSITIVE if value > 0 else Sentiment.NEGATIVE])
    counts, does_not = _SHARE_WORDS.get(indicator.key, ("", ""))
    word = counts if value > 0 else does_not
    return t(word) if word else ""


def _closer(text: str) -> str:
    # Mails have air between their lines; a list has not.
    return "\n".join(line for line in (line.strip() for line in text.splitlines()) if line)


def quote(row: Verbatim, now: datetime, zone: ZoneInfo) -> dict[str, str]:
    """One verbatim, ready for the list."""
    sentiment = Sentiment(row.sentiment) if row.sentiment else None
    words = [title_of(INTENT_BY_KEY[row.intent])] if row.intent in INTENT_BY_KEY else []
    if sentiment:
        words.append(f"{SENTIMENT_SIGNS[sentiment]} {t(SENTIMENT_WORDS[sentiment])}")
    return {
        "case_id": row.case_id or "",
        "who": row.person_name or t("Sans nom"),
        "where": network_title(row.network),
        "when": ago(row.at, now),
        "exact": exact(row.at, zone),
        "text": _closer(row.text),
        "worth": "",
        "tag": " · ".join(words),
        "tone": row.sentiment,
    }


def part_text(indicator: Indicator, part: Part, by: Dimension, currency: str = "EUR") -> str:
    """The number at the end of a part's bar, with its sample; a remark where the sample is too small."""
    if part.value is None:
        return t("aucune donnée")
    if indicator.unit in {"share", "score"} and part.n < ENOUGH:
        return t("{sample} : trop peu pour conclure", sample=sample(indicator, part.n, by))
    text = value_text(indicator, part.value, currency)
    return text if indicator.how in {"sum", "stock"} else f"{text} · {sample(indicator, part.n, by)}"


def ranked(indicator: Indicator, parts: Sequence[Part], most: int = 8) -> list[Part]:
    """Parts to show: those with data, the bad end first (the large end where neither is bad), too small ones last."""
    known = [part for part in parts if part.value is not None]
    small = indicator.unit in {"share", "score"}

    def place(part: Part) -> tuple[bool, float, str]:
        value = part.value or 0.0
        return (
            small and part.n < ENOUGH,
            value if indicator.better == "up" and indicator.how != "sum" else -value,
            part.label,
        )

    return sorted(known, key=place)[:most]


# -- the queue of departments ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QueueState:
    """What waits in a department."""

    department: str
    open: int
    late: int
    untaken: int
    oldest_at: datetime | None


def queue_rows(states: Sequence[QueueState], now: datetime) -> list[list[Piece]]:
    """The table of departments: the one with most late cases first; tokens are `<view>:<department>` and `page:...`."""
    found = []
    for state in sorted(states, key=lambda s: (-s.late, -s.open, s.department)):
        key = state.department
        found.append(
            [
                Piece(title_of(DEPARTMENT_BY_KEY[key]), f"page:{key}"),
                _count(state.open, f"open:{key}"),
                _count(state.late, f"late:{key}", "bad"),
                _count(state.untaken, f"unassigned:{key}"),
                Piece(ago(state.oldest_at, now) if state.oldest_at else "—", tone="" if state.oldest_at else "quiet"),
            ]
        )
    return found


def _count(n: int, opens: str, tone: str = "") -> Piece:
    return Piece(number(n), opens, tone) if n else Piece("0", tone="quiet")


def queue_cards(state: QueueState, now: datetime) -> list[Card]:
    """What waits in one department, each number a view of the desk."""
    key = state.department
    rows = (
        ("open", t("Ouvertes"), state.open),
        ("late", t("En retard"), state.late),
        ("unassigned", t("Non prises"), state.untaken),
    )
    cards = [Card(view, title, number(n), quiet=not n, opens=f"{view}:{key}" if n else "") for view, title, n in rows]
    oldest = minutes((now - state.oldest_at).total_seconds() / 60) if state.oldest_at else t("rien n'attend")
    return [*cards, Card("oldest", t("La plus ancienne attend depuis"), oldest, quiet=state.oldest_at is None)]
