"""Google Business Profile: hears the reviews of a shop's places, store by store, and answers them.

The door: SPEC, RULES, `connect`, `map_answer`. What reviews mean is in `google_business_map`; what is common to networks of
reviews in `reviews_*`, Google's logins and refusals in `reviews_google`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import quote

from collectors import reviews_google as google
from collectors.api_client import Answer, ApiClient
from collectors.google_business_map import Store, heard, map_answer
from collectors.reviews_collector import AnsweredReviews, GoneError, UntoldError
from collectors.reviews_map import reply_rules
from collectors.reviews_read import Batch, Listing
from collectors.reviews_service import MISSING, Service
from collectors.reviews_settings import SHARED, history, hosts, several
from collectors.values import web_url
from collectors.wire import at, first_text, list_of, moment_of, text_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Setting, Spend
from domain.errors import ConfigurationError, ContractError, RefusedError
from domain.mention import Mention

__all__ = ["RULES", "SPEC", "GoogleBusinessCollector", "connect", "map_answer"]

SCOPE = "https://www.googleapis.com/auth/business.manage"
SPEC = CollectorSpec(
    key="google_business",
    title="Google Business Profile",
    settings=(
        Setting("client_id", "Id of our OAuth client"),
        Setting("client_secret", "Secret of our OAuth client", secret=True),
        Setting("refresh_token", "Refresh token of the account that manages the places", secret=True),
        Setting("account", "Number of the account, where it manages several", required=False),
        Setting(
            "locations", "Numbers of the places, separated by commas; all of the account unless given", required=False
        ),
        *SHARED,
    ),
    lookback=timedelta(days=36_500),  # an edit brings a review up again, however old it is
    permissions=(SCOPE,),
    can_reply=True,
    reads="Reviews and ratings of the account's verified places, each with its store (the store code, else the name of the "
    "place), ratings without words too; edits, our answers, and what Google said of them.",
    answers="One public answer a review; another one takes its place. Google reads answers before it shows them.",
    access=(
        "Ask for access to the Business Profile APIs (form “Business Profile API”, with a project of yours and a profile that "
        "is at least 60 days old). Until Google has approved the project its quota is 0, and nothing can be read.",
        "In the Google Cloud console, enable “Google My Business API”, “My Business Account Management API” and “My Business "
        "Business Information API”.",
        f"Make an OAuth client, let the Google account that owns or manages the places in once with the scope {SCOPE}, and "
        "put client id, client secret and refresh token into the settings. An app in the state “Testing” loses its refresh "
        "token after 7 days: publish it.",
    ),
    limits="300 questions a minute for a project; each place is looked at every 15 minutes, 50 reviews a question. An answer "
    "has at most 4,096 bytes: an accented letter counts two.",
    retention="See Google's policies for these interfaces. Kept reviews are looked up again every day, so that edited ones "
    "are shown as they are and removed ones lose their words.",
    facts=(
        "Google Business Profile APIs, REST resource accounts.locations.reviews (v4), read 2026-11-26",
        "Google Business Profile APIs, methods accounts.locations.reviews.list and updateReply, read 2026-11-26",
        "Google Business Profile APIs, “Usage limits”, read 2026-11-26 (300 a minute is what it says of its other interfaces; "
        "it has no number for the reviews themselves)",
        "Google Business Profile APIs, “Latest updates” (reviewReplyState of 2026-04-01, reviewReplyUrl of 2026-07-24), read "
        "2026-11-26",
        "Google Business Profile APIs, “Prerequisites” (approval, quota 0, 60 days) and “Policies”, and Google Identity, "
        "“OAuth 2.0” (tokens of apps in testing): not read again",
    ),
    rehydrate_every=timedelta(days=1),  # our own answers, given elsewhere, do not bring a review up
)
_READ_ON = date(2026, 11, 26)
TEXT_LIMIT = 4_096  # bytes
RULES = reply_rules(
    "Google Business Profile APIs, REST resource accounts.locations.reviews: ReviewReply", _READ_ON, TEXT_LIMIT
)
_RENEW = (
    "Let the Google account in again with the scope business.manage and put the new refresh token into the setting "
    "refresh_token."
)
_ENABLE = (
    "Enable the interface in the Google Cloud console, and ask Google to approve the project for the Business Profile APIs; "
    "until then its quota is 0."
)
_PERMISSION = (
    "Check that the Google account is an owner or manager of the place, and that its token has the scope "
    "business.manage."
)
_REVIEWS, _ACCOUNTS, _PLACES = (
    "https://mybusiness.googleapis.com",
    "https://mybusinessaccountmanagement.googleapis.com",
    "https://mybusinessbusinessinformation.googleapis.com",
)
_PAGE_SIZE, _MOST_PAGES = 50, 100


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account.

    Args:
        base: a server on this machine instead of Google's; for tests.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    (token_host, *vendor), allow_private = hosts(settings, base, google.TOKEN_HOST, _REVIEWS, _ACCOUNTS, _PLACES)
    client = ApiClient(token_host, timeout=timeout, now=now, name="Google", allow_private=allow_private)
    grant = google.refresh_grant(settings, client, _RENEW)

    def refuse(service: Service, answer: Answer) -> Exception | None:
        return google.refusal(service, answer, enable=_ENABLE, permission=_PERMISSION, now=now)

    reviews, accounts, places = (
        Service(
            host,
            grant,
            name=SPEC.title,
            renew=_RENEW,
            now=now,
            allow_private=allow_private,
            timeout=timeout,
            refuse=refuse,
        )
        for host in vendor
    )
    return GoogleBusinessCollector(
        reviews,
        accounts,
        places,
        account=settings.get("account", "").strip().removeprefix("accounts/"),
        wanted=several(settings, "locations"),
        now=now,
        history=history(settings),
    )


class GoogleBusinessCollector(AnsweredReviews):
    """One account with its places."""

    spec = SPEC
    rules = RULES
    _unit = "bytes"

    def __init__(
        self,
        reviews: Service,
        accounts: Service,
        places: Service,
        *,
        account: str,
        wanted: Sequence[str],
        now: Now,
        history: timedelta | None,
    ) -> None:
        super().__init__(now=now, history=history)
        self._reviews, self._accounts, self._places = reviews, accounts, places
        self._given, self._wanted = account, [one.rpartition("/")[2] for one in wanted]

    def check(self) -> None:
        """See Collector: Google lets us in, and the first place's reviews can be read."""
        try:
            for location in list(self._stores)[:1]:
                answer = self._reviews.get(f"/v4/{self._account}/{location}/reviews", {"pageSize": 1})
                if not isinstance(answer.data, dict):
                    raise ContractError("The address answers, but not as Google does.")
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the settings account and locations.") from error

    # -- places ------------------------------------------------------------------------------------------------------------

    @cached_property
    def _account(self) -> str:
        """``accounts/…``"""
        if self._given:
            return f"accounts/{quote(self._given, safe='')}"
        answer = self._accounts.get("/v1/accounts", {"pageSize": 20})
        known = {
            text_of(at(one, "name")): text_of(at(one, "accountName")) for one in list_of(at(answer.data, "accounts"))
        }
        known.pop("", None)
        if len(known) == 1:
            return next(iter(known))
        told = ", ".join(f"{name.rpartition('/')[2]} ({title})" for name, title in known.items())
        raise ConfigurationError(
            f"The Google account manages several accounts: {told}. Put one of the numbers into the setting account."
            if known
            else "The Google account manages no places. Let the account in that owns or manages them."
        )

    @cached_property
    def _stores(self) -> Mapping[str, Store]:
        """The places that are wanted, in the order in which Google lists them."""
        found: dict[str, Store] = {}
        params: dict[str, Any] = {"readMask": "name,title,storeCode,metadata", "pageSize": 100}
        for _ in range(_MOST_PAGES):
            answer = self._places.get(f"/v1/{self._account}/locations", params)
            for one in list_of(at(answer.data, "locations")):
                name = text_of(at(one, "name"))
                key = first_text(one, "storeCode", "title") or name.rpartition("/")[2]
                if name and (not self._wanted or name.rpartition("/")[2] in self._wanted):
                    found[name] = Store(key, web_url(text_of(at(one, "metadata", "mapsUri"))))
            params["pageToken"] = text_of(at(answer.data, "nextPageToken"))
            if not params["pageToken"]:
                break
        missing = [number for number in self._wanted if f"locations/{number}" not in found]
        if missing or not found:
            raise ConfigurationError(
                f"The account has no place {', '.join(missing)}. Check the setting locations."
                if missing
                else "The account has no place. Check the setting account."
            )
        return found

    # -- reviews -----------------------------------------------------------------------------------------------------------

    def _listings(self) -> Sequence[Listing]:
        # One place after the other, not batchGetReviews: only of a single place's list is the order documented.
        return [self._listing(location) for location in self._stores]

    def _listing(self, location: str) -> Listing:
        path = f"/v4/{self._account}/{location}/reviews"

        def ask(token: str, _until: datetime | None) -> Batch:
            params = {"pageSize": _PAGE_SIZE, "orderBy": "updateTime desc", "pageToken": token or None}
            answer = self._reviews.get(path, params)
            if not isinstance(answer.data, dict) or not isinstance(answer.data.get("reviews", []), list):
                raise ContractError("Google answers with no list of reviews. It is asked again later.")
            return Batch(list_of(answer.data.get("reviews")), text_of(answer.data.get("nextPageToken")))

        return Listing(
            location,
            ask,
            lambda item: moment_of(at(item, "updateTime")) or moment_of(at(item, "createTime")),
            self._heard,
            overlap=timedelta(hours=1),
            pause=timedelta(minutes=15),
        )

    def _heard(self, item: Any) -> tuple[Mention, ...]:
        return heard(item, self._stores)

    def _name(self, mention: Mention) -> str:
        return "/".join(quote(part, safe="") for part in text_of(mention.raw.get("name")).split("/"))

    def _looked_up(self, mention: Mention) -> Any:
        name = self._name(mention)
        if not name:
            raise UntoldError
        answer = self._reviews.get(f"/v4/{name}", allow=MISSING)
        if answer.status in MISSING:
            raise GoneError
        return answer.data

    def _length(self, text: str) -> int:
        return len(text.encode())

    def _send(self, mention: Mention, text: str) -> None:
        name = self._name(mention)
        if not name:
            raise RefusedError("It is not known to which place this review belongs. Answer it on its own page.")
        answer = self._reviews.ask("PUT", f"/v4/{name}/reply", body={"comment": text}, write=True, allow=MISSING)
        if answer.status in MISSING:
            raise RefusedError("The review is no longer on Google, or the place is no longer verified.")
        if text_of(at(answer.data, "reviewReplyState")) == "REJECTED":
            why = text_of(at(answer.data, "policyViolation")) or "against its policies"
            raise RefusedError(
                f"Google does not show this answer ({self._reviews.clean(why)}). Write it in other words."
            )

    def _spent(self) -> Spend:
        return self._reviews.spent() + self._accounts.spent() + self._places.spent()
