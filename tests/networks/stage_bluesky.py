"""Bluesky on its stage: posts that name the shop, and answers to them."""

from datetime import datetime, timedelta
from typing import Any

from collectors.bluesky_service import forget_sessions
from tests.fakes.bluesky import HANDLE, PASSWORD, FakeBluesky
from tests.networks.stage import START, US, Stage


class BlueskyStage(Stage):
    """The account @ormelune.example."""

    key, title = "bluesky", "Bluesky"
    answering = ("POST", "/xrpc/com.atproto.repo.putRecord")

    def __init__(self) -> None:
        forget_sessions()
        self.vendor = self.fake = FakeBluesky(limit=10**6)
        self.fake.clock = START
        self._told: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.fake.clock

    def set_now(self, moment: datetime) -> None:
        self.fake.clock = moment

    def say(self, who: str, text: str, below: str = "") -> str:
        if who != US and not below and f"@{HANDLE}" not in text:
            text = f"@{HANDLE} {text}"
        handle = HANDLE if who == US else f"{who.replace('_', '-')}.bsky.example"
        said = self.fake.say(handle, text, parent=self.fake.get(below) if below else None, after=0)
        self._told.add(said.uri)
        return said.uri

    def taken(self) -> list[str]:
        return [str(one.record["text"]) for one in self.fake.of(HANDLE) if one.uri not in self._told]

    @property
    def settings(self) -> dict[str, str]:
        return {"handle": HANDLE, "app_password": PASSWORD, "service": self.vendor.base, "allow_private": "yes"}

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.upside_down = True

    def limit(self, wait: timedelta, **fault: Any) -> None:
        reset = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(int((self.now + wait).timestamp()))}
        self.vendor.fail("status", status=429, headers=reset, **fault)

    def expire(self) -> None:
        self.fake.password = "another"
        self.fake.expire(refresh=True)

    def mend(self) -> None:
        super().mend()
        self.fake.password = PASSWORD
