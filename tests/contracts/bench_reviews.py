"""The collectors of reviews on the bench of the contract: each on its own fake, with two stores, apps or lists."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from collectors import access_tokens, trustpilot_read
from domain.contracts import Collector, Watch
from tests.contracts.collector_suite import Bench, Factory
from tests.fakes.http_server import serve
from tests.fakes.reviews import FakeReviews
from tests.fakes.reviews_kinds import KINDS

BY_KEY = {kind.key: kind for kind in KINDS}
NO_ID = dict.fromkeys(("reviewId", "id", "review_id", "name"))


def told(fake: FakeReviews) -> FakeReviews:
    """The vendor after some days in which people wrote."""
    first, second = fake.places
    for number in range(11):
        fake.write(f"Avis {number}", 1 + number % 5, where=second if number % 3 == 2 else first)
    fake.write("", 5)
    fake.write("Personne", 2, name="", title="Bof")
    fake.write("cassé").fields = NO_ID
    fake.answer(fake.reviews[1], "Merci pour votre avis.")
    fake.edit(fake.reviews[3], "Tout compte fait, très bien", 5)
    return fake


def bench(key: str) -> Callable[[Path], Iterator[Bench]]:
    """A bench on this network."""
    kind = BY_KEY[key]

    def on(folder: Path) -> Iterator[Bench]:
        access_tokens.forget_tokens()
        with _small_pages(), serve(told(kind.fake())) as fake:

            def make(**changed: str) -> Factory:
                return lambda: kind.connect(fake, **changed)

            def elsewhere() -> Collector:
                made: Collector = kind.module.connect(
                    kind.settings, now=lambda: fake.clock, base="http://127.0.0.1:9", **kind.options
                )
                return made

            mentions = [one for page in make()().fetch(Watch(), None) for one in page.mentions]
            shape: Any = getattr(fake, "shape")  # noqa: B009 - of the vendors, not of their base
            yield Bench(
                make=make(),
                failing=(
                    elsewhere,
                    *(make(**{name: ""}) for name in kind.settings if name in _NEEDED),
                    *_wrong(make, key),
                ),
                mapping=kind.module.map_answer,
                raws=(shape(fake.reviews[0]), shape(fake.reviews[1]), [shape(one) for one in fake.reviews]),
                answerable=next(one for one in mentions if not one.outbound and not one.raw.get("reply")),
            )

    return on


@contextmanager
def _small_pages() -> Iterator[None]:
    """Several pages of everything, also where the page size is ours to choose."""
    usual, trustpilot_read.PAGE_SIZE = trustpilot_read.PAGE_SIZE, 3
    try:
        yield
    finally:
        trustpilot_read.PAGE_SIZE = usual


_NEEDED = frozenset(
    {
        "client_id",
        "client_secret",
        "refresh_token",
        "business_units",
        "api_key",
        "apps",
        "issuer_id",
        "private_key",
        "packages",
    }
)


def _wrong(make: Callable[..., Factory], key: str) -> tuple[Factory, ...]:
    """With access or a place that is not ours."""
    wrong = {
        "google_business": {"refresh_token": "withdrawn"},
        "trustpilot": {"business_units": "nowhere.example"},
        "avis_verifies": {"client_secret": "wrong"},
        "app_store": {"issuer_id": "somebody"},
        "google_play": {"packages": "com.elsewhere.app"},
    }
    return (make(**wrong[key]),)
