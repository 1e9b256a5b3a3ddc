"""Where the last reading of Reddit stopped: `Place`, which is the cursor. Pure; reading is in `reddit_read`."""

import json
from dataclasses import dataclass, field

from collectors.newest_first import Marks
from collectors.threads import Threads
from collectors.wire import at, dict_of, text_of
from domain.contracts import Cursor


@dataclass
class Place:
    """Where reading stopped.

    Attributes:
        marks: of lists; threads: followed for late answers, by the post's full name.
        closed: communities that cannot be read, with the reason that was told.
    """

    marks: Marks = field(default_factory=Marks)
    threads: Threads = field(default_factory=Threads)
    closed: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "Place":
        """The place that a cursor tells; what cannot be read is read from the start, which loses nothing."""
        try:
            parts = json.loads(cursor or "{}")
        except (ValueError, RecursionError):
            parts = {}
        closed = {name: text_of(reason) for name, reason in dict_of(at(parts, "closed")).items() if text_of(reason)}
        return cls(Marks.read(at(parts, "marks")), Threads.read(at(parts, "threads")), closed)

    def cursor(self) -> Cursor:
        """The place as text."""
        parts = {"marks": self.marks.told(), "threads": self.threads.told(), "closed": self.closed}
        return Cursor(json.dumps(parts, sort_keys=True))
