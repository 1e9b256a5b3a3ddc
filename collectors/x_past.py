"""X's past: what a watch would find and cost, a span read in windows of a day, and kept posts looked up again.

Search reaches back seven days; with the full archive (setting archive) as far as one likes, at the same price for a post.
"""

import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from collectors.wire import at, count_of, dict_of, list_of, moment_of, text_of
from collectors.x_answer import gone_post, map_answer
from collectors.x_beside import Own
from collectors.x_client import PAGE_SIZE, Span, XApi
from collectors.x_prices import Item, Meter, dollars
from collectors.x_query import mention_search, searches
from collectors.x_read import RECENT, paid_for
from collectors.x_rules import is_message
from collectors.x_text import id_before, next_page
from collectors.x_write import shown_id
from domain.clock import Now
from domain.contracts import Cursor, Estimate, Gap, Page, Reject, Search, Spend, Watch
from domain.mention import Mention, MentionId
from domain.watch import watch_matches

WINDOW = timedelta(days=1)
_SLACK = timedelta(minutes=10)  # who asks for the last seven days asks a moment later
_SAMPLE = 10
_ARCHIVE_PAGE = 500
_LOOKUP = 100
_BETWEEN_ARCHIVE_CALLS = 1.05  # seconds; X takes one question a second
_NOT_LOOKED_UP = ("referenced_posts", "referenced_tweets", "attachments", "conversation_id")  # by the newer names
_QUOTED_LINK = re.compile(r"\s*https?://(?:x|twitter)\.com/\w+/status/\d+\S*$")  # left out where we know what is quoted
_EVERYWHERE = frozenset({"XX", "XY"})  # withheld in all countries; taken down


