"""How far X has been read: one `Place` for each list that is read, all of them in one cursor.

X lists the newest first. While a list is being read, its place remembers the newest id and how far down the reading has
come (`until`), so that a run that dies goes on there; once the list is read to its end, `since` moves up. X shows some
posts late, so the last minutes are read again, without telling or counting what was told already (`seen`).
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors.wire import dict_of, list_of, text_of
from collectors.x_text import ID, id_before, moment_of_id
from domain.contracts import Cursor
from domain.mention import Mention

OVERLAP = timedelta(minutes=2)  # read again: X's lists settle within seconds
_SETTLED = timedelta(minutes=15)
_MOVE_UP = timedelta(days=1)  # a quiet list's place moves up once a day, so that an idle run writes nothing
_SEEN_LIMIT = 500
_THREAD_LIMIT = 100


@dataclass(slots=True)
class Place:
    """Where the reading of one list stands.

    Attributes:
        since: all up to this id is stored; None before the first reading has come to its end.
        newest, until: in the middle of a reading: all from `until` up to `newest` is stored.
        token: in the middle of a reading: X's own mark of the next page, for lists without ids in their questions.
        count: what this reading has brought so far.
        seen: ids above `since` that are stored.
        fresh: ids of this reading that may become `seen`.
        day: UTC day on which it was last read to its end; at: the moment, where it is read less often than asked.
    """

    since: str | None = None
    newest: str | None = None
    until: str | None = None
    token: str | None = None
    count: int = 0
    seen: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    day: str = ""
    at: str = ""

    @classmethod
    def of(cls, value: Any) -> "Place":
        """As written in a cursor."""
        given = dict_of(value)
        count = given.get("count")
        return cls(
            since=_id(given.get("since")),
            newest=_id(given.get("newest")),
            until=_id(given.get("until")),
            token=text_of(given.get("token")) or None,
            count=count if isinstance(count, int) else 0,
            seen=[one for one in map(_id, list_of(given.get("seen"))) if one],
            fresh=[one for one in map(_id, list_of(given.get("fresh"))) if one],
            day=text_of(given.get("day")),
            at=text_of(given.get("at")),
        )

    def written(self) -> dict[str, Any]:
        """Without what is empty."""
        return {name: value for name, value in asdict(self).items() if value}

    def advance(self, ids: Iterable[str]) -> None:
        """A page with these ids is about to be stored."""
        listed = sorted(ids, key=int)
        if not listed:
            return
        self.count += len(listed)
        if self.newest is None or int(listed[-1]) > int(self.newest):
            self.newest = listed[-1]
        if self.until is None or int(listed[0]) < int(self.until):
            self.until = listed[0]
        boundary = self._boundary(self.newest)
        self.fresh = sorted({one for one in (*self.fresh, *listed) if int(one) > boundary}, key=int)[-_SEEN_LIMIT:]

    def settle(self, since: str, now: datetime) -> None:
        """The list has been read to its end.

        Args:
            since: the id above which it was asked for.
        """
        reached = max((one for one in (since, self.newest) if one), key=int)
        moment = moment_of_id(reached)
        if self.newest and moment and now - moment < OVERLAP:
            low = self._boundary(self.newest)
            if len(self.fresh) == _SEEN_LIMIT:
                low = int(self.fresh[0])
            self.since, self.seen = str(max(low, int(since))), [one for one in self.fresh if int(one) > low]
        elif moment and now - moment > _MOVE_UP:
            self.since, self.seen = str(max(int(id_before(now - _SETTLED)), int(reached))), []
        else:
            self.since, self.seen = reached, []
        self.newest = self.until = self.token = None
        self.count, self.fresh = 0, []

    @staticmethod
    def _boundary(newest: str) -> int:
        moment = moment_of_id(newest)
        return int(id_before(moment - OVERLAP)) if moment else int(newest)


def _id(value: Any) -> str | None:
    found = text_of(value)
    return found if ID.fullmatch(found) else None


@dataclass(slots=True)
class Places:
    """All places of one source.

    Attributes:
        me: id of our account, where X had to be asked for it.
        watch: what was searched for last, to tell once what cannot be.
        threads: conversation -> [id of our last word in it, "own" where we began it].
    """

    lists: dict[str, Place] = field(default_factory=dict)
    threads: dict[str, list[str]] = field(default_factory=dict)
    me: str = ""
    watch: str = ""

    @classmethod
    def of(cls, cursor: Cursor | None) -> "Places":
        """As a cursor says; a damaged one begins anew, which loses nothing."""
        try:
            given = dict_of(json.loads(cursor or "{}"))
        except ValueError:
            given = {}
        threads = {
            key: [text_of(part) for part in list_of(value)]
            for key, value in dict_of(given.get("threads")).items()
            if ID.fullmatch(key) and list_of(value) and ID.fullmatch(text_of(list_of(value)[0]))
        }
        lists = {str(name): Place.of(value) for name, value in dict_of(given.get("lists")).items()}
        return cls(lists, threads, text_of(given.get("me")), text_of(given.get("watch")))

    def cursor(self) -> Cursor:
        """To be read by `of`."""
        lists = {name: place.written() for name, place in self.lists.items()}
        return Cursor(
            json.dumps({"lists": lists, "threads": self.threads, "me": self.me, "watch": self.watch}, sort_keys=True)
        )

    def place(self, name: str) -> Place:
        """Of one list."""
        return self.lists.setdefault(name, Place())

    def follow(self, mentions: Iterable[Mention], oldest: datetime) -> None:
        """Remember the conversations of our own words; forget those in which we said nothing since `oldest`."""
        for mention in mentions:
            if not (mention.outbound and ID.fullmatch(mention.conversation_id)):
                continue
            known = self.threads.get(mention.conversation_id, ["0"])
            own = ["own"] if "own" in known or mention.conversation_id == mention.native_id else []
            self.threads[mention.conversation_id] = [max(known[0], mention.native_id, key=int), *own]
        last = sorted(self.threads, key=lambda one: int(self.threads[one][0]))[-_THREAD_LIMIT:]
        cut = int(id_before(oldest))
        self.threads = {one: self.threads[one] for one in last if int(self.threads[one][0]) > cut}

    @property
    def own_threads(self) -> frozenset[str]:
        """Conversations that we began."""
        return frozenset(one for one, known in self.threads.items() if "own" in known)
