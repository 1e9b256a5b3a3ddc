"""Which days and which networks: the bar above every page of numbers; its choice stays when the page changes."""

from collections.abc import Sequence
from datetime import date

import streamlit as st

from dashboard import reads
from dashboard.context import Context
from dashboard.i18n import n_t, t
from dashboard.reads_indicators import own
from dashboard.views import network_title
from dashboard.views_days import PERIODS, scope_of
from store.indicators import Scope

_CHOICES = (*(str(days) for days in PERIODS), "custom")


def _word(choice: str) -> str:
    return t("Dates…") if choice == "custom" else n_t("{n} jour", "{n} jours", int(choice))


def pick_scope(context: Context, departments: Sequence[str] = ()) -> Scope:
    """The bar, and the scope that it asks for, cut down to what the viewer may see."""
    today = context.now.astimezone(context.zone).date()
    with st.container(horizontal=True, vertical_alignment="center", key="period_bar"):
        choice = st.segmented_control(
            t("Période"),
            _CHOICES,
            format_func=_word,
            default=_CHOICES[1],
            required=True,
            key="period",
            persist_state="session",
            label_visibility="collapsed",
        )
        custom: tuple[date, ...] = ()
        if choice == "custom":
            picked = st.date_input(
                t("Du … au …"),
                value=(scope_of(str(PERIODS[0]), (), today)[0], today),
                max_value=today,
                format="DD/MM/YYYY",
                key="period_days",
                persist_state="session",
                label_visibility="collapsed",
                width=260,
            )
            custom = picked if isinstance(picked, tuple) else (picked,) if isinstance(picked, date) else ()
        known = reads.filter_values(context, "network")
        networks = st.multiselect(
            t("Réseaux"),
            known,
            format_func=network_title,
            placeholder=t("Tous les réseaux"),
            key="period_networks",
            persist_state="session",
            label_visibility="collapsed",
            width=320,
        )
        since, until = scope_of(choice or _CHOICES[0], custom, today)
    asked = tuple(key for key in networks if key in known)
    return own(context, Scope(since, until, departments=tuple(departments), networks=asked))
