"""Lists that come newest first: what is cut off is told, wherever the cut falls."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors.newest_first import Asked, Marks, Shape, walk

NEWEST = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
SHAPE = Shape(lambda item: str(item["id"]), lambda item: item["at"])


def listed(count: int, per_page: int) -> Any:
    """A network that shows `count` items, one a minute, the newest first."""
    items = [{"id": n, "at": NEWEST - timedelta(minutes=n)} for n in range(count)]

    def ask(token: str) -> Asked:
        start = int(token or 0)
        following = str(start + per_page) if start + per_page < count else ""
        return items[start : start + per_page], following

    return ask


@pytest.mark.parametrize(
    ("count", "most", "is_cut"),
    [
        (50, 10, False),  # all there is
        (100, 10, True),  # the network's own limit, on the last page that we would read
        (100, 20, True),  # the same before it
        (200, 10, True),  # our own limit
    ],
)
def test_what_lies_beyond_is_a_gap_wherever_it_falls(count: int, most: int, is_cut: bool) -> None:
    floor = NEWEST - timedelta(days=30)
    pieces = list(walk("l", Marks(), listed(count, 10), SHAPE, floor=floor, most=most, lost="older ones", shown=95))
    gaps = [piece.gap for piece in pieces if piece.gap]
    assert bool(gaps) is is_cut
    assert sum(len(piece.items) for piece in pieces) == min(count, most * 10)
    if is_cut:
        assert (gaps[0].since, gaps[0].until) == (floor, NEWEST - timedelta(minutes=99))
