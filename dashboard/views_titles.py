"""What a chart says, in words, above it: titles of trends, breakdowns and volumes, and the marked days. Pure; no Streamlit."""

from collections.abc import Mapping, Sequence
from datetime import date

from dashboard.i18n import n_t, number, share, t, title_of
from dashboard.views_days import Episode, day_title, spike_subject
from dashboard.views_indicators import DIMENSION_TITLES, Piece, before, value_text
from dashboard.views_openings import part_title
from dashboard.views_sentences import Facts, hole, pieces, worst
from store.indicators import INDICATOR_BY_KEY, Indicator, Reading, Scope
from store.indicators.listening import SPIKE_SIGMAS, SPIKE_WINDOW

CIRCLED = "①②③④⑤⑥⑦⑧⑨"  # the signs of marked days, on the chart and under it


def trend_title(indicator: Indicator, reading: Reading, scope: Scope, currency: str = "EUR") -> str:
    """The message of the chart of one indicator: what it is, and what it was."""
    if reading.value is None:
        return title_of(indicator)
    value = value_text(indicator, reading.value, currency)
    if reading.previous is None:
        return t("{title} : {value}", title=title_of(indicator), value=value)
    past = value_text(indicator, reading.previous, currency)
    if past == value:
        return t(
            "{title} : {value}, comme {before}", title=title_of(indicator), value=value, before=before(scope, indicator)
        )
    text = t(
        "{title} : {value}, contre {past} {before}",
        title=title_of(indicator),
        value=value,
        past=past,
        before=before(scope, indicator),
    )
    return f"{text} {t('(peut-être le hasard)')}" if reading.by_chance else text


def where_title(facts: Facts, key: str) -> str:
    """The message of a breakdown: which part stands out, if one does."""
    indicator = INDICATOR_BY_KEY[key]
    part = worst(facts, key)
    by = t(DIMENSION_TITLES[facts.by]).lower()
    if part is None or part.value is None:
        return t("{title}, par {dimension}", title=title_of(indicator), dimension=by)
    values = {
        "title": title_of(indicator),
        "dimension": by,
        "name": part_title(facts.by, part.label),
        "value": value_text(indicator, part.value, facts.currency),
    }
    if indicator.better == "up":
        return t("{title}, par {dimension} : {name} au plus bas, {value}", **values)
    return t("{title}, par {dimension} : surtout {name}, {value}", **values)


def volume_title(days: Sequence[date], counts: Mapping[str, Sequence[int]], found: Sequence[Episode]) -> str:
    """The message of the volume chart: how much, and the loudest day."""
    a_day = [sum(row[index] for row in counts.values()) for index in range(len(days))]
    head = n_t("{n} message", "{n} messages", sum(a_day))
    head += n_t(" en {n} jour", " en {n} jours", len(days))
    if not found:
        return t("{head}, sans jour hors de l'ordinaire", head=head)
    top = max(a_day)
    return t("{head}, jusqu'à {top} le {day}", head=head, top=number(top), day=day_title(days[a_day.index(top)]))


def episodes_sentence(found: Sequence[Episode]) -> list[Piece]:
    """The marked days in words, numbered as on the chart, each opening its rows; then the rule that marked them."""
    told = [f"{CIRCLED[place]} {_episode(episode)}" for place, episode in enumerate(found)]
    rule = t(
        "Un jour est marqué quand il dépasse la moyenne des {window} jours d'avant de plus de {sigmas} écarts types.",
        window=number(SPIKE_WINDOW),
        sigmas=number(SPIKE_SIGMAS),
    )
    return pieces("\n".join([*told, rule]))


def _episode(episode: Episode) -> str:
    peak = episode.peak
    value = hole(number(peak.value), f"day:{peak.day.isoformat()}")
    days, subject, expected = episode.title, spike_subject(peak), number(peak.expected)
    if episode.first == episode.last:
        return t(
            "{days} : {subject}, {value} messages pour {expected} attendus",
            days=days,
            subject=subject,
            value=value,
            expected=expected,
        )
    return t(
        "{days} : {subject}, jusqu'à {value} messages par jour pour {expected} attendus",
        days=days,
        subject=subject,
        value=value,
        expected=expected,
    )


def top_title(subject: str, rows: Sequence[tuple[str, int]]) -> str:
    """The message of a bar chart of counts: the first row and its part of all."""
    total = sum(count for _, count in rows)
    if not total:
        return subject
    name, count = rows[0]
    part = share(count / total)
    return t("{subject} : {name} d'abord, {part} des messages", subject=subject, name=name, part=part)
