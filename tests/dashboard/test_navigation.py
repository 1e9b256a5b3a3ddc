"""Who gets which page, the frame around them, and the colours that config.toml and the palette share."""

import tomllib
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import dashboard
from dashboard import navigation, palette
from dashboard.context import (
    ADMIN,
    COMMUNITY_MANAGER,
    DEPARTMENT_HEAD,
    MANAGEMENT,
    ROLES,
    Viewer,
    demo_key,
    demo_viewers,
    viewer_of_login,
)
from domain.departments import DEPARTMENTS
from store import Store

ENTRY = Path(dashboard.__file__).parent / "entry" / "app.py"


def keys(viewer: Viewer) -> set[str]:
    return {page.key for page in navigation.visible(viewer)}


def test_keys_are_unique_and_every_page_can_be_rendered() -> None:
    assert len({page.key for page in navigation.PAGES}) == len(navigation.PAGES)
    for page in navigation.PAGES:
        assert callable(import_module(page.module).render), page.key
        assert set(page.roles) <= set(ROLES)


def test_every_department_has_its_page_by_itself() -> None:
    assert {page.department for page in navigation.PAGES if page.department} == {d.key for d in DEPARTMENTS}


def test_a_department_head_gets_the_own_department_only() -> None:
    head = Viewer("Karim", DEPARTMENT_HEAD, ("logistics",))
    assert {key for key in keys(head) if key in {d.key for d in DEPARTMENTS}} == {"logistics"}
    assert "desk" in keys(head) and "sources" not in keys(head)
    assert {d.key for d in DEPARTMENTS} <= keys(Viewer("Claire", MANAGEMENT))


def test_every_role_gets_the_desk_first() -> None:
    for viewer in demo_viewers():
        assert navigation.visible(viewer)[0] is navigation.DESK


def test_links_carry_filters() -> None:
    assert navigation.link("desk") == "/"
    assert navigation.link("desk", view="late", department="logistics") == "/?view=late&department=logistics"
    assert navigation.link("audit", case="c1") == "/audit?case=c1"


def test_demo_viewers_are_one_per_role_and_department() -> None:
    viewers = demo_viewers()
    assert viewers[0] == Viewer("Awa", COMMUNITY_MANAGER)
    assert len({demo_key(viewer) for viewer in viewers}) == len(viewers)
    assert {viewer.role for viewer in viewers} == set(ROLES)


@pytest.mark.parametrize(
    ("granted", "expected"),
    [
        ("admin", Viewer("Lou", ADMIN)),
        ("department_head:logistics,finance", Viewer("Lou", DEPARTMENT_HEAD, ("logistics", "finance"))),
        ("department_head", None),  # would see everything
        ("department_head:nowhere", None),
        ("admin:logistics", None),
        ("emperor", None),
        ("", None),
    ],
)
def test_a_login_has_the_role_that_was_granted_and_no_other(granted: str, expected: Viewer | None) -> None:
    assert viewer_of_login("Lou", "Lou@Shop.example", {"lou@shop.example": granted}) == expected


def test_a_login_without_an_address_has_no_role() -> None:
    assert viewer_of_login("Lou", None, {"": "admin", "lou@shop.example": "admin"}) is None


