"""One reading of a Mastodon server: notifications, our own words, hashtags, searches, and the threads that are alive.

Lists are paged from the oldest unread on, so that nothing is
jumped over and each page is a safe place to stop; servers that cannot page that way are read from the newest down to what
is known. Ids are only handed back, never compared: they are no numbers everywhere.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from collectors.mastodon_map import HAS_MESSAGE, Roots, mention_of, unboosted
from collectors.mastodon_place import Mark, Place
from collectors.mastodon_server import MISSING, Server
from collectors.threads import NEVER, digest_of
from collectors.wire import at, list_of, moment_of, rejected, text_of
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page, Reject, Watch
from domain.errors import InputError
from domain.mention import Mention
from domain.watch import watch_matches

PAGE_SIZE = 40  # a status that answers one we do not know costs a question; so a page never costs more than the limit
FIRST_SPAN = timedelta(days=30)  # what a new source hears of hashtags, searches and our own words
BACK_PAGES = 25  # read from the newest down, at most
_TELLING = tuple(  # what of a status is worth telling again
    (name,)
    for name in ("id", "edited_at", "content", "spoiler_text", "favourites_count", "reblogs_count", "replies_count")
)
_LINK = re.compile(r'<[^<>]*[?&](min_id|max_id)=([^&<>]+)[^<>]*>;\s*rel="?(prev|next)"?')


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a list; `note` and `gap` tell what was left out before it."""

    items: list[Any]
    note: str = ""
    gap: Gap | None = None


Asking = Callable[[str], tuple[list[Any], str]]  # max_id -> items, and the max_id to go on with


