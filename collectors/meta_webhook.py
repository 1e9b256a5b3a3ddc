"""What Meta tells by itself, for a Page or an Instagram account: the handshake, signatures, and what deliveries are made of.

Pure. Meta signs the raw bytes with the app's secret, sends several changes of several accounts at once, sends again what it
got no answer for (for a day and a half), and keeps no order. A delivery is known by what it says, whenever it was sent.
What the changes of each network mean is in `facebook_notices` and `instagram_notices`.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from collectors.meta_items import Own, Sorting, moment
from collectors.meta_messages import map_event
from collectors.wire import dict_of, list_of, text_of
from domain.contracts import Delivery, WebhookAnswer

SIGNATURE = "x-hub-signature-256"
WINDOW = timedelta(hours=37)  # Meta: “we retry … over the course of the next 36 hours”
_AHEAD = timedelta(minutes=5)
_CHALLENGE_LIMIT = 200
_SILENT = {
    "account_linking": "account linking", "delivery": "sign of delivery", "game_play": "game", "optin": "opt-in",
    "pass_thread_control": "handover", "policy_enforcement": "warning of Meta's", "reaction": "reaction",
    "read": "sign of reading", "referral": "referral", "request_thread_control": "handover",
    "take_thread_control": "handover", "app_roles": "handover",
}  # fmt: skip
_MESSAGE_FIELDS = frozenset({"messages", "message_echoes", "message_edits", "messaging_postbacks", "standby"})


def receive(delivery: Delivery, *, network: str, kind: str, app_secret: str, verify_token: str) -> WebhookAnswer:
    """See HearsWebhooks.

    Args:
        kind: the object that is subscribed to: ``page`` or ``instagram``.
    """
    if delivery.method == "GET":
        return _handshake(delivery.query, verify_token)
    if delivery.method != "POST":
        return WebhookAnswer(405, "only GET and POST")
    given = delivery.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(given.encode(), signature(delivery.body, app_secret).encode()):
        return WebhookAnswer(403, "the signature does not fit")
    body = body_of(delivery.body)
    if body is None:
        return WebhookAnswer(400, "the body is no JSON object")
    sent = [when for entry in list_of(body.get("entry")) if (when := moment(dict_of(entry).get("time")))]
    if sent and not -_AHEAD <= delivery.received_at - max(sent) <= WINDOW:
        return WebhookAnswer(400, "it was sent too long ago, or in the future")
    if text_of(body.get("object")) != kind:
        return WebhookAnswer(200, "nothing in it is for this source")
    return WebhookAnswer(200, key=f"{network}:{_digest(body)}" if list_of(body.get("entry")) else "")


def signature(body: bytes, app_secret: str) -> str:
    """As Meta writes it. Source: Meta, “Webhooks: Getting Started”, read 2026-11-26."""
    return "sha256=" + hmac.new(app_secret.encode(), body, hashlib.sha256).hexdigest()


def body_of(raw: bytes) -> dict[str, Any] | None:
    """The JSON of a delivery, None where it is no object."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def entries(body: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The accounts that a delivery speaks of, with their positions."""
    for number, entry in enumerate(list_of(body.get("entry")), start=1):
        yield f"entry {number}", dict_of(entry)


def changes(entry: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What changed: field and value. Instagram's own login writes one straight into the entry."""
    for change in (*list_of(entry.get("changes")), entry):
        given = dict_of(change)
        field = text_of(given.get("field"))
        if field:
            yield field, dict_of(given.get("value"))


def is_event(field: str) -> bool:
    """Whether a change is a message, as the app's dashboard sends them to try out a webhook."""
    return field in _MESSAGE_FIELDS


def take_events(entry: Mapping[str, Any], position: str, network: str, own: Own, sorting: Sorting) -> None:
    """The messages in an entry; also those in which another app has the word (`standby`)."""
    events = [*list_of(entry.get("messaging")), *list_of(entry.get("standby"))]
    for number, event in enumerate(events, start=1):
        take_event(dict_of(event), f"{position}, message {number}", network, own, sorting)
    for field, value in changes(entry):
        if is_event(field):
            take_event(value, f"{position}, {field}", network, own, sorting)


def take_event(event: Mapping[str, Any], position: str, network: str, own: Own, sorting: Sorting) -> None:
    """One message, or what happened to one."""
    message = dict_of(event.get("message"))
    if message.get("is_deleted") is True and message.get("mid"):
        sorting.gone(network, text_of(message["mid"]))
    elif message or event.get("postback") or event.get("message_edit"):
        edited = bool(event.get("message_edit"))
        sorting.add(position, event, lambda: map_event(event, network, own), changed=edited)
    else:
        known = next((what for name, what in _SILENT.items() if name in event), "")
        if known:
            sorting.passed[known] += 1
        else:
            sorting.refuse(position, "it is no message of a known kind", event)


def _handshake(query: Mapping[str, str], verify_token: str) -> WebhookAnswer:
    given = {name.replace("_", "."): value for name, value in query.items()}
    if given.get("hub.mode") != "subscribe" or "hub.challenge" not in given:
        return WebhookAnswer(400, "hub.mode or hub.challenge is missing")
    if not verify_token:
        return WebhookAnswer(403, "no verify token is set: choose a word and put it into the setting verify_token")
    if not hmac.compare_digest(given.get("hub.verify.token", "").encode(), verify_token.encode()):
        return WebhookAnswer(403, "the verify token does not fit")
    return WebhookAnswer(200, given["hub.challenge"][:_CHALLENGE_LIMIT])


def _digest(body: dict[str, Any]) -> str:
    """Of what is said; the moment of sending, and the order of what is said, change when it is sent again."""
    told = [{**dict_of(entry), "time": None} for entry in list_of(body.get("entry"))]
    written = sorted(json.dumps(one, sort_keys=True) for one in told)
    return hashlib.sha256("\n".join(written).encode("utf-8", "surrogatepass")).hexdigest()[:32]
