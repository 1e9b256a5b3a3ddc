"""The generic webhook on the bench of the contract: its source is what was delivered, kept in the order of arrival."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from collectors import webhook
from domain.contracts import Collector, Cursor, Delivery, HearsWebhooks, Page, Watch
from tests.contracts.collector_suite import Bench, Factory
from tests.fakes.http_server import serve
from tests.fakes.webhook import SECRET, Receiver

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
SAID = [
    [{"id": f"m{n}", "text": f"Message {n}", "date": "2026-03-10T09:00:00Z", "author": "lea"} for n in range(3)],
    {"id": "m3", "text": "Seul", "date": "2026-03-10T09:05:00Z"},
    [{"id": "m4", "text": "Avant-dernier", "date": "2026-03-10T09:06:00Z"}, {"nothing": 1}],
    {"id": "m5", "text": "Sans date"},
]


class Delivered:
    """A collector whose deliveries are read from a place on, as the worker reads them from its inbox."""

    def __init__(self, made: Collector) -> None:
        assert isinstance(made, HearsWebhooks)
        self._made: Any = made

    def __getattr__(self, name: str) -> Any:
        return getattr(self._made, name)

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        self._made.fetch(watch, since)
        for number, body in enumerate(SAID):
            if since is None or number >= int(since):
                delivery = Delivery("POST", {}, {}, json.dumps(body).encode(), NOW + timedelta(minutes=number))
                yield replace(self._made.unpack(delivery), cursor=Cursor(str(number + 1)))


def bench(_folder: Path) -> Iterator[Bench]:
    """A bench on one sender, and its receiver of answers."""
    with serve(Receiver()) as vendor:
        good = {"secret": SECRET, "answer_url": f"{vendor.base}/in/answers?shop=1", "allow_private": "yes"}

        def make(**changed: str) -> Factory:
            return lambda: Delivered(webhook.connect({**good, **changed}, now=lambda: NOW))  # type: ignore[return-value]

        mentions = [one for page in make()().fetch(Watch(), None) for one in page.mentions]
        yield Bench(
            make=make(),
            failing=(make(secret=""), make(secret="short"), make(mapping="{"), make(answer_url="nowhere")),
            mapping=webhook.map_answer,
            raws=tuple(SAID),
            answerable=mentions[0],
        )
