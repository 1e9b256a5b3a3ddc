"""What deliveries for an Instagram account say: comments on our media, mentions of us elsewhere, messages.

Mentions hold nothing but numbers, and there is no list of them: `map_delivery` asks a `Source` for the words, or rejects the
notice where there is none to ask. Envelope and messages are `meta_webhook`. Instagram tells of no removed comments.
"""

from collections.abc import Mapping
from typing import Any, Protocol

from collectors.instagram_map import NETWORK, On, map_comment, map_media
from collectors.meta_items import Own, Sorting, first_of
from collectors.meta_webhook import changes, entries, is_event, take_events
from collectors.wire import at, text_of

_SILENT = frozenset({"story_insights", "message_reactions", "messaging_seen", "messaging_handover", "messaging_optins"})


class Source(Protocol):
    """Whoever can look mentions up; None where they are gone, or not for us to see."""

    def mentioned_comment(self, comment_id: str) -> dict[str, Any] | None:
        """A comment that names us."""

    def mentioned_media(self, media_id: str) -> dict[str, Any] | None:
        """A medium whose caption names us."""


def map_delivery(body: Mapping[str, Any], own: Own, sorting: Sorting, source: Source | None = None) -> None:
    """Everything that a delivery says.

    Args:
        own: our account, where it is known; what concerns another one is then passed over.
        source: where to look up what is named only by its id.
    """
    for position, entry in entries(body):
        account = text_of(entry.get("id"))
        if own.ids and account not in own.ids:
            sorting.passed["notice about another account"] += 1
            continue
        ours = Own(frozenset({account}) if account else frozenset(), own.handle)
        take_events(entry, position, NETWORK, ours, sorting)
        for number, (field, value) in enumerate(changes(entry), start=1):
            place = f"{position}, change {number}"
            if field in {"comments", "live_comments"}:
                _comment(value, entry.get("time"), place, ours, sorting, live=field == "live_comments")
            elif field == "mentions":
                _mention(value, place, ours, sorting, source)
            elif field in _SILENT:
                sorting.passed[field] += 1
            elif not is_event(field):
                sorting.refuse(place, f"the field “{field[:40]}” is not read", value)


def _comment(value: dict[str, Any], sent: Any, position: str, own: Own, sorting: Sorting, *, live: bool) -> None:
    medium = text_of(at(value, "media", "id"))
    comment = {**value, "timestamp": value.get("timestamp") or value.get("created_time") or sent}
    on = On(medium, "own", live=live)
    sorting.add(position, value, lambda: map_comment(comment, own, on))


def _mention(value: dict[str, Any], position: str, own: Own, sorting: Sorting, source: Source | None) -> None:
    comment_id, media_id = text_of(value.get("comment_id")), text_of(value.get("media_id"))
    if not all(one.isascii() and one.isdigit() for one in (comment_id, media_id) if one):
        sorting.refuse(position, "the mention has no number that can be asked for", value)
        return
    if source is None or not (comment_id or media_id):
        told = first_of(value, "text", "caption")
        if not told:
            sorting.refuse(
                position, "the mention is named only by its id: Instagram must be asked for its words", value
            )
            return
    found = source and (source.mentioned_comment(comment_id) if comment_id else source.mentioned_media(media_id))
    if source and found is None:
        sorting.gone(NETWORK, comment_id or media_id)
        return
    item = {**value, "id": comment_id or media_id, **(found or {})}
    if comment_id:
        sorting.add(position, value, lambda: map_comment(item, own, On(media_id, "mentioned")))
    else:
        sorting.add(position, value, lambda: map_media(item, own, "mentioned"))
