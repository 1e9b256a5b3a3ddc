"""A department's page: the answer to its head's question, its numbers, what changed and where, its customers' words, its queue.

One page for all of them: what differs is a row of `domain.departments` (indicators, targets) and of `views_sentences` (the
question, its answer, what is looked at first).
"""

from dataclasses import dataclass
from datetime import date

import streamlit as st

from dashboard import reads_indicators as reads
from dashboard.components import charts
from dashboard.components.cards import kpi_row
from dashboard.components.panel import paint, panel
from dashboard.components.period import pick_scope
from dashboard.components.phrase import phrase
from dashboard.components.rows import go, open_rows, show_rows
from dashboard.components.text import plain
from dashboard.context import Context
from dashboard.i18n import number, t, title_of
from dashboard.views_days import SMOOTHING, Episode, episodes, smoothed
from dashboard.views_indicators import DIMENSION_TITLES, ENOUGH, Piece, axis_text, card, target_of, value_text
from dashboard.views_openings import opening_of, part_scope, part_text, part_title, queue_cards, quote, ranked
from dashboard.views_sentences import LEADS, QUESTIONS, Facts, department_sentence
from dashboard.views_titles import CIRCLED, episodes_sentence, trend_title, where_title
from domain.departments import DEPARTMENT_BY_KEY, Department
from store.indicators import INDICATOR_BY_KEY, Dimension, Indicator, Reading, Scope

_WHOLE_HOUSE = "management"  # its business is everybody's
_QUOTES = 5


@dataclass(frozen=True, slots=True)
class _Seen:
    # What the page speaks of: read once, at its head.
    department: Department
    scope: Scope
    lead: Indicator
    readings: dict[str, Reading]
    episodes: list[Episode]


def render(context: Context, department_key: str) -> None:
    """The page of one department; only for who may see it."""
    department = DEPARTMENT_BY_KEY.get(department_key)
    if department is None or not context.viewer.sees(department_key):
        st.error(t("Cette page n'est pas dans vos services. Demandez l'accès à l'administration."))
        return
    today = context.now.astimezone(context.zone).date()
    paint()
    st.title(title_of(department), anchor=False)
    scope = pick_scope(context, () if department_key == _WHOLE_HOUSE else (department_key,))
    seen = _see(context, department, scope)
    by = _dimension(seen)
    facts = _facts(context, seen, by)
    st.caption(t(QUESTIONS.get(department_key, "Où en est le service ?")))
    opened = [phrase(department_sentence(facts), key="department_sentence", size="large")]
    cards = [
        card(INDICATOR_BY_KEY[key], seen.readings[key], scope, department, context.currency)
        for key in department.indicators
    ]
    opened.append(kpi_row(cards, key="department_cards"))
    left, right = st.columns(2, gap="medium")
    with left, panel("changed"):
        opened.append(_changed(context, seen))
    with right, panel("where"):
        _where(context, seen, facts)
    opened.append(_words(context, seen))
    opened.append(_queue(context, department))
    _open(context, opened, seen, by, today)


def _see(context: Context, department: Department, scope: Scope) -> _Seen:
    lead, _ = LEADS.get(department.key, ("mentions", "network"))
    keys = dict.fromkeys((*department.indicators, lead))
    return _Seen(
        department,
        scope,
        INDICATOR_BY_KEY[lead],
        reads.readings(context, tuple(keys), scope),
        episodes(reads.spikes(context, scope)),
    )


def _dimension(seen: _Seen) -> Dimension:
    # The choice is drawn further down, in `_where`; the sentence at the head already needs it.
    usual = LEADS.get(seen.department.key, ("mentions", "network"))[1]
    chosen = st.session_state.get(f"where_{seen.department.key}", usual)
    return chosen if chosen in seen.lead.dimensions else usual


def _facts(context: Context, seen: _Seen, by: Dimension) -> Facts:
    states = reads.queue_states(context, (seen.department.key,))
    return Facts(
        department=seen.department.key,
        scope=seen.scope,
        readings=seen.readings,
        parts=reads.breakdown(context, seen.lead.key, seen.scope, by) if by in seen.lead.dimensions else (),
        by=by,
        episodes=seen.episodes,
        queue=states[0] if states else None,
        currency=context.currency,
    )


