"""One message to label: the text at the left, the questions at the right, a key for every answer.

Choosing happens in the browser, so that an answer is on screen in the same breath; the server hears of a message once, when
it is answered, passed or gone back from. Look and hands are in labelling.css and labelling.js beside it.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent


def _files(kind: str) -> str:
    return "\n".join((_HERE / f"{name}.{kind}").read_text(encoding="utf-8") for name in ("_shared", "labelling"))


_LABELLING = st.components.v2.component(
    "comptoir_labelling",
    html='<div class="root">\n<header class="bar"><h1 class="pile"></h1><span class="progress"></span>'
    '<span class="track"><i></i></span><button type="button" class="plain back"></button>'
    '<button type="button" class="plain stop"></button></header>\n'
    '<div class="error" role="alert" hidden></div>\n<div class="panes"><div class="left"><article class="said"></article>'
    '<div class="after" role="status" hidden></div></div><form class="asked"></form></div>\n'
    '<footer class="foot"><span class="missing" role="status"></span><button type="button" class="skip"></button>'
    '<button type="button" class="send"></button></footer>\n</div>',
    css=_files("css"),
    js=_files("js"),
)


def labelling(key: str, data: dict[str, Any], *, act: Callable[[Any], None]) -> None:
    """The message; `act({kind, id, answers})` with kind give, skip, back or stop, before the run."""
    _LABELLING(key=key, data=data, on_act_change=lambda: act(st.session_state[key]["act"]))
