"""The analyzer suite over the table ANALYZERS, and a broken double for each of its checks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from domain.analysis import Analysis, ModelRef, Scored
from domain.contracts import Analyzer
from domain.mention import Mention
from nlp import ANALYZERS, build
from tests.contracts import analyzer_suite as suite

_NAMES = [row.key for row in ANALYZERS]


@pytest.fixture(scope="module", params=_NAMES)
def analyzer(request: pytest.FixtureRequest) -> Analyzer:
    return build(request.param)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
def test_analyzer_keeps_the_contract(analyzer: Analyzer, check: Callable[[Analyzer], None]) -> None:
    check(analyzer)


class _Sound:
    """An analyzer that finds every text flat; keeps the contract."""

    model = ModelRef("double", "1")

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [self.answer(mention) for mention in mentions]

    def answer(self, mention: Mention) -> Analysis:
        return Analysis(
            mention_id=mention.id,
            model=self.model,
            lang="und",
            p_negative=0.2,
            p_neutral=0.7,
            p_positive=0.1,
            intent=Scored("other", 0.9),
        )


def _changed(**changes: Any) -> type[_Sound]:
    """A double whose answers are sound but for `changes`, on texts that hold a word."""

    class Changed(_Sound):
        def answer(self, mention: Mention) -> Analysis:
            sound = super().answer(mention)
            return replace(sound, **changes) if mention.text.strip() else sound

    return Changed


class _Shuffled(_Sound):
    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return super().analyze(mentions)[::-1]


class _DropsEmpty(_Sound):
    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return super().analyze([mention for mention in mentions if mention.text])


class _Lazy(_Sound):
    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return tuple(super().analyze(mentions))  # type: ignore[return-value]


class _LooksAtNeighbours(_Sound):
    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        shift = len(mentions) / 1_000
        return [
            replace(answer, p_neutral=answer.p_neutral - shift, p_negative=answer.p_negative + shift)
            for answer in super().analyze(mentions)
        ]


class _Remembers(_Sound):
    def __init__(self) -> None:
        self._seen = count()

    def answer(self, mention: Mention) -> Analysis:
        return replace(super().answer(mention), urgency=next(self._seen) % 2)


class _SignsWithAnother(_Sound):
    def answer(self, mention: Mention) -> Analysis:
        return replace(super().answer(mention), model=ModelRef("double", "0"))


class _RenamesItself(_Sound):
    def __init__(self) -> None:
        self._calls = count()

    @property
    def model(self) -> ModelRef:  # type: ignore[override]
        return ModelRef("double", str(next(self._calls)))


class _ChokesOnLength(_Sound):
    def answer(self, mention: Mention) -> Analysis:
        if len(mention.text) > 10_000:
            raise ValueError("sequence too long")
        return super().answer(mention)


class _ChokesOnNothing(_Sound):
    def answer(self, mention: Mention) -> Analysis:
        mention.text.split()[0]
        return super().answer(mention)


class _HearsVoices(_Sound):
    def answer(self, mention: Mention) -> Analysis:
        return replace(super().answer(mention), p_negative=0.9, p_neutral=0.1, p_positive=0.0)


class _WritesIntoRaw(_Sound):
    def answer(self, mention: Mention) -> Analysis:
        mention.raw["nested"]["list"].append(3)
        return super().answer(mention)


class _EmptiesTheList(_Sound):
    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        answers = super().analyze(mentions)
        if isinstance(mentions, list):
            mentions.clear()
        return answers


_BROKEN: tuple[tuple[Callable[[Analyzer], None], type[_Sound]], ...] = (
    (suite.answers_each_in_order, _Shuffled),
    (suite.answers_each_in_order, _DropsEmpty),
    (suite.answers_each_in_order, _Lazy),
    (suite.probabilities_are_probabilities, _changed(p_negative=0.5)),
    (suite.probabilities_are_probabilities, _changed(p_negative=-0.1, p_neutral=1.0, p_positive=0.1)),
    (suite.probabilities_are_probabilities, _changed(intent=Scored("other", 1.2))),
    (suite.tags_are_from_the_taxonomy, _changed(intent=Scored("complaint", 0.9))),
    (suite.tags_are_from_the_taxonomy, _changed(secondary=("other",))),
    (suite.tags_are_from_the_taxonomy, _changed(secondary=("churn_threat", "employment", "spam_promo"))),
    (suite.tags_are_from_the_taxonomy, _changed(aspects=("shipping",))),
    (suite.tags_are_from_the_taxonomy, _changed(aspects=("delivery", "delivery"))),
    (suite.urgency_is_within_bounds, _changed(urgency=4)),
    (suite.urgency_is_within_bounds, _changed(urgency=1.5)),
    (suite.flags_and_language_have_their_shape, _changed(lang="french")),
    (suite.flags_and_language_have_their_shape, _changed(churn=0.7)),
    (suite.model_signs_every_answer, _SignsWithAnother),
    (suite.model_signs_every_answer, _RenamesItself),
    (suite.batch_and_order_change_nothing, _LooksAtNeighbours),
    (suite.batch_and_order_change_nothing, _Remembers),
    (suite.hard_texts_do_not_raise, _ChokesOnLength),
    (suite.hard_texts_do_not_raise, _ChokesOnNothing),
    (suite.nothing_said_means_nothing, _HearsVoices),
    (suite.mentions_are_left_alone, _WritesIntoRaw),
    (suite.mentions_are_left_alone, _EmptiesTheList),
)


@pytest.mark.parametrize("check", suite.CHECKS, ids=lambda check: check.__name__)
def test_a_sound_double_passes(check: Callable[[Analyzer], None]) -> None:
    check(_Sound())


@pytest.mark.parametrize(("check", "broken"), _BROKEN, ids=lambda part: part.__name__)
def test_a_broken_double_fails(check: Callable[[Analyzer], None], broken: type[_Sound]) -> None:
    with pytest.raises(AssertionError):
        check(broken())


def test_every_check_has_a_broken_double() -> None:
    assert {check for check, _ in _BROKEN} == set(suite.CHECKS)
