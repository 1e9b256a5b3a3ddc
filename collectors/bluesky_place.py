"""Where the last reading of Bluesky stopped: `Place`, which is the cursor. Pure; reading is in `bluesky_read`.

Its lists are newest first and may still change at the top: a mark is the newest moment that was read, with what was read
in the hour before it, so that this hour can be read again without telling anything twice.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from collectors.threads import Threads
from collectors.wire import at, dict_of, list_of, moment_of, text_of
from domain.contracts import Cursor

OVERLAP = timedelta(hours=1)
MAX_KNOWN = 500


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a list was read: the newest moment, and short names of what came in the hour before."""

    moment: datetime
    known: frozenset[str] = frozenset()

    @classmethod
    def after(cls, read: Iterable[tuple[str, datetime]], before: "Mark | None") -> "Mark | None":
        """The mark after reading these posts, by address and moment."""
        items = list(read)
        moments = [moment for _, moment in items] + ([before.moment] if before else [])
        if not moments:
            return None
        newest = max(moments)
        recent = sorted(((moment, uri) for uri, moment in items if moment >= newest - OVERLAP), reverse=True)
        return cls(newest, frozenset(short_name(uri) for _, uri in recent[:MAX_KNOWN]))


def short_name(uri: str) -> str:
    """Of an address; enough to know it again among some hundreds."""
    return blake2b(uri.encode("utf-8", "replace"), digest_size=6).hexdigest()


@dataclass
class Place:
    """Where reading stopped, list by list."""

    marks: dict[str, Mark] = field(default_factory=dict)
    threads: Threads = field(default_factory=Threads)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "Place":
        """The place that a cursor tells; what cannot be read is read from the start, which loses nothing."""
        try:
            parts = json.loads(cursor or "{}")
        except ValueError:
            parts = {}
        place = cls(threads=Threads.read(at(parts, "threads")))
        for name, told in dict_of(at(parts, "marks")).items():
            moment = moment_of(at(told, "at"))
            if moment:
                place.marks[name] = Mark(moment, frozenset(map(text_of, list_of(at(told, "known")))))
        return place

    def cursor(self) -> Cursor:
        """The place as text."""
        marks = {
            name: {"at": mark.moment.isoformat(), "known": sorted(mark.known)} for name, mark in self.marks.items()
        }
        return Cursor(json.dumps({"marks": marks, "threads": self.threads.told()}, sort_keys=True))
