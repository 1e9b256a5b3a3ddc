"""Single values of a mail, read without trust: encoded words, charsets that lie, addresses, message ids, dates. Pure.

Each function takes what was sent and gives a value or nothing; none raises. The standard library's own readers of headers
raise on some mails, and lose what is not ASCII; what a whole mail is made of is in `mail_letter`.
"""

import binascii
import codecs
import re
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime
from typing import NamedTuple

from collectors.wire import text_of

_WORD = r"=\?([\w.:+-]{1,40})(?:\*[\w-]{0,20})?\?([bBqQ])\?([^?\n]{0,4000})\?="
_ENCODED = re.compile(_WORD)
_BETWEEN = re.compile(rf"({_WORD})\s+(?==\?[\w.:+*-]{{1,60}}\?[bBqQ]\?)")
_ESCAPE = re.compile(rb"=([0-9A-Fa-f]{2})")
_FOLD = re.compile(r"[\r\n]+[ \t]*")
_IDS = re.compile(r"<([^<>\s]{1,500})>")
_ADDRESS = re.compile(r"[^\s<>()\[\],;:@\"\\]{1,64}@[^\s<>()\[\],;:@\"\\]{1,255}")
_OLDEST = 1971  # what claims to be older comes from a clock that was never set
# Names that mean more than they say: real mails declare the smaller set and use the larger one.
_LARGER = {
    "ascii": "utf-8", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "gb2312": "gb18030",
    "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932",
}  # fmt: skip


class Address(NamedTuple):
    """Whose mail it is; `address` in lower case, "" where it is none."""

    name: str = ""
    address: str = ""


def text_in(data: bytes, charset: str) -> str:
    """The text of these bytes: in the charset that they claim, else in the one that fits."""
    try:
        named = codecs.lookup(charset.strip().strip("\"'") or "utf-8").name
    except (LookupError, ValueError):
        named = "utf-8"
    for codec in dict.fromkeys((_LARGER.get(named, named), "utf-8", "cp1252")):
        try:
            return text_of(data.decode(codec))
        except (LookupError, ValueError, AssertionError):  # no text encoding, or other bytes than it knows
            continue
    return text_of(data.decode("cp1252", "replace"))


def raw_headers(message: Message, name: str) -> list[str]:
    """The values of a header as they were sent, unfolded, 8-bit characters made readable."""
    wanted = name.lower()
    return [_seven_bit(str(value)) for key, value in message.raw_items() if key.lower() == wanted]


def header(message: Message, name: str) -> str:
    """The first value of a header, as it was sent; "" where there is none."""
    return next(iter(raw_headers(message, name)), "")


def words(value: str) -> str:
    """A header for people: encoded words decoded, on one line."""
    value = _BETWEEN.sub(r"\1", value)  # blanks between two encoded words are none
    parts: list[str] = []
    waiting, charset, end = b"", "", 0
    for found in _ENCODED.finditer(value):
        apart = found.start() > end or found[1].lower() != charset
        if apart:  # else it goes on where the last one ended, perhaps within a character
            parts += [text_in(waiting, charset), value[end : found.start()]]
            waiting = b""
        waiting, charset, end = waiting + _bytes_of(found[2], found[3]), found[1].lower(), found.end()
    parts += [text_in(waiting, charset), value[end:]]
    return " ".join(text_of("".join(parts)).split())


def addresses(values: list[str]) -> list[Address]:
    """The addresses that headers name; those that are none have an empty `address`."""
    found = getaddresses([value[:20_000] for value in values])
    return [Address(words(name), _address(address)) for name, address in found if name or address]


def message_ids(value: str) -> tuple[str, ...]:
    """The ids that References or the like name, in order, each once."""
    return tuple(dict.fromkeys(text_of(found) for found in _IDS.findall(value[:60_000])))


def message_id(value: str) -> str:
    """The id that Message-ID names, without its brackets; some programs forget them."""
    found = message_ids(value)
    bare = value.strip().strip("<>").strip()
    return found[0] if found else (text_of(bare)[:500] if bare and not re.search(r"\s", bare) else "")


def moment(value: str) -> datetime | None:
    """The date of a header, in UTC; None where it is none, or from a clock that was never set."""
    try:
        found = parsedate_to_datetime(" ".join(value.split())[:200])
        aware = found if found.tzinfo else found.replace(tzinfo=UTC)
        found = aware.astimezone(UTC)
    except (TypeError, ValueError, OverflowError, IndexError):
        return None
    return found if found.year >= _OLDEST else None


def is_address(value: str) -> bool:
    """Whether a mail can be written to it."""
    return _ADDRESS.fullmatch(value) is not None


def _address(written: str) -> str:
    bare = text_of(written).strip().lower()
    return bare if is_address(bare) else ""


def _seven_bit(value: str) -> str:
    unfolded = _FOLD.sub(" ", value)
    if unfolded.isascii():
        return unfolded.strip()
    return text_in(unfolded.encode("utf-8", "surrogateescape"), "utf-8").strip()


def _bytes_of(encoding: str, written: str) -> bytes:
    if encoding in "bB":
        try:
            return binascii.a2b_base64(written + "==")
        except binascii.Error:
            return written.encode("utf-8", "replace")
    spaced = written.replace("_", " ").encode("utf-8", "replace")
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), spaced)
