"""What deliveries for a Page say: posts, comments, recommendations and mentions of the Page that were made, changed or removed.

`map_delivery` alone is pure: what a notice names only by its id is a reject. `Asking` fills that in from the Graph, and asks
whose post a comment stands below, where the notice does not tell. Envelope and messages are `meta_webhook`.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from collectors.facebook_map import NETWORK, Below, map_comment, map_post, map_rating, sort_of
from collectors.meta_items import Own, Sorting, first_of
from collectors.meta_webhook import changes, entries, is_event, take_events
from collectors.wire import at, dict_of, text_of

_REMOVED = frozenset({"remove", "delete", "block"})
_CHANGED = frozenset({"edit", "edited", "update", "hide", "unhide"})
_POSTS = frozenset(
    {"album", "event", "link", "milestone", "note", "photo", "post", "reel", "share", "status", "story", "video"}
)
_SILENT = frozenset({"reaction", "like", "connection", "profile", "page"})


class Source(Protocol):
    """Whoever can look a post or a comment up; None where it is gone."""

    def post(self, native_id: str) -> dict[str, Any] | None:
        """A post with its author."""

    def comment(self, native_id: str) -> dict[str, Any] | None:
        """A comment with those above it."""


def map_delivery(body: Mapping[str, Any], own: Own, sorting: Sorting, source: Source | None = None) -> None:
    """Everything that a delivery says.

    Args:
        own: our Page, where it is known; what concerns another Page is then passed over.
        source: where to look up what is named only by its id.
    """
    for position, entry in entries(body):
        page = text_of(entry.get("id"))
        if own.ids and page not in own.ids:
            sorting.passed["notice about another Page"] += 1
            continue
        ours = Own(frozenset({page}) if page else frozenset())
        take_events(entry, position, NETWORK, ours, sorting)
        notices = _Notices(ours, sorting, source, entry.get("time"))
        for number, (field, value) in enumerate(changes(entry), start=1):
            if not is_event(field):
                notices.take(field, value, f"{position}, change {number}")


class _Notices:
    """The changes of one entry."""

    def __init__(self, own: Own, sorting: Sorting, source: Source | None, sent: Any) -> None:
        self._own, self._sorting, self._source, self._sent = own, sorting, source, sent

    def take(self, field: str, value: dict[str, Any], position: str) -> None:
        item, verb = text_of(value.get("item")), text_of(value.get("verb"))
        if item in _SILENT:
            self._sorting.passed[item] += 1
        elif field == "ratings" and item != "comment":
            self._rating(value, verb, position)
        elif field not in {"feed", "mention", "ratings"}:
            self._sorting.refuse(position, f"the field “{field[:40]}” is not read", value)
        elif item == "comment" or (value.get("comment_id") and item not in _POSTS):
            sort = {"mention": "tagged", "ratings": "rating"}.get(field, "")
            self._comment(value, verb, sort, position)
        elif item in _POSTS or value.get("post_id"):
            self._post(value, verb, "tagged" if field == "mention" else "", position)
        else:
            self._sorting.refuse(position, f"a change of “{item[:40] or 'nothing'}” is not read", value)

    def _comment(self, value: dict[str, Any], verb: str, sort: str, position: str) -> None:
        native_id = text_of(value.get("comment_id"))
        if verb in _REMOVED and native_id:
            self._sorting.gone(NETWORK, native_id)
            return
        post_id = text_of(value.get("post_id")) or text_of(value.get("open_graph_story_id"))
        sort = sort or self._sort_of_post(post_id, value)
        comment = self._as_comment(value, verb, post_id)
        nested = "parent" in comment
        if self._source and native_id and (nested or not first_of(value, "message")):
            found = self._source.comment(native_id)
            if found is None and not first_of(value, "message"):
                self._sorting.gone(NETWORK, native_id)
                return
            comment = {**comment, **(found or {})}
        below = Below(post_id, sort)
        self._sorting.add(position, value, lambda: map_comment(comment, self._own, below), changed=verb in _CHANGED)

    def _as_comment(self, value: dict[str, Any], verb: str, post_id: str) -> dict[str, Any]:
        names = ("message", "photo", "photos", "video", "item", "verb", "edited_time", "message_tags", "is_hidden")
        comment = {name: value[name] for name in names if name in value}
        comment["id"] = value.get("comment_id")
        comment["from"] = _sender(value)
        comment["created_time"] = value.get("created_time") or self._sent
        if verb in {"hide", "unhide"}:
            comment["is_hidden"] = verb == "hide"
        parent_id = text_of(value.get("parent_id"))
        if parent_id and parent_id not in {post_id, text_of(value.get("comment_id"))}:
            comment["parent"] = {"id": parent_id}
        return comment

    def _sort_of_post(self, post_id: str, value: dict[str, Any]) -> str:
        if at(value, "post", "status_type") == "wall_post":
            return "visitor"
        found = self._source.post(post_id) if self._source and post_id else None
        return sort_of({"id": post_id, **found}, self._own) if found else ""

    def _post(self, value: dict[str, Any], verb: str, sort: str, position: str) -> None:
        native_id = text_of(value.get("post_id"))
        if verb in _REMOVED and native_id:
            self._sorting.gone(NETWORK, native_id)
            return
        if value.get("published") in {0, "0"} or value.get("is_published") is False:
            self._sorting.passed["post that is not published"] += 1
            return
        post = {**value, "id": native_id, "from": _sender(value)}
        post["created_time"] = value.get("created_time") or self._sent
        post["permalink_url"] = value.get("permalink_url") or at(value, "post", "permalink_url")
        if verb in {"hide", "unhide"}:
            post["is_hidden"] = verb == "hide"
        if self._source and native_id and not first_of(value, "message"):
            found = self._source.post(native_id)
            if found is None:
                self._sorting.gone(NETWORK, native_id)
                return
            post = {**post, **found}
        sort = sort or sort_of(post, self._own)
        self._sorting.add(position, value, lambda: map_post(post, self._own, sort), changed=verb in _CHANGED)

    def _rating(self, value: dict[str, Any], verb: str, position: str) -> None:
        story = text_of(value.get("open_graph_story_id"))
        if verb in _REMOVED and story:
            self._sorting.gone(NETWORK, story)
            return
        reviewer = {"id": value.get("reviewer_id"), "name": value.get("reviewer_name")}
        when = value.get("created_time") or self._sent
        row = {**value, "created_time": when, "reviewer": {key: one for key, one in reviewer.items() if one}}
        self._sorting.add(position, value, lambda: map_rating(row), changed=verb in _CHANGED)


def _sender(value: Mapping[str, Any]) -> dict[str, Any]:
    """Who did it: ``from``, or the two fields that some notices have instead."""
    given = dict_of(value.get("from"))
    if given:
        return given
    found = {"id": value.get("sender_id"), "name": value.get("sender_name")}
    return {key: one for key, one in found.items() if one}
