"""Facebook and Instagram on their stages: comments below posts of the shop, and what visitors post on its Page."""

from datetime import datetime, timedelta
from typing import Any

from tests.fakes.meta import ACCOUNT, HANDLE, PAGE, PERMISSIONS, SETTINGS, FakeMeta
from tests.fakes.meta_world import PAGE_NAME, Thing
from tests.networks.stage import START, US, Stage


class MetaStage(Stage):
    """One Page with its Instagram account."""

    written = ""  # the permission to read and answer comments

    def __init__(self) -> None:
        self.vendor = self.fake = FakeMeta()
        self.fake.world.clock = START
        self._post: Thing | None = None

    @property
    def now(self) -> datetime:
        return self.fake.world.clock

    def set_now(self, moment: datetime) -> None:
        self.fake.world.clock = moment

    def taken(self) -> list[str]:
        return [one.text for one in self.fake.accepted]

    @property
    def settings(self) -> dict[str, str]:
        return {**SETTINGS, "api_host": self.vendor.base, "allow_private": "yes"}

    def in_pages_of(self, count: int) -> None:
        self.fake.page_limit = count

    def the_other_way_round(self) -> None:
        self.fake.oldest_first = True

    def limit(self, wait: timedelta, **fault: Any) -> None:
        used = {"type": "pages", "call_count": 100, "total_cputime": 1, "total_time": 2}
        told = {**used, "estimated_time_to_regain_access": int(wait.total_seconds() // 60)}
        self.vendor.fail("status", status=429, headers=_usage(told), **fault)

    def revoke(self) -> None:
        self.fake.permissions -= {self.written, "pages_read_user_content"}

    def mend(self) -> None:
        super().mend()
        self.fake.permissions |= set(PERMISSIONS)

    def _thing(self, native_id: str) -> Thing:
        return self.fake.world.things[native_id]


class FacebookStage(MetaStage):
    """The Page."""

    key, title = "facebook", "Facebook"
    answering = ("POST", "/v26.0/")
    written = "pages_manage_engagement"

    def say(self, who: str, text: str, below: str = "") -> str:
        name = PAGE_NAME if who == US else who
        if not below:
            return self.fake.world.post(text, name, after=0).id
        above = self._thing(below)
        on = above if above.kind == "post" else self._thing(above.on)
        parent = None if above is on else above
        return self.fake.world.comment(on, text, name, parent=parent, after=0).id


class InstagramStage(MetaStage):
    """The account; who speaks to the shop out of nowhere does it below its first picture."""

    key, title = "instagram", "Instagram"
    answering = ("POST", "/v26.0/")
    written = "instagram_manage_comments"

    def say(self, who: str, text: str, below: str = "") -> str:
        world, name = self.fake.world, HANDLE if who == US else who
        if not below and who == US:
            return world.media(text, after=0).id
        if not below:
            self._post = self._post or world.media("Notre atelier", after=0)
            return world.reply(self._post, text, name, after=0).id
        above = self._thing(below)
        on = above if above.kind == "media" else self._thing(above.on)
        return world.reply(on, text, name, parent=None if above is on else above, after=0).id


def _usage(told: dict[str, Any]) -> dict[str, str]:
    import json

    return {"X-Business-Use-Case-Usage": json.dumps({PAGE: [told], ACCOUNT: []})}
