"""The recipe of lexicons/weights.tsv: `python -m nlp.lexicon_weights DATA_FOLDER [--out FILE] [--cross-validate]`.

Two multinomial logits over the counts of nlp/lexicon.py, fitted on the rows of our labels (docs/labels.md) with even
numbers, the written messages included; odd rows are never read, for nlp/scorecard.py measures on them. No chance is
involved: same labels and same lists, same file. Run it after the lists have changed; to let a count speak, name it in
SENTIMENT_COUNTS or INTENT_COUNTS.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.analysis import Sentiment
from domain.errors import InputError
from domain.taxonomy import INTENTS
from nlp import lexicon
from nlp.cues import Reading, lexicon_files, read_cues
from nlp.evaluate import read_rows
from nlp.lexicon import Features
from nlp.patterns import Lexicon, Match, read_lexicon_files
from nlp.scorecard import LABELLED, is_measured, labelled_rows
from nlp.text import Tokens, clip, language_of, normalise, tokenise

Row = dict[str, Any]
Vector = NDArray[np.float64]
Answers = NDArray[np.intp]
Table = dict[str, Vector]  # count -> weight of each answer, in the order of the file

WRITTEN = "written_retail"
WEIGHTS_FILE = Path(__file__).parent / "lexicons" / "weights.tsv"
SENTIMENTS = tuple(feeling.value for feeling in (Sentiment.NEGATIVE, Sentiment.NEUTRAL, Sentiment.POSITIVE))
INTENT_KEYS = tuple(intent.key for intent in INTENTS)
SENTIMENT_COUNTS = (
    "positive", "negative", "problem", "impatience", "question", "questions", "exclamation", "thanks", "irony",
    "toxic", "wry", "urgent2", "urgent3", "churn", "polite", "trouble_length", "wrong", *INTENT_KEYS,
)  # fmt: skip
INTENT_COUNTS = (
    "positive", "negative", "wrong", "problem", "impatience", "question", "thanks", "polite", "short", "churn",
    "exclamation", "urgent2", "trouble_length", "strongest",
)  # fmt: skip
_FLAT = np.array([0.0, 1.5, 0.0])  # set by hand: a text without any cue is flat, whatever the shares of the sets
_FAMILIAR = 2  # a cue counts where so many of the fitted messages hold it
_USUAL_SET = 800  # rows; larger sets weigh less than their size, smaller ones more
_FOLDS, _SEED = 5, 0
_HEAD = """\
# How much the counts of nlp/cues.py weigh, as read by nlp/lexicon.py; tab-separated. Written for Comptoir, Apache-2.0.
# Fitted on the labelled messages with even row numbers and rounded; the odd ones are kept for measuring.
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """Labelled messages, counted. One entry a message in each.

    Attributes:
        trust: weight of each message, by the size of its set.
    """

    features: tuple[Features, ...]
    sentiments: Answers
    intents: Answers
    trust: Vector

    def part(self, chosen: NDArray[np.bool_]) -> "Sample":
        """The messages where `chosen` is true."""
        features = tuple(one for one, keep in zip(self.features, chosen, strict=True) if keep)
        return Sample(features, self.sentiments[chosen], self.intents[chosen], self.trust[chosen])


def rows_to_fit(folder: Path) -> dict[str, list[Row]]:
    """Set -> its rows with even numbers.

    Raises:
        InputError: a file of our labels, or of their texts, cannot be read.
    """
    sets = {name: labelled_rows(folder, name) for name in LABELLED}
    written = read_rows(folder / "labels" / f"{WRITTEN}.jsonl")
    sets[WRITTEN] = [row | {"row": number} for number, row in enumerate(written)]
    return {name: [row for row in rows if not is_measured(row)] for name, rows in sets.items()}


def sample(sets: Mapping[str, Sequence[Row]]) -> Sample:
    """The rows of all sets, counted without their titles; in a larger set, each row is trusted less.

    Raises:
        InputError: a label is none of ours.
    """
    rows = [row for one in sets.values() for row in one]
    trust = [(_USUAL_SET / len(one)) ** 0.5 for one in sets.values() for _ in one]
    return Sample(
        count([row["text"] for row in rows]),
        _places(rows, "sentiment", SENTIMENTS),
        _places(rows, "intent", INTENT_KEYS),
        np.array(trust),
    )


