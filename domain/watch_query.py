"""A watch in a network's own query language: as narrow as the network can write it, never narrower than what was meant.

A Dialect says how a network writes each piece; what it cannot write is left out in such a way that the query still finds
everything (a part of an AND is dropped, an OR with such a part cannot be written at all). Whoever sends the query filters
the answers by `Expression.matches`. A long OR becomes several queries.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from domain.watch import Both, Either, Except, Expression, Narrow, Phrase, Word

Writer = Callable[[Word | Phrase | Narrow], str | None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a network writes queries.

    Attributes:
        write: a word, phrase or condition in its language; None where it has none.
        exact: whether what `write` gives finds just what is meant, so that it may be negated.
        both, either: what joins parts, with blanks.
        negate: text with a hole for the part, e.g. ``-{}``; None where it cannot leave anything out.
        group: text with a hole, e.g. ``({})``; None where it has no parentheses.
        max_length: characters of one query.
    """

    write: Writer
    max_length: int
    exact: Callable[[Word | Phrase | Narrow], bool] = lambda _: True
    both: str = " "
    either: str = " OR "
    negate: str | None = "-{}"
    group: str | None = "({})"


@dataclass(frozen=True, slots=True)
class Written:
    """Queries that together find all that is meant.

    Attributes:
        queries: none where the network cannot narrow anything: then everything must be read.
        exact: whether nothing else is found, so that a count is a count.
    """

    queries: tuple[str, ...]
    exact: bool


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str | None  # None: anything
    exact: bool
    simple: bool = True  # needs no parentheses


def write(expression: Expression, dialect: Dialect) -> Written:
    """The expression in a network's language."""
    expression = _plain(expression)
    whole = _piece(expression, dialect)
    if whole.text is None or isinstance(expression, Except):
        return Written((), False)
    if len(whole.text) <= dialect.max_length:
        return Written((whole.text,), whole.exact)
    if isinstance(expression, Either):
        return _split(expression, dialect)
    if isinstance(expression, Both):
        return _shortened(expression, dialect)
    return Written((), False)


def left_out(expression: Expression, dialect: Dialect, *, wider: bool = False) -> tuple[str, ...]:
    """The pieces that the network cannot write, as a person would: what is filtered here.

    Args:
        wider: also those that it writes, but finds more by than was meant.
    """
    return tuple(dict.fromkeys(_left_out(_plain(expression), dialect, wider)))


def _left_out(expression: Expression, dialect: Dialect, wider: bool) -> Iterator[str]:
    if isinstance(expression, Word | Phrase | Narrow):
        if dialect.write(expression) is None or (wider and not dialect.exact(expression)):
            yield shown(expression)
    elif isinstance(expression, Except):
        if _piece(expression, dialect).text is None:
            yield shown(expression)
    else:
        for part in expression.parts:
            dropped = isinstance(expression, Both) and _grouped(_piece(part, dialect), dialect) is None
            yield from [_inside(part)] if dropped else _left_out(part, dialect, wider)


def shown(expression: Expression) -> str:
    """The expression in the watch language; read again, it means the same."""
    if isinstance(expression, Word):
        return f"{expression.text}{'*' if expression.prefix else ''}"
    if isinstance(expression, Phrase):
        words = " ".join(map(shown, expression.words))
        return f'"{words}"' + (f"~{expression.distance}" if expression.distance is not None else "")
    if isinstance(expression, Narrow):
        sign = "" if expression.operator == "=" else expression.operator
        return f"{expression.field}:{sign}{expression.value}"
    if isinstance(expression, Except):
        return f"-{_inside(expression.part)}"
    if isinstance(expression, Either):
        return " OR ".join(map(shown, expression.parts))
    return " ".join(map(_inside, expression.parts))


def _inside(expression: Expression) -> str:
    text = shown(expression)
    return f"({text})" if isinstance(expression, Both | Either) else text


def _plain(expression: Expression) -> Expression:
    # not not a = a: a part counts as positive where it is
    if isinstance(expression, Except):
        inner = _plain(expression.part)
        return inner.part if isinstance(inner, Except) else Except(inner)
    if isinstance(expression, (Both, Either)):
        return type(expression)(tuple(_plain(part) for part in expression.parts))
    return expression


def _split(expression: Either, dialect: Dialect) -> Written:
    # Parts are packed in their order; a part that is too long alone is shortened by itself.
    queries: list[str] = []
    exact, packed = True, ""
    for part in expression.parts:
        piece = _piece(part, dialect)
        text = _grouped(piece, dialect)
        if text is None or len(text) > dialect.max_length:
            found = write(part, dialect)
            if not found.queries:
                return Written((), False)
            queries.extend(found.queries)
            exact = exact and found.exact
            continue
        exact = exact and piece.exact
        joined = f"{packed}{dialect.either}{text}" if packed else text
        if len(joined) > dialect.max_length:
            queries.append(packed)
            joined = text
        packed = joined
    return Written((*queries, packed) if packed else tuple(queries), exact)


def _shortened(expression: Both, dialect: Dialect) -> Written:
    # The longest parts are left to the filter until the rest fits.
    parts = list(expression.parts)
    while len(parts) > 1:
        parts.remove(max(parts, key=lambda part: len(_piece(part, dialect).text or "")))
        piece = _piece(parts[0] if len(parts) == 1 else Both(tuple(parts)), dialect)
        if piece.text is not None and len(piece.text) <= dialect.max_length:
            return Written((piece.text,), False)
    found = write(parts[0], dialect)
    return Written(found.queries, False)


def _piece(expression: Expression, dialect: Dialect) -> _Piece:
    if isinstance(expression, (Word, Phrase, Narrow)):
        text = dialect.write(expression)
        return _Piece(text, text is not None and dialect.exact(expression))
    if isinstance(expression, Except):
        inner = _piece(expression.part, dialect)
        text = _grouped(inner, dialect)
        if text is None or not inner.exact or dialect.negate is None:
            return _Piece(None, False)
        return _Piece(dialect.negate.format(text), True)
    pieces = [_piece(part, dialect) for part in expression.parts]
    if isinstance(expression, Both):
        kept = [piece for piece in pieces if _grouped(piece, dialect) is not None]
        # a query made of negations only is refused everywhere
        said = [part for part, piece in zip(expression.parts, pieces, strict=True) if piece in kept]
        if not any(not isinstance(part, Except) for part in said):
            return _Piece(None, False)
        texts = [str(_grouped(piece, dialect)) for piece in kept]
        exact = len(kept) == len(pieces) and all(piece.exact for piece in kept)
        return _Piece(dialect.both.join(texts), exact, simple=len(texts) == 1)
    texts_or_none = [_grouped(piece, dialect) for piece in pieces]
    if None in texts_or_none or any(isinstance(part, Except) for part in expression.parts):
        return _Piece(None, False)
    exact = all(piece.exact for piece in pieces)
    return _Piece(dialect.either.join(str(text) for text in texts_or_none), exact, simple=False)


def _grouped(piece: _Piece, dialect: Dialect) -> str | None:
    if piece.text is None or piece.simple:
        return piece.text
    return dialect.group.format(piece.text) if dialect.group else None
