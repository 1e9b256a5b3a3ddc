"""Measures of quality against values worked out by hand, against simulations, and against each other."""

from random import Random
from statistics import fmean
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.label import Field
from domain.quality import (
    Pair,
    agreement,
    chance_calibration_error,
    choices_of,
    cohen_kappa,
    confusion,
    f1_interval,
    macro_f1,
    measure,
    quadratic_kappa,
    reliability,
    tags_of,
    wilson,
)
from domain.report import read_report

ABC = ("a", "b", "c")


def pairs(*answers: tuple[str, str], **fields: Any) -> list[Pair]:
    """Pairs of (said, right)."""
    return [Pair(str(number), (said,), (right,), **fields) for number, (said, right) in enumerate(answers)]


def outcomes(found: list[Pair]) -> dict[Any, int]:
    counted: dict[Any, int] = {}
    for pair in found:
        counted[pair.said, pair.right] = counted.get((pair.said, pair.right), 0) + 1
    return counted


# -- F1 --------------------------------------------------------------------------------------------------------------------


def test_macro_f1_is_the_mean_over_tags_and_not_over_messages() -> None:
    # a: 4 right, 4 said, 3 hits: 6/8. b: 1 right, 2 said, 1 hit: 2/3. c is never right and does not count.
    found = pairs(("a", "a"), ("a", "a"), ("a", "a"), ("b", "a"), ("b", "b"), ("a", "c"))
    assert macro_f1(outcomes(found), ("a", "b")) == pytest.approx((6 / 8 + 2 / 3) / 2)
    assert macro_f1(outcomes(found), ABC) == pytest.approx((6 / 8 + 2 / 3 + 0) / 3)
    assert macro_f1(outcomes(pairs(("a", "a"), ("c", "a"))), ABC) == pytest.approx(2 / 3)


def test_macro_f1_of_sets_counts_each_tag() -> None:
    found = [Pair("1", ("a", "b"), ("a",)), Pair("2", (), ("b",)), Pair("3", ("b",), ("b", "a"))]
    # a: said 1, right 2, hits 1: 2/3. b: said 2, right 2, hits 1: 2/4.
    assert macro_f1(outcomes(found), ABC) == pytest.approx((2 / 3 + 1 / 2) / 2)
    assert macro_f1(outcomes([Pair("1", ("a",), ())]), ABC) is None


def simulated(random: Random, n: int) -> list[Pair]:
    # Three tags of unlike frequency, each told right 8 times in 10.
    found = []
    for number in range(n):
        right = random.choices(ABC, (6, 3, 1))[0]
        said = right if random.random() < 0.8 else random.choice([tag for tag in ABC if tag != right])
        found.append(Pair(str(number), (said,), (right,)))
    return found


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random = Random(11)
    truth = macro_f1(outcomes(simulated(Random(1), 60_000)), ABC)
    assert truth is not None
    inside = 0
    for _ in range(120):
        low, high = f1_interval(simulated(random, 150), ABC, resamples=200)
        inside += low <= truth <= high
    assert 0.88 <= inside / 120 <= 0.995


def test_the_interval_is_that_of_the_plain_bootstrap_and_always_the_same() -> None:
    found, random = simulated(Random(5), 200), Random(2)
    plain = sorted(macro_f1(outcomes(random.choices(found, k=200)), ABC) or 0.0 for _ in range(600))
    low, high = f1_interval(found, ABC)
    assert (low, high) == pytest.approx((plain[15], plain[584]), abs=0.025)
    assert f1_interval(found, ABC) == (low, high)
    wide = f1_interval(found[:50], ABC)
    assert wide[1] - wide[0] > high - low


# -- shares, confusion, probabilities ------------------------------------------------------------------------------------------


