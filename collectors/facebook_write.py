"""Answering on Facebook, publicly and privately, looking whether an answer arrived, hiding and taking back.

Facebook has no idempotency keys: after a call without an answer, `find` looks through our own words for the same ones. What
may be done is `facebook_rules`.
"""

from collections.abc import Iterator
from typing import Any

from collectors.facebook_map import map_comment
from collectors.facebook_read import COMMENT_FIELDS
from collectors.facebook_rules import acts, is_message, story_of
from collectors.meta_errors import GoneError
from collectors.meta_graph import Graph
from collectors.meta_inbox import LAST, Inbox
from collectors.meta_items import Own, Sorting, seconds
from collectors.meta_write import DAY, message, ours, person_of
from collectors.wire import at, dict_of, text_of
from domain.clock import Now
from domain.contracts import Act, RemoteId
from domain.errors import RefusedError, TransientError
from domain.mention import Mention, MentionKind

_PAGES = 20  # of comments that are looked through for an answer of ours
_CONVERSATION = (
    f"private_reply_conversation{{id,participants,messages.limit({LAST}){{id,created_time,from,to,message}}}}"
)


def target(mention: Mention) -> str:
    """What a public answer goes below: Facebook nests two levels, so an answer to an answer goes below the first comment."""
    if mention.kind is MentionKind.REVIEW:
        return story_of(mention)
    post = mention.native_id.partition("_")[0]  # comments on one post begin alike
    top = mention.conversation_id if mention.conversation_id.partition("_")[0] == post else ""
    return text_of(mention.raw.get("top_id")) or top or mention.native_id


def send(graph: Graph, page: str, mention: Mention, text: str, now: Now) -> RemoteId:
    """Answer where it was said. Raises the errors of CanReply."""
    if is_message(mention):
        return message(graph, page, {"id": person_of(graph, mention)}, text, late=now() - mention.created_at > DAY)
    return RemoteId(graph.say(target(mention), "comments", message=text))


def send_privately(graph: Graph, page: str, mention: Mention, text: str, now: Now) -> RemoteId:
    """Answer a comment or a visitor's post where only its author reads it. Raises the errors of CanReply."""
    if is_message(mention):
        return send(graph, page, mention, text, now)
    name = "comment_id" if mention.kind is MentionKind.COMMENT else "post_id"
    return message(graph, page, {name: mention.native_id}, text)


def find(graph: Graph, inbox: Inbox, mention: Mention, text: str, *, messages: bool) -> RemoteId | None:
    """Our answer with these words, or None where Facebook has none; public ones first, then private ones.

    Args:
        messages: also look into the private conversation that began with a comment.
    """
    if is_message(mention):
        return ours(inbox.said(person_of(graph, mention)), mention, text)
    found = ours(_below(graph, target(mention), inbox.own, mention), mention, text)
    if found or mention.kind is not MentionKind.COMMENT or not messages:
        return found
    try:
        answer = graph.node(mention.native_id, _CONVERSATION)
    except GoneError:
        return None
    return ours(inbox.mapped(dict_of(at(answer, "private_reply_conversation"))), mention, text)


def act(graph: Graph, mention: Mention, wanted: Act) -> None:
    """Do it; twice is once. Raises the errors of CanReply."""
    allowed = acts(mention)
    if wanted is Act.DELETE and wanted in allowed:
        graph.remove(mention.native_id)
    elif wanted is not Act.DELETE and {Act.HIDE, Act.UNHIDE} & set(allowed):
        graph.change(mention.native_id, is_hidden=wanted is Act.HIDE)
    else:
        raise RefusedError(
            "Facebook lets a Page hide comments of others below its posts, and take back its own comments; nothing else."
        )


def _below(graph: Graph, native_id: str, own: Own, mention: Mention) -> Iterator[Mention]:
    """Comments below something that were made since the mention, newest first."""
    params = {"filter": "stream", "order": "reverse_chronological"}
    oldest = int(mention.created_at.timestamp())
    position: dict[str, str] = {}
    for _ in range(_PAGES):
        listing = graph.listing(native_id, "comments", COMMENT_FIELDS, limit=100, position=position, params=params)
        sorting = Sorting()
        for item in map(dict_of, listing.items):
            _add(sorting, item, own)
        yield from (one for one in sorting.mentions.values() if one.created_at >= mention.created_at)
        times = [seconds(dict_of(item).get("created_time")) for item in listing.items]
        below = bool(times) and max(times) < oldest and times[0] >= times[-1]
        if below or not listing.position or listing.position == position:
            return
        position = listing.position
    raise TransientError("So much was said since that it cannot be checked now whether the answer is there.")


def _add(sorting: Sorting, item: dict[str, Any], own: Own) -> None:
    sorting.add("comment", item, lambda: map_comment(item, own))
