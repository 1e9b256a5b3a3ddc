"""A panel: one subject on a card of the house, under its message.

Streamlit's bordered container has the colour of the page; ours has the colour of cards. `paint` says so once a run.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import palette


def paint() -> None:
    """The panels' colour, for this run; the style holds nothing but our own palette."""
    st.html(f'<style>[class*="st-key-panel_"] {{ background: {palette.current().card}; }}</style>')


def panel(key: str) -> DeltaGenerator:
    """A panel; what is written inside `with` goes into it."""
    return st.container(border=True, key=f"panel_{key}", gap="small")
