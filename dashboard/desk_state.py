"""What the desk remembers of a session: the view, the filters, the case that is open, the last act. Ids and choices only.

The address follows the open case (`?case=`); other parameters of the address (see `navigation.link`) set the filters once.
Everything that a browser can send is checked here before it becomes a filter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

import streamlit as st

from dashboard.acts import Done, Undo
from dashboard.context import Context
from dashboard.i18n import msg, set_language, t, title_of, told
from dashboard.reads import filter_values
from dashboard.views import label, language_title, network_title
from domain.analysis import Sentiment
from domain.case import CaseId
from domain.departments import DEPARTMENTS
from domain.errors import ComptoirError
from domain.taxonomy import INTENTS
from store.queue import QueueFilter, Sort, View

CASE, PERSON, QUEUE, BAR, SHELL = FRAGMENTS = ["desk_case", "desk_person", "desk_queue", "desk_bar", "desk_shell"]


@dataclass(frozen=True, slots=True)
class FilterRow:
    """One filter of the bar: its name in the address and in `QueueFilter`, its options for a viewer, their words."""

    key: str
    field: str
    title: str
    options: Callable[[Context], Sequence[str]]
    word: Callable[[str], str]

    @property
    def widget(self) -> str:
        """Key of its widget."""
        return f"desk_f_{self.key}"


_INTENT_TITLES = {intent.key: intent for intent in INTENTS}
_DEPARTMENT_TITLES = {department.key: department for department in DEPARTMENTS}
_SENTIMENT_TITLES = {
    Sentiment.NEGATIVE.value: msg("négatif"),
    Sentiment.NEUTRAL.value: msg("neutre"),
    Sentiment.POSITIVE.value: msg("positif"),
}

FILTERS: tuple[FilterRow, ...] = (
    FilterRow("network", "networks", msg("Réseau"), lambda c: filter_values(c, "network"), network_title),
    FilterRow(
        "department",
        "departments",
        msg("Service"),
        lambda c: [d.key for d in DEPARTMENTS if c.viewer.sees(d.key)],
        lambda key: title_of(_DEPARTMENT_TITLES[key]),
    ),
    FilterRow(
        "intent",
        "intents",
        msg("Intention"),
        lambda _c: [i.key for i in INTENTS],
        lambda key: title_of(_INTENT_TITLES[key]),
    ),
    FilterRow(
        "sentiment",
        "sentiments",
        msg("Ressenti"),
        lambda _c: list(_SENTIMENT_TITLES),
        lambda key: t(_SENTIMENT_TITLES[key]),
    ),
    FilterRow("product", "products", msg("Produit"), lambda c: filter_values(c, "product"), label),
    FilterRow("store", "stores", msg("Boutique"), lambda c: filter_values(c, "store"), label),
    FilterRow("language", "langs", msg("Langue"), lambda c: filter_values(c, "lang"), language_title),
)
SEARCH, SORT, DATES = "desk_q", "desk_sort", "desk_f_dates"


def start(context: Context) -> None:
    """At the beginning of a full run: what the address says, once; the last act's word is over."""
    session = st.session_state
    session["desk_toast"] = None
    asked = {key: st.query_params[key] for key in st.query_params}
    wanted = [row for row in FILTERS if row.key in asked]
    if wanted or {"view", "q", "since", "until"} & asked.keys():
        for row in FILTERS:
            session[row.widget] = _known(asked.get(row.key, "").split(","), row.options(context))
        session["desk_view"] = asked.get("view") if asked.get("view") in set(View) else View.OPEN.value
        session[SEARCH] = asked.get("q", "")[:100]
        session[DATES] = _dates(asked.get("since"), asked.get("until"))
        for name in (*(row.key for row in FILTERS), "view", "q", "since", "until"):
            st.query_params.pop(name, None)
    if "case" in asked:
        choose(asked["case"])
    elif session.get("desk_case") and not session.get("desk_auto"):
        st.query_params["case"] = session["desk_case"]


def _known(values: Iterable[str], options: Sequence[str]) -> list[str]:
    return [value for value in values if value in options]


def _dates(since: str | None, until: str | None) -> tuple[date, ...]:
    found = []
    for text in (since, until):
        try:
            found.append(date.fromisoformat(text or ""))
        except ValueError:
            continue
    return tuple(sorted(found))


# -- the queue -----------------------------------------------------------------------------------------------------------


def view() -> View:
    """The tab that is open."""
    chosen = st.session_state.get("desk_view", View.OPEN.value)
    return View(chosen) if chosen in set(View) else View.OPEN


