"""Answering on Instagram, publicly and privately, looking whether an answer arrived, hiding and taking back.

Instagram has no idempotency keys: after a call without an answer, `find` looks through our own words for the same ones. Below
somebody else's comment it cannot be looked up; then a person must look. What may be done is `instagram_rules`.
"""

import re
from collections.abc import Iterator

from collectors.instagram_map import map_comment
from collectors.instagram_rules import acts, is_message, on_own_media
from collectors.meta_graph import Graph
from collectors.meta_inbox import Inbox
from collectors.meta_items import Own, Sorting, edge, seconds
from collectors.meta_write import DAY, message, ours, person_of, spoken
from collectors.wire import at, dict_of, text_of
from domain.clock import Now
from domain.contracts import Act, RemoteId
from domain.errors import RefusedError, TransientError
from domain.mention import Mention, MentionKind

_FIELDS = "id,text,username,timestamp,parent_id,from"
_PAGES = 20
_NAMES = re.compile(r"\A(?:@[\w.]+\s+)+")


def send(graph: Graph, page: str, own: Own, mention: Mention, text: str, now: Now) -> RemoteId:
    """Answer where it was said. Raises the errors of CanReply."""
    if is_message(mention):
        return message(graph, page, {"id": person_of(graph, mention)}, text, late=now() - mention.created_at > DAY)
    said = addressed(mention, text)
    if on_own_media(mention):
        return RemoteId(graph.say(_top(mention), "replies", message=said))
    account = next(iter(own.ids))
    if mention.kind is MentionKind.COMMENT:
        media_id = text_of(mention.raw.get("media_id"))
        return RemoteId(graph.say(account, "mentions", media_id=media_id, comment_id=mention.native_id, message=said))
    return RemoteId(graph.say(account, "mentions", media_id=mention.native_id, message=said))


def send_privately(graph: Graph, page: str, mention: Mention, text: str, now: Now) -> RemoteId:
    """Answer a comment where only its author reads it. Raises the errors of CanReply."""
    if is_message(mention):
        return message(graph, page, {"id": person_of(graph, mention)}, text, late=now() - mention.created_at > DAY)
    return message(graph, page, {"comment_id": mention.native_id}, text)


def addressed(mention: Mention, text: str) -> str:
    """The answer as it is posted: all answers hang below the first comment, so one to an answer begins with its addressee."""
    handle = mention.author.handle if mention.author else ""
    if not handle or _top(mention) == mention.native_id or f"@{handle}".lower() in text.lower():
        return text
    return f"@{handle} {text}"


def find(graph: Graph, inbox: Inbox, mention: Mention, text: str, *, messages: bool) -> RemoteId | None:
    """Our answer with these words, or None where Instagram has none; public ones first, then private ones.

    Args:
        messages: also look into the conversation with the author.

    Raises:
        TransientError: it cannot be looked up.
    """
    if not is_message(mention):
        found = ours(_answers(graph, inbox.own, mention), mention, text, bare)
        if found or mention.author is None or not messages:
            return found
    return ours(inbox.said(person_of(graph, mention)), mention, text, bare)


def act(graph: Graph, mention: Mention, wanted: Act) -> None:
    """Do it; twice is once. Raises the errors of CanReply."""
    allowed = acts(mention)
    if wanted is Act.DELETE and wanted in allowed:
        graph.remove(mention.native_id)
    elif wanted is not Act.DELETE and {Act.HIDE, Act.UNHIDE} & set(allowed):
        graph.change(mention.native_id, hide=wanted is Act.HIDE)
    else:
        raise RefusedError(
            "Instagram lets an account hide comments of others below its media, and take back its own; nothing else."
        )


def bare(text: str) -> str:
    """Words as two texts are compared: without the names that an answer begins with."""
    said = spoken(text)
    return _NAMES.sub("", said) or said


def _top(mention: Mention) -> str:
    """The comment that a branch began with; on our own media, the thread is named by it."""
    thread = mention.conversation_id if on_own_media(mention) else ""
    return text_of(mention.raw.get("top_id")) or thread or mention.native_id


def _answers(graph: Graph, own: Own, mention: Mention) -> Iterator[Mention]:
    """What was answered to a comment, or said below a medium that names us."""
    sorting = Sorting()
    for item in _listed(graph, own, mention):
        _add(sorting, item, own)
    yield from sorting.mentions.values()


def _listed(graph: Graph, own: Own, mention: Mention) -> Iterator[dict[str, object]]:
    if on_own_media(mention):
        position: dict[str, str] = {}
        for _ in range(_PAGES):
            listing = graph.listing(_top(mention), "replies", _FIELDS, limit=50, position=position)
            yield from map(dict_of, listing.items)
            if not listing.position or listing.position == position:
                return
            position = listing.position
    elif mention.kind is MentionKind.POST:
        asked = f"mentioned_media.media_id({mention.native_id}){{id,comments{{{_FIELDS}}}}}"
        found = graph.node(next(iter(own.ids)), asked)
        items = edge(dict_of(found.get("mentioned_media")), "comments")
        yield from map(dict_of, items)
        link = at(found, "mentioned_media", "comments", "paging", "next")
        oldest = min((seconds(dict_of(one).get("timestamp")) for one in items), default=0)
        if not link or oldest < mention.created_at.timestamp():
            return
    if not on_own_media(mention):
        raise TransientError(
            "Instagram does not show what was answered to a mention on somebody else's medium. Look there before sending again."
        )


def _add(sorting: Sorting, item: dict[str, object], own: Own) -> None:
    sorting.add("comment", item, lambda: map_comment(item, own))
