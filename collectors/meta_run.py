"""What every run over a Page or an Instagram account does: lists in turn, then the comments of what is alive, as pages.

A network's run is a subclass that says which lists there are (`_all`), when something may have been said below a thread
(`_due`), and how its comments are read (`_read_below`). Pages carry a cursor each; reading stops between them where Meta's
allowance runs low.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta

from collectors.meta_errors import GoneError, NotAllowedError
from collectors.meta_graph import Graph
from collectors.meta_items import Sorting
from collectors.meta_place import BELOW, Mark, Place, Thread
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page
from domain.errors import RefusedError

LOOKBACK = timedelta(days=7)
OVERLAP = 600  # seconds; lists settle within that
HOUR, DAY = 3_600, 86_400

Told = Iterator[tuple[Sorting, Gap | None]]


class Run:
    """One run.

    Args:
        history: what the first reading hears; follow: how long comments on a post are waited for.
    """

    network = ""

    def __init__(self, graph: Graph, place: Place, now: Now, *, history: timedelta, follow: timedelta) -> None:
        self._graph, self._place = graph, place
        self._now: datetime = now()
        self._at = int(self._now.timestamp())
        self._told: Cursor | None = place.cursor() if place.start else None
        place.start = place.start or self._at - int(history.total_seconds())
        self._followed = self._at - int(follow.total_seconds())

    def pages(self) -> Iterator[Page]:
        """Everything new; after each page, reading may stop where Meta's allowance runs out."""
        for sorting, gap in self._all():
            page = self._as_page(sorting, gap)
            if page.mentions or page.rejects or page.deleted or page.notes or gap:
                yield page
                self._told = page.cursor
                self._graph.usage.rest()
        self._place.forget()
        if self._place.cursor() != self._told:  # nothing more was said, but it was looked for further
            yield self._as_page(Sorting(), None)

    def _all(self) -> Told:
        raise NotImplementedError

    def _due(self, thread: Thread) -> bool:
        raise NotImplementedError

    def _read_below(self, thread_id: str, thread: Thread, mark: Mark) -> Told:
        raise NotImplementedError

    def _as_page(self, sorting: Sorting, gap: Gap | None) -> Page:
        found = sorting.mapped()
        rejects = tuple(one for one in found.rejects if self._place.is_news(one.reason, one.raw))
        cursor, changed = self._place.cursor(), tuple(sorting.changed.values())
        return Page(found.mentions, cursor, rejects, found.deleted, found.notes, changed, self._graph.spent(), gap)

    def _floor(self, mark: Mark) -> int:
        """How far down a list of posts is read: once an hour as far as they are followed, else down to what is known."""
        if self._at - mark.deep < HOUR:
            return mark.since - OVERLAP
        return self._followed if mark.since else min(self._followed, self._place.start)

    # -- what is said below posts --------------------------------------------------------------------------------------------

    def _comments(self) -> Told:
        """Where something may have been said, the liveliest first; a reading that was cut off comes before all."""
        threads = self._place.threads
        wanted = [one for one, thread in threads.items() if self._begun(one) or self._due(thread)]
        for thread_id in sorted(wanted, key=lambda one: (not self._begun(one), -threads[one].active, one)):
            yield from self._thread(thread_id)

    def _thread(self, thread_id: str) -> Told:
        thread = self._place.threads[thread_id]
        if not self._begun(thread_id):
            thread.aim = thread.told
        mark = self._place.mark(f"{BELOW}{thread_id}")
        try:
            yield from self._read_below(thread_id, thread, mark)
        except GoneError:
            yield self._lost(thread_id), None
        except (NotAllowedError, RefusedError) as error:
            if isinstance(error, NotAllowedError) and thread.sort not in {"tagged", "rating"}:
                raise
            yield self._closed(thread_id, thread, str(error)), None

    def _begun(self, thread_id: str) -> bool:
        return f"{BELOW}{thread_id}" in self._place.lists

    def _again(self, thread: Thread) -> bool:
        """Once a day, as long as something happened in the last week: edits, and comments that were released late."""
        return self._at - thread.at >= DAY and self._at - thread.active < LOOKBACK.total_seconds()

    def _since(self, thread: Thread) -> int:
        """From when on comments are news, or may have changed."""
        floor = thread.since - OVERLAP
        if thread.since and self._again(thread):
            floor = min(floor, self._at - int(LOOKBACK.total_seconds()))
        return max(floor, self._place.start)

    def _settle(self, thread_id: str, thread: Thread, since: int) -> None:
        """The comments of a thread were read to their end."""
        self._place.lists.pop(f"{BELOW}{thread_id}", None)
        thread.since, thread.read, thread.at, thread.aim = since, thread.aim, self._at, ""

    def _lost(self, thread_id: str) -> Sorting:
        """A post that was deleted while it was followed."""
        self._place.lists.pop(f"{BELOW}{thread_id}", None)
        del self._place.threads[thread_id]
        sorting = Sorting()
        sorting.gone(self.network, thread_id)
        return sorting

    def _closed(self, thread_id: str, thread: Thread, reason: str) -> Sorting:
        """A post whose comments are not for us to read: told once, the rest goes on."""
        self._settle(thread_id, thread, thread.since)
        sorting = Sorting()
        if self._place.is_news(thread_id):
            sorting.notes.append(f"The comments below {thread_id} cannot be read: {reason}")
        return sorting
