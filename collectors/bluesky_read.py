"""One reading of Bluesky: notifications, our own posts, searches, and the threads that are alive.

Lists come newest first, so a mark moves only when a list was read down to it; killed in between, the next run reads it
again. Notifications hold bare records: their posts are asked for, 25 at once, for counts, pictures and labels.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from collectors.bluesky_map import NETWORK, mention_of, posts_in
from collectors.bluesky_place import OVERLAP, Mark, Place, short_name
from collectors.bluesky_service import Service, XrpcError
from collectors.threads import digest_of
from collectors.values import short_id
from collectors.wire import at, list_of, moment_of, rejected, text_of
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page, Reject, Watch
from domain.errors import ConfigurationError, ContractError, InputError
from domain.mention import Mention, MentionId
from domain.watch import watch_matches

PAGE_SIZE = 100
FIRST_SPAN = timedelta(days=30)  # what a new source hears of the past
BACK_PAGES = 25
BATCH = 25  # posts asked for at once
REASONS = ("mention", "reply", "quote")
_TELLING = (("uri",), ("cid",), ("likeCount",), ("repostCount",), ("replyCount",), ("labels",))

Asking = Callable[[str], tuple[list[Any], str]]  # cursor -> items, and the cursor to go on with


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a list; `gap` tells what was left out below it."""

    items: list[Any]
    gap: Gap | None = None


