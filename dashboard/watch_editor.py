"""The editor of a watch: name, expression with its errors at their place, sources; what it would find; and keeping it.

A part of the watches page, inside its fragment. What is asked of the networks is answered by the worker; while it is, the
answer looks at itself again every second.
"""

from collections.abc import Sequence

import streamlit as st

from dashboard import acts_watches as acts
from dashboard import views_watches as views
from dashboard.components.panel import panel
from dashboard.components.text import plain
from dashboard.components.toast import say
from dashboard.context import Context
from dashboard.desk_state import now_of
from dashboard.i18n import ago, t, told
from dashboard.views import network_title
from dashboard.views_sources import health
from domain.errors import ComptoirError
from store.previews import Preview, PreviewState
from store.sources import Source
from store.watches import NAME_LENGTH, WatchKind, WatchRow

OPEN, TRIED, _ERROR = "watch_open", "watch_tried", "watch_error"  # in the session
KEYS = {name: f"watch_{name}" for name in ("name", "query", "kind", "sources")}
_SLOW = 15.0  # seconds after which we say that the worker may have stopped


def editor(context: Context, row: WatchRow | None) -> None:
    """A new watch, or one that is there."""
    with panel("watch_editor"):
        st.markdown(f"**{t('Nouvelle veille') if row is None else plain(t('Modifier « {name} »', name=row.name))}**")
        left, right = st.columns([3, 2], gap="large")
        with left:
            _fields(context, row)
            _buttons(context, row)
            _tried(context)
        with right:
            _language()


def _fields(context: Context, row: WatchRow | None) -> None:
    st.text_input(t("Nom"), key=KEYS["name"], max_chars=NAME_LENGTH, placeholder=t("Marque, livraisons, concurrents…"))
    st.segmented_control(
        t("À propos de"), list(WatchKind), key=KEYS["kind"], format_func=views.kind_word, required=True
    )
    query = st.text_area(
        t("Ce qu'on écoute"),
        key=KEYS["query"],
        height=110,
        placeholder='ormelune (colis OU "bon de réduction") SAUF concours',
    )
    others = [other.name for other in context.store.watches.all() if row is None or other.id != row.id]
    wrong = views.problem(query, others)
    if wrong is not None:
        st.error(plain(wrong.text), icon=":material/error:")
        if wrong.pointer:
            st.code(wrong.pointer, language=None)
    sources = {source.key: source.title for source in context.store.sources.all()}
    keys = [*sources, *(key for key in (row.sources if row else ()) if key not in sources)]
    st.multiselect(
        t("Où"),
        keys,
        key=KEYS["sources"],
        format_func=lambda key: sources.get(key, key),
        placeholder=t("Toutes les sources"),
    )


def _buttons(context: Context, row: WatchRow | None) -> None:
    # Never disabled: who goes from the text straight to the button clicks before the text is known here.
    with st.container(horizontal=True, gap="small"):
        st.button(t("Essayer sur {n} jours", n=views.DAYS), icon=":material/search:", key="watch_try",
                  on_click=_try, args=(context,))  # fmt: skip
        st.button(t("Enregistrer"), icon=":material/check:", key="watch_save", type="primary",
                  on_click=_save, args=(context, row.id if row else None))  # fmt: skip
        st.button(t("Fermer sans garder"), key="watch_close", type="tertiary", on_click=_close)
    said = st.session_state.pop(_ERROR, "")
    if said:
        st.warning(plain(told(said)), icon=":material/error:")


def _language() -> None:
    title = t("La langue des veilles, par l'exemple")
    st.markdown(f"**{title}**")
    rows = "\n".join(f"| `{example}` | {plain(t(found))} |" for example, found in views.EXAMPLES)
    st.markdown(f"| {t('on écrit')} | {t('cela trouve')} |\n|---|---|\n{rows}")
    st.caption(
        t(
            "Sans casse ni accents. ET, OU, SAUF, PROCHE en capitales, ou AND, OR, NOT, NEAR."
            " SAUF lie d'abord, puis ET, puis OU."
        )
    )


def _draft(watch_id: int | None) -> acts.Draft:
    state = st.session_state
    kind = state.get(KEYS["kind"]) or WatchKind.BRAND
    return acts.Draft(
        watch_id,
        str(state.get(KEYS["name"], "")),
        str(state.get(KEYS["query"], "")),
        kind,
        tuple(state.get(KEYS["sources"]) or ()),
    )


def _save(context: Context, watch_id: int | None) -> None:
    # Runs before the fragment: the role is checked again inside the act.
    try:
        say(acts.save(context.fresh(), _draft(watch_id)).text)
        _close()
    except ComptoirError as error:
        st.session_state[_ERROR] = str(error)


def _close() -> None:
    for key in (OPEN, TRIED, _ERROR):
        st.session_state.pop(key, None)


def _try(context: Context) -> None:
    draft = _draft(None)
    try:
        wish = acts.try_out(context.fresh(), draft.query, draft.sources)
        st.session_state[TRIED] = (wish, draft.query, draft.sources)
    except ComptoirError as error:
        st.session_state[_ERROR] = str(error)


# -- what it would find ----------------------------------------------------------------------------------------------------


def _tried(context: Context) -> None:
    tried = st.session_state.get(TRIED)
    if tried is None:
        return
    wish, query, sources = tried
    draft = _draft(None)
    if (draft.query, draft.sources) != (query, sources):
        st.caption(t("L'expression a changé depuis le dernier essai : essayez de nouveau."))
        return
    found = context.store.previews.of(wish)
    if all(one.settled for one in found):
        _answer(context, found)
    else:
        _waiting(context, wish)


@st.fragment(run_every="1s")
def _waiting(context: Context, wish: str) -> None:
    context = now_of(context)
    found = context.store.previews.of(wish)
    done = sum(one.settled for one in found)
    if not found or done == len(found):
        st.rerun()
    st.progress(
        done / len(found), text=t("Le collecteur interroge les sources : {done} sur {n}.", done=done, n=len(found))
    )
    if (context.now - found[0].asked_at).total_seconds() > _SLOW:
        st.caption(t("Il tarde : tourne-t-il ? Démarrez-le avec « comptoir work ». Votre demande reste."))


def _head(context: Context, one: Preview, source: Source | None) -> str:
    head = f"**{plain(source.title if source else one.source_key)}** : {plain(views.source_line(one))}"
    state = health(source, context.now) if source else None
    return f"{head} · {plain(state.word)}" if state is not None and state.can_retry else head


def _answer(context: Context, found: Sequence[Preview]) -> None:
    sources = {source.key: source for source in context.store.sources.all()}
    st.markdown(f"**{plain(views.total_line(found))}**")
    for one in found:
        head = _head(context, one, sources.get(one.source_key))
        if one.state is PreviewState.FAILED:
            st.warning(head, icon=":material/error:")
            continue
        st.markdown(head)
        for query in one.search.queries if one.search else ():
            st.code(query, language=None, wrap_lines=True)
        st.caption(plain(" ".join(part for part in (views.search_line(one), views.sentences(one.note)) if part)))
    samples = views.samples_of(found)
    if samples:
        st.markdown(f"**{t('Par exemple')}**")
    for sample in samples:
        who = " · ".join(
            part for part in (sample.author, network_title(sample.network), ago(sample.created_at, context.now)) if part
        )
        st.markdown(f":small[{plain(who)}]  \n{plain(' '.join(sample.text.split()))}")
