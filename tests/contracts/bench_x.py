"""The bench of X for the collector contract: a brand's account on the fake, with several pages of everything."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from collectors import x
from domain.contracts import Collector
from domain.mention import Mention
from tests.contracts.collector_suite import Bench, Factory
from tests.fakes.x import NEW, NOW, OLD, SETTINGS, FakeX, serve


def _populated(version: str) -> FakeX:
    fake = FakeX(version)
    world, owner = fake.world, fake.owner
    people = [world.user(name) for name in ("lea_m", "tom", "ines")]
    opened = world.say(
        owner, "Nos pulls marins sont de retour : https://ormelune.example/pulls", NOW - timedelta(days=3)
    )
    for number in range(26):
        at = NOW - timedelta(days=2) + timedelta(minutes=number)
        asked = world.say(people[number % 3], f"@ormelune question {number} & suite", at)
        if number % 5 == 0:
            world.say(owner, f"Réponse à la question {number}", at + timedelta(seconds=20), parent=asked.id)
    for number in range(12):
        at = NOW - timedelta(hours=3) + timedelta(minutes=number)
        world.say(people[number % 3], f"plutôt cher, numéro {number}", at, parent=opened.id, names=False)
    for number in range(24):
        world.write(people[0], [owner], f"en privé, {number}", NOW - timedelta(hours=1) + timedelta(minutes=number))
    return fake


def bench(version: str, _folder: Path) -> Iterator[Bench]:
    """One bench for the names of a version."""
    fake = _populated(version)
    names = {"fields": "tweet" if version == OLD else "post"}
    with serve(fake):

        def make(**settings: str) -> Factory:
            given = {**SETTINGS, **names, **settings}
            return lambda: x.connect(given, now=lambda: NOW, base=fake.base, page_size=10)

        def elsewhere() -> Collector:
            return x.connect({**SETTINGS, **names}, now=lambda: NOW, base="http://127.0.0.1:9")

        asked = next(post for post in fake.world.posts.values() if post.written.startswith("@ormelune"))
        answerable: Mention = x.map_answer({"data": fake.world.whole(asked, version)}).mentions[0]
        answerable.raw["summons"] = "mention"
        whole = [fake.world.whole(post, version) for post in list(fake.world.posts.values())[:20]]
        yield Bench(
            make=make(),
            failing=(make(access_token_secret="wrong"), make(account=""), make(fields="tweets"), elsewhere),
            mapping=x.map_answer,
            raws=({"data": whole, "meta": {"result_count": len(whole)}}, fake.refusal(402), {"data": "odd"}),
            answerable=answerable,
        )


def bench_old(folder: Path) -> Iterator[Bench]:
    """By the names of 2022 to 2026."""
    yield from bench(OLD, folder)


def bench_new(folder: Path) -> Iterator[Bench]:
    """By the names of 2026."""
    yield from bench(NEW, folder)