def _places(rows: Sequence[Row], task: str, known: Sequence[str]) -> Answers:
    unknown = {str(row.get(task)) for row in rows} - set(known)
    if unknown:
        raise InputError(f"There is no {task} “{min(unknown)}”. Correct the labels; known are: {', '.join(known)}.")
    return np.array([known.index(row[task]) for row in rows], dtype=np.intp)


class _FamiliarCues(Lexicon):
    """Cues of one language without those that one message alone holds: many a cue was written down because of a
    message, and would explain that one better than any other."""

    def __init__(self, lang: str) -> None:
        super().__init__(read_lexicon_files(*lexicon_files(lang)))
        self._texts: Counter[int] = Counter()

    def meet(self, words: Sequence[str]) -> None:
        """Note what one text holds."""
        self._texts.update({match.entry for match in super().find(self.respell(words))})

    def find(self, words: Sequence[str]) -> list[Match]:
        """As `Lexicon.find`, familiar cues only."""
        return [match for match in super().find(words) if self._texts[match.entry] >= _FAMILIAR]


def count(texts: Sequence[str]) -> tuple[Features, ...]:
    """What the analyzer would count in each text, were its lists made of the cues that two of these texts hold."""
    lists = {lang: _FamiliarCues(lang) for lang in ("fr", "en")}
    cut: list[tuple[Tokens, list[_FamiliarCues]]] = []
    for text in texts:
        plain = normalise(clip(text))
        tokens = tokenise(plain)
        lang = language_of(plain, tokens.words)
        cut.append((tokens, [lists[lang]] if lang in lists else list(lists.values())))
    for tokens, spoken in cut:
        for cues in spoken:
            cues.meet(tokens.words)
    return tuple(_counts([read_cues(cues, tokens) for cues in spoken], tokens) for tokens, spoken in cut)


def _counts(readings: Sequence[Reading], tokens: Tokens) -> Features:
    # As lexicon._weigh, which always reads with the whole lists; a test holds the two together.
    reading = max(readings, key=lambda one: (one.cue_count, len(one.intents)))
    if lexicon._ironic(reading, tokens):
        lexicon._turn_round(reading)
    return lexicon._features(reading, tokens)


@dataclass(frozen=True, slots=True)
class _Descent:
    """Gradient descent with momentum, over a fixed number of rounds: to stop early is part of the recipe.

    Attributes:
        look_ahead: 0, or the momentum itself for Nesterov's variant.
    """

    rounds: int
    rate: float
    look_ahead: float
    momentum: float = 0.9


@dataclass(frozen=True, slots=True)
class _Rows:
    """How the weights of one table are held, a row a count.

    Attributes:
        start: where the weights begin, and where the ridge pulls them to.
        free: 1 where a weight may move, else 0.
        ridge: strength of the pull, a number a row.
        pace: factor of the step, a number a row.
    """

    names: tuple[str, ...]
    start: Vector
    free: Vector
    ridge: Vector
    pace: Vector


def fit_sentiment(given: Sample) -> Table:
    """Count -> weights of negative, neutral and positive."""
    names = ("bias", *SENTIMENT_COUNTS)
    start = np.zeros((len(names), len(SENTIMENTS)))
    ridge, pace = np.ones((len(names), 1)), np.ones((len(names), 1))
    ridge[0] = 0.0
    rows = _Rows(names, start, np.ones_like(start), ridge, pace)
    table = _fit(given, given.sentiments, rows, _Descent(rounds=750, rate=0.5, look_ahead=0.9))
    bias = table.pop("bias")
    return {"bias": bias - bias.mean(), "flat": _FLAT, **table}


def fit_intents(given: Sample) -> Table:
    """Count -> weight of each intent; what speaks for an intent (`log_<intent>`) speaks for that one only."""
    shared, size = ("bias", *INTENT_COUNTS), len(INTENT_KEYS)
    own = tuple(f"log_{key}" for key in INTENT_KEYS)
    start = np.vstack([np.zeros((len(shared), size)), 1.5 * np.eye(size)])
    free = np.vstack([np.ones((len(shared), size)), np.eye(size)])
    ridge = np.array([[0.0], *[[3.0]] * len(INTENT_COUNTS), *[[1.0]] * size])
    pace = np.array([[1.0]] * len(shared) + [[3.0]] * size)
    rows = _Rows((*shared, *own), start, free, ridge, pace)
    return _fit(given, given.intents, rows, _Descent(rounds=500, rate=0.3, look_ahead=0.0))