class Reading:
    """One run over one server.

    Args:
        hashtags: without #.
        queries: what to search for, in the server's language.
    """

    def __init__(
        self,
        server: Server,
        watch: Watch,
        since: Cursor | None,
        *,
        hashtags: tuple[str, ...],
        queries: tuple[str, ...],
        now: Now,
    ) -> None:
        self._server, self._now = server, now
        self._watch = watch
        self._hashtags, self._queries = hashtags, queries
        self._place = Place.read(since)
        self._told = self._place.cursor() if since else None
        self._roots = Roots()
        self._seen: set[str] = set()

    def pages(self) -> Iterator[Page]:
        """Everything new, list by list."""
        types = {"types[]": self._server.rules.notification_types}
        for piece in self._walk("notifications", "/api/v1/notifications", types, whole=True):
            statuses, gone = _statuses_in(piece.items)
            yield self._page(replace(piece, items=statuses), follow=True, rejects=gone)
        own = f"/api/v1/accounts/{quote(self._server.own_id, safe='')}/statuses"
        for piece in self._walk("own", own, {"exclude_reblogs": "true"}):
            yield self._page(piece, follow=True)
        for tag in self._hashtags:
            for piece in self._walk(f"#{tag}", f"/api/v1/timelines/tag/{quote(tag, safe='')}", {}):
                yield self._page(replace(piece, items=self._wanted(piece.items)))
        for query in self._queries:
            for piece in self._searched(query):
                yield self._page(replace(piece, items=self._wanted(piece.items)))
        yield from self._alive()
        if self._told != self._place.cursor():
            yield self._told_page((), ())

    # -- lists -----------------------------------------------------------------------------------------------------------

    def _walk(self, name: str, path: str, params: dict[str, Any], *, whole: bool = False) -> Iterator[Piece]:
        """The unread part of a list, page by page; the mark moves on as far as it is safe.

        Args:
            whole: where nothing was read yet, begin with the oldest, not with the last month.
        """
        mark = self._place.marks.get(name)
        query = {**params, "limit": PAGE_SIZE}
        items: list[Any] = []
        if mark or whole:
            items, answer = self._server.listed(path, {**query, "min_id": mark.native_id if mark else "0"})
        if not (mark or items):
            yield from self._back(name, self._listing(path, query), None)
        trusted = bool(self._server.rules.version)
        while items:
            known = {_id(item) for item in items}
            newest = _newest(items, answer.headers.get("Link", ""))
            following, answer = self._server.listed(path, {**query, "min_id": newest.native_id})
            heedless = (mark and mark.native_id in known) or known & {_id(item) for item in following}
            trusted = trusted or not (heedless or self._jumps(path, query, mark, items))
            if not trusted:
                yield from self._back(name, self._listing(path, query), mark)
                return
            mark = self._place.marks[name] = newest
            yield Piece(list(reversed(items)))
            items = following

    def _jumps(self, path: str, query: dict[str, Any], mark: Mark | None, items: list[Any]) -> bool:
        """Whether there is more between the mark and a page above it: some servers take min_id for the end of a newest-first
        list. Of those that are no Mastodon, this is asked once a list and run.
        """
        between = {"min_id": mark.native_id if mark else "0", "max_id": _id(items[-1])}
        found, _ = self._server.listed(path, {**query, **between})
        return bool({_id(item) for item in found} - {_id(item) for item in items})

    def _listing(self, path: str, query: dict[str, Any]) -> Asking:
        def ask(max_id: str) -> tuple[list[Any], str]:
            items, answer = self._server.listed(path, {**query, "max_id": max_id or None})
            return items, _linked(answer.headers.get("Link", ""), "next")

        return ask

    def _searched(self, query: str) -> Iterator[Piece]:
        # Searches give the newest first, above a min_id too.
        name = f"search {query}"
        mark = self._place.marks.get(name)
        asked = {"q": query, "type": "statuses", "resolve": "false", "limit": PAGE_SIZE}

        def ask(max_id: str) -> tuple[list[Any], str]:
            ids = {"min_id": mark.native_id if mark else None, "max_id": max_id or None}
            answer = self._server.get("/api/v2/search", {**asked, **ids}, allow=(*MISSING, 501))
            return list_of(at(answer.data, "statuses")), ""

        yield from self._back(name, ask, mark)

    def _back(self, name: str, ask: Asking, mark: Mark | None) -> Iterator[Piece]:
        """From the newest down to what is known, or to the first span; the mark moves only when all of it was read."""
        until = (mark.moment if mark else self._now()) - FIRST_SPAN
        first: Mark | None = None
        last = self._now()
        seen: set[str] = set()
        max_id, pages = "", 0
        while True:
            items, following = ask(max_id)
            fresh = [item for item in items if _id(item) not in seen]
            if not fresh:
                break
            first = first or _newest(items, "")
            ids = [_id(item) for item in fresh]
            unread = fresh[: ids.index(mark.native_id)] if mark and mark.native_id in ids else fresh
            taken = [item for item in unread if (_moment(item) or last) >= until]
            pages += 1
            cut = pages == BACK_PAGES and len(taken) == len(fresh)
            last = min((moment for item in taken if (moment := _moment(item))), default=last)
            if taken:
                yield Piece(taken, *self._left_out(name, mark, until, last) if cut else ())
            if cut or len(taken) < len(fresh):
                break
            seen.update(ids)
            max_id = following or ids[-1]
        if first:
            self._place.marks[name] = first

    @staticmethod
    def _left_out(name: str, mark: Mark | None, until: datetime, last: datetime) -> tuple[str, Gap]:
        count = BACK_PAGES * PAGE_SIZE
        reason = f"Mastodon had more than {count:,} new posts in {name}: the oldest ones were left out."
        return reason, Gap(mark.moment if mark else until, last, reason)

    def _wanted(self, statuses: Iterable[Any]) -> list[Any]:
        found = []
        for status in statuses:
            try:
                if watch_matches(self._watch, mention_of(status, own_id=self._server.own_id)):
                    found.append(status)
            except InputError:
                found.append(status)  # it becomes a reject
        return found

    # -- threads ---------------------------------------------------------------------------------------------------------

    def _page(self, piece: Piece, *, follow: bool = False, rejects: tuple[Reject, ...] = ()) -> Page:
        self._roots.learn(piece.items)
        whole = list(piece.items)
        for status in map(unboosted, piece.items):
            if text_of(status.get("in_reply_to_id")) and not self._roots.complete(_id(status)):
                whole += self._around(_id(status))
        if follow:
            for status in map(unboosted, piece.items):
                moment = _moment(status)
                if moment and _id(status):
                    self._place.threads.follow(self._roots.of(_id(status)), moment, self._now())
        mentions, more = self._mapped(whole)
        return self._told_page(mentions, (*rejects, *more), note=piece.note, gap=piece.gap)

    def _around(self, native_id: str) -> list[Any]:
        """What is above and below a status in its thread; other branches only the thread's first status knows."""
        answer = self._server.get(f"/api/v1/statuses/{quote(native_id, safe='')}/context", allow=MISSING)
        if answer.status in MISSING:
            return []
        ancestors, descendants = list_of(at(answer.data, "ancestors")), list_of(at(answer.data, "descendants"))
        self._roots.learn([*ancestors, *descendants])
        if ancestors:
            self._roots.link(_id(ancestors[-1]), native_id)
        return [*ancestors, *descendants]

    def _alive(self) -> Iterator[Page]:
        """Late answers and edits in threads that are followed, those that waited longest first."""
        now, threads = self._now(), self._place.threads
        for root in threads.waiting(now):
            page = self._reread(root, now)
            if page:
                yield page
        threads.let_go(now)

    def _reread(self, root: str, now: datetime) -> Page | None:
        threads = self._place.threads
        answer = self._server.get(f"/api/v1/statuses/{quote(root, safe='')}/context", allow=MISSING)
        if answer.status in MISSING:
            threads.drop(root)
            return None
        statuses = [*list_of(at(answer.data, "ancestors")), *list_of(at(answer.data, "descendants"))]
        digest, thread = digest_of(statuses, *_TELLING), threads.known[root]
        if digest == thread.digest:
            threads.was_unchanged(root, now)
            return None
        self._roots.learn(statuses)
        last_at = max((moment for one in statuses if (moment := _moment(one))), default=thread.last_at)
        threads.follow(root, last_at, now)
        threads.was_read(root, now, digest)
        known = [one for one in statuses if (_moment(one) or now) <= thread.asked_at]
        again = self._mapped(known, again=True)[0]
        mentions, rejects = self._mapped(statuses)
        return self._told_page(mentions, rejects, changed=again) if mentions or rejects or again else None

    # -- pages -----------------------------------------------------------------------------------------------------------

    def _mention(self, status: Any) -> Mention:
        return mention_of(status, own_id=self._server.own_id, root_of=self._roots.of)

    def _mapped(
        self, statuses: Iterable[Any], *, again: bool = False
    ) -> tuple[tuple[Mention, ...], tuple[Reject, ...]]:
        mentions, rejects = [], []
        for status in statuses:
            try:
                mention = self._mention(status)
            except InputError as error:
                rejects.append(rejected(f"status {_id(unboosted(status)) or '?'}", str(error), status))
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
        note: str = "",
        gap: Gap | None = None,
    ) -> Page:
        self._told = self._place.cursor()
        notes = (note,) if note else ()
        return Page(
            mentions, self._told, rejects=rejects, notes=notes, changed=changed, spent=self._server.spent(), gap=gap
        )


