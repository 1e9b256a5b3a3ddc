"""What X tells us by itself: challenge, signature, age, identity, and what becomes of deliveries."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from collectors import x
from domain.contracts import Delivery, HearsWebhooks, WebhookAnswer
from tests.fakes import x_shapes as shapes
from tests.fakes.x import NOW, SETTINGS, FakeX

SAID_AT = datetime.fromisoformat("2026-03-10T05:00:00+00:00")


def hearing(**settings: str) -> HearsWebhooks:
    collector = x.connect({**SETTINGS, **settings}, now=lambda: NOW)
    assert isinstance(collector, HearsWebhooks)
    return collector


def delivered(body: Any, *, at: datetime = SAID_AT, headers: Mapping[str, str] | None = None) -> Delivery:
    signed, raw = FakeX().signed(body)
    return Delivery("POST", {}, signed if headers is None else headers, raw, at)


def test_the_challenge_is_answered() -> None:
    answer = hearing().receive(Delivery("GET", {"crc_token": "défi"}, {}, b"", NOW))
    digest = hmac.new(SETTINGS["consumer_secret"].encode(), "défi".encode(), hashlib.sha256).digest()
    assert (answer.status, answer.content_type, answer.key) == (200, "application/json", "")
    assert json.loads(answer.body) == {"response_token": "sha256=" + base64.b64encode(digest).decode()}
    assert hearing().receive(Delivery("GET", {}, {}, b"", NOW)).status == 400
    assert hearing().receive(Delivery("PUT", {}, {}, b"", NOW)).status == 405


def test_a_delivery_is_kept_once() -> None:
    first = hearing().receive(delivered(shapes.DELIVERIES["mention"]))
    assert first == WebhookAnswer(200, key="x:post.mention.create:-2781149976877970683")
    assert hearing().receive(delivered(shapes.DELIVERIES["mention"])).key == first.key
    older = hearing().receive(delivered(shapes.OLDER["created"])).key
    assert older.startswith("x:") and older == hearing().receive(delivered(shapes.OLDER["created"])).key
    assert older != hearing().receive(delivered(shapes.OLDER["retweeted"])).key


@pytest.mark.parametrize(
    "headers",
    [{}, {"x-twitter-webhooks-signature": ""}, {"x-twitter-webhooks-signature": "sha256=é"}],
    ids=["none", "empty", "odd"],
)
def test_an_unsigned_delivery_is_turned_away(headers: dict[str, str]) -> None:
    assert hearing().receive(delivered(shapes.DELIVERIES["mention"], headers=headers)).status == 403


def test_the_signature_covers_the_raw_body() -> None:
    signed, raw = FakeX().signed(shapes.DELIVERIES["mention"])
    for body in (raw + b" ", raw.replace(b"Taille", b"taille")):
        assert hearing().receive(Delivery("POST", {}, signed, body, SAID_AT)).status == 403
    assert hearing(consumer_secret="other").receive(Delivery("POST", {}, signed, raw, SAID_AT)).status == 403


@pytest.mark.parametrize(
    ("name", "at"),
    [
        ("mention", SAID_AT),
        ("message", datetime.fromisoformat("2026-07-24T21:23:44+00:00")),
    ],
)
def test_old_deliveries_are_turned_away(name: str, at: datetime) -> None:
    body = shapes.DELIVERIES[name]
    for late, status in ((0, 200), (25, 200), (27, 400), (-0.05, 200), (-1, 400)):
        answer = hearing().receive(delivered(body, at=at + timedelta(hours=late)))
        assert (answer.status, bool(answer.key)) == (status, status == 200), late


def test_a_deletion_of_an_old_post_is_not_old() -> None:
    answer = hearing().receive(delivered(shapes.DELIVERIES["deletion"], at=SAID_AT + timedelta(days=90)))
    assert answer.status == 200 and answer.key


@pytest.mark.parametrize("name", ["like"])
def test_what_says_nothing_is_not_kept(name: str) -> None:
    assert hearing().receive(delivered(shapes.DELIVERIES[name])) == WebhookAnswer(200)
    assert hearing().receive(delivered(shapes.OLDER["typing"])) == WebhookAnswer(200)


@pytest.mark.parametrize("raw", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_a_signed_body_that_is_no_object(raw: bytes) -> None:
    digest = hmac.new(SETTINGS["consumer_secret"].encode(), raw, hashlib.sha256).digest()
    headers = {"x-twitter-webhooks-signature": "sha256=" + base64.b64encode(digest).decode()}
    assert hearing().receive(Delivery("POST", {}, headers, raw, NOW)).status == 400


@pytest.mark.parametrize(
    ("name", "price", "summons"),
    [("mention", 0.005, "mention"), ("reply", 0.005, "mention"), ("quote", 0.005, "quote"), ("message", 0.010, None)],
)
def test_deliveries_become_mentions_with_a_price(name: str, price: float, summons: str | None) -> None:
    page = hearing().unpack(delivered(shapes.DELIVERIES[name]))
    assert len(page.mentions) == 1 and page.cursor is None and not page.rejects
    assert page.mentions[0].raw.get("summons") == summons and not page.mentions[0].outbound
    assert page.spent.price == price


def test_deletions_and_our_own_words_travel() -> None:
    gone = hearing().unpack(delivered(shapes.DELIVERIES["deletion"]))
    assert gone.deleted == (f"x:{shapes.ASKED}",) and gone.spent.price == 0
    assert hearing().unpack(delivered(shapes.DELIVERIES["own"])).mentions[0].outbound
    assert hearing().unpack(delivered(shapes.OLDER["deleted"])).deleted == (f"x:{shapes.ASKED}",)


def test_a_delivery_of_unknown_shape_is_a_reject() -> None:
    page = hearing().unpack(delivered({"data": {"event_type": "post.create", "payload": {"id": "1"}}}))
    assert [reject.position for reject in page.rejects] == ["delivery, post.create"]
    assert hearing().unpack(Delivery("POST", {}, {}, b"{", NOW)).rejects
