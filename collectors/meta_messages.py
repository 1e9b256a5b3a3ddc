"""Private messages of a Page (Messenger) and of an Instagram account, which Meta keeps in the same kind of list. Pure.

A conversation is named by the other person's number for our account, since deliveries tell of nothing else; lists tell of
both. When an answer is taken is said in the rules of each network. Reading is `meta_inbox`.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from collectors.meta_items import Own, edge, first_of, kept, media, moment, needed, person
from collectors.values import short_id, web_url
from collectors.wire import at, dict_of, first_text, list_of, text_of
from domain.mention import Mention, MentionKind

_RAW = (
    "id", "mid", "created_time", "timestamp", "to", "tags", "is_unsupported", "reactions", "reply_to", "is_echo", "app_id",
    "num_edit", "quick_reply", "referral", "story",
)  # fmt: skip
_IDS = ("m_", "mid.", "aWd")  # how messages' numbers begin, on Facebook and on Instagram
_KINDS = {"ig_reel": "video", "image": "photo", "reel": "video", "video": "video", "audio": "audio", "file": "file"}
_SITE = {"facebook": "https://www.facebook.com", "instagram": "https://www.instagram.com"}


def is_message(item: Mapping[str, Any]) -> bool:
    """Whether an item is one message; on Instagram, conversations are numbered alike."""
    if "messages" in item or "participants" in item:
        return False
    return text_of(item.get("id")).startswith(_IDS) or "mid" in item


def is_conversation(item: Mapping[str, Any]) -> bool:
    """Whether an item is a conversation: a list of messages with two people."""
    names = ("participants", "senders", "message_count", "unread_count", "snippet", "former_participants")
    return any(name in item for name in names) or "messages" in item or text_of(item.get("id")).startswith("t_")


def other_of(conversation: Mapping[str, Any], own: Own) -> dict[str, Any]:
    """Who we speak with; {} where nothing tells."""
    people = [dict_of(one) for name in ("participants", "senders") for one in edge(conversation, name)]
    others = [one for one in people if text_of(one.get("id")) and not own.is_us(one)]
    return others[0] if others and len(others) < len(people) else {}


def own_in(conversation: Mapping[str, Any], own: Own) -> Own:
    """Our account, where the conversation's own address names the Page: ``/123/inbox/…``."""
    first = text_of(conversation.get("link")).lstrip("/").partition("/")[0]
    return own if own.ids or not first.isdigit() else Own(frozenset({first}), own.handle)


def map_message(
    item: Mapping[str, Any], network: str, own: Own, conversation: Mapping[str, Any] | None = None
) -> Mention:
    """The mention that a message of a list is. Raises InputError where it lacks id, date or words."""
    around = conversation or {}
    sender = dict_of(item.get("from"))
    outbound = own.is_us(sender)
    other = other_of(around, own) or (edge(item, "to") or [{}])[0] if outbound else sender
    thread = text_of(dict_of(other).get("id")) if own.ids or own.handle else ""
    native_id = short_id(text_of(item.get("id")))
    link = text_of(around.get("link"))
    raw: dict[str, Any] = {"conversation_id": text_of(around.get("id"))}
    if around.get("can_reply") is False:
        raw["can_reply"] = False
    return _message(
        item,
        network,
        native_id,
        moment(item.get("created_time")),
        text=first_of(item, "message", "text"),
        author=sender,
        outbound=outbound,
        thread=thread or text_of(around.get("id")) or text_of(sender.get("id")),
        url=web_url(f"{_SITE[network]}{link}" if link.startswith("/") else link),
        raw=raw,
    )


def map_event(event: Mapping[str, Any], network: str, own: Own) -> Mention:
    """The mention that a delivered message, its new wording, or a pressed button is. Raises InputError."""
    message = dict_of(event.get("message")) or dict_of(event.get("message_edit")) or dict_of(event.get("postback"))
    sender, recipient = dict_of(event.get("sender")), dict_of(event.get("recipient"))
    outbound = message.get("is_echo") is True or own.is_us(sender)
    when = moment(event.get("timestamp"))
    native_id = text_of(message.get("mid"))
    if not native_id and event.get("postback") and when:
        native_id = f"{text_of(sender.get('id'))}:{int(when.timestamp() * 1000)}"  # buttons of old had no number
    return _message(
        message,
        network,
        short_id(native_id),
        when,
        text=first_of(message, "text", "title"),
        author={} if outbound and not own.is_us(sender) else sender,
        outbound=outbound,
        thread=text_of(recipient.get("id") if outbound else sender.get("id")),
        url="",
        raw={},
    )


def _message(
    item: Mapping[str, Any],
    network: str,
    native_id: str,
    created_at: datetime | None,
    *,
    text: str,
    author: Mapping[str, Any],
    outbound: bool,
    thread: str,
    url: str,
    raw: dict[str, Any],
) -> Mention:
    found = list(_media(item))
    pictures = media(found)
    title = "" if text else _title(item, found)
    answered = text_of(at(item, "reply_to", "mid"))
    return Mention(
        network=network,
        native_id=native_id,
        text=text,
        created_at=needed(native_id, created_at, text or title, "message"),
        kind=MentionKind.MESSAGE,
        author=person(author),
        conversation_id=short_id(thread or native_id),
        parent_id=short_id(answered) or None,
        outbound=outbound,
        title=title,
        url=url,
        raw={"what": "message", **raw, **kept(item, _RAW), **({"media": pictures} if pictures else {})},
    )


def _title(item: Mapping[str, Any], found: list[tuple[str, str, str]]) -> str:
    if item.get("is_unsupported") is True:
        return "A message of a kind that Meta shows only in its own app"
    if item.get("story") or at(item, "reply_to", "story"):
        return "Story"
    if item.get("sticker") or item.get("sticker_id"):
        return "Sticker"
    return next((alt or kind.replace("_", " ").capitalize() for _, alt, kind in found), "")


def _media(item: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for one in map(dict_of, edge(item, "attachments")):
        payload = dict_of(one.get("payload"))
        kind = text_of(one.get("type")) or _stored_kind(one)
        address = (
            first_text(payload, "url")
            or first_text(one.get("image_data"), "url")
            or first_text(one.get("video_data"), "url")
            or first_text(one, "file_url", "url")
        )
        yield address, first_of(payload, "title") or first_of(one, "name", "title"), _KINDS.get(kind, kind or "file")
    for one in (*edge(item, "shares"), *list_of(item.get("shares"))):
        yield first_text(one, "link"), first_of(one, "name", "description"), "link"
    story = dict_of(item.get("story"))
    others = [
        (item.get("sticker"), "sticker"),
        (at(story, "mention", "link"), "story"),
        (at(story, "reply_to", "link"), "story"),
        (story.get("link"), "story"),
        (at(item, "reply_to", "story", "url"), "story"),
    ]
    yield from ((text_of(address), "", kind) for address, kind in others if text_of(address))


def _stored_kind(one: Mapping[str, Any]) -> str:
    if one.get("video_data"):
        return "video"
    if one.get("image_data"):
        return "image"
    return text_of(one.get("mime_type")).partition("/")[0] or "file"
