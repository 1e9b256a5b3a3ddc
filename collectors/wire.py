"""Vendors' JSON read without trusting it: each function takes anything, and gives a value of its kind or none.

Pure. A mapper built of these does not raise on what it has never seen. Nothing here knows a network; words that sources
write for people ("4/5", "fr-FR") are in `values`.
"""

import json
import math
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from domain.contracts import Reject

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LARGEST = 2**53  # JSON's safe whole numbers; no count is larger
_DEEPEST = 12
_RAW_LIMIT = 2_000  # characters of a reject


def text_of(value: Any) -> str:
    """A text that can be stored: no NUL, no half of a surrogate pair; numbers as digits (ids); "" for anything else."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**30 else ""
    return ""


def dict_of(value: Any) -> dict[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The list, or an empty one."""
    return value if isinstance(value, list) else []


def at(value: Any, *path: str) -> Any:
    """What is in nested objects at this path; None where a step is missing."""
    for step in path:
        value = dict_of(value).get(step)
    return value


def first_text(value: Any, *names: str) -> str:
    """The first of these fields that holds a text: a field's names over the versions of an interface."""
    return next((found for name in names if (found := text_of(at(value, name)))), "")


def count_of(value: Any) -> int | None:
    """A count: a whole number from 0 on, written as number or digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 17:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _LARGEST:
        return None
    return value


def moment_of(value: Any) -> datetime | None:
    """An ISO date with time, aware UTC (without a zone it is UTC); None where it is none."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def kept(value: Any, names: Iterable[str]) -> dict[str, Any]:
    """These fields of an object, as JSON that can be stored: an allow-list, so that nothing secret slips through."""
    source = dict_of(value)
    return {name: storable(source[name]) for name in names if source.get(name) not in (None, "", [], {})}


def storable(value: Any, depth: int = 0) -> Any:
    """A copy that can be stored: clean texts, finite numbers, no endless depth."""
    if isinstance(value, dict):
        if depth >= _DEEPEST:
            return {}
        return {text_of(key): storable(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner, depth + 1) for inner in value] if depth < _DEEPEST else []
    if isinstance(value, str):
        return text_of(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    return text_of(value)


def reason_in(data: Any) -> str:
    """The words in which an error body says why, wherever vendors put them; "" where it says nothing."""
    for _ in range(4):
        if isinstance(data, list):
            data = data[0] if data else None
        if isinstance(data, str):
            return text_of(data)
        if not isinstance(data, dict):
            return ""
        names = ("error_description", "message", "detail", "error", "errors", "reason", "title")
        found = [value for name in names if (value := data.get(name)) and isinstance(value, str | dict | list)]
        nested = [value for value in found if not isinstance(value, str)]
        data = (nested or found or [None])[0]
    return ""


def rejected(position: str, reason: str, item: Any) -> Reject:
    """An item that could not become a mention, cut to what can be stored."""
    try:
        raw = json.dumps(item, ensure_ascii=False)[:_RAW_LIMIT]
    except (RecursionError, TypeError, ValueError):
        raw = ""
    return Reject(position, reason, text_of(raw))
