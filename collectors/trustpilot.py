"""Trustpilot: hears the reviews of a shop and of its products, and answers those of the shop.

The door: SPEC, RULES, `connect`, `map_answer`. What reviews mean is in `trustpilot_map`; what is common to networks of
reviews in `reviews_*`. With an API key alone, the public reviews are read; secret and user make answers possible.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from collectors.api_client import Answer, ApiClient
from collectors.reviews_collector import AnsweredReviews, GoneError
from collectors.reviews_map import reply_rules, same_words
from collectors.reviews_read import Listing
from collectors.reviews_service import MISSING, Service
from collectors.reviews_settings import SHARED, history, hosts, required, several, switch
from collectors.reviews_token import fingerprint, oauth
from collectors.trustpilot_map import heard, map_answer
from collectors.trustpilot_read import by_page, newest_first, oldest_first
from collectors.wire import at, first_text, list_of, moment_of, reason_in, text_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Permission, Setting, Spend
from domain.errors import ConfigurationError, ContractError, RefusedError
from domain.mention import Mention
from domain.permission import ReplyRule

__all__ = ["RULES", "SPEC", "TrustpilotCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="trustpilot",
    title="Trustpilot",
    settings=(
        Setting("business_units", "Domains or business unit ids of the shop, separated by commas"),
        Setting("api_key", "API key of our application", secret=True),
        Setting("api_secret", "Its secret; without it only public reviews are read", required=False, secret=True),
        Setting("business_user_id", "Id of the Trustpilot Business user who answers", required=False),
        Setting("product_reviews", "yes to hear the reviews of products too", required=False),
        *SHARED,
    ),
    lookback=timedelta(days=36_500),  # an edited product review comes again, however old it is
    permissions=("Trustpilot plan with API access (Connect)",),
    can_reply=True,
    reads="Reviews of the shop with rating, location (store) and order number; reviews of products on demand; our answers.",
    answers="One public answer a review of the shop. Reviews of products, and answers that are there already, are edited on "
    "Trustpilot Business.",
    access=(
        "Have the module Connect or a plan that includes it; create an application under “Integrations”, “APIs”, and copy "
        "key and secret.",
        "Copy the User ID from the profile page of the Trustpilot Business user who answers.",
    ),
    limits="Trustpilot recommends to stay below 833 questions in 5 minutes and 10,000 an hour; the shop is looked at every 15 "
    "minutes, the reviews of products every 6 hours. A token lasts 100 hours; asking for one too often is refused.",
    retention="None by contract that we know of; kept reviews are looked up again every day.",
    facts=(
        "Trustpilot Developers, “Authentication overview” and “Client credentials”, read 2026-11-26",
        "Trustpilot Developers, “Business Units overview”, read 2026-11-26",
        "Trustpilot Developers, “Rate limiting”, as quoted by api-evangelist/trustpilot on 2026-05-05",
        "Trustpilot Developers, “Service Reviews API” and “Product Reviews API”: not read; paths, parameters and fields as the "
        "public connector PipedreamHQ/pipedream uses them, read 2026-11-26",
        "Not known: whether a second answer replaces the first (so it is not sent), how long an answer may be, whether the "
        "range startDateTime to endDateTime is inclusive",
    ),
    rehydrate_every=timedelta(days=1),
)
_READ_ON = date(2026, 11, 26)
_PAGE = "Trustpilot Developers, “Service Reviews API”: Reply to a review (as public connectors use it)"
RULES = reply_rules(
    _PAGE,
    _READ_ON,
    None,
    ReplyRule(
        "review of a product",
        lambda mention: mention.raw.get("sort") == "product",
        False,
        "Reviews of products are answered on Trustpilot Business. Open the message there.",
        "Trustpilot Developers, “Product Reviews API”: conversations (as public connectors use it)",
        _READ_ON,
    ),
    replaces=False,
)
_RENEW = "Check the settings api_key and api_secret, and make a new application in Trustpilot Business if they were withdrawn."
_PLAN = "The application needs API access in the plan, and the user in business_user_id the right to answer reviews."
_PUBLIC_ONLY = (
    "Only public reviews are read here. To answer, put api_secret and business_user_id into the settings of the source."
)
_NO_USER = "The setting business_user_id is missing: copy the User ID of the Trustpilot Business user who answers."
_HOST = "https://api.trustpilot.com"
_LOGIN = "/v1/oauth/oauth-business-users-for-applications/accesstoken"
_UNIT_ID = re.compile(r"[0-9a-f]{24}")


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of some business units.

    Args:
        base: a server on this machine instead of Trustpilot's; for tests.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    required(settings, "business_units", "Write the domain of the shop as Trustpilot knows it, e.g. shop.example.")
    units = several(settings, "business_units")
    key = required(settings, "api_key", "In Trustpilot Business, “Integrations”, “APIs”, create an application.")
    secret = settings.get("api_secret", "").strip()
    (host,), allow_private = hosts(settings, base, _HOST)
    client = ApiClient(
        host, timeout=timeout, now=now, name=SPEC.title, allow_private=allow_private, secrets=(key, secret)
    )
    grant = oauth(
        client,
        _LOGIN,
        lambda: {"grant_type": "client_credentials"},
        fingerprint(host, key, secret),
        help_words=_RENEW,
        basic=(key, secret),
    )
    public, private = (
        Service(
            host,
            access,
            name=SPEC.title,
            renew=_RENEW,
            now=now,
            allow_private=allow_private,
            timeout=timeout,
            headers={"apikey": key},
            secrets=(secret,),
            refuse=_refusal,
        )
        for access in (None, grant)
    )
    return TrustpilotCollector(
        public,
        private if secret else None,
        units,
        user=settings.get("business_user_id", "").strip(),
        products=switch(settings, "product_reviews", default=False),
        now=now,
        history=history(settings),
    )


class TrustpilotCollector(AnsweredReviews):
    """Some business units of one application.

    Args:
        private: None where there is no secret.
        user: who answers.
    """

    spec = SPEC
    rules = RULES

    def __init__(
        self,
        public: Service,
        private: Service | None,
        units: Sequence[str],
        *,
        user: str,
        products: bool,
        now: Now,
        history: timedelta | None,
    ) -> None:
        super().__init__(now=now, history=history)
        self._public, self._private = public, private
        self._given, self._user, self._products = units, user, products

    def check(self) -> None:
        """See Collector: the key is good, every business unit is known, and its reviews can be read."""
        try:
            for unit in self._units:
                self._listed(f"{self._area}/business-units/{unit}/reviews", {"perPage": 1}, "reviews")
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the setting business_units.") from error
        if self._products and self._private is None:
            raise ConfigurationError(
                "Reviews of products need the setting api_secret. Add it, or take product_reviews out."
            )

    @property
    def _reading(self) -> Service:
        return self._private or self._public

    @property
    def _area(self) -> str:
        return "/v1/private" if self._private else "/v1"

    @cached_property
    def _units(self) -> Sequence[str]:
        """Ids; of a domain it is asked for."""
        return tuple(one if _UNIT_ID.fullmatch(one) else self._found(one) for one in self._given)

    def _found(self, domain: str) -> str:
        answer = self._public.get("/v1/business-units/find", {"name": domain}, allow=MISSING)
        found = text_of(at(answer.data, "id"))
        if not found:
            raise ConfigurationError(f"Trustpilot knows no shop “{domain[:60]}”. Check the setting business_units.")
        return quote(found, safe="")

    # -- reading -----------------------------------------------------------------------------------------------------------

    def _listed(self, path: str, params: Mapping[str, Any], name: str) -> list[Any]:
        data = self._reading.get(path, params).data
        if not isinstance(at(data, name), list):
            raise ContractError("Trustpilot answers with no list of reviews. It is asked again later.")
        return list_of(at(data, name))

    def _listings(self) -> Sequence[Listing]:
        return tuple(self._all_listings())

    def _all_listings(self) -> Iterator[Listing]:
        for unit in self._units:
            path = f"{self._area}/business-units/{unit}/reviews"
            yield Listing(
                unit,
                oldest_first(self._listed, path) if self._private else newest_first(self._listed, path),
                lambda item: moment_of(at(item, "createdAt")),
                heard,
                overlap=timedelta(days=2),
                pause=timedelta(minutes=15),
                newest_first=self._private is None,
            )
        for unit in self._units if self._products and self._private else ():
            yield Listing(
                f"{unit} products",
                by_page(self._listed, f"/v1/private/product-reviews/business-units/{unit}/reviews"),
                lambda item: moment_of(first_text(item, "updatedAt", "createdAt")),
                heard,
                overlap=timedelta(days=2),
                pause=timedelta(hours=6),
                newest_first=False,  # its order is told nowhere
            )

    def _heard(self, item: Any) -> tuple[Mention, ...]:
        return heard(item)

    def _looked_up(self, mention: Mention) -> Any:
        area = f"{self._area}/product-reviews" if mention.raw.get("sort") == "product" else f"{self._area}/reviews"
        path = f"{area}/{quote(mention.parent_id or mention.native_id, safe='')}"
        answer = self._reading.get(path, allow=MISSING)
        if answer.status in MISSING:
            raise GoneError
        return answer.data

    # -- answering ---------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        told = super().may_reply(mention)
        if told.allowed and not (self._private and self._user):
            return replace(told, allowed=False, reason=_NO_USER if self._private else _PUBLIC_ONLY)
        return told

    def _send(self, mention: Mention, text: str) -> None:
        # Whether a second answer would replace the first is told nowhere: it is looked before anything is sent.
        try:
            ours = [one for one in heard(self._looked_up(mention)) if one.outbound]
        except GoneError:
            raise RefusedError("The review is no longer on Trustpilot.") from None
        if ours and not same_words(ours[0].text, text):
            raise RefusedError("This review has another answer of ours already. Change it on Trustpilot Business.")
        if ours or self._private is None:
            return
        path = f"/v1/private/reviews/{quote(mention.native_id, safe='')}/reply"
        body = {"message": text, "authorBusinessUserId": self._user}
        answer = self._private.ask("POST", path, body=body, write=True, allow=MISSING)
        if answer.status in MISSING:
            raise RefusedError("The review is no longer on Trustpilot.")

    def _spent(self) -> Spend:
        return self._public.spent() + (self._private.spent() if self._private else Spend())


def _refusal(service: Service, answer: Answer) -> Exception | None:
    fault = text_of(at(answer.data, "fault", "faultstring"))
    said = service.clean(fault or reason_in(answer.data))
    if answer.status == 403:
        return ConfigurationError(f"Trustpilot does not let us do this{f': {said}' if said else ''}. {_PLAN}")
    if answer.status == 404 and answer.path.endswith("/reviews"):
        return ConfigurationError(
            f"Trustpilot does not know the shop of {answer.path}. Check the setting business_units."
        )
    if answer.status in {400, 409, 422} and fault:
        return RefusedError(f"Trustpilot refused: {said}.")
    return None
