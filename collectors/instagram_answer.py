"""What a whole answer of Instagram holds: media, comments, mentions, conversations, single objects, deliveries, error bodies.

Pure, and never raises: what cannot be a mention is a reject with its position and reason. To read another shape, recognise
it in `_Reading.take` or `_Reading._item`.
"""

import json
from functools import partial
from typing import Any

from collectors.instagram_map import (
    NETWORK,
    NOWHERE,
    On,
    is_comment,
    is_media,
    map_comment,
    map_media,
    on_media,
    sort_of,
)
from collectors.instagram_notices import map_delivery
from collectors.meta_errors import Fault
from collectors.meta_items import NOBODY, Own, Sorting, edge
from collectors.meta_messages import is_conversation, is_message, map_message
from collectors.wire import at, dict_of, text_of
from domain.contracts import Mapped

_SORTS = {"media": "own", "stories": "own", "tags": "tagged", "recent_media": "hashtag", "top_media": "hashtag"}
_HELD = ("business_discovery", "comments", "conversations", "messages", "replies", *_SORTS)
_DEEPEST = 8


def map_answer(body: Any, own: Own = NOBODY) -> Mapped:
    """Everything that one saved answer holds.

    Args:
        own: our account, where it is known; a delivery names it itself.
    """
    sorting = Sorting()
    _Reading(own, sorting).take(body, "answer", NOWHERE)
    return sorting.mapped()


class _Reading:
    """One answer being taken apart."""

    def __init__(self, own: Own, sorting: Sorting) -> None:
        self.own, self.sorting, self.depth = own, sorting, 0

    def take(self, body: Any, position: str, on: On) -> None:
        """An answer, a part of one, or a list of such."""
        if self.depth >= _DEEPEST:
            self.sorting.refuse(position, "it lies too deep in the answer", body)
            return
        self.depth += 1
        if isinstance(body, list):
            for number, one in enumerate(body, start=1):
                self.take(one, _inside(position, f"item {number}"), on)
        elif isinstance(body, dict):
            self._object(body, position, on)
        else:
            self.sorting.refuse(position, "it is no answer of Instagram: neither an object nor a list", body)
        self.depth -= 1

    def _object(self, body: dict[str, Any], position: str, on: On) -> None:
        fault = Fault.of(body)
        if fault is not None:
            where = f"{position}: error" if position != "answer" else "error"
            self.sorting.refuse(where, f"Instagram answered with error {fault.code}: {fault.words or 'no words'}", body)
        if isinstance(body.get("entry"), list):
            map_delivery(body, self.own, self.sorting)
        elif isinstance(body.get("data"), list):
            self._learn(body["data"])
            link = text_of(at(body, "paging", "next")).partition("?")[0].rstrip("/").rpartition("/")[2]
            self.take(body["data"], position, On(sort=_SORTS[link]) if link in _SORTS else on)
        elif isinstance(body.get("data"), dict) and "id" not in body:
            self.take(body["data"], position, on)
        elif "code" in body and "body" in body:
            self._part(body, position)
        elif fault is None:
            self._item(body, position, on)

    def _part(self, body: dict[str, Any], position: str) -> None:
        """One answer of a batch."""
        try:
            inner = json.loads(text_of(body["body"]))
        except (ValueError, RecursionError):
            self.sorting.refuse(position, "its body is no JSON", body)
            return
        self.take(inner, position, NOWHERE)

    def _learn(self, items: list[Any]) -> None:
        """Who we are: Instagram names the owner only of our own media."""
        if self.own.ids or self.own.handle:
            return
        ours = [one for one in map(dict_of, items) if sort_of(one, NOBODY) == "own"]
        ids = {text_of(at(one, "owner", "id")) for one in ours} - {""}
        handles = {text_of(one.get("username")) for one in ours} - {""}
        if len(ids) == 1:
            self.own = Own(frozenset(ids), handles.pop() if len(handles) == 1 else "")

    def _item(self, item: dict[str, Any], position: str, on: On) -> None:
        if is_message(item):
            self.sorting.add(position, item, lambda: map_message(item, NETWORK, self.own))
        elif is_conversation(item) and "timestamp" not in item:
            self._conversation(item, position)
        elif "mentioned_comment" in item or "mentioned_media" in item:
            self._mentions(item, position)
        elif is_media(item):
            sort = on.sort or sort_of(item, self.own)
            self.sorting.add(position, item, lambda: map_media(item, self.own, sort))
            self._below(item, "comments", position, on_media(item, sort))
        elif is_comment(item):
            made = self.sorting.add(position, item, lambda: map_comment(item, self.own, on))
            if made is not None:
                medium = dict_of(item.get("media"))
                under = on if on.media_id else On(text_of(medium.get("id")), on.sort)
                self._below(item, "replies", position, under.under(made.native_id))
        else:
            self._holder(item, position)

    def _below(self, item: dict[str, Any], name: str, position: str, on: On) -> None:
        what = "comment" if name == "comments" else "answer"
        for number, one in enumerate(edge(item, name), start=1):
            self.take(one, f"{position}, {what} {number}", on)

    def _mentions(self, item: dict[str, Any], position: str) -> None:
        comment, medium = item.get("mentioned_comment"), item.get("mentioned_media")
        if isinstance(comment, dict):
            on = On(text_of(at(comment, "media", "id")), "mentioned")
            self.sorting.add(
                _inside(position, "mentioned_comment"), comment, lambda: map_comment(comment, self.own, on)
            )
        if isinstance(medium, dict):
            place = _inside(position, "mentioned_media")
            self.sorting.add(place, medium, lambda: map_media(medium, self.own, "mentioned"))
            self._below(medium, "comments", place, on_media(medium, "mentioned"))

    def _conversation(self, item: dict[str, Any], position: str) -> None:
        for number, one in enumerate(edge(item, "messages"), start=1):
            found, place = dict_of(one), f"{position}, message {number}"
            if found:
                self.sorting.add(place, one, partial(map_message, found, NETWORK, self.own, item))
            else:
                self.sorting.refuse(place, "it is no object", one)

    def _holder(self, item: dict[str, Any], position: str) -> None:
        """An object that is no mention but may hold some: an account with its edges, or objects asked for by their ids."""
        held = [name for name in _HELD if isinstance(item.get(name), dict | list)]
        before, foreign = self.own, "business_discovery" in position
        if "media" in held and not foreign and text_of(item.get("username")):
            self.own = Own(before.ids | {text_of(item.get("id"))}, text_of(item["username"]))
        for name in held:
            sort = "" if foreign else _SORTS.get(name, "")
            for one in edge(item, name) or [item[name]]:
                self.take(one, _inside(position, name), On(sort=sort))
        self.own = before
        named = {key: one for key, one in item.items() if isinstance(one, dict) and text_of(one.get("id")) == key}
        for key, one in named.items():
            self.take(one, _inside(position, f"object {key}"), NOWHERE)
        if not held and not named:
            only_id = set(item) <= {"id"}
            why = "it is named only by its id: nothing of it is told" if only_id else "it is no item of a known kind"
            self.sorting.refuse(position, why, item)


def _inside(position: str, place: str) -> str:
    return ", ".join(part for part in ("" if position == "answer" else position, place) if part) or "answer"
