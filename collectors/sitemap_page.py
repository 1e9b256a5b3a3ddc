"""What a web page says of itself in schema.org's words (JSON-LD), as flat nodes that know what they stand in. Pure.

Source: schema.org, Review, Comment, Question, Answer, and Google Search Central, Review snippet, as of memory, not read again.
Nothing is fetched: contexts and links are left alone. What a node means as a mention is in `sitemap_map`.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from collectors.feed_document import decoded
from collectors.wire import dict_of, list_of, text_of
from domain.errors import InputError

MAX_NODES = 20_000
_MAX_BLOCKS = 50
_BLOCK_LIMIT = 2_000_000  # characters
_DEEPEST = 40
_SCRIPT = re.compile(r"<script\b([^<>]{0,1000})>", re.IGNORECASE)
_IS_JSON_LD = re.compile(r"""type\s*=\s*["']?application/ld\+json\b""", re.IGNORECASE)
_END = re.compile(r"</script", re.IGNORECASE)
_LANG = re.compile(r"<html\b[^<>]{0,500}?\blang\s*=\s*[\"']?([A-Za-z-]{2,20})", re.IGNORECASE)
_CANONICAL = re.compile(
    r"<link\b(?=[^<>]{0,500}\brel\s*=\s*[\"']?canonical\b)[^<>]{0,500}?\bhref\s*=\s*[\"']([^\"'<>]{1,2000})", re.I
)
_WANTED = frozenset(
    {"review", "userreview", "employerreview", "criticreview", "comment", "question", "answer", "usercomments"}
)
_SUBJECTS = frozenset(
    {"product", "productgroup", "individualproduct", "productmodel", "localbusiness", "store", "organization"}
)


@dataclass(frozen=True, slots=True)
class Node:
    """One utterance of a page.

    Attributes:
        kind: its type in lower case, without the vocabulary's address.
        position: where it stands in the page, for messages.
        within: the utterance that it stands in, if any.
        subject: what is spoken of: the product or the shop that it stands in.
    """

    kind: str
    data: Mapping[str, Any]
    position: str
    within: "Node | None" = None
    subject: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PageDocument:
    """A page that was read. `faults`: blocks that could not be, with position, reason and beginning."""

    nodes: tuple[Node, ...]
    language: str
    canonical: str
    faults: tuple[tuple[str, str, str], ...]


def read_page(body: bytes, content_type: str = "") -> PageDocument:
    """The utterances of a page; also of a body that is JSON-LD by itself. Never raises."""
    text, _ = decoded(body, content_type)
    start = text.lstrip()[:1]
    blocks = [("body", text)] if start in {"{", "["} else list(_blocks(text))
    nodes: list[Node] = []
    faults: list[tuple[str, str, str]] = []
    for position, block in blocks:
        try:
            nodes += _nodes(_parsed(block), position)
        except InputError as error:
            faults.append((position, str(error), block[:500]))
        if len(nodes) >= MAX_NODES:
            faults.append((position, f"the page holds more than {MAX_NODES:,} utterances; the rest was not read", ""))
            break
    language, canonical = _LANG.search(text[:20_000]), _CANONICAL.search(text[:200_000])
    link = html.unescape(canonical[1]) if canonical else ""
    return PageDocument(tuple(nodes[:MAX_NODES]), language[1] if language else "", link, tuple(faults))


def types_of(data: Mapping[str, Any]) -> list[str]:
    """Types of a node in lower case: "Review", ["Review"] and "http://schema.org/Review" are one."""
    told = data.get("@type", data.get("type"))
    words = [told] if isinstance(told, str) else [one for one in list_of(told) if isinstance(one, str)]
    return [re.split(r"[/#:]", word)[-1].lower() for word in words[:10]]


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    at = number = 0
    while number < _MAX_BLOCKS and (found := _SCRIPT.search(text, at)) is not None:
        end = _END.search(text, found.end())
        at = end.start() if end else len(text)
        if _IS_JSON_LD.search(found[1]):
            number += 1
            yield f"block {number}", text[found.end() : at]


def _parsed(block: str) -> Any:
    if len(block) > _BLOCK_LIMIT:
        raise InputError(f"it is longer than {_BLOCK_LIMIT:,} characters")
    bare = (
        re.sub(r"^\s*(?:<!--|//\s*<!\[CDATA\[|<!\[CDATA\[)|(?:-->|//\s*\]\]>|\]\]>)\s*$", "", block.strip())
        .strip()
        .rstrip(";")
    )
    for words in (bare, html.unescape(bare)):
        try:
            return json.loads(words, strict=False)
        except (ValueError, RecursionError):
            continue
    raise InputError("it is no JSON")


def _nodes(data: Any, position: str) -> list[Node]:
    """All utterances in a block, the outer ones first; without recursion."""
    found: list[Node] = []
    waiting: list[tuple[Any, Node | None, Mapping[str, Any], int]] = [(data, None, {}, 0)]
    seen = 0
    while waiting and seen < 5 * MAX_NODES and len(found) < MAX_NODES:
        value, within, subject, depth = waiting.pop()
        seen += 1
        if depth > _DEEPEST:
            continue
        if isinstance(value, list):
            waiting += [(one, within, subject, depth + 1) for one in reversed(value)]
            continue
        if not isinstance(value, dict):
            continue
        kinds = types_of(value)
        kind = next((one for one in kinds if one in _WANTED), "")
        here = within
        if kind and len(value) > 2:  # more than a type and an id: not merely named
            named = text_of(dict_of(value).get("@id")) or f"{kind} {len(found) + 1}"
            here = Node(kind, value, f"{position}, {named}", within, subject)
            found.append(here)
        below = value if _SUBJECTS & set(kinds) and within is None else subject
        inner = [item for key, item in value.items() if key not in {"author", "publisher", "@context", "itemReviewed"}]
        waiting += [(one, here, below, depth + 1) for one in reversed(inner) if isinstance(one, dict | list)]
    return found
