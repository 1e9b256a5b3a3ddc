"""Rows behind a number, in a drawer that leaves the page where it is; and verbatims.

`show_rows` draws a list, `open_rows` the drawer with its pages; `go` leads to another page of the app without losing the
session. What a row says is made in `dashboard.views_openings`.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard import reads_indicators as reads
from dashboard.components.text import plain
from dashboard.context import Context
from dashboard.i18n import n_t, t
from dashboard.navigation import DESK, link
from dashboard.views_days import days_title
from dashboard.views_openings import Opening, drill_row
from store.indicators import INDICATOR_BY_KEY

PAGE = 20

_HERE = Path(__file__).parent
_ROWS = st.components.v2.component(
    "comptoir_rows",
    html='<ul class="rows"></ul>',
    css=(_HERE / "rows.css").read_text(encoding="utf-8"),
    js=(_HERE / "rows.js").read_text(encoding="utf-8"),
)


def go(key: str, **filters: str) -> None:
    """To another page of the app; does not return. Streamlit knows a page by its address, so a stand-in is enough."""
    path = "" if key == DESK.key else key
    st.switch_page(st.Page(lambda: None, title=key, url_path=path, default=key == DESK.key), query_params=filters)


def show_rows(rows: Sequence[dict[str, str]], *, key: str, quotes: bool = False) -> None:
    """The list; a click on a conversation leads to the desk."""
    linked: list[dict[str, Any]] = [
        {**row, "href": link(DESK.key, case=row["case_id"]) if row["case_id"] else ""} for row in rows
    ]
    data = {"rows": linked, "quotes": quotes, "words": {"open": t("Ouvrir la conversation")}}
    opened = _ROWS(data=data, key=key, on_opened_change=lambda: None).opened
    if opened and any(row["case_id"] == opened for row in rows):
        go(DESK.key, case=opened)


def open_rows(context: Context, opening: Opening) -> None:
    """The drawer with the rows behind a number, or the page that shows them."""
    if opening.page:
        go(opening.page, **dict(opening.filters))
    elif opening.indicator:
        st.session_state.pop("rows_page", None)  # another number starts at its first page
        st.dialog(plain(opening.title), width="medium", position="right")(_drawer)(context, opening)


def _drawer(context: Context, opening: Opening) -> None:
    key, scope = opening.indicator, opening.scope
    if scope is None:
        return
    indicator = INDICATOR_BY_KEY[key]
    total = reads.row_count(context, key, scope)
    st.caption(plain(f"{days_title(scope.since, scope.until - timedelta(days=1))} · {indicator.formula(context.lang)}"))
    if indicator.whole_house and context.viewer.departments:
        st.caption(t("Compté dans toute la maison ; seules les lignes de vos services sont montrées."))
    if not total:
        st.markdown(t("Aucune ligne : rien n'a été compté ici."))
        return
    pages = -(-total // PAGE)
    page = st.session_state.get("rows_page", 1) if pages > 1 else 1
    page = min(max(1, page), pages)
    rows = reads.rows(context, key, scope, PAGE, (page - 1) * PAGE)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(n_t("{n} ligne", "{n} lignes", total))
        if pages > 1:
            st.pagination(pages, key="rows_page", max_visible_pages=5)
    show_rows([drill_row(indicator, row, context.now, context.zone, context.currency) for row in rows], key="rows_list")
