"""Mastodon on its stage: statuses that name the shop, and answers to them."""

from datetime import datetime, timedelta
from typing import Any

from tests.fakes.mastodon import ALL_SCOPES, BRAND, TOKEN, FakeMastodon
from tests.networks.stage import START, US, Stage


class MastodonStage(Stage):
    """The account @ormelune on one server."""

    key, title = "mastodon", "Mastodon"
    answering = ("POST", "/api/v1/statuses")

    def __init__(self) -> None:
        self.vendor = self.fake = FakeMastodon(limit=10**6)
        self.fake.clock = START
        self._told: set[str] = set()

    @property
    def now(self) -> datetime:
        return self.fake.clock

    def set_now(self, moment: datetime) -> None:
        self.fake.clock = moment

    def say(self, who: str, text: str, below: str = "") -> str:
        above = self.fake.get(below) if below else None
        name = BRAND if who == US else who
        named = f"@{above.acct if above and who == US else BRAND}"
        if (above or who != US) and named not in text.lower():
            text = f"{named} {text}"  # as apps do
        said = self.fake.say(name, text, parent=above, after=0)
        self._told.add(said.id)
        return said.id

    def taken(self) -> list[str]:
        return [one.text for one in self.fake.of(BRAND) if one.id not in self._told]

    @property
    def settings(self) -> dict[str, str]:
        return {"server": self.vendor.base, "access_token": TOKEN, "allow_private": "yes"}

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.min_id = "floor"

    def limit(self, wait: timedelta, **fault: Any) -> None:
        reset = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": (self.now + wait).isoformat()}
        self.vendor.fail("status", status=429, headers=reset, **fault)

    def expire(self) -> None:
        self.fake.token = "another"

    def revoke(self) -> None:
        self.fake.scopes = ("read:accounts",)

    def mend(self) -> None:
        self.fake.token, self.fake.scopes = TOKEN, ALL_SCOPES
