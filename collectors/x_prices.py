"""What X charges: PRICES as a table with its source, and `Meter`, which counts what one run has to pay.

X bills each resource once per UTC day, whoever asks and however often. A run knows what it read itself, so a meter counts
distinct resources of its own day; what an earlier run of the same day paid for is left out by who reads (x_read.py). A
changed price is mended here, with the day on which the page was read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from domain.clock import Now
from domain.contracts import Spend

PRICING = "X API docs, “X API pay-per-usage pricing and credits”, as of 2026-08-22"
_READ_ON = date(2026, 11, 26)


class Item(StrEnum):
    """What X bills."""

    POST = "post"
    OWNED_POST = "owned_post"  # own mentions and own posts, asked for by the account that owns the developer app
    USER = "user"
    EVENT = "dm_event"
    COUNT_RECENT = "count_recent"
    COUNT_ALL = "count_all"
    CREATE = "post_create"
    CREATE_WITH_LINK = "post_create_with_link"
    ANSWER = "summoned_answer"
    MESSAGE = "dm_create"
    HIDE = "content_manage"
    DELETE = "interaction_delete"


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for one item."""

    item: Item
    dollars: float
    source: str = PRICING
    read_on: date = _READ_ON


PRICES: tuple[Price, ...] = (
    Price(Item.POST, 0.005),
    Price(Item.OWNED_POST, 0.001),
    Price(Item.USER, 0.010),
    Price(Item.EVENT, 0.010),
    Price(Item.COUNT_RECENT, 0.005),
    Price(Item.COUNT_ALL, 0.010),
    Price(Item.CREATE, 0.015),
    Price(Item.CREATE_WITH_LINK, 0.200),
    Price(Item.ANSWER, 0.010),
    Price(Item.MESSAGE, 0.015),
    Price(Item.HIDE, 0.005),
    Price(Item.DELETE, 0.010),
)
_DOLLARS = {price.item: price.dollars for price in PRICES}
_ONCE_A_DAY = {Item.POST: "post", Item.OWNED_POST: "post", Item.USER: "user", Item.EVENT: "event"}


def dollars(item: Item) -> float:
    """US dollars for one."""
    return _DOLLARS[item]


class Meter:
    """Counts what a run has to pay.

    Args:
        billed: False where the account has a plan that is paid by the month: then reading has no price.
    """

    def __init__(self, now: Now, *, billed: bool = True) -> None:
        self._now = now
        self.billed = billed
        self._day = date.min
        self._seen: set[tuple[str, str]] = set()

    def call(self, read: Iterable[tuple[Item, str]] = (), requests: Iterable[Item] = ()) -> Spend:
        """One request: what it brought (item and id), and items that are billed by request.

        `Spend.unit_count` is posts, which X caps by the month.
        """
        today = self._now().date()
        if today != self._day:
            self._day, self._seen = today, set()
        count = posts = 0
        price = 0.0
        for item, key in read:
            resource = (_ONCE_A_DAY[item], key)
            if resource in self._seen:
                continue
            self._seen.add(resource)
            count += 1
            posts += resource[0] == "post"
            price += _DOLLARS[item]
        price += sum(_DOLLARS[item] for item in requests)
        return Spend(1, count, round(price, 6) if self.billed else 0.0, posts)
