"""The desk's buttons: each calls an act of `acts.py` and redraws the columns; what it said is at the foot of the page."""

from collections.abc import Callable
from datetime import date, datetime

import streamlit as st

from dashboard import acts, views
from dashboard import desk_state as state
from dashboard.acts import MORNING, Done
from dashboard.context import Context
from dashboard.desk_state import pick, refresh
from dashboard.i18n import t
from domain.case import Case, Status
from domain.departments import DEPARTMENTS


def _act(work: Callable[[], Done]) -> None:
    state.do(work)
    refresh()


def act_buttons(context: Context, case: Case) -> None:
    """What can be done to a case in its present state."""

    def on(work: Callable[[Context], Done]) -> Callable[[], None]:
        return lambda: _act(lambda: work(context.fresh()))

    if case.status is Status.MERGED:
        st.button(
            t("Ouvrir la conversation réunie"),
            key="desk_merged",
            on_click=pick,
            args=(case.merged_into,),
        )
        return
    if case.status is Status.RESOLVED:
        reopen = on(lambda c: acts.reopen(c, case.id))
        st.button(t("Rouvrir"), key="desk_reopen", on_click=reopen, help=t("Touche {key}", key="e"))
    else:
        _holder_button(context, case, on)
        _snooze(context, case, on)
        resolve = on(lambda c: acts.resolve(c, case))
        st.button(
            t("Résoudre"),
            key="desk_resolve",
            icon=":material/check:",
            on_click=resolve,
            help=t("Touche {key}", key="e"),
        )
        _transfer(context, case)
    _merge(context, case)


def _holder_button(context: Context, case: Case, on: Callable[[Callable[[Context], Done]], Callable[[], None]]) -> None:
    if case.assignee == context.viewer.name:
        give = on(lambda c: acts.release(c, case))
        st.button(
            t("Rendre"), key="desk_release", icon=":material/undo:", on_click=give, help=t("Touche {key}", key="t")
        )
        return
    take = on(lambda c: acts.take(c, case))
    st.button(
        t("Prendre"),
        key="desk_take",
        icon=":material/front_hand:",
        type="primary" if case.assignee is None else "secondary",
        on_click=take,
        help=t("Touche {key}", key="t"),
    )


def _snooze(context: Context, case: Case, on: Callable[[Callable[[Context], Done]], Callable[[], None]]) -> None:
    with st.popover(t("Mettre en attente"), key="desk_snooze", icon=":material/schedule:"):
        for number_, (word, until) in enumerate(acts.snooze_choices(context.now, context.zone)):
            later = on(lambda c, until=until: acts.snooze(c, case, until))  # type: ignore[misc]
            st.button(word, key=f"desk_snooze_{number_}", on_click=later, width="stretch")
        day = st.date_input(t("Jusqu'au"), value=None, key="desk_snooze_day", format="DD/MM/YYYY", min_value="today")
        if isinstance(day, date):
            then = datetime.combine(day, MORNING, context.zone)
            st.button(
                t("Mettre en attente jusqu'à 9:00"),
                key="desk_snooze_then",
                on_click=on(lambda c: acts.snooze(c, case, then)),
                width="stretch",
            )


def _transfer(context: Context, case: Case) -> None:
    def go() -> None:
        key = st.session_state["desk_transfer"]
        _act(lambda: acts.transfer(context.fresh(), case.id, str(key)))

    st.menu_button(
        t("Transférer"),
        [d.key for d in DEPARTMENTS if d.key != case.department],
        key="desk_transfer",
        icon=":material/forward:",
        format_func=views.department_title,
        on_click=go,
    )


def _merge(context: Context, case: Case) -> None:
    others = context.store.queue.of_person(case.person_id, but=case.id, limit=20) if case.person_id else []
    targets = {other.id: other for other in others if other.active and context.viewer.sees(other.department)}
    if not targets or not case.active:
        return

    def go() -> None:
        target = st.session_state.get("desk_merge_into")
        if target in targets and state.do(lambda: acts.merge(context.fresh(), case.id, target)):
            state.choose(target)
        refresh()

    with st.popover(t("Fusionner"), key="desk_merge", icon=":material/call_merge:"):
        st.selectbox(
            t("Réunir cette conversation avec"),
            list(targets),
            key="desk_merge_into",
            format_func=lambda key: f"{views.case_title(targets[key])} · {views.network_title(targets[key].network)}",
        )
        st.button(t("Fusionner"), key="desk_merge_go", on_click=go, width="stretch")
