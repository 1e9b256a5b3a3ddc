"""Avis Vérifiés (Skeepers Verified Reviews): hears the published reviews of a shop and of its products. Answers by hand.

The door: SPEC, `connect`, `map_answer`. What reviews mean is in `avis_verifies_map`; what is common to networks of reviews in
`reviews_*`. No interface for answers is documented: the message leads to the shop's own account there.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from collectors.api_client import ApiClient
from collectors.avis_verifies_map import OFFICE, heard, map_answer, when
from collectors.reviews_collector import Reviews
from collectors.reviews_read import Batch, Listing
from collectors.reviews_service import Service
from collectors.reviews_settings import SHARED, history, hosts, required, switch
from collectors.reviews_token import fingerprint, oauth
from collectors.wire import dict_of, first_text, list_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Setting, Spend
from domain.errors import ConfigurationError, ContractError, RefusedError

__all__ = ["SPEC", "AvisVerifiesCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="avis_verifies",
    title="Avis Vérifiés",
    settings=(
        Setting("client_id", "Client ID of our API account"),
        Setting("client_secret", "Client secret of our API account", secret=True),
        Setting("brand_reviews", "no to leave the reviews of the shop unread", required=False),
        Setting("product_reviews", "no to leave the reviews of products unread", required=False),
        *SHARED,
    ),
    lookback=timedelta(days=36_500),  # a review may be published long after it was written
    reads="Published reviews and ratings of the shop and of its products, with store, product and order where they are told, "
    "and what was said below them. CSV exports of the back office are read by the source “files”, network=avis_verifies.",
    answers=f"None by this interface: the message leads to {OFFICE}, where the shop answers.",
    access=(
        f"Log in at {OFFICE}, open “Account management”, “API Access”, and create the API account.",
        "Copy Client ID and Client secret into the settings.",
    ),
    limits="5 questions a second and 100 a minute; each list is looked at every 15 minutes, 200 reviews a question.",
    retention="None by contract that we know of. Edits are heard for 3 days after publication; the interface looks up no "
    "single review, so later edits and removals are not.",
    facts=(
        "Skeepers API documentation, “Published API” (address, login, purpose) and “Migrating to the new Published API” "
        "(endpoints, parameters), read 2026-11-26",
        "Fields of a product review and the parameter publish_date.gte: as a public integration uses them, read 2026-11-26",
        "Limits, and paging by the Link header: as described by others, read 2026-11-26",
        "Not verified: the fields of a shop's review, how answers below a review are told, and that there is no way to answer",
    ),
)
_RENEW = f"Check the settings client_id and client_secret at {OFFICE}, “Account management”, “API Access”."
_API, _AUTH = "https://api.skeepers.io", "https://auth.skeepers.io"
_LOGIN = "/realms/skeepers/protocol/openid-connect/token"
_BASE = "/verified-reviews/v1/published"
_LISTS = (("brand_reviews", "brands"), ("product_reviews", "products"))
_PAGE_SIZE = 200
_NEXT = re.compile(r"<([^<>]{1,4000})>\s*;[^,<]*\brel=\"?next\"?")


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account.

    Args:
        base: a server on this machine instead of Skeepers'; for tests.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    client_id, secret = (required(settings, key, _RENEW) for key in ("client_id", "client_secret"))
    lists = [name for key, name in _LISTS if switch(settings, key, default=True)]
    if not lists:
        raise ConfigurationError("The settings brand_reviews and product_reviews both say no: nothing would be heard.")
    (auth, host), allow_private = hosts(settings, base, _AUTH, _API)
    client = ApiClient(auth, timeout=timeout, now=now, name=SPEC.title, allow_private=allow_private, secrets=(secret,))
    grant = oauth(
        client,
        _LOGIN,
        lambda: {"grant_type": "client_credentials", "audience": "verified-reviews"},
        fingerprint(auth, client_id, secret),
        help_words=_RENEW,
        basic=(client_id, secret),
    )
    service = Service(
        host,
        grant,
        name=SPEC.title,
        renew=_RENEW,
        now=now,
        allow_private=allow_private,
        timeout=timeout,
        secrets=(secret,),
    )
    return AvisVerifiesCollector(service, lists, now=now, history=history(settings))


class AvisVerifiesCollector(Reviews):
    """One account."""

    spec = SPEC

    def __init__(self, service: Service, lists: Sequence[str], *, now: Now, history: timedelta | None) -> None:
        super().__init__(now=now, history=history)
        self._service, self._lists = service, lists

    def check(self) -> None:
        """See Collector: we are let in, and each list can be read."""
        try:
            for name in self._lists:
                self._asked(name, "", self._now(), 1)
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check that the account's offer includes these reviews.") from error

    def _asked(self, name: str, token: str, until: datetime | None, limit: int = _PAGE_SIZE) -> Batch:
        since = until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if until else None
        params = {"publish_date.gte": since, "limit": limit, "cursor": token or None}
        answer = self._service.get(f"{_BASE}/{name}/reviews", params)
        items = answer.data if isinstance(answer.data, list) else dict_of(answer.data).get("data")
        if not isinstance(items, list):
            raise ContractError("Avis Vérifiés answers with no list of reviews. It is asked again later.")
        return Batch(list_of(items), _cursor_in(answer.headers.get("Link", "")))

    def _listings(self) -> Sequence[Listing]:
        return [self._listing(name) for name in self._lists]

    def _listing(self, name: str) -> Listing:
        return Listing(
            name,
            lambda token, until: self._asked(name, token, until),
            lambda item: when(first_text(item, "publish_date", "review_date", "created_at")),
            heard,
            overlap=timedelta(days=3),
            pause=timedelta(minutes=15),
            newest_first=False,  # its order is told nowhere; publish_date narrows it
        )

    def _spent(self) -> Spend:
        return self._service.spent()


def _cursor_in(header: str) -> str:
    """What the header Link says to go on from: only this is used, never the address."""
    found = _NEXT.search(header)
    try:
        return next(iter(parse_qs(urlsplit(found[1]).query).get("cursor", [])), "") if found else ""
    except ValueError:
        return ""
