"""X's search language as far as our queries use it, for the fake: words, phrases, @ and #, from: to: conversation_id: lang:
-is:retweet, OR, groups and minus; with the refusals that X documents.

Written from "Search Operators" and "Build a query" (docs.x.com, as of 2026-08-22), independently of collectors/x_query.py.
"""

import re
import unicodedata
from collections.abc import Callable
from typing import Any

Post = dict[str, Any]
Test = Callable[[Post], bool]
_TOKEN = re.compile(r'\s*(-?\(|\)|OR\b|-?"[^"]*"|-?[^\s()]+)')
_STANDALONE_NOT = ("is:", "has:", "lang:")


class BadQueryError(Exception):
    """X would answer with status 400."""


def matcher(query: str, max_length: int = 512) -> Test:
    """A test whether a post is found; posts have text, handle, conversation_id, lang, names, retweet."""
    if len(query) > max_length:
        raise BadQueryError(f"There were errors processing your request: query too long: {len(query)}")
    tokens = [match[1] for match in _TOKEN.finditer(query)]
    parser = _Parser(tokens)
    test = parser.either()
    if parser.at != len(tokens):
        raise BadQueryError(f"unexpected {tokens[parser.at]}")
    if not parser.standalone:
        raise BadQueryError("query has no standalone operator")
    return test


class _Parser:
    def __init__(self, tokens: list[str]) -> None:
        self.tokens, self.at, self.standalone = tokens, 0, False

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def either(self) -> Test:
        parts = [self.both()]
        while self.peek() == "OR":
            self.at += 1
            parts.append(self.both())
        return lambda post: any(part(post) for part in parts)

    def both(self) -> Test:
        parts = []
        while self.peek() not in {"", ")", "OR"}:
            parts.append(self.one())
        if not parts:
            raise BadQueryError("an operand is missing")
        return lambda post: all(part(post) for part in parts)

    def one(self) -> Test:
        token = self.peek()
        self.at += 1
        if token == "-(":
            raise BadQueryError("negated groups are not supported")
        if token == "(":
            inside = self.either()
            if self.peek() != ")":
                raise BadQueryError("unbalanced parentheses")
            self.at += 1
            return inside
        negative = token.startswith("-")
        test = _operator(token.removeprefix("-"))
        if not negative and not token.startswith(_STANDALONE_NOT):
            self.standalone = True
        return (lambda post: not test(post)) if negative else test


def _operator(token: str) -> Test:
    name, colon, value = token.partition(":")
    if colon and name in {"from", "to", "conversation_id", "lang", "is"}:
        return _field(name, value)
    if token.startswith('"'):
        phrase = f" {' '.join(_words(token))} "
        return lambda post: phrase in f" {' '.join(_words(post['text']))} "
    if token.startswith("@"):
        return lambda post: token[1:].lower() in post["names"]
    if token.startswith("#"):
        return lambda post: fold(token) in _tags(post["text"])
    if not re.fullmatch(r"\w+", token):
        raise BadQueryError(f"cannot parse {token}")
    return lambda post: fold(token) in _words(post["text"])


def _field(name: str, value: str) -> Test:
    if name == "is":
        if value != "retweet":
            raise BadQueryError(f"is:{value} is not known here")
        return lambda post: post["retweet"]
    key = {"from": "handle", "to": "answers", "conversation_id": "conversation_id", "lang": "lang"}[name]
    return lambda post: str(post[key]).lower() == value.lower()


def fold(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", fold(text))


def _tags(text: str) -> list[str]:
    return re.findall(r"#\w+", fold(text))
