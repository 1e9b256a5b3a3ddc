"""“Connecter une source”: what a network gives, what must be asked for there, and a form for what it needs.

Secrets go from the form to the keeper of secrets, and nowhere else; the source holds their names. What networks are and who
keeps secrets is handed in by the door (`use_catalogue`), since the dashboard knows no collectors.
"""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard.acts_connect import connect_source
from dashboard.components.text import plain
from dashboard.components.toast import say
from dashboard.context import Context
from dashboard.i18n import t, told
from dashboard.views_connect import facts, snippet
from domain.contracts import CollectorSpec
from domain.errors import ComptoirError

Catalogue = Callable[[], Sequence[CollectorSpec]]
KeepSecrets = Callable[[Mapping[str, str]], None]
_doors: list[tuple[Catalogue, KeepSecrets]] = []


def use_catalogue(catalogue: Catalogue, keep: KeepSecrets) -> None:
    """Where the specs of all networks come from, and where secrets go; called once, by the door."""
    _doors[:] = [(catalogue, keep)]


def connect(context: Context) -> None:
    """The section; nothing where no catalogue was handed in."""
    if not _doors:
        return
    part = st.expander(t("Connecter une source"), icon=":material/add_link:", key="connect", on_change="rerun")
    if not part.open:
        return
    with part:
        specs = {spec.key: spec for spec in _doors[0][0]()}
        key = st.selectbox(t("Réseau"), list(specs), format_func=lambda one: specs[one].title, key="connect_network")
        _about(specs[key])
        _form(context, specs[key])


def _about(spec: CollectorSpec) -> None:
    for label, words in facts(spec):
        st.markdown(f":small[{plain(label)}]  \n{plain(words)}")
    if spec.access:
        st.markdown(f":small[{plain(t('Avant que cela marche'))}]")
        st.markdown("\n".join(f"{number}. {plain(step)}" for number, step in enumerate(spec.access, start=1)))


def _form(context: Context, spec: CollectorSpec) -> None:
    with st.form(f"connect_{spec.key}", clear_on_submit=True, border=False):
        key = st.text_input(t("Clé de la source"), value=spec.key, key=f"connect_key_{spec.key}")
        title = st.text_input(t("Nom affiché"), value=spec.title, key=f"connect_title_{spec.key}")
        values = {
            one.key: st.text_input(
                told(one.title) + ("" if one.required else f" ({t('facultatif')})"),
                type="password" if one.secret else "default",
                key=f"connect_{spec.key}_{one.key}",
                autocomplete="off",
            )
            for one in spec.settings
        }
        secret = t("Les secrets sont gardés hors de la base, dans un fichier que seul son propriétaire peut lire.")
        st.caption(plain(secret))
        if st.form_submit_button(t("Enregistrer et vérifier"), icon=":material/check:", type="primary"):
            _save(context, spec, (key, title), values)
    st.caption(plain(t("Ou les mêmes réglages dans comptoir.toml, les secrets dans l'environnement :")))
    st.code(snippet(spec), language="toml")


def _save(context: Context, spec: CollectorSpec, names: tuple[str, str], values: Mapping[str, str]) -> None:
    try:
        say(connect_source(context.fresh(), spec, names, values, _doors[0][1]).text)
    except ComptoirError as error:
        st.error(plain(told(str(error))))
        return
    st.rerun()
