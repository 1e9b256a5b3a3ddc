"""How far a Page or an Instagram account has been read: all of it in one cursor, which is JSON.

A `Mark` for each list: while it is being read, newest first, the mark says how far down the reading has come, so that a run
that dies goes on there. A `Thread` for each post or medium that is followed: what the list told of its activity when its
comments were last read, so that a comment on an old post is noticed. Reading itself is `meta_walk`. All times are whole
seconds since 1970.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any

from collectors.values import content_id
from collectors.wire import count_of, dict_of, list_of, text_of
from domain.contracts import Cursor

THREAD_LIMIT = 400
SEEN_LIMIT = 500
TOLD_LIMIT = 200
BELOW = "below "  # name of the list of comments of a thread, before its id


@dataclass(slots=True)
class Mark:
    """Where the reading of one list stands.

    Attributes:
        since: moment of the newest item that is stored; 0 before the first reading has come to its end.
        deep: when it was last read as far down as posts are followed.
        begun, floor, position, top, count: of the reading under way: when it began, how far down it goes, Graph's mark of its
            next page, its newest item, its number of items. `begun` is 0 where none is under way.
    """

    since: int = 0
    deep: int = 0
    begun: int = 0
    floor: int = 0
    position: dict[str, str] = field(default_factory=dict)
    top: int = 0
    count: int = 0

    @classmethod
    def of(cls, value: Any) -> "Mark":
        """As written in a cursor."""
        given = dict_of(value)
        numbers = {name: count_of(given.get(name)) or 0 for name in ("since", "deep", "begun", "floor", "top", "count")}
        position = {text_of(key): text_of(found) for key, found in dict_of(given.get("position")).items()}
        return cls(**numbers, position=position)

    def begin(self, floor: int, now: int) -> None:
        """A reading from the newest item down to `floor`."""
        self.begun, self.floor, self.position, self.top, self.count = now, floor, {}, 0, 0

    def settle(self) -> None:
        """The reading has come to its end."""
        self.since = max(self.since, self.top)
        self.begun, self.floor, self.position, self.top, self.count = 0, 0, {}, 0, 0


@dataclass(slots=True)
class Thread:
    """A post, medium or recommendation whose comments are followed.

    Attributes:
        created, active: when it was made, when something last happened below it.
        sort: ``own``, ``visitor``, ``tagged`` or ``rating``; ``closed`` where nothing below it can be read.
        told: what its list last said of its activity; `read`: the same when its comments were last read to the end; `aim`:
            the same when the reading under way began.
        since: moment of the newest comment that is stored; at: when they were last read to the end.
    """

    created: int
    sort: str = "own"
    told: str = ""
    read: str = ""
    aim: str = ""
    since: int = 0
    at: int = 0
    active: int = 0

    @classmethod
    def of(cls, value: Any) -> "Thread":
        """As written in a cursor."""
        given = [*list_of(value), *[None] * 8][:8]
        created, since, last, active = (count_of(given[place]) or 0 for place in (0, 5, 6, 7))
        sort, told, read, aim = (text_of(given[place]) for place in (1, 2, 3, 4))
        return cls(created, sort, told, told if read == "=" else read, aim, since, last, active)

    def written(self) -> list[Any]:
        """Short, as there are hundreds."""
        read = "=" if self.read == self.told else self.read
        return [self.created, self.sort, self.told, read, self.aim, self.since, self.at, self.active]


@dataclass(slots=True)
class Place:
    """All places of one source.

    Attributes:
        start: nothing older than this is heard; the first run decides.
        seen: id of a message that is stored -> its moment, for the last ones.
        tags: hashtag -> its number, when it was first asked for, when it was last read, ids that are stored.
        me, handle: our Instagram account, where Meta had to be asked for it.
        told: keys of remarks and rejects that a person was told already.
    """

    start: int = 0
    lists: dict[str, Mark] = field(default_factory=dict)
    threads: dict[str, Thread] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)
    tags: dict[str, dict[str, Any]] = field(default_factory=dict)
    me: str = ""
    handle: str = ""
    told: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, cursor: Cursor | None) -> "Place":
        """As a cursor says; a damaged one begins anew, which loses nothing."""
        try:
            given = dict_of(json.loads(cursor or "{}"))
        except (ValueError, RecursionError):
            given = {}
        return cls(
            start=count_of(given.get("start")) or 0,
            lists={str(name): Mark.of(one) for name, one in dict_of(given.get("lists")).items()},
            threads={str(one): Thread.of(value) for one, value in dict_of(given.get("threads")).items()},
            seen={str(one): count_of(value) or 0 for one, value in dict_of(given.get("seen")).items()},
            tags={str(tag): dict_of(value) for tag, value in dict_of(given.get("tags")).items()},
            me=text_of(given.get("me")),
            handle=text_of(given.get("handle")),
            told=[text_of(one) for one in list_of(given.get("told"))],
        )

    def cursor(self) -> Cursor:
        """To be read by `of`."""
        lists = {name: {key: one for key, one in asdict(mark).items() if one} for name, mark in self.lists.items()}
        threads = {one: thread.written() for one, thread in self.threads.items()}
        written = {
            "start": self.start,
            "lists": lists,
            "threads": threads,
            "seen": self.seen,
            "tags": self.tags,
            "me": self.me,
            "handle": self.handle,
            "told": self.told,
        }
        return Cursor(json.dumps({key: value for key, value in written.items() if value}, sort_keys=True))

    def mark(self, name: str) -> Mark:
        """Of one list."""
        return self.lists.setdefault(name, Mark())

    def forget(self) -> None:
        """Only the youngest threads are followed."""
        if len(self.threads) > THREAD_LIMIT:
            youngest = sorted(self.threads, key=lambda one: self.threads[one].created)[-THREAD_LIMIT:]
            self.threads = {one: self.threads[one] for one in youngest}
        below = {f"{BELOW}{one}" for one in self.threads}
        self.lists = {name: mark for name, mark in self.lists.items() if not name.startswith(BELOW) or name in below}

    def is_news(self, *words: str) -> bool:
        """Whether a person was not told this yet; from now on they were. Broken items would else be told in each run."""
        key = content_id(words)
        if key in self.told:
            return False
        self.told = [*self.told, key][-TOLD_LIMIT:]
        return True

    def forget_seen(self, before: int) -> None:
        """Messages that no reading comes across again."""
        young = sorted((at, one) for one, at in self.seen.items() if at >= before)[-SEEN_LIMIT:]
        self.seen = {one: at for at, one in young}
