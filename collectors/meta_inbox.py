"""Reading private conversations, of a Page (Messenger) or of an Instagram account: what was said since the last reading.

Meta lists conversations by their last word, newest first, and shows the details of no more than the last 20 messages of an
Instagram conversation: what was missed there is a gap. Mapping is `meta_messages`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from collectors.meta_graph import Graph, position_of
from collectors.meta_items import Own, Sorting, edge, seconds
from collectors.meta_messages import map_message
from collectors.meta_place import Place
from collectors.meta_walk import Edge, by, pieces
from collectors.wire import dict_of, text_of
from domain.contracts import Gap
from domain.errors import RefusedError
from domain.mention import Mention

OVERLAP = 120  # seconds; lists settle within that
LAST = 20  # messages of a conversation that Meta shows at once
_MORE = 10  # further pages of one conversation
_FIELDS = {
    "facebook": (
        "id,link,updated_time,can_reply,participants",
        "id,created_time,from,to,message,sticker,tags,attachments{id,mime_type,name,image_data,video_data,file_url},"
        "shares{link,name,description}",
    ),
    "instagram": (
        "id,updated_time,participants",
        "id,created_time,from,to,message,is_unsupported,story,attachments{id,mime_type,name,image_data,video_data,file_url},"
        "shares{link,name}",
    ),
}
_PLATFORM = {"facebook": "messenger", "instagram": "instagram"}


@dataclass(frozen=True, slots=True)
class Inbox:
    """The conversations of one account.

    Attributes:
        page: the Page that they are asked of, also those on Instagram.
    """

    graph: Graph
    network: str
    page: str
    own: Own

    def unread(self, place: Place, now: datetime) -> Iterator[tuple[Sorting, Gap | None]]:
        """What was said since the last reading, a page of conversations at a time; the place moves on with each."""
        mark = place.mark("inbox")
        known = mark.since
        outer, inner = _FIELDS[self.network]
        listed = Edge(
            self.page,
            "conversations",
            f"{outer},messages.limit({LAST}){{{inner}}}",
            limit=25,
            moment=by("updated_time"),
            params=(("platform", _PLATFORM[self.network]),),
        )
        floor = max(place.start, known - OVERLAP)
        for piece in pieces(self.graph, listed, mark, floor=floor, now=now):
            sorting, gap = Sorting(), piece.gap
            for number, conversation in enumerate(piece.items, start=1):
                found = dict_of(conversation)
                lost = self._take(found, f"conversation {number}", place, piece.floor, sorting)
                gap = _wider(gap, lost) if known else gap
            if piece.ended:
                place.forget_seen(mark.since - OVERLAP)
            yield sorting, gap

    def said(self, other: str) -> Iterator[Mention]:
        """The last messages with this person, ours among them; for looking an answer up."""
        _, inner = _FIELDS[self.network]
        asked = f"id,participants,messages.limit({LAST}){{{inner}}}"
        params = {"platform": _PLATFORM[self.network], "user_id": other}
        for conversation in self.graph.listing(self.page, "conversations", asked, limit=5, params=params).items:
            yield from self.mapped(dict_of(conversation))

    def mapped(self, conversation: dict[str, Any]) -> Iterator[Mention]:
        """Those of its messages that can be mentions."""
        sorting = Sorting()
        for one in map(dict_of, edge(conversation, "messages")):
            sorting.add("message", one, partial(map_message, one, self.network, self.own, conversation))
        yield from sorting.mentions.values()

    def _take(
        self, conversation: dict[str, Any], position: str, place: Place, floor: int, sorting: Sorting
    ) -> Gap | None:
        updated = seconds(conversation.get("updated_time"))
        if updated and updated < floor:
            return None  # came along at the end of the page
        items, lost = self._messages(conversation, floor)
        if not items:
            sorting.passed["conversation without messages"] += 1
        for number, item in enumerate(map(dict_of, items), start=1):
            native_id, when = text_of(item.get("id")), seconds(item.get("created_time"))
            if native_id in place.seen or (when and when < floor):
                continue
            make = partial(map_message, item, self.network, self.own, conversation)
            if sorting.add(f"{position}, message {number}", item, make) and when:
                place.seen[native_id] = when
        return lost

    def _messages(self, conversation: dict[str, Any], floor: int) -> tuple[list[Any], Gap | None]:
        """The messages down to the floor, and what Meta no longer shows of them."""
        items = edge(conversation, "messages")
        position = position_of(dict_of(conversation.get("messages")))
        for _ in range(_MORE):
            oldest = _oldest(items)
            if not position or not oldest or oldest < floor:
                return items, None
            if self.network == "instagram":
                break
            self.graph.usage.must_last()
            native_id = text_of(conversation.get("id"))
            fields = _FIELDS[self.network][1]
            try:
                more = self.graph.listing(native_id, "messages", fields, limit=LAST, position=position)
            except RefusedError:
                break  # Meta says of older messages that they are deleted
            if more.position == position:
                return [*items, *more.items], None
            items, position = [*items, *more.items], more.position
        oldest = _oldest(items)
        until = datetime.fromtimestamp(oldest, tz=UTC)
        reason = f"{self.graph.name} shows only the last {len(items)} messages of a conversation."
        return items, Gap(min(datetime.fromtimestamp(floor, tz=UTC), until), until, reason)


def _oldest(items: list[Any]) -> int:
    return min((when for one in items if (when := seconds(dict_of(one).get("created_time")))), default=0)


def _wider(one: Gap | None, other: Gap | None) -> Gap | None:
    if one is None or other is None:
        return one or other
    return Gap(min(one.since, other.since), max(one.until, other.until), one.reason)
