"""Pictures and video are links with their alternative text, of the web only."""

from typing import Any

import pytest

from dashboard.i18n import set_language
from dashboard.views_media import media_of
from tests.builders import mention


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("fr", ["Photo : un pull troué", "Vidéo", "Pièce jointe"]),
        ("en", ["Photo: un pull troué", "Video", "Attachment"]),
    ],
)
def test_each_is_named_and_described(lang: str, words: list[str]) -> None:
    set_language(lang)
    media = [
        {"url": "https://cdn.example/a.jpg", "kind": "photo", "alt": "un  pull\ntroué"},
        {"url": "https://cdn.example/b.mp4", "kind": "video", "alt": ""},
        {"url": "https://cdn.example/c", "kind": "hologram"},
        {"url": "javascript:alert(1)", "kind": "photo", "alt": "x"},
        "odd",
    ]
    found = media_of(mention("1", raw={"media": media}))
    assert [one["word"] for one in found] == words


@pytest.mark.parametrize("raw", [{}, {"media": None}, {"media": "x"}, {"media": [{}]}])
def test_a_message_without_any_shows_none(raw: dict[str, Any]) -> None:
    assert media_of(mention("1", raw=raw)) == []
