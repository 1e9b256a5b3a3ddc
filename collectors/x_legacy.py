"""X's older shapes turned into those of API v2: statuses and direct messages of v1.1, as account webhooks still send them.

Pure translation of dictionaries; what it gives is mapped by `x_map`, so that both generations become the same mention. To
read another old shape, translate it here.
"""

import re
from datetime import UTC, datetime
from typing import Any

from collectors.wire import at, count_of, dict_of, first_text, list_of, text_of
from collectors.x_beside import Includes

_DATE = re.compile(r"\w{3} (\w{3}) (\d{1,2}) (\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2}) (\d{4})")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ONLY_HERE = ("id_str", "full_text", "retweeted_status", "extended_tweet", "in_reply_to_status_id")
_COUNTS = (
    ("favorite_count", "like_count"),
    ("retweet_count", "retweet_count"),
    ("reply_count", "reply_count"),
    ("quote_count", "quote_count"),
)


def is_status(item: dict[str, Any]) -> bool:
    """Whether it is a status of v1.1."""
    return isinstance(item.get("user"), dict) or any(name in item for name in _ONLY_HERE)


def post_of(status: dict[str, Any]) -> tuple[dict[str, Any], Includes]:
    """A status as a post of v2, with what it brings along."""
    whole = dict_of(status.get("extended_tweet"))
    user = dict_of(status.get("user"))
    entities = dict_of(whole.get("entities")) or dict_of(status.get("entities"))
    media = list_of(at(whole, "extended_entities", "media")) or list_of(at(status, "extended_entities", "media"))
    media = media or list_of(entities.get("media"))
    quoted = dict_of(status.get("quoted_status"))
    author_id = _id(user)
    post = {
        "id": _id(status),
        "text": first_text(whole, "full_text") or first_text(status, "full_text", "text"),
        "created_at": moment_text(status.get("created_at")) or millis_text(status.get("timestamp_ms")),
        "author_id": author_id,
        "username": first_text(user, "screen_name"),
        "lang": status.get("lang"),
        "referenced_tweets": _references(status),
        "in_reply_to_user_id": _id(status, "in_reply_to_user_id"),
        "entities": _entities(entities, media),
        "attachments": {"media_keys": [_id(dict_of(one)) for one in media]},
        "public_metrics": {new: status[old] for old, new in _COUNTS if count_of(status.get(old)) is not None},
        "possibly_sensitive": status.get("possibly_sensitive"),
        "truncated": (status.get("truncated") is True and not whole) or None,
    }
    includes = Includes(
        users={author_id: _user(user)} | ({_id(quoted, "user"): _user(quoted.get("user"))} if quoted else {}),
        posts={_id(quoted): post_of_quoted(quoted)} if quoted else {},
        media={_id(dict_of(one)): _media(dict_of(one)) for one in media},
        places={},
    )
    return post, includes


def post_of_quoted(status: dict[str, Any]) -> dict[str, Any]:
    """What is needed of a quoted status: whose it is and what it says."""
    whole = dict_of(status.get("extended_tweet"))
    return {
        "id": _id(status),
        "author_id": _id(dict_of(status.get("user"))),
        "text": first_text(whole, "full_text") or first_text(status, "full_text", "text"),
        "entities": _entities(dict_of(whole.get("entities")) or dict_of(status.get("entities")), []),
    }


def event_of(event: dict[str, Any], users: Any) -> tuple[dict[str, Any], Includes]:
    """A direct message of v1.1 or of a delivery as one of v2. A conversation of two is named by their ids, smaller first."""
    message = dict_of(event.get("message_create"))
    data = dict_of(message.get("message_data"))
    sender, recipient = text_of(message.get("sender_id")), text_of(at(message, "target", "recipient_id"))
    people = sorted((one for one in (sender, recipient) if one.isascii() and one.isdigit()), key=int)
    attached = dict_of(at(data, "attachment", "media"))
    converted = {
        "id": text_of(event.get("id")),
        "event_type": "MessageCreate",
        "text": data.get("text"),
        "created_at": millis_text(event.get("created_timestamp")),
        "sender_id": sender,
        "dm_conversation_id": "-".join(people) if len(people) == 2 else "",
        "entities": _entities(dict_of(data.get("entities")), [attached] if attached else []),
        "attachments": {"media_keys": [_id(attached)]} if attached else {},
    }
    media = {_id(attached): _media(attached)} if attached else {}
    return converted, Includes(users=_people(users), media=media)


