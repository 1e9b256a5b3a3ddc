"""What a whole answer of Facebook holds: feeds, comments, conversations, single objects, batches, deliveries, error bodies.

Pure, and never raises: what cannot be a mention is a reject with its position and reason. Items say little of what they
are, so the edge they stand in, their fields and the mark of the next page decide. To read another shape, recognise it in
`_Reading.take` or `_sort_of_item`.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from collectors.facebook_map import NETWORK, NOWHERE, Below, is_rating, map_comment, map_post, map_rating, sort_of
from collectors.facebook_notices import map_delivery
from collectors.meta_errors import Fault
from collectors.meta_items import NOBODY, Own, Sorting, edge
from collectors.meta_messages import is_conversation, is_message, map_message, own_in
from collectors.wire import at, dict_of, list_of, text_of
from domain.contracts import Mapped

_EDGES = {  # name of an edge -> what its items are
    "feed": "post", "posts": "post", "published_posts": "post", "visitor_posts": "visitor", "tagged": "tagged",
    "ratings": "rating", "comments": "comment", "conversations": "conversation", "messages": "message",
}  # fmt: skip
_OF_COMMENTS = frozenset(
    {
        "can_comment", "can_hide", "can_like", "can_remove", "comment_count", "is_private", "like_count", "parent",
        "private_reply_conversation", "user_likes", "attachment", "object", "live_broadcast_timestamp",
    }
)  # fmt: skip
_OF_POSTS = frozenset(
    {
        "actions", "attachments", "full_picture", "is_expired", "is_published", "privacy", "properties", "promotable_id",
        "shares", "status_type", "story", "subscribed", "tagged_time", "type", "updated_time", "parent_id", "picture",
    }
)  # fmt: skip
_COMMENT_MARKS = ("WTI5dGJXVnVkRjlqZF", "Y29tbWVudF9jdXJzb3")  # “comment_cursor”, as Graph wraps it
_REACTIONS = frozenset({"LIKE", "LOVE", "WOW", "HAHA", "SAD", "ANGRY", "CARE", "THANKFUL", "PRIDE"})
_DEEPEST = 8


def map_answer(body: Any, own: Own = NOBODY) -> Mapped:
    """Everything that one saved answer holds.

    Args:
        own: our Page, where it is known; a delivery names it itself, and posts name the Page that they stand on.
    """
    sorting = Sorting()
    _Reading(own, sorting).take(body, "answer", "")
    return sorting.mapped()


class _Reading:
    """One answer being taken apart."""

    def __init__(self, own: Own, sorting: Sorting) -> None:
        self.own, self.sorting, self.depth = own, sorting, 0

    def take(self, body: Any, position: str, kind: str, below: Below = NOWHERE) -> None:
        """An answer, a part of one, or a list of such."""
        if self.depth >= _DEEPEST:
            self.sorting.refuse(position, "it lies too deep in the answer", body)
            return
        self.depth += 1
        if isinstance(body, list):
            for number, one in enumerate(body, start=1):
                self.take(one, _inside(position, f"item {number}"), kind, below)
        elif isinstance(body, dict):
            self._object(body, position, kind, below)
        else:
            self.sorting.refuse(position, "it is no answer of Facebook: neither an object nor a list", body)
        self.depth -= 1

    def _object(self, body: dict[str, Any], position: str, kind: str, below: Below) -> None:
        fault = Fault.of(body)
        if fault is not None:
            where = f"{position}: error" if position != "answer" else "error"
            self.sorting.refuse(where, f"Facebook answered with error {fault.code}: {fault.words or 'no words'}", body)
        if isinstance(body.get("entry"), list):
            map_delivery(body, self.own, self.sorting)
        elif isinstance(body.get("data"), list):
            kind = kind or _kind_of_page(body)
            if kind == "post":
                self._learn(body["data"])
            self.take(body["data"], _inside(position, ""), kind, below)
        elif isinstance(body.get("data"), dict) and "id" not in body:
            self.take(body["data"], position, kind, below)
        elif "code" in body and "body" in body:
            self._part(body, position, kind)
        elif fault is None:
            self._item(body, position, kind, below)

    def _part(self, body: dict[str, Any], position: str, kind: str) -> None:
        """One answer of a batch."""
        try:
            inner = json.loads(text_of(body["body"]))
        except (ValueError, RecursionError):
            self.sorting.refuse(position, "its body is no JSON", body)
            return
        self.take(inner, position, kind)

    def _learn(self, items: list[Any]) -> None:
        """Whose feed it is: a post that bears its author's number was made by the Page itself."""
        if self.own.ids:
            return
        pages = {text_of(at(one, "from", "id")) for one in items if sort_of(one, NOBODY) == "own"}
        shared = {text_of(dict_of(one).get("id")).partition("_")[0] for one in items}
        if len(pages) == 1 and pages == shared:
            self.own = Own(frozenset(pages))

    def _item(self, item: dict[str, Any], position: str, kind: str, below: Below) -> None:
        kind = _kind_of_item(item, kind)
        if kind == "reaction":
            self.sorting.passed["reaction"] += 1
        elif kind == "rating":
            made = self.sorting.add(position, item, lambda: map_rating(item))
            story = made.native_id if made else ""
            self._below(dict_of(item.get("open_graph_story")), position, Below(story, "rating"))
        elif kind == "conversation":
            self._conversation(item, position)
        elif kind == "message":
            self.sorting.add(position, item, lambda: map_message(item, NETWORK, self.own))
        elif kind == "comment":
            made = self.sorting.add(position, item, lambda: map_comment(item, self.own, below))
            if made:
                self._below(item, position, below.under(made.native_id))
        elif kind:
            sort = {"visitor": "visitor", "tagged": "tagged"}.get(kind) or sort_of(item, self.own)
            self.sorting.add(position, item, lambda: map_post(item, self.own, sort))
            self._below(item, position, Below(text_of(item.get("id")), sort))
        else:
            self._holder(item, position)

    def _below(self, item: dict[str, Any], position: str, below: Below) -> None:
        for number, one in enumerate(edge(item, "comments"), start=1):
            self.take(one, f"{position}, comment {number}", "comment", below)

    def _conversation(self, item: dict[str, Any], position: str) -> None:
        own = own_in(item, self.own)
        for number, one in enumerate(edge(item, "messages"), start=1):
            found = dict_of(one)
            place = f"{position}, message {number}"
            if found:
                self.sorting.add(place, one, partial(map_message, found, NETWORK, own, item))
            else:
                self.sorting.refuse(place, "it is no object", one)

    def _holder(self, item: dict[str, Any], position: str) -> None:
        """An object that is no mention but may hold some: a Page with its edges, or objects asked for by their ids."""
        held = [name for name in _EDGES if isinstance(item.get(name), dict | list)]
        own = self.own
        if held and not own.ids and text_of(item.get("id")) and "name" in item:
            self.own = replace(own, ids=frozenset({text_of(item["id"])}))
        for name in held:
            kind = _EDGES[name]
            self.take(item[name], _inside(position, name), kind)
        self.own = own
        named = {key: one for key, one in item.items() if isinstance(one, dict) and text_of(one.get("id")) == key}
        named |= {
            key: one for key, one in item.items() if isinstance(one, dict) and key not in _EDGES and "data" in one
        }
        for key, one in named.items():
            self.take(one, _inside(position, f"object {key}"), "")
        if not held and not named:
            only_id = set(item) <= {"id"}
            why = "it is named only by its id: nothing of it is told" if only_id else "it is no item of a known kind"
            self.sorting.refuse(position, why, item)


