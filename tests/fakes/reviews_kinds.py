"""The five networks of reviews side by side: KINDS, for tests of what they have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from collectors import app_store, avis_verifies, google_business, google_play, trustpilot
from domain.contracts import Collector
from tests.fakes import app_store as fake_app_store
from tests.fakes import avis_verifies as fake_avis_verifies
from tests.fakes import google_business as fake_google_business
from tests.fakes import google_play as fake_google_play
from tests.fakes import trustpilot as fake_trustpilot
from tests.fakes.reviews import FakeReviews


@dataclass(frozen=True)
class Kind:
    """One network.

    Attributes:
        secret: a setting that must never be told.
        lists: start of the paths of its lists.
        writes: method and start of the path of an answer; "" where there is none.
        options: for `connect`.
    """

    key: str
    module: Any
    fake: Callable[[], FakeReviews]
    settings: dict[str, str]
    secret: str
    lists: str
    writes: tuple[str, str] = ("", "")
    replaces: bool = True
    options: dict[str, Any] = field(default_factory=dict)

    def connect(self, fake: FakeReviews, *, timeout: float = 5.0, later: float = 1, **settings: str) -> Collector:
        """A collector some minutes after the last thing that happened."""
        made: Collector = self.module.connect(
            {**self.settings, **settings},
            now=lambda: fake.clock + timedelta(minutes=later),
            base=fake.base,
            timeout=timeout,
            **self.options,
        )
        return made


KINDS = (
    Kind(
        "google_business",
        google_business,
        fake_google_business.FakeGoogleBusiness,
        fake_google_business.SETTINGS,
        "client_secret",
        "/v4/accounts/77/locations/111/reviews",
        ("PUT", "/v4/"),
    ),
    Kind(
        "trustpilot",
        trustpilot,
        fake_trustpilot.FakeTrustpilot,
        fake_trustpilot.SETTINGS,
        "api_secret",
        "/v1/private/business-units/",
        ("POST", "/v1/private/reviews/"),
        replaces=False,
    ),
    Kind(
        "avis_verifies",
        avis_verifies,
        fake_avis_verifies.FakeAvisVerifies,
        fake_avis_verifies.SETTINGS,
        "client_secret",
        "/verified-reviews/v1/published/brands",
    ),
    Kind(
        "app_store",
        app_store,
        fake_app_store.FakeAppStore,
        fake_app_store.SETTINGS,
        "private_key",
        "/v1/apps/900001/customerReviews",
        ("POST", "/v1/customerReviewResponses"),
        options={"sign": fake_app_store.sign},
    ),
    Kind(
        "google_play",
        google_play,
        fake_google_play.FakeGooglePlay,
        fake_google_play.SETTINGS,
        "service_account",
        "/androidpublisher/v3/applications/com.ormelune.shop/reviews",
        ("POST", "/androidpublisher/"),
        options={"sign": fake_google_play.sign},
    ),
)