@dataclass(frozen=True, slots=True)
class Past:
    """What can be asked about the past.

    Attributes:
        archive: whether the full archive may be read; can_count: whether there is a bearer token, which counting needs.
        country: two letters; posts that are withheld there are no longer shown.
    """

    api: XApi
    own: Own
    meter: Meter
    now: Now
    query_length: int = 512
    archive: bool = False
    can_count: bool = False
    country: str = "FR"
    pause: Callable[[float], None] = time.sleep

    # -- before reading ----------------------------------------------------------------------------------------------------

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch."""
        found = searches(watch, self.own.handle, self.query_length)
        return Search(found.queries, found.exact, found.left, found.problem)

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        """See CanEstimate: X's counts where there is a bearer token, and one page of ten."""
        search = searches(watch, self.own.handle, self.query_length)
        queries = [mention_search(self.own.handle), *search.queries]
        notes = [search.problem] if search.problem else []
        start, lost = self._reachable(since)
        if lost:
            notes.append("X reaches back seven days only: what is older is not counted.")
        low, high = id_before(start), id_before(until)
        counts: list[int] = []
        spent = Spend()
        for query in queries if self.can_count else []:
            found, paid = self._count(query, low, high, start)
            counts, spent = [*counts, found], spent + paid
        body = self._search(queries[-1], Span(low, high, size=_SAMPLE), start)
        spent = spent + self.meter.call(paid_for(body, list_of(body.get("data")), Item.POST))
        samples = map_answer(body, self.own).mentions
        authors = len({one.account_id for one in samples}) / len(samples) if samples else 1.0
        each = dollars(Item.POST) + authors * dollars(Item.USER) if self.meter.billed else 0.0
        if counts:
            notes.append(f"Of these, {counts[0]} name the account and are read with every watch.")
            notes.append(f"About {authors:.0%} of the posts bring an author who is new that day, at $0.010 each.")
        else:
            notes.append("Without the setting bearer_token X gives no counts: the figure is missing.")
        if not search.exact:
            notes.append("X searches more widely than the watch: what does not match is paid for and left out.")
            samples = tuple(one for one in samples if watch_matches(watch, one))
        total = sum(counts) if counts else None
        return Estimate(total, round((total or 0) * each, 2), samples, " ".join(notes), spent)

    def _count(self, query: str, low: str, high: str, start: datetime) -> tuple[int, Spend]:
        archive = self._needs_archive(start)
        body = self.api.count(query, low, high, archive=archive)
        total = count_of(at(body, "meta", "total_tweet_count")) or count_of(at(body, "meta", "total_post_count"))
        return total or 0, self.meter.call(requests=[Item.COUNT_ALL if archive else Item.COUNT_RECENT])

    # -- a span of the past ------------------------------------------------------------------------------------------------

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        """See CanBackfill: a day at a time, oldest first; the cursor is the moment up to which all is read."""
        search = searches(watch, self.own.handle, self.query_length)
        queries = [mention_search(self.own.handle), *search.queries]
        start, lost = self._reachable(max(since, _reached(cursor) or since))
        notes = tuple([search.problem] if search.problem else [])
        gap = Gap(since, start, "X can be searched for the last seven days only.") if lost and start > since else None
        told: set[str] = set()
        while start < until:
            end = min(start + WINDOW, until)
            size = _ARCHIVE_PAGE if self._needs_archive(start) else PAGE_SIZE
            span = Span(id_before(start), id_before(end), size=size)
            for query in queries:
                for body in self._whole(query, span, start):
                    page = self._page(watch, body, told, exact=search.exact or query == queries[0])
                    if page.mentions or page.rejects or page.spent.price or gap or notes:
                        yield replace(page, gap=gap, notes=(*notes, *page.notes))
                        gap, notes = None, ()
            yield Page((), Cursor(json.dumps({"until": end.isoformat()})), gap=gap, notes=notes)
            gap, notes, start = None, (), end

    def _whole(self, query: str, span: Span, start: datetime) -> Iterator[dict[str, Any]]:
        token = None
        while True:
            body = self._search(query, replace(span, token=token), start)
            yield body
            token = next_page(body, token)
            if token is None:
                return

    def _page(self, watch: Watch, body: dict[str, Any], told: set[str], *, exact: bool) -> Page:
        mapped = map_answer({**body, "data": list_of(body.get("data"))}, self.own)
        mentions = [one for one in mapped.mentions if one.native_id not in told]
        told.update(one.native_id for one in mentions)
        if not exact:
            mentions = [one for one in mentions if watch_matches(watch, one)]
        rejects = tuple(Reject(f"search, {one.position}", one.reason, one.raw) for one in mapped.rejects)
        spent = self.meter.call(paid_for(body, list_of(body.get("data")), Item.POST))
        return Page(tuple(mentions), None, rejects, mapped.deleted, mapped.notes, spent=spent)

    def _search(self, query: str, span: Span, start: datetime) -> dict[str, Any]:
        if not self._needs_archive(start):
            return self.api.search(query, span)
        body = self.api.search_all(query, span)
        self.pause(_BETWEEN_ARCHIVE_CALLS)
        return body

    def _needs_archive(self, start: datetime) -> bool:
        return self.archive and start < self.now() - RECENT

    def _reachable(self, since: datetime) -> tuple[datetime, bool]:
        floor = self.now() - RECENT
        if since >= floor or self.archive:
            return since, False
        return floor, floor - since > _SLACK

    # -- kept posts --------------------------------------------------------------------------------------------------------

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate. Direct messages cannot be looked up; an edited post is looked up by its newest version."""
        kept = {shown_id(one): one for one in mentions if not is_message(one)}
        changed: dict[MentionId, Mention] = {}
        deleted: dict[MentionId, None] = {}
        spent = Spend()
        asked = list(kept)
        while asked:
            now, asked = asked[:_LOOKUP], asked[_LOOKUP:]
            body = self.api.lookup(now)
            items = [dict_of(item) for item in list_of(body.get("data"))]
            spent = spent + self.meter.call(paid_for(body, items, Item.POST))
            for problem in map(dict_of, list_of(body.get("errors"))):
                if (gone := gone_post(problem)) in kept:
                    deleted[kept[gone].id] = None
            for item in items:
                known = kept.get(text_of(item.get("id")))
                newer = self._newer(item, known)
                if known is None:
                    continue
                if newer:  # edited since: the newest version is another post
                    kept[newer] = known
                    asked.append(newer)
                elif self._withheld(item):
                    deleted[known.id] = None
                elif (fresh := _again(item, known)) != known:
                    changed[known.id] = fresh
        left = len(mentions) - len({one.id for one in kept.values()})
        notes = (f"Direct messages cannot be looked up again: {left} left as they are.",) if left else ()
        return Page((), None, deleted=tuple(deleted), notes=notes, changed=tuple(changed.values()), spent=spent)

    @staticmethod
    def _newer(item: dict[str, Any], known: Mention | None) -> str:
        versions = [text_of(one) for one in list_of(item.get("edit_history_tweet_ids"))]
        versions = versions or [text_of(one) for one in list_of(item.get("edit_history_post_ids"))]
        newest = versions[-1] if versions else ""
        return newest if known is not None and newest != text_of(item.get("id")) else ""

    def _withheld(self, item: dict[str, Any]) -> bool:
        countries = {text_of(one).upper() for one in list_of(at(item, "withheld", "country_codes"))}
        return bool(countries & (_EVERYWHERE | {self.country.upper()}))


def _again(item: dict[str, Any], known: Mention) -> Mention:
    """The kept mention with the words and counts of now; what a look-up does not tell stays as it was."""
    as_before = {name: known.raw[name] for name in _NOT_LOOKED_UP if name in known.raw}
    found = map_answer({"data": {**as_before, **item}}).mentions
    if not found:
        return known
    fresh = found[0]
    text = fresh.text if fresh.text != known.text and _QUOTED_LINK.sub("", fresh.text) != known.text else known.text
    raw = {**known.raw, **{name: value for name, value in fresh.raw.items() if name not in {"quoted", "media"}}}
    return replace(known, text=text, title=fresh.title or known.title, engagement=fresh.engagement, raw=raw)


def _reached(cursor: Cursor | None) -> datetime | None:
    try:
        return moment_of(at(json.loads(cursor or "{}"), "until"))
    except ValueError:
        return None
