"""Watches that name others: `list:concurrents` stands for the watch “Concurrents”, such as a set of competitors. Pure.

Collectors never see a list: what they are asked for is expanded before (`expand`).
"""

from collections.abc import Iterable, Mapping

from domain.errors import InputError
from domain.watch import MAX_LENGTH, Lists, fold, lists_named, parse


def key_of(name: str) -> str:
    """How a watch is named in an expression: without case and accents, `-` for blanks."""
    return "-".join(fold(name).split())


def check(query: str, names: Iterable[str]) -> None:
    """Raises InputError as `parse` does, with the place in what the person wrote.

    Args:
        names: of the watches that may be named.
    """
    known = {key_of(name) for name in names}
    lists: Lists = dict.fromkeys(known, ("x",))
    written = {name: ("x",) for _, _, name in lists_named(query) if key_of(name) in known}
    parse(query, {**lists, **written})


def expand(query: str, named: Mapping[str, str], within: tuple[str, ...] = ()) -> str:
    """The expression with what its lists stand for in their places.

    Args:
        named: key of a watch -> its expression.
        within: keys that may not be named, as they are being expanded.

    Raises:
        InputError: a list is unknown, names itself in a circle, or makes the expression too long.
    """
    parts, end = [], 0
    for start, stop, name in lists_named(query):
        key = key_of(name)
        if key in within:
            raise InputError(f"“list:{name}” leads back to where it is named. Name another watch.")
        if key not in named:
            raise InputError(f"There is no list “{name}” (at character {start + 1}). Known: {_known(named)}.")
        parts += [query[end:start], f"({expand(named[key], named, (*within, key))})"]
        end = stop
    whole = "".join([*parts, query[end:]])
    if len(whole) > MAX_LENGTH:
        raise InputError(
            f"With its lists, the expression has {len(whole):,} characters; at most {MAX_LENGTH:,} are read."
        )
    return whole


def _known(named: Mapping[str, str]) -> str:
    return ", ".join(named) or "none yet"
