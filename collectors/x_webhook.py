"""What X tells us by itself: challenges, signatures, and deliveries of the X Activity API and of the older account webhooks.

Pure. X signs the raw body with the app's consumer secret, and asks now and then whether we know it (CRC). A delivery is
known by its event id, or by its body where it has none; what it says is read by x_answer.py.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from collectors.wire import at, dict_of, list_of, moment_of, text_of
from collectors.x_answer import map_answer
from collectors.x_beside import Own
from collectors.x_legacy import millis_text, moment_text
from collectors.x_prices import Item, Meter
from collectors.x_text import moment_of_id
from domain.contracts import Delivery, Page, Reject, WebhookAnswer

SIGNATURE = "x-twitter-webhooks-signature"
WINDOW = timedelta(hours=26)  # X delivers again what is up to 24 hours old, when asked to
_AHEAD = timedelta(minutes=5)
_KEPT = ("post.", "dm.received", "dm.sent", "chat.received", "oauth.revoke")
_KEPT_OLDER = ("tweet_create_events", "direct_message_events", "tweet_delete_events", "user_event")


def receive(delivery: Delivery, secret: str) -> WebhookAnswer:
    """See HearsWebhooks.

    Args:
        secret: the app's consumer secret.
    """
    if delivery.method == "GET":
        token = delivery.query.get("crc_token", "")
        if not token:
            return WebhookAnswer(400, "crc_token is missing")
        answer = json.dumps({"response_token": signature(token.encode(), secret)})
        return WebhookAnswer(200, answer, "application/json")
    if delivery.method != "POST":
        return WebhookAnswer(405, "only GET and POST")
    given = delivery.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(given.encode(), signature(delivery.body, secret).encode()):
        return WebhookAnswer(403, "the signature does not fit")
    body = _json(delivery.body)
    if body is None:
        return WebhookAnswer(400, "the body is no JSON object")
    told_at = _told_at(body)
    if told_at is not None and not -_AHEAD <= delivery.received_at - told_at <= WINDOW:
        return WebhookAnswer(400, "the event is too old, or from the future")
    return WebhookAnswer(200, key=_key(body, delivery.body))


def signature(message: bytes, secret: str) -> str:
    """As X writes it. Source: docs.x.com, “Webhooks: Quickstart”, as of 2026-08-22."""
    digest = hmac.new(secret.encode(), message, hashlib.sha256).digest()
    return "sha256=" + base64.b64encode(digest).decode()


def unpack(delivery: Delivery, own: Own, meter: Meter) -> Page:
    """See HearsWebhooks. Each delivered post and message is billed; that something was deleted is not."""
    body = _json(delivery.body)
    mapped = map_answer(body, own)
    items = [
        (Item.EVENT if one.raw.get("private") else Item.POST, text_of(one.raw.get("id")) or one.native_id)
        for one in mapped.mentions
    ]
    rejects = tuple(Reject(f"delivery, {one.position}", one.reason, one.raw) for one in mapped.rejects)
    edited = tuple(one for one in mapped.mentions if "latest_id" in one.raw)
    return Page(mapped.mentions, None, rejects, mapped.deleted, mapped.notes, edited, meter.call(items))


def _json(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _key(body: dict[str, Any], raw: bytes) -> str:
    """What the delivery is known by; empty where nothing in it needs keeping."""
    data = dict_of(body.get("data"))
    kind = text_of(data.get("event_type"))
    if kind:
        event = text_of(data.get("event_uuid"))[:60]
        return f"x:{kind}:{event or _digest(raw)}" if kind.startswith(_KEPT) else ""
    return f"x:{_digest(raw)}" if any(body.get(name) for name in _KEPT_OLDER) or data else ""


def _digest(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:32]


def _told_at(body: dict[str, Any]) -> datetime | None:
    """When the newest thing in it was said; None where it does not say."""
    moments = [moment for moment in _moments(body) if moment is not None]
    return max(moments, default=None)


def _moments(body: dict[str, Any]) -> Iterator[datetime | None]:
    payload = dict_of(at(body, "data", "payload"))
    yield moment_of(payload.get("created_at"))
    for event in (*list_of(payload.get("direct_message_events")), *list_of(body.get("direct_message_events"))):
        yield moment_of(millis_text(dict_of(event).get("created_timestamp")))
    for status in list_of(body.get("tweet_create_events")):
        yield moment_of(moment_text(dict_of(status).get("created_at")))
    for gone in list_of(body.get("tweet_delete_events")):
        yield moment_of(millis_text(dict_of(gone).get("timestamp_ms")))
    kind = text_of(at(body, "data", "event_type"))
    if kind != "post.delete" and not payload.get("created_at"):  # an event's number is the moment of a post or message
        yield moment_of_id(text_of(payload.get("id")))
