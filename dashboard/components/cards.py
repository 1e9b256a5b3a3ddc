"""Cards of numbers: value, change, sample, sparkline, target, and how it is counted behind the question mark.

A card is made in `dashboard.views_indicators`; this only shows it and says which one was opened. The drawing is in cards.js
and cards.css beside it, with Streamlit's theme variables.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from dashboard.i18n import t
from dashboard.views_indicators import Card

_HERE = Path(__file__).parent
_CARDS = st.components.v2.component(
    "comptoir_cards",
    html='<section class="cards"></section>',
    css=(_HERE / "cards.css").read_text(encoding="utf-8"),
    js=(_HERE / "cards.js").read_text(encoding="utf-8"),
)


def kpi_row(cards: Sequence[Card], *, key: str, compact: bool = False) -> str | None:
    """Cards side by side, as many as fit; what a click asked to open in this run. `compact`: without past and history."""
    words = {"open": t("Voir les lignes comptées"), "help": t("Comment c'est compté")}
    columns = 3 if len(cards) in {3, 5, 6} else 4  # full rows on a wide screen; two columns on a narrow one
    data = {"columns": columns, "words": words, "compact": compact, "cards": [asdict(card) for card in cards]}
    opened: str | None = _CARDS(data=data, key=key, on_opened_change=lambda: None).opened
    return opened
