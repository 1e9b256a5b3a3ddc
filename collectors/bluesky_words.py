"""Bluesky's rich text: facets read into the text and written from it, and length as Bluesky counts it. Pure.

A facet marks bytes of the UTF-8 text as a link, a name or a hashtag. Until 2023, `entities` marked UTF-16 units.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from collectors.values import web_url
from collectors.wire import at, count_of, dict_of, first_text, list_of, text_of

GRAPHEMES, BYTES = 300, 3_000  # what a post may have at most
_LINK = re.compile(r"https?://[^\s<>\"]+")
_NAME = re.compile(
    r"(?<![\w@./])@((?:[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)"
)
_TAG = re.compile(r"(?<![\w/#])#(\w*[^\W\d]\w{0,63})")
_TRAILING = ".,;:!?'\"»”"
_JOINED, _BESIDE = "\u200d", frozenset("\ufe0e\ufe0f\u20e3")
_CUT = ("...", "…")


def written_out(record: Any) -> str:
    """The text of a post, its links in full."""
    text = text_of(at(record, "text"))
    encoded = text.encode("utf-8")
    places: list[tuple[int, int, str]] = []
    for facet in list_of(at(record, "facets")):
        start, end = count_of(at(facet, "index", "byteStart")), count_of(at(facet, "index", "byteEnd"))
        links = [first_text(one, "uri") for one in list_of(at(facet, "features"))]
        uri = next((link for link in links if web_url(link)), "")
        if uri and start is not None and end is not None and start < end <= len(encoded):
            places.append((start, end, uri))
    for entity in list_of(at(record, "entities")):
        start, end = (_bytes_before(text, count_of(at(entity, "index", name))) for name in ("start", "end"))
        if at(entity, "type") == "link" and web_url(first_text(entity, "value")) and start < end <= len(encoded):
            places.append((start, end, first_text(entity, "value")))
    parts, done = [], 0
    for start, end, uri in sorted(places):
        shown = _decoded(encoded[start:end])
        if start < done or shown is None:
            continue  # one on top of another, or in the middle of a letter
        parts += [encoded[done:start], _linked(shown, uri).encode()]
        done = end
    return b"".join([*parts, encoded[done:]]).decode("utf-8", "replace").strip()


def _linked(shown: str, uri: str) -> str:
    bare = shown.strip()
    for cut in _CUT:
        bare = bare.removesuffix(cut)
    address = re.sub(r"^https?://(www\.)?", "", uri)
    short = re.sub(r"^https?://(www\.)?", "", bare)
    if short and address.casefold().startswith(short.casefold().rstrip("/")):
        return uri
    return f"{shown} ({uri})"  # the words lead elsewhere than they say, or are no address at all


def _decoded(piece: bytes) -> str | None:
    try:
        return piece.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _bytes_before(text: str, units: int | None) -> int:
    if units is None:
        return 0
    return len(text.encode("utf-16-le")[: units * 2].decode("utf-16-le", "ignore").encode("utf-8"))


def facets_for(text: str, did_of: Callable[[str], str]) -> list[dict[str, Any]]:
    """The facets that a text needs so that its links, names and hashtags work.

    Args:
        did_of: the account of a handle; "" where there is none: then the name stays plain words.
    """
    found: list[tuple[int, int, dict[str, str]]] = []
    for match in _LINK.finditer(text):
        link = match[0].rstrip(_TRAILING)
        while link.endswith(")") and link.count(")") > link.count("("):  # the sentence's parenthesis, not the address's
            link = link[:-1].rstrip(_TRAILING)
        found.append((match.start(), match.start() + len(link), {"$type": "app.bsky.richtext.facet#link", "uri": link}))
    for match in _NAME.finditer(text):
        did = did_of(match[1].lower())
        if did:
            found.append((match.start(), match.end(), {"$type": "app.bsky.richtext.facet#mention", "did": did}))
    for match in _TAG.finditer(text):
        found.append((match.start(), match.end(), {"$type": "app.bsky.richtext.facet#tag", "tag": match[1]}))
    facets, done = [], 0
    for start, end, feature in sorted(found, key=lambda one: one[:2]):
        if start >= done:
            index = {"byteStart": len(text[:start].encode()), "byteEnd": len(text[:end].encode())}
            facets.append({"index": index, "features": [feature]})
            done = end
    return facets


def graphemes(text: str) -> int:
    """Signs as a reader counts them: accents, skin tones and joined emoji belong to the sign before; flags are pairs."""
    count, joined, flag = 0, False, False
    for char in unicodedata.normalize("NFC", text):
        regional = "\U0001f1e6" <= char <= "\U0001f1ff"
        belongs = (
            joined
            or char in _BESIDE
            or "\U0001f3fb" <= char <= "\U0001f3ff"
            or unicodedata.category(char) in {"Mn", "Me"}
        )
        if char == _JOINED:
            joined = True
            continue
        joined = False
        if belongs or (regional and flag):
            flag = False
            continue
        flag = regional
        count += 1
    return count


def same_words(record: Any, text: str) -> bool:
    """Whether a post of ours says this."""
    return " ".join(text_of(dict_of(record).get("text")).split()) == " ".join(text.split())
