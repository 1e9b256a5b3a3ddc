"""Which pages there are, and who gets which: the table PAGES, filtered by role; department pages come from the domain.

To add a page, write `pages/<name>.py` with `render(context)` and add its row. A row holds a module path, so that a page is
imported when it is opened. Hiding a page is not access control: every page filters what it reads by the viewer.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from urllib.parse import urlencode

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from dashboard.context import ADMIN, COMMUNITY_MANAGER, DEPARTMENT_HEAD, ROLES, Context, Viewer
from dashboard.i18n import msg, t, title_of
from domain.departments import DEPARTMENTS

EVERYONE = tuple(ROLES)

COUNTER = msg("Comptoir")
TRADES = msg("Services")
HOUSE = msg("Maison")


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its address is its key, `title` a msgid, `icon` a Material Symbol, `department` set on generated ones."""

    key: str
    title: str
    icon: str
    module: str
    roles: tuple[str, ...]
    section: str
    department: str | None = None


def _department_pages() -> tuple[Page, ...]:
    return tuple(
        Page(d.key, d.title_fr, d.icon, "dashboard.pages.department", EVERYONE, TRADES, d.key) for d in DEPARTMENTS
    )


DESK = Page("desk", msg("Conversations"), "forum", "dashboard.pages.desk", EVERYONE, COUNTER)
PAGES: tuple[Page, ...] = (
    DESK,
    Page("overview", msg("Vue d'ensemble"), "dashboard", "dashboard.pages.overview", EVERYONE, COUNTER),
    *_department_pages(),
    Page("sources", msg("Sources"), "cable", "dashboard.pages.sources", (COMMUNITY_MANAGER, ADMIN), HOUSE),
    Page("watches", msg("Veilles"), "hearing", "dashboard.pages.watches", (COMMUNITY_MANAGER, ADMIN), HOUSE),
    Page("labelling", msg("Étiquetage"), "label", "dashboard.pages.labelling", EVERYONE, HOUSE),
    Page(
        "quality",
        msg("Qualité"),
        "verified",
        "dashboard.pages.quality",
        (COMMUNITY_MANAGER, DEPARTMENT_HEAD, ADMIN),
        HOUSE,
    ),
    Page("audit", msg("Journal"), "history", "dashboard.pages.audit", EVERYONE, HOUSE),
)


def visible(viewer: Viewer) -> tuple[Page, ...]:
    """The pages that this person gets, in order."""
    return tuple(
        page
        for page in PAGES
        if viewer.role in page.roles and (page.department is None or viewer.sees(page.department))
    )


def title(page: Page) -> str:
    """Its title in the language of this run."""
    for department in DEPARTMENTS:
        if department.key == page.department:
            return title_of(department)
    return t(page.title)


def address(page: Page) -> str:
    """Its path in the address bar; the desk is at the root."""
    return "" if page is DESK else page.key


KEPT_PARAMETERS = ("as", "lang")  # who the person is in the demo, and the language: every link takes them along


def link(key: str, **filters: str) -> str:
    """An address inside the app, e.g. `link("desk", view="late", department="logistics")`; opening it loads the app again.

    The desk understands `case`, `view`, `q`, `network`, `department`, `intent`, `sentiment`, `store`, `product`,
    `language` (several values with a comma), `since` and `until` (YYYY-MM-DD).
    """
    path = "/" if key == DESK.key else f"/{key}"
    kept = {name: st.query_params[name] for name in KEPT_PARAMETERS if name in st.query_params}
    return f"{path}?{urlencode(filters | kept)}" if filters or kept else path


def open_page(page: Page, context: Context) -> None:
    """Import the page's module and render it."""
    render: Callable[..., None] = import_module(page.module).render
    if page.department is None:
        render(context)
    else:
        render(context, page.department)


def _built(page: Page, context: Context) -> StreamlitPage:
    return st.Page(
        partial(open_page, page, context),
        title=title(page),
        icon=f":material/{page.icon}:",
        url_path=address(page),
        default=page is DESK,
    )


def build(context: Context) -> StreamlitPage:
    """Hand the viewer's pages to Streamlit; the one that was asked for."""
    sections: dict[str, list[StreamlitPage]] = {}
    for page in visible(context.viewer):
        section = "" if page.section == COUNTER else t(page.section)
        sections.setdefault(section, []).append(_built(page, context))
    pages: Mapping[str, list[StreamlitPage]] = sections
    return st.navigation(pages, position="top")


def go(context: Context, key: str, **filters: str) -> None:
    """Leave for another page without loading the app again; `filters` as in `link`."""
    page = next(page for page in PAGES if page.key == key)
    st.switch_page(_built(page, context), query_params=filters)
