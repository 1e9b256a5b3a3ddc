"""The script that Streamlit runs for every session.

It stands in a folder of its own because Streamlit takes a folder `pages` beside its script for a list of scripts to run;
ours are modules with `render(context)`. Everything else is in `dashboard.main`.
"""

from dashboard.main import render

render()
