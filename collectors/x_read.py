"""Reading X: own posts, mentions, searches, what is said below our words, and direct messages, one list after the other.

A run yields pages with the place to go on from (x_place.py) and the price (x_prices.py); what a post becomes is x_map.py.
Lists are asked for by ids only, since X refuses ids together with times. To read another list, add it to `Run.pages`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from collectors.wire import dict_of, list_of, text_of
from collectors.x_answer import map_answer
from collectors.x_beside import Includes, Own
from collectors.x_client import PAGE_SIZE, Span, XApi
from collectors.x_place import Place, Places
from collectors.x_prices import Item, Meter
from collectors.x_query import mention_search, searches, thread_searches
from collectors.x_text import ID, id_before, moment_of_id, next_page
from domain.clock import Now
from domain.contracts import Gap, Page, Reject, Spend, Watch
from domain.errors import RefusedError, TransientError
from domain.mention import Mention
from domain.watch import watch_matches

RECENT = timedelta(days=7) - timedelta(minutes=5)  # search goes back seven days, and refuses more
_MENTIONS_NEARLY_CAPPED = 700  # X lists 800, without those that are gone
_EVENTS_EVERY = timedelta(minutes=3)  # X grants 15 questions for messages in 15 minutes
_FEW = 20

Ask = Callable[[Span], dict[str, Any]]
Accept = Callable[[Mention], bool]


@dataclass(frozen=True, slots=True)
class Options:
    """What the settings of the source say.

    Attributes:
        history: how far the first reading goes back.
        follow: how long a conversation is read on after our last word in it.
        own_price: what a post of the own lists is billed as.
        query_length: characters of a search.
    """

    history: timedelta = timedelta(days=7)
    follow: timedelta = timedelta(days=14)
    own_price: Item = Item.POST
    messages: bool = True
    query_length: int = 512
    page_size: int = PAGE_SIZE


class Run:
    """One reading of everything."""

    def __init__(
        self, api: XApi, own: Own, meter: Meter, options: Options, now: Now, watch: Watch, places: Places
    ) -> None:
        self._api, self._own, self._meter, self._options = api, own, meter, options
        self._now = now()
        self._watch, self._places = watch, places
        self._told: set[str] = set()
        self._notes: list[str] = []
        self._before = places.cursor()
        self.spent = Spend()  # what was paid before the first page

    def pages(self) -> Iterator[Page]:
        """All lists; each page may be stored by itself. Raises the errors of `domain.errors`."""
        recent = id_before(self._now - RECENT)
        search = searches(self._watch, self._own.handle, self._options.query_length)
        asked = _digest("\n".join((search.problem, *search.queries)))
        if search.problem and asked != self._places.watch:
            self._notes.append(search.problem)
        self._places.watch = asked
        names = [f"search:{_digest(query)}" for query in search.queries]
        known = {"posts", "mentions", "hole", "threads", "messages", *names}
        self._places.lists = {name: place for name, place in self._places.lists.items() if name in known}
        price = self._options.own_price
        yield from self._list("posts", lambda span: self._api.posts(self._own.id, span), price)
        yield from self._list("mentions", lambda span: self._api.mentions(self._own.id, span), price)
        if "hole" in self._places.lists:
            query = mention_search(self._own.handle)
            yield from self._list("hole", lambda span: self._api.search(query, span), Item.POST, recent)
        accept = None if search.exact else lambda mention: watch_matches(self._watch, mention)
        for name, query in zip(names, search.queries, strict=True):
            yield from self._list(name, self._searching(query), Item.POST, recent, accept)
        yield from self._threads(recent)
        if self._options.messages:
            yield from self._messages()

    def _searching(self, query: str) -> Ask:
        return lambda span: self._api.search(query, span)

    # -- lists of posts ----------------------------------------------------------------------------------------------------

    def _list(
        self, name: str, ask: Ask, price: Item, floor: str | None = None, accept: Accept | None = None
    ) -> Iterator[Page]:
        """One list to its end, from where the last run stopped.

        Args:
            floor: the smallest id that X can be asked for; what lies below is lost.
        """
        place = self._places.place(name)
        since = place.since or id_before(self._now - self._options.history)
        gap = None
        if floor and int(since) < int(floor):
            gap = self._gap(since, floor) if place.since else None
            since = floor
        below, token = place.until, None
        while below is None or int(below) > int(since) + 1:  # else a dead run had read it all
            body = ask(Span(since, below, token, self._options.page_size))
            items, ids = _items(body)
            token = next_page(body, token)
            fresh = [item for item, one in zip(items, ids, strict=True) if one not in place.seen]
            place.advance(filter(None, ids))
            if token is None:
                self._settle(name, place, since)
            yield from self._page(name, body, fresh, price, accept=accept, gap=gap, last=token is None)
            gap = None
            if token is None:
                return
        self._settle(name, place, since)

    def _settle(self, name: str, place: Place, since: str) -> None:
        if name == "hole":
            del self._places.lists[name]
            return
        if name == "mentions" and place.count >= _MENTIONS_NEARLY_CAPPED and place.until:
            # X lists no more than the last 800: what lies between is searched for.
            self._places.lists["hole"] = Place(since=since, until=place.until)
        place.settle(since, self._now)

    def _threads(self, recent: str) -> Iterator[Page]:
        """What others say in conversations of ours without naming us; late comments come this way."""
        place = self._places.place("threads")
        since = place.since or id_before(self._now - self._options.history)
        gap = self._gap(since, recent) if place.since and int(since) < int(recent) else None
        since = max(since, recent, key=int)
        queries = thread_searches(sorted(self._places.threads), self._own.handle, self._options.query_length)
        told: list[str] = []
        for number, query in enumerate(queries, start=1):
            token = None
            while True:
                body = self._api.search(query, Span(since, None, token, self._options.page_size))
                items, ids = _items(body)
                token = next_page(body, token)
                fresh = [item for item, one in zip(items, ids, strict=True) if one not in place.seen]
                told += filter(None, ids)
                last = token is None and number == len(queries)
                if last:
                    place.advance(told)
                    place.settle(since, self._now)
                yield from self._page("conversations", body, fresh, Item.POST, gap=gap, last=last)
                gap = None
                if token is None:
                    break
        if not queries:
            place.settle(since, self._now)

    @staticmethod
    def _gap(since: str, until: str) -> Gap | None:
        start, end = moment_of_id(since), moment_of_id(until)
        if start is None or end is None:
            return None
        return Gap(start, end, "X can be searched for the last seven days only, and was not read for longer than that.")

    # -- direct messages ---------------------------------------------------------------------------------------------------

    def _messages(self) -> Iterator[Page]:
        place = self._places.place("messages")
        last_at = _moment(place.at)
        if place.token is None and last_at and self._now - last_at < _EVENTS_EVERY:
            return
        today = self._now.date().isoformat()
        since = place.since or id_before(self._now - self._options.history)
        # Each message that X lists is billed, once a day: where few are expected, few are asked for.
        size = _FEW if place.since and place.token is None else self._options.page_size
        while True:
            try:
                body = self._events(place, size)
            except TransientError as error:
                if error.retry_after is None:
                    raise
                self._notes.append("Direct messages wait for X's limit; everything else was read.")
                return
            items, ids = _items(body)
            fresh = [item for item, one in zip(items, ids, strict=True) if int(one or 0) > int(since) or not one]
            billed = fresh if place.day == today else items
            place.advance(one for one in ids if one and int(one) > int(since))
            place.token = next_page(body, place.token)
            last = place.token is None or len(fresh) < len(items)
            if last:
                place = Place(since=place.newest or since, day=today, at=self._now.isoformat())
                self._places.lists["messages"] = place
            yield from self._page("messages", body, fresh, Item.EVENT, billed=billed, last=last)
            if last:
                return

    def _events(self, place: Place, size: int) -> dict[str, Any]:
        try:
            return self._api.events(Span(token=place.token, size=size))
        except RefusedError:
            if place.token is None:
                raise
            place.token = place.newest = place.until = None  # the mark of an earlier run is worn out: from the top
            return self._api.events(Span(size=size))

    # -- pages -------------------------------------------------------------------------------------------------------------

    def _page(
        self,
        name: str,
        body: dict[str, Any],
        fresh: Sequence[Any],
        price: Item,
        *,
        billed: Sequence[Any] | None = None,
        accept: Accept | None = None,
        gap: Gap | None = None,
        last: bool = False,
    ) -> Iterator[Page]:
        """The page of an answer, or none where there is nothing to tell or to remember."""
        spent = self.spent + self._meter.call(paid_for(body, fresh if billed is None else billed, price))
        mapped = map_answer({**body, "data": list(fresh)}, self._own)
        heard = [one for one in mapped.mentions if one.native_id not in self._told]
        mentions = tuple(one for one in heard if accept is None or accept(one))
        notes = [*self._notes, *mapped.notes]
        if len(mentions) < len(heard):
            notes.append(f"Posts left out because X cannot search more narrowly: {len(heard) - len(mentions)}.")
        self._told.update(one.native_id for one in heard)
        self._places.follow(mentions, self._now - self._options.follow)
        self._own = Own(self._own.id, self._own.handle, self._places.own_threads)
        cursor = self._places.cursor()
        where = "mentions" if name == "hole" else name.partition(":")[0]
        rejects = tuple(Reject(f"{where}, {one.position}", one.reason, one.raw) for one in mapped.rejects)
        silent = not (mentions or rejects or mapped.deleted or gap or notes or spent.price)
        if silent and last and cursor == self._before:
            self.spent = spent
            return
        self.spent, self._notes, self._before = Spend(), [], cursor
        edited = tuple(one for one in mentions if "latest_id" in one.raw)
        yield Page(mentions, cursor, rejects, mapped.deleted, tuple(notes), edited, spent, gap)


def paid_for(body: dict[str, Any], items: Sequence[Any], price: Item) -> list[tuple[Item, str]]:
    """What X bills of an answer: these items, and the accounts and posts that come with them."""
    if not items:
        return []
    includes = Includes.of(body.get("includes"))
    listed, ids = _items(body)
    wanted = {text_of(dict_of(item).get("id")) for item in items} - {""}
    authors = {text_of(dict_of(item).get("author_id")) for item in items}
    old = {text_of(dict_of(item).get("author_id")) for item, one in zip(listed, ids, strict=True) if one not in wanted}
    return [
        *((price, one) for one in sorted(wanted)),
        *((Item.POST, one) for one in includes.posts if one not in ids),
        *((Item.USER, one) for one in includes.users if one not in old - authors),
    ]


def _items(body: dict[str, Any]) -> tuple[list[Any], list[str]]:
    """What a page lists, and the ids; "" where there is none, which the mapper will say."""
    items = list_of(body.get("data"))
    ids = [text_of(dict_of(item).get("id")) for item in items]
    return items, [one if ID.fullmatch(one) else "" for one in ids]


def _digest(words: str) -> str:
    return blake2b(words.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _moment(written: str) -> datetime | None:
    try:
        return datetime.fromisoformat(written) if written else None
    except ValueError:
        return None
