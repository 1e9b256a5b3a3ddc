"""Where Streamlit starts the dashboard: a folder of its own, see `app.py`."""
