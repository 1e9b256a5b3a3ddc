"""Stars without words: the sentiment that a rating alone says. Every analyzer uses it; texts with words are never touched.

The probabilities are those of a rule, not of a model: 1 for what the stars say, 0 for the rest. They claim that one or two
stars of five are a negative verdict, three a middling one, four or five a positive one, and nothing about the author's words.
What a model says of words is what it said before, so models keep their versions.
"""

from collections.abc import Sequence
from dataclasses import replace

from domain.analysis import Analysis, Sentiment
from domain.mention import Mention

_SENTIMENTS = {
    1: Sentiment.NEGATIVE,
    2: Sentiment.NEGATIVE,
    3: Sentiment.NEUTRAL,
    4: Sentiment.POSITIVE,
    5: Sentiment.POSITIVE,
}


def says_only_stars(mention: Mention) -> bool:
    """Whether there is a rating and nothing written, neither as text nor as title."""
    return mention.rating in _SENTIMENTS and not mention.text.strip() and not mention.title.strip()


def with_ratings(mentions: Sequence[Mention], answers: Sequence[Analysis]) -> list[Analysis]:
    """The answers, with the sentiment of the stars where there is nothing else to read; same length, same order."""
    return [
        _rated(mention, answer) if says_only_stars(mention) else answer
        for mention, answer in zip(mentions, answers, strict=True)
    ]


def _rated(mention: Mention, answer: Analysis) -> Analysis:
    sentiment = _SENTIMENTS[mention.rating or 0]
    return replace(
        answer,
        p_negative=float(sentiment is Sentiment.NEGATIVE),
        p_neutral=float(sentiment is Sentiment.NEUTRAL),
        p_positive=float(sentiment is Sentiment.POSITIVE),
    )
