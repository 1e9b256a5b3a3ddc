"""What all stages share: a shop's account on one network's fake, told about by short verbs, and read by the real collector.

A stage is a subclass of `Stage` in a module of its own and a row of `table.STAGES`; tests and `python -m tests.networks`
run over that table. A stage knows how its network tells a conversation; what is then expected of it is in the tests.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

from domain.contracts import Collector
from domain.mention import MentionId
from tests.fakes.http_server import FakeVendor

START = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
US = "ormelune"  # who speaks for the shop, wherever the network has no better name
_EVER = 10**9


class Stage:
    """One network with the shop on it.

    Attributes:
        key: of COLLECTORS, and network of its mentions; title: of the source.
        vendor: the fake; `serve` runs it, and `settings` needs it running.
        answering: method and start of the path by which an answer leaves.
        told_once: the network itself makes no second answer of one key.
        may_delay: longest time until an answer that was doubted is asked for again.
    """

    key = ""
    title = ""
    vendor: FakeVendor
    answering = ("POST", "/")

    # -- the clock -------------------------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The network's clock, which is also the shop's."""
        raise NotImplementedError

    def set_now(self, moment: datetime) -> None:
        """Move the clock."""
        raise NotImplementedError

    def wait(self, minutes: float) -> None:
        """Let time go by."""
        self.set_now(self.now + timedelta(minutes=minutes))

    # -- the story -------------------------------------------------------------------------------------------------------

    def say(self, who: str, text: str, below: str = "") -> str:
        """Somebody says something now; the id that its mention will have.

        Args:
            who: US, or a handle (letters, digits, underscores).
            below: id of what is answered; empty: to the shop, in public. US without `below` is a post of the shop's own.
        """
        raise NotImplementedError

    def taken(self) -> list[str]:
        """What was said through the interface, as the network shows it, oldest first."""
        raise NotImplementedError

    def id_of(self, native_id: str) -> MentionId:
        """The id of a mention."""
        return MentionId(f"{self.key}:{native_id}")

    # -- the source ------------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> dict[str, str]:
        """Settings of the source, as a person would write them."""
        raise NotImplementedError

    def connect(self, timeout: float = 10.0) -> Collector:
        """The real collector, with the network's clock."""
        connect: Callable[..., Collector] = import_module(f"collectors.{self.key}").connect
        return connect(self.settings, now=lambda: self.now, timeout=timeout)

    # -- how lists are given -----------------------------------------------------------------------------------------------

    def in_pages_of(self, count: int) -> None:
        """No list gives more at once."""
        raise NotImplementedError

    def the_other_way_round(self) -> None:
        """What a page holds comes in another order: the one that other servers have, else upside down."""
        raise NotImplementedError

    # -- trouble -----------------------------------------------------------------------------------------------------------

    def limit(self, wait: timedelta, **fault: Any) -> None:
        """The next question is one too many; the headers say, in the network's own words, how long to wait."""
        raise NotImplementedError

    def expire(self) -> None:
        """The token is good no more."""
        self.vendor.fail("status", status=401, times=_EVER)

    def revoke(self) -> None:
        """The token lives, and lacks a permission that is needed for reading and for answering."""
        self.vendor.fail("status", status=403, times=_EVER)

    def mend(self) -> None:
        """A person has put token and permissions right."""
        self.vendor.faults.clear()
