"""Our own components: each is a function here, its look and its hands in the `.css` and `.js` of the same name.

They show what `views*.py` made of the data and tell the page what was clicked; words come with the data, so that they are
translated like all others. To add one, write the two files, a `_component` line and a function.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def _component(name: str, html: str, *parts: str) -> Callable[..., Any]:
    # `parts`: files that only this component needs beside its own.
    css, js = (
        "\n".join((_FOLDER / f"{file}.{kind}").read_text("utf-8") for file in ("_shared", *parts, name))
        for kind in ("css", "js")
    )
    return st.components.v2.component(f"comptoir_{name}", html=html, css=css, js=js)


_TABS = _component("tabs", '<div class="root">\n<div class="tabs" role="tablist"></div>\n</div>')
_QUEUE = _component(
    "queue",
    '<div class="root">\n<button type="button" class="fresh" hidden></button>\n'
    '<ul class="list" role="listbox" tabindex="0"></ul>\n<div class="empty" hidden></div>\n'
    '<nav class="pages" hidden><button type="button"></button><span></span><button type="button"></button></nav>\n</div>',
)
_THREAD = _component(
    "thread",
    '<div class="root">\n<div class="empty" hidden></div>\n<header class="head" hidden><div class="name"></div>'
    '<div class="facts"></div><div class="why"></div></header>\n<div class="above"></div>\n<div class="bubbles"></div>\n</div>',
    "_tags",
)
_COMPOSER = _component(
    "composer",
    '<div class="root composer" hidden>\n<div class="modes">'
    + '<button type="button" class="mode"></button>' * 3
    + '</div>\n<div class="line"></div>\n<textarea rows="3"></textarea>\n'
    '<div class="foot"><details class="templates"><summary></summary><div class="menu"></div></details>'
    '<span class="counter"></span><span class="grow"></span><button type="button" class="send"></button></div>\n</div>',
)
_PERSON = _component(
    "person",
    '<div class="root">\n<div class="body"></div>\n<button type="button" class="journal" hidden></button>\n</div>',
)
_HISTORY = _component("history", '<div class="root">\n</div>')
_PULSE = _component("pulse", '<div class="root">\n</div>')
_SHELL = _component(
    "shell",
    '<div class="root">\n<div class="toast" role="status" hidden><span></span><button type="button"></button>'
    '<button type="button"></button></div>\n<nav class="panes"></nav>\n'
    '<dialog><h2></h2><dl></dl><button type="button" class="close"></button></dialog>\n</div>',
)

Act = Callable[[Any], None]


def _mount(component: Callable[..., Any], key: str, data: dict[str, Any], acts: dict[str, Act]) -> None:
    # `acts`: trigger -> what to do with its value; called before the run, as Streamlit's own callbacks are.
    def on(trigger: str, act: Act) -> Callable[[], None]:
        def call() -> None:
            act(st.session_state[key][trigger])

        return call

    component(key=key, data=data, **{f"on_{trigger}_change": on(trigger, act) for trigger, act in acts.items()})


def tabs(key: str, data: dict[str, Any], *, pick: Act) -> None:
    """The views with their counts; `pick(view key)`."""
    _mount(_TABS, key, data, {"pick": pick})


def queue(key: str, data: dict[str, Any], *, pick: Act, page: Act, show: Act) -> None:
    """The list of cases; `pick(case id)`, `page(number)`, `show(...)` for the new ones that wait."""
    _mount(_QUEUE, key, data, {"pick": pick, "page": page, "show": show})


def thread(key: str, data: dict[str, Any], *, again: Act, aim: Act, tag: Act, why: Act, act: Act) -> None:
    """The conversation; `again(outbox key)` sends once more, `aim(mention id)` chooses the message to answer.

    `tag({id, case, answers})` answers questions about a message, `why({id, field, value})` asks why the model gave a tag; no
    field: closes the explanation. `act({id, case, act})` hides, shows or deletes a message.
    """
    _mount(_THREAD, key, data, {"again": again, "aim": aim, "tag": tag, "why": why, "act": act})


def composer(key: str, data: dict[str, Any], *, send: Act) -> None:
    """The answer box; `send({case, mode, text, draft, target})`."""
    _mount(_COMPOSER, key, data, {"send": send})


def person(key: str, data: dict[str, Any], *, open_case: Act, journal: Act) -> None:
    """The customer; `open_case(case id)`, `journal(...)` for the history of the case."""
    _mount(_PERSON, key, data, {"open": open_case, "journal": journal})


def history(key: str, data: dict[str, Any], *, open_case: Act) -> None:
    """Acts, one a line; `open_case(case id)` where `links` is set."""
    _mount(_HISTORY, key, data, {"open": open_case})


def shell(key: str, data: dict[str, Any], *, undo: Act) -> None:
    """Shortcuts, the word after an act, the panes of a phone; `undo(toast id)`."""
    _mount(_SHELL, key, data, {"undo": undo})


def pulse(key: str, mark: str, *, beat: Act) -> None:
    """Nothing to see; `beat(mark)` when the mark has changed since it was last drawn."""
    _mount(_PULSE, key, {"mark": mark}, {"beat": beat})
