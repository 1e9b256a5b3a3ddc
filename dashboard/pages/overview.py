"""Vue d'ensemble: today in one sentence, what is said by day, of what, where, and what waits in each department."""

from dataclasses import replace
from datetime import date, timedelta

import streamlit as st

from dashboard import reads_indicators as reads
from dashboard.components import charts
from dashboard.components.cards import kpi_row
from dashboard.components.ledger import ledger
from dashboard.components.panel import paint, panel
from dashboard.components.period import pick_scope
from dashboard.components.phrase import phrase
from dashboard.components.rows import open_rows
from dashboard.context import Context
from dashboard.i18n import number, t, title_of
from dashboard.views import language_title, network_title
from dashboard.views_days import counts_by_day, episodes
from dashboard.views_indicators import card
from dashboard.views_openings import opening_of, queue_rows
from dashboard.views_titles import CIRCLED, episodes_sentence, top_title, volume_title
from dashboard.views_today import today_sentence
from domain.taxonomy import INTENT_BY_KEY
from store.indicators import INDICATOR_BY_KEY, Scope, VolumeBy

_CARDS = ("mentions", "net_sentiment", "first_reply_median", "sla_share")
_USUAL_DAYS = 28


def render(context: Context) -> None:
    """The page. A click anywhere on a number opens its rows in a drawer, last of all."""
    today = context.now.astimezone(context.zone).date()
    paint()
    st.title(t("Vue d'ensemble"), anchor=False)
    scope = pick_scope(context)
    opened = [_today(context, scope, today)]
    readings = reads.readings(context, _CARDS, scope)
    cards = [card(INDICATOR_BY_KEY[key], readings[key], scope, currency=context.currency) for key in _CARDS]
    opened.append(kpi_row(cards, key="overview_cards"))
    opened.append(_volume(context, scope, today))
    left, right = st.columns(2, gap="medium")
    with left, panel("intents"):
        _bars(context, scope, "intent", t("De quoi on parle"))
    with right, panel("networks"):
        _bars(context, scope, "network", t("Où on parle"))
    with right, panel("langs"):
        _bars(context, scope, "lang", t("En quelle langue"))
    opened.append(_queues(context))
    clicked = st.session_state.pop(charts.OPEN_KEY, None)
    token = next((token for token in opened if token), clicked)
    opening = opening_of(token, scope, today) if token else None
    if opening:
        open_rows(context, opening)


def _today(context: Context, scope: Scope, today: date) -> str | None:
    day = replace(scope, since=today, until=today + timedelta(days=1))
    before = replace(scope, since=today - timedelta(days=_USUAL_DAYS), until=today)
    usual = reads.reading(context, "mentions", before)
    heard = [when for when, value, _ in usual.series if value]
    pieces = today_sentence(
        reads.reading(context, "mentions", day),
        reads.reading(context, "negative_share", day),
        usual.value / len(usual.series) if usual.value and usual.series else None,
        reads.queue_states(context, reads.departments_of(context)),
        max(heard, default=None),
        context.now,
    )
    return phrase(pieces, key="overview_today", size="large")


def _volume(context: Context, scope: Scope, today: date) -> str | None:
    days, counts = counts_by_day(reads.volume(context, scope, "day", "sentiment"), scope, today)
    with panel("volume"):
        if not days:
            st.markdown(t("**Messages par jour**"))
            st.markdown(t("Aucune donnée dans cette période."))
            return None
        found = episodes(reads.spikes(context, scope))
        marks = [charts.Mark(e.first, e.last, sign) for e, sign in zip(found, CIRCLED, strict=False)]
        figure = charts.volume(days, counts, marks, text_of=number)
        charts.show(figure, volume_title(days, counts, found), key="overview_volume", note=charts.sentiment_key(counts))
        return phrase(episodes_sentence(found), key="overview_episodes", size="small")


def _bars(context: Context, scope: Scope, by: VolumeBy, subject: str) -> None:
    rows = [(row.label, row.count) for row in reads.volume(context, scope, by) if row.label and row.count]
    if not rows:
        st.markdown(f"**{subject}**")
        st.markdown(t("Aucune donnée dans cette période."))
        return
    total = sum(count for _, count in rows)
    named = [(_name(by, label), count) for label, count in rows]
    bars = [
        charts.Bar(name, count, charts.count_text(count, total), f"{by}:{label}")
        for (name, count), (label, _) in zip(named, rows, strict=True)
    ]
    charts.show(charts.bars(bars), top_title(subject, named), key=f"overview_{by}", opens=[bar.opens for bar in bars])


def _name(by: VolumeBy, label: str) -> str:
    if by == "intent":
        return title_of(INTENT_BY_KEY[label]) if label in INTENT_BY_KEY else label
    return language_title(label) if by == "lang" else network_title(label)


def _queues(context: Context) -> str | None:
    states = reads.queue_states(context, reads.departments_of(context))
    with panel("queues"):
        st.markdown(t("**Ce qui attend dans chaque service**"))
        head = (t("Service"), t("Ouvertes"), t("En retard"), t("Non prises"), t("La plus ancienne"))
        return ledger(head, queue_rows(states, context.now), caption=t("File de chaque service"), key="overview_queues")