def _kind_of_page(body: Mapping[str, Any]) -> str:
    """What the items of a page are, as far as what surrounds them tells."""
    link = text_of(at(body, "paging", "next")) or text_of(at(body, "paging", "previous"))
    path = link.partition("?")[0].rstrip("/").rpartition("/")[2]
    if path in _EDGES:
        return _EDGES[path]
    marks = [text_of(one) for one in dict_of(at(body, "paging", "cursors")).values()]
    if any(mark.startswith(_COMMENT_MARKS) for mark in marks) or "can_comment" in dict_of(body.get("summary")):
        return "comment"
    items = [dict_of(one) for one in list_of(body.get("data"))]
    if any(_of_its_author(one) for one in items) and not any(_OF_COMMENTS & set(one) for one in items):
        return "post"
    return ""


def _kind_of_item(item: Mapping[str, Any], hint: str) -> str:
    """``post``, ``comment``, ``rating``, ``conversation``, ``message`` or ``reaction``; "" where it is none of these."""
    names = set(item)
    if is_rating(item):
        return "rating"
    if is_message(item):
        return "message"
    if hint in {"rating", "message", "conversation"} or (is_conversation(item) and "created_time" not in names):
        return hint or "conversation"
    if text_of(item.get("type")) in _REACTIONS and "created_time" not in names:
        return "reaction"
    if _OF_COMMENTS & names:
        return "comment"
    if hint:
        return hint
    if "tagged_time" in names:
        return "tagged"
    if _OF_POSTS & names or _of_its_author(item):
        return "post" if "created_time" in names or "message" in names or "story" in names else ""
    if "created_time" in names or "message" in names:
        return "comment" if "from" in names else "post"  # a feed names no authors unless it is asked to
    return ""


def _of_its_author(item: Mapping[str, Any]) -> bool:
    """Whether an item bears its author's number, as posts do and comments never."""
    author = text_of(at(item, "from", "id"))
    return bool(author) and text_of(item.get("id")).partition("_")[0] == author


def _inside(position: str, place: str) -> str:
    return ", ".join(part for part in ("" if position == "answer" else position, place) if part) or "answer"
