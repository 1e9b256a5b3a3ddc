"""Where the last reading of a Mastodon server stopped: `Place`, which is the cursor. Pure; reading is in `mastodon_read`.

A mark is the newest item of a list; the threads that are followed are `threads`.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from collectors.threads import Threads
from collectors.wire import at, dict_of, moment_of, text_of
from domain.contracts import Cursor


@dataclass(frozen=True, slots=True)
class Mark:
    """The newest item of a list that was read: its id, and when it was made."""

    native_id: str
    moment: datetime


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
        for name, pair in dict_of(at(parts, "marks")).items():
            moment = moment_of(at(pair, "at"))
            if moment and text_of(at(pair, "id")):
                place.marks[name] = Mark(text_of(at(pair, "id")), moment)
        return place

    def cursor(self) -> Cursor:
        """The place as text."""
        marks = {name: {"id": mark.native_id, "at": mark.moment.isoformat()} for name, mark in self.marks.items()}
        return Cursor(json.dumps({"marks": marks, "threads": self.threads.told()}, sort_keys=True))
