"""The Instagram collector on the bench of the contract: an account on the fake Graph, with several pages of everything."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from collectors import instagram
from domain.contracts import Collector
from tests.contracts.collector_suite import Bench, Factory
from tests.fakes.meta import SETTINGS, FakeMeta, serve


def told(fake: FakeMeta) -> FakeMeta:
    """The account after some days in which people spoke to it."""
    world = fake.world
    old = world.media("Notre atelier")
    world.wait(days=12)
    medium = world.media("Le pull marin est de retour #ormelune")
    asked = world.reply(medium, "Il existe en bleu ?", "lea.m")
    answered = world.reply(medium, "@lea.m Oui, en boutique !", "ormelune", parent=asked)
    world.reply(medium, "Super, et en ligne ?", "lea.m", parent=answered)
    for number in range(7):
        world.reply(medium, f"Trop beau ({number})", f"client.{number}", after=50)
    for number in range(4):
        world.media(f"Nouveauté {number}", after=200)
    world.reply(old, "J'adore", "ines", after=60)
    world.media("Shooting avec ormelune", "zoe.photo", lists=("tags",))
    world.media(
        "", "rien", lists=("tags",), media_type=None, media_product_type=None, media_url=None
    )  # says nothing: a reject
    for number in range(5):
        world.media(f"Mon look {number} #pullmarin", f"anonyme.{number}", lists=("pullmarin",), after=90)
    for number in range(23):
        world.write(f"Bonjour ? ({number})", f"nina.{number % 4}", instagram=True, after=3)
    world.write("Bonjour Nina", "", to="nina.0", instagram=True)
    return fake


def bench(**options: Any) -> Callable[[Path], Iterator[Bench]]:
    """A bench on a Graph of this sort."""

    def on(folder: Path) -> Iterator[Bench]:
        with serve(told(FakeMeta(page_limit=3, **options))) as fake:
            world = fake.world

            def make(**changed: str) -> Factory:
                settings = {**SETTINGS, "hashtags": "#pullmarin", **changed}
                return lambda: instagram.connect(settings, now=lambda: world.clock, base=fake.base)

            def elsewhere() -> Collector:
                return instagram.connect(SETTINGS, now=lambda: world.clock, base="http://127.0.0.1:9")

            names = ("text", "timestamp", "from", "username", "media")
            asked = fake.shown(world.all("reply")[-1], {name: {} for name in names})
            yield Bench(
                make=make(),
                failing=(
                    make(access_token="wrong"),
                    make(app_secret="wrong"),
                    make(page=""),
                    make(page="104000000000002"),
                    make(account="17841400000000009"),
                    make(version="v12.0"),
                    elsewhere,
                ),
                mapping=instagram.map_answer,
                raws=(
                    {"data": [fake.as_media(one, {}) for one in world.all("media")]},
                    {"data": [asked]},
                    fake.refusal(401),
                ),
                answerable=instagram.map_answer({"data": [asked]}).mentions[0],
            )

    return on
