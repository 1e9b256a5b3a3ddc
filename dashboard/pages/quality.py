"""Quality: can we trust what the model says? Its figures on messages that people reviewed, and whether what comes in changed.

Figures of quality come from drawn messages only; what the desk corrects is shown apart, for people correct what is wrong.
"""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard import quality_panels as panels
from dashboard import reads_quality as reads
from dashboard.components import charts
from dashboard.components.cards import kpi_row
from dashboard.components.panel import paint, panel
from dashboard.components.phrase import phrase
from dashboard.components.rows import PAGE, go, show_rows
from dashboard.components.text import plain
from dashboard.context import ADMIN, COMMUNITY_MANAGER, DEPARTMENT_HEAD, Context
from dashboard.i18n import msg, n_t, number, t
from dashboard.navigation import DESK, visible
from dashboard.quality_panels import CUTS, Seen
from dashboard.reads_quality import Drift, Slice
from dashboard.views_drift import alert
from dashboard.views_quality import QUESTIONS, Measured, cards, flag_note, part_name, sentence
from dashboard.views_quality_tables import opening_title, pairs_behind, row, said_and_right, wrong
from domain.label import Field
from domain.mention import MentionId
from domain.quality import ENOUGH, Pair, Report

MAY_SEE = (COMMUNITY_MANAGER, DEPARTMENT_HEAD, ADMIN)
_LABELLING = "labelling"  # key of the page where messages are reviewed
_ALL = {
    "lang": msg("Toutes les langues"),
    "network": msg("Tous les réseaux"),
    "month": msg("Tous les mois"),
    "model": msg("Tous les modèles"),
}


def render(context: Context) -> None:
    """The page; for who works with the model's tags."""
    paint()
    st.title(t("Qualité"), anchor=False)
    if context.viewer.role not in MAY_SEE:
        st.error(t("Cette page est pour les community managers, les responsables de service et l'administration."))
        return
    spoken = reads.models(context)
    model = spoken[0].model if spoken and spoken[0].in_use else ""
    drift = reads.drift(context, model)
    _alert(context, drift)
    st.caption(plain(_asked(model)))
    field = _question()
    seen = _see(context, field, model, reads.report_of(spoken, model))
    opened = [phrase(sentence(seen.measured), key="quality_sentence", size="large")]
    if note := flag_note(seen.measured):
        st.caption(plain(note))
    opened.append(kpi_row(cards(seen.measured, reads.unsure(context)), key="quality_cards", compact=True))
    _next(context, seen.measured)
    opened += panels.figures(context, seen)
    panels.drift(drift)
    panels.models(spoken)
    clicked = st.session_state.pop(charts.OPEN_KEY, None)
    token = next((token for token in opened if token), clicked)
    if token:
        _open(context, seen, token)


def _asked(model: str) -> str:
    if not model:
        return t("Peut-on se fier à ce que le modèle dit des messages ?")
    return t("Peut-on se fier à ce que le modèle dit des messages ? En service : {model}.", model=model)


# -- choices ---------------------------------------------------------------------------------------------------------------


def _question() -> Field:
    chosen = st.pills(
        t("Question"),
        list(QUESTIONS),
        format_func=lambda field: t(QUESTIONS[field].title),
        default=Field.INTENT,
        required=True,
        key="quality_question",
        label_visibility="collapsed",
    )
    return Field(chosen or Field.INTENT)


def _see(context: Context, field: Field, model: str, report: Report) -> Seen:
    pairs = reads.reviews(context, field).pairs
    part = _slice(pairs, model)
    inside = part.of(pairs)
    figures, gold = reads.figures(context, field, part), report.get("gold", {})
    made = gold.get(f"{part.lang or 'all'}/{field.value}", {})
    here = len(inside) >= ENOUGH or not made.get("n")
    measured = Measured(field, figures if here else made, here, len(inside), reads.people(context, field, report))
    return Seen(measured, part, report, inside)


