"""One reading of Reddit: the inbox, our own words, communities, searches, and the threads that are alive.

Reddit gives the newest first and about a thousand items of a list; each list is read down to what is known. Late answers
below our own posts, and in branches that we have a part in, are heard by reading those threads again (`threads`).
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collectors.newest_first import Asked, Piece, Shape, walk
from collectors.reddit_map import COMMENT, KINDS, NETWORK, POST, Thing, conversation_of, is_gone, mention_of, moment_in
from collectors.reddit_place import Place
from collectors.reddit_service import ClosedError, Service, path_of
from collectors.reddit_thread import Opened, digest, in_part, opened
from collectors.threads import NEVER
from collectors.wire import at, dict_of, rejected, text_of
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page, Reject, Watch
from domain.errors import InputError, RefusedError
from domain.mention import Mention, MentionId
from domain.watch import watch_matches

FIRST_SPAN = timedelta(days=30)  # what a new source hears of communities, searches and our own words
ALL_TIME = NEVER
MOST_PAGES = 10  # of a list; Reddit shows no more
_SHOWN = 950  # items; Reddit says “about a thousand”


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read, beside the inbox.

    Attributes:
        communities: heard where the watch wants it; own_communities: heard whole. Without r/.
        queries: for the search of all of Reddit.
    """

    watch: Watch
    communities: tuple[str, ...] = ()
    own_communities: tuple[str, ...] = ()
    queries: tuple[str, ...] = ()


class Reading:
    """One run over one account."""

    def __init__(self, service: Service, wanted: Wanted, since: Cursor | None, *, now: Now) -> None:
        self._service, self._wanted, self._now = service, wanted, now
        self._place = Place.read(since)
        self._told = self._place.cursor() if since else None
        self._seen: set[str] = set()
        self._notes: list[str] = []

    def pages(self) -> Iterator[Page]:
        """Everything new, list by list."""
        for piece in self._list("inbox", "/message/inbox", {"mark": "false"}, ALL_TIME):
            yield self._page(piece, follow=True)
        for piece in self._list("own", path_of("user", self._service.name, "overview"), {"sort": "new"}):
            yield self._page(piece, follow=True)
        for name in self._wanted.own_communities:
            yield from self._community(name, whole=True)
        for name in self._wanted.communities:
            yield from self._community(name, whole=False)
        for query in self._wanted.queries:
            asked = {"q": query, "sort": "new", "type": "link", "t": "month"}
            for piece in self._list(f"search {query}", "/search", asked):
                yield self._page(piece, whole=False)
        yield from self._alive()
        if self._told != self._place.cursor() or self._notes:
            yield self._told_page((), ())

    # -- lists -----------------------------------------------------------------------------------------------------------

    def _community(self, name: str, *, whole: bool) -> Iterator[Page]:
        for part in ("new", "comments"):
            try:
                for piece in self._list(f"r/{name}/{part}", path_of("r", name, part), {}):
                    yield self._page(piece, whole=whole)
            except ClosedError as error:  # one that is closed does not keep us from the others
                if self._place.closed.get(name) != str(error):
                    self._place.closed[name] = str(error)
                    self._notes.append(
                        f"{error} It is left out until it opens; take it out of the settings if it stays so."
                    )
                return
        self._place.closed.pop(name, None)

    def _list(self, name: str, path: str, params: dict[str, Any], floor: datetime | None = None) -> Iterator[Piece]:
        def ask(after: str) -> Asked:
            return self._service.listing(path, {**params, "after": after or None})

        lost = f"Reddit shows no more than the newest thousand of a list: older ones of “{name}” were left out."
        since = self._now() - FIRST_SPAN if floor is None else floor
        marks = self._place.marks
        yield from walk(name, marks, ask, _SHAPE, floor=since, most=MOST_PAGES, lost=lost, shown=_SHOWN)

    # -- threads ---------------------------------------------------------------------------------------------------------

    def _follow(self, thing: Thing) -> None:
        moment, post = moment_in(thing.data), conversation_of(thing)
        if moment and post.startswith("t3_"):
            self._place.threads.follow(post, moment, self._now())

    def _alive(self) -> Iterator[Page]:
        """Late answers, edits and deletions in threads that are followed, those that waited longest first."""
        now, threads = self._now(), self._place.threads
        for post in threads.waiting(now):
            page = self._reread(post, now)
            if page:
                yield page
        threads.let_go(now)

    def _reread(self, post: str, now: datetime) -> Page | None:
        threads = self._place.threads
        try:
            found = opened(self._service, post)
        except RefusedError:  # gone, or closed to us
            threads.drop(post)
            return None
        told, thread = digest(found), threads.known[post]
        if told == thread.digest:
            threads.was_unchanged(post, now)
            return None
        part = in_part(found, self._has_part)
        last_at = max((moment for one in part if (moment := moment_in(one.data))), default=thread.last_at)
        threads.follow(post, last_at, now)
        threads.was_read(post, now, told)
        known = [one for one in part if (moment_in(one.data) or now) <= thread.asked_at]
        again = self._mapped(known, again=True)[0]
        mentions, rejects = self._mapped(part)
        self._notes += _cut_short(found)
        gone = tuple(MentionId(f"{NETWORK}:{one.full_name}") for one in part if is_gone(one) and one.full_name)
        if not (mentions or rejects or again or gone or self._notes):
            return None
        return self._told_page(mentions, rejects, changed=again, deleted=gone)

    def _has_part(self, thing: Thing) -> bool:
        """Whether we have a part in a branch by this comment: we said it, it names us, or the watch wants it."""
        author, words = text_of(thing.data.get("author")), text_of(thing.data.get("body")).casefold()
        own = self._service.name.casefold()
        if author.casefold() == own or f"u/{own}" in words:
            return True
        return bool(self._wanted.queries) and self._matches(thing)

    # -- pages -----------------------------------------------------------------------------------------------------------

    def _page(self, piece: Piece, *, follow: bool = False, whole: bool = True) -> Page:
        things, rejects = _things(piece.items)
        kept = [one for one in things if whole or self._matches(one)]
        if follow:
            for one in kept:
                self._follow(one)
        gone = tuple(MentionId(f"{NETWORK}:{one.full_name}") for one in kept if is_gone(one) and one.full_name)
        mentions, more = self._mapped(kept)
        return self._told_page(mentions, (*rejects, *more), deleted=gone, gap=piece.gap)

    def _matches(self, thing: Thing) -> bool:
        try:
            return watch_matches(self._wanted.watch, mention_of(thing, own_name=self._service.name))
        except InputError:
            return not is_gone(thing)  # it becomes a reject

    def _mapped(
        self, things: Iterable[Thing], *, again: bool = False
    ) -> tuple[tuple[Mention, ...], tuple[Reject, ...]]:
        mentions, rejects = [], []
        for thing in things:
            if is_gone(thing):
                continue
            try:
                mention = mention_of(thing, own_name=self._service.name)
            except InputError as error:
                rejects.append(rejected(thing.full_name or "thing without an id", str(error), thing.data))
                continue
            if again or mention.native_id not in self._seen:
                mentions.append(mention)
                self._seen.update(() if again else (mention.native_id,))
        return tuple(mentions), tuple(rejects)

    def _told_page(
        self,
        mentions: tuple[Mention, ...],
        rejects: tuple[Reject, ...],
        *,
        changed: tuple[Mention, ...] = (),
        deleted: tuple[MentionId, ...] = (),
        gap: Gap | None = None,
    ) -> Page:
        self._told = self._place.cursor()
        notes, self._notes = tuple(self._notes), []
        notes = (*notes, gap.reason) if gap else notes
        spent = self._service.spent()
        return Page(mentions, self._told, rejects, deleted=deleted, notes=notes, changed=changed, spent=spent, gap=gap)


