"""What people see: pages, their components, and the words in French and English.

Reads the store and asks it for changes; never calls a network. Rows become what a page shows in `views*.py` (pure, tested
without Streamlit), pages only place it. To add a page, write `pages/<name>.py` with `render(context)` and a row in
`navigation.PAGES`; to add a sentence, write it in French inside `t(...)` and its English in `locale/en`.
"""
