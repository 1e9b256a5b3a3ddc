"""The Reddit collector on the bench of the contract: some days in which people spoke of the brand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from collectors import reddit
from collectors.access_tokens import forget_tokens
from collectors.reddit_map import map_answer, mention_of
from domain.contracts import Collector
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench
from tests.fakes.http_server import serve
from tests.fakes.reddit import BRAND, SETTINGS, FakeReddit

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def told(vendor: FakeReddit) -> FakeReddit:
    """Reddit after these days."""
    first = vendor.say("marie_b", f"Quelqu'un de u/{BRAND} ? Colis perdu.", title="Colis")
    answer = vendor.say(BRAND, "Bonjour, quel est le numéro ?", parent=first)
    second = vendor.say("marie_b", "4711", parent=answer)
    vendor.say("zoe_z", "Pareil chez moi", parent=second)
    vendor.say("luc_c", "Autre sujet", parent=first)
    vendor.say(BRAND, "Nos magasins ouvrent dimanche", title="Horaires", community="ormelune")
    for number in range(6):
        vendor.say(f"client{number}", f"Vu en rayon, n° {number}", after=60, community="ormelune")
    vendor.say("paul_p", "en privé", kind="t4")
    odd = vendor.say("luc_c", f"u/{BRAND} rien", parent=first)
    odd.fields["body"] = None
    vendor.say("eve_e", f"u/{BRAND} supprimé", parent=first).gone = "[deleted]"
    return vendor


def bench(folder: Path) -> Iterator[Bench]:
    """A bench on one Reddit."""
    forget_tokens()
    with serve(told(FakeReddit(page_limit=3, shown=3))) as vendor:
        good = {**SETTINGS, "communities": "ormelune"}

        def make(base: str = vendor.base, **changed: str) -> suite.Factory:
            settings = {**good, **changed}

            def factory() -> Collector:
                return reddit.connect(settings, now=lambda: NOW, base=base, timeout=5.0)

            return factory

        yield Bench(
            make=make(),
            failing=(
                make(refresh_token="wrong"),
                make(refresh_token=""),
                make(username=""),
                make(username="not a name"),
                make(client_secret=""),
                make(base="http://127.0.0.1:9"),
                make(base=f"{vendor.base}/blog"),
            ),
            mapping=lambda raw: map_answer(raw) if isinstance(raw, list) else mention_of(raw),
            raws=([vendor.thing(one) for one in vendor.said], [vendor.inbox_thing(one) for one in vendor.said]),
            answerable=map_answer(vendor.thing(vendor.said[0])).mentions[0],
        )
