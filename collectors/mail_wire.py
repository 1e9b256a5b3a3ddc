"""IMAP's own notation, read and written: answers to FETCH and LIST, the structure of a mail, names of folders. Pure.

Reading goes over nested lists without recursion and without trust: what is not understood is left out, never guessed, and
never raises. Talking to the server is in `mail_imap`.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import Any

from collectors.mail_letter import MAX_PARTS, Part
from collectors.mail_words import text_in, words

_TOKEN = re.compile(
    rb"\s+|(?P<open>\()|(?P<close>\))|\"(?P<quoted>(?:[^\"\\]|\\.)*)\"|(?P<atom>[A-Za-z0-9.]+\[[^\]]{0,500}\](?:<\d+>)?"
    rb"|[^\s()\"]+)|(?P<odd>.)",
    re.DOTALL,
)
_LITERAL = re.compile(rb"\{\d+\+?\}$")
_DEEPEST = 60
_ENCODED = re.compile(r"&([^-]*)-")
_UNSAFE = re.compile(r"[^\x20-\x25\x27-\x7e]+|&")
Value = Any  # bytes, None for NIL, or a list of such


def listed(answer: Iterable[Any]) -> list[Value]:
    """Everything that an answer of imaplib holds, as nested lists; literals as they came."""
    found: list[Value] = []
    open_lists: list[list[Value]] = [found]
    for piece in answer:
        text, literal = (piece[0], piece[1]) if isinstance(piece, tuple) else (piece, None)
        if not isinstance(text, bytes):
            continue
        _read(_LITERAL.sub(b"", text) if literal is not None else text, open_lists)
        if literal is not None:
            open_lists[-1].append(bytes(literal))
    return found


def fetched(answer: Iterable[Any]) -> list[dict[str, Value]]:
    """One dictionary a message, of an answer to FETCH: names in capitals, without the place in a partial one."""
    messages = []
    for value in listed(answer):
        if isinstance(value, list):
            names = [name.decode("ascii", "replace").upper() for name in value[::2] if isinstance(name, bytes)]
            if len(names) == len(value[::2]):
                messages.append({name.partition("<")[0]: item for name, item in zip(names, value[1::2], strict=False)})
    return messages


def folders(answer: Iterable[Any]) -> list[tuple[frozenset[str], str, str]]:
    """Flags in lower case, separator and name of each folder, of an answer to LIST."""
    found = []
    for line in answer:
        values = listed([line])
        if len(values) < 3 or not isinstance(values[0], list) or not isinstance(values[2], bytes):
            continue
        flags = frozenset(flag.decode("ascii", "replace").lower() for flag in values[0] if isinstance(flag, bytes))
        found.append((flags, _text(values[1]), decoded(values[2].decode("utf-8", "replace"))))
    return found


def parts_of(structure: Value) -> tuple[Part, ...]:
    """The leaves of a mail, of its BODYSTRUCTURE."""
    found: list[Part] = []
    waiting: list[tuple[Value, str, int]] = [(structure, "", 0)]
    while waiting and len(found) < MAX_PARTS:
        node, section, depth = waiting.pop(0)
        if not isinstance(node, list) or not node or depth > _DEEPEST:
            continue
        if isinstance(node[0], list):
            below = list(takewhile(lambda one: isinstance(one, list), node))[:MAX_PARTS]
            waiting[:0] = [(one, f"{section}.{n}".lstrip("."), depth + 1) for n, one in enumerate(below, 1)]
        elif len(node) >= 7:
            found.append(_leaf(node, section or "1"))
    return tuple(found)


def decoded(name: str) -> str:
    """A folder's name for people: IMAP writes "Envoyés" as "Envoy&AOk-s" (RFC 3501, 5.1.3)."""

    def letters(piece: re.Match[str]) -> str:
        if not piece[1]:
            return "&"
        try:
            return base64.b64decode(_padded(piece[1].replace(",", "/")), validate=True).decode("utf-16-be")
        except (binascii.Error, ValueError):
            return piece[0]

    return _ENCODED.sub(letters, name)


def encoded(name: str) -> str:
    """A folder's name as IMAP writes it."""

    def letters(piece: re.Match[str]) -> str:
        if piece[0] == "&":
            return "&-"
        written = base64.b64encode(piece[0].encode("utf-16-be", "replace")).decode().rstrip("=").replace("/", ",")
        return f"&{written}-"

    return _UNSAFE.sub(letters, name)


def quoted(text: str) -> str:
    """A string of IMAP; control characters have no place in one."""
    clean = re.sub(r"[\x00-\x1f\x7f]", "", text)
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def number(value: Value) -> int | None:
    """A whole number from 0 on."""
    return int(value) if isinstance(value, bytes) and value.isdigit() and len(value) < 20 else None


def _read(text: bytes, open_lists: list[list[Value]]) -> None:
    for token in _TOKEN.finditer(text):
        if token["open"]:
            inner: list[Value] = []
            open_lists[-1].append(inner)
            open_lists.append(inner)
        elif token["close"]:
            if len(open_lists) > 1:
                open_lists.pop()
        elif token["quoted"] is not None:
            open_lists[-1].append(re.sub(rb"\\(.)", rb"\1", token["quoted"], flags=re.DOTALL))
        elif token["atom"]:
            open_lists[-1].append(None if token["atom"].upper() == b"NIL" else token["atom"])


def _leaf(node: Sequence[Value], section: str) -> Part:
    kind = f"{_text(node[0])}/{_text(node[1])}".lower()
    parameters = _pairs(node[2])
    name = _name(parameters)
    attached = False
    for value in node[7:]:  # extension data: after an MD5 or, of a mail within, after much else
        if (
            isinstance(value, list)
            and len(value) == 2
            and isinstance(value[0], bytes)
            and isinstance(value[1], list | None)
        ):
            disposition = _text(value[0]).lower()
            if disposition in {"attachment", "inline"}:
                attached = disposition == "attachment"
                name = _name({**parameters, **_pairs(value[1])})
    if kind == "message/rfc822" and not name and len(node) > 7 and isinstance(node[7], list) and len(node[7]) > 1:
        name = words(_text(node[7][1]))
    return Part(section, kind, name[:200], number(node[6]), attached)


def _pairs(value: Value) -> dict[str, str]:
    items = value if isinstance(value, list) else []
    return {_text(key).lower(): _text(item) for key, item in zip(items[::2], items[1::2], strict=False)}


def _name(parameters: dict[str, str]) -> str:
    """The name of a file, also where it is written in pieces or in percent signs (RFC 2231)."""
    for key in ("filename", "name"):
        if parameters.get(key):
            return words(parameters[key])
        pieces = sorted(name for name in parameters if name.startswith(f"{key}*"))
        joined = "".join(parameters[name] for name in pieces[:20])
        if joined:
            charset, mark, rest = joined.partition("''")
            data = re.sub(r"%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), rest if mark else joined)
            return text_in(data.encode("latin-1", "replace"), charset if mark else "utf-8")
    return ""


def _padded(word: str) -> str:
    return word + "=" * (-len(word) % 4)


def _text(value: Value) -> str:
    return text_in(value, "utf-8") if isinstance(value, bytes) else ""
