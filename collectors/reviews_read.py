"""One reading of a network of reviews: its lists one after the other, each from the newest down to what is known.

A list is read again down to a little below what was read last (`overlap`): late and edited reviews are found there, and
`told` remembers which ones were told as they are now. A long list is a safe place to stop after every piece: the cursor
holds the vendor's own token to go on with. `Place` is the cursor.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from collectors.reviews_map import Heard
from collectors.wire import at, count_of, dict_of, list_of, moment_of, rejected, text_of
from domain.clock import Now
from domain.contracts import Cursor, Gap, Page, Reject, Spend
from domain.errors import ContractError, InputError, RefusedError
from domain.mention import Mention

_MOST_TOLD = 1_000  # of one list; what is not remembered is told again, and falls on its id


@dataclass(frozen=True, slots=True)
class Batch:
    """A piece of a list.

    Attributes:
        following: what to ask for the next piece with; "" at the end.
    """

    items: list[Any]
    following: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """One list of reviews: of a store, an app, a domain.

    Attributes:
        ask: token of the piece ("" for the first) and the moment down to which reviews are wanted -> the piece.
        moment: by which the list is sorted; None where an item does not say.
        overlap: how far below what is known it is read again; `pause`: how long it is left alone after a reading.
        newest_first: False where the whole answer must be read, since it is in no order.
        reach: how far back the vendor goes; `beyond` tells why, for the gap that a longer silence leaves.
    """

    name: str
    ask: Callable[[str, datetime | None], Batch]
    moment: Callable[[Any], datetime | None]
    heard: Heard
    overlap: timedelta
    pause: timedelta
    newest_first: bool = True
    reach: timedelta | None = None
    beyond: str = ""


@dataclass(slots=True)
class Walk:
    """A reading that is under way.

    Attributes:
        token: of the next piece; newest: the newest moment that was met.
    """

    begun: datetime
    token: str = ""
    newest: datetime | None = None


@dataclass(slots=True)
class Mark:
    """How far one list was read.

    Attributes:
        until: the newest moment of the last whole reading; asked: when that began.
        told: digest of an id -> digest of what was told of it, and when it was said.
    """

    until: datetime | None = None
    asked: datetime | None = None
    walk: Walk | None = None
    told: dict[str, tuple[str, int]] = field(default_factory=dict)


@dataclass(slots=True)
class Place:
    """Where reading stopped, list by list."""

    marks: dict[str, Mark] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None) -> "Place":
        """The place that a cursor tells; what cannot be read is read from the start, which loses nothing."""
        try:
            parts = json.loads(cursor or "{}")
        except ValueError:
            parts = {}
        place = cls()
        for name, told in dict_of(at(parts, "lists")).items():
            begun = moment_of(at(told, "walk", "begun"))
            walk = (
                Walk(begun, text_of(at(told, "walk", "token")), moment_of(at(told, "walk", "newest")))
                if begun
                else None
            )
            known = {
                text_of(key): (text_of(pair[0]), count_of(pair[1]) or 0)
                for key, pair in dict_of(at(told, "told")).items()
                if len(list_of(pair)) == 2
            }
            place.marks[name] = Mark(moment_of(at(told, "until")), moment_of(at(told, "asked")), walk, known)
        return place

    def cursor(self) -> Cursor:
        """The place as text."""
        lists = {}
        for name, mark in self.marks.items():
            walk = mark.walk and {
                "begun": _iso(mark.walk.begun),
                "token": mark.walk.token,
                "newest": _iso(mark.walk.newest),
            }
            lists[name] = {"until": _iso(mark.until), "asked": _iso(mark.asked), "walk": walk, "told": mark.told}
        return Cursor(json.dumps({"lists": lists}, sort_keys=True))


class Reading:
    """One run over some lists.

    Args:
        history: how far the first reading goes back; None for all there is.
        spent: what was asked since the last time.
    """

    def __init__(
        self,
        listings: Sequence[Listing],
        since: Cursor | None,
        *,
        now: Now,
        history: timedelta | None,
        spent: Callable[[], Spend],
    ) -> None:
        self._listings, self._now, self._history, self._spent = listings, now(), history, spent
        self._place = Place.read(since)
        self._seen: dict[str, str] = {}  # of this run: lists shift while they are read

    def pages(self) -> Iterator[Page]:
        """Everything new in every list whose time has come."""
        for listing in self._listings:
            mark = self._place.marks.setdefault(listing.name, Mark())
            if mark.walk or mark.asked is None or self._now - mark.asked >= listing.pause:
                yield from self._read(listing, mark)

    def _read(self, listing: Listing, mark: Mark) -> Iterator[Page]:
        gap = self._gap(listing, mark) if mark.walk is None else None
        until = self._until(listing, mark)
        walk = mark.walk = mark.walk or Walk(self._now, newest=mark.until)
        asked: set[str] = set()
        while mark.walk:
            batch = self._batch(listing, walk, until)
            asked.add(walk.token)
            if batch.following and batch.following in asked:
                raise ContractError(f"The pages of {listing.name} lead in a circle. They are read again later.")
            moments = [listing.moment(item) for item in batch.items]
            # Nobody writes in the future: a wrong clock must not make everything after it look old.
            known = [min(moment, self._now) for moment in moments if moment]
            taken = [item for item, moment in zip(batch.items, moments, strict=True) if not _older(moment, until)]
            old = listing.newest_first and bool(moments) and _older(moments[-1], until)
            walk.newest = max([*known, *([walk.newest] if walk.newest else [])], default=None)
            mentions, changed, rejects = self._mapped(listing, mark, taken)
            walk.token = batch.following
            if old or not batch.following:
                self._settle(listing, mark, walk)
            if mentions or changed or rejects or gap or mark.walk is None:
                yield Page(
                    mentions, self._place.cursor(), rejects=rejects, changed=changed, spent=self._spent(), gap=gap
                )
                gap = None

    def _batch(self, listing: Listing, walk: Walk, until: datetime | None) -> Batch:
        try:
            return listing.ask(walk.token, until)
        except RefusedError:
            if not walk.token:
                raise
            # Vendors forget their tokens after a while: from the top again, and what comes twice falls on its id.
            walk.token = ""
            return listing.ask("", until)

    def _until(self, listing: Listing, mark: Mark) -> datetime | None:
        if mark.until:
            return mark.until - listing.overlap
        return self._now - self._history if self._history else None

    def _gap(self, listing: Listing, mark: Mark) -> Gap | None:
        if listing.reach is None or mark.asked is None:
            return None
        floor = self._now - listing.reach
        return Gap(mark.asked, floor, listing.beyond) if mark.asked < floor else None

    @staticmethod
    def _settle(listing: Listing, mark: Mark, walk: Walk) -> None:
        """The list was read to its end."""
        mark.until, mark.asked, mark.walk = walk.newest, walk.begun, None
        _forget(mark, _floor(listing, walk))

    def _mapped(
        self, listing: Listing, mark: Mark, items: Sequence[Any]
    ) -> tuple[tuple[Mention, ...], tuple[Mention, ...], tuple[Reject, ...]]:
        """What is new, what may be kept with other words, and what is no review."""
        mentions: list[Mention] = []
        changed: list[Mention] = []
        rejects: list[Reject] = []
        floor = _floor(listing, mark.walk)
        for item in items:
            moment = int((listing.moment(item) or self._now).timestamp())
            try:
                heard = listing.heard(item)
            except InputError as error:
                reject = rejected(f"review in {listing.name}", str(error), item)
                if self._news(mark, f"{reject.reason}\x1f{reject.raw}", "", moment, floor) is not False:
                    rejects.append(reject)
                continue
            for mention in heard:
                known = self._news(mark, mention.native_id, _content(mention), moment, floor)
                mentions += [mention] if known is None else []
                # Who was heard long ago is no longer remembered here, but may be kept: told both ways.
                changed += [mention] if known or (known is None and mark.asked) else []
        if len(mark.told) > 2 * _MOST_TOLD:
            _forget(mark, floor)
        return tuple(mentions), tuple(changed), tuple(rejects)

    def _news(self, mark: Mark, native_id: str, content: str, moment: int, floor: int) -> bool | None:
        """None: never told, as far as we remember; True: told with other words; False: told as it is."""
        key, digest = _digest(native_id), _digest(content)
        before = self._seen.get(key) or mark.told.get(key, ("", 0))[0]
        self._seen[key] = digest
        if moment >= floor:  # below, it is not read again
            mark.told[key] = (digest, moment)
        return before != digest if before else None


def _forget(mark: Mark, floor: int) -> None:
    kept = sorted((pair[1], key) for key, pair in mark.told.items() if pair[1] >= floor)[-_MOST_TOLD:]
    mark.told = {key: mark.told[key] for _, key in kept}


def _floor(listing: Listing, walk: Walk | None) -> int:
    """Down to where the next reading comes again."""
    return int((walk.newest - listing.overlap).timestamp()) if walk and walk.newest else 0


def _content(mention: Mention) -> str:
    told = [mention.text, mention.title, mention.rating, mention.created_at.isoformat(), mention.raw]
    counts = mention.engagement
    return json.dumps([told, counts.like_count, counts.reply_count], sort_keys=True, default=str)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()


def _older(moment: datetime | None, until: datetime | None) -> bool:
    return moment is not None and until is not None and moment < until


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
