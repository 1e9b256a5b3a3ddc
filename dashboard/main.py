"""The frame around every page: settings, store, language, who looks, the header; then the page that was asked for.

Settings are read once per process, the store is one object for all sessions. With a login set up (`[auth]` in Streamlit's
secrets) a person has the role that `[roles]` there gives to the address; the demo offers a choice of roles instead; without
either, the viewer is the admin that the settings name.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from dashboard import navigation
from dashboard.context import (
    ADMIN,
    DEPARTMENT_HEAD,
    ROLES,
    Context,
    Explain,
    Viewer,
    demo_key,
    demo_viewers,
    viewer_of_login,
)
from dashboard.i18n import LANGUAGES, SESSION_KEY, set_language, t, told
from dashboard.views import department_title
from domain.clock import utc_now
from domain.errors import ComptoirError
from settings import Settings, load_settings
from store import Store

log = logging.getLogger("comptoir.dashboard")

FindExplain = Callable[[Settings, Store], Explain | None]
_BROUGHT: dict[str, FindExplain] = {}  # by the process's door, before anybody looks

_HERE = Path(__file__).parent
_MARK = _HERE / "assets" / "mark.svg"
_LANG_PARAMETER, _AS_PARAMETER = "lang", "as"
_AS_KEY = "viewer"
_LOGOS = {"light": _HERE / "assets" / "comptoir-light.svg", "dark": _HERE / "assets" / "comptoir-dark.svg"}


@st.cache_resource(show_spinner=False)
def open_shop() -> tuple[Settings, Store]:
    """Settings and store, read and opened once; safe between threads: each read and write takes its own connection.

    Raises ConfigurationError or StorageError where a person must act; tried again at the next call.
    """
    settings = load_settings()
    return settings, Store.open(settings.url, settings.calendar())


@st.cache_resource(show_spinner=False)
def _style() -> str:
    sheets = (_HERE / "components" / "app.css", _HERE / "components" / "desk.css")
    return "<style>" + "\n".join(sheet.read_text("utf-8") for sheet in sheets) + "</style>"


def use_explainer(find: FindExplain) -> None:
    """Let the door bring what says which words carried a tag: the dashboard itself knows no model.

    Args:
        find: called for every run, so it must be fast; None where the analyzer in use cannot say.
    """
    _BROUGHT["explain"] = find


def _explain(settings: Settings, store: Store) -> Explain | None:
    find = _BROUGHT.get("explain")
    return find(settings, store) if find is not None else None


def render() -> None:
    """One run of the app."""
    st.set_page_config(page_title="Comptoir", page_icon=str(_MARK), layout="wide", initial_sidebar_state="auto")
    st.html(_style())
    try:
        settings, store = open_shop()
    except ComptoirError as error:
        st.error(told(str(error)))
        return
    _recall(settings)
    set_language(_language(settings))
    viewer = _viewer(settings)
    if viewer is None:
        return
    context = Context(
        store=store,
        viewer=viewer,
        lang=_language(settings),
        now=utc_now(),
        zone=settings.zone,
        brand=settings.brand,
        explain=_explain(settings, store),
    )
    st.logo(str(_LOGOS["dark" if st.context.theme.type == "dark" else "light"]), size="large")
    page = navigation.build(context)
    _remember(settings, viewer)
    _header(settings, viewer)
    page.run()


def say_error(error: BaseException) -> bool:
    """Show an uncaught error in words; True: Streamlit need not show it. Ours say what to do, a bug is written to the log."""
    set_language(str(st.session_state.get(SESSION_KEY, "fr")))
    if isinstance(error, ComptoirError):
        st.error(told(str(error)))
        return True
    log.error("uncaught in the dashboard", exc_info=error)
    st.error(
        t("Une erreur de notre fait. Rien n'est perdu : rechargez la page. Si elle revient, prévenez l'administration.")
    )
    return True


def _language(settings: Settings) -> str:
    chosen = st.session_state.get(SESSION_KEY)
    return chosen if chosen in LANGUAGES else settings.language


def _remember(settings: Settings, viewer: Viewer) -> None:
    # The address keeps what was chosen, so that a reload or a shared link opens the same; defaults leave it short.
    choices = {_LANG_PARAMETER: (_language(settings), settings.language)}
    if settings.demo and not _has_login():
        choices[_AS_PARAMETER] = (demo_key(viewer), demo_key(demo_viewers()[0]))
    for name, (value, default) in choices.items():
        if value != default and st.query_params.get(name) != value:
            st.query_params[name] = value
        elif value == default and name in st.query_params:
            del st.query_params[name]


def _recall(settings: Settings) -> None:
    # What the address asks for, at the start of a session.
    if SESSION_KEY not in st.session_state:
        asked = st.query_params.get(_LANG_PARAMETER, "")
        st.session_state[SESSION_KEY] = asked if asked in LANGUAGES else settings.language
    if _AS_KEY not in st.session_state:
        keys = [demo_key(viewer) for viewer in demo_viewers()]
        asked = st.query_params.get(_AS_PARAMETER, "")
        st.session_state[_AS_KEY] = asked if asked in keys else keys[0]


# -- who looks -----------------------------------------------------------------------------------------------------------


def _has_login() -> bool:
    return bool(st.secrets.load_if_toml_exists()) and "auth" in st.secrets


def _viewer(settings: Settings) -> Viewer | None:
    if _has_login():
        return _logged_in()
    if settings.demo:
        by_key = {demo_key(viewer): viewer for viewer in demo_viewers()}
        return by_key.get(st.session_state[_AS_KEY], demo_viewers()[0])
    return Viewer(settings.viewer, ADMIN)


def _logged_in() -> Viewer | None:
    if not st.user.is_logged_in:
        st.title("Comptoir")
        st.button(t("Se connecter"), type="primary", on_click=st.login)
        return None
    email = st.user.get("email")
    viewer = viewer_of_login(str(st.user.get("name") or ""), str(email) if email else None, st.secrets.get("roles", {}))
    if viewer is None:
        st.warning(t("Votre compte n'a pas encore de rôle ici. Demandez à l'administration de vous en donner un."))
        st.button(t("Se déconnecter"), on_click=st.logout)
    return viewer


def role_title(viewer: Viewer) -> str:
    """A viewer's role in words; a head's with the departments."""
    if viewer.role == DEPARTMENT_HEAD:
        return ", ".join(department_title(key) for key in viewer.departments)
    return t(ROLES[viewer.role])


def _leave_desk() -> None:
    # Another person sits down: what the last one had open stays with the last one.
    for key in [key for key in st.session_state if str(key).startswith(("desk_", "audit_"))]:
        del st.session_state[key]
    st.query_params.pop("case", None)


# -- the header ----------------------------------------------------------------------------------------------------------


def _header(settings: Settings, viewer: Viewer) -> None:
    languages = {"fr": "Français", "en": "English"}
    with (
        st.container(key="me", width="content"),
        st.popover(f"{viewer.name} · {_language(settings).upper()}", key="me_menu", icon=":material/account_circle:"),
    ):
        if settings.demo and not _has_login():
            by_key = {demo_key(viewer): viewer for viewer in demo_viewers()}
            st.selectbox(
                t("Vous êtes (démonstration)"),
                list(by_key),
                key=_AS_KEY,
                format_func=lambda key: f"{by_key[key].name} – {role_title(by_key[key])}",
                persist_state="session",
                on_change=_leave_desk,
            )
        else:
            st.caption(f"{viewer.name} – {role_title(viewer)}")
        st.segmented_control(
            t("Langue"),
            list(languages),
            key=SESSION_KEY,
            format_func=languages.__getitem__,
            required=True,
            persist_state="session",
        )
        if _has_login():
            st.button(t("Se déconnecter"), on_click=st.logout)
