"""Answering on X, looking whether an answer arrived, hiding and taking back.

X has no idempotency keys: after a call without an answer, `find` looks through our own words for the same ones. What may be
done is x_rules.py; prices are x_prices.py.
"""

from typing import Any

from collectors.wire import at, dict_of, list_of, text_of
from collectors.x_answer import map_answer
from collectors.x_beside import Includes, Own
from collectors.x_client import Span, XApi
from collectors.x_map import references_of, versions_of
from collectors.x_rules import is_message
from collectors.x_text import next_page, spoken, weight
from domain.contracts import Act, RemoteId
from domain.errors import OutcomeUnknownError, RefusedError
from domain.mention import Mention

_EVENTS_LOOKED_AT = 20  # each is billed


def shown_id(mention: Mention) -> str:
    """The id of the version that X shows, which is the one to answer."""
    return text_of(mention.raw.get("latest_id")) or mention.native_id


def send(api: XApi, mention: Mention, text: str, limit: int | None) -> RemoteId:
    """Answer a post publicly, a direct message in its conversation. Raises the errors of CanReply."""
    if is_message(mention):
        return _message_id(api.message(text, conversation=mention.conversation_id))
    _must_fit(text, limit)
    return _id(at(api.post(text, shown_id(mention)), "data", "id"))


def send_privately(api: XApi, mention: Mention, text: str) -> RemoteId:
    """Write to the author of a post. Raises the errors of CanReply."""
    if mention.author is None:
        raise RefusedError("X does not say who wrote this, so nobody can be written to.")
    return _message_id(api.message(text, person=mention.author.native_id))


def find(api: XApi, own: Own, mention: Mention, text: str, *, messages: bool) -> RemoteId | None:
    """Our answer with these words, or None where X has none.

    Args:
        messages: also look through the direct messages with the author, for an answer that was private.
    """
    wanted = spoken(text)
    if is_message(mention):
        events = api.events(Span(size=_EVENTS_LOOKED_AT), conversation=mention.conversation_id)
        return _found_event(events, own, mention, wanted)
    token = None
    while True:
        body = api.posts(own.id, Span(since=mention.native_id, token=token))
        for item in map(dict_of, list_of(body.get("data"))):
            if _answers(item, body, mention) and _says(item, body, own, wanted):
                return RemoteId(text_of(item.get("id")))
        token = next_page(body, token)
        if token is None:
            break
    if not messages or mention.author is None or not mention.author.native_id.isdecimal():
        return None
    events = api.events(Span(size=_EVENTS_LOOKED_AT), person=mention.author.native_id)
    return _found_event(events, own, mention, wanted)


def acts(mention: Mention) -> tuple[Act, ...]:
    """What may be done to a message: our own words taken back, answers in conversations that we began hidden."""
    if mention.outbound:
        return (Act.DELETE,)
    if mention.raw.get("own_thread") and mention.parent_id and not is_message(mention):
        return (Act.HIDE, Act.UNHIDE)
    return ()


def act(api: XApi, mention: Mention, wanted: Act) -> None:
    """Do it; twice is once. Raises the errors of CanReply."""
    if wanted not in acts(mention):
        raise RefusedError(
            "X lets an account hide answers in conversations that it began, and take back its own words; nothing else."
        )
    if wanted is not Act.DELETE:
        api.hide(shown_id(mention), hidden=wanted is Act.HIDE)
    elif is_message(mention):
        api.delete_message(mention.native_id)
    else:
        api.delete(shown_id(mention))


def _found_event(body: dict[str, Any], own: Own, mention: Mention, wanted: str) -> RemoteId | None:
    for one in map_answer(body, own).mentions:
        if one.outbound and int(one.native_id) > int(mention.native_id) and spoken(one.text) == wanted:
            return RemoteId(one.native_id)
    return None


def _answers(item: dict[str, Any], body: dict[str, Any], mention: Mention) -> bool:
    """Whether a post answers the mention, in whichever version."""
    parent = references_of(item).get("replied_to", "")
    versions = versions_of(dict_of(Includes.of(body.get("includes")).posts.get(parent)), parent)
    return mention.native_id in versions or shown_id(mention) == parent


def _says(item: dict[str, Any], body: dict[str, Any], own: Own, wanted: str) -> bool:
    mapped = map_answer({"data": item, "includes": body.get("includes")}, own)
    return any(spoken(one.text) == wanted for one in mapped.mentions)


def _must_fit(text: str, limit: int | None) -> None:
    length = weight(text)
    if limit is not None and length > limit:
        raise RefusedError(f"X counts {length} characters and takes {limit}. Shorten the answer.")


def _message_id(body: dict[str, Any]) -> RemoteId:
    return _id(at(body, "data", "dm_event_id"))


def _id(value: Any) -> RemoteId:
    found = text_of(value)
    if not found:
        raise OutcomeUnknownError(
            "X took the message and did not say its number. It may be there: that is looked up before another try."
        )
    return RemoteId(found)
