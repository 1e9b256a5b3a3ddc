"""A watch in Reddit's search language: phrases, AND, OR, parentheses, `author:`. Pure; the rest is filtered here.

Reddit finds posts only, and looks for word stems, so nothing is negated in a query: what would be left out by it might be
wanted. How queries are put together and split is `domain.watch_query`.
"""

import re

from domain.contracts import Watch
from domain.watch import Either, Narrow, Phrase, Word, parse
from domain.watch_query import Dialect, left_out, write

MAX_LENGTH = 500  # Reddit takes 512 characters
MAX_QUERIES = 5
_NAME = re.compile(r"[\w-]{3,20}", re.ASCII)


def searches(watch: Watch, own_name: str = "") -> tuple[str, ...]:
    """What to search for; none where nothing is watched, or where Reddit's search cannot narrow it.

    Args:
        own_name: our account, whose name is heard of without searching.

    Raises:
        InputError: the expression of the watch cannot be read.
    """
    names = [account.strip().lstrip("@").removeprefix("u/") for account in watch.accounts]
    words = [*watch.terms, *(name for name in names if name.casefold() != own_name.casefold())]
    # as they are written: the watch language does without accents, which Reddit may not
    found = [f'"{clean}"' for word in words if (clean := word.replace('"', " ").strip(" #@"))]
    if watch.query.strip():
        expression = parse(watch.query)
        parts = expression.parts if isinstance(expression, Either) else (expression,)
        found += [query for part in parts for query in write(part, _DIALECT).queries]
    return tuple(_packed(list(dict.fromkeys(found))))[:MAX_QUERIES]


def left_for_us(watch: Watch) -> tuple[str, ...]:
    """Pieces of the watch's expression that Reddit cannot write."""
    return left_out(parse(watch.query), _DIALECT) if watch.query.strip() else ()


def _packed(parts: list[str]) -> list[str]:
    """As few queries as possible, each short enough."""
    queries: list[str] = []
    for part in (part for part in parts if len(part) <= MAX_LENGTH):
        joined = f"{queries[-1]} OR {_grouped(part)}" if queries else _grouped(part)
        if queries and len(joined) <= MAX_LENGTH:
            queries[-1] = joined
        else:
            queries.append(_grouped(part))
    return queries


def _grouped(part: str) -> str:
    return f"({part})" if " AND " in part or " OR " in part else part


def _written(piece: Word | Phrase | Narrow) -> str | None:
    if isinstance(piece, Narrow):
        return f"author:{piece.value}" if piece.field == "author" and _NAME.fullmatch(piece.value) else None
    words = piece.words if isinstance(piece, Phrase) else (piece,)
    bare = [word.text.lstrip("#@") for word in words]
    if any(word.prefix for word in words) or not all(bare):
        return None
    if isinstance(piece, Phrase) and piece.distance is not None:
        return "(" + " AND ".join(f'"{word}"' for word in bare) + ")"
    return f'"{" ".join(bare)}"'


_DIALECT = Dialect(
    _written, MAX_LENGTH - 2, exact=lambda _: False, both=" AND ", either=" OR ", negate=None, group="({})"
)
