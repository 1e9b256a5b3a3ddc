"""The YouTube collector on the bench of the contract: some days of comments below our videos."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from collectors import youtube
from collectors.access_tokens import forget_tokens
from collectors.youtube_map import map_answer
from domain.contracts import Collector
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench
from tests.fakes.http_server import serve
from tests.fakes.youtube import BRAND, SETTINGS, FakeYoutube

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def told(vendor: FakeYoutube) -> FakeYoutube:
    """YouTube after these days."""
    first = vendor.say("marie", "Mon colis est perdu")
    vendor.say(BRAND, "Bonjour, quel numéro ?", parent=first)
    for number in range(4):
        vendor.say(f"client{number}", f"Pareil, n° {number}", parent=first)
    for number in range(5):
        vendor.say(f"autre{number}", f"Jolie vidéo {number}", after=60)
    vendor.say("odd", "sans mots").fields = {"textOriginal": "", "textDisplay": ""}
    vendor.edit(vendor.said[0], "Mon colis est perdu, toujours")
    return vendor


def bench(folder: Path) -> Iterator[Bench]:
    """A bench on one channel."""
    forget_tokens()
    with serve(told(FakeYoutube(page_limit=3, shown=2))) as vendor:

        def make(base: str = vendor.base, **changed: str) -> suite.Factory:
            def factory() -> Collector:
                return youtube.connect({**SETTINGS, **changed}, now=lambda: NOW, base=base, timeout=5.0)

            return factory

        yield Bench(
            make=make(),
            failing=(
                make(refresh_token="wrong"),
                make(refresh_token=""),
                make(channel_id="ormelune"),
                make(client_id=""),
                make(base="http://127.0.0.1:9"),
                make(base=f"{vendor.base}/blog"),
            ),
            mapping=map_answer,
            raws=tuple(vendor.thread(one) for one in vendor.said if one.parent is None),
            answerable=map_answer(vendor.thread(vendor.said[0])).mentions[0],
        )
