"""The journal: who did what, when; of one conversation or of all that the viewer may see. Append-only in the store."""

from typing import Any

import streamlit as st

from dashboard import views_audit
from dashboard.components import parts
from dashboard.context import Context
from dashboard.i18n import t
from dashboard.navigation import DESK, go
from dashboard.views import case_title, network_title
from domain.case import CaseId
from store.audit import AuditRow

PAGE_SIZE = 50
_MOST_READS = 20  # pages of the store read for one page of a department's own


def render(context: Context) -> None:
    """The page: newest first, one conversation's alone with `?case=`."""
    st.title(t("Journal"))
    st.caption(t("Tout ce qui a été fait, par qui et quand. Rien ne s'efface ni ne se modifie."))
    asked = st.query_params.get("case", "")
    if asked != st.session_state.get("audit_asked"):  # the address says it once; then the box is the person's
        st.session_state["audit_asked"] = st.session_state["audit_case"] = asked
    with st.container(key="audit_head", horizontal=True, vertical_alignment="bottom"):
        case_id = st.text_input(t("Numéro de conversation"), key="audit_case", width=320, placeholder="c…")
    if case_id.strip():
        of_case(context, CaseId(case_id.strip()), links=True)
        return
    before = st.session_state.get("audit_before")
    rows, last = _visible(context, before)
    _list(context, rows, "audit_all", links=True)
    with st.container(horizontal=True):
        if before is not None:
            st.button(t("Les plus récents"), key="audit_first", on_click=_go, args=(None,))
        if last is not None:
            st.button(t("Plus anciens"), key="audit_older", on_click=_go, args=(last,))


def of_case(context: Context, case_id: CaseId, *, links: bool = False) -> None:
    """All acts on one conversation, oldest first; a courteous no where it is not the viewer's."""
    case = context.store.cases.get(case_id)
    if case is None or not context.viewer.sees(case.department):
        st.info(t("Cette conversation n'est pas dans votre service, ou n'existe plus."))
        return
    _list(context, context.store.audit.of_case(case_id), "audit_case_list", links=links)


def _go(before: int | None) -> None:
    st.session_state["audit_before"] = before


def _visible(context: Context, before: int | None) -> tuple[list[AuditRow], int | None]:
    # Rows of cases that the viewer may see, and where to go on (None at the end).
    found: list[AuditRow] = []
    seen: dict[CaseId | None, bool] = {None: not context.viewer.departments}
    for _ in range(_MOST_READS):
        rows = context.store.audit.latest(PAGE_SIZE, before)
        if not rows:
            return found, None
        for row in rows:
            before = row.id
            if row.case_id not in seen:
                case = context.store.cases.get(row.case_id) if row.case_id else None
                seen[row.case_id] = case is not None and context.viewer.sees(case.department)
            if seen[row.case_id]:
                found.append(row)
            if len(found) == PAGE_SIZE:
                return found, before
    return found, before


def _list(context: Context, rows: list[AuditRow], key: str, *, links: bool) -> None:
    names: dict[CaseId, str] = {}
    if links:
        names = {case_id: _name(context, case_id) for case_id in {row.case_id for row in rows if row.case_id}}

    def open_case(case_id: Any) -> None:
        go(context, DESK.key, case=str(case_id))

    data = {
        "acts": views_audit.history(rows, names, context.now, context.zone),
        "links": links,
        "empty": t("Rien n'a encore été fait."),
    }
    parts.history(key, data, open_case=open_case)


def _name(context: Context, case_id: CaseId) -> str:
    case = context.store.cases.get(case_id)
    if case is None:
        return case_id
    person = context.store.people.get(case.person_id) if case.person_id else None
    who = (person.name if person else "") or network_title(case.network)
    return f"{who} · {case_title(case)}"
