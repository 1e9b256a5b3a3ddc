"""Étiquetage: reading messages one by one, so that the model learns and its quality is known. Two piles to begin, one
message at a time, and at the end what the reading says: beside the model, beside other people, and what comes next.

One fragment: an answer draws the next message and nothing else. What can be done is in `acts_labelling.py`.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dashboard import acts_labelling as acts
from dashboard import views_labelling as views
from dashboard.acts_labelling import PERIODS, SIZES, Sitting
from dashboard.components.labelling import labelling
from dashboard.components.ledger import ledger
from dashboard.components.panel import paint, panel
from dashboard.components.text import plain
from dashboard.context import Context
from dashboard.desk_state import now_of
from dashboard.i18n import n_t, number, t, told
from dashboard.views_indicators import Piece
from dashboard.views_labelling import Line
from dashboard.views_questions import chosen, questions
from domain.errors import ComptoirError
from domain.quality import ENOUGH
from store.labelling import Item, Pile

_SITTING, _ERROR, _TURN = "labelling_sitting", "labelling_error", "labelling_turn"
_SIZE, _PERIOD = "labelling_size", "labelling_period"


def render(context: Context) -> None:
    """The page."""
    paint()
    _room(context)


@st.fragment(key="labelling_room")
def _room(context: Context) -> None:
    context = now_of(context)
    sitting = _sitting(context)
    if sitting is None:
        _piles(context)
        return
    item = acts.on_screen(context, sitting)
    if item is None:
        _end(context, sitting)
    else:
        _reading(context, sitting, item)


def _sitting(context: Context) -> Sitting | None:
    # Another person who sits down in the same browser begins a pile of her own.
    sitting = st.session_state.get(_SITTING)
    return sitting if isinstance(sitting, Sitting) and sitting.viewer == context.viewer.name else None


# -- the beginning ---------------------------------------------------------------------------------------------------------


def _piles(context: Context) -> None:
    st.title(t("Étiquetage"), anchor=False)
    st.markdown(t("Vous lisez, le modèle apprend. Chaque réponse compte aussitôt ; une pile prend quelques minutes."))
    with st.container(horizontal=True, gap="medium"):
        days = st.segmented_control(
            t("Période"), PERIODS, default=PERIODS[1], format_func=_period, required=True, key=_PERIOD
        )
        size = st.segmented_control(
            t("Messages à lire"), SIZES, default=SIZES[1], format_func=number, required=True, key=_SIZE
        )
    counts = context.store.labelling.counts(context.viewer.name, acts.scope_of(context, days))
    _error()
    left, right = st.columns(2, gap="medium")
    with left, panel("sample"):
        st.markdown(f"**{t('Échantillon')}** · {t('mesure la qualité')}")
        st.markdown(
            t(
                "Tirés au hasard, les mêmes pour tout le monde ; une part est lue deux fois. La réponse du modèle vient après"
                " la vôtre : c'est ce qui permet de dire s'il a raison, et si deux personnes lisent pareil."
            )
        )
        st.caption(plain(views.pile_line(counts)))
        _begin_button(context, Pile.SAMPLE, size, days, counts.total > counts.mine)
    with right, panel("instructive"):
        st.markdown(f"**{t('Les plus instructifs')}** · {t('apprend le plus vite')}")
        st.markdown(
            t(
                "Ceux dont le modèle est le moins sûr, choisis aussi différents que possible. Sa réponse est proposée :"
                " corrigez ce qui est faux. Ils ne comptent pas dans la mesure de la qualité."
            )
        )
        st.caption(t("Un message déjà corrigé, par vous ou par une autre personne, n'y revient pas."))
        _begin_button(context, Pile.INSTRUCTIVE, size, days, counts.total > 0)
    with st.columns(2, gap="medium")[0]:
        _beside_others(context)


def _period(days: int) -> str:
    return n_t("{n} jour", "{n} jours", days) if days else t("Tout")


def _begin_button(context: Context, pile: Pile, size: int, days: int, some: bool) -> None:
    st.button(
        t("Commencer"),
        key=f"labelling_begin_{pile.value}",
        type="primary" if pile is Pile.SAMPLE else "secondary",
        icon=":material/play_arrow:",
        disabled=not some,
        on_click=_begin,
        args=(context, pile, size, days),
    )


def _begin(context: Context, pile: Pile, size: int, days: int) -> None:
    context = now_of(context)
    sitting = acts.begin(context, pile, size, days)
    if sitting.ids:
        st.session_state[_SITTING] = sitting
    else:
        st.session_state[_ERROR] = t(
            "Vous avez lu tout ce que cette pile contient. Choisissez l'autre, ou une période plus longue."
        )


def _error() -> None:
    said = st.session_state.pop(_ERROR, "")
    if said:
        st.warning(plain(told(said)))


# -- one message -----------------------------------------------------------------------------------------------------------


def _reading(context: Context, sitting: Sitting, item: Item) -> None:
    sample = sitting.pile is Pile.SAMPLE
    total = len(sitting.ids)
    before = sitting.given.get(sitting.ids[sitting.place - 1], []) if sitting.place else []
    data: dict[str, Any] = {
        "turn": st.session_state.get(_TURN, 0),
        "id": item.mention.id,
        "progress": views.progress(sitting.place + 1, total),
        "part": sitting.place / total,
        "message": views.message(item, context.brand, context.now, context.zone),
        "questions": questions(),
        "chosen": sitting.answers.get(item.mention.id) or chosen(item.analysis, sitting.pile),
        "suggested": not sample and item.analysis is not None,
        "after": views.after(before) if sample else None,
        "canBack": sitting.place > 0,
        "error": told(st.session_state.pop(_ERROR, "")),
        "words": {
            "pile": t("Échantillon") if sample else t("Les plus instructifs"),
            "before": t("Avant"),
            "guide": t("Comment choisir"),
            "also": t("{title} : présente aussi"),
            "alsoLine": t("+ : présente aussi"),
            "missing": t("Il manque :"),
            "model": t("La réponse du modèle viendra après la vôtre.")
            if sample
            else t("La réponse du modèle est déjà choisie : corrigez ce qui est faux."),
            "done": t("Valider"),
            "wait": t("Un instant…"),
            "skip": t("Passer"),
            "back": t("Revenir"),
            "stop": t("Arrêter"),
        },
    }
    labelling("labelling_card", data, act=lambda value: _act(context, value))


def _act(context: Context, value: Any) -> None:
    # Runs before the fragment is drawn: what it changes is on screen in the same run.
    context = now_of(context)
    sitting = _sitting(context)
    if sitting is None or not isinstance(value, dict):
        return
    kind, mention_id = value.get("kind"), str(value.get("id", ""))
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1
    try:
        if kind == "give":
            acts.give(context, sitting, mention_id, value.get("answers"))
        elif kind == "skip":
            acts.skip(context, sitting, mention_id)
        elif kind == "back":
            acts.back(context, sitting, mention_id)
        elif kind == "stop":
            sitting.ids = sitting.ids[: sitting.place]
    except ComptoirError as error:
        st.session_state[_ERROR] = str(error)


# -- the end ---------------------------------------------------------------------------------------------------------------


def _end(context: Context, sitting: Sitting) -> None:
    given = sitting.labels
    st.title(t("Étiquetage"), anchor=False)
    read = len({one.mention_id for one in given})
    st.markdown(f"**{plain(n_t('{n} message lu.', '{n} messages lus.', read))}**")
    _error()
    left, right = st.columns(2, gap="medium")
    if given:
        with left, panel("model"):
            st.markdown(f"**{t('Vous et le modèle')}**")
            if sitting.pile is Pile.INSTRUCTIVE:
                st.caption(t("Ces messages sont ceux où il hésite : il y a moins souvent raison qu'ailleurs."))
            _table(views.beside_model(given), "labelling_model", t("Vous et le modèle"), kappa=False)
    with right if given else left:
        _next(context, sitting)
        if sitting.pile is Pile.SAMPLE:
            _beside_others(context)


def _next(context: Context, sitting: Sitting) -> None:
    with panel("next"):
        st.markdown(f"**{t('Et maintenant ?')}**")
        st.markdown(
            t(
                "Vos réponses comptent déjà dans les files et les chiffres. Pour que le modèle en apprenne, l'administration"
                " lance la commande ci-dessous ; il n'est remplacé que s'il devient meilleur, et cela se défait."
            )
        )
        st.code("comptoir learn", language=None)
        with st.container(horizontal=True, gap="small"):
            st.button(t("Choisir une autre pile"), key="labelling_again", type="primary", on_click=_leave)
            st.button(
                t("Revenir"),
                key="labelling_back",
                icon=":material/undo:",
                on_click=_back,
                args=(context,),
                disabled=not sitting.place,
            )


def _back(context: Context) -> None:
    _act(context, {"kind": "back", "id": ""})


def _leave() -> None:
    st.session_state.pop(_SITTING, None)


def _beside_others(context: Context) -> None:
    pairs = views.beside_others(context.store.labelling.agreement(), context.viewer.name)
    if not pairs:
        return
    with panel("people"):
        st.markdown(f"**{t('Deux personnes lisent-elles pareil ?')}**")
        st.caption(
            t(
                "Sur les messages de l'échantillon lus par les deux. κ ôte ce que le hasard donne : 1 parfait, 0 le hasard."
            )
        )
        for place, (name, lines) in enumerate(pairs.items()):
            st.markdown(plain(name))
            _table(lines, f"labelling_people_{place}", name, kappa=True)


def _table(lines: Sequence[Line], key: str, caption: str, *, kappa: bool) -> None:
    head = ["", t("Même réponse"), *(["κ"] if kappa else []), t("Messages")]
    rows = [
        [Piece(line.title), Piece(line.share), *([Piece(line.kappa)] if kappa else []), Piece(number(line.n))]
        for line in lines
    ]
    ledger(head, rows, caption=caption, key=key)
    if max((line.n for line in lines), default=0) < ENOUGH:
        st.caption(t("Moins de {n} messages : trop peu pour conclure.", n=number(ENOUGH)))