class Reading:
    """One run over one account.

    Args:
        queries: what to search for.
    """

    def __init__(
        self, service: Service, watch: Watch, since: Cursor | None, *, queries: Sequence[str], now: Now
    ) -> None:
        self._service, self._watch, self._queries, self._now = service, watch, queries, now
        self._place = Place.read(since)
        self._told = self._place.cursor() if since else None
        self._seen: set[str] = set()

    def pages(self) -> Iterator[Page]:
        """Everything new, list by list."""
        for piece in self._walk("notifications", self._notifications, _indexed_at):
            yield self._page(self._looked_up(piece.items), piece.gap, follow=True)
        for piece in self._walk("own", self._own_feed, moment_in):
            yield self._page(piece.items, piece.gap, follow=True)
        for query in self._queries:
            for piece in self._walk(f"search {query}", self._searching(query), moment_in):
                yield self._page(self._wanted(piece.items), piece.gap)
        yield from self._alive()
        if self._told != self._place.cursor():
            yield self._told_page(())

    # -- lists -----------------------------------------------------------------------------------------------------------

    def _walk(self, name: str, ask: Asking, moment: Callable[[Any], datetime | None]) -> Iterator[Piece]:
        """The unread part of a list, newest first."""
        mark, now = self._place.marks.get(name), self._now()
        until = mark.moment - OVERLAP if mark else now - FIRST_SPAN
        read: list[tuple[str, datetime]] = []
        cursor, oldest, pages = "", now, 0
        while True:
            items, following = ask(cursor)
            pages += 1
            recent = [item for item in items if (moment(item) or now) >= until]
            new = [item for item in recent if not (mark and short_name(_uri(item)) in mark.known)]
            read += [(_uri(item), moment(item) or now) for item in recent]
            oldest = min((at_ for item in recent if (at_ := moment(item))), default=oldest)
            ended = len(recent) < len(items) or not following or following == cursor
            gap = None if ended or pages < BACK_PAGES else self._left_out(name, until, oldest)
            if new or gap:
                yield Piece(new, gap)
            if ended or gap:
                break
            cursor = following
        after = Mark.after(((uri, min(told, now)) for uri, told in read), mark)
        if after:
            self._place.marks[name] = after

    @staticmethod
    def _left_out(name: str, until: datetime, oldest: datetime) -> Gap:
        count = BACK_PAGES * PAGE_SIZE
        return Gap(
            until, oldest, f"Bluesky had more than {count:,} new posts in {name}: the oldest ones were left out."
        )

    def _notifications(self, cursor: str) -> tuple[list[Any], str]:
        answer = self._service.get(
            "app.bsky.notification.listNotifications",
            {"limit": PAGE_SIZE, "reasons": list(REASONS), "cursor": cursor or None},
        )
        items = listed(answer.data, "notifications")
        # services that do not know `reasons` tell of likes and followers too
        return [one for one in items if at(one, "reason") in REASONS], text_of(at(answer.data, "cursor"))

    def _own_feed(self, cursor: str) -> tuple[list[Any], str]:
        params = {
            "actor": self._service.did,
            "limit": PAGE_SIZE,
            "filter": "posts_with_replies",
            "cursor": cursor or None,
        }
        answer = self._service.get("app.bsky.feed.getAuthorFeed", params)
        feed = listed(answer.data, "feed")
        return [at(one, "post") for one in feed if not at(one, "reason")], text_of(at(answer.data, "cursor"))

    def _searching(self, query: str) -> Asking:
        mark = self._place.marks.get(f"search {query}")
        since = (mark.moment - OVERLAP if mark else self._now() - FIRST_SPAN).isoformat().replace("+00:00", "Z")

        def ask(cursor: str) -> tuple[list[Any], str]:
            params = {"q": query, "sort": "latest", "since": since, "limit": PAGE_SIZE, "cursor": cursor or None}
            try:
                answer = self._service.get("app.bsky.feed.searchPosts", params)
            except XrpcError as error:
                if error.name != "BadQueryString":
                    raise
                raise ConfigurationError(f"Bluesky cannot search for “{query}”: {error} Change the watch.") from error
            return listed(answer.data, "posts"), text_of(at(answer.data, "cursor"))

        return ask

    def _looked_up(self, notifications: list[Any]) -> list[Any]:
        """The posts that notifications are about; where there is no view of one, the notification itself."""
        views = views_of(self._service, [_uri(one) for one in notifications])
        return [views.get(_uri(one), one) for one in notifications]

    def _wanted(self, posts: Iterable[Any]) -> list[Any]:
        found = []
        for post in posts:
            try:
                if watch_matches(self._watch, mention_of(post, own_did=self._service.did)):
                    found.append(post)
            except InputError:
                found.append(post)  # it becomes a reject
        return found

    # -- threads ---------------------------------------------------------------------------------------------------------

    def _alive(self) -> Iterator[Page]:
        """Late answers and changes in threads that are followed."""
        now, threads = self._now(), self._place.threads
        for root in threads.waiting(now):
            page = self._reread(root, now)
            if page:
                yield page
        threads.let_go(now)

    def _reread(self, root: str, now: datetime) -> Page | None:
        threads = self._place.threads
        try:
            answer = self._service.get("app.bsky.feed.getPostThread", {"uri": root, "depth": 100, "parentHeight": 0})
        except XrpcError as error:
            if error.name != "NotFound":
                raise
            threads.drop(root)
            return self._told_page((), deleted=(_mention_id(root),))
        posts, gone, _ = posts_in(answer.data)
        digest = digest_of([*posts, *({"uri": uri} for uri in gone)], *_TELLING)
        thread = threads.known[root]
        if digest == thread.digest:
            threads.was_unchanged(root, now)
            return None
        threads.follow(root, max((moment for one in posts if (moment := moment_in(one))), default=thread.last_at), now)
        threads.was_read(root, now, digest)
        again, _ = self._mapped([one for one in posts if (_indexed_at(one) or now) <= thread.asked_at], again=True)
        mentions, rejects = self._mapped(posts)
        deleted = tuple(map(_mention_id, gone))
        if not (mentions or rejects or again or deleted):
            return None
        return self._told_page(mentions, rejects, changed=again, deleted=deleted)

    # -- pages -----------------------------------------------------------------------------------------------------------

    def _page(self, posts: list[Any], gap: Gap | None, *, follow: bool = False) -> Page:
        if follow:
            for post in posts:
                root, moment = text_of(at(post, "record", "reply", "root", "uri")) or _uri(post), moment_in(post)
                if root and moment:
                    self._place.threads.follow(root, moment, self._now())
        mentions, rejects = self._mapped(posts)
        return self._told_page(mentions, rejects, gap=gap)

    def _mapped(self, posts: Iterable[Any], *, again: bool = False) -> tuple[tuple[Mention, ...], tuple[Reject, ...]]:
        mentions, rejects = [], []
        for post in posts:
            try:
                mention = mention_of(post, own_did=self._service.did)
            except InputError as error:
                rejects.append(rejected(_uri(post) or "post", str(error), post))
                continue
            if again or mention.native_id not in self._seen:
                mentions.append(mention)
                self._seen.update(() if again else (mention.native_id,))
        return tuple(mentions), tuple(rejects)

    def _told_page(
        self,
        mentions: tuple[Mention, ...],
        rejects: tuple[Reject, ...] = (),
        *,
        changed: tuple[Mention, ...] = (),
        deleted: tuple[MentionId, ...] = (),
        gap: Gap | None = None,
    ) -> Page:
        self._told = self._place.cursor()
        notes = (gap.reason,) if gap else ()
        return Page(
            mentions,
            self._told,
            rejects=rejects,
            deleted=deleted,
            notes=notes,
            changed=changed,
            spent=self._service.spent(),
            gap=gap,
        )


def listed(data: Any, name: str) -> list[Any]:
    """The list of this name, or ContractError."""
    if not isinstance(at(data, name), list):
        raise ContractError(f"Bluesky's answer holds no {name}. It is asked again later.")
    return list_of(at(data, name))


def views_of(service: Service, uris: Sequence[str]) -> dict[str, Any]:
    """Post views by address; what is gone or hidden from us is missing."""
    found: dict[str, Any] = {}
    for start in range(0, len(uris), BATCH):
        answer = service.get("app.bsky.feed.getPosts", {"uris": list(uris[start : start + BATCH])})
        found.update({_uri(one): one for one in listed(answer.data, "posts")})
    return found


def moment_in(post: Any) -> datetime | None:
    """When a post was made, as the service sorts."""
    claimed, indexed = moment_of(at(post, "record", "createdAt")), _indexed_at(post)
    return min(claimed, indexed) if claimed and indexed else claimed or indexed


def _indexed_at(post: Any) -> datetime | None:
    return moment_of(at(post, "indexedAt"))


def _uri(post: Any) -> str:
    return text_of(at(post, "uri"))


def _mention_id(uri: str) -> MentionId:
    return MentionId(f"{NETWORK}:{short_id(uri)}")
