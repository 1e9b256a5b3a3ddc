"""Stars without words: every analyzer takes the sentiment of the rating; a single word, and the stars are left aside."""

import pytest

import nlp
from domain.contracts import Analyzer
from tests.builders import mention

STARS = {1: "negative", 2: "negative", 3: "neutral", 4: "positive", 5: "positive"}


@pytest.fixture(scope="module", params=[row.key for row in nlp.ANALYZERS])
def analyzer(request: pytest.FixtureRequest) -> Analyzer:
    return nlp.build(request.param)


def test_stars_alone_say_what_they_say(analyzer: Analyzer) -> None:
    answers = analyzer.analyze([mention(str(stars), " \n", rating=stars) for stars in STARS])
    assert {int(a.mention_id.removeprefix("x:")): a.sentiment.value.value for a in answers} == STARS
    for answer in answers:
        assert sorted((answer.p_negative, answer.p_neutral, answer.p_positive)) == [0.0, 0.0, 1.0], (
            "a rule, not a guess"
        )
        assert answer.intent.value == "other" and not answer.uncertain and answer.model == analyzer.model


@pytest.mark.parametrize("words", [{"text": "Reçu lundi."}, {"text": "", "title": "Reçu lundi."}, {"text": ":)"}])
def test_where_there_are_words_stars_change_nothing(analyzer: Analyzer, words: dict[str, str]) -> None:
    text, more = words["text"], {key: value for key, value in words.items() if key != "text"}
    flat, *rated = analyzer.analyze([mention("1", text, rating=stars, **more) for stars in (None, *STARS)])
    assert rated == [flat] * len(STARS)


def test_nothing_at_all_stays_flat_and_order_is_kept(analyzer: Analyzer) -> None:
    batch = [mention("1", ""), mention("2", "", rating=1), mention("3", "Merci !"), mention("4", "", rating=5)]
    answers = analyzer.analyze(batch)
    assert [answer.mention_id for answer in answers] == [one.id for one in batch]
    assert [answers[place].sentiment.value.value for place in (0, 1, 3)] == ["neutral", "negative", "positive"]
    assert answers == [one for single in batch for one in analyzer.analyze([single])]
