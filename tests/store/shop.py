"""A made-up shop with three weeks of everything that indicators count; deterministic, told through the store's own doors."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from domain.analysis import Analysis
from domain.contracts import Permission
from domain.mention import Author, Mention, MentionKind
from domain.person import CustomerEvent, CustomerRecord, EventKind
from domain.taxonomy import INTENTS
from store import Store
from tests.builders import analysis, mention, page

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
FIRST = datetime(2026, 2, 15, 6, 0, tzinfo=UTC)
STORES, PRODUCTS, CARRIERS = ("lille", "tours", None), ("vesuve", "galet", None), ("transvia", "colivert")
SENTIMENTS = ("negative", "neutral", "positive")


def permission(said: Mention) -> Permission:
    """Nobody may answer on the blog, as on real ones."""
    return Permission(said.network != "blog", "")


def tell(store: Store, said: list[tuple[Mention, Analysis | None]], now: datetime = NOW) -> None:
    """Collect, analyze and route."""
    store.sources.ensure("s", "demo", "S", {})
    store.mentions.add_page("s", page(*(m for m, _ in said)), now, permission)
    by_id = {a.mention_id: a for _, a in said if a is not None}
    while store.mentions.unanalyzed_count():
        with store.mentions.unanalyzed(500) as backlog:
            backlog.save([by_id[m.id] for m in backlog.mentions], now)
    while store.cases.route(500, now, lambda _case, _item, _person: ()).routed:
        pass


def customers(random: Random, count: int = 25) -> list[CustomerRecord]:
    """Customers with orders, deliveries, carts; some on time, some late, some given back."""
    return [
        CustomerRecord(
            ref=f"C{number}",
            name=f"Client {number}",
            email=f"c{number}@example.org",
            consents=(("x", f"p{number}"),) if number % 2 else (),
            events=tuple(_events(random, number)),
        )
        for number in range(count)
    ]


def _events(random: Random, number: int) -> list[CustomerEvent]:
    found = []
    for rank in range(random.randrange(5)):
        at = NOW - timedelta(
            days=random.randrange(500) if rank == 0 else random.randrange(24), hours=random.randrange(20)
        )
        ref, channel = f"O{number}-{rank}", random.choice(("web", "web", "lille", "tours"))
        status = random.choice(("delivered", "delivered", "shipped", "late", "cancelled", "refunded"))
        products = random.choices(["vesuve", "galet", "dune"], k=random.randrange(1, 4))
        data: dict[str, Any] = {"items": products, "products": products, "channel": channel, "status": status}
        found.append(CustomerEvent(EventKind.ORDER, ref, at, float(random.randrange(20, 200)), data))
        if channel == "web":
            promised = (at + timedelta(days=4)).date()
            arrived = promised + timedelta(days=random.randrange(-2, 4)) if status == "delivered" else None
            data = {
                "order": ref,
                "carrier": random.choice(CARRIERS),
                "status": status,
                "promised_on": promised.isoformat(),
                "delivered_on": arrived.isoformat() if arrived else None,
            }
            found.append(CustomerEvent(EventKind.DELIVERY, f"D{number}-{rank}", at + timedelta(hours=5), None, data))
    for rank in range(random.randrange(3)):
        at = NOW - timedelta(days=random.randrange(20), minutes=random.randrange(90))
        data = {"items": ["galet"], "products": ["galet"], "status": "open"}
        found.append(CustomerEvent(EventKind.CART, f"P{number}-{rank}", at, 40.0, data))
    return found


def fill(store: Store, count: int = 260) -> None:
    """Three weeks and a bit: words, answers, ends, reopenings, a merge, a snooze."""
    random = Random(20260310)
    store.people.add_customers(customers(random), NOW)
    said: list[tuple[Mention, Analysis | None]] = []
    span = (NOW - FIRST) / timedelta(minutes=1)
    for number in range(count):
        at = FIRST + timedelta(minutes=random.randrange(int(span)))
        network = random.choice(("x", "x", "facebook", "reviews", "blog", "mail"))
        kind = MentionKind.REVIEW if network == "reviews" else MentionKind.POST
        who = f"p{random.randrange(60)}"
        followers = random.choice((None, 40, 2_000, 250_000, 12_000_000)) if network == "x" else None
        first = mention(
            f"m{number}",
            f"Message {number} " + "bla " * random.randrange(3, 60),
            created_at=at,
            network=network,
            kind=kind,
            author=Author(who, who, who.title(), follower_count=followers),
            rating=random.choice((None, 1, 2, 4, 5)) if network == "reviews" else None,
            store=random.choice(STORES),
            product=random.choice(PRODUCTS),
            order_ref=f"O{random.randrange(25)}-1" if random.random() < 0.3 else None,
        )
        intent = random.choice(INTENTS).key
        told = analysis(
            first.id,
            intent,
            random.choice(SENTIMENTS),
            urgency=3 if random.random() < 0.05 else 0,
            toxic=random.random() < 0.1,
            uncertain=random.random() < 0.1,
        )
        said.append((first, told))
        if random.random() < 0.6 and network != "blog":
            after = at + timedelta(minutes=random.randrange(3, 3000))
            if after < NOW:
                answer = mention(
                    f"a{number}",
                    "Bonjour, nous regardons.",
                    who=None,
                    created_at=after,
                    network=network,
                    outbound=True,
                    parent_id=first.native_id,
                    conversation_id=first.native_id,
                )
                said.append((answer, None))
    said.sort(key=lambda pair: pair[0].created_at)
    tell(store, said)
    _live(store, random)


def _live(store: Store, random: Random) -> None:
    # What people did with the cases; each act at a moment of its own.
    from store.queue import QueueFilter, View

    rows = [
        row.case for page_ in range(9) for row in store.queue.page(QueueFilter(View.OPEN), me="", now=NOW, page=page_)
    ]
    rows += [
        row.case
        for page_ in range(9)
        for row in store.queue.page(QueueFilter(View.WAITING), me="", now=NOW, page=page_)
    ]
    cases = sorted({case.id: case for case in rows}.values(), key=lambda case: case.id)
    for case in cases:
        draw = random.random()
        end = case.last_inbound_at + timedelta(hours=random.randrange(1, 200))
        if end >= NOW:
            continue
        if draw < 0.5:
            store.cases.resolve(case.id, actor="awa", now=end)
            if draw < 0.1:
                store.cases.reopen(case.id, actor="awa", now=end + timedelta(hours=1))
            if draw < 0.03:
                store.cases.resolve(case.id, actor="awa", now=min(end + timedelta(hours=2), NOW - timedelta(hours=1)))
        elif draw < 0.6:
            store.cases.snooze(case.id, NOW + timedelta(days=2), actor="awa", now=end)
    left = [row.case for row in store.queue.page(QueueFilter(View.OPEN), me="", now=NOW)]
    store.cases.merge(left[0].id, left[1].id, actor="awa", now=NOW)
