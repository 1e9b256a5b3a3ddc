"""Threads that are followed for late answers: read again the seldomer, the longer they are quiet. Pure.

A network that cannot tell what is new below old posts keeps a `Threads` in its cursor. `digest_of` tells whether anything
moved, so that what did not is not told again.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from collectors.wire import at, dict_of, moment_of, text_of

MAX_THREADS = 200
MAX_AGAIN = 25  # threads read again in one run; new ones come on top
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_QUIET_AFTER = timedelta(days=14)
_AGAIN = (  # a thread that was last alive so long ago is read again after …
    (timedelta(hours=1), timedelta()),
    (timedelta(days=1), timedelta(minutes=15)),
    (timedelta(days=3), timedelta(hours=1)),
    (_QUIET_AFTER, timedelta(hours=6)),
)


@dataclass(frozen=True, slots=True)
class Thread:
    """A thread that is followed.

    Attributes:
        last_at: when somebody last said something in it; `asked_at`: when it was last read.
        digest: of what it held then.
    """

    last_at: datetime
    asked_at: datetime = NEVER
    digest: str = ""

    def due(self, now: datetime) -> bool:
        """Whether it is time to read it again; the quieter it is, the seldomer."""
        age = now - self.last_at
        pause = next((pause for limit, pause in _AGAIN if age < limit), None)
        return pause is not None and now - self.asked_at >= pause

    def lively(self, now: datetime) -> bool:
        """Whether it is read in every run."""
        return now - self.last_at < _AGAIN[0][0]


@dataclass
class Threads:
    """The threads that are followed, by their first message."""

    known: dict[str, Thread] = field(default_factory=dict)

    @classmethod
    def read(cls, told: Any) -> "Threads":
        """As `told` wrote them; what cannot be read is left out."""
        threads = cls()
        for root, one in dict_of(told).items():
            last, asked = moment_of(at(one, "last")), moment_of(at(one, "asked"))
            if last and asked:
                threads.known[root] = Thread(last, asked, text_of(at(one, "digest")))
        return threads

    def told(self) -> dict[str, dict[str, str]]:
        """As JSON."""
        return {
            root: {"last": one.last_at.isoformat(), "asked": one.asked_at.isoformat(), "digest": one.digest}
            for root, one in self.known.items()
        }

    def follow(self, root: str, last_at: datetime, now: datetime) -> None:
        """Somebody spoke in it; the quietest one is let go where they are too many."""
        known = self.known.get(root)
        if known:
            self.known[root] = replace(known, last_at=max(last_at, known.last_at))
        elif now - last_at <= _QUIET_AFTER:
            self.known[root] = Thread(last_at)
        if len(self.known) > MAX_THREADS:
            del self.known[min(self.known, key=lambda one: (self.known[one].last_at, one))]

    def was_read(self, root: str, now: datetime, digest: str) -> None:
        """It was just read whole."""
        if root in self.known:
            self.known[root] = replace(self.known[root], asked_at=now, digest=digest)

    def was_unchanged(self, root: str, now: datetime) -> None:
        """It was just read, and nothing has moved."""
        if not self.known[root].lively(now):  # a lively one is read each time anyway: nothing to write down
            self.was_read(root, now, self.known[root].digest)

    def waiting(self, now: datetime) -> Sequence[str]:
        """Those to read in this run: all that never were, then those that have waited longest."""
        due = sorted((one.asked_at, root) for root, one in self.known.items() if one.due(now))
        new = sum(asked_at == NEVER for asked_at, _ in due)
        return [root for _, root in due[: new + MAX_AGAIN]]

    def drop(self, root: str) -> None:
        """It is no longer there."""
        self.known.pop(root, None)

    def let_go(self, now: datetime) -> None:
        """Forget those that have long been quiet."""
        self.known = {root: one for root, one in self.known.items() if now - one.last_at <= _QUIET_AFTER}


def digest_of(items: Iterable[Any], *paths: tuple[str, ...]) -> str:
    """Changes when one of these fields of an item changes, or when an item comes or goes; their order does not matter."""
    told = sorted(json.dumps([at(item, *path) for path in paths], default=str) for item in items)
    return blake2b("\n".join(told).encode("utf-8", "replace"), digest_size=12).hexdigest()
