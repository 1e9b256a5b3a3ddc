"""A sentence written from the numbers, each number a button that opens the rows behind it.

Sentences are made in `dashboard.views_sentences`; this shows one and says what was clicked.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import streamlit as st

from dashboard.i18n import t
from dashboard.views_indicators import Piece

_HERE = Path(__file__).parent
_PHRASE = st.components.v2.component(
    "comptoir_phrase",
    html='<p class="phrase"></p>',
    css=(_HERE / "phrase.css").read_text(encoding="utf-8"),
    js=(_HERE / "phrase.js").read_text(encoding="utf-8"),
)


def phrase(pieces: Sequence[Piece], *, key: str, size: Literal["large", "normal", "small"] = "normal") -> str | None:
    """The sentence; what a click asked to open in this run."""
    data = {"pieces": [asdict(piece) for piece in pieces], "size": size, "hint": t("Voir les lignes comptées")}
    opened: str | None = _PHRASE(data=data, key=key, on_opened_change=lambda: None).opened
    return opened
