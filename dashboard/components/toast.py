"""A word after an act: said by a callback, shown by the fragment that the act belongs to.

Streamlit puts what a callback shows, and the page's style sheets, in the same place: a toast of a fragment's callback would
take the first sheet away. So a callback leaves the word (`say`), and the fragment shows it (`speak`).
"""

import streamlit as st

from dashboard.components.text import plain

_WORD = "toast_word"


def say(text: str, *, trouble: bool = False) -> None:
    """Leave a word for the fragment's next run; `trouble` where nothing was done."""
    st.session_state[_WORD] = (text, trouble)


def speak() -> None:
    """Show the word that was left, once."""
    text, trouble = st.session_state.pop(_WORD, ("", False))
    if text:
        st.toast(plain(text), icon=":material/error:" if trouble else None)
