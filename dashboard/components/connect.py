"""“Connecter une source”: what a network gives, what must be asked for there, and the lines that go into comptoir.toml.

Secrets are never typed here: the lines name environment variables. What networks are is handed in by the door
(`use_catalogue`), since the dashboard knows no collectors.
"""

from collections.abc import Callable, Sequence

import streamlit as st

from dashboard.components.text import plain
from dashboard.i18n import t
from dashboard.views_connect import facts, settings_rows, snippet
from domain.contracts import CollectorSpec

Catalogue = Callable[[], Sequence[CollectorSpec]]
_catalogue: list[Catalogue] = []


def use_catalogue(catalogue: Catalogue) -> None:
    """Where the specs of all networks come from; called once, by the door."""
    _catalogue[:] = [catalogue]


def connect() -> None:
    """The section; nothing where no catalogue was handed in."""
    if not _catalogue:
        return
    part = st.expander(t("Connecter une source"), icon=":material/add_link:", key="connect", on_change="rerun")
    if not part.open:
        return
    with part:
        specs = {spec.key: spec for spec in _catalogue[0]()}
        key = st.selectbox(t("Réseau"), list(specs), format_func=lambda one: specs[one].title, key="connect_network")
        _about(specs[key])


def _about(spec: CollectorSpec) -> None:
    for label, words in facts(spec):
        st.markdown(f":small[{plain(label)}]  \n{plain(words)}")
    if spec.access:
        st.markdown(f":small[{plain(t('Avant que cela marche'))}]")
        st.markdown("\n".join(f"{number}. {plain(step)}" for number, step in enumerate(spec.access, start=1)))
    rows = settings_rows(spec)
    if rows:
        st.dataframe(rows, hide_index=True, width="stretch")
    st.markdown(plain(t("À coller dans comptoir.toml ; les secrets restent dans l'environnement, jamais ici :")))
    st.code(snippet(spec), language="toml")
    st.markdown(plain(t("Puis redémarrez Comptoir ; « comptoir doctor » dit en clair ce qui manque encore.")))
