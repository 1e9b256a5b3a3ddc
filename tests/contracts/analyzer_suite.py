"""What every analyzer must do, as checks that raise AssertionError; test_analyzers.py runs them over ANALYZERS.

A check takes the analyzer only. To add one: write it here, put it in CHECKS, and give it a broken double in
test_analyzers.py, or the suite refuses to run.
"""

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import count

from domain.analysis import Analysis
from domain.contracts import Analyzer
from domain.mention import Author, Mention, MentionKind
from domain.taxonomy import ASPECT_BY_KEY, INTENT_BY_KEY

SAID_AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
_SUM_TOLERANCE = 1e-6
_SAME_TOLERANCE = 1e-4  # a probability may move this much with the batch, no tag may

ORDINARY = (
    "Ma commande n'est toujours pas arrivée, ça fait trois semaines !!",
    "Merci à toute l'équipe, service impeccable",
    "Vous avez ce manteau en 42 ?",
    "I want my money back, the kettle broke after two days",
    "What time do you open on Sunday?",
    "ok",
    "Le magasin se trouve rue de la Gare.",
)
HARD = {
    "empty": "",
    "blank": " \n\t ",
    "emoji only": "😡😡👏🏽🙄",
    "punctuation only": "?!?!...",
    "very long": "Colis jamais reçu, personne ne répond. " * 513,
    "one long word": "a" * 20_000,
    "mixed languages": "Bonjour, my order est late, muy mal servicio, 配送が遅い",
    "zero width": "co\u200blis ja\u200dmais \ufeffre\u2060çu",
    "other script": "заказ не пришёл, верните деньги",
    "right to left": "لم يصل طلبي بعد \u202e!",
    "stacked accents": "n\u0301\u0302\u0303u\u0336\u0337l",
    "control characters": "merci\x00\x07 beaucoup\x1b[31m",
    "handles and links": "@shop @other https://t.example/x #promo",
    "markup": "<b>nul</b> <script>alert(1)</script>",
}


def mention(text: str, number: int = 0) -> Mention:
    """A comment that says `text`."""
    return Mention(
        network="suite",
        native_id=f"m{number}",
        text=text,
        created_at=SAID_AT,
        kind=MentionKind.COMMENT,
        author=Author("a1", handle="ana"),
        raw={"nested": {"list": [1, 2]}},
    )


def mentions(texts: Sequence[str]) -> list[Mention]:
    """One mention a text, numbered."""
    numbers = count()
    return [mention(text, next(numbers)) for text in texts]


def answers_each_in_order(analyzer: Analyzer) -> None:
    """As many answers as mentions, in order, under their ids; none for none."""
    batch = mentions([*ORDINARY, *HARD.values(), ORDINARY[0]])
    answers = analyzer.analyze(batch)
    assert isinstance(answers, list)
    assert [answer.mention_id for answer in answers] == [said.id for said in batch]
    assert analyzer.analyze([]) == []


def probabilities_are_probabilities(analyzer: Analyzer) -> None:
    """Between 0 and 1; the three of sentiment sum to 1."""
    for answer in _answers(analyzer):
        three = (answer.p_negative, answer.p_neutral, answer.p_positive)
        assert all(0 <= p <= 1 for p in (*three, answer.intent.p)), answer
        assert abs(sum(three) - 1) <= _SUM_TOLERANCE, answer


def tags_are_from_the_taxonomy(analyzer: Analyzer) -> None:
    """Intents and aspects are known, without repetition, and no more than agreed."""
    for answer in _answers(analyzer):
        intents = (answer.intent.value, *answer.secondary)
        assert set(intents) <= set(INTENT_BY_KEY), answer
        assert set(answer.aspects) <= set(ASPECT_BY_KEY), answer
        assert len(set(intents)) == len(intents) <= 3, answer
        assert len(set(answer.aspects)) == len(answer.aspects) <= 3, answer


