"""What the word lists say of a text, as numbers beside the network's vector: some tags hang on a few known words.

Irony, insults, departures and rare intents are often told by words that a small network has seen too seldom; the lists of
nlp/lexicon.py know them. How much each answer of the lists counts was learnt on messages that neither they nor the network
had seen (nlp/train/stack.py) and stands in the heads, so that heads learnt later weigh it anew.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import numpy as np

from domain.analysis import Analysis
from domain.mention import Mention
from nlp.artefact import Floats, Question
from nlp.lexicon import LexiconAnalyzer

QUESTIONS = ("sentiment", "intent", "secondary", "aspects", "urgency", "churn", "toxic", "irony")
_SAID_AT = datetime(2026, 1, 1, tzinfo=UTC)  # the lists read texts, not dates


@lru_cache(maxsize=1)
def _lists() -> LexiconAnalyzer:
    return LexiconAnalyzer()


def version() -> str:
    """Changes with every edit of a list, since answers then may."""
    return str(_lists().model)


def cues(texts: Sequence[str], questions: Mapping[str, Question]) -> Floats:
    """n prepared texts -> n x labels of all questions, 1 where the lists give the label, else 0.

    Whether it is said to us, which the network answers better alone, stays 0.
    """
    mentions = [Mention("text", str(number), text, _SAID_AT) for number, text in enumerate(texts, start=1)]
    table = np.zeros((len(texts), sum(len(question.labels) for question in questions.values())), np.float32)
    asked = {key: questions[key] for key in QUESTIONS}
    columns = {
        (key, label): question.start + place
        for key, question in asked.items()
        for place, label in enumerate(question.labels)
    }
    for row, analysis in zip(table, _lists().analyze(mentions), strict=True):
        for key in QUESTIONS:
            for label in _labels(analysis, key):
                row[columns[key, label]] = 1
    return table


def _labels(analysis: Analysis, key: str) -> tuple[str, ...]:
    if key == "sentiment":
        return (analysis.sentiment.value.value,)
    if key == "intent":
        return (analysis.intent.value,)
    if key == "urgency":
        return (str(analysis.urgency),)
    if key in {"secondary", "aspects"}:
        found: tuple[str, ...] = getattr(analysis, key)
        return found
    return (key,) if getattr(analysis, key) else ()
