"""What goes into one cell of a file that a CRM imports and that a person may open in a spreadsheet.

Pure: values in, printable text out. Nothing here knows a vendor; columns are in `dialects`, files in `keyed_csv`.
"""

import re
from datetime import UTC, datetime
from hashlib import blake2b

_LINE_BREAKS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
# A spreadsheet runs what starts with one of these. It also cuts a line at ";" where that is the list separator (as in
# France), quotes or not, so the start of a cell is wherever a ";" stands.
_FORMULA = re.compile(r"(^|;)(\s*)(?=[=+\-@\uff0b\uff0d\uff1d\uff20])")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?")  # "+33612345678" computes to itself: harmless, and importers want it bare
# What `cell` has to look at more closely; most cells have none of it.
_REMARKABLE = re.compile(r"[;\x00-\x1f\x7f-\x9f\ud800-\udfff]|[^\S ]|  |^[ =+\-@\uff0b\uff0d\uff1d\uff20]| $")
_EMAIL = re.compile(r"[^\s@=+\-,;:'\"<>()][^\s@,;:\"<>()]*@[^\s@,;:'\"<>()]+\.[^\s@.,;:'\"<>()]+")
_PHONE_FILL = re.compile(r"[\s.()/\u2010-\u2015-]+")
_PHONE = re.compile(r"\+?\d{4,15}")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def cell(value: object) -> str:
    """One line of text, safe to open in a spreadsheet; None is empty, True and False are lower case."""
    if isinstance(value, str) and not _REMARKABLE.search(value):
        return value
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _LINE_BREAKS.sub(" ", str(value).encode("utf-8", "replace").decode()).strip()
    if _NUMBER.fullmatch(text):
        return text
    return _FORMULA.sub(r"\1\2'", text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters, the last one an ellipsis where something was cut."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def email(value: object) -> str:
    """The address, or "" for anything that is no address or that a spreadsheet would run."""
    text = str(value or "").strip()
    return text if _EMAIL.fullmatch(text) and len(text) <= 254 else ""


def phone(value: object) -> str:
    """Digits with "+" before a country code, or "" for anything that is no number."""
    text = _PHONE_FILL.sub("", str(value or ""))
    if text.startswith("00"):
        text = "+" + text[2:]
    return text if _PHONE.fullmatch(text) else ""


def first_and_last(name: str) -> tuple[str, str]:
    """First name and last name; a single word is a last name, and so is what stands first in capitals or before a comma."""
    last, comma, first = (part.strip() for part in name.partition(","))
    if comma and first and last:
        return first, last
    words = name.split()
    if len(words) < 2:
        return "", name.strip()
    capitals = 0
    while capitals < len(words) and len(words[capitals]) > 1 and words[capitals].isupper():
        capitals += 1
    if 0 < capitals < len(words):
        return " ".join(words[capitals:]), " ".join(words[:capitals])
    return words[0], " ".join(words[1:])


def moment(iso: object) -> datetime | None:
    """The date of a record's field, aware UTC; None where there is none."""
    try:
        found = datetime.fromisoformat(str(iso))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def plain_name(text: str) -> str:
    """A name that file systems and external ids take; two texts never share one."""
    if _PLAIN_NAME.fullmatch(text):
        return text
    return re.sub(r"[^A-Za-z0-9_]+", "_", text)[:40] + "_" + blake2b(text.encode(), digest_size=6).hexdigest()