def _people(users: Any) -> dict[str, dict[str, Any]]:
    # A map by id; in newer deliveries each account is an account of v2, wrapped in `data`.
    found = {}
    for key, value in dict_of(users).items():
        inner = dict_of(dict_of(value).get("data")) or dict_of(value)
        found[text_of(key)] = inner if "username" in inner else _user(inner)
    return found


def _id(item: dict[str, Any], name: str = "id") -> str:
    # `id` itself has lost its last digits wherever JavaScript has read it.
    if name == "user":
        return _id(dict_of(item.get("user")))
    return text_of(item.get(f"{name}_str")) or text_of(item.get(name))


def _references(status: dict[str, Any]) -> list[dict[str, str]]:
    if dict_of(status.get("retweeted_status")):
        return [{"type": "retweeted", "id": _id(dict_of(status["retweeted_status"]))}]
    found = [("replied_to", _id(status, "in_reply_to_status_id")), ("quoted", _id(status, "quoted_status_id"))]
    return [{"type": kind, "id": target} for kind, target in found if target]


def _entities(entities: dict[str, Any], media: list[Any]) -> dict[str, Any]:
    links = [{"url": one.get("url"), "expanded_url": one.get("expanded_url")} for one in _dicts(entities, "urls")]
    links += [
        {"url": one.get("url"), "expanded_url": one.get("expanded_url"), "media_key": _id(one)}
        for one in map(dict_of, media)
    ]
    names = [{"id": _id(one), "username": first_text(one, "screen_name")} for one in _dicts(entities, "user_mentions")]
    tags = [{"tag": first_text(one, "text")} for one in _dicts(entities, "hashtags")]
    return {"urls": links, "mentions": names, "hashtags": tags}


def _dicts(entities: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [dict_of(one) for one in list_of(entities.get(name))]


def _user(value: Any) -> dict[str, Any]:
    user = dict_of(value)
    return {
        "id": _id(user),
        "username": first_text(user, "screen_name"),
        "name": first_text(user, "name"),
        "protected": user.get("protected"),
        "public_metrics": {"followers_count": user.get("followers_count")},
    }


def _media(one: dict[str, Any]) -> dict[str, Any]:
    variants = [
        {"url": dict_of(film).get("url"), "bit_rate": dict_of(film).get("bitrate")}
        for film in list_of(at(one, "video_info", "variants"))
    ]
    return {
        "type": one.get("type"),
        "url": None if variants else one.get("media_url_https"),
        "preview_image_url": one.get("media_url_https"),
        "variants": variants,
        "alt_text": one.get("ext_alt_text"),
    }


def moment_text(value: Any) -> str:
    """`Mon May 19 14:01:46 +0000 2025` as an ISO date; "" where it is none."""
    if not isinstance(value, str):
        return ""
    match = _DATE.fullmatch(value.strip())
    if match is None or match[1] not in _MONTHS:
        return value if value[:4].isdigit() else ""
    month, day, hour, minute, second, sign, off_hours, off_minutes, year = match.groups()
    return (
        f"{year}-{_MONTHS.index(month) + 1:02d}-{int(day):02d}T{hour}:{minute}:{second}{sign}{off_hours}:{off_minutes}"
    )


def millis_text(value: Any) -> str:
    """Milliseconds since 1970 as an ISO date; "" where they are none."""
    digits = text_of(value)
    if not (digits.isascii() and digits.isdigit()):
        return ""
    try:
        return datetime.fromtimestamp(int(digits[:15]) / 1000, tz=UTC).isoformat()
    except (OverflowError, OSError, ValueError):
        return ""
