"""A watch in X's search language: what X can narrow it narrows, the rest is filtered here.

X cannot write beginnings of words, distances or ratings, refuses a negated group, and wants at least one word to look for.
Our own posts and those that name our account are left out of every query: they are read by cheaper ways. How queries are
put together and split is `domain.watch_query`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from domain.contracts import Watch
from domain.watch import Both, Either, Except, Expression, Narrow, Phrase, Word, parse
from domain.watch_query import Dialect, left_out, write

RECENT_LENGTH, ARCHIVE_LENGTH, ENTERPRISE_LENGTH = 512, 1_024, 4_096  # docs.x.com, “Search Operators”
_HANDLE = re.compile(r"[A-Za-z0-9_]{1,15}")
_PLAIN_WORD = re.compile(r"[^\W_]+")
_TOKEN = re.compile(r'-?"[^"]*"|[^\s()]+')
_OPERATORS = frozenset({"and", "or", "not"})
_THEIR_LANGUAGES = {"id": "in", "he": "iw"}
_LANGUAGES = re.compile(
    "am|ar|bg|bn|ca|cs|da|de|el|en|es|et|eu|fa|fi|fr|gu|he|hi|hr|hy|id|it|ja|ka|kn|ko|lt|lv|ml|mr|nl|no|pl|pt|ro|ru"
    "|sk|sl|sr|sv|ta|te|th|tr|uk|ur|vi"
)


@dataclass(frozen=True, slots=True)
class Search:
    """Queries for one watch.

    Attributes:
        queries: together they find all that the watch wants on X.
        exact: they find nothing else.
        problem: why there is none; empty where there are some, or where nothing is watched.
        left: what X cannot write, and is filtered here.
    """

    queries: tuple[str, ...] = ()
    exact: bool = True
    problem: str = ""
    left: tuple[str, ...] = ()


def searches(watch: Watch, handle: str, length: int = RECENT_LENGTH) -> Search:
    """What to search for.

    Args:
        handle: of our account.
        length: characters that X takes.

    Raises:
        InputError: the expression of the watch cannot be read.
    """
    wanted = _expression(watch, handle)
    if wanted is None:
        return Search()
    settled = _settled(_pushed(wanted))
    if settled is False:
        return Search()  # meant for other networks
    if settled is True or not _has_words(settled):
        return Search(problem="X can only be searched for whole words, hashtags or accounts: add one to the watch.")
    suffix = f" -from:{handle} -@{handle} -is:retweet"
    dialect = Dialect(_written, length - len(suffix) - 2, exact=_exact)
    written = write(settled, dialect)
    if not written.queries or not all(map(_names_something, written.queries)):
        return Search(problem="The watch is too long for X: cut it in two.")
    queries = tuple(f"{_grouped(query)}{suffix}" for query in written.queries)
    return Search(queries, written.exact, left=left_out(settled, dialect, wider=True))


def thread_searches(conversations: Sequence[str], handle: str, length: int = RECENT_LENGTH) -> list[str]:
    """Queries for what is said in these conversations by others, without naming our account."""
    suffix = f" -from:{handle} -@{handle} -is:retweet"
    queries: list[str] = []
    packed: list[str] = []
    for conversation in conversations:
        part = f"conversation_id:{conversation}"
        if packed and len(" OR ".join([*packed, part])) + len(suffix) + 2 > length:
            queries.append(_grouped(" OR ".join(packed)) + suffix)
            packed = []
        packed.append(part)
    if packed:
        queries.append(_grouped(" OR ".join(packed)) + suffix)
    return queries


def mention_search(handle: str) -> str:
    """The query for posts that name our account."""
    return f"@{handle} -from:{handle} -is:retweet"


def _grouped(query: str) -> str:
    return f"({query})" if " OR " in query else query


def _expression(watch: Watch, handle: str) -> Expression | None:
    parts: list[Expression] = []
    if watch.query.strip():
        parts.append(parse(watch.query))
    for term in watch.terms:
        clean = term.replace('"', " ").strip()
        if clean:
            parts.append(parse(f'"{clean}"'))
    for account in watch.accounts:
        name = account.strip().lstrip("@")
        if name and name.lower() != handle.lower():
            parts.append(Word(f"@{name.lower()}"))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else Either(tuple(parts))


def _pushed(expression: Expression, *, negated: bool = False) -> Expression:
    # X refuses -(a OR b): negations go down to words.
    if isinstance(expression, Except):
        return _pushed(expression.part, negated=not negated)
    if isinstance(expression, Both | Either):
        joint = Both if isinstance(expression, Both) != negated else Either
        parts: list[Expression] = []
        for part in expression.parts:
            pushed = _pushed(part, negated=negated)
            parts += pushed.parts if isinstance(pushed, joint) else [pushed]
        return joint(tuple(parts))
    return Except(expression) if negated else expression


def _settled(expression: Expression) -> Expression | bool:
    """Without conditions whose answer is known on X: True or False where nothing else is left."""
    if isinstance(expression, Narrow):
        if expression.field == "network":
            return expression.value == "x"
        if expression.field == "kind":
            return expression.value == "post"
        return False if expression.field == "rating" else expression
    if isinstance(expression, Except):
        inner = _settled(expression.part)
        return not inner if isinstance(inner, bool) else Except(inner)
    if not isinstance(expression, Both | Either):
        return expression
    every = isinstance(expression, Both)
    parts = [_settled(part) for part in expression.parts]
    if (not every) in parts:
        return not every
    left = [part for part in parts if not isinstance(part, bool)]
    if len(left) < 2:
        return left[0] if left else every
    return type(expression)(tuple(left))


def _has_words(expression: Expression) -> bool:
    """Whether each way in which it can hold needs something that X searches for."""
    if isinstance(expression, Both):
        return any(_has_words(part) for part in expression.parts)
    if isinstance(expression, Either):
        return all(_has_words(part) for part in expression.parts)
    if isinstance(expression, Narrow) and expression.field != "author":
        return False
    return not isinstance(expression, Except) and _written(expression) is not None


def _names_something(query: str) -> bool:
    # Shortening may have left nothing but a language, which X refuses.
    return any(not piece.startswith(("-", "lang:")) and piece != "OR" for piece in _TOKEN.findall(query))


def _written(part: Word | Phrase | Narrow) -> str | None:
    if isinstance(part, Word):
        return _word(part)
    if isinstance(part, Phrase):
        return _phrase(part)
    if part.field == "lang":
        return f"lang:{_THEIR_LANGUAGES.get(part.value, part.value)}" if _LANGUAGES.fullmatch(part.value) else None
    if part.field == "author" and _HANDLE.fullmatch(part.value):
        return f"from:{part.value}"
    return None


def _word(word: Word) -> str | None:
    if word.prefix:
        return None
    if word.text.startswith("@"):
        return word.text if _HANDLE.fullmatch(word.text[1:]) else None
    if word.text.startswith("#"):
        return word.text if _PLAIN_WORD.fullmatch(word.text[1:].replace("_", "")) else f'"{word.text[1:]}"'
    plain = _PLAIN_WORD.fullmatch(word.text) and word.text not in _OPERATORS
    return word.text if plain else f'"{word.text}"'


def _phrase(phrase: Phrase) -> str | None:
    whole = [word.text.lstrip("#@") for word in phrase.words if not word.prefix]
    if phrase.distance is None and len(whole) == len(phrase.words):
        return '"' + " ".join(whole) + '"'
    written = [text for word in phrase.words if (text := _word(word))]
    if len(written) < 2:
        return written[0] if written else None
    return "(" + " ".join(written) + ")"


def _exact(part: Word | Phrase | Narrow) -> bool:
    return not (isinstance(part, Phrase) and (part.distance is not None or any(word.prefix for word in part.words)))
