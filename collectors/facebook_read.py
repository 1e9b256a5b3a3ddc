"""One reading of a Page: its feed, posts that tag it, recommendations, the comments below all of these, and its messages.

Posts are told of their activity (`updated_time`, number of comments), so that a comment on an old post is noticed; once an
hour as far down as posts are followed, else down to what is known. What happened in the last week is read again once a day,
for edits and comments that were released late. Each page is a safe place to stop (`meta_walk`).
"""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from collectors.facebook_map import Below, map_comment, map_post, map_rating, sort_of
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph
from collectors.meta_inbox import Inbox
from collectors.meta_items import Own, Sorting, seconds, total
from collectors.meta_place import Mark, Place, Thread
from collectors.meta_run import DAY, HOUR, LOOKBACK, Run, Told
from collectors.meta_walk import Edge, by, pieces
from collectors.wire import at, dict_of, text_of
from domain.clock import Now
from domain.errors import RefusedError

_PEOPLE = "from{id,name}"
_ATTACHED = "attachments{media_type,type,title,description,url,media,subattachments}"
POST_FIELDS = (
    f"id,message,story,created_time,updated_time,{_PEOPLE},permalink_url,parent_id,status_type,is_published,is_hidden,"
    f"message_tags,shares,can_reply_privately,{_ATTACHED},reactions.limit(0).summary(total_count),"
    "comments.filter(stream).limit(0).summary(total_count)"
)
TAGGED_FIELDS = POST_FIELDS.replace("id,message,", "id,message,tagged_time,", 1)
COMMENT_FIELDS = (
    f"id,message,created_time,{_PEOPLE},parent{{id,parent{{id,parent{{id}}}}}},permalink_url,is_hidden,is_private,"
    "can_comment,can_hide,can_remove,can_reply_privately,like_count,comment_count,message_tags,"
    "private_reply_conversation{id},"
    "attachment{type,title,description,url,media}"
)
RATING_FIELDS = (
    "created_time,has_rating,has_review,rating,recommendation_type,review_text,reviewer{id,name},open_graph_story{id}"
)
_COUNTED = "open_graph_story{id,comments.filter(stream).limit(0).summary(total_count)}"  # in use, but not documented
_LISTS = (("feed", POST_FIELDS, 100), ("visitor_posts", POST_FIELDS, 50), ("tagged", TAGGED_FIELDS, 50))
_SORTS = {"tagged": "tagged", "visitor_posts": "visitor"}


@dataclass(frozen=True, slots=True)
class Options:
    """What a source is set to.

    Attributes:
        history: what the first reading hears; follow: how long comments on a post are waited for.
        tagged, ratings, messages: whether these are read.
    """

    history: timedelta
    follow: timedelta
    tagged: bool = True
    ratings: bool = True
    messages: bool = True


