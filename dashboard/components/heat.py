"""A table of counts, coloured by how much of its row each one is: what was right against what was said.

Cells arrive written; one that holds messages can be opened. Shades say what numbers say already, for nobody has to see
colours. The drawing is in heat.js and heat.css beside it.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import streamlit as st

_HERE = Path(__file__).parent
_HEAT = st.components.v2.component(
    "comptoir_heat",
    html='<div class="scroll" tabindex="0"><table><caption></caption><thead></thead><tbody></tbody></table></div>',
    css=(_HERE / "heat.css").read_text(encoding="utf-8"),
    js=(_HERE / "heat.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One count. `share` of its row, 0..1; `hit` where both agree; `words` say it in a sentence; `opens` names a click."""

    text: str
    share: float = 0.0
    hit: bool = False
    words: str = ""
    opens: str = ""


def heat(
    columns: Sequence[str],
    rows: Sequence[tuple[str, Sequence[Cell]]],
    *,
    down: str,
    across: str,
    caption: str,
    key: str,
) -> str | None:
    """The table; what a click asked to open in this run.

    Args:
        down, across: what the rows and the columns are.
        caption: for screen readers.
    """
    data = {
        "columns": list(columns),
        "rows": [{"title": title, "cells": [asdict(cell) for cell in cells]} for title, cells in rows],
        "down": down,
        "across": across,
        "caption": caption,
    }
    opened: str | None = _HEAT(data=data, key=key, on_opened_change=lambda: None).opened
    return opened
