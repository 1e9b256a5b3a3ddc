"""Words of strangers inside our own sentences."""

import re

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~:$&^=])")


def plain(text: str) -> str:
    """Text that Markdown shows as it is: every sign that could mean something is escaped, lines stay lines."""
    return _MARKDOWN.sub(r"\\\1", text).replace("\r\n", "\n").replace("\n", "  \n")