def _things(items: Sequence[Any]) -> tuple[list[Thing], tuple[Reject, ...]]:
    """The messages of a listing, and what has lost its shape; Reddit's own letters to us are no messages of customers."""
    things, rejects = [], []
    for number, item in enumerate(items, start=1):
        kind, data = text_of(at(item, "kind")), at(item, "data")
        if not isinstance(data, dict):
            rejects.append(rejected(f"item {number}", "this is no thing of Reddit's", item))
        elif kind in KINDS and not _is_letter(Thing(kind, data)):
            things.append(Thing(kind, data))
    return things, tuple(rejects)


def _is_letter(thing: Thing) -> bool:
    if thing.kind in {COMMENT, POST}:
        return False
    return not text_of(thing.data.get("author")) or text_of(thing.data.get("distinguished")) == "admin"


def _cut_short(found: Opened) -> list[str]:
    if not found.left:
        return []
    title = text_of(found.post.data.get("title"))[:60] if found.post else ""
    return [f"The thread “{title}” is long: {found.left} of its older answers were not read."]


def _id(item: Any) -> str:
    data = dict_of(at(item, "data"))
    return (
        Thing(text_of(at(item, "kind")), data).full_name
        if text_of(at(item, "kind")) in KINDS
        else text_of(data.get("name"))
    )


def _made_at(item: Any) -> datetime | None:
    return moment_in(dict_of(at(item, "data")))


_SHAPE = Shape(_id, _made_at)
