"""Back-fills on the watches page: ask for a span, see its price, say yes, watch it being read, pause it or give it up.

A fragment that looks at itself again every few seconds; the worker asks the networks and reads.
"""

from collections.abc import Callable
from datetime import timedelta

import streamlit as st

from dashboard import acts_watches as acts
from dashboard import views_backfills as views
from dashboard.acts import Done
from dashboard.components.panel import panel
from dashboard.components.text import plain
from dashboard.components.toast import say, speak
from dashboard.context import Context
from dashboard.desk_state import now_of
from dashboard.i18n import ago, t, told
from dashboard.views_watches import sentences
from domain.errors import ComptoirError
from store.backfill_rows import Backfill, BackfillState

_EVERY = "5s"
_SHOWN = 12  # the newest wishes; those that are still open come first
_FIRST, _LAST, _SOURCE, _CASES = "backfill_first", "backfill_last", "backfill_source", "backfill_cases"


@st.fragment(run_every=_EVERY)
def past_panels(context: Context) -> None:
    """The part of the page that is about the past."""
    context = now_of(context)
    speak()
    st.subheader(t("Relire le passé"), anchor=False)
    st.markdown(
        t("Un rattrapage lit ce qui a été dit avant, jour après jour, à côté de l'écoute. Le prix est annoncé d'abord ;"
          " rien n'est lu sans votre accord.")
    )  # fmt: skip
    sources = {source.key: source.title for source in context.store.sources.all() if source.polled}
    if not sources:
        st.caption(t("Aucune source à relire pour l'instant."))
        return
    _ask(context, sources)
    found = sorted(context.store.backfills.all(_SHOWN), key=lambda one: not one.open)
    for one in found:
        with panel(f"backfill_{one.id}"):
            _backfill(context, one, sources.get(one.source_key, one.source_key))


def _ask(context: Context, sources: dict[str, str]) -> None:
    today = context.now.astimezone(context.zone).date()
    with panel("backfill_ask"):
        with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
            st.selectbox(t("Source"), list(sources), key=_SOURCE, format_func=lambda key: sources[key], width=260)
            st.date_input(
                t("Du"), today - timedelta(days=30), key=_FIRST, max_value=today, format="DD/MM/YYYY", width=150
            )
            st.date_input(t("au"), today, key=_LAST, max_value=today, format="DD/MM/YYYY", width=150)
            st.button(
                t("Demander le prix"),
                icon=":material/price_check:",
                key="backfill_ask",
                on_click=_asked,
                args=(context,),
            )
        why = t("Sinon ils sont lus et comptés, sans entrer dans les files : leurs délais sont passés.")
        st.checkbox(t("Ouvrir aussi des conversations pour ces anciens messages"), key=_CASES, help=why)


def _asked(context: Context) -> None:
    state = st.session_state
    try:
        acts.ask_backfill(
            context.fresh(), state[_SOURCE], state[_FIRST], state[_LAST], opens_cases=bool(state.get(_CASES))
        )
    except ComptoirError as error:
        say(told(str(error)), trouble=True)


def _backfill(context: Context, one: Backfill, source_title: str) -> None:
    word, icon, color = views.state_word(one, context.now)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(views.title(one, source_title, context.zone))}**", width="content")
        st.badge(word, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]
    st.caption(plain(t("Demandé par {who} {when}.", who=one.asked_by, when=ago(one.asked_at, context.now))))
    if one.state is not BackfillState.REFUSED:
        st.markdown(plain(views.price_line(one)))
    if one.confirmed_at is not None:
        st.progress(one.done_share, text=plain(views.progress_line(one, context.now, context.zone)))
    trouble = views.trouble_line(one, context.now)
    if trouble and one.state is not BackfillState.CANCELLED:
        st.warning(plain(trouble), icon=":material/info:")
    for note in one.notes:
        st.caption(plain(t("Remarque : {note}", note=sentences(note))))
    _buttons(context, one)


def _buttons(context: Context, one: Backfill) -> None:
    if not one.open:
        return
    with st.container(horizontal=True, gap="small"):
        if one.state is BackfillState.ANNOUNCED:
            _button(
                views.yes_word(one), "play_arrow", f"backfill_yes_{one.id}", acts.confirm, context, one.id, main=True
            )
        elif one.state is BackfillState.PAUSED:
            _button(
                t("Reprendre"),
                "play_arrow",
                f"backfill_resume_{one.id}",
                acts.resume_backfill,
                context,
                one.id,
                main=True,
            )
        elif one.state is BackfillState.RUNNING:
            _button(t("Mettre en pause"), "pause", f"backfill_pause_{one.id}", acts.pause_backfill, context, one.id)
        _button(t("Abandonner"), "close", f"backfill_cancel_{one.id}", acts.cancel_backfill, context, one.id)


def _button(
    word: str,
    icon: str,
    key: str,
    act: Callable[[Context, int], Done],
    context: Context,
    target: int,
    *,
    main: bool = False,
) -> None:
    kind = "primary" if main else "secondary"
    st.button(word, icon=f":material/{icon}:", key=key, type=kind, on_click=_do, args=(act, context, target))  # type: ignore[arg-type]


def _do(act: Callable[[Context, int], Done], context: Context, target: int) -> None:
    try:
        say(act(context.fresh(), target).text)
    except ComptoirError as error:
        say(told(str(error)), trouble=True)