def _changed(context: Context, seen: _Seen) -> str | None:
    indicator, reading = seen.lead, seen.readings[seen.lead.key]
    title = trend_title(indicator, reading, seen.scope, context.currency)
    points = smoothed(indicator, reading)
    if not any(value is not None for _, value in points):
        st.markdown(f"**{plain(title)}**")
        st.markdown(t("Aucune donnée dans cette période."))
        return None
    days, values = [day for day, _ in points], [value for _, value in points]
    marks = [charts.Mark(e.first, e.last, sign) for e, sign in zip(seen.episodes, CIRCLED, strict=False)]
    if indicator.how == "sum":
        figure, note = charts.columns(days, values, marks, text_of=number), ""
    else:
        target, target_text = target_of(indicator, seen.department)
        figure = charts.trend(
            days,
            values,
            marks,
            text_of=lambda value: value_text(indicator, value, context.currency),
            axis_of=lambda value: axis_text(indicator, value, context.currency),
            target=target,
            target_text=target_text,
            minutes=indicator.unit == "minutes",
            top=5.0 if indicator.unit == "rating" else None,
        )
        smooth = points != [(day, value) for day, value, _ in reading.series]
        note = t("Moyenne des {n} jours d'avant, jour par jour.", n=SMOOTHING) if smooth else t("Jour par jour.")
    charts.show(figure, title, key="department_changed", note=note)
    return phrase(episodes_sentence(seen.episodes), key="department_episodes", size="small")


def _where(context: Context, seen: _Seen, facts: Facts) -> None:
    indicator = seen.lead
    if len(indicator.dimensions) > 1:
        st.segmented_control(
            t("Par"),
            indicator.dimensions,
            format_func=lambda by: t(DIMENSION_TITLES[by]),
            default=facts.by,
            required=True,
            key=f"where_{seen.department.key}",
            label_visibility="collapsed",
        )
    parts = ranked(indicator, facts.parts)
    if not parts:
        st.markdown(f"**{plain(where_title(facts, indicator.key))}**")
        st.markdown(t("Aucune donnée dans cette période."))
        return
    bars = []
    for part in parts:
        text = part_text(indicator, part, facts.by, context.currency)
        opens = f"part:{part.label}"
        if part_scope(seen.scope, facts.by, part.label) is None and facts.by != "intent":
            opens = ""
        small = indicator.unit in {"share", "score"} and part.n < ENOUGH
        bars.append(charts.Bar(part_title(facts.by, part.label), 0.0 if small else part.value or 0.0, text, opens))
    top = 5.0 if indicator.unit == "rating" else None
    charts.show(
        charts.bars(bars, top=top),
        where_title(facts, indicator.key),
        key=f"department_where_{facts.by}",
        opens=[bar.opens for bar in bars],
    )


def _words(context: Context, seen: _Seen) -> str | None:
    found = reads.verbatims(context, seen.scope, _QUOTES)
    with panel("words"):
        st.markdown(t("**Avec leurs mots**"))
        if not found:
            st.markdown(t("Aucun message analysé dans cette période."))
            return None
        rows = [quote(row, context.now, context.zone) for row in found]
        show_rows(rows, key="department_words", quotes=True)
        return phrase(
            [
                Piece(t("Choisis parce qu'ils sont ordinaires, dans les proportions de l'ensemble. ")),
                Piece(t("Voir tous les messages"), "mentions"),
            ],
            key="department_all_words",
            size="small",
        )


def _queue(context: Context, department: Department) -> str | None:
    states = reads.queue_states(context, (department.key,))
    if not states:
        return None
    with panel("queue"):
        st.markdown(t("**La file du service**"))
        opened = kpi_row(queue_cards(states[0], context.now), key="department_queue", compact=True)
        if st.button(t("Ouvrir la file"), icon=":material/forum:", key="department_desk"):
            go("desk", department=department.key)
        return opened


def _open(context: Context, opened: list[str | None], seen: _Seen, by: Dimension, today: date) -> None:
    clicked = st.session_state.pop(charts.OPEN_KEY, None)
    token = next((token for token in opened if token), clicked)
    opening = opening_of(token, seen.scope, today, seen.lead.key, by) if token else None
    if opening:
        open_rows(context, opening)