def test_the_palette_and_the_theme_are_the_same() -> None:
    config = tomllib.loads((ENTRY.parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for colours, theme in ((palette.LIGHT, config["light"]), (palette.DARK, config["dark"])):
        pairs = {
            "backgroundColor": colours.paper,
            "secondaryBackgroundColor": colours.card,
            "textColor": colours.ink,
            "borderColor": colours.line,
            "primaryColor": colours.primary,
            "orangeColor": colours.accent,
            "redColor": colours.negative,
            "grayColor": colours.neutral,
            "greenColor": colours.positive,
            "chartCategoricalColors": list(colours.series),
        }
        assert {key: theme[key] for key in pairs} == pairs


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1..21. Source: WCAG 2.2, "contrast ratio"."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_can_be_read_on_paper_and_on_cards() -> None:
    config = tomllib.loads((ENTRY.parents[2] / ".streamlit" / "config.toml").read_text("utf-8"))["theme"]
    for colours, theme in ((palette.LIGHT, config["light"]), (palette.DARK, config["dark"])):
        for ground in (colours.paper, colours.card):
            texts = [colours.ink, colours.faint, theme["linkColor"]]
            texts += [theme[f"{name}TextColor"] for name in ("red", "orange", "green", "gray")]
            for text in texts:
                assert contrast(text, ground) >= 4.5, (text, ground)
        assert contrast("#FFFFFF", colours.primary) >= 4.5


# -- the frame -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., AppTest]]:
    """Opens the whole app on the filled store."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path))

    def open_app(**parameters: str) -> AppTest:
        at = AppTest.from_file(ENTRY, default_timeout=30)
        for name, value in parameters.items():
            at.query_params[name] = value
        return at.run()

    yield open_app


def test_the_app_opens_on_the_desk_as_the_community_manager(shop: Callable[..., AppTest]) -> None:
    at = shop()
    assert not at.exception
    assert at.session_state["viewer"] == COMMUNITY_MANAGER
    assert [e for e in at.get("bidi_component") if e.proto.component_name == "comptoir_queue"]


def test_the_address_chooses_the_role_and_the_language_and_keeps_them(shop: Callable[..., AppTest]) -> None:
    at = shop(**{"as": "logistics", "lang": "en"})
    assert not at.exception
    assert at.selectbox(key="viewer").value == "logistics"
    assert at.button(key="desk_next").label == "Next"
    at = shop(**{"as": "emperor", "lang": "xx"})
    assert at.selectbox(key="viewer").value == COMMUNITY_MANAGER
    assert at.button(key="desk_next").label == "Suivante"


def test_another_person_does_not_find_what_the_last_one_had_open(shop: Callable[..., AppTest]) -> None:
    at = shop()
    at.button(key="desk_next").click().run()
    opened = at.session_state["desk_case"]
    at.run()  # after a fragment's run, AppTest holds only the fragment's elements
    at.selectbox(key="viewer").set_value("finance").run()
    assert not at.exception
    assert at.session_state["desk_case"] != opened


def test_outside_the_demo_the_viewer_is_the_admin_of_the_settings(
    shop: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMPTOIR_SOURCES", '[{"key": "feed", "collector": "feed"}]')
    monkeypatch.setenv("COMPTOIR_VIEWER", "Lou")
    at = shop()
    assert not at.exception
    assert "Lou – Administration" in [caption.value for caption in at.caption]
    assert not [box for box in at.selectbox if box.key == "viewer"]


def test_a_wrong_setting_is_said_in_words(shop: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMPTOIR_TIME_ZONE", "Mars/Olympus")
    at = shop()
    assert not at.exception
    assert "Mars/Olympus" in at.error[0].value


def test_with_a_login_nobody_comes_in_without_a_role(shop: Callable[..., AppTest]) -> None:
    def as_user(**user: object) -> AppTest:
        at = AppTest.from_file(ENTRY, default_timeout=30)
        at.secrets["auth"] = {"redirect_uri": "http://127.0.0.1/oauth2callback"}
        at.secrets["roles"] = {"lou@shop.example": "department_head:finance"}
        at.user = user
        return at.run()

    shop()
    stranger = as_user(is_logged_in=True, email="x@elsewhere.example", name="X")
    assert not stranger.exception
    assert stranger.warning[0].value.startswith("Votre compte n'a pas encore de rôle")
    assert not stranger.get("bidi_component")
    outside = as_user(is_logged_in=False)
    assert [button.label for button in outside.button] == ["Se connecter"]
    known = as_user(is_logged_in=True, email="lou@shop.example", name="Lou")
    assert not known.exception
    assert "Lou – Finance" in [caption.value for caption in known.caption]


def test_health_says_why_it_is_bad(shop: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    import json
    from typing import Any, cast

    from dashboard.routes import healthz

    shop()  # the store is there
    good = asyncio.run(healthz(cast(Any, None)))
    assert (good.status_code, json.loads(good.body)["status"]) == (200, "ok")
    st.cache_resource.clear()
    monkeypatch.setenv("COMPTOIR_TIME_ZONE", "Mars/Olympus")
    bad = asyncio.run(healthz(cast(Any, None)))
    assert bad.status_code == 503
    assert "Mars/Olympus" in json.loads(bad.body)["reason"]


def _stumble(ours):  # type: ignore[no-untyped-def]  # copied by AppTest
    from dashboard.main import say_error
    from domain.errors import StorageError

    assert say_error(StorageError("The disk that holds sqlite:///x is full.") if ours else KeyError("secret"))


def test_an_uncaught_error_is_said_in_words_and_a_bug_shows_no_detail() -> None:
    at = AppTest.from_function(_stumble, args=(True,)).run()
    assert "The disk that holds sqlite:///x is full." in at.error[0].value
    at = AppTest.from_function(_stumble, args=(False,)).run()
    assert at.error[0].value.startswith("Une erreur de notre fait.") and "secret" not in at.error[0].value
