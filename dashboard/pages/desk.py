"""The desk: the queue, one conversation, one person. Places what `views*.py` made; acts are in `acts.py`.

Five fragments that rerun alone: the bar (`desk_bar.py`), the queue, the conversation (`desk_case.py`), the person, and the
shell with shortcuts and the last act's word. A click reruns only the fragments that it changes, never the page; a sixth one
looks every few seconds whether the store has changed, and only then are the columns drawn again.
"""

from typing import Any

import streamlit as st

from dashboard import acts, reads, views, views_person
from dashboard import desk_state as state
from dashboard.components import parts
from dashboard.context import Context
from dashboard.desk_bar import bar
from dashboard.desk_case import conversation_pane
from dashboard.desk_state import BAR, CASE, PERSON, QUEUE, SHELL, now_of, pick, refresh
from dashboard.i18n import n_t, number, set_language, t
from dashboard.pages import audit
from domain.case import Case, CaseId
from store.queue import PAGE_SIZE


def render(context: Context) -> None:
    """The whole desk."""
    state.start(context)
    with st.container(key="desk", gap=None):
        bar(context)
        with st.container(key="desk_panes", gap=None):
            with st.container(key="desk_queue_pane", gap=None):
                _queue(context)
            with st.container(key="desk_case_pane", gap=None):
                conversation_pane(context)
            with st.container(key="desk_person_pane", gap=None):
                _person(context)
        _shell(context)
        _pulse(context)


@st.fragment(key="desk_pulse", run_every="3s")
def _pulse(context: Context) -> None:
    # The minute is part of the mark: "12 minutes ago" must not stand still while nothing happens.
    mark = f"{context.store.revision()} {reads.minute(context.fresh().now)}"
    parts.pulse("desk_beat", mark, beat=lambda _mark: refresh(CASE, QUEUE, BAR))


# -- the queue -----------------------------------------------------------------------------------------------------------


@st.fragment(key=QUEUE)
def _queue(context: Context) -> None:
    context = now_of(context)
    session = st.session_state
    f, page = state.queue_filter(context), state.page()
    rows = {row.case.id: row for row in reads.queue_page(context, f, page)}
    signature = (f, page)
    if session.get("desk_signature") == signature:
        shown, waiting = views.settle(session.get("desk_shown", []), list(rows))
    else:
        shown, waiting = list(rows), 0
    session["desk_signature"], session["desk_shown"] = signature, shown
    if state.open_case() is None and shown:
        state.choose(shown[0], auto=True)
    total = reads.queue_counts(context, f).get(f.view, 0)
    pages = max(1, -(-total // PAGE_SIZE))
    items = [views.queue_item(rows[CaseId(key)], context.now, context.zone, context.viewer.name) for key in shown]
    for item in items:
        item["uncertainWord"] = t("incertain")
    parts.queue(
        "desk_list",
        {
            "items": items,
            "selected": state.open_case(),
            "page": page,
            "pages": pages,
            "fresh": waiting,
            "words": {
                "list": t("File des conversations"),
                "fresh": n_t("{n} nouvelle · afficher", "{n} nouvelles · afficher", waiting),
                "emptyTitle": t("Rien ici"),
                "emptyText": t("Aucune conversation ne répond à ces filtres.")
                if state.filtered(context) or f.text
                else t("Cette vue est vide."),
                "back": t("Précédentes"),
                "on": t("Suivantes"),
                "where": t("{page} sur {pages}", page=number(page + 1), pages=number(pages)),
            },
        },
        pick=pick,
        page=_turn,
        show=_show,
    )


def _turn(page: int) -> None:
    st.session_state["desk_page"] = page
    refresh(QUEUE)


def _show(_moment: int) -> None:
    state.first_page()
    refresh(BAR, QUEUE)


# -- the person and the shell --------------------------------------------------------------------------------------------


@st.fragment(key=PERSON)
def _person(context: Context) -> None:
    context = now_of(context)
    case_id = state.open_case()
    data: dict[str, Any] = {"id": ""}
    case = context.store.cases.get(case_id) if case_id else None
    if case is not None and context.viewer.sees(case.department):
        data = _person_data(context, case)
    if st.session_state.pop("desk_journal", False) and case is not None:
        _journal(context, case.id)
    parts.person("desk_customer", data, open_case=pick, journal=_open_journal)


def _open_journal(_value: Any) -> None:
    st.session_state["desk_journal"] = True
    refresh(PERSON)


def _journal(context: Context, case_id: CaseId) -> None:
    @st.dialog(t("Journal de la conversation"), width="medium")
    def show() -> None:
        set_language(context.lang)
        audit.of_case(context, case_id)

    show()


def _person_data(context: Context, case: Case) -> dict[str, Any]:
    store, now, zone = context.store, context.now, context.zone
    person_id = case.person_id
    person = store.people.get(person_id) if person_id else None
    others = store.queue.of_person(person_id, but=case.id) if person_id else []
    return {
        **views_person.identity(person, ""),
        "id": case.id,
        "mood": views_person.mood(reads.mood(context, person_id) if person_id else [], zone),
        "accounts": views_person.accounts(
            store.people.accounts(person_id) if person_id else [], store.people.links(person_id) if person_id else []
        ),
        "events": views_person.timeline(
            store.people.events(person_id, 12) if person_id else [], now, zone, context.currency
        ),
        "others": views_person.other_cases(
            [other for other in others if context.viewer.sees(other.department)], now, zone
        ),
        "words": {
            "mood": t("Humeur"),
            "accounts": t("Comptes"),
            "noAccounts": t("Aucun compte connu."),
            "events": t("Avec la boutique"),
            "noEvents": t("Ni commande ni visite connue."),
            "others": t("Autres conversations"),
            "noOthers": t("Aucune autre."),
            "journal": t("Journal de la conversation"),
        },
    }


@st.fragment(key=SHELL)
def _shell(context: Context) -> None:
    context = now_of(context)

    def undo(toast_id: str) -> None:
        what = st.session_state.get("desk_undo")
        toast = st.session_state.get("desk_toast") or {}
        if what is not None and toast.get("id") == toast_id and state.do(lambda: acts.undo(context.fresh(), what)):
            state.choose(what.case_id)
        refresh()

    parts.shell(
        "desk_frame",
        {
            "pane": "case" if st.query_params.get("case") else "queue",
            "panes": [("queue", t("File")), ("case", t("Conversation")), ("person", t("Personne"))],
            "toast": st.session_state.get("desk_toast"),
            "keys": [
                ("/", t("rechercher")),
                ("n", t("conversation suivante")),
                ("t", t("prendre ou rendre")),
                ("r", t("répondre")),
                ("p", t("répondre en privé")),
                ("i", t("note interne")),
                ("s", t("mettre en attente")),
                ("e", t("résoudre ou rouvrir")),
                ("?", t("cette aide")),
            ],
            "words": {
                "keys": t("Raccourcis"),
                "close": t("Fermer"),
                "undo": t("Annuler"),
                "panes": t("Colonnes"),
            },
        },
        undo=undo,
    )
