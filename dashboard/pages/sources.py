"""Sources: how each one feels in words, what it left aside, and the sendings that wait for a person.

Looks at itself again every few seconds, in a fragment: nothing else on the page jumps.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard import acts_sources as acts
from dashboard.acts import Done
from dashboard.components.connect import connect
from dashboard.components.panel import paint, panel
from dashboard.components.rows import go
from dashboard.components.text import plain
from dashboard.components.toast import say, speak
from dashboard.context import Context
from dashboard.i18n import n_t, t, told
from dashboard.views_sources import (
    again_word,
    facts_line,
    health,
    outbox_counts,
    reject_line,
    sending_lines,
    sending_title,
    state_word,
    summary,
    worker_sign,
)
from dashboard.views_spend import budget_state, gap_line, hook_lines, kinds_line, quota_line, spend_line
from domain.errors import ComptoirError
from store.ledger import SourceMonth
from store.mentions import RejectRow
from store.outbox import OutboxRow
from store.sources import Source, SourceState

_EVERY = "10s"
_REJECTS = 100  # read for a source, newest first
_PAGE = 10
_GAPS = 3  # shown of a source, the newest


def render(context: Context) -> None:
    """The page; only for who looks after the sources."""
    paint()
    st.title(t("Sources"), anchor=False)
    if not acts.may_keep(context.viewer):
        st.error(t("Les sources sont tenues par les community managers et l'administration."))
        return
    _sources(context)
    connect(context)
    _sendings(context)


@st.fragment(run_every=_EVERY)
def _sources(context: Context) -> None:
    speak()
    context = context.fresh()
    found = context.store.sources.all()
    if not found:
        st.markdown(t("Aucune source n'est réglée. Ajoutez-en dans comptoir.toml, ou lancez « comptoir demo »."))
        return
    st.markdown(f"**{plain(summary(found))}**")
    sign, stopped = worker_sign(found, context.now)
    if stopped:
        st.warning(plain(sign), icon=":material/heart_broken:")
    else:
        st.caption(plain(sign))
    months = context.store.ledger.months(context.now)
    for source in sorted(found, key=_urgency):
        with panel(f"source_{source.key}"):
            _source(context, source, months.get(source.key))


def _urgency(source: Source) -> tuple[int, str]:
    order = {"blocked": 0, "waiting": 1, "new": 2, "ok": 3}
    return (order[source.state.value] if source.enabled else 4), source.title.lower()


def _source(context: Context, source: Source, month: SourceMonth | None) -> None:
    state = health(source, context.now)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(source.title)}**", width="content")
        st.badge(state.word, icon=f":material/{state.icon}:", color=state.color)  # type: ignore[arg-type]
    st.caption(plain(facts_line(source, context.now)))
    _told(state.lines)
    for note in source.notes:
        st.caption(t("Remarque : {note}", note=plain(told(note))))
    if month is not None:
        _month(context, month)
    for gap in context.store.gaps.of(source.key, _GAPS):
        st.warning(plain(gap_line(gap, context.zone)), icon=":material/hearing_disabled:")
    for line in hook_lines(source.key, context.store.inbox.health(source.key, context.now), context.now):
        st.caption(plain(line))
    with st.container(horizontal=True, gap="small"):
        if state.can_retry:
            word, blocked = t("Réessayer maintenant"), source.state is SourceState.BLOCKED
            _button(word, "refresh", f"retry_{source.key}", acts.retry, context, source.key, main=blocked)
        if source.polled and source.enabled:
            _button(t("Mettre en pause"), "pause", f"pause_{source.key}", acts.pause, context, source.key)
        elif source.polled:
            _button(t("Reprendre"), "play_arrow", f"resume_{source.key}", acts.resume, context, source.key)
        if source.polled and month is not None:
            _budget(context, source.key, month)
    _rejects(context, source)


def _month(context: Context, month: SourceMonth) -> None:
    for line in (spend_line(month), kinds_line(month)):
        if line:
            st.caption(plain(line))
    if month.quota is not None:
        st.caption(plain(quota_line(month.quota, context.now, context.zone)))
    state = budget_state(month, context.now, context.zone)
    if state is None:
        return
    st.progress(state.share)
    if state.trouble:
        st.warning(plain(state.words), icon=":material/savings:")
    else:
        st.caption(plain(state.words))


def _budget(context: Context, key: str, month: SourceMonth) -> None:
    with st.popover(t("Budget"), icon=":material/savings:", key=f"budget_{key}"):
        st.markdown(
            plain(
                t("Ce que lire peut coûter par mois. Arrivé au bout, on ne lit plus ; les réponses partent toujours.")
            )
        )
        label, field = t("Dollars par mois"), f"budget_price_{key}"
        st.number_input(
            label, min_value=0.0, step=5.0, value=month.budget.price, key=field, placeholder=t("sans limite")
        )
        _button(t("Enregistrer"), "check", f"budget_set_{key}", _set_budget, context, key, main=True)


def _set_budget(context: Context, key: str) -> Done:
    return acts.set_budget(context, key, st.session_state.get(f"budget_price_{key}"))


def _told(lines: Sequence[tuple[str, str]]) -> None:
    for place, (label, text) in zip(st.columns(len(lines)) if lines else (), lines, strict=False):
        place.markdown(f":small[{plain(label)}]  \n{plain(text)}")


def _button(
    word: str,
    icon: str,
    key: str,
    act: Callable[[Context, str], Done],
    context: Context,
    target: str,
    *,
    main: bool = False,
) -> None:
    st.button(
        word,
        icon=f":material/{icon}:",
        key=key,
        type="primary" if main else "secondary",
        on_click=_do,
        args=(act, context, target),
    )


def _do(act: Callable[[Context, str], Done], context: Context, target: str) -> None:
    # Runs before the page: the role is checked again inside the act.
    try:
        say(act(context.fresh(), target).text)
    except ComptoirError as error:
        say(told(str(error)), trouble=True)


def _rejects(context: Context, source: Source) -> None:
    found = context.store.mentions.rejects(source.key, _REJECTS)
    if not found:
        return
    many = t("{n} éléments écartés ou plus", n=_REJECTS)
    title = many if len(found) == _REJECTS else n_t("{n} élément écarté", "{n} éléments écartés", len(found))
    part = st.expander(title, icon=":material/filter_alt_off:", key=f"rejects_{source.key}", on_change="rerun")
    if part.open:
        with part:
            _reject_page(context, source.key, found)


def _reject_page(context: Context, key: str, found: list[RejectRow]) -> None:
    st.caption(t("Gardés tels que reçus, jamais perdus : corrigez-les à la source, puis importez de nouveau."))
    pages = -(-len(found) // _PAGE)
    page = st.pagination(pages, key=f"rejects_page_{key}") if pages > 1 else 1
    for reject in found[(page - 1) * _PAGE : page * _PAGE]:
        st.markdown(plain(reject_line(reject, context.now)))
        st.code(reject.raw, language=None, wrap_lines=True)


# -- sendings --------------------------------------------------------------------------------------------------------------


@st.fragment(run_every=_EVERY)
def _sendings(context: Context) -> None:
    speak()
    context = context.fresh()
    st.subheader(t("Envois"), anchor=False)
    st.markdown(plain(outbox_counts(context.store.outbox.counts())))
    waiting = acts.stuck(context)
    if not waiting:
        st.caption(t("Aucun envoi n'attend de décision."))
        return
    pages = -(-len(waiting) // _PAGE)
    page = st.pagination(pages, key="sendings_page") if pages > 1 else 1
    for row in waiting[(page - 1) * _PAGE : page * _PAGE]:
        with panel(f"sending_{row.key}"):
            _sending(context, row)


def _sending(context: Context, row: OutboxRow) -> None:
    word, icon, color = state_word(row)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"**{plain(sending_title(row))}**", width="content")
        st.badge(word, icon=f":material/{icon}:", color=color)  # type: ignore[arg-type]
    _told(sending_lines(row, context.now))
    with st.container(horizontal=True, gap="small"):
        _button(again_word(row), "send", f"again_{row.key}", acts.send_again, context, row.key)
        if row.case_id and st.button(t("Ouvrir la conversation"), icon=":material/forum:", key=f"case_{row.key}"):
            go("desk", case=row.case_id)