def _fit(given: Sample, answers: Answers, rows: _Rows, descent: _Descent) -> Table:
    counted = _matrix(given.features, rows.names)
    size = rows.start.shape[1]
    right = np.eye(size)[answers]
    # The square root meets halfway between the shares of the labels and all answers alike.
    per_answer = np.maximum(np.bincount(answers, minlength=size), 1)
    trust = np.sqrt(len(answers) / size / per_answer)[answers] * given.trust
    weights, velocity = rows.start.copy(), np.zeros_like(rows.start)
    for _ in range(descent.rounds):
        ahead = weights + descent.look_ahead * velocity
        error = (_softmax(counted @ ahead) - right) * trust[:, None]
        slope = (counted.T @ error + rows.ridge * (ahead - rows.start)) / trust.sum()
        velocity = descent.momentum * velocity - descent.rate * rows.pace * rows.free * slope
        weights += velocity
    return dict(zip(rows.names, weights, strict=True))


def _matrix(features: Sequence[Features], names: Sequence[str]) -> Vector:
    return np.array([[one[name] for name in names] for one in features])


def _softmax(scores: Vector) -> Vector:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Vector = powers / powers.sum(axis=1, keepdims=True)
    return shares


def render(sentiment: Table, intents: Table) -> str:
    """The file that nlp/lexicon.py reads: weights to one digit, for a person must be able to read and change them."""
    sections = (("sentiment", SENTIMENTS, sentiment), ("intent", INTENT_KEYS, intents))
    return _HEAD + "\n".join(_section(*section) for section in sections)


def _section(name: str, answers: Sequence[str], table: Table) -> str:
    lines = [("count", *answers), *((key, *map(_figure, weights)) for key, weights in table.items())]
    return f"[{name}]\n" + "".join("\t".join(line) + "\n" for line in lines)


def _figure(weight: float) -> str:
    return f"{weight:.1f}" if abs(weight) >= 0.05 else "0"


def cross_validate(given: Sample) -> dict[str, float]:
    """Macro-F1 on even rows that the weights had not seen, for choosing counts and ridges; seeded."""
    fold = np.random.RandomState(_SEED).randint(0, _FOLDS, len(given.features))
    sentiments, intents = np.zeros_like(given.sentiments), np.zeros_like(given.intents)
    for number in range(_FOLDS):
        seen, left_out = given.part(fold != number), given.part(fold == number)
        sentiments[fold == number] = _answers(left_out, fit_sentiment(seen))
        intents[fold == number] = _answers(left_out, fit_intents(seen))
    return {
        "sentiment": _macro_f1(given.sentiments, sentiments),
        "intent": _macro_f1(given.intents, intents),
    }


def _answers(given: Sample, table: Table) -> Answers:
    scores = _matrix(given.features, tuple(table)) @ np.vstack(list(table.values()))
    best: Answers = scores.argmax(axis=1)
    return best


def _macro_f1(gold: Answers, answers: Answers) -> float:
    f1s = [
        2 * ((gold == one) & (answers == one)).sum() / ((gold == one).sum() + (answers == one).sum())
        for one in np.unique(gold)
    ]
    return float(np.mean(f1s))


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit the weights of the lexicon on the even rows of our labels, and write them down."""
    parser = argparse.ArgumentParser(prog="python -m nlp.lexicon_weights", description=main.__doc__)
    parser.add_argument("data", type=Path, help="folder that holds the labelled data")
    parser.add_argument("--out", type=Path, default=WEIGHTS_FILE, help="default: the file of the analyzer")
    parser.add_argument(
        "--cross-validate", action="store_true", help="say how good the fit is on even rows it left out"
    )
    chosen = parser.parse_args(arguments)
    try:
        given = sample(rows_to_fit(chosen.data))
    except InputError as error:
        parser.exit(2, f"{error} No weight was changed.\n")
    chosen.out.write_text(render(fit_sentiment(given), fit_intents(given)), "utf-8")
    sys.stdout.write(f"{chosen.out}: fitted on {len(given.features):,} messages.\n")
    if chosen.cross_validate:
        for task, f1 in cross_validate(given).items():
            sys.stdout.write(f"{task}: macro-F1 {f1:.3f} in {_FOLDS} folds.\n")


if __name__ == "__main__":
    main()
