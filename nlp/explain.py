"""Which words carried a tag: pieces of a text are left out, and the change of the tag's probability is their weight.

Nothing here knows a model: `Reading` is what an analyzer lends for one text and one tag. Pieces are spans of the text as
it was written; preparing and cutting a text is the analyzer's. Every word is a piece of its own where the text is short,
else spans are, and the strongest of them is taken apart as far as the budget goes. How a tag is named is `place_of`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from domain.contracts import Attribution
from domain.errors import InputError
from domain.label import Field
from nlp.text import normalise

TOKEN_BUDGET = 900  # tokens read for one explanation: what the time of an answer to a click allows
FEWEST, MOST = 12, 24  # texts read for one explanation, whatever their length
_TAIL_SHARE = 3  # of a text that is too long, a third of what is read comes from its end
_MARKS = 2  # tokens that frame a text
_LEAST = 12  # tokens looked at even where a title leaves no room
_YES = "yes"
_WORD = re.compile(r"\S+")
_FLAGS = frozenset({Field.CHURN, Field.TOXIC, Field.IRONY, Field.DIRECTED})

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an analyzer lends to explain one tag of one text.

    Attributes:
        probabilities: raw texts -> the tag's calibrated probability in each, read in one go and as one language.
        token_counts: raw words -> how many tokens each takes.
        limit: tokens that are read of a text at most; its head and its tail are kept.
    """

    probabilities: Callable[[Sequence[str]], Sequence[float]]
    token_counts: Callable[[Sequence[str]], Sequence[int]]
    limit: int


def place_of(labels: Mapping[str, Sequence[str]], field: Field, value: str) -> tuple[str, int]:
    """The head and the place in it of one tag of one question.

    Args:
        labels: head -> its labels, in the order of the logits; flags have one label, of the head's own name.
        value: as `CanExplain` says it.

    Raises:
        InputError: the question has no such tag.
    """
    known = labels.get(field.value, ())
    if field in _FLAGS and value == _YES and known:
        return field.value, 0
    if field not in _FLAGS and value in known:
        return field.value, list(known).index(value)
    raise InputError(f"“{value}” is no tag of “{field.value}”; there is nothing to explain.")


def attributions(text: str, reading: Reading) -> tuple[Attribution, ...]:
    """Pieces of the text, in their order, each with what it adds to the tag's probability; () where there is no word."""
    words, gap = _seen(text, reading)
    if not words:
        return ()
    counts = reading.token_counts([text[start:end] for start, end in words])
    budget = min(MOST, max(FEWEST, TOKEN_BUDGET // (sum(counts) + _MARKS))) - 1  # one for the whole text
    pieces = _Pieces(text, words, reading)
    pieces.weigh(_apart(_parts(0, len(words), len(words) if len(words) <= budget else budget // 2), gap))
    left = budget - len(pieces.weights)
    while left >= 2 and (strongest := pieces.strongest()) is not None:
        size = strongest[1] - strongest[0]
        parts = _parts(*strongest, size if size <= left else max(2, left // 2))
        pieces.take_apart(strongest, parts)
        left -= len(parts)
    return pieces.found()


def _seen(text: str, reading: Reading) -> tuple[list[Span], int]:
    # The words that reach the model whole, so that leaving one out brings no other into view, and how many of them stand
    # before the words that do not.
    spans = [match.span() for match in _WORD.finditer(text)]
    limit = max(reading.limit, _LEAST)
    tail = limit // _TAIL_SHARE - 1
    head = limit - _MARKS - tail
    cut = len(spans) > 2 * (head + tail)  # a word takes a token at least, unless it is invisible
    if cut:
        spans = spans[: 2 * head] + spans[-2 * tail :]
    first = sum(1 for start, end in spans[: 2 * head] if normalise(text[start:end]))
    spans = [span for span in spans if normalise(text[span[0] : span[1]])]
    counts = reading.token_counts([text[start:end] for start, end in spans])
    if sum(counts) > head + tail:
        first = _fitting(counts, head)
        spans = spans[:first] + spans[max(first, len(spans) - _fitting(counts[::-1], tail)) :]
    elif not cut:
        first = len(spans)
    return spans, first


def _fitting(counts: Sequence[int], limit: int) -> int:
    # How many of the first words take no more tokens than that; one at the least.
    total = 0
    for place, count in enumerate(counts):
        total += count
        if total > limit:
            return max(1, place)
    return len(counts)


def _parts(first: int, end: int, most: int) -> list[Span]:
    # The words first..end-1 as at most so many runs of nearly the same length.
    size = end - first
    number = min(size, most)
    bounds = [first + size * part // number for part in range(number + 1)]
    return list(pairwise(bounds))


def _apart(runs: Sequence[Span], gap: int) -> list[Span]:
    # No run reaches over what is not read.
    return [part for first, end in runs for part in pairwise(sorted({first, min(max(gap, first), end), end}))]


class _Pieces:
    """Runs of words with their weights, taken apart one by one."""

    def __init__(self, text: str, words: Sequence[Span], reading: Reading) -> None:
        self._text, self._words, self._reading = text, words, reading
        self._whole: float | None = None
        self.weights: dict[Span, float] = {}

    def weigh(self, runs: Sequence[Span]) -> None:
        """Read the text without each of these runs, and whole where that has not been done."""
        texts = [self._without(run) for run in runs]
        if self._whole is None:
            self._whole, *found = self._reading.probabilities([self._without((0, 0)), *texts])
        else:
            found = list(self._reading.probabilities(texts))
        self.weights |= {run: float(self._whole) - float(p) for run, p in zip(runs, found, strict=True)}

    def strongest(self) -> Span | None:
        """The run of several words that speaks most for the tag."""
        runs = [run for run in self.weights if run[1] - run[0] > 1]
        return max(runs, key=lambda run: (self.weights[run], -run[0]), default=None)

    def take_apart(self, run: Span, parts: Sequence[Span]) -> None:
        """Weigh the parts of a run in its place."""
        del self.weights[run]
        self.weigh(parts)

    def found(self) -> tuple[Attribution, ...]:
        """In the order of the text; never beyond -1..1."""
        return tuple(
            Attribution(self._words[first][0], self._words[end - 1][1], max(-1.0, min(1.0, weight)))
            for (first, end), weight in sorted(self.weights.items())
        )

    def _without(self, run: Span) -> str:
        kept = [*self._words[: run[0]], *self._words[run[1] :]]
        return " ".join(self._text[start:end] for start, end in kept)
