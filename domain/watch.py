"""What to listen to, as one Boolean language for all networks; French or English words for the operators.

    livraison OU "bon de réduction" SAUF concours      (ormelune "pull marin"~4) -lang:en network:x author:@marie

Side by side means AND, which binds tighter than OR; AND OR NOT NEAR/n may be written ET OU SAUF PROCHE/n, NOT also as a minus.
Words compare without case and accents, `livr*` by its beginning, "…" as a phrase, "…"~n with at most n words in between.
`lang: network: author: kind: rating:` narrow, `list:name` stands for any entry of a list (competitors, product names). How a
network writes the same is in watch_query.py; what it cannot write is filtered here, by `Expression.matches`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from domain.contracts import Watch
from domain.errors import InputError
from domain.mention import Mention, MentionKind

Lists = Mapping[str, Sequence[str]]
MAX_LENGTH = 4_000  # characters of an expression
MAX_DEPTH = 40
_WORD = re.compile(r"[#@]?[^\W_]+(?:[_'’-][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Said:
    """A mention as expressions see it: folded words, and what narrows."""

    words: tuple[str, ...]
    lang: str
    network: str
    authors: frozenset[str]
    kind: str
    rating: int | None


@dataclass(frozen=True, slots=True)
class Word:
    """One word; with `prefix`, any word that begins with it. ``#promo`` and ``@shop`` match only as such."""

    text: str
    prefix: bool = False

    def matches(self, said: Said) -> bool:
        """Whether it was said."""
        return any(_same(self, word) for word in said.words)


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words one after the other; with `distance`, in any order with at most so many other words in between."""

    words: tuple[Word, ...]
    distance: int | None = None

    def matches(self, said: Said) -> bool:
        """Whether it was said."""
        if self.distance is not None:
            return self._near(said.words, self.distance)
        count = len(self.words)
        return any(
            all(_same(word, said.words[at + place]) for place, word in enumerate(self.words))
            for at in range(len(said.words) - count + 1)
        )

    def _near(self, words: Sequence[str], distance: int) -> bool:
        places = [[at for at, word in enumerate(words) if _same(wanted, word)] for wanted in self.words]
        width = len(self.words) + distance
        return all(places) and any(
            all(any(first <= at < first + width for at in found) for found in places)
            for first in sorted({at for found in places for at in found})
        )


@dataclass(frozen=True, slots=True)
class Narrow:
    """A condition on what surrounds the text: ``lang``, ``network``, ``author``, ``kind``, or ``rating`` with an operator."""

    field: str
    value: str
    operator: str = "="

    def matches(self, said: Said) -> bool:
        """Whether the mention is of this kind; unknown where the source does not tell, which is no."""
        if self.field == "author":
            return self.value in said.authors
        if self.field == "rating":
            return said.rating is not None and _compare(said.rating, self.operator, int(self.value))
        return str(getattr(said, self.field)) == self.value


@dataclass(frozen=True, slots=True)
class Both:
    """All of the parts."""

    parts: tuple["Expression", ...]

    def matches(self, said: Said) -> bool:
        """Whether each part holds."""
        return all(part.matches(said) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of the parts."""

    parts: tuple["Expression", ...]

    def matches(self, said: Said) -> bool:
        """Whether some part holds."""
        return any(part.matches(said) for part in self.parts)


@dataclass(frozen=True, slots=True)
class Except:
    """Not this."""

    part: "Expression"

    def matches(self, said: Said) -> bool:
        """Whether the part does not hold."""
        return not self.part.matches(said)


Expression = Word | Phrase | Narrow | Both | Either | Except


def said(mention: Mention) -> Said:
    """What expressions see of a mention: its title and text, and what the source tells of it."""
    author = mention.author
    names = [author.handle, author.name, author.native_id] if author else []
    return Said(
        words=tuple(_words(f"{mention.title}\n{mention.text}")),
        lang=(mention.lang_hint or "").lower()[:2],
        network=mention.network,
        authors=frozenset(fold(name).lstrip("@") for name in names if name),
        kind=mention.kind.value,
        rating=mention.rating,
    )


def watch_matches(watch: Watch, mention: Mention) -> bool:
    """Whether a watch wants this mention; an empty watch wants all.

    Raises:
        InputError: its expression cannot be read.
    """
    if not (watch.terms or watch.accounts or watch.query):
        return True
    heard = said(mention)
    if watch.query and _parsed(watch.query).matches(heard):
        return True
    return any(_of_term(term).matches(heard) for term in (*watch.terms, *(f"@{a.lstrip('@')}" for a in watch.accounts)))


