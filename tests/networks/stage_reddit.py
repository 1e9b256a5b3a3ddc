"""Reddit on its stage: posts and comments that name the shop, and answers to them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from collectors import reddit
from collectors.access_tokens import forget_tokens
from domain.contracts import Collector
from tests.fakes.reddit import ALL_SCOPES, BRAND, SETTINGS, FakeReddit
from tests.networks.stage import START, US, Stage


class RedditStage(Stage):
    """The account u/Ormelune."""

    key, title = "reddit", "Reddit"
    answering = ("POST", "/api/comment")

    def __init__(self) -> None:
        forget_tokens()
        self.vendor = self.fake = FakeReddit(limit=10**6)
        self.fake.clock = START
        self._told: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.fake.clock

    def set_now(self, moment: datetime) -> None:
        self.fake.clock = moment

    def say(self, who: str, text: str, below: str = "") -> str:
        above = self.fake.get(below) if below else None
        if above is None and who != US:
            text = f"u/{BRAND} {text}"
        said = self.fake.say(BRAND if who == US else who, text, parent=above, after=0)
        self._told.add(said.name)
        return said.name

    def taken(self) -> list[str]:
        return [one.text for one in self.fake.of(BRAND) if one.name not in self._told]

    @property
    def settings(self) -> dict[str, str]:
        return SETTINGS

    def connect(self, timeout: float = 10.0) -> Collector:
        connect: Callable[..., Collector] = reddit.connect
        return connect(self.settings, now=lambda: self.now, timeout=timeout, base=self.vendor.base)

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.upside_down = True

    def limit(self, wait: timedelta, **fault: Any) -> None:
        seconds = str(int(wait.total_seconds()))
        reset = {"x-ratelimit-remaining": "0.0", "x-ratelimit-used": "1000", "x-ratelimit-reset": seconds}
        self.vendor.fail("status", status=429, headers=reset, **fault)

    def expire(self) -> None:
        forget_tokens()
        self.fake.tokens.clear()
        self.fake.revoked = True

    def revoke(self) -> None:
        forget_tokens()
        self.fake.tokens.clear()
        self.fake.scopes = "identity"

    def mend(self) -> None:
        forget_tokens()
        self.fake.tokens.clear()
        self.fake.revoked, self.fake.scopes = False, ALL_SCOPES
