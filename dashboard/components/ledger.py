"""A small table of numbers, each of which can be opened; for lists of things use a dataframe or `rows`.

Cells arrive written in the person's language; what a click opened comes back.
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import streamlit as st

from dashboard.views_indicators import Piece

_HERE = Path(__file__).parent
_LEDGER = st.components.v2.component(
    "comptoir_ledger",
    html="<table><caption></caption><thead></thead><tbody></tbody></table>",
    css=(_HERE / "ledger.css").read_text(encoding="utf-8"),
    js=(_HERE / "ledger.js").read_text(encoding="utf-8"),
)


def ledger(head: Sequence[str], rows: Sequence[Sequence[Piece]], *, caption: str, key: str) -> str | None:
    """The table; what a click asked to open in this run. `caption` is for screen readers."""
    data = {"head": list(head), "rows": [[asdict(piece) for piece in row] for row in rows], "caption": caption}
    opened: str | None = _LEDGER(data=data, key=key, on_opened_change=lambda: None).opened
    return opened
