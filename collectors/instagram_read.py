"""One reading of an Instagram account: its media and the comments below them, media that tag it, hashtags, and its messages.

Media are told of their number of comments, answers included, so that a comment on an old medium is noticed; once an hour as
far down as media are followed. Comments come newest first with their answers inside; since an answer may hang below an old
comment, they are read until as many new ones are found as there should be. Mentions come by webhook only. Each page is a
safe place to stop (`meta_walk`).
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from collectors.instagram_map import On, map_comment, map_media, on_media
from collectors.instagram_tags import Hashtags
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph, position_of
from collectors.meta_inbox import Inbox
from collectors.meta_items import Own, Sorting, edge, seconds
from collectors.meta_place import Mark, Place, Thread
from collectors.meta_run import OVERLAP, Run, Told
from collectors.meta_walk import Edge, by, pieces
from collectors.wire import count_of, dict_of, text_of
from domain.clock import Now
from domain.contracts import Watch

MEDIA_FIELDS = (
    "id,caption,media_type,media_product_type,media_url,permalink,thumbnail_url,timestamp,username,like_count,"
    "comments_count,children{media_type,media_url,thumbnail_url}"
)
_REPLY = "id,text,username,timestamp,like_count,hidden,parent_id,from"
COMMENT_FIELDS = f"{_REPLY},replies.limit(50){{{_REPLY}}}"
_ANSWER_PAGES = 20


@dataclass(frozen=True, slots=True)
class Options:
    """What a source is set to.

    Attributes:
        history: what the first reading hears; follow: how long comments on a medium are waited for.
        hashtags: without #.
        tagged, messages: whether these are read.
    """

    history: timedelta
    follow: timedelta
    hashtags: tuple[str, ...] = ()
    tagged: bool = True
    messages: bool = True


class AccountRun(Run):
    """One run over one account.

    Args:
        page: number of the Facebook Page that the account is connected to.
        own: the account itself.
    """

    network = "instagram"

    def __init__(
        self, graph: Graph, page: str, own: Own, place: Place, options: Options, now: Now, *, watch: Watch
    ) -> None:
        super().__init__(graph, place, now, history=options.history, follow=options.follow)
        self._page, self._own, self._options, self._watch = page, own, options, watch
        self._account = next(iter(own.ids), "")

    def _all(self) -> Told:
        yield from self._media("media", "own")
        if self._options.tagged:
            yield from self._media("tags", "tagged")
        yield from self._comments()
        hashtags = Hashtags(self._graph, self._account, self._place, self._now, always=self._options.hashtags)
        yield from hashtags.read(self._watch)
        if self._options.messages:
            yield from Inbox(self._graph, "instagram", self._page, self._own).unread(self._place, self._now)

    # -- media -------------------------------------------------------------------------------------------------------------

    def _media(self, name: str, sort: str) -> Told:
        mark = self._place.mark(name)
        floor = self._floor(mark)
        listed = Edge(self._account, name, MEDIA_FIELDS, 50, by("timestamp"))
        for piece in pieces(self._graph, listed, mark, floor=floor, now=self._now):
            sorting = Sorting()
            for number, item in enumerate(map(dict_of, piece.items), start=1):
                made = seconds(item.get("timestamp"))
                if not made or made >= piece.floor or text_of(item.get("id")) in self._place.threads:
                    self._medium(item, f"{name}, medium {number}", sort, sorting)
            if piece.ended and piece.floor <= self._followed:
                mark.deep = self._at
            yield sorting, piece.gap

    def _medium(self, item: dict[str, Any], position: str, sort: str, sorting: Sorting) -> None:
        native_id, created = text_of(item.get("id")), seconds(item.get("timestamp"))
        comments = count_of(item.get("comments_count"))
        told = str(comments)
        known = self._place.threads.get(native_id)
        if (known is None or known.told != told) and (created >= self._place.start or not created):
            sorting.add(position, item, partial(map_media, item, self._own, sort), changed=known is not None)
        if not native_id:
            return
        thread = self._place.threads.setdefault(native_id, Thread(created or self._at, sort))
        if thread.told != told:
            thread.told, thread.active = told, self._at if known else created
        if comments == 0 or sort == "tagged":
            thread.read = told  # nothing to read below it, or not ours to read

    # -- comments ----------------------------------------------------------------------------------------------------------

    def _due(self, thread: Thread) -> bool:
        if thread.told != thread.read:
            return True
        return thread.sort == "own" and thread.told != "0" and self._again(thread)

    def _read_below(self, thread_id: str, thread: Thread, mark: Mark) -> Told:
        whole = self._again(thread) or not thread.since
        awaited = max((count_of(thread.told) or 0) - (count_of(thread.read) or 0), 1)
        listed = Edge(thread_id, "comments", COMMENT_FIELDS, 50, by("timestamp"))
        newest, new = thread.since, 0
        for piece in pieces(self._graph, listed, mark, floor=min(self._followed, self._place.start), now=self._now):
            sorting = Sorting()
            for number, item in enumerate(map(dict_of, piece.items), start=1):
                self._branch(item, f"medium {thread_id}, comment {number}", thread_id, thread, sorting)
            made = [int(one.created_at.timestamp()) for one in sorting.mentions.values()]
            newest, new = max([newest, mark.since, mark.top, *made]), new + sum(when > thread.since for when in made)
            mark.top = newest  # answers may be newer than all comments
            reached = min((seconds(dict_of(one).get("timestamp")) for one in piece.items), default=0)
            enough = not whole and new >= awaited and reached < thread.since - OVERLAP
            if piece.ended or enough:
                self._settle(thread_id, thread, newest)
            yield sorting, piece.gap
            if enough:
                return

    def _branch(self, item: dict[str, Any], position: str, media_id: str, thread: Thread, sorting: Sorting) -> None:
        """A comment with its answers."""
        on = on_media({"id": media_id}, "own")
        self._comment(item, position, on, thread, sorting)
        under = on.under(text_of(item.get("id")))
        for number, answer in enumerate(map(dict_of, self._answers(item)), start=1):
            self._comment(answer, f"{position}, answer {number}", under, thread, sorting)

    def _answers(self, item: dict[str, Any]) -> list[Any]:
        found = edge(item, "replies")
        position = position_of(dict_of(item.get("replies")))
        for _ in range(_ANSWER_PAGES):
            if not position:
                break
            self._graph.usage.must_last()
            more = self._graph.listing(text_of(item.get("id")), "replies", _REPLY, limit=50, position=position)
            found = [*found, *more.items]
            position = {} if more.position == position else more.position
        return found

    def _comment(self, item: dict[str, Any], position: str, on: On, thread: Thread, sorting: Sorting) -> None:
        made = seconds(item.get("timestamp"))
        if made and made < self._since(thread):
            return
        known = bool(made) and made <= thread.since
        sorting.add(position, item, partial(map_comment, item, self._own, on), changed=known)


def own_of(graph: Graph, page: str, place: Place, account: str) -> Own:
    """Our account: as the cursor knows it, else as Meta says; remembered in the place.

    Args:
        account: its number, where it is set.

    Raises:
        GoneError: Meta shows no such Page, or no account that is connected to it.
    """
    if not (place.me and place.handle) or (account and account != place.me):
        found = account_of(graph, page, account)
        place.me, place.handle = next(iter(found.ids)), found.handle
    return Own(frozenset({place.me}), place.handle)


def account_of(graph: Graph, page: str, account: str = "") -> Own:
    """Our account, as Meta says. Raises GoneError where there is none."""
    if account:
        found = graph.node(account, "id,username")
    else:
        found = dict_of(graph.node(page, "instagram_business_account{id,username}").get("instagram_business_account"))
    native_id = text_of(found.get("id"))
    if not native_id:
        raise GoneError("No Instagram account is connected to the Page.")
    return Own(frozenset({native_id}), text_of(found.get("username")))
