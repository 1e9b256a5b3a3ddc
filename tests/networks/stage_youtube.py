"""YouTube on its stage: comments below the shop's videos, and answers to them."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from collectors import youtube
from collectors.access_tokens import forget_tokens
from domain.contracts import Collector
from tests.fakes.youtube import BRAND, SETTINGS, FakeYoutube
from tests.networks.stage import START, US, Stage


class YoutubeStage(Stage):
    """The channel @ormelune."""

    key, title = "youtube", "YouTube"
    answering = ("POST", "/youtube/v3/comments")

    def __init__(self) -> None:
        forget_tokens()
        self.vendor = self.fake = FakeYoutube(quota=10**9)
        self.fake.clock = START
        self._told: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.fake.clock

    def set_now(self, moment: datetime) -> None:
        self.fake.clock = moment

    def say(self, who: str, text: str, below: str = "") -> str:
        said = self.fake.say(BRAND if who == US else who, text, parent=self.fake.get(below) if below else None, after=0)
        self._told.add(said.key)
        return said.key

    def taken(self) -> list[str]:
        return [one.text for one in self.fake.of(BRAND) if one.key not in self._told]

    @property
    def settings(self) -> dict[str, str]:
        return SETTINGS

    def connect(self, timeout: float = 10.0) -> Collector:
        connect: Callable[..., Collector] = youtube.connect
        return connect(self.settings, now=lambda: self.now, timeout=timeout, base=self.vendor.base)

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.upside_down = True

    def limit(self, wait: timedelta, **fault: Any) -> None:
        self.vendor.fail("status", status=429, headers={"Retry-After": str(int(wait.total_seconds()))}, **fault)

    def expire(self) -> None:
        forget_tokens()
        self.fake.tokens.clear()
        self.fake.revoked = True

    def revoke(self) -> None:
        self.fake.limited = True

    def mend(self) -> None:
        forget_tokens()
        self.fake.revoked = self.fake.limited = False
