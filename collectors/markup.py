"""HTML that strangers wrote, read as text: `text_of`, and the feeds that a page advertises: `advertised_feeds`.

Nothing of the markup survives in them, so there is nothing to make safe; screens still escape what they show. Written by hand
because it must take time in proportion to the text whatever is in it, which the standard library's parser does not.
"""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urljoin

from collectors.values import web_url

_RAW = {name: re.compile(f"</{name}", re.IGNORECASE) for name in ("script", "style", "iframe")}  # no text for readers
_LINES = frozenset({
    "address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "option", "p", "pre",
    "section", "table", "tr", "ul",
})  # fmt: skip
_CELLS = frozenset({"td", "th"})
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9:-]*")
_ATTRIBUTE = re.compile(
    r"""([a-zA-Z-]{1,40})\s{0,9}=\s{0,9}(?:"([^"<>]{0,2000})"|'([^'<>]{0,2000})'|([^\s"'<>]{1,2000}))"""
)
_SPACES = re.compile(r"[ \t\f\v\r]+")
_LINE_BREAKS = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")
_FEED_TYPES = frozenset({"application/rss+xml", "application/atom+xml", "application/rdf+xml"})


class Piece(NamedTuple):
    """A stretch of text, or a tag: its name in lower case, whether it is an end tag, and what is written in it."""

    text: str
    tag: str = ""
    closing: bool = False
    inside: str = ""


def text_of(markup: str) -> str:
    """What a reader would see: no tags, character references resolved once, lines where blocks end."""
    parts: list[str] = []
    for piece in pieces(markup):
        if not piece.tag:
            parts.append(_SPACES.sub(" ", html.unescape(piece.text).replace("\n", " ")))
        elif piece.tag in _LINES:
            parts.append("\n")
        elif piece.tag in _CELLS:
            parts.append(" ")
    joined = _SPACES.sub(" ", "".join(parts))
    return _EMPTY_LINES.sub("\n\n", _LINE_BREAKS.sub("\n", joined)).strip()


def advertised_feeds(page: str, url: str) -> list[str]:
    """Addresses of the feeds that a web page names in its head, at most five."""
    found: list[str] = []
    for piece in pieces(page):
        if piece.tag == "body":
            break
        if piece.tag != "link":
            continue
        values = {name.lower(): html.unescape(a or b or c) for name, a, b, c in _ATTRIBUTE.findall(piece.inside)}
        is_feed = values.get("type", "").strip().lower() in _FEED_TYPES
        if is_feed and "alternate" in values.get("rel", "").lower().split():
            address = web_url(urljoin(url, values.get("href", "")))
            if address and address not in found:
                found.append(address)
    return found[:5]


def pieces(markup: str) -> Iterator[Piece]:
    """The texts and tags of HTML or XML, however broken; comments, instructions and declarations are left out."""
    at = 0
    ends = _Ends(markup)
    while at < len(markup):
        start = markup.find("<", at)
        if start < 0:
            yield Piece(markup[at:])
            return
        if start > at:
            yield Piece(markup[at:start])
        if markup.startswith("<!--", start):
            at = ends.after("-->", start + 4)
        elif markup.startswith("<![CDATA[", start):
            end = ends.after("]]>", start + 9)
            yield Piece(markup[start + 9 : end].removesuffix("]]>"))
            at = end
        elif markup[start + 1 : start + 2] in {"!", "?"}:
            at = ends.after(">", start + 2)
        else:
            closing = markup.startswith("/", start + 1)
            name = _NAME.match(markup, start + 1 + closing)
            if name is None:
                yield Piece("<")
                at = start + 1
            else:
                at = ends.after_tag(name.end())
                tag = name[0].lower()
                yield Piece("", tag, closing, markup[name.end() : at].removesuffix(">"))
                if tag in _RAW and not closing:
                    at = ends.of_raw(tag, at)


class _Ends:
    """Where things end, without looking twice for what is not there any more."""

    def __init__(self, markup: str) -> None:
        self._markup = markup
        self._gone: set[str] = set()

    def after(self, mark: str, at: int) -> int:
        """Place after the next `mark`, or the end."""
        found = -1 if mark in self._gone else self._markup.find(mark, at)
        if found < 0:
            self._gone.add(mark)
            return len(self._markup)
        return found + len(mark)

    def after_tag(self, at: int) -> int:
        """Place after the > that ends a tag; one inside quotes does not."""
        while at < len(self._markup):
            end = self._markup.find(">", at)
            if end < 0:
                return len(self._markup)
            quote = min(
                (
                    place
                    for mark in "\"'"
                    if mark not in self._gone and (place := self._markup.find(mark, at, end)) >= 0
                ),
                default=-1,
            )
            if quote < 0:
                return end + 1
            close = self.after(self._markup[quote], quote + 1)
            if self._markup[quote] in self._gone:
                return end + 1
            at = close
        return at

    def of_raw(self, tag: str, at: int) -> int:
        """Place where the end tag of a script or the like starts, or the end."""
        found = None if tag in self._gone else _RAW[tag].search(self._markup, at)
        if found is None:
            self._gone.add(tag)
            return len(self._markup)
        return found.start()
