"""The demo shop's silent customers: they buy and say nothing, as most people do.

Without them every order would have a complaint, and a rate per 1,000 orders would mean nothing. Nothing here writes a word
that somebody is supposed to have said; who they are and what they bought is drawn from their number, the same every time.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from domain.person import CustomerEvent, CustomerRecord, EventKind

COUNT = 1_500
_DAYS = 75  # how far back they bought
_STRIKE = (12, 17)  # days of the story on which Transvia did not deliver
_ZONE = ZoneInfo("Europe/Paris")
_CARRIERS = ("Transvia", "Transvia", "Colivert", "Colivert", "Colivert", "Relais Malin")


class _Draw:
    # Numbers in 0..1 from a key: no generator whose state depends on who was drawn before.

    def __init__(self, key: str) -> None:
        self._key, self._number = key, 0

    def __call__(self) -> float:
        self._number += 1
        digest = blake2b(f"{self._key}/{self._number}".encode(), digest_size=6).digest()
        return int.from_bytes(digest, "big") / 2**48

    def of(self, values: Sequence[Any]) -> Any:
        """One of them."""
        return values[int(self() * len(values))]


def silent_customers(
    names: Sequence[str], world: dict[str, Any], today: date, last_day: int
) -> Iterator[CustomerRecord]:
    """Customers with orders, deliveries, open carts, returns and visits.

    Args:
        names: full names to take first and last names from.
        world: products, stores and carriers of the story.
        today: the story's last day.
        last_day: its number.
    """
    firsts = sorted({name.split()[0] for name in names if " " in name})
    lasts = sorted({name.split()[-1] for name in names if " " in name})
    for number in range(COUNT):
        draw = _Draw(f"silent-{number}")
        name = f"{draw.of(firsts)} {draw.of(lasts)}"
        yield CustomerRecord(
            ref=f"silent-{number:04}",
            name=name,
            email=f"client{number:04}@example.org",
            lang="fr",
            city=draw.of(world["stores"])["name"].split()[0],
            loyalty=draw() < 0.45,
            since=today.year - int(draw() ** 2 * 9),
            events=tuple(_events(number, draw, world, today - timedelta(days=last_day))),
        )


def _events(number: int, draw: _Draw, world: dict[str, Any], first: date) -> Iterator[CustomerEvent]:
    for rank in range(1 + (draw() < 0.5) + (draw() < 0.2)):
        day = int(39 - draw() * _DAYS)
        yield from _order(f"OR-S{number:04}{rank}", day, draw, world, first)
    for rank in range((draw() < 0.8) + (draw() < 0.5) + (draw() < 0.3)):
        day = int(39 - draw() * _DAYS)
        product = draw.of(world["products"])
        data = {"items": [product["name"]], "products": [product["label"]], "status": "open"}
        yield CustomerEvent(EventKind.CART, f"P-S{number:04}{rank}", _at(first, day, draw), product["price"], data)


def _at(first: date, day: int, draw: _Draw) -> datetime:
    return datetime.combine(first + timedelta(days=day), time(7 + int(draw() * 4), int(draw() * 60)), _ZONE)


def _order(ref: str, day: int, draw: _Draw, world: dict[str, Any], first: date) -> Iterator[CustomerEvent]:
    products = [draw.of(world["products"]) for _ in range(1 + (draw() < 0.35))]
    web = draw() < 0.7
    store = draw.of(world["stores"])["name"]
    at = _at(first, day, draw)
    late = 0
    carrier = draw.of(_CARRIERS)
    promised, need = day + 3, 2 + int(draw() * 2)
    if carrier == "Transvia" and _STRIKE[0] - 3 <= day <= _STRIKE[1] and draw() < 0.6:
        late = 3 + int(draw() * 5)
    elif draw() < 0.04:
        late = 1 + int(draw() * 3)
    arrived = day + need + late
    there = arrived <= 39
    status = "delivered" if there or not web else "late" if promised < 39 else "shipped"
    data = {
        "items": [product["name"] for product in products],
        "products": [product["label"] for product in products],
        "channel": "web" if web else store,
        "status": status,
    }
    yield CustomerEvent(EventKind.ORDER, ref, at, round(sum(product["price"] for product in products), 2), data)
    if not web:
        yield CustomerEvent(EventKind.VISIT, f"V-{ref}", at, None, {"store": store})
        return
    delivery = {
        "order": ref,
        "carrier": carrier,
        "status": status,
        "promised_on": (first + timedelta(days=promised)).isoformat(),
        "delivered_on": (first + timedelta(days=arrived)).isoformat() if there else None,
    }
    yield CustomerEvent(EventKind.DELIVERY, f"D-{ref}", at + timedelta(hours=5), None, delivery)
    if there and arrived <= 34 and draw() < 0.05:
        data = {"order": ref, "reason": ""}
        yield CustomerEvent(EventKind.RETURN, f"R-{ref}", _at(first, arrived + 4, draw), None, data)
