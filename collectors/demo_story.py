"""Lays the demo story out in time: written threads and people -> dated items of a pretend network, and shop records.

The words are written by hand in story/*.jsonl; nothing here makes up a sentence. The layout is deterministic: the same
files and the same anchor give the same items, ids and dates. Day 39 of the story is the anchor's day; what would lie
after the anchor arrives live instead, one message every `LIVE_STEP`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from typing import Any
from zoneinfo import ZoneInfo

from collectors.demo_crowd import silent_customers
from domain.mention import MentionId
from domain.person import CustomerEvent, CustomerRecord, EventKind

CHAPTERS = ("liv", "ves", "bou", "web", "pro", "div")
LAST_DAY = 39
LIVE_STEP = timedelta(seconds=45)
LIVE_AT_LEAST = 12  # so that something arrives even when the story is loaded late in the evening
_HELD_BACK = 24  # last words kept for that; those that follow an answer of the story's agents stay unsaid
_FORGOTTEN = timedelta(days=2)  # what nobody answered for so long is closed by somebody who tidies up
_ZONE = ZoneInfo("Europe/Paris")
_CLOSING_DELAY = timedelta(minutes=25)  # an agent closes a case a little after its last word


@dataclass(frozen=True, slots=True)
class Act:
    """In the story, an agent took (`assign`) or closed (`resolve`) the cases of these messages at this moment."""

    at: datetime
    agent: str
    kind: str
    mention_ids: tuple[MentionId, ...]


@dataclass
class Story:
    """The story laid out: `items` by time, as the pretend network's API gives them."""

    items: list[dict[str, Any]] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    customers: list[CustomerRecord] = field(default_factory=list)


@lru_cache(maxsize=1)
def world() -> dict[str, Any]:
    """Brand, products, stores, carriers and calendar of the story."""
    loaded: dict[str, Any] = json.loads((files("collectors") / "story" / "world.json").read_text("utf-8"))
    return loaded


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    # Files name things by key; what people see, and filter by, has its accents.
    told = world()
    products = {row["key"]: row["label"] for row in told["products"]}
    return products | {row["key"]: row["name"] for kind in ("stores", "carriers") for row in told[kind]}


def _about(keys: dict[str, str]) -> dict[str, str]:
    return {kind: _labels().get(key, key) for kind, key in keys.items()}


def _lines(name: str) -> Iterator[dict[str, Any]]:
    with (files("collectors") / "story" / name).open(encoding="utf-8") as handle:
        for line in handle:
            if line.strip():
                yield json.loads(line)


def lay_out(anchor: datetime) -> Story:
    """The story as of `anchor` (aware): what lies before it is history, the rest arrives after it."""
    story = Story()
    people = {person["key"]: person for chapter in CHAPTERS for person in _lines(f"{chapter}.people.jsonl")}
    today = anchor.astimezone(_ZONE).date()
    threads = [_dated(thread, people, today) for chapter in CHAPTERS for thread in _lines(f"{chapter}.threads.jsonl")]
    cut = _cut(threads, anchor)
    live: list[dict[str, Any]] = []
    for thread in threads:
        past = [item for item in thread.items if item["time"] <= cut]
        story.items += past
        story.acts += [act for act in thread.acts if act.at <= cut]
        for item in thread.items[len(past) :]:
            if item["from_brand"]:
                break  # what we would have answered is for the person at the desk to write
            live.append(item)
    for rank, item in enumerate(sorted(live, key=_when), start=1):
        item["time"] = anchor + LIVE_STEP * rank
        story.items.append(item)
    story.items.sort(key=_when)
    story.acts.sort(key=lambda act: (act.at, act.mention_ids, act.kind))
    story.customers = [_customer(person, today) for person in people.values() if person["email"]]
    names = [person["name"] for person in people.values() if person["lang"] == "fr"]
    story.customers += silent_customers(names, world(), today, LAST_DAY)
    return story


def _when(item: dict[str, Any]) -> tuple[datetime, str]:
    return item["time"], item["id"]


@dataclass
class _Thread:
    items: list[dict[str, Any]]
    acts: list[Act]


def _cut(threads: list[_Thread], anchor: datetime) -> datetime:
    # History ends at the anchor, or earlier where too little would be left to arrive.
    said = sorted(item["time"] for thread in threads for item in thread.items if not item["from_brand"])
    late = said[-_HELD_BACK - 1] if len(said) > _HELD_BACK else anchor
    return min(anchor, late)


def _day(today: date, day: int) -> date:
    return today - timedelta(days=LAST_DAY - day)


def _dated(thread: dict[str, Any], people: dict[str, Any], today: date) -> _Thread:
    key, network, about = thread["thread"], thread["network"], _about(thread.get("about", {}))
    hour, minute = map(int, thread["time"].split(":"))
    moment = datetime.combine(_day(today, thread["day"]), time(hour, minute), _ZONE)
    items: list[dict[str, Any]] = []
    if "post" in thread:
        post = _item(f"{key}-0", network, moment, thread["post"]["text"], None, people, thread)
        post["conversation"] = post["id"]
        items.append(post)
        moment += timedelta(minutes=25)
    top: dict[int, str] = {}
    for number, turn in enumerate(thread["turns"], start=1):
        if number > 1:
            hours, minutes = map(int, turn["after"].split(":"))
            moment += timedelta(hours=hours, minutes=minutes)
        person = None if turn["by"] == "brand" else turn["by"]
        item = _item(f"{key}-{number}", network, moment, turn["text"], person, people, thread)
        item["lang"] = turn.get("lang", thread["lang"])
        parent = turn.get("to") or (None if "post" in thread else number - 1 or None)
        if parent is not None and not 1 <= parent < number:
            parent = None
        top[number] = top[parent] if parent else item["id"]
        # Under a post each top-level comment is a conversation of its own, as Facebook and Instagram have it.
        item["conversation"] = top[number] if "post" in thread else f"{key}-1"
        item["parent"] = f"{key}-{parent}" if parent else (f"{key}-0" if "post" in thread else None)
        item["about"] = about
        items.append(item)
    return _Thread(items, _acts(thread, items))


