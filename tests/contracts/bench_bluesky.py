"""The Bluesky collector on the bench of the contract: some days in which people spoke of the brand."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from collectors import bluesky
from collectors.bluesky_map import map_answer, mention_of
from collectors.bluesky_service import forget_sessions
from domain.contracts import Collector
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench
from tests.fakes.bluesky import HANDLE, PASSWORD, FakeBluesky
from tests.fakes.http_server import serve

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)


def told(service: FakeBluesky) -> FakeBluesky:
    """The service after these days."""
    service.page_limit = 3  # several pages of everything
    first = service.say("marie.example", f"@{HANDLE} ma commande n'arrive pas")
    answer = service.say(HANDLE, "Bonjour, quel est son numéro ?", parent=first)
    second = service.say("marie.example", "4711", parent=answer)
    service.say("zoe.example", "Pareil chez moi", parent=second)
    service.say(HANDLE, "Nos magasins ouvrent dimanche")
    for number in range(6):
        service.say(f"client{number}.example", f"@{HANDLE} n° {number} ?", after=60)
    odd = service.say("luc.example", f"@{HANDLE}")
    odd.record["text"] = ""
    service.notify("like", first)
    return service


def bench(folder: Path) -> Iterator[Bench]:
    """A bench on one service."""
    forget_sessions()
    with serve(told(FakeBluesky())) as service:
        good = {"handle": HANDLE, "app_password": PASSWORD, "service": service.base, "allow_private": "yes"}

        def make(**changed: str) -> suite.Factory:
            settings = {**good, **changed}

            def factory() -> Collector:
                return bluesky.connect(settings, now=lambda: NOW, timeout=5.0)

            return factory

        yield Bench(
            make=make(),
            failing=(
                make(app_password="wrong"),
                make(app_password=""),
                make(handle=""),
                make(handle="nobody.example"),
                make(service="http://127.0.0.1:9"),
                make(allow_private="no"),
                make(service=f"{service.base}/blog"),
            ),
            mapping=lambda raw: map_answer(raw) if "thread" in raw or "notifications" in raw else mention_of(raw),
            raws=(
                service.view(service.posts[0]),
                {"thread": service.thread(service.posts[0])},
                {"notifications": [service.notification(one) for one in service.notifications]},
            ),
            answerable=mention_of(service.view(service.posts[0])),
        )
