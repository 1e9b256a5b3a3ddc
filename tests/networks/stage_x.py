"""X on its stage: public posts that name the shop, and answers to them."""

from datetime import datetime, timedelta
from typing import Any

from tests.fakes.x import SETTINGS, FakeX
from tests.fakes.x_world import User
from tests.networks.stage import START, US, Stage


class XStage(Stage):
    """The account @ormelune."""

    key, title = "x", "X"
    answering = ("POST", "/2/tweets")

    def __init__(self) -> None:
        self._at = START
        self.vendor = self.fake = FakeX(now=lambda: self._at)

    @property
    def now(self) -> datetime:
        return self._at

    def set_now(self, moment: datetime) -> None:
        self._at = moment

    def say(self, who: str, text: str, below: str = "") -> str:
        if who != US and not below and "@ormelune" not in text.lower():
            text = f"{text} @ormelune"  # else only who searches would hear it
        return self.fake.world.say(self._user(who), text, self._at, parent=below or None).id

    def _user(self, who: str) -> User:
        known = [user for user in self.fake.world.users.values() if user.username == who]
        return known[0] if known else self.fake.world.user(who)

    def taken(self) -> list[str]:
        return [text for _, text, _ in self.fake.accepted]

    @property
    def settings(self) -> dict[str, str]:
        return {**SETTINGS, "api_host": self.vendor.base, "allow_private": "yes"}

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.upside_down = True

    def limit(self, wait: timedelta, **fault: Any) -> None:
        reset = {"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(int((self.now + wait).timestamp()))}
        self.vendor.fail("status", status=429, headers=reset, **fault)

    def expire(self) -> None:
        self.fake.token_lives = False

    def revoke(self) -> None:
        self.fake.level = "read"

    def mend(self) -> None:
        self.fake.token_lives, self.fake.level = True, "read-write-directmessages"
