"""Watches that name others: what stands in their places, and what is refused."""

import pytest

from domain.errors import InputError
from domain.watch import MAX_LENGTH
from domain.watch_lists import check, expand, key_of

NAMED = {
    "concurrents": '"belle aube" OU rival',
    "tous": "list:concurrents OU autre",
    "cercle": "a list:rond",
    "rond": "list:cercle",
}


@pytest.mark.parametrize(
    ("query", "whole"),
    [
        ("promo", "promo"),
        ("promo -liste:Concurrents", 'promo -("belle aube" OU rival)'),
        ("(list:tous) x", '((("belle aube" OU rival) OU autre)) x'),
        ('"list:tous" x', '"list:tous" x'),
    ],
)
def test_lists_are_replaced_by_what_they_stand_for(query: str, whole: str) -> None:
    assert expand(query, NAMED) == whole


@pytest.mark.parametrize(
    ("query", "says"),
    [("a list:nowhere", "no list “nowhere”"), ("list:cercle", "leads back"), ("list:tous " * 120, "With its lists")],
)
def test_unknown_lists_circles_and_what_grows_too_long_are_refused(query: str, says: str) -> None:
    with pytest.raises(InputError, match=says):
        expand(query, NAMED)


def test_what_doubles_at_each_step_is_stopped_early() -> None:
    named = {"w0": "mot"} | {f"w{n}": f"list:w{n - 1} list:w{n - 1}" for n in range(1, 60)}
    with pytest.raises(InputError, match="With its lists"):
        expand("list:w59", named)
    assert MAX_LENGTH < 10_000


def test_the_place_is_told_in_what_was_written() -> None:
    check("promo liste:belle-aube", ["Belle Aube"])
    check("promo list:BELLE-AUBE", ["Belle Aube"])
    with pytest.raises(InputError, match=r"no list “x” .at character 7"):
        check("promo list:x", ["Belle Aube"])
    with pytest.raises(InputError, match="parenthesis at character 7"):
        check("promo (liste:belle-aube", ["Belle Aube"])
    assert key_of("  Nos Élégants Rivaux ") == "nos-elegants-rivaux"