class PageRun(Run):
    """One run over one Page.

    Args:
        page: number of the Page.
    """

    network = "facebook"

    def __init__(self, graph: Graph, page: str, place: Place, options: Options, now: Now) -> None:
        super().__init__(graph, place, now, history=options.history, follow=options.follow)
        self._page, self._options = page, options
        self._own = Own(frozenset({page}))

    def _all(self) -> Told:
        for name, fields, limit in _LISTS:
            if name != "tagged" or self._options.tagged:
                yield from self._posts(name, Edge(self._page, name, fields, limit, by("created_time")))
        if self._options.ratings:
            yield from self._ratings()
        yield from self._comments()
        if self._options.messages:
            yield from Inbox(self._graph, "facebook", self._page, self._own).unread(self._place, self._now)

    # -- posts and recommendations -----------------------------------------------------------------------------------------

    def _ratings(self) -> Told:
        counted = RATING_FIELDS.replace("open_graph_story{id}", _COUNTED)
        try:
            yield from self._posts("ratings", Edge(self._page, "ratings", counted, 50, by("created_time")))
        except GoneError:
            raise
        except RefusedError:
            yield from self._posts("ratings", Edge(self._page, "ratings", RATING_FIELDS, 50, by("created_time")))

    def _posts(self, name: str, edge: Edge) -> Told:
        mark = self._place.mark(name)
        floor = self._floor(mark)
        for piece in pieces(self._graph, edge, mark, floor=floor, now=self._now):
            sorting = Sorting()
            for number, item in enumerate(map(dict_of, piece.items), start=1):
                made = seconds(item.get("created_time"))
                native_id = text_of(item.get("id")) or text_of(at(item, "open_graph_story", "id"))
                if made and made < piece.floor and native_id not in self._place.threads:
                    continue  # older than what is asked for; of those that are followed, each glance is welcome
                if name == "ratings":
                    self._rating(item, f"recommendation {number}", sorting)
                else:
                    self._post(item, f"{name}, post {number}", _SORTS.get(name, ""), sorting)
            if piece.ended and piece.floor <= self._followed:
                mark.deep = self._at
            yield sorting, piece.gap

    def _post(self, item: dict[str, Any], position: str, sort: str, sorting: Sorting) -> None:
        if item.get("is_published") is False:
            return
        native_id, created = text_of(item.get("id")), seconds(item.get("created_time"))
        sort = sort or sort_of(item, self._own) or "visitor"
        active, comments = seconds(item.get("updated_time")) or created, total(item, "comments")
        told = f"{active}:{comments}"
        known = self._place.threads.get(native_id)
        if (known is None or known.told != told) and (created >= self._place.start or not created):
            sorting.add(position, item, partial(map_post, item, self._own, sort), changed=known is not None)
        if not native_id:
            return
        thread = self._place.threads.setdefault(native_id, Thread(created or self._at, sort))
        thread.told, thread.active = told, active
        if comments == 0:
            thread.read = told  # nothing to read below it

    def _rating(self, item: dict[str, Any], position: str, sorting: Sorting) -> None:
        made = Sorting()
        mention = made.add(position, item, partial(map_rating, item))
        if mention is None:
            sorting.rejects += made.rejects
            return
        created, comments = int(mention.created_at.timestamp()), total(item.get("open_graph_story"), "comments")
        known = self._place.threads.get(mention.native_id)
        if (known is None or known.created != created) and created >= self._place.start:
            sorting.add(position, item, lambda: mention, changed=known is not None)
        elif known is None:
            return
        sort = "rating" if mention.raw.get("story_id") else "closed"
        thread = self._place.threads.setdefault(mention.native_id, Thread(created, sort, active=created))
        told = f"{created}:{comments}"
        if thread.told and thread.told != told:
            thread.active = self._at
        thread.created, thread.told = created, told
        if comments == 0 or sort == "closed":
            thread.read = told  # nothing to read below it

    # -- comments ----------------------------------------------------------------------------------------------------------

    def _due(self, thread: Thread) -> bool:
        if thread.told != thread.read:
            return True
        if thread.sort == "closed" or thread.told.endswith(":0"):
            return False
        if thread.sort == "rating" and thread.told.endswith(":None"):  # nothing tells of answers below it
            young = self._at - thread.active < LOOKBACK.total_seconds()
            return self._at - thread.at >= (HOUR if young else DAY)
        return self._again(thread)

    def _read_below(self, thread_id: str, thread: Thread, mark: Mark) -> Told:
        params = (("filter", "stream"), ("order", "reverse_chronological"))
        edge = Edge(thread_id, "comments", COMMENT_FIELDS, 100, by("created_time"), params)
        for piece in pieces(self._graph, edge, mark, floor=self._since(thread), now=self._now):
            sorting = Sorting()
            below = Below(thread_id, thread.sort)
            for number, item in enumerate(map(dict_of, piece.items), start=1):
                made = seconds(item.get("created_time"))
                if made and made < piece.floor:
                    continue
                known = bool(made) and made <= thread.since
                position = f"post {thread_id}, comment {number}"
                sorting.add(position, item, partial(map_comment, item, self._own, below), changed=known)
            if piece.ended:
                self._settle(thread_id, thread, max(thread.since, mark.since))
            yield sorting, piece.gap
