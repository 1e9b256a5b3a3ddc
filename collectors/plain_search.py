"""Watches for searches that know words side by side and phrases, and nothing else: one question for each alternative. Pure.

What such a search cannot narrow is filtered here, by the watch itself (`domain.watch`).
"""

from collections.abc import Iterator

from domain.contracts import Search, Watch
from domain.watch import Either, Except, Expression, Narrow, Phrase, Word, parse
from domain.watch_query import Dialect, left_out, write

MAX_QUESTIONS = 10


def asks(watch: Watch) -> bool:
    """Whether it asks for something in particular."""
    return bool(watch.terms or watch.accounts or watch.query)


def questions(watch: Watch, *, hashtags: bool = False, limit: int = MAX_QUESTIONS) -> tuple[str, ...]:
    """What to search for. Raises InputError where the watch's expression cannot be read.

    Args:
        hashtags: the search finds #words as such; where not, they are left out, see `hashtags`.
    """

    dialect = _dialect(hashtags=hashtags)
    found = [f'"{term}"' if " " in term.strip() else term for term in watch.terms if hashtags or term[:1] != "#"]
    found += [account.lstrip("@") for account in watch.accounts]
    if watch.query:
        expression = parse(watch.query)
        for part in expression.parts if isinstance(expression, Either) else (expression,):
            found += write(part, dialect).queries
    return tuple(dict.fromkeys(question.strip() for question in found if question.strip()))[:limit]


def search_of(watch: Watch, *, hashtags: bool = False, note: str = "") -> Search:
    """As CanSearch has it; `hashtags` as in `questions`."""
    left = left_out(parse(watch.query), _dialect(hashtags=hashtags)) if watch.query else ()
    return Search(questions(watch, hashtags=hashtags), exact=False, left=left, note=note)


def _dialect(*, hashtags: bool) -> Dialect:
    def written(piece: Word | Phrase | Narrow) -> str | None:
        if isinstance(piece, Word):
            if piece.prefix or (piece.text.startswith("#") and not hashtags):
                return None
            return piece.text.lstrip("@")
        if isinstance(piece, Phrase):
            words = " ".join(word.text.lstrip("#@") for word in piece.words if not word.prefix)
            return words if piece.distance is not None else f'"{words}"'
        return None

    return Dialect(written, max_length=200, exact=lambda _: False, negate=None, group=None)


def hashtags(watch: Watch) -> tuple[str, ...]:
    """Hashtags that a watch names, without #."""
    found = [term.strip("#") for term in watch.terms if term.startswith("#")]
    if watch.query:
        found += [word.text.strip("#") for word in _words(parse(watch.query)) if word.text.startswith("#")]
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _words(expression: Expression) -> Iterator[Word]:
    if isinstance(expression, Word):
        yield expression
    elif not isinstance(expression, Phrase | Narrow | Except):
        for part in expression.parts:
            yield from _words(part)