def urgency_is_within_bounds(analyzer: Analyzer) -> None:
    """A whole number from 0 to 3."""
    for answer in _answers(analyzer):
        assert type(answer.urgency) is int, answer
        assert 0 <= answer.urgency <= 3, answer


def flags_and_language_have_their_shape(analyzer: Analyzer) -> None:
    """Flags are booleans, the language is a two-letter code or ``und``."""
    for answer in _answers(analyzer):
        flags = (answer.churn, answer.toxic, answer.irony, answer.directed, answer.uncertain)
        assert all(type(flag) is bool for flag in flags), answer
        assert answer.lang == "und" or (len(answer.lang) == 2 and answer.lang.islower()), answer


def model_signs_every_answer(analyzer: Analyzer) -> None:
    """`model` is constant and stands in each answer."""
    model = analyzer.model
    assert model.name, model
    assert model.version, model
    assert all(answer.model == model for answer in _answers(analyzer))
    assert analyzer.model == model


def batch_and_order_change_nothing(analyzer: Analyzer) -> None:
    """The same text gets the same answer alone, among others, backwards, and a second time."""
    batch = mentions([*ORDINARY, HARD["very long"], *HARD.values()])
    together = analyzer.analyze(batch)
    alone = [analyzer.analyze([said])[0] for said in batch]
    backwards = analyzer.analyze(batch[::-1])[::-1]
    again = analyzer.analyze(batch)
    for other in (alone, backwards, again):
        for first, second in zip(together, other, strict=True):
            _assert_same(first, second)


def hard_texts_do_not_raise(analyzer: Analyzer) -> None:
    """Whatever people, or machines, post gets an answer."""
    for name, text in HARD.items():
        try:
            answers = analyzer.analyze([mention(text)])
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}") from error
        assert len(answers) == 1, name


def nothing_said_means_nothing(analyzer: Analyzer) -> None:
    """A text without a word is neutral, about nothing, and calls nobody."""
    for answer in analyzer.analyze(mentions([HARD["empty"], HARD["blank"]])):
        assert answer.sentiment.value.value == "neutral", answer
        assert answer.intent.value == "other", answer
        assert (answer.urgency, answer.churn, answer.toxic) == (0, False, False), answer


def mentions_are_left_alone(analyzer: Analyzer) -> None:
    """Neither the list nor anything in it changes."""
    batch = mentions(ORDINARY)
    kept = list(batch)
    raw = copy.deepcopy([said.raw for said in batch])
    analyzer.analyze(batch)
    assert len(batch) == len(kept)
    assert all(said is before for said, before in zip(batch, kept, strict=True))
    assert [said.raw for said in batch] == raw
    assert batch == mentions(ORDINARY)


def _answers(analyzer: Analyzer) -> list[Analysis]:
    answers = analyzer.analyze(mentions([*ORDINARY, *HARD.values()]))
    assert answers
    return answers


def _assert_same(first: Analysis, second: Analysis) -> None:
    for name in ("p_negative", "p_neutral", "p_positive"):
        assert abs(getattr(first, name) - getattr(second, name)) <= _SAME_TOLERANCE, (first, second)
    assert abs(first.intent.p - second.intent.p) <= _SAME_TOLERANCE, (first, second)
    assert _tags(first) == _tags(second)


def _tags(answer: Analysis) -> tuple[object, ...]:
    return (
        answer.mention_id,
        answer.lang,
        answer.sentiment.value,
        answer.intent.value,
        answer.secondary,
        answer.aspects,
        answer.urgency,
        answer.churn,
        answer.toxic,
        answer.irony,
        answer.directed,
        answer.uncertain,
    )


CHECKS: tuple[Callable[[Analyzer], None], ...] = (
    answers_each_in_order,
    probabilities_are_probabilities,
    tags_are_from_the_taxonomy,
    urgency_is_within_bounds,
    flags_and_language_have_their_shape,
    model_signs_every_answer,
    batch_and_order_change_nothing,
    hard_texts_do_not_raise,
    nothing_said_means_nothing,
    mentions_are_left_alone,
)
