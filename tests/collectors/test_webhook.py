"""The generic webhook: what is believed, what a stranger's JSON says, and answers that are posted back, signed, once."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import webhook
from collectors.webhook import WebhookCollector
from domain.contracts import CanReply, Delivery, HearsWebhooks, IdempotencyKey
from domain.errors import ConfigurationError, RefusedError, TransientError
from domain.mention import Author, Mention, MentionKind
from tests.fakes.http_server import serve
from tests.fakes.webhook import SECRET, Receiver, signed

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
KEY = IdempotencyKey("k1")
SAID = Mention("chat", "m1", "Où est mon colis ?", NOW, MentionKind.MESSAGE, Author("7", "lea"), conversation_id="t1")


def collector(**settings: str) -> WebhookCollector:
    made = webhook.connect({"secret": SECRET, "network": "chat", **settings}, now=lambda: NOW, timeout=2.0)
    assert isinstance(made, WebhookCollector) and isinstance(made, HearsWebhooks)
    return made


def delivery(body: Any, *, headers: dict[str, str] | None = None, at: datetime = NOW, method: str = "POST") -> Delivery:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = signed(raw, at) if headers is None else headers
    return Delivery(method, {}, {name.lower(): value for name, value in given.items()}, raw, NOW)


# -- what is believed ------------------------------------------------------------------------------------------------------


def test_a_signed_delivery_is_kept_and_a_second_time_has_the_same_key() -> None:
    told = {"id": "m1", "text": "Bonjour"}
    first, second = (collector().receive(delivery(told)) for _ in range(2))
    assert (first.status, first.key) == (200, second.key) and first.key.startswith("chat:")
    assert collector().receive(delivery({"id": "m2", "text": "Bonjour"})).key != first.key


@pytest.mark.parametrize(
    ("changed", "status", "words"),
    [
        ({"headers": {}}, 401, "is missing"),
        ({"headers": signed(b"{}", NOW, "another-secret-0123456789")}, 401, "does not fit"),
        ({"at": NOW - timedelta(minutes=6)}, 400, "too long ago"),
        ({"at": NOW + timedelta(minutes=6)}, 400, "in the future"),
        ({"body": b"no json"}, 400, "no JSON"),
        ({"method": "GET"}, 405, "POST"),
    ],
)
def test_what_is_not_believed_is_turned_away_with_a_reason(changed: dict[str, Any], status: int, words: str) -> None:
    answer = collector().receive(delivery(**{"body": {}, **changed}))
    assert answer.status == status and words in answer.body and not answer.key


@pytest.mark.parametrize(
    ("encoding", "made"),
    [
        ("plain", lambda _digest: SECRET),
        ("base64", lambda digest: base64.b64encode(digest).decode()),
        ("hex", lambda digest: digest.hex()),
    ],
)
def test_other_senders_sign_in_their_own_ways(encoding: str, made: Callable[[bytes], str]) -> None:
    body = b'{"text":"Bonjour"}'
    signature = made(hmac.new(SECRET.encode(), body, hashlib.sha256).digest())
    found = collector(signature_header="X-Sign", signature_encoding=encoding)
    assert found.receive(delivery(body, headers={"X-Sign": signature})).status == 200
    assert found.receive(delivery(body, headers={"X-Sign": "x" + signature})).status == 401


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret": ""}, "openssl rand"),
        ({"secret": "short"}, "16"),
        ({"mapping": "{"}, "no JSON"),
        ({"mapping": '{"colour": "x"}'}, "no field"),
        ({"kind": "song"}, "message, review"),
        ({"time_zone": "Mars/Base"}, "Europe/Paris"),
        ({"answer_url": "ftp://example.org/x"}, ""),
    ],
)
def test_a_setting_that_cannot_be_used_says_what_to_write(settings: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        collector(**settings)
    assert words in str(caught.value) and SECRET not in str(caught.value)


# -- what it says ----------------------------------------------------------------------------------------------------------


def test_usual_names_need_no_mapping() -> None:
    page = collector().unpack(
        delivery(
            {"id": "m1", "message": "Où est mon colis ?", "date": "2026-03-10T09:00:00Z", "email": "lea@example.org"}
        )
    )
    [one] = page.mentions
    assert (one.id, one.text, one.kind) == ("chat:m1", "Où est mon colis ?", MentionKind.MESSAGE)
    assert one.author is not None and one.author.native_id == "lea@example.org"


def test_a_mapping_finds_unusual_names_in_lists_and_below() -> None:
    mapping = {
        "items": "data[*]",
        "id": "ticket.no",
        "thread_id": "ticket.thread",
        "text": "ticket.said",
        "created_at": "ticket.at",
        "author_id": "$.who",
        "kind": "=review",
        "rating": "ticket.stars",
    }
    body = {
        "who": "7",
        "data": [
            {"ticket": {"no": 1, "thread": "T", "said": "Très bien", "at": "2026-03-10T09:00:00Z", "stars": 5}},
            {"ticket": {"no": 2}},
        ],
    }
    page = collector(mapping=json.dumps(mapping)).unpack(delivery(body))
    [one] = page.mentions
    assert (one.native_id, one.conversation_id, one.rating, one.kind) == ("1", "T", 5, MentionKind.REVIEW)
    [reject] = page.rejects
    assert "ticket.said" in reject.reason and reject.position == "delivery, item 2"


def test_edits_and_deletions_travel() -> None:
    mapping = {
        "id": "id",
        "text": "text",
        "updated": {"path": "event", "is": "edited"},
        "deleted": {"path": "event", "is": "gone"},
    }
    made = collector(mapping=json.dumps(mapping))
    edited = made.unpack(delivery({"id": "m1", "text": "Autrement", "event": "edited"}))
    assert [one.id for one in edited.changed] == ["chat:m1"] and edited.mentions == ()
    assert made.unpack(delivery({"id": "m1", "event": "gone"})).deleted == ("chat:m1",)


@pytest.mark.parametrize("body", [None, 3, "words", [], {}, [1, None], {"text": None}, {"a": {"b": {"c": [[]]}}}])
def test_no_body_breaks_the_mapper(body: Any) -> None:
    assert webhook.map_answer(body).mentions == ()
    collector().unpack(delivery(body))


# -- answers ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with serve(Receiver()) as vendor:
        yield vendor


def answering(receiver: Receiver) -> CanReply:
    made = collector(answer_url=f"{receiver.base}/in/answers?shop=1", allow_private="yes")
    assert isinstance(made, CanReply)
    return made


def test_an_answer_is_posted_signed(receiver: Receiver) -> None:
    made = answering(receiver)
    assert made.may_reply(SAID).allowed and not made.may_reply(SAID).public
    assert made.reply(SAID, "Il arrive « demain ».", KEY) == "r-k1"
    assert receiver.taken["k1"] == {
        "type": "reply", "key": "k1", "network": "chat", "in_reply_to": "m1", "thread_id": "t1", "author_id": "7",
        "text": "Il arrive « demain ».",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("effect", "fields"),
    [("status", {"status": 503}), ("status", {"status": 429}), ("hang", {"after": True}), ("cut", {"after": True})],
)
def test_what_got_no_answer_is_sent_again_and_taken_once(
    receiver: Receiver, effect: str, fields: dict[str, Any]
) -> None:
    made = answering(receiver)
    receiver.fail(effect, **fields)
    with pytest.raises(TransientError):
        made.reply(SAID, "Il arrive.", KEY)
    made.reply(SAID, "Il arrive.", KEY)
    assert list(receiver.taken) == ["k1"]


def test_a_refusal_is_told(receiver: Receiver) -> None:
    receiver.fail("status", status=422)
    with pytest.raises(RefusedError):
        answering(receiver).reply(SAID, "Il arrive.", KEY)


def test_without_an_address_nothing_is_answered() -> None:
    assert not isinstance(collector(), CanReply)
    with pytest.raises(ConfigurationError):
        made = collector(answer_url="http://127.0.0.1:9/x")
        assert isinstance(made, CanReply)
        made.reply(SAID, "Bonjour", KEY)
