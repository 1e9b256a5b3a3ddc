"""The desk's bar: the views with their counts, the search, the filters, the order, the next one."""

from datetime import date
from typing import Any

import streamlit as st

from dashboard import desk_state as state
from dashboard import reads, views
from dashboard.components import parts
from dashboard.context import Context
from dashboard.desk_state import BAR, CASE, DATES, FILTERS, PERSON, QUEUE, SEARCH, SORT, now_of, refresh
from dashboard.i18n import t
from store.queue import Sort


@st.fragment(key=BAR)
def bar(context: Context) -> None:
    """Two lines above the columns."""
    context = now_of(context)
    counts = reads.queue_counts(context, state.queue_filter(context))

    def pick(key: str) -> None:
        st.session_state["desk_view"] = key
        state.first_page()
        refresh(BAR, QUEUE)

    with st.container(key="desk_head", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(key="desk_tabs"):
            parts.tabs("desk_views", {"label": t("Vues"), "tabs": views.tabs(counts, state.view())}, pick=pick)
        st.text_input(
            t("Rechercher"),
            key=SEARCH,
            type="search",
            live=True,
            placeholder=t("Rechercher  /"),
            label_visibility="collapsed",
            on_change=_filters_changed,
            persist_state="session",
            width=240,
        )
    with st.container(key="desk_filters", horizontal=True, vertical_alignment="center", gap="xsmall"):
        for row in FILTERS:
            options = list(row.options(context))
            if len(options) > 1:
                _filter(row, options, state.chosen_values(row, context))
        _dates()
        if state.filtered(context):
            st.button(t("Effacer"), key="desk_clear", type="tertiary", on_click=_clear)
        st.space("stretch")
        st.selectbox(
            t("Tri"),
            list(views.SORT_TITLES),
            key=SORT,
            format_func=lambda sort: t("Tri : {what}", what=t(views.SORT_TITLES[Sort(sort)]).lower()),
            label_visibility="collapsed",
            on_change=_filters_changed,
            persist_state="session",
            width=190,
            help=None,
        )
        st.button(
            t("Suivante"), key="desk_next", icon=":material/skip_next:", on_click=_next, help=t("Touche {key}", key="n")
        )


def _filter(row: state.FilterRow, options: list[str], chosen: tuple[str, ...]) -> None:
    title = t(row.title)
    name = f"{title} : {row.word(chosen[0])}" if len(chosen) == 1 else f"{title} · {len(chosen)}" if chosen else title
    with st.popover(name, key=f"desk_p_{row.key}", type="primary" if chosen else "secondary"):
        common: dict[str, Any] = {
            "label": title,
            "options": options,
            "format_func": row.word,
            "key": row.widget,
            "on_change": _filters_changed,
            "persist_state": "session",
        }
        if len(options) > 14:
            st.multiselect(**common, placeholder=t("Choisir"))
        else:
            st.pills(**common, selection_mode="multi", width=300)


def _dates() -> None:
    days = [day for day in st.session_state.get(DATES) or () if isinstance(day, date)]
    name = " – ".join(f"{day:%d/%m}" for day in days) or t("Dates")
    with st.popover(name, key="desk_p_dates", type="primary" if days else "secondary"):
        st.session_state.setdefault(DATES, ())
        st.date_input(t("Dernier message du client"), key=DATES, format="DD/MM/YYYY", on_change=_filters_changed)


def _filters_changed() -> None:
    state.first_page()
    refresh(BAR, QUEUE)


def _clear() -> None:
    state.clear_filters()
    refresh(BAR, QUEUE)


def _next() -> None:
    found = views.next_id(st.session_state.get("desk_shown", []), state.open_case(), st.session_state.get("desk_at", 0))
    if found is not None:
        state.choose(found)
    refresh(CASE, PERSON, QUEUE)
