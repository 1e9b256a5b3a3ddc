"""Pieces that pages share. A component of our own is one `.py` with its `.css` and `.js` beside it.

What a stranger wrote reaches the screen through a component's data and `textContent`, or through `text.plain`, never as
HTML or Markdown.
"""