def _id(item: Any) -> str:
    return text_of(at(item, "id"))


def _moment(item: Any) -> datetime | None:
    return moment_of(at(item, "created_at"))


def _newest(items: list[Any], link: str) -> Mark:
    """The first item of a page, which servers give the newest first; its id is the one that the server would go on from."""
    moments = [moment for item in items if (moment := _moment(item))]
    return Mark(_linked(link, "prev") or _id(items[0]), max(moments, default=NEVER))


def _linked(header: str, rel: str) -> str:
    """The id from which a Link header goes on, to older ones (`next`) or to newer ones (`prev`)."""
    wanted = {"next": "max_id", "prev": "min_id"}[rel]
    return next((unquote(m[2]) for m in _LINK.finditer(header) if (m[1], m[3]) == (wanted, rel)), "")


def _statuses_in(notifications: list[Any]) -> tuple[list[Any], tuple[Reject, ...]]:
    """The statuses that notifications are about, and those that have lost theirs."""
    telling = [one for one in notifications if text_of(at(one, "type")) in HAS_MESSAGE]
    gone = [one for one in telling if not isinstance(at(one, "status"), dict)]
    rejects = [rejected(f"notification {_id(one) or '?'}", "its message is gone", one) for one in gone]
    return [one["status"] for one in telling if isinstance(at(one, "status"), dict)], tuple(rejects)
