"""What the cues in a text add up to: polarity with negation and emphasis, one sum an intent, aspects, signals.

Counting only; what the sums mean is decided in nlp/lexicon.py, the words themselves are in lexicons/*.txt.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY
from nlp.patterns import Lexicon, Match, read_lexicon_files
from nlp.text import SENTENCE_ENDS, Tokens

_STREAM = frozenset({"s", "neg", "boost", "but"})
_TROUBLE = {"problem", "solved", "impatience", "urgent2", "urgent3", "churn", "toxic"}
_SIGNALS = frozenset(_TROUBLE | {"irony", "bravo", "wry", "own", "news", "thanks"})
_STOPS = SENTENCE_ENDS | {","}
_AFTER_VERB = frozenset({"pas", "plus", "jamais", "guere"})  # French negations that may follow what they negate
_NEUTRAL_AFTER = frozenset({"de", "d", "un", "une", "a", "la", "le", "les", "besoin"})
_REACH_POSITIVE = 3  # words between a negation and the praise that it turns round
_REACH_NEGATIVE = 1
_FADE = (1.0, 0.6, 0.4, 0.3, 0.2, 0.15)  # the first cue tells most, a sixth hardly anything


@dataclass(slots=True)
class Reading:
    """The sums of one text.

    Attributes:
        positive, negative: strength of praise and of blame, each >= 0, about 2 for one plain word.
        cue_count: how many words or emoji carried a polarity.
        intents: intent -> strength, about 3 for one clear cue; unconditional cues only.
        intents_if_wrong: what to add to `intents` where the text tells of something wrong.
        aspects: aspect -> number of distinct cues.
        signals: impatience, problem, urgent2, urgent3, churn, toxic, irony, bravo, wry, own, news, thanks,
            solved, turn (a "but").
    """

    positive: float = 0.0
    negative: float = 0.0
    cue_count: int = 0
    intents: dict[str, float] = field(default_factory=dict)
    intents_if_wrong: dict[str, float] = field(default_factory=dict)
    aspects: dict[str, float] = field(default_factory=dict)
    signals: dict[str, float] = field(default_factory=dict)

    def signal(self, name: str) -> float:
        """Strength of a signal, 0 where nothing speaks for it."""
        return self.signals.get(name, 0.0)


@dataclass(slots=True)
class _Cue:
    start: int
    end: int
    kind: str
    value: float
    factual: bool  # also names a problem


@lru_cache(maxsize=2)
def lexicon_for(lang: str) -> Lexicon:
    """The compiled cue lists of ``fr`` or ``en``; read once a process."""
    return checked(Lexicon(read_lexicon_files(*lexicon_files(lang))))


def checked(lexicon: Lexicon) -> Lexicon:
    """The lexicon itself, once all its targets are known.

    Raises:
        ValueError: a section speaks for something that nothing here reads; a slip of the pen would pass unseen.
    """
    for pattern, targets in lexicon.entries:
        for target, _ in targets:
            aspect = target.startswith("@") and target[1:] in ASPECT_BY_KEY
            if not (target in _STREAM | _SIGNALS or target.removesuffix("?") in INTENT_BY_KEY or aspect):
                raise ValueError(f"nothing reads the target {target!r} of the cue {pattern!r}")
    return lexicon


def lexicon_files(lang: str) -> tuple[str, ...]:
    """Names of the files that make the cue lists of a language."""
    return (f"{lang}_spelling.txt", "emoji.txt", f"{lang}_sentiment.txt", f"{lang}_cues.txt")


def read_cues(lexicon: Lexicon, tokens: Tokens) -> Reading:
    """Everything that the lexicon finds in a text."""
    words = lexicon.respell(tokens.words)
    matches = lexicon.find(words)
    reading = Reading()
    _read_targets(lexicon, matches, reading)
    _read_polarity(_stream(lexicon, matches), words, tokens.shouted, reading)
    return reading


def _read_targets(lexicon: Lexicon, matches: Iterable[Match], reading: Reading) -> None:
    spans: dict[str, list[tuple[int, int, float]]] = {}
    for start, end, number in matches:
        for target, weight in lexicon.entries[number].targets:
            if target not in _STREAM:
                spans.setdefault(target, []).append((start, end, weight))
    for target, found in spans.items():
        weights = _apart(found)
        if target.startswith("@"):
            reading.aspects[target[1:]] = sum(weights)
        elif target in INTENT_BY_KEY:
            reading.intents[target] = _faded(weights)
        elif target.endswith("?"):
            reading.intents_if_wrong[target[:-1]] = _faded(weights)
        else:
            reading.signals[target] = sum(weights)


def _apart(found: list[tuple[int, int, float]]) -> list[float]:
    """The weights of cues that stand apart: where several lie over each other, the heaviest speaks for all."""
    if len(found) == 1:
        return [found[0][2]]
    found.sort()
    weights: list[float] = []
    reached = -1
    for start, end, weight in found:
        if start >= reached:
            weights.append(weight)
        else:
            weights[-1] = max(weights[-1], weight)
        reached = max(reached, end)
    return weights


def _faded(values: Iterable[float]) -> float:
    ranked = sorted(values, reverse=True)
    return sum(value * share for value, share in zip(ranked, _FADE, strict=False))


def _stream(lexicon: Lexicon, matches: Iterable[Match]) -> list[_Cue]:
    """The cues that touch polarity, none over another: the longest wins where they meet."""
    candidates: list[_Cue] = []
    for start, end, number in matches:
        for target, weight in lexicon.entries[number].targets:
            if target in _STREAM:
                factual = any(other == "problem" for other, _ in lexicon.entries[number].targets)
                candidates.append(_Cue(start, end, target, weight, factual))
                break
    candidates.sort(key=lambda cue: (cue.start, -cue.end, cue.kind != "s", -abs(cue.value), cue.value))
    kept: list[_Cue] = []
    for cue in candidates:
        if not kept or cue.start >= kept[-1].end:
            kept.append(cue)
        elif cue.end - cue.start > kept[-1].end - kept[-1].start and (len(kept) < 2 or cue.start >= kept[-2].end):
            kept[-1] = cue
    return kept


def _read_polarity(cues: list[_Cue], words: Sequence[str], shouted: frozenset[str], reading: Reading) -> None:
    turn = next((cue.start for cue in cues if cue.kind == "but"), None)
    if turn is not None:
        reading.signals["turn"] = 1.0
    positive: list[float] = []
    negative: list[float] = []
    for place, cue in enumerate(cues):
        if cue.kind != "s":
            continue
        value = cue.value * _emphasis(cues, place)
        if _negated(cues, place, words):
            value = -0.8 * value if value > 0 else -0.3 * value
            if cue.factual:  # "no delay", "sans panne": named, and not there
                reading.signals["problem"] = max(reading.signal("problem") - 1, 0.0)
        if shouted and not shouted.isdisjoint(words[cue.start : cue.end]):
            value *= 1.2
        if turn is not None:
            value *= 0.75 if cue.start < turn else 1.15
        if value:
            (positive if value > 0 else negative).append(abs(value))
    reading.positive, reading.negative = _faded(positive), _faded(negative)
    reading.cue_count = len(positive) + len(negative)


def _emphasis(cues: list[_Cue], place: int) -> float:
    factor, start = 1.0, cues[place].start
    for before in reversed(cues[max(0, place - 2) : place]):
        if before.kind != "boost" or start - before.end > 1:
            break
        factor, start = factor * before.value, before.start
    return factor


def _negated(cues: list[_Cue], place: int, words: Sequence[str]) -> bool:
    cue = cues[place]
    reach = _REACH_POSITIVE if cue.value > 0 else _REACH_NEGATIVE
    for before in reversed(cues[max(0, place - 4) : place]):
        if before.kind == "but" or cue.start - before.end > reach + 2:
            break
        if before.kind == "neg":
            between = words[before.end : cue.start]
            return len(between) <= reach and _STOPS.isdisjoint(between)
    if cue.value > 0 and cue.end < len(words) and words[cue.end] in _AFTER_VERB:
        following = words[cue.end + 1] if cue.end + 1 < len(words) else ""
        consumed = any(
            other.start <= cue.end < other.end and other.kind == "s" for other in cues[place + 1 : place + 2]
        )
        return not consumed and following not in _NEUTRAL_AFTER and words[cue.end] != "plus"
    return False
