"""What all fake networks of reviews share: reviews that are written, edited, answered and removed, and tokens that run out.

A vendor is a subclass that says how reviews look and how its interface answers; shapes and sources are in its own file.
Each sent answer is counted (`sent`), also where it takes the place of the one before.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.fakes.http_server import FakeVendor, Reply, Request

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Review:
    """What somebody wrote of a store, an app or a product (`where`); `fields` go over the vendor's shape."""

    id: str
    name: str
    stars: int
    text: str
    at: datetime
    changed_at: datetime
    where: str
    title: str = ""
    reply: str = ""
    reply_at: datetime | None = None
    fields: dict[str, Any] = field(default_factory=dict)


class FakeReviews(FakeVendor):
    """One vendor with its reviews.

    Attributes:
        sent: answers that arrived: id of the review, words.
        granted: how many tokens were given out; `valid`: those that are good.
        clock: of the vendor; each event is some minutes after the last.
    """

    places: tuple[str, ...] = ("one", "two")
    page_limit = 3

    def __init__(self) -> None:
        super().__init__()
        self.reviews: list[Review] = []
        self.sent: list[tuple[str, str]] = []
        self.valid: set[str] = set()
        self.granted = self.count = 0
        self.clock = START
        self.open = True  # False: our access was withdrawn for good

    # -- the story -------------------------------------------------------------------------------------------------------

    def write(
        self, text: str, stars: int = 4, *, where: str = "", after: int = 30, name: str = "Léa M.", **fields: Any
    ) -> Review:
        """Somebody writes a review, `after` minutes later."""
        self.clock += timedelta(minutes=after)
        number = len(self.reviews)
        title = fields.pop("title", "")
        made = Review(
            self.new_id(number),
            name,
            stars,
            text,
            self.clock,
            self.clock,
            where or self.places[0],
            title,
            fields=fields,
        )
        self.reviews.append(made)
        return made

    def edit(self, review: Review, text: str, stars: int) -> None:
        """Its author changes it."""
        self.clock += timedelta(minutes=5)
        review.text, review.stars, review.changed_at = text, stars, self.clock

    def answer(self, review: Review, text: str) -> None:
        """We answer, here or on the vendor's own page."""
        self.clock += timedelta(minutes=5)
        review.reply, review.reply_at = text, self.clock

    def remove(self, review: Review) -> None:
        """It is taken out."""
        self.reviews.remove(review)

    def wait(self, **span: float) -> None:
        """Time goes by."""
        self.clock += timedelta(**span)

    def get(self, review_id: str) -> Review | None:
        return next((one for one in self.reviews if one.id == review_id), None)

    def new_id(self, number: int) -> str:
        return f"r-{number:04d}"

    # -- tokens ----------------------------------------------------------------------------------------------------------

    def grant(self) -> str:
        """A new token."""
        self.granted += 1
        token = f"token-of-the-shop-{self.granted:04d}"
        self.valid.add(token)
        return token

    def expire(self) -> None:
        """All tokens end."""
        self.valid.clear()

    def let_in(self, request: Request) -> bool:
        """Whether the request carries a good token."""
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.valid

    @staticmethod
    def basic(request: Request) -> tuple[str, str]:
        """User and password of the header Authorization."""
        given = request.headers.get("authorization", "")
        try:
            user, _, word = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
        except ValueError:
            return "", ""
        return user, word

    # -- paging ------------------------------------------------------------------------------------------------------------

    def shown(self, where: str, key: Callable[[Review], datetime], *, newest_first: bool = True) -> list[Review]:
        """The reviews of one place, sorted."""
        return sorted((one for one in self.reviews if one.where == where), key=key, reverse=newest_first)

    def piece(self, items: list[Review], token: str, limit: int) -> tuple[list[Review], str]:
        """Items from an opaque token on, and the token of the rest."""
        start = int(token.removeprefix("from-")) if token else 0
        end = start + min(limit, self.page_limit)
        return items[start:end], f"from-{end}" if end < len(items) else ""


def iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def not_there(data: Any = None) -> Reply:
    return Reply(data, 404)