def _slice(pairs: Sequence[Pair], model: str) -> Slice:
    values = {by: sorted({str(getattr(pair, by)) for pair in pairs}, reverse=by == "month") for by in CUTS}
    shown = {by: found for by, found in values.items() if len(found) > 1}
    if not shown:
        return Slice()
    own = sum(pair.model == model for pair in pairs) >= ENOUGH
    chosen: dict[str, str] = {}
    with st.container(horizontal=True, key="quality_bar"):
        for by, found in shown.items():
            options = ["", *found]
            chosen[by] = st.selectbox(
                t(CUTS[by]),
                options,
                # a model that has just come in has not been reviewed yet: until then, all that have spoken
                index=options.index(model) if by == "model" and own else 0,
                format_func=partial(_name, by),
                key=f"quality_{by}",
                label_visibility="collapsed",
                width=220,
            )
    return Slice(**chosen)


def _name(by: str, key: str) -> str:
    if not key:
        return t(_ALL[by])
    return key if by == "model" else part_name(by, key)


# -- parts of the page -----------------------------------------------------------------------------------------------------


def _alert(context: Context, drift: Drift) -> None:
    text = alert(drift.shifts, drift.recent.since)
    if text:
        st.warning(plain(text), icon=":material/swap_horiz:")
        _review_button(context, "quality_alert_review")


def _review_button(context: Context, key: str) -> None:
    if any(page.key == _LABELLING for page in visible(context.viewer)) and st.button(
        t("Relire des messages"), icon=":material/rate_review:", key=key
    ):
        go(_LABELLING)


def _next(context: Context, measured: Measured) -> None:
    left = ENOUGH - measured.reviewed
    if left <= 0:
        return
    with panel("quality_next"):
        st.markdown(t("**Que faire**"))
        st.markdown(
            t(
                "Relisez des messages tirés au sort : à partir de {n}, cette page dit ce que le modèle vaut chez vous. "
                "À 50, lancez « comptoir learn » : il apprend de vos réponses.",
                n=number(ENOUGH),
            )
        )
        _review_button(context, "quality_review")


# -- the messages behind a number ------------------------------------------------------------------------------------------


def _open(context: Context, seen: Seen, token: str) -> None:
    if token == "unsure":  # noqa: S105 - a token of a click
        go(DESK.key, view="uncertain")
        return
    field, worth = seen.measured.field, ""
    if token.startswith("fix:"):
        rows = wrong(reads.corrections(context))
        place = int(token[4:]) if token[4:].isdigit() else -1
        if not 0 <= place < len(rows):
            return
        ids, words = reads.corrected(context, rows[place]), {}
        field, worth = rows[place].field, said_and_right(rows[place].field, rows[place].was, rows[place].value)
    else:
        behind = pairs_behind(token, seen.pairs)
        if behind is None:
            return
        ids = [MentionId(pair.mention_id) for pair in behind]
        words = {pair.mention_id: said_and_right(field, pair.said, pair.right) for pair in behind}
    st.session_state.pop("quality_page", None)  # another number starts at its first page
    title = opening_title(field, token)
    st.dialog(plain(title), width="medium", position="right")(_drawer)(context, ids, words, worth)


def _drawer(context: Context, ids: Sequence[MentionId], words: dict[str, str], worth: str) -> None:
    page = max(1, st.session_state.get("quality_page", 1))
    total, found = reads.messages(context, ids, PAGE, (page - 1) * PAGE)
    if total < len(set(ids)):
        st.caption(t("Compté dans toute la maison ; seuls les messages de vos services sont montrés."))
    if not total:
        st.markdown(t("Aucun message à montrer."))
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(n_t("{n} message", "{n} messages", total))
        if total > PAGE:
            st.pagination(-(-total // PAGE), key="quality_page", max_visible_pages=5)
    lines = [row(one, words.get(one.mention_id, worth), context.now, context.zone) for one in found]
    show_rows(lines, key="quality_rows")
