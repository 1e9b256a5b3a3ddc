"""The Facebook collector on the bench of the contract: a Page on the fake Graph, with several pages of everything."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from collectors import facebook
from domain.contracts import Collector
from tests.contracts.collector_suite import Bench, Factory
from tests.fakes.meta import SETTINGS, FakeMeta, serve


def told(fake: FakeMeta) -> FakeMeta:
    """The Page after some days in which people spoke to it."""
    world = fake.world
    old = world.post("Notre histoire")
    world.wait(days=12)
    post = world.post("Nos magasins ouvrent dimanche")
    asked = world.comment(post, "Où est mon colis ?", "Léa")
    answered = world.comment(post, "Bonjour Léa, quel est son numéro ?", "Ormelune", parent=asked)
    world.comment(post, "4711", "Léa", parent=answered)
    for number in range(7):
        world.comment(post, f"Et à Lyon ? ({number})", f"client {number}", after=50)
    visitor = world.post("Très déçu de ma commande", "Paul", after=60)
    world.comment(visitor, "Bonjour Paul, que s'est-il passé ?", "Ormelune")
    for number in range(4):
        world.post(f"Annonce {number}", after=200)
    world.comment(old, "J'adore cette marque", "Inès", after=60)
    tagged = world.tag("Vu chez Ormelune", "Zoé", after=30)
    world.comment(tagged, "Où ça ?", "Luc")
    rated = world.rate("Super accueil", "Max", after=30)
    world.rate("", "Tom", "negative")
    world.rate("Bof", "Ève", rating=2)
    world.comment(rated, "Merci Max", "Ormelune")
    world.post("", "Anna", story="Anna a publié une photo.")
    world.post("", "Rien")  # says nothing: a reject
    for number in range(23):
        world.write(f"Bonjour ? ({number})", f"nina {number % 4}", after=3)
    world.write("Bonjour Nina", "", to="nina 0")
    return fake


def bench(**options: Any) -> Callable[[Path], Iterator[Bench]]:
    """A bench on a Graph of this sort."""

    def on(folder: Path) -> Iterator[Bench]:
        with serve(told(FakeMeta(page_limit=3, **options))) as fake:
            world = fake.world

            def make(**changed: str) -> Factory:
                return lambda: facebook.connect({**SETTINGS, **changed}, now=lambda: world.clock, base=fake.base)

            def elsewhere() -> Collector:
                return facebook.connect(SETTINGS, now=lambda: world.clock, base="http://127.0.0.1:9")

            asked = fake.shown(world.all("comment")[-1], {name: {} for name in ("message", "created_time", "from")})
            yield Bench(
                make=make(),
                failing=(
                    make(access_token="wrong"),
                    make(app_secret="wrong"),
                    make(page=""),
                    make(page="ormelune"),
                    make(page="104000000000002"),
                    make(version="v12.0"),
                    elsewhere,
                ),
                mapping=facebook.map_answer,
                raws=(
                    fake.answer("GET", f"/v26.0/{SETTINGS['page']}/feed", {"fields": "id,message,created_time,from"}),
                    {"data": [asked]},
                    fake.refusal(401),
                ),
                answerable=facebook.map_answer({"data": [asked]}).mentions[0],
            )

    return on
