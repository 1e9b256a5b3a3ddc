"""Hashtags on Instagram: thirty in seven days, counted before Instagram counts them.

A hashtag counts once in a rolling week, from the first time it is asked for; the thirty-first is refused here, with a word,
and waits. Instagram shows only what was tagged in the last 24 hours, and no authors; each hashtag is read once an hour, and
a longer pause is a gap. The count is in the cursor (`meta_place.Place.tags`).
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from collectors.instagram_map import map_media
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph
from collectors.meta_items import NOBODY, Sorting, seconds
from collectors.meta_place import Place
from collectors.wire import count_of, dict_of, list_of, text_of
from domain.contracts import Gap, Watch
from domain.errors import InputError, RefusedError
from domain.mention import Mention
from domain.watch import Both, Either, Except, Expression, Narrow, Phrase, Word, fold, parse, watch_matches

LIMIT = 30
WEEK = 7 * 86_400  # seconds
_HOUR, _DAY = 3_600, 86_400
_PAGES = 20
_SEEN_LIMIT = 150  # ids kept of each hashtag
_FIELDS = "id,caption,media_type,media_product_type,media_url,permalink,timestamp,like_count,comments_count"
_TAG = re.compile(r"#?(\w{1,100})")


def hashtags_in(written: str) -> tuple[str, ...]:
    """Hashtags of a setting, separated by blanks or commas, without #, each once.

    Raises:
        InputError: one of them cannot be a hashtag.
    """
    found: dict[str, None] = {}
    for one in re.split(r"[\s,;]+", written.strip()):
        match = _TAG.fullmatch(one)
        if one and not match:
            raise InputError(f"“{one[:60]}” is no hashtag: write letters and digits only")
        if match:
            found[match[1].lower()] = None
    return tuple(found)


def hashtags_of(watch: Watch) -> tuple[str, ...]:
    """The hashtags that a watch names, in its words or in its expression; what it leaves out is not searched for."""
    found = [term.strip() for term in watch.terms if term.strip().startswith("#")]
    if watch.query:
        found += _named(parse(watch.query))
    return tuple(dict.fromkeys(match[1].lower() for one in found if (match := _TAG.fullmatch(one))))


def _named(expression: Expression) -> list[str]:
    if isinstance(expression, Word):
        return [expression.text] if expression.text.startswith("#") and not expression.prefix else []
    if isinstance(expression, Both | Either):
        return [found for part in expression.parts for found in _named(part)]
    if isinstance(expression, Phrase):
        return [found for word in expression.words for found in _named(word)]
    assert isinstance(expression, Except | Narrow)  # noqa: S101 - tells the type checker that nothing is forgotten
    return []


class Hashtags:
    """The hashtags of one source.

    Args:
        account: number of our Instagram account, on behalf of which is searched.
        always: hashtags of the settings: all that bears them is heard; those of the watch must match it.
    """

    def __init__(self, graph: Graph, account: str, place: Place, now: datetime, *, always: tuple[str, ...]) -> None:
        self._graph, self._account, self._place = graph, account, place
        self._now, self._at = now, int(now.timestamp())
        self._always = always

    def read(self, watch: Watch) -> Iterator[tuple[Sorting, Gap | None]]:
        """What bears the hashtags since they were last read."""
        wanted = tuple(dict.fromkeys((*self._always, *hashtags_of(watch))))
        self._place.tags = {tag: told for tag, told in self._place.tags.items() if self._counts(told) or tag in wanted}
        refused = []
        for tag in wanted:
            told = self._place.tags.setdefault(tag, {})
            if self._at - (count_of(told.get("read")) or 0) < _HOUR:
                continue
            if not self._counts(told):
                if self.counted >= LIMIT:
                    refused.append(tag)
                    continue
                told["first"] = self._at
            yield from self._read(tag, told, watch)
        self._place.tags = {tag: told for tag, told in self._place.tags.items() if told}
        if refused:
            sorting = Sorting()
            if self._place.is_news("hashtags", *refused):
                sorting.notes.append(_too_many(refused, self._free_at()))
            yield sorting, None

    @property
    def counted(self) -> int:
        """How many different hashtags were asked for in the last seven days."""
        return sum(self._counts(told) for told in self._place.tags.values())

    def _counts(self, told: dict[str, Any]) -> bool:
        first = count_of(told.get("first"))
        return first is not None and self._at - first < WEEK

    def _free_at(self) -> datetime:
        first = min((count_of(told.get("first")) or self._at for told in self._place.tags.values()), default=self._at)
        return datetime.fromtimestamp(first + WEEK, tz=UTC)

    def _read(self, tag: str, told: dict[str, Any], watch: Watch) -> Iterator[tuple[Sorting, Gap | None]]:
        sorting = Sorting()
        try:
            told["id"] = text_of(told.get("id")) or self._graph.search_hashtag(self._account, tag)
            items = list(self._listed(text_of(told["id"])))
        except (GoneError, RefusedError) as error:
            told["read"] = self._at
            if self._place.is_news("hashtag", tag, str(error)):
                sorting.notes.append(f"The hashtag #{tag} cannot be read: {error}")
            yield sorting, None
            return
        seen = {text_of(one) for one in list_of(told.get("seen"))}
        for number, item in enumerate(items, start=1):
            if text_of(item.get("id")) not in seen:
                self._take(item, f"#{tag}, medium {number}", tag, watch, sorting)
        gap = self._gap(tag, count_of(told.get("read")) or 0)
        newest = sorted(items, key=lambda item: seconds(item.get("timestamp")))[-_SEEN_LIMIT:]
        told["seen"] = [text_of(item.get("id")) for item in newest]
        told["read"] = self._at
        yield sorting, gap

    def _listed(self, tag_id: str) -> Iterator[dict[str, Any]]:
        position: dict[str, str] = {}
        for _ in range(_PAGES):
            self._graph.usage.must_last()
            params = {"user_id": self._account}
            listing = self._graph.listing(tag_id, "recent_media", _FIELDS, limit=50, position=position, params=params)
            yield from map(dict_of, listing.items)
            if not listing.position or listing.position == position:
                return
            position = listing.position

    def _take(self, item: dict[str, Any], position: str, tag: str, watch: Watch, sorting: Sorting) -> None:
        made = Sorting()
        mention = made.add(position, item, partial(map_media, item, NOBODY, "hashtag"))
        sorting.rejects += made.rejects
        if mention is not None and (tag in self._always or _heard(mention, watch, tag)):
            sorting.mentions[mention.id] = mention

    def _gap(self, tag: str, read: int) -> Gap | None:
        if not read or self._at - read <= _DAY:
            return None
        since, until = datetime.fromtimestamp(read, tz=UTC), self._now - timedelta(days=1)
        return Gap(since, until, f"Instagram shows what bears #{tag} for 24 hours only, and it was not read in time.")


def _heard(mention: Mention, watch: Watch, tag: str) -> bool:
    """A hashtag may stand in a comment that we do not see: a watch that asks for nothing else is content."""
    simple = fold(f"#{tag}") in {fold(term.strip()) for term in watch.terms}
    return simple or watch_matches(watch, mention)


def _too_many(refused: list[str], free_at: datetime) -> str:
    named = ", ".join(f"#{tag}" for tag in refused)
    return (
        f"Instagram takes {LIMIT} different hashtags in seven days, and they are used up: {named} will be read from "
        f"{free_at:%Y-%m-%d %H:%M} UTC on, or once others are taken out for a week."
    )
