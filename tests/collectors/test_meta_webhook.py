"""What Meta tells by itself: the handshake, signatures over raw bytes, age, repeats, order, and what is looked up for it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import facebook, instagram
from collectors.meta_webhook import receive, signature
from domain.contracts import Delivery, HearsWebhooks, Watch, WebhookAnswer
from tests.fakes.meta import ACCOUNT, PAGE, SECRET, SETTINGS, FakeMeta, serve, signed
from tests.fakes.meta_world import Thing

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
SENT = int(NOW.timestamp()) - 60


@pytest.fixture
def fake() -> Iterator[FakeMeta]:
    with serve(FakeMeta()) as running:
        yield running


def entry(*changes: dict[str, Any], time: int = SENT, page: str = PAGE) -> dict[str, Any]:
    return {"id": page, "time": time, "changes": [{"field": "feed", "value": one} for one in changes]}


def delivery(body: Any, **changed: Any) -> Delivery:
    raw, headers = signed(body)
    return replace(Delivery("POST", {}, headers, raw, NOW), **changed)


def comment(thing: Thing, fake: FakeMeta, **more: Any) -> dict[str, Any]:
    """As a webhook tells of a comment."""
    return {
        "item": "comment",
        "verb": "add",
        "comment_id": thing.id,
        "post_id": thing.on,
        "parent_id": thing.parent or thing.on,
        "created_time": int(thing.at.timestamp()),
        "from": {"id": thing.author, "name": fake.world.people[thing.author]},
        "message": thing.text,
        **more,
    }


def told(given: Delivery, kind: str = "page") -> WebhookAnswer:
    return receive(given, network="facebook", kind=kind, app_secret=SECRET, verify_token="chut")


def hears(fake: FakeMeta, network: Any = facebook, **settings: str) -> HearsWebhooks:
    made = network.connect({**SETTINGS, **settings}, now=lambda: fake.world.clock, base=fake.base, timeout=10.0)
    assert isinstance(made, HearsWebhooks)
    return made


BODY = {"object": "page", "entry": [entry({"item": "status", "verb": "add", "post_id": f"{PAGE}_1", "message": "é"})]}


# -- handshake ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status", "body"),
    [
        ({"hub.mode": "subscribe", "hub.verify_token": "chut", "hub.challenge": "1158201444"}, 200, "1158201444"),
        ({"hub_mode": "subscribe", "hub_verify_token": "chut", "hub_challenge": "007"}, 200, "007"),
        ({"hub.mode": "subscribe", "hub.verify_token": "faux", "hub.challenge": "1"}, 403, ""),
        ({"hub.mode": "subscribe", "hub.challenge": "1"}, 403, ""),
        ({"hub.mode": "unsubscribe", "hub.verify_token": "chut", "hub.challenge": "1"}, 400, ""),
        ({"hub.mode": "subscribe", "hub.verify_token": "chut"}, 400, ""),
        ({}, 400, ""),
    ],
)
def test_the_handshake(query: dict[str, str], status: int, body: str) -> None:
    answer = told(Delivery("GET", query, {}, b"", NOW))
    assert (answer.status, answer.key, answer.content_type) == (status, "", "text/plain")
    assert not body or answer.body == body


def test_without_a_verify_token_nobody_connects() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}
    answer = receive(
        Delivery("GET", query, {}, b"", NOW), network="facebook", kind="page", app_secret=SECRET, verify_token=""
    )
    assert answer.status == 403 and "verify_token" in answer.body


# -- signatures, age, repeats --------------------------------------------------------------------------------------------------


def test_a_signed_delivery_is_kept_under_a_key() -> None:
    answer = told(delivery(BODY))
    assert answer.status == 200 and answer.key.startswith("facebook:")


def test_the_signature_is_one_over_the_raw_bytes() -> None:
    raw, headers = signed(BODY)
    assert b"\\u00e9" in raw, "Meta escapes what is not ASCII"
    assert told(Delivery("POST", {}, headers, raw, NOW)).status == 200
    rewritten = json.dumps(json.loads(raw), ensure_ascii=False).encode()
    assert told(Delivery("POST", {}, headers, rewritten, NOW)).status == 403


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "sha256=",
        "sha256=" + "0" * 64,
        "sha1=" + "0" * 40,
        signature(b"other", SECRET),
        signature(b"", "x"),
        "é",
    ],
)
def test_what_is_not_signed_by_our_app_is_refused(header: str | None) -> None:
    raw, _ = signed(BODY)
    headers = {} if header is None else {"x-hub-signature-256": header}
    assert told(Delivery("POST", {}, headers, raw, NOW)).status == 403
    raw, headers = signed(BODY, "another-secret")
    assert told(Delivery("POST", {}, headers, raw, NOW)).status == 403


@pytest.mark.parametrize(
    ("age", "status"),
    [(timedelta(0), 200), (timedelta(hours=36), 200), (timedelta(hours=40), 400), (timedelta(minutes=-20), 400)],
)
@pytest.mark.parametrize("unit", [1, 1000])
def test_old_deliveries_are_not_taken_again(age: timedelta, status: int, unit: int) -> None:
    sent = int((NOW - age).timestamp() * unit)
    body = {"object": "page", "entry": [{**BODY["entry"][0], "time": sent}]}  # type: ignore[dict-item]
    assert told(delivery(body)).status == status


@pytest.mark.parametrize(
    ("body", "status", "kept"),
    [
        ([], 400, False),
        ("x", 400, False),
        ({"object": "instagram", "entry": BODY["entry"]}, 200, False),
        ({"object": "page", "entry": []}, 200, False),
        ({"object": "page"}, 200, False),
        ({"object": "page", "entry": [5, None]}, 200, True),
    ],
)
def test_shapes(body: Any, status: int, kept: bool) -> None:
    answer = told(delivery(body))
    assert (answer.status, bool(answer.key)) == (status, kept)


def test_what_is_no_json_and_other_methods() -> None:
    raw = b"\xff{"
    headers = {"x-hub-signature-256": signature(raw, SECRET)}
    assert told(Delivery("POST", {}, headers, raw, NOW)).status == 400
    assert told(delivery(BODY, method="PUT")).status == 405


def test_a_delivery_that_is_sent_again_has_the_same_key_and_another_has_another() -> None:
    first = {
        "object": "page",
        "entry": [entry({"item": "status", "post_id": "1"}), entry({"item": "status", "post_id": "2"})],
    }
    again = {"object": "page", "entry": [{**one, "time": SENT + 30} for one in reversed(first["entry"])]}  # type: ignore[arg-type]
    other = {"object": "page", "entry": [entry({"item": "status", "post_id": "3"})]}
    keys = [told(delivery(body)).key for body in (first, again, other)]
    assert keys[0] == keys[1] != keys[2]


# -- what is in them -----------------------------------------------------------------------------------------------------------


def test_deliveries_in_any_order_and_repeated_give_what_reading_gives(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    visitor = world.post("Très déçu", "Paul")
    first = world.comment(post, "Où est mon colis ?", "Léa")
    second = world.comment(post, "Quel numéro ?", "Ormelune", parent=first)
    third = world.comment(post, "4711", "Léa", parent=second)
    fourth = world.comment(visitor, "Pardon", "Ormelune")
    made = hears(fake)
    read = [one for page in facebook_pages(fake) for one in page.mentions]
    expected = {(one.id, one.thread_id, one.parent_id, one.outbound, one.text) for one in read if "comment" in one.kind}
    things = [first, second, third, fourth]
    for order in (things, things[::-1], [third, *things, first]):
        found = [one for thing in order for one in unpacked(made, comment(thing, fake)).mentions]
        assert {(one.id, one.thread_id, one.parent_id, one.outbound, one.text) for one in found} == expected


def facebook_pages(fake: FakeMeta) -> list[Any]:
    made = facebook.connect(SETTINGS, now=lambda: fake.world.clock, base=fake.base)
    return list(made.fetch(Watch(), None))


def unpacked(made: HearsWebhooks, *changes: dict[str, Any], page: str = PAGE) -> Any:
    return made.unpack(delivery({"object": "page", "entry": [entry(*changes, page=page)]}))


def test_a_thousand_comments_on_one_post_ask_whose_post_it_is_once(fake: FakeMeta) -> None:
    post = fake.world.post("Soldes")
    things = [fake.world.comment(post, f"n° {number}", "Léa") for number in range(1_000)]
    page = unpacked(hears(fake), *(comment(thing, fake) for thing in things))
    assert len(page.mentions) == 1_000
    assert page.spent.call_count == len(fake.requests) == 1


def test_what_is_named_only_by_its_id_is_looked_up(fake: FakeMeta) -> None:
    world = fake.world
    post = world.post("Soldes")
    hidden = world.comment(post, "Grossier", "Luc")
    hidden.hidden = True
    gone = world.comment(post, "Parti", "Luc")
    world.delete(gone)
    page = unpacked(
        hears(fake),
        comment(hidden, fake, verb="hide", message=None),
        comment(gone, fake, message=None),
        {"item": "photo", "verb": "add", "post_id": post.id},
    )
    assert {one.text: one.raw.get("is_hidden") for one in page.mentions} == {"Grossier": True, "Soldes": False}
    assert page.deleted == (f"facebook:{gone.id}",)
    assert [one.text for one in page.changed] == ["Grossier"]


def test_removals_and_edits_travel(fake: FakeMeta) -> None:
    thing = fake.world.comment(fake.world.post("Soldes"), "Bonsoir", "Léa")
    page = unpacked(hears(fake), comment(thing, fake, verb="edited", message="Bonsoir !"))
    assert [one.text for one in page.changed] == ["Bonsoir !"]
    page = unpacked(hears(fake), comment(thing, fake, verb="remove"))
    assert (page.mentions, page.deleted) == ((), (f"facebook:{thing.id}",))


def test_other_pages_of_the_app_are_not_ours(fake: FakeMeta) -> None:
    thing = fake.world.comment(fake.world.post("Soldes"), "Bonsoir", "Léa")
    page = unpacked(hears(fake), comment(thing, fake), page="104000000000009")
    assert page.mentions == () and "notice about another Page (1)" in page.notes[0]


def test_messages_have_the_thread_that_reading_gives_them(fake: FakeMeta) -> None:
    message = fake.world.write("Où est mon colis ?", "Léa")
    event = {
        "sender": {"id": message.author},
        "recipient": {"id": PAGE},
        "timestamp": int(message.at.timestamp() * 1000),
        "message": {"mid": message.id, "text": message.text},
    }
    page = hears(fake).unpack(delivery({"object": "page", "entry": [{"id": PAGE, "time": SENT, "messaging": [event]}]}))
    (read,) = [one for found in facebook_pages(fake) for one in found.mentions]
    assert (page.mentions[0].id, page.mentions[0].thread_id) == (read.id, read.thread_id)
    assert page.mentions[0] == replace(read, author=page.mentions[0].author, url="")


def test_instagram_mentions_are_looked_up_and_what_is_gone_is_told(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Chez @ormelune", "zoe.photo")
    first = world.reply(medium, "@ormelune c'est quoi ce pull ?", "zoe.photo")
    gone = world.reply(medium, "@ormelune ?", "luc")
    world.delete(gone)
    values = [
        {"media_id": medium.id, "comment_id": first.id},
        {"media_id": medium.id},
        {"media_id": medium.id, "comment_id": gone.id},
    ]
    changes = [{"field": "mentions", "value": value} for value in values]
    body = {"object": "instagram", "entry": [{"id": ACCOUNT, "time": SENT, "changes": changes}]}
    made = hears(fake, instagram)
    assert made.receive(delivery(body)).key.startswith("instagram:")
    page = made.unpack(delivery(body))
    assert {one.text: one.conversation_id for one in page.mentions} == {
        "@ormelune c'est quoi ce pull ?": medium.id,
        "Chez @ormelune": medium.id,
    }
    assert page.deleted == (f"instagram:{gone.id}",)
    odd = {
        "object": "instagram",
        "entry": [{"id": ACCOUNT, "changes": [{"field": "mentions", "value": {"media_id": "1){x}"}}]}],
    }
    assert [one.reason for one in made.unpack(delivery(odd)).rejects] == [
        "the mention has no number that can be asked for"
    ]
    assert all("1){x}" not in request.params.get("fields", "") for request in fake.requests)


def test_instagram_comments_in_both_envelopes(fake: FakeMeta) -> None:
    world = fake.world
    medium = world.media("Le pull marin")
    thing = world.reply(medium, "En bleu ?", "lea.m")
    value = {
        "id": thing.id,
        "text": thing.text,
        "from": {"id": thing.author, "username": "lea.m"},
        "media": {"id": medium.id, "media_product_type": "FEED"},
    }
    flat = {"object": "instagram", "entry": [{"id": ACCOUNT, "time": SENT, "field": "comments", "value": value}]}
    nested = {
        "object": "instagram",
        "entry": [{"id": ACCOUNT, "time": SENT, "changes": [{"field": "comments", "value": value}]}],
    }
    made = hears(fake, instagram)
    found = [made.unpack(delivery(body)).mentions[0] for body in (flat, nested)]
    assert found[0] == found[1]
    assert (found[0].thread_id, found[0].parent_id) == (f"instagram:{thing.id}", medium.id)
    assert found[0].created_at == datetime.fromtimestamp(SENT, tz=UTC)  # Instagram tells no other moment