def chosen_values(row: FilterRow, context: Context) -> tuple[str, ...]:
    """What is chosen in one filter, as far as it exists."""
    return tuple(_known(st.session_state.get(row.widget) or [], row.options(context)))


def queue_filter(context: Context) -> QueueFilter:
    """The filter of the session, held within what the viewer may see."""
    values: dict[str, Any] = {row.field: chosen_values(row, context) for row in FILTERS}
    values["departments"] = values["departments"] or context.viewer.departments
    since, until = _span(context)
    sort = st.session_state.get(SORT, Sort.PRIORITY.value)
    return QueueFilter(
        view=view(),
        text=str(st.session_state.get(SEARCH) or "")[:100],
        sort=Sort(sort) if sort in set(Sort) else Sort.PRIORITY,
        since=since,
        until=until,
        **values,
    )


def _span(context: Context) -> tuple[datetime | None, datetime | None]:
    dates = st.session_state.get(DATES) or ()
    days = [day for day in (dates if isinstance(dates, tuple | list) else (dates,)) if isinstance(day, date)]
    if not days:
        return None, None
    first, last = days[0], days[-1]
    start_at = datetime.combine(first, time(0), context.zone)
    return start_at, datetime.combine(last + timedelta(days=1), time(0), context.zone)


def filtered(context: Context) -> int:
    """How many filters are set."""
    count = sum(1 for row in FILTERS if chosen_values(row, context))
    return count + bool(st.session_state.get(DATES))


def clear_filters() -> None:
    """All filters and the search off; the view stays."""
    for row in FILTERS:
        st.session_state[row.widget] = []
    st.session_state[DATES] = ()
    st.session_state[SEARCH] = ""
    first_page()


def first_page() -> None:
    """Back to the first page, in a fresh order."""
    st.session_state["desk_page"] = 0
    st.session_state["desk_signature"] = None


def page() -> int:
    """The page of the list, from 0."""
    number = st.session_state.get("desk_page", 0)
    return number if isinstance(number, int) and number >= 0 else 0


# -- the open case -------------------------------------------------------------------------------------------------------


def open_case() -> CaseId | None:
    """The case on screen."""
    return st.session_state.get("desk_case") or None


def choose(case_id: str, *, auto: bool = False) -> None:
    """Open a case; the address follows, unless it was opened by itself at the start."""
    session = st.session_state
    if session.get("desk_case") != case_id:
        session["desk_target"] = session["desk_why"] = None
    session["desk_case"] = str(case_id)[:60]
    session["desk_auto"] = auto
    shown = session.get("desk_shown", [])
    if case_id in shown:
        session["desk_at"] = shown.index(case_id)
    if not auto and st.query_params.get("case") != session["desk_case"]:
        st.query_params["case"] = session["desk_case"]


def draft_key(case_id: CaseId) -> str:
    """The idempotency key of the answer being written for this case; a new one only after the old one was taken."""
    drafts: dict[str, str] = st.session_state.setdefault("desk_drafts", {})
    return drafts.setdefault(case_id, f"reply:{case_id}:{uuid4().hex}")


def next_draft(case_id: CaseId) -> None:
    """The answer was taken: the next one is another."""
    st.session_state.setdefault("desk_drafts", {}).pop(case_id, None)


# -- acts ----------------------------------------------------------------------------------------------------------------


def do(act: Callable[[], Done]) -> bool:
    """Carry out an act of a person; its word, or the error's, goes to the foot of the page. True where it was done."""
    try:
        done = act()
    except ComptoirError as error:
        say(told(str(error)), bad=True)
        return False
    say(done.text, undo=done.undo)
    return True


def say(text: str, *, bad: bool = False, undo: Undo | None = None) -> None:
    """A word at the foot of the page."""
    st.session_state["desk_undo"] = undo
    st.session_state["desk_toast"] = {"id": uuid4().hex, "text": text, "bad": bad, "undo": undo is not None}


# -- fragments -----------------------------------------------------------------------------------------------------------


def now_of(context: Context) -> Context:
    """A fragment's context: fragments run long after the page did, so this moment, and this language."""
    set_language(context.lang)
    return context.fresh()


def refresh(*fragments: str) -> None:
    """Rerun these fragments, all where none is named; only from a callback. The conversation comes first: it is looked at."""
    st.rerun(list(fragments or FRAGMENTS))


def pick(case_id: str) -> None:
    """Open a case, wherever it was clicked."""
    choose(case_id)
    refresh(CASE, PERSON, QUEUE)


def nothing(_value: Any) -> None:
    """For a component whose triggers have nothing to do."""
