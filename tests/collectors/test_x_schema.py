"""The fake X against X's own description: run with X_OPENAPI=file[:file] (JSON, or gzipped), versions 2.157 and 2.167.

The descriptions are X's and not kept here. Without them, the fake still refuses unknown fields and parameters by itself.
"""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from tests.fakes.x import NEW, NOW, OLD, SETTINGS, FakeX, serve
from tests.fakes.x_schema import Description

FILES = [Path(name) for name in os.environ.get("X_OPENAPI", "").split(":") if name]


@pytest.mark.skipif(not FILES, reason="X_OPENAPI names no description")
@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_fake_answers_as_described(version: str) -> None:
    descriptions = {found.version: found for found in map(Description, FILES)}
    described = descriptions[version]
    fake = FakeX(version)
    world, lea = fake.world, fake.world.user("lea_m")
    own = world.say(fake.owner, "Nos pulls", NOW - timedelta(hours=9))
    media = ({"media_key": "3_1", "type": "photo", "url": "https://pbs.example/a.jpg", "alt_text": "un pull"},)
    place = {"id": "01a9a39529b27f36", "full_name": "Nantes, France", "country_code": "FR", "name": "Nantes"}
    gone = world.say(lea, "efface", NOW - timedelta(hours=8.5))
    first = world.say(
        lea, "@ormelune #pull a & b https://a.example", NOW - timedelta(hours=8), media=media, place=place
    )
    world.say(lea, "@ormelune encore", NOW - timedelta(hours=7), quoted=own.id, withheld=("FR",))
    world.say(lea, "@ormelune " + "long " * 80, NOW - timedelta(hours=6), parent=own.id, long=True)
    world.say(lea, "@ormelune voyez", NOW - timedelta(hours=5), quoted=gone.id)
    world.edit(first, "@ormelune #pull corrige", NOW - timedelta(hours=7.9))
    world.write(lea, [fake.owner], "en prive https://a.example", NOW - timedelta(hours=4))
    world.delete(gone.id)
    with serve(fake):
        seen = _answers(fake, first.id, gone.id)
    for answer, bodies in seen.items():
        for body in bodies:
            assert body and described.errors(answer, body) == [], answer


def _answers(fake: FakeX, *ids: str) -> dict[str, list[object]]:
    from collectors import x
    from collectors.x_client import Span

    seen: dict[str, list[object]] = {}
    names = {"fields": "tweet" if fake.version == OLD else "post"}
    collector = x.connect({**SETTINGS, **names}, now=lambda: NOW, base=fake.base)
    api = collector._api  # type: ignore[attr-defined]
    span = Span()
    seen["mentions"] = [api.mentions(fake.owner.id, span), api.posts(fake.owner.id, span)]
    seen["search"] = [api.search("@ormelune", span), api.search("introuvable", span)]
    seen["lookup"] = [api.lookup(ids)]
    seen["events"] = [api.events(span)]
    seen["counts"] = [api.count("@ormelune", "1", None)]
    seen["created"] = [api.post("Bonjour", ids[0])]
    seen["message"] = [api.message("Bonjour", person=fake.world.events[0].sender.id)]
    return seen
