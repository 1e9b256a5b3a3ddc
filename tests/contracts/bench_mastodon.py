"""The Mastodon collector on the bench of the contract: a small town, on servers with three sorts of ids."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from collectors import mastodon
from collectors.mastodon_map import map_answer, mention_of
from domain.contracts import Collector
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench
from tests.fakes.http_server import serve
from tests.fakes.mastodon import BRAND, TOKEN, FakeMastodon, snowflakes

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def told(server: FakeMastodon) -> FakeMastodon:
    """The server after some days in which people spoke of the brand."""
    server.page_limit = 3  # several pages of everything
    first = server.say("marie", f"@{BRAND} ma commande n'arrive pas")
    answer = server.say(BRAND, "@marie Bonjour, quel est son numéro ?", parent=first)
    second = server.say("marie", f"@{BRAND} 4711", parent=answer)
    server.say("zoe@ailleurs.example", "Pareil chez moi", parent=second)
    server.say(BRAND, "Nos magasins ouvrent dimanche #ormelune")
    for number in range(6):
        server.say(f"client{number}", f"Vu en rayon #ormelune n° {number}", after=60)
    server.say("paul", f"@{BRAND} en privé", visibility="direct")
    server.say("luc", "", fields_are_odd=True, content=None)
    server.say("luc", f"@{BRAND} et hier ?", spoiler="Colis")
    return server


def bench(**options: Any) -> Callable[[Path], Iterator[Bench]]:
    """A bench on a server of this sort."""

    def on(folder: Path) -> Iterator[Bench]:
        with serve(told(FakeMastodon(**{"ids": snowflakes, **options}))) as server:
            good = {"server": server.base, "access_token": TOKEN, "hashtags": "ormelune", "allow_private": "yes"}

            def make(**changed: str) -> suite.Factory:
                settings = {**good, **changed}

                def factory() -> Collector:
                    return mastodon.connect(settings, now=lambda: NOW, timeout=5.0)

                return factory

            yield Bench(
                make=make(),
                failing=(
                    make(access_token="wrong"),
                    make(access_token=""),
                    make(server=""),
                    make(server="http://127.0.0.1:9"),
                    make(allow_private="no"),
                    make(server=f"{server.base}/blog"),
                ),
                mapping=lambda raw: map_answer(raw) if isinstance(raw, list) else mention_of(raw),
                raws=(
                    server.status(server.statuses[0]),
                    server.status(server.statuses[-1]),
                    [server.notification(one) for one in server.notifications],
                ),
                answerable=mention_of(server.status(server.statuses[0])),
            )

    return on
