"""Anybody's webhook: hears any JSON that is posted to /hooks/<source>, by a mapping; answers are posted back, signed.

The door: SPEC, `connect`, `map_answer`. What a body says is in `webhook_map`, where its fields are in `webhook_paths`, what is
signed in `webhook_sign`. Nothing is asked of the sender: what was missed is sent again by it, or imported from a file.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from collectors.api_client import ApiClient
from collectors.reviews_settings import switch
from collectors.values import network_key
from collectors.webhook_map import NETWORK, Chosen, read_body, read_kind
from collectors.webhook_paths import read_layout
from collectors.webhook_sign import SIGNATURE, TIMESTAMP, Scheme, scheme
from collectors.wire import at, text_of
from domain.clock import Now, utc_now
from domain.contracts import (
    Collector,
    CollectorSpec,
    Cursor,
    Delivery,
    IdempotencyKey,
    Mapped,
    Page,
    Permission,
    Reject,
    RemoteId,
    Setting,
    Watch,
    WebhookAnswer,
)
from domain.errors import ConfigurationError, RefusedError
from domain.mention import Mention

__all__ = ["SPEC", "WebhookCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="webhook",
    title="Generic webhook",
    settings=(
        Setting("secret", "Secret that the sender signs with, at least 16 characters", secret=True),
        Setting("mapping", "Where the fields are, as JSON; usual names are found without it", required=False),
        Setting("network", "Key of the channel, e.g. chat; webhook unless given", required=False),
        Setting("kind", "What items are: message, review, comment, post or article", required=False),
        Setting("time_zone", "Of dates that name none; Europe/Paris unless given", required=False),
        Setting("answer_url", "Address that answers are posted to; none: the message is only shown", required=False),
        Setting("answer_secret", "Secret that we sign answers with; else the same", required=False, secret=True),
        Setting("signature_header", "Header that holds the sender's signature", required=False),
        Setting("signature_prefix", "What stands before it, e.g. sha256=", required=False),
        Setting("signature_encoding", "hex, base64, or plain: the header holds the secret itself", required=False),
        Setting("signature_algorithm", "sha256, sha512 or sha1", required=False),
        Setting("signed", "What is signed, e.g. {timestamp}.{body}", required=False),
        Setting("timestamp_header", "Header that holds the moment of sending", required=False),
        Setting("id_header", "Header that holds the id of the delivery", required=False),
        Setting("window_seconds", "How old a signed moment may be; 300 unless given", required=False),
        Setting("allow_private", "yes for an answer_url in your own network", required=False),
    ),
    can_reply=True,
    reads="Whatever is posted to /hooks/<source>: contact forms, chats, surveys, call notes, tickets, networks that we do not "
    "know. Edits and deletions too, where the mapping says so.",
    answers="Posted to answer_url as signed JSON with an Idempotency-Key; without that setting, none.",
    access=(
        "Choose a secret (openssl rand -hex 32), put it into an environment variable, and write secret = env:NAME.",
        "Let the sender post JSON to https://<your address>/hooks/<source>, signed; docs/operations.md says how.",
        "Where its fields have unusual names, write the setting mapping; try it with comptoir map webhook FILE.",
    ),
    limits="10 MB and 10,000 items a delivery. A delivery is answered at once and read by the worker within seconds.",
    retention="What the sender's own terms say. A deletion that it tells empties the message here.",
    facts=("Our own interface: docs/operations.md, “Webhooks”",),
)
_TEXT_LIMIT = 10_000
_FITS = 200  # characters of a key
_PUBLIC = ("comment", "post", "review")


def connect(settings: Mapping[str, str], *, now: Now = utc_now, timeout: float = 10.0) -> Collector:
    """The collector of one sender. Raises ConfigurationError where a setting is missing or cannot be used."""
    found, chosen = scheme(settings), _chosen(settings)
    address = settings.get("answer_url", "").strip()
    if not address:
        return WebhookCollector(found, chosen)
    secret = settings.get("answer_secret", "").strip() or settings["secret"]
    parts = urlsplit(address)
    client = ApiClient(
        f"{parts.scheme}://{parts.netloc}",
        timeout=timeout,
        now=now,
        name="The receiver of answers",
        allow_private=switch(settings, "allow_private", default=False),
        secrets=(secret, settings["secret"]),
        renew="Check that it knows our secret (settings answer_secret and secret).",
    )
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return AnsweringWebhook(found, chosen, (client, path), scheme({"secret": secret}), now=now)


def _chosen(settings: Mapping[str, str]) -> Chosen:
    kind, word = None, settings.get("kind", "").strip()
    if word:
        kind = read_kind(word)
        if kind is None:
            raise ConfigurationError(
                f"The setting kind says “{word[:40]}”. Write message, review, comment, post or article."
            )
    name = settings.get("time_zone", "").strip() or "Europe/Paris"
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigurationError(f"The setting time_zone says “{name[:40]}”. Write e.g. Europe/Paris.") from error
    network = network_key(settings.get("network", "")) or NETWORK
    return Chosen(read_layout(settings.get("mapping", "")), network, kind, zone)


def map_answer(body: Any) -> Mapped:
    """What a body says by the usual names of fields; what has no date is dated 1970, since no delivery tells its arrival."""
    chosen = Chosen()
    return read_body(body, chosen, datetime.fromtimestamp(0, UTC)).mapped(chosen.layout)


class WebhookCollector:
    """One sender, heard only."""

    spec = replace(SPEC, can_reply=False)

    def __init__(self, signs: Scheme, chosen: Chosen) -> None:
        self._signs, self._chosen = signs, chosen

    def check(self) -> None:
        """See Collector: all that can be wrong is in the settings, and `connect` has read them."""

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - the sender comes by itself
        """See Collector: there is nobody to ask."""
        return iter(())

    def receive(self, delivery: Delivery) -> WebhookAnswer:
        """See HearsWebhooks."""
        if delivery.method != "POST":
            return WebhookAnswer(405, "only POST")
        trouble = self._signs.trouble(delivery)
        if trouble:
            return WebhookAnswer(401, trouble)
        trouble = self._signs.too_old(delivery)
        if trouble:
            return WebhookAnswer(400, trouble)
        if not delivery.body.strip():
            return WebhookAnswer(200)
        try:
            json.loads(delivery.body)
        except (ValueError, RecursionError):
            return WebhookAnswer(400, "the body is no JSON")
        told = delivery.headers.get(self._signs.id_header, "") if self._signs.id_header else ""
        signed_at = delivery.headers.get(self._signs.timestamp_header, "") if not told else ""
        digest = blake2b(told.encode() or signed_at.encode() + b"." + delivery.body, digest_size=16).hexdigest()
        return WebhookAnswer(200, key=f"{self._chosen.network}:{digest}"[:_FITS])

    def unpack(self, delivery: Delivery) -> Page:
        """See HearsWebhooks."""
        found = read_body(json.loads(delivery.body), self._chosen, delivery.received_at)
        mentions, changed = tuple(found.mentions.values()), found.changed()
        fresh = tuple(one for one in mentions if one not in changed)
        rejects = tuple(Reject(f"delivery, {one.position}", one.reason, one.raw) for one in found.rejects)
        notes = found.notes(self._chosen.layout)
        return Page(fresh, None, rejects, deleted=tuple(found.deleted), notes=notes, changed=changed)


class AnsweringWebhook(WebhookCollector):
    """One sender that also takes answers."""

    spec = SPEC

    def __init__(self, signs: Scheme, chosen: Chosen, door: tuple[ApiClient, str], ours: Scheme, *, now: Now) -> None:
        super().__init__(signs, chosen)
        (self._client, self._path), self._ours, self._now = door, ours, now

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        if mention.outbound:
            return Permission(False, "These are our own words.")
        return Permission(True, public=mention.kind.value in _PUBLIC, text_limit=_TEXT_LIMIT)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """See CanReply. The receiver takes one key once, so what got no answer is simply sent again."""
        if mention.outbound:
            raise RefusedError("These are our own words.")
        if len(text) > _TEXT_LIMIT:
            raise RefusedError(
                f"The answer has {len(text):,} characters; at most {_TEXT_LIMIT:,} are sent. Shorten it."
            )
        said = {
            "type": "reply",
            "key": key,
            "network": mention.network,
            "in_reply_to": mention.native_id,
            "thread_id": mention.conversation_id or mention.native_id,
            "author_id": mention.author.native_id if mention.author else None,
            "text": text,
        }
        body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        stamp = str(int(self._now().timestamp()))
        headers = {
            "Content-Type": "application/json",
            TIMESTAMP: stamp,
            SIGNATURE: self._ours.signature(body, stamp),
        }
        answer = self._client.json("POST", self._path, content=body, headers=headers, idempotency_key=key)
        return RemoteId(text_of(at(answer.data, "id")) or f"answer-{key}")