def _item(
    key: str,
    network: str,
    moment: datetime,
    text: str,
    person: str | None,
    people: dict[str, Any],
    thread: dict[str, Any],
) -> dict[str, Any]:
    first = key.endswith("-1")
    return {
        "id": key,
        "network": network,
        "time": moment,
        "text": text,
        "from_brand": person is None,
        "author": None if person is None else _account(people[person], network),
        "title": thread.get("title", "") if first else "",
        "rating": thread.get("rating") if first else None,
        "lang": thread["lang"],
        "parent": None,
        "conversation": key,
        "about": {},
    }


def native_account(person: dict[str, Any], network: str) -> str:
    """How a person of the story is named on a network."""
    if network == "mail":
        return str(person["email"] or f"{person['handle']}@example.net").lower()
    return f"{network}-{person['key']}" if network in {"reviews", "blog"} else str(person["handle"]).lower()


def _account(person: dict[str, Any], network: str) -> dict[str, Any]:
    followers = None
    if network in {"x", "instagram"}:
        # A long tail, as on the real networks: most have a few hundred, one in two hundred has tens of thousands.
        draw = int.from_bytes(blake2b(f"{network}{person['key']}".encode(), digest_size=4).digest(), "big") / 2**32
        followers = min(60_000, int(35 / (1.0005 - draw) ** 1.1))
    return {
        "id": native_account(person, network),
        "name": person["name"],
        "handle": person["handle"],
        "followers": followers,
    }


def _acts(thread: dict[str, Any], items: list[dict[str, Any]]) -> list[Act]:
    agents = [turn["agent"] for turn in thread["turns"] if turn["by"] == "brand"]
    ids = tuple(MentionId(f"{item['network']}:{item['id']}") for item in items if not item["from_brand"])
    acts = []
    answers = [item["time"] for item in items if item["from_brand"] and item["parent"]]
    if agents and answers:
        said_before = tuple(key for key, item in zip(ids, _of_others(items), strict=True) if item["time"] < answers[0])
        acts.append(Act(answers[0], agents[0], "assign", said_before))
    names: list[str] = world()["brand"]["agents"]
    agent = agents[-1] if agents else names[thread["day"] % len(names)]
    delay = _FORGOTTEN if thread["outcome"] == "open" else _CLOSING_DELAY
    acts.append(Act(items[-1]["time"] + delay, agent, "resolve", ids))
    return acts


def _of_others(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [item for item in items if not item["from_brand"]]


def _moment(today: date, day: int, key: str) -> datetime:
    minutes = blake2b(key.encode(), digest_size=2).digest()
    return datetime.combine(_day(today, day), time(9 + minutes[0] % 10, minutes[1] % 60), _ZONE)


def _customer(person: dict[str, Any], today: date) -> CustomerRecord:
    consents = tuple(
        (network, native_account(person, network)) for network in person.get("consent", ()) if network != "mail"
    )
    return CustomerRecord(
        ref=person["key"],
        name=person["name"],
        email=person["email"],
        lang=person["lang"],
        city=person["city"],
        loyalty=bool(person["loyalty"]),
        since=person["since"],
        consents=consents,
        events=tuple(_events(person, today)),
    )


def _events(person: dict[str, Any], today: date) -> Iterator[CustomerEvent]:
    names = {product["key"]: product["name"] for product in world()["products"]}
    for order in person.get("orders", ()):
        at = _moment(today, order["day"], order["ref"])
        data = {
            "items": [names[key] for key in order["items"]],
            "products": [_labels()[key] for key in order["items"]],
            "channel": _labels().get(order["channel"], order["channel"]),
            "status": order["status"],
        }
        yield CustomerEvent(EventKind.ORDER, order["ref"], at, float(order["total"]), data)
        if order["channel"] == "web":
            promised, delivered = order.get("promised_day"), order.get("delivered_day")
            delivery = {
                "order": order["ref"],
                "carrier": _labels()[order["carrier"]],
                "status": order["status"],
                "promised_on": _day(today, promised).isoformat() if promised is not None else None,
                "delivered_on": _day(today, delivered).isoformat() if delivered is not None else None,
            }
            yield CustomerEvent(EventKind.DELIVERY, f"D-{order['ref']}", at + timedelta(hours=5), None, delivery)
    for number, cart in enumerate(person.get("carts", ()), start=1):
        ref = f"P-{person['key']}-{number}"
        data = {
            "items": [names[key] for key in cart["items"]],
            "products": [_labels()[key] for key in cart["items"]],
            "status": "open",
        }
        yield CustomerEvent(EventKind.CART, ref, _moment(today, cart["day"], ref), float(cart["total"]), data)
    for back in person.get("returns", ()):
        ref = f"R-{back['order']}"
        data = {"order": back["order"], "reason": back["reason"]}
        yield CustomerEvent(EventKind.RETURN, ref, _moment(today, back["day"], ref), None, data)
    for number, visit in enumerate(person.get("visits", ()), start=1):
        ref = f"V-{person['key']}-{number}"
        yield CustomerEvent(
            EventKind.VISIT, ref, _moment(today, visit["day"], ref), None, {"store": _labels()[visit["store"]]}
        )
