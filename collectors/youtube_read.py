"""One reading of YouTube: the comments below our channel's videos, answers that came late, and videos that a search finds.

Threads come newest first by their first comment, so late answers do not bring one up: all threads of the last month are read
again every quarter of an hour (a unit a hundred), those before only where they are new. Answers beyond the few that a thread
shows are asked for where their number changed.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from collectors.plain_search import questions
from collectors.wire import at, count_of, dict_of, moment_of, rejected, text_of
from collectors.youtube_map import changed_at, comments_in, mention_of, name_of, video_of
from collectors.youtube_service import PAGE_SIZE, UNITS, ClosedError, QuotaError, Service
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page, Reject, Watch
from domain.errors import InputError
from domain.mention import HIDDEN_HERE, Mention
from domain.watch import watch_matches

SPAN = timedelta(days=30)
_AGAIN, _SEARCHED = timedelta(minutes=15), timedelta(hours=1)
_LISTED = timedelta(hours=6)  # an answer deleted and another written leave the number as it was
_OVERLAP = timedelta(hours=3)  # a comment that was held for review appears late
_MOST_PAGES = 50
_PARTS = {"part": "snippet,replies", "order": "time", "textFormat": "plainText", "maxResults": PAGE_SIZE}


_MOMENTS = ("newest", "again_at", "searched_at", "listed_at")


@dataclass
class Place:
    """Where reading stopped.

    Attributes:
        newest: newest first comment of a thread; again_at: when all threads were read again; searched_at: last search.
        listed_at: when the answers of all long threads were listed; counts: how many answers threads had.
    """

    newest: datetime | None = None
    again_at: datetime | None = None
    searched_at: datetime | None = None
    listed_at: datetime | None = None
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "Place":
        """What cannot be read is read from the start, which loses nothing."""
        try:
            parts = dict_of(json.loads(cursor or "{}"))
        except (ValueError, RecursionError):
            parts = {}
        counts = {key: one for key, one in dict_of(parts.get("counts")).items() if isinstance(one, int)}
        newest, again_at, searched_at, listed_at = (moment_of(parts.get(name)) for name in _MOMENTS)
        return cls(newest, again_at, searched_at, listed_at, counts)

    def cursor(self) -> Cursor:
        """The place as text."""
        named = {name: getattr(self, name) for name in _MOMENTS}
        moments = {name: one.isoformat() if one else None for name, one in named.items()}
        return Cursor(json.dumps({**moments, "counts": self.counts}, sort_keys=True))


class Reading:
    """One run over one channel."""

    def __init__(self, service: Service, watch: Watch, since: Cursor | None, *, now: Now, search: bool) -> None:
        self._service, self._watch, self._now, self._search = service, watch, now, search
        self._place = Place.read(since)
        self._seen: set[str] = set()

    def pages(self) -> Iterator[Page]:
        """Everything new; only the last page has a cursor, since YouTube gives the newest first."""
        yield from self._threads()
        yield from self._found()
        yield Page((), self._place.cursor(), spent=self._service.spent())

    def _threads(self) -> Iterator[Page]:
        now, place = self._now(), self._place
        whole = place.again_at is None or now - place.again_at >= _AGAIN
        listing = whole and (place.listed_at is None or now - place.listed_at >= _LISTED)
        floor = now - SPAN if whole or place.newest is None else place.newest - _OVERLAP
        newest, counts, token, oldest = place.newest, {} if whole else dict(place.counts), "", now
        for number in range(1, _MOST_PAGES + 1):
            asked = {**_PARTS, "allThreadsRelatedToChannelId": self._service.channel, "pageToken": token or None}
            try:
                items, token = self._service.list("commentThreads", asked)
            except ClosedError as error:
                yield Page(
                    (),
                    None,
                    notes=(f"The comments of the channel cannot be read: {error}",),
                    spent=self._service.spent(),
                )
                return
            comments, rejects = [], []
            for place_, thread in enumerate(items, start=1):
                made_at = moment_of(at(thread, "snippet", "topLevelComment", "snippet", "publishedAt"))
                if not isinstance(thread, dict) or made_at is None:
                    rejects.append(rejected(f"thread {place_}", "it has no date that can be read", thread))
                    continue
                oldest, newest = min(oldest, made_at), max(newest or made_at, made_at)
                if made_at >= floor:
                    comments += self._whole(thread, counts, listing)
            mentions, changed, more = self._mapped(comments)
            if number == _MOST_PAGES and token and oldest >= floor:
                reason = f"More than {_MOST_PAGES * PAGE_SIZE:,} threads in a month: older ones were not read."
                yield Page(
                    mentions,
                    None,
                    (*rejects, *more),
                    changed=changed,
                    gap=Gap(floor, oldest, reason),
                    spent=self._service.spent(),
                )
                break
            yield Page(mentions, None, (*rejects, *more), changed=changed, spent=self._service.spent())
            if not token or oldest < floor:
                break
        place.newest, place.counts = newest, counts
        place.again_at = now if whole else place.again_at
        place.listed_at = now if listing else place.listed_at

    def _whole(
        self, thread: dict[str, Any], counts: dict[str, int], listing: bool
    ) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """The comments of a thread, those beyond what it shows too where their number has changed."""
        snippet, name, shown = dict_of(thread.get("snippet")), name_of(thread), comments_in(thread)
        total = count_of(snippet.get("totalReplyCount")) or 0
        if total > len(shown) - 1 and (listing or self._place.counts.get(name) != total):
            shown = [*shown[:1], *answers(self._service, name)]
        counts[name] = total
        return [(comment, snippet) for comment in shown]

    def _mapped(
        self, comments: list[tuple[dict[str, Any], dict[str, Any]]]
    ) -> tuple[tuple[Mention, ...], tuple[Mention, ...], tuple[Reject, ...]]:
        mentions, changed, rejects = [], [], []
        for comment, snippet in comments:
            try:
                mention = mention_of(comment, own_channel=self._service.channel, thread=snippet)
            except InputError as error:
                rejects.append(rejected(text_of(comment.get("id")) or "comment without an id", str(error), comment))
                continue
            if mention.native_id in self._seen:
                continue
            self._seen.add(mention.native_id)
            mentions.append(mention)
            changed += [mention] if changed_at(comment) else []
        return tuple(mentions), tuple(changed), tuple(rejects)

    def _found(self) -> Iterator[Page]:
        now, place = self._now(), self._place
        words = questions(self._watch)
        if not self._search or not words or (place.searched_at and now - place.searched_at < _SEARCHED):
            return
        since = (place.searched_at or now - SPAN) - _OVERLAP
        asked = {
            "part": "snippet",
            "type": "video",
            "order": "date",
            "q": "|".join(words),
            "publishedAfter": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "maxResults": 50,
        }
        place.searched_at = now
        try:
            items, _ = self._service.list("search", asked, units=UNITS["search"])
        except QuotaError:  # of searches alone: comments are heard all the same
            yield Page((), None, notes=("The day's searches are used up. Comments are read all the same.",))
            return
        mentions, rejects = [], []
        for number, item in enumerate(items, start=1):
            try:
                mention = video_of(dict_of(item), own_channel=self._service.channel)
            except InputError as error:
                rejects.append(rejected(f"video {number}", str(error), item))
                continue
            if watch_matches(self._watch, mention):
                mentions.append(mention)
        yield Page(tuple(mentions), None, tuple(rejects), spent=self._service.spent())


def answers(service: Service, thread: str) -> list[dict[str, Any]]:
    """All answers below a comment, as YouTube orders them; none where it is gone."""
    found: list[dict[str, Any]] = []
    token = ""
    for _ in range(_MOST_PAGES):
        asked = {"part": "snippet", "parentId": thread, "textFormat": "plainText", "maxResults": PAGE_SIZE}
        try:
            items, token = service.list("comments", {**asked, "pageToken": token or None})
        except ClosedError:
            return found
        found += [dict_of(one) for one in items]
        if not token:
            break
    return found


def looked_up(service: Service, mentions: list[Mention]) -> Page:
    """What became of kept comments; videos are left as they are."""
    changed, deleted = [], []
    kept = [one for one in mentions if not one.native_id.startswith("video:")]
    for start in range(0, len(kept), 50):
        part = kept[start : start + 50]
        asked = {"part": "snippet", "id": ",".join(one.native_id for one in part), "textFormat": "plainText"}
        items, _ = service.list("comments", asked)
        found = {text_of(at(one, "id")): dict_of(one) for one in items}
        if not found and len(part) > 1:  # all of them gone at once is rare: it is asked again before it is believed
            items, _ = service.list("comments", asked)
            found = {text_of(at(one, "id")): dict_of(one) for one in items}
        for mention in part:
            comment = found.get(mention.native_id)
            if comment is None:
                if mention.raw.get(HIDDEN_HERE) is not True:  # what we rejected is shown to nobody, and is still there
                    deleted.append(mention.id)
                continue
            try:
                fresh = mention_of(comment, own_channel=service.channel, thread=mention.raw)
            except InputError:
                continue  # what it says now cannot be kept; what it said is
            if (fresh.text, fresh.engagement.like_count) != (mention.text, mention.engagement.like_count):
                changed.append(fresh)
    return Page((), None, deleted=tuple(deleted), changed=tuple(changed), spent=service.spent())