def test_wilson_interval_of_eight_in_ten() -> None:
    assert wilson(0.8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(1.0, 20)[1] == 1.0 and wilson(1.0, 20)[0] == pytest.approx(0.8389, abs=1e-4)
    assert wilson(0.5, 0) == (0.0, 1.0)


def test_confusion_has_what_is_right_down_and_what_was_said_across() -> None:
    labels, table = confusion(pairs(("a", "a"), ("c", "a"), ("c", "c")), ABC)
    assert (labels, table) == (["a", "c"], [[1, 1], [0, 1]])


def test_calibration_error_by_hand() -> None:
    sure = pairs(("a", "a"), ("a", "a"), ("a", "b"), ("a", "a"), p=0.95)
    unsure = pairs(("a", "a"), ("a", "b"), p=0.45)
    edge = pairs(("a", "a"), p=1.0)
    bins, error = reliability([*sure, *unsure, *edge])
    assert bins == [pytest.approx([0.45, 0.5, 2]), pytest.approx([0.96, 0.8, 5])]
    assert error == pytest.approx((2 * 0.05 + 5 * 0.16) / 7)
    assert reliability(pairs(("a", "a"))) == ([], 0.0)


def test_what_chance_gives_is_what_perfect_probabilities_show() -> None:
    random, errors, expected = Random(3), [], []
    for _ in range(40):
        found = []
        for number in range(200):
            p = random.uniform(0.3, 1.0)
            found.append(Pair(str(number), ("a",), ("a",) if random.random() < p else ("b",), p))
        bins, error = reliability(found)
        errors.append(error)
        expected.append(chance_calibration_error(bins))
    assert fmean(errors) == pytest.approx(fmean(expected), rel=0.15)


# -- people ----------------------------------------------------------------------------------------------------------------


def test_cohen_kappa_of_the_textbook() -> None:
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohen_kappa(first, second) == pytest.approx(0.4)
    assert cohen_kappa(["a", "a"], ["a", "a"]) is None
    assert cohen_kappa([], []) is None


def test_quadratic_kappa_is_cohens_for_two_steps_and_forgives_near_misses() -> None:
    first, second = [0, 0, 1, 1, 1, 0], [0, 1, 1, 1, 0, 0]
    assert quadratic_kappa(first, second) == pytest.approx(cohen_kappa(first, second))
    base = [0, 1, 2, 3] * 5
    near = [1, *base[1:]]
    far = [3, *base[1:]]
    assert (quadratic_kappa(base, near) or 0) > (quadratic_kappa(base, far) or 0)
    assert quadratic_kappa([2, 2], [2, 2]) is None


def test_agreement_takes_the_kappa_of_its_question_and_sets_have_no_order() -> None:
    both = [(("0",), ("1",)), (("1",), ("1",)), (("3",), ("3",)), (("2",), ("2",))]
    told = agreement(Field.URGENCY, both)
    assert told["agreement"] == 0.75 and told["n"] == 4
    assert told["kappa"] == pytest.approx(quadratic_kappa([0, 1, 3, 2], [1, 1, 3, 2]))
    assert agreement(Field.INTENT, both)["kappa"] < told["kappa"]
    assert agreement(Field.ASPECTS, [(("price", "staff"), ("staff", "price"))])["agreement"] == 1.0
    assert agreement(Field.INTENT, []) == {"n": 0}


# -- all together ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "tags"),
    [
        (Field.INTENT, "other", ("other",)),
        (Field.URGENCY, 2, ("2",)),
        (Field.IRONY, True, ("yes",)),
        (Field.IRONY, False, ("no",)),
        (Field.ASPECTS, ["delivery", "packaging"], ("delivery", "packaging")),
        (Field.SECONDARY, (), ()),
    ],
)
def test_answers_become_tags_that_the_question_has(field: Field, value: Any, tags: tuple[str, ...]) -> None:
    assert tags_of(field, value) == tags
    assert set(tags) <= set(choices_of(field))


