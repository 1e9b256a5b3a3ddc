"""Veilles: what is listened to in one language for all networks, tried out before it is kept; and the past, read back.

The list and the editor are one fragment, the past another that looks at itself again every few seconds: nothing else jumps.
What can be done is in `acts_watches.py`; networks are asked by the worker.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import acts_watches as acts
from dashboard import reads
from dashboard import views_watches as views
from dashboard.acts import Done
from dashboard.acts_sources import may_keep
from dashboard.backfill_panels import past_panels
from dashboard.components.panel import paint, panel
from dashboard.components.text import plain
from dashboard.components.toast import say, speak
from dashboard.context import Context
from dashboard.desk_state import now_of
from dashboard.i18n import t, told
from dashboard.watch_editor import KEYS, OPEN, TRIED, editor
from domain.errors import ComptoirError
from store.previews import Counts
from store.watches import WatchKind, WatchRow

_REMOVED = "watch_removed"


def render(context: Context) -> None:
    """The page; only for who looks after the sources."""
    paint()
    st.title(t("Veilles"), anchor=False)
    if not may_keep(context.viewer):
        st.error(t("Les veilles sont tenues par les community managers et l'administration."))
        return
    _listening(context)
    past_panels(context)


@st.fragment
def _listening(context: Context) -> None:
    context = now_of(context)
    speak()
    rows = context.store.watches.all()
    opened = st.session_state.get(OPEN)
    _undo(context)
    head = st.empty()
    if rows:
        head.markdown(f"**{plain(views.summary(rows, None))}**")
    elif opened is None:
        _nothing_yet(context)
    if opened is None:
        st.button(
            t("Nouvelle veille"), icon=":material/add:", key="watch_new", type="primary", on_click=_open, args=(None,)
        )
    elif opened == "new":
        editor(context, None)
    titles = {source.key: source.title for source in context.store.sources.all()}
    lines: list[tuple[WatchRow, DeltaGenerator]] = []
    for row in rows:
        if opened == row.id:
            editor(context, row)
        else:
            with panel(f"watch_{row.id}"):
                lines.append((row, _row(context, row, titles)))
    if rows:  # a busy week takes a second to look through: the list is there before
        counts = _counts(context, rows)
        head.markdown(f"**{plain(views.summary(rows, counts))}**")
        for row, line in lines:
            line.caption(plain(f"{views.where_line(row, titles)} · {views.found_line(row, counts)}"))


def _nothing_yet(context: Context) -> None:
    st.markdown(
        t("Aucune veille : chaque source donne tout ce qu'elle entend. Une veille dit ce qui compte pour vous.")
    )
    if not context.store.sources.all():
        st.caption(t("Aucune source n'est réglée. Ajoutez-en dans comptoir.toml, ou lancez « comptoir demo »."))


def _counts(context: Context, rows: list[WatchRow]) -> Counts:
    # Looked through at most once in ten minutes: a busy week is many messages.
    until = context.now.replace(minute=context.now.minute // 10 * 10, second=0, microsecond=0) + timedelta(minutes=10)
    key = (reads.address(context.store), until, tuple((row.id, row.name, row.query, row.sources) for row in rows))
    previews, whole = context.store.previews, context.store.watches.whole()
    return _counted(lambda: previews.counts(whole, until - timedelta(days=views.DAYS), until), key)


@st.cache_data(ttl=600, max_entries=50, show_spinner=False)
def _counted(_read: Callable[[], Counts], key: tuple[Any, ...]) -> Counts:  # noqa: ARG001 - Streamlit reads the key
    return _read()


def _row(context: Context, row: WatchRow, titles: Mapping[str, str]) -> DeltaGenerator:
    """One watch; the place of the line that tells what it found."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(row.name)}**", width="content")
        st.badge(views.kind_word(row.kind), color="gray")
        if not row.enabled:
            st.badge(t("En pause"), icon=":material/pause_circle:", color="gray")
    st.code(row.query, language=None, wrap_lines=True)
    line = st.empty()
    line.caption(plain(f"{views.where_line(row, titles)} · {t('comptage en cours…')}"))
    with st.container(horizontal=True, gap="small"):
        st.button(t("Modifier"), icon=":material/edit:", key=f"watch_edit_{row.id}", on_click=_open, args=(row,))
        word, icon, act = (t("Mettre en pause"), "pause", acts.pause) if row.enabled else (
            t("Reprendre"), "play_arrow", acts.resume)  # fmt: skip
        st.button(
            word, icon=f":material/{icon}:", key=f"watch_switch_{row.id}", on_click=_do, args=(act, context, row.id)
        )
        with st.popover(t("Supprimer"), icon=":material/delete:", key=f"watch_more_{row.id}"):
            st.markdown(t("Elle ne sera plus écoutée. Ce qu'elle a trouvé reste."))
            st.button(t("Supprimer la veille"), key=f"watch_remove_{row.id}", type="primary", on_click=_remove,
                      args=(context, row.id))  # fmt: skip
    return line


def _open(row: WatchRow | None) -> None:
    state = st.session_state
    state[OPEN] = row.id if row else "new"
    state[KEYS["name"]] = row.name if row else ""
    state[KEYS["query"]] = row.query if row else ""
    state[KEYS["kind"]] = row.kind if row else WatchKind.BRAND
    state[KEYS["sources"]] = list(row.sources) if row else []
    state.pop(TRIED, None)


def _do(act: Callable[[Context, int], Done], context: Context, target: int) -> None:
    # Runs before the fragment: the role is checked again inside the act.
    try:
        say(act(context.fresh(), target).text)
    except ComptoirError as error:
        say(told(str(error)), trouble=True)


def _remove(context: Context, watch_id: int) -> None:
    try:
        st.session_state[_REMOVED] = acts.remove(context.fresh(), watch_id)
    except ComptoirError as error:
        say(told(str(error)), trouble=True)


def _undo(context: Context) -> None:
    row = st.session_state.get(_REMOVED)
    if not isinstance(row, WatchRow):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="watch_undo_line"):
        st.markdown(plain(t("« {name} » est supprimée.", name=row.name)), width="content")
        st.button(t("Annuler"), icon=":material/undo:", key="watch_undo", on_click=_restore, args=(context, row))
        st.button(t("C'est bien"), key="watch_undo_close", type="tertiary", on_click=_forget)


def _restore(context: Context, row: WatchRow) -> None:
    _forget()
    _do(lambda now, _id: acts.restore(now, row), context, row.id)


def _forget() -> None:
    st.session_state.pop(_REMOVED, None)
