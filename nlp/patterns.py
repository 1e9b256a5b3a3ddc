"""Cue lists and how they are found in a text: the reader of lexicons/*.txt and a trie over tokens.

A file holds sections: `[targets]` names what every pattern below it speaks for; patterns stand apart by commas or lines.
In a pattern: `a|b` either, `(a)` optional, `stem*` any ending, `word+` also feminine and plural, `~` up to three words
between and `~~` up to seven (no negation among them), `{n}` a class of words that a line `{n} = ...` names, `<` and `>`
the ends of the text. To add a cue, add a line to a file; nothing to change here.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from itertools import product, zip_longest
from typing import NamedTuple

from nlp.text import SENTENCE_ENDS, fold

START, END = "<", ">"
_GAPS = {"~": 3, "~~": 7}
_CACHE_LIMIT = 50_000
_NEVER_SKIPPED = SENTENCE_ENDS | {"not", "no", "never", "without", "pas", "jamais", "sans", "aucun", "aucune"}
_WRITTEN_OUT = frozenset({"est", "etait", "etaient"})
_TARGET = re.compile(r"([^\s:]+):?([+-]?[\d.]+)?")


class Entry(NamedTuple):
    """One cue: the pattern as written, and (target, weight) for everything that it speaks for."""

    pattern: str
    targets: tuple[tuple[str, float], ...]


class Match(NamedTuple):
    """Where a cue was found: tokens `start` to `end`, the end excluded."""

    start: int
    end: int
    entry: int


class _Node:
    __slots__ = ("edges", "entries", "gaps")

    def __init__(self) -> None:
        self.edges: dict[str, _Node] = {}
        self.gaps: list[tuple[_Node, int]] = []  # what follows a gap, and its width
        self.entries: list[int] = []

    def child(self, step: str) -> "_Node":
        """The node behind one step of a pattern, made where it is missing."""
        if step not in self.edges:
            self.edges[step] = _Node()
            if step in _GAPS:
                self.gaps.append((self.edges[step], _GAPS[step]))
        return self.edges[step]


class Lexicon:
    """Cues of one language, compiled.

    Args:
        sources: the texts of cue files, in the format of this module's head.

    Raises:
        ValueError: a line is not in that format; the message quotes it.
    """

    def __init__(self, sources: Iterable[str]) -> None:
        self.entries: list[Entry] = []
        self.respelled: dict[str, list[str]] = {}
        self._classes: dict[str, list[str]] = {}
        self._root = _Node()
        self._words: set[str] = set()
        self._stems: set[str] = set()
        self._keys: dict[str, tuple[str, ...]] = {}
        for source in sources:
            self._read(source)
        self._stem_sizes = sorted({len(stem) for stem in self._stems})

    def find(self, words: Sequence[str]) -> list[Match]:
        """All cues found in folded tokens, in the order of their first token."""
        row = [START, *words, END]
        keys = [self._keys_of(word) for word in row]
        found: list[Match] = []
        for start in range(len(row)):
            self._walk(row, keys, start, found)
        return [Match(max(start - 1, 0), min(end - 1, len(words)), entry) for start, end, entry in found]

    def respell(self, words: Sequence[str]) -> list[str]:
        """The tokens with chat spellings written out ("tjrs" -> "toujours", "c" -> "c est")."""
        respelled = self.respelled
        if respelled.keys().isdisjoint(words):
            return list(words)
        written: list[str] = []
        for word, following in zip_longest(words, words[1:], fillvalue=""):
            long = respelled.get(word)
            # "c'est" is written out already; "c nul" is not.
            written += [word] if long is None or (following in _WRITTEN_OUT and len(word) == 1) else long
        return written

    def knows(self, word: str) -> bool:
        """True where some cue holds the folded word itself."""
        return word in self._words or any(word[:size] in self._stems for size in self._stem_sizes)

    def _walk(self, row: list[str], keys: list[tuple[str, ...]], start: int, found: list[Match]) -> None:
        stack: list[tuple[_Node, int]] = [(self._root, start)]
        size = len(row)
        while stack:
            node, at = stack.pop()
            if at < size:
                edges = node.edges
                for key in keys[at]:
                    following = edges.get(key)
                    if following is not None:
                        for entry in following.entries:
                            found.append(Match(start, at + 1, entry))
                        if following.edges:
                            stack.append((following, at + 1))
            for after_gap, width in node.gaps:
                stack.extend((after_gap, place) for place in self._places(row, at, width))

    @staticmethod
    def _places(row: list[str], at: int, width: int) -> Iterator[int]:
        # A gap may skip words, but neither the end of a sentence nor what denies it ("delivery was not late").
        for place in range(at, min(at + width + 1, len(row))):
            yield place
            if row[place] in _NEVER_SKIPPED:
                return

    def _keys_of(self, word: str) -> tuple[str, ...]:
        keys = self._keys.get(word)
        if keys is None:
            if len(self._keys) > _CACHE_LIMIT:
                self._keys.clear()
            keys = self._keys[word] = tuple(self._compute_keys(word))
        return keys

    def _compute_keys(self, word: str) -> list[str]:
        if word[:1].isdigit():
            return [word, "{n}", "{many}"]
        keys = [word, *self._classes.get(word, ())]
        keys += [f"{word[:size]}*" for size in self._stem_sizes if word[:size] in self._stems]
        if len(keys) == 1 and word not in self._words and len(word) > 2:
            # A doubled letter may be a slip or what an elongation left: "nuul", "colliss".
            single = re.sub(r"(.)\1", r"\1", word)
            if single != word and self.knows(single):
                return [word, *self._compute_keys(single)]
        return keys

    def _read(self, source: str) -> None:
        targets: tuple[tuple[str, float], ...] | None = None
        for line in source.splitlines():
            text = line.strip()
            if not text or text.startswith("# ") or text == "#":
                continue
            if text.startswith("[") and text.endswith("]"):
                targets = _targets(text[1:-1])
            elif text.startswith("{") and " = " in text:
                name, _, members = text.partition(" = ")
                for word in _alternatives(fold(members).replace(" ", "")):
                    self._classes.setdefault(word, []).append(name)
                    self._words.add(word)
            elif " -> " in text:
                for pair in text.split(","):
                    short, _, long = pair.partition("->")
                    self.respelled[fold(short.strip())] = fold(long).split()
            elif targets is None:
                raise ValueError(f"a cue stands before the first [section]: {text!r}")
            else:
                for pattern in text.split(","):
                    if pattern.strip():
                        self._add(pattern.strip(), targets)

    def _add(self, pattern: str, targets: tuple[tuple[str, float], ...]) -> None:
        number = len(self.entries)
        self.entries.append(Entry(pattern, targets))
        for row in _spellings(pattern):
            node = self._root
            for step in row:
                node = node.child(step)
                if step.endswith("*"):
                    self._stems.add(step[:-1])
                elif step not in _GAPS and not step.startswith("{"):
                    self._words.add(step)
            # "déçu" and "decu" fold to one cue: it must not count twice.
            if all(self.entries[other].targets != targets for other in node.entries):
                node.entries.append(number)


def _targets(text: str) -> tuple[tuple[str, float], ...]:
    pairs = [_TARGET.fullmatch(part) for part in text.split()]
    if not pairs or None in pairs:
        raise ValueError(f"not a list of targets: [{text}]")
    return tuple((pair[1], float(pair[2] or 1)) for pair in pairs if pair)


def _alternatives(step: str) -> list[str]:
    words: list[str] = []
    for word in step.split("|"):
        stem = word.removesuffix("+")
        words.append(stem)
        if stem != word:
            words += [f"{stem}{ending}" for ending in ("e", "s", "es")]
    return words


def _spellings(pattern: str) -> Iterator[tuple[str, ...]]:
    """All token rows that a pattern stands for."""
    choices: list[list[tuple[str, ...]]] = []
    for step in fold(pattern).replace("'", " ").split():
        optional = step.startswith("(") and step.endswith(")")
        words = _alternatives(step[1:-1] if optional else step)
        choices.append([(word,) for word in words] + ([()] if optional else []))
    for choice in product(*choices):
        row = tuple(word for part in choice for word in part)
        if row:
            yield row


def read_lexicon_files(*names: str) -> list[str]:
    """The texts of files in nlp/lexicons, in the order asked."""
    folder = resources.files("nlp").joinpath("lexicons")
    return [folder.joinpath(name).read_text(encoding="utf-8") for name in names]