def test_measure_brings_all_figures_of_a_choice() -> None:
    right = [("praise_thanks", "praise_thanks")] * 30 + [("other", "other")] * 8
    found = pairs(*right, p=0.9) + pairs(*[("other", "question_info")] * 2, p=0.4, uncertain=True)
    told = measure(found, Field.INTENT)
    assert told["n"] == 40 and told["accuracy"] == 0.95
    assert told["labels"] == ["question_info", "praise_thanks", "other"]
    assert told["confusion"] == [[0, 0, 2], [0, 30, 0], [0, 0, 8]]
    assert told["tags"]["other"] == [8, 10, 8] and told["tags"]["question_info"] == [0, 0, 2]
    assert told["macro_f1"] == pytest.approx((1 + 16 / 18 + 0) / 3)
    low, high = told["interval"]
    assert low <= told["macro_f1"] <= high
    assert told["abstention"] == {"share": pytest.approx(0.05), "accuracy": 0.95, "accuracy_kept": 1.0}
    assert told["calibration_error"] == pytest.approx((38 * 0.1 + 2 * 0.4) / 40)


def test_measure_of_a_flag_asks_for_the_yes() -> None:
    told = measure(pairs(*[("no", "no")] * 90, ("yes", "yes"), ("yes", "no"), ("no", "yes")), Field.TOXIC)
    assert told["macro_f1"] == pytest.approx(0.5)
    assert told["labels"] == ["no", "yes"]
    never = measure(pairs(*[("no", "no")] * 40), Field.TOXIC)
    assert never["accuracy"] == 1.0 and "macro_f1" not in never


def test_measure_of_nothing_and_of_sets() -> None:
    assert measure([], Field.INTENT) == {"n": 0}
    told = measure([Pair("1", ("delivery",), ("delivery", "packaging")), Pair("2", (), ())], Field.ASPECTS)
    assert told["accuracy"] == 0.5 and "confusion" not in told and "bins" not in told
    assert told["tags"] == {"delivery": [1, 1, 1], "packaging": [0, 0, 1]}


# -- reports ---------------------------------------------------------------------------------------------------------------


def test_a_report_is_read_as_it_was_measured() -> None:
    told = measure(pairs(*[("other", "other")] * 20, *[("question_info", "other")] * 9, p=0.7), Field.INTENT)
    people = agreement(Field.INTENT, [(("other",), ("other",)), (("other",), ("question_info",))])
    raw = {"gold": {"fr/intent": told}, "people": {"intent": people}, "more": 1}
    assert read_report(raw) == {"gold": {"fr/intent": told}, "people": {"intent": people}}


def test_what_is_odd_in_a_report_is_left_out_and_the_rest_is_kept() -> None:
    head = {
        "n": 10,
        "accuracy": 1.4,
        "macro_f1": "good",
        "interval": [0.9, 0.1],
        "labels": [True, False],
        "confusion": [[1, 2]],
        "f1": [0.5],
        "support": [3, 4],
        "bins": [[0.5, 0.5]],
        "abstention": {"share": 0.1},
    }
    read = read_report({"gold": {"all/irony": head, "all/intent": 3}, "people": None})
    assert read == {"gold": {"all/irony": {"n": 10, "labels": ["yes", "no"], "support": [3, 4]}}}
    assert read_report(None) == {}


_KEYS = [
    "gold",
    "people",
    "n",
    "macro_f1",
    "interval",
    "bins",
    "labels",
    "confusion",
    "tags",
    "abstention",
    "f1",
    "kappa",
]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=6),
    max_leaves=30,
)


@given(_JSON)
def test_no_report_is_too_odd_to_be_read(raw: object) -> None:
    for figures in read_report({"gold": {"fr/intent": raw}}).get("gold", {}).values():
        size = len(figures.get("labels", []))
        assert all(len(row) == size for row in figures.get("confusion", []))
        assert all(len(group) == 3 for group in figures.get("bins", []))
    read_report(raw)
