"""Comparisons of what comes in: silent on chance, loud on change, honest about too little."""

from datetime import date, timedelta
from math import log
from random import Random

import pytest

from domain.drift import (
    ENOUGH,
    Seen,
    Shift,
    State,
    Window,
    changed,
    compare,
    content,
    length,
    mix,
    stability,
    stability_by_chance,
    unknown,
)

START = date(2026, 1, 1)


def seen(
    random: Random, n: int, *, days: int = 60, moved: float = 0.0, longer: float = 1.0, odd: float = 0.02
) -> list[Seen]:
    """Messages over some days, in a space of four dimensions."""
    return [
        Seen(
            START + timedelta(days=number % days),
            max(1, round(random.lognormvariate(3, 0.6) * longer)),
            int(random.random() < odd),
            (random.gauss(moved, 1), random.gauss(0, 1), random.gauss(0, 1), random.gauss(0, 1)),
        )
        for number in range(n)
    ]


def test_stability_by_hand() -> None:
    before, now = {"fr": 90, "en": 10}, {"fr": 60, "en": 40}
    p, q = (90.5 / 101, 10.5 / 101), (60.5 / 101, 40.5 / 101)
    expected = sum((b - a) * log(b / a) for a, b in zip(p, q, strict=True))
    assert stability(before, now) == pytest.approx(expected)
    assert stability(before, before) == 0
    assert stability({"fr": 100}, {"fr": 50, "en": 50}) > 1  # a part that was not there before is no division by zero


def test_chance_of_the_index_is_passed_one_time_in_a_hundred() -> None:
    random, parts, weights = Random(4), "abcde", (40, 25, 20, 10, 5)
    limit, over = stability_by_chance(5, 400, 300), 0
    for _ in range(400):
        before, now = random.choices(parts, weights, k=400), random.choices(parts, weights, k=300)
        over += stability({x: before.count(x) for x in parts}, {x: now.count(x) for x in parts}) > limit
    assert over <= 12
    assert stability_by_chance(1, 400, 300) == 0.0


def test_a_mix_that_moved_is_told_and_one_that_did_not_is_not() -> None:
    moved = mix("lang", {"fr": 900, "en": 100}, {"fr": 600, "en": 400})
    assert moved.state is State.CHANGED
    assert (moved.before["en"], moved.now["en"]) == (0.1, 0.4)
    assert mix("lang", {"fr": 900, "en": 100}, {"fr": 880, "en": 120}).state is State.STABLE
    few = mix("lang", {"fr": 900}, {"en": ENOUGH - 1})
    assert few.state is State.TOO_FEW and few.value is None


def test_a_change_must_pass_its_limit_and_chance() -> None:
    assert Shift("x", 0.2, 100, 100, 0.3, 0.1).state is State.CHANGED
    assert Shift("x", 0.2, 100, 100, 0.15, 0.1).state is State.STABLE
    assert Shift("x", 0.2, 100, 100, 0.3, 0.4).state is State.STABLE


def test_length_and_unknown_pieces() -> None:
    random = Random(8)
    before = seen(random, 800)
    assert length(before, seen(random, 500)).state is State.STABLE
    longer = length(before, seen(random, 500, longer=1.5))
    assert longer.state is State.CHANGED and longer.now[""] > longer.before[""]
    assert longer.value == pytest.approx(log(1.5) / 0.6, abs=0.15)
    assert unknown(before, seen(random, 500)).state is State.STABLE
    odd = unknown(before, seen(random, 500, odd=0.15))
    assert odd.state is State.CHANGED and odd.now[""] == pytest.approx(0.15, abs=0.05)
    same = [Seen(START, 5, 0, (0.0,))] * 200
    assert length(same, same).state is State.STABLE
    assert length(same, [Seen(START, 9, 0, (0.0,))] * 200).state is State.CHANGED


def test_content_is_measured_in_the_references_own_spread() -> None:
    random = Random(9)
    before = seen(random, 900)
    moved = content(before, seen(random, 600, moved=1.0))
    assert moved.state is State.CHANGED
    assert moved.value == pytest.approx(1 / 2, abs=0.08)  # four dimensions of spread 1: a spread of 2
    still = content(before, seen(random, 600))
    assert still.state is State.STABLE and still.value is not None and still.value < 2 * still.chance
    assert content(before, before[:300]) == content(before, before[:300])


def test_content_by_chance_knows_that_days_have_their_subjects() -> None:
    random = Random(10)
    calm = seen(random, 900, days=30)
    moods = [random.gauss(0, 1) for _ in range(30)]
    moody = [
        Seen(
            row.day,
            row.token_count,
            row.unknown_count,
            (row.sketch[0] + moods[(row.day - START).days], *row.sketch[1:]),
        )
        for row in calm
    ]
    now = seen(random, 600)
    assert content(moody, now).chance > 2 * content(calm, now).chance


def test_content_is_silent_on_chance_whatever_the_size() -> None:
    random = Random(21)
    before = seen(random, 800)
    for size in (120, 2_000):
        shifts = [content(before, seen(random, size)) for _ in range(60)]
        assert sum(shift.value is not None and shift.value > shift.chance for shift in shifts) <= 4
    small, large = (content(before, seen(random, size)).chance for size in (100, 3_200))
    assert small / large == pytest.approx(((1 / 800 + 1 / 100) / (1 / 800 + 1 / 3_200)) ** 0.5)


def test_content_says_nothing_on_too_little() -> None:
    random = Random(12)
    enough = seen(random, 300)
    assert content(enough[: ENOUGH - 1], enough).state is State.TOO_FEW
    assert content(seen(random, 300, days=5), enough).state is State.TOO_FEW
    other = [Seen(row.day, 1, 0, (*row.sketch, 1.0)) for row in enough]
    assert content(enough, other).state is State.TOO_FEW  # another space
    still = [Seen(START + timedelta(days=n % 30), 5, 0, (1.0, 2.0)) for n in range(300)]
    assert content(still, still).state is State.TOO_FEW  # no spread to measure in


def test_compare_brings_every_question_in_order() -> None:
    random = Random(13)
    before = Window(START, START + timedelta(days=60), {"fr": 500}, {"x": 300, "mail": 200}, seen(random, 500))
    now = Window(START, START + timedelta(days=28), {"fr": 300}, {"x": 20, "mail": 280}, seen(random, 300))
    shifts = compare(before, now)
    assert [shift.key for shift in shifts] == ["lang", "network", "length", "unknown", "content"]
    assert [shift.key for shift in changed(shifts)] == ["network"]
    empty = Window(START, START, {}, {})
    assert {shift.state for shift in compare(empty, now)} == {State.TOO_FEW}
