"""Reading the report of a model: figures that somebody else wrote as JSON, of which any part may be missing or odd.

The shape is `domain.quality.Report`. What is well-formed is taken, the rest left out; nothing raises. A new key of the
shape is a row of `_HEAD` or `_PEOPLE`.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from domain.quality import NO, YES, HeadFigures, PeopleFigures, Report


def read_report(raw: object) -> Report:
    """What is known and well-formed in a model's report; anything else is left out, never an error."""
    whole = _mapping(raw)
    found: Report = {}
    if gold := {key: figures for key, value in _mapping(whole.get("gold")).items() if (figures := _head(value))}:
        found["gold"] = gold
    if people := {
        key: cast(PeopleFigures, known)
        for key, value in _mapping(whole.get("people")).items()
        if (known := _known(value, _PEOPLE))
    }:
        found["people"] = people
    return found


def _head(raw: object) -> HeadFigures:
    found = _known(raw, _HEAD)
    size = len(found.get("labels", ()))
    for key in ("confusion", "f1", "support"):
        if len(found.get(key, ())) != size:
            found.pop(key, None)
    return cast(HeadFigures, found)


def _known(raw: object, readers: Mapping[str, Callable[[Any], Any]]) -> dict[str, Any]:
    values = {key: reader(_mapping(raw).get(key)) for key, reader in readers.items()}
    return {key: value for key, value in values.items() if value is not None}


def _mapping(raw: object) -> Mapping[str, Any]:
    return {str(key): value for key, value in raw.items()} if isinstance(raw, Mapping) else {}


def _number(raw: Any, low: float = 0.0, high: float = 1.0) -> float | None:
    return float(raw) if isinstance(raw, int | float) and type(raw) is not bool and low <= raw <= high else None


def _count(raw: Any) -> int | None:
    number = _number(raw, 0.0, 1e12)
    return None if number is None else int(number)


def _all(raw: Any, reader: Callable[[Any], Any]) -> list[Any] | None:
    # A list whose members are all well-formed, else nothing.
    if not isinstance(raw, list | tuple):
        return None
    found = [reader(item) for item in raw]
    return None if any(item is None for item in found) else found


def _interval(raw: Any) -> list[float] | None:
    found = _all(raw, _number)
    return found if found is not None and len(found) == 2 and found[0] <= found[1] else None


def _bin(raw: Any) -> list[float] | None:
    found = _all(raw, lambda value: _number(value, 0.0, 1e12))
    return found if found is not None and len(found) == 3 and max(found[:2]) <= 1 else None


def _row_of_counts(raw: Any) -> list[int] | None:
    return _all(raw, _count)


def _table(raw: Any) -> list[list[int]] | None:
    found = _all(raw, _row_of_counts)
    return found if found is not None and all(len(row) == len(found) for row in found) else None


def _labels(raw: Any) -> list[str] | None:
    words = {True: YES, False: NO}
    return _all(raw, lambda tag: words[tag] if type(tag) is bool else str(tag))


def _abstention(raw: Any) -> dict[str, float] | None:
    keys = ("share", "accuracy", "accuracy_kept")
    found = _known(raw, dict.fromkeys(keys, _number))
    return found if len(found) == len(keys) else None


def _tags(raw: Any) -> dict[str, list[int]] | None:
    rows = {key: _row_of_counts(value) for key, value in _mapping(raw).items()}
    return {key: row for key, row in rows.items() if row and len(row) == 3} or None


_HEAD: dict[str, Callable[[Any], Any]] = {
    "n": _count,
    "macro_f1": _number,
    "interval": _interval,
    "accuracy": _number,
    "calibration_error": _number,
    "bins": lambda raw: _all(raw, _bin),
    "abstention": _abstention,
    "labels": _labels,
    "confusion": _table,
    "f1": lambda raw: _all(raw, _number),
    "support": _row_of_counts,
    "tags": _tags,
}
_PEOPLE: dict[str, Callable[[Any], Any]] = {
    "agreement": _number,
    "kappa": lambda raw: _number(raw, -1.0, 1.0),
    "n": _count,
}
