"""A small shop for tests of the indicator pages: forty days, one crisis, orders and late parcels; the same every time."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from dashboard.context import Context, Viewer
from domain.clock import Calendar
from domain.contracts import Cursor, Page, Reject
from domain.mention import Author, Mention, MentionKind
from domain.person import CustomerEvent, CustomerRecord, EventKind
from store import Store
from store.queue import QueueFilter, Sort, View
from tests.builders import analysis

NOW = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)  # a Tuesday, 17:00 in Paris
DAYS = 40
CRISIS = range(21, 25)  # days of the forty
LOUD = 26

# intent, sentiment, networks, and what people say of it
KINDS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "order_delivery_issue",
        "negative",
        ("x", "facebook", "mail"),
        "Toujours pas de colis, troisième relance, que faites-vous",
    ),
    (
        "product_defect",
        "negative",
        ("x", "reviews", "mail"),
        "La bouilloire chauffe par la poignée, c'est dangereux à la longue",
    ),
    (
        "refund_return",
        "negative",
        ("mail", "facebook"),
        "Remboursement promis il y a trois semaines et rien sur le compte",
    ),
    (
        "question_info",
        "neutral",
        ("instagram", "facebook", "mail"),
        "Bonjour, la cocotte passe-t-elle au four à induction, merci",
    ),
    (
        "praise_thanks",
        "positive",
        ("instagram", "reviews", "x"),
        "Merci à l'équipe de Lille, accueil parfait et conseils utiles",
    ),
    (
        "purchase_intent",
        "positive",
        ("instagram", "x"),
        "Le plaid Bruyère me fait de l'œil depuis des semaines, je craque",
    ),
    (
        "suggestion_idea",
        "neutral",
        ("instagram", "blog"),
        "Pourquoi pas une version en gris de la lampe, je la prendrais",
    ),
    ("employment", "neutral", ("facebook", "mail"), "Recrutez-vous des saisonniers à Nantes pour le mois de décembre"),
    ("billing_account_issue", "negative", ("mail",), "Facture introuvable dans mon espace client, j'en ai besoin vite"),
)
NAMES = (
    "Léa Martin",
    "Karim Benali",
    "Joséphine Le Goff",
    "Nguyễn Minh",
    "Odette Pons",
    "Thibault Roy",
    "Aïcha Diallo",
)
STORES = ("lille", "paris-bastille", "nantes")
PRODUCTS = ("vesuve", "garrigue", "bruyere", "luciole")
CARRIERS = ("transvia", "colivert")


def day_start(index: int) -> datetime:
    """Nine in the morning, Paris, of one of the forty days; the last one is today."""
    return (NOW - timedelta(days=DAYS - 1 - index)).replace(hour=8, minute=0)


def fill(store: Store, *, days: int = DAYS, now: datetime = NOW) -> None:
    """Collect, analyze, route; about ten messages a day, more in the crisis; half of them answered."""
    store.sources.ensure("s", "demo", "Démonstration", {})
    numbers = count(1)
    said: list[Mention] = []
    kinds: dict[str, tuple[str, str]] = {}
    for day in range(DAYS - days, DAYS):
        for turn in range(6 + day % 3):
            _say(said, kinds, next(numbers), day, KINDS[(day + turn * 2) % len(KINDS)], turn)
        for turn in range(14 if day in CRISIS else 0):
            _say(said, kinds, next(numbers), day, KINDS[1 if turn % 2 else 0], turn)
    store.mentions.add_page("s", Page(tuple(m for m in said if m.created_at <= now), Cursor("1")), now)
    with store.mentions.unanalyzed(10_000) as backlog:
        backlog.save([_analysed(m, kinds) for m in backlog.mentions if not m.outbound], now)
    store.people.add_customers(_customers(), now)
    store.cases.route(10_000, now, lambda _case, _item, _person: [])
    settled = QueueFilter(view=View.WAITING, sort=Sort.OLDEST)
    for row in store.queue.page(settled, me="", now=now)[:25]:
        store.cases.resolve(row.case.id, actor="Awa", now=now)


def _say(
    said: list[Mention],
    kinds: dict[str, tuple[str, str]],
    number: int,
    day: int,
    kind: tuple[str, str, tuple[str, ...], str],
    turn: int,
) -> None:
    intent, sentiment, networks, text = kind
    network, who = networks[number % len(networks)], f"p{number % 41}"
    at = day_start(day) + timedelta(minutes=17 * turn + number % 7)
    review = network == "reviews"
    fields: dict[str, Any] = {
        "product": PRODUCTS[0] if intent == "product_defect" else PRODUCTS[number % 4],
        "store": STORES[number // 5 % 3] if review else None,
        "rating": {"negative": 1, "neutral": 3, "positive": 5}[sentiment] if review else None,
        "kind": MentionKind.REVIEW if review else MentionKind.POST,
        "order_ref": f"OR-{1001 + number % 180}" if intent == "order_delivery_issue" else None,
    }
    author = Author(who, f"@{who}", NAMES[number % len(NAMES)], follower_count=100 + number)
    mention = Mention(
        network, str(number), f"{text} ({number})", at, author=author, conversation_id=str(number), **fields
    )
    said.append(mention)
    kinds[mention.id] = (intent, sentiment)
    if number % 2:
        late = timedelta(minutes=20 + (number * 13) % 300)
        said.append(
            Mention(
                network,
                f"r{number}",
                "Bonjour, nous regardons tout de suite. Awa",
                at + late,
                conversation_id=str(number),
                parent_id=str(number),
                outbound=True,
            )
        )


def _analysed(mention: Mention, kinds: dict[str, tuple[str, str]]) -> Any:
    intent, sentiment = kinds[mention.id]
    day = (mention.created_at.date() - day_start(0).date()).days
    urgent = 3 if intent == "product_defect" and day in CRISIS and int(mention.native_id) % 5 == 0 else 0
    return analysis(mention.id, intent, sentiment, urgency=urgent)


def _customers() -> list[CustomerRecord]:
    numbers = count(1)
    found = []
    for person in range(30):
        events: list[CustomerEvent] = []
        for _ in range(6):
            number = next(numbers)
            at = day_start(number % DAYS)
            product, carrier, ref = PRODUCTS[number % 4], CARRIERS[number % 2], f"OR-{1000 + number}"
            late = carrier == "transvia" and number % 3 == 0
            promised, arrived = at.date() + timedelta(days=3), at.date() + timedelta(days=7 if late else 2)
            status = "delivered" if arrived <= NOW.date() else "shipped"
            order = {"channel": "web", "products": [product], "status": status}
            parcel = {
                "order": ref,
                "carrier": carrier,
                "promised_on": promised.isoformat(),
                "delivered_on": arrived.isoformat() if status == "delivered" else None,
                "status": status,
            }
            events.append(CustomerEvent(EventKind.ORDER, ref, at, 40.0 + number % 90, order))
            events.append(CustomerEvent(EventKind.DELIVERY, f"D-{ref}", at, None, parcel))
        cart = {"products": [PRODUCTS[person % 4]], "status": "open"}
        events.append(CustomerEvent(EventKind.CART, f"C-{person}", day_start(10 + person), 60.0, cart))
        found.append(
            CustomerRecord(
                ref=f"K{person}",
                name=NAMES[person % len(NAMES)],
                email=f"k{person}@example.org",
                consents=(("x", f"p{person}"), ("mail", f"p{person}"), ("facebook", f"p{person}")),
                events=tuple(events),
            )
        )
    return found


def spoil_sources(store: Store, now: datetime = NOW) -> None:
    """One source of each feeling, with rejects and things that could not be sent."""
    store.sources.ensure("x", "x", "X (@ormelune)", {"account": "ormelune"})
    store.sources.blocked(
        "x", "X refuses the access: the token has expired. Nothing is lost. Renew it in Sources → X.", now
    )
    store.sources.ensure("feed", "feed", "Blogs cuisine", {})
    store.sources.waiting("feed", "The server did not answer within 20 seconds.", now)
    store.sources.ensure("files", "files", "Avis importés", {}, polled=False)
    rejects = (
        Reject("ligne 12", "the date “31/02/2026” does not exist", "31/02/2026;5;Très bien"),
        Reject("line 40", "the text is empty", '<script>alert("x")</script>'),
    )
    notes = ("3 dates had no time zone: read as Europe/Paris.",)
    store.mentions.add_page("files", Page((), Cursor("40"), rejects=rejects, notes=notes), now)
    store.sources.ensure("paused", "mastodon", "Mastodon", {})
    store.sources.set_enabled("paused", False)


def open_filled(folder: Path, calendar: Calendar) -> Store:
    """The shop, in a store of its own."""
    store = Store.open(f"sqlite:///{folder / 'house.sqlite'}", calendar)
    fill(store)
    return store


def context_of(store: Store, viewer: Viewer, lang: str = "fr") -> Context:
    """What a page gets, on the last of the forty days, with a clock that stands still."""
    return Context(store=store, viewer=viewer, lang=lang, now=NOW, zone=store.calendar.zone, clock=lambda: NOW)


def shown(at: AppTest) -> str:
    """Every word on the page, of Streamlit's own elements and of ours."""
    assert not at.exception, at.exception
    own = [json.dumps(data_of(element), ensure_ascii=False) for element in at.get("bidi_component")]
    kinds = (at.title, at.subheader, at.markdown, at.caption, at.error, at.warning, at.text, at.code)
    return "\n".join([*(str(element.value) for kind in kinds for element in kind), *own])


def data_of(element: Any) -> Any:
    """The data of one of our components."""
    return json.loads(element.proto.json or element.proto.mixed.json)


def component(at: AppTest, key: str) -> Any:
    """The data of the component with this key."""
    [found] = [e for e in at.get("bidi_component") if e.proto.id.endswith(f"-{key}")]
    return data_of(found)


def words_of(pieces: Any) -> str:
    """A phrase without its links."""
    return "".join(piece["text"] for piece in pieces)