def fold(text: str) -> str:
    """Lower case, without accents."""
    lowered = text.lower()
    if lowered.isascii():
        return lowered
    plain = unicodedata.normalize("NFKD", lowered.replace("œ", "oe").replace("æ", "ae"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def parse(query: str, lists: Lists | None = None) -> Expression:
    """The expression that a person wrote.

    Args:
        lists: name -> entries, for `list:name`.

    Raises:
        InputError: it cannot be read; the message says where and what to change.
    """
    if len(query) > MAX_LENGTH:
        raise InputError(
            f"The expression has {len(query):,} characters; at most {MAX_LENGTH:,} are read. Cut it in two."
        )
    tokens = _tokens(query)
    if not tokens:
        raise InputError("The expression is empty. Write at least one word to listen to.")
    parser = _Parser(tokens, lists or {})
    found = parser.either(0)
    if parser.at < len(tokens):
        raise InputError(
            f"“{tokens[parser.at].text}” at character {tokens[parser.at].start + 1} closes nothing. Remove it."
        )
    if _says_only_what_not(found):
        raise InputError("The expression only says what to leave out. Add a word to listen to.")
    return found


@lru_cache(maxsize=256)
def _parsed(query: str) -> Expression:
    return parse(query)


@lru_cache(maxsize=1024)
def _of_term(term: str) -> Expression:
    words = _as_words(term)
    return words[0] if len(words) == 1 else Phrase(words)


def _says_only_what_not(found: Expression) -> bool:
    if isinstance(found, Both):
        return all(_says_only_what_not(part) for part in found.parts)
    if isinstance(found, Either):
        return any(_says_only_what_not(part) for part in found.parts)
    return isinstance(found, Except)


# -- words -----------------------------------------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    found = []
    for match in _WORD.finditer(fold(text)):
        found.append(match[0])
        pieces = re.split(r"[_'’-]", match[0].lstrip("#@"))
        if len(pieces) > 1:
            found.extend(piece for piece in pieces if piece)
    return found


def _same(wanted: Word, word: str) -> bool:
    if wanted.text[0] not in "#@":
        word = word.lstrip("#@")
    return word.startswith(wanted.text) if wanted.prefix else word == wanted.text


def _as_words(text: str) -> tuple[Word, ...]:
    found = []
    for match in re.finditer(rf"({_WORD.pattern})(\*?)", fold(text)):
        pieces = [match[1]] if match[1][0] in "#@" else [piece for piece in re.split(r"['’]", match[1]) if piece]
        found += [Word(piece, bool(match[2]) and piece == pieces[-1]) for piece in pieces]
    if not found:
        raise InputError(f"“{text}” holds no word. Write letters or digits between the quotes.")
    return tuple(found)


def _compare(value: int, operator: str, other: int) -> bool:
    return {"=": value == other, "<": value < other, ">": value > other, "<=": value <= other, ">=": value >= other}[
        operator
    ]


# -- reading ---------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int


_OPERATORS = {"and": "and", "et": "and", "&": "and", "or": "or", "ou": "or", "|": "or", "not": "not", "sauf": "not"}
_TOKEN = re.compile(
    r'(?P<phrase>"(?P<inside>[^"]*)"(?:~(?P<distance>\d{1,3}))?)'
    r"|(?P<near>(?:NEAR|PROCHE)/(?P<width>\d{1,3}))"
    r"|(?P<open>\()|(?P<close>\))|(?P<sign>[&|])"
    r"|(?P<minus>-(?=\S))"
    r"|(?P<narrow>(?P<field>[a-zé]+):(?P<value>[<>]?=?@?[^\s()\"]+))"
    r"|(?P<word>[^\s()\"&|]+)"
)


def _tokens(query: str) -> list[_Token]:
    found = []
    if query.count('"') % 2:
        raise InputError(f"The quote at character {query.rindex(chr(34)) + 1} is never closed. Add the missing one.")
    for match in _TOKEN.finditer(query):
        kind, text = str(match.lastgroup), match[0]
        for name in ("phrase", "near", "open", "close", "sign", "minus", "narrow", "word"):
            if match[name] is not None:
                kind = name
                break
        # operators are written in capitals, so that the French words “et”, “ou” can be listened to
        if kind == "sign" or (kind == "word" and text.isupper() and text.lower() in _OPERATORS):
            kind = _OPERATORS[text.lower()]
        found.append(_Token("not" if kind == "minus" else kind, text, match.start()))
    return found


_FIELDS = {
    "lang": "lang", "langue": "lang", "network": "network", "réseau": "network", "reseau": "network",
    "author": "author", "auteur": "author", "kind": "kind", "type": "kind", "rating": "rating", "note": "rating",
    "list": "list", "liste": "list",
}  # fmt: skip


def lists_named(query: str) -> list[tuple[int, int, str]]:
    """(beginning, end, name) of every `list:name` that the expression holds."""
    found = []
    for token in _tokens(query):
        field, _, value = token.text.partition(":")
        if token.kind == "narrow" and _FIELDS.get(field) == "list":
            found.append((token.start, token.start + len(token.text), value))
    return found


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: Sequence[_Token], lists: Lists) -> None:
        self.tokens, self.lists, self.at = tokens, lists, 0

    def _peek(self) -> str:
        return self.tokens[self.at].kind if self.at < len(self.tokens) else "end"

    def either(self, depth: int) -> Expression:
        """Parts between OR."""
        if depth > MAX_DEPTH:
            raise InputError(f"More than {MAX_DEPTH} parentheses are open at once. Simplify the expression.")
        parts = [self.both(depth)]
        while self._peek() == "or":
            self.at += 1
            parts.append(self.both(depth))
        return parts[0] if len(parts) == 1 else Either(tuple(parts))

    def both(self, depth: int) -> Expression:
        """Parts side by side, or between AND."""
        parts = [self.near(depth)]
        while self._peek() not in {"or", "close", "end"}:
            if self._peek() == "and":
                self.at += 1
            parts.append(self.near(depth))
        return parts[0] if len(parts) == 1 else Both(tuple(parts))

    def near(self, depth: int) -> Expression:
        """Two words or phrases with NEAR/n between them."""
        left = self.one(depth)
        while self._peek() == "near":
            token = self.tokens[self.at]
            self.at += 1
            right = self.one(depth)
            words = []
            for side in (left, right):
                if isinstance(side, Word):
                    words.append(side)
                elif isinstance(side, Phrase):
                    words.extend(side.words)
                else:
                    raise InputError(
                        f"{token.text} at character {token.start + 1} stands between words or phrases only."
                    )
            left = Phrase(tuple(words), int(token.text.split("/")[1]))
        return left

    def one(self, depth: int) -> Expression:
        """A word, a phrase, a condition, a negation, or something in parentheses."""
        if self.at >= len(self.tokens):
            raise InputError("The expression ends too early: a word is missing at its end.")
        token = self.tokens[self.at]
        self.at += 1
        where = f"at character {token.start + 1}"
        if token.kind == "not":
            return Except(self.one(depth + 1))
        if token.kind == "open":
            inside = self.either(depth + 1)
            if self._peek() != "close":
                raise InputError(f"The parenthesis {where} is never closed. Add the missing one.")
            self.at += 1
            return inside
        if token.kind == "phrase":
            inside_text, _, distance = token.text[1:].rpartition('"')
            words = _as_words(inside_text)
            return words[0] if len(words) == 1 else Phrase(words, int(distance[1:]) if distance else None)
        if token.kind == "narrow":
            return self._narrow(token, where)
        if token.kind == "word":
            words = _as_words(token.text)
            return words[0] if len(words) == 1 else Phrase(words)
        raise InputError(f"A word is missing before “{token.text}” {where}.")

    def _narrow(self, token: _Token, where: str) -> Expression:
        name, _, value = token.text.partition(":")
        field = _FIELDS.get(name)
        if field is None:
            known = "lang, network, author, kind, rating, list"
            raise InputError(f"“{name}:” {where} is no condition. Use one of {known}, or put the word between quotes.")
        if field == "list":
            if value not in self.lists:
                raise InputError(f"There is no list “{value}” ({where}). Known: {', '.join(self.lists) or 'none yet'}.")
            entries = [_as_words(entry) for entry in self.lists[value]]
            parts = [words[0] if len(words) == 1 else Phrase(words) for words in entries]
            return parts[0] if len(parts) == 1 else Either(tuple(parts))
        if field == "rating":
            match = re.fullmatch(r"([<>]?=?)([1-5])", value)
            if match is None:
                raise InputError(f"“{token.text}” {where}: write a number of stars from 1 to 5, such as rating:<=2.")
            return Narrow(field, match[2], match[1] or "=")
        if field == "kind" and value not in set(MentionKind):
            raise InputError(f"“{value}” {where} is no kind of message. Use one of {', '.join(MentionKind)}.")
        if field == "lang" and not re.fullmatch(r"[a-z]{2}", value):
            raise InputError(f"“{value}” {where} is no language. Write two letters, such as lang:fr.")
        return Narrow(field, fold(value).lstrip("@"))
