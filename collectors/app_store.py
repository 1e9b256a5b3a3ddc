"""The App Store: hears the reviews of a shop's apps, country by country, and answers them.

The door: SPEC, RULES, `connect`, `map_answer`. What reviews mean is in `app_store_map`; what is common to networks of
reviews in `reviews_*`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from collectors.api_client import Answer
from collectors.app_store_map import heard, joined, map_answer
from collectors.reviews_collector import AnsweredReviews, GoneError
from collectors.reviews_map import reply_rules
from collectors.reviews_read import Batch, Listing
from collectors.reviews_service import MISSING, Service
from collectors.reviews_settings import SHARED, history, hosts, required, several
from collectors.reviews_token import Sign, epoch, fingerprint, jwt, self_signed
from collectors.wire import at, first_text, list_of, moment_of, reason_in, text_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Setting, Spend
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError
from domain.mention import Mention

__all__ = ["RULES", "SPEC", "AppStoreCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="app_store",
    title="App Store",
    settings=(
        Setting("apps", "Apple's numbers of the apps, separated by commas"),
        Setting("issuer_id", "Issuer ID of our App Store Connect team"),
        Setting("key_id", "Key ID of our API key"),
        Setting("private_key", "The whole text of the key's .p8 file", secret=True),
        Setting("territories", "Countries to hear, e.g. FRA, BEL; all unless given", required=False),
        *SHARED,
    ),
    lookback=timedelta(days=36_500),  # an edited review may come again with the day of its edit
    permissions=("App Store Connect role: Customer Support",),
    can_reply=True,
    reads="Reviews and ratings with words, app by app, with their country, and our answers. Ratings without words are not in "
    "this interface.",
    answers="One public answer a review; another one takes its place. Apple publishes answers after a while.",
    access=(
        "In App Store Connect, “Users and Access”, “Integrations”, ask for access to the App Store Connect API and generate a "
        "team key with the role Customer Support.",
        "Download the .p8 file (once only), and put its whole text into the setting private_key; copy Key ID and Issuer ID.",
        "Copy the app's number (Apple ID) from “App Information”.",
    ),
    limits="About 3,500 questions an hour for a key (Apple tells in each answer what is left); each app is looked at every 15 "
    "minutes, 200 reviews a question. 5,970 characters an answer.",
    retention="None by contract that we know of; kept reviews are looked up again every day.",
    facts=(
        "App Store Connect API, “Customer Review Responses” and “Create or update a response to a customer review”, read "
        "2026-11-26",
        "App Store Connect API, “Identifying Rate Limits”, read 2026-11-26",
        "App Store Connect API, “List all customer reviews for an app”, “CustomerReview” and “Generating tokens for API "
        "requests”: not read again",
        "5,970 characters: told by others, not by Apple's documentation. Not known: whether an edited review keeps its date",
    ),
    rehydrate_every=timedelta(days=1),
)
TEXT_LIMIT = 5_970
RULES = reply_rules(
    "App Store Connect API, “Create or update a response to a customer review”", date(2026, 11, 26), TEXT_LIMIT
)
_RENEW = (
    "Check the settings issuer_id, key_id and private_key; if the key was revoked, generate a new one in App Store Connect, "
    "“Users and Access”, “Integrations”."
)
_ROLE = "The API key needs the role Customer Support (or App Manager) in App Store Connect, for this app."
_HOST, _AUDIENCE = "https://api.appstoreconnect.apple.com", "appstoreconnect-v1"
_LIFETIME = timedelta(minutes=15)  # of a token; Apple takes 20 at most
_PAGE_SIZE = 200
_LIMITS = re.compile(r"user-hour-(lim|rem):(\d{1,9})")


def connect(
    settings: Mapping[str, str],
    *,
    now: Now = utc_now,
    base: str | None = None,
    timeout: float = 10.0,
    sign: Sign | None = None,
) -> Collector:
    """The collector of some apps of one team.

    Args:
        base: a server on this machine instead of Apple's; for tests.
        timeout: seconds without a sign of life.
        sign: signs instead of `reviews_token.signature`; for tests.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    where = "In App Store Connect, “Users and Access”, “Integrations”, generate a team key, and copy it."
    issuer, key_id, pem = (required(settings, key, where) for key in ("issuer_id", "key_id", "private_key"))
    required(settings, "apps", "In App Store Connect, open the app, “App Information”, and copy its Apple ID.")
    apps = several(settings, "apps")
    if wrong := [app for app in apps if not (app.isascii() and app.isdigit())]:
        raise ConfigurationError(
            f"The setting apps holds “{wrong[0][:40]}”, which is no number. Copy the app's Apple ID."
        )
    (host,), allow_private = hosts(settings, base, _HOST)

    def token() -> str:
        begun = epoch(now)
        claims = {"iss": issuer, "iat": begun, "exp": begun + int(_LIFETIME.total_seconds()), "aud": _AUDIENCE}
        return jwt(claims, pem, "ES256", key_id=key_id, sign=sign)

    service = Service(
        host,
        self_signed(token, _LIFETIME, fingerprint(host, issuer, key_id, pem)),
        name=SPEC.title,
        renew=_RENEW,
        now=now,
        allow_private=allow_private,
        timeout=timeout,
        secrets=(pem,),
        refuse=_refusal,
        limits=_limits,
    )
    territories = tuple(one.upper() for one in several(settings, "territories"))
    return AppStoreCollector(service, apps, territories, now=now, history=history(settings))


class AppStoreCollector(AnsweredReviews):
    """The apps of one team."""

    spec = SPEC
    rules = RULES

    def __init__(
        self,
        service: Service,
        apps: Sequence[str],
        territories: Sequence[str],
        *,
        now: Now,
        history: timedelta | None,
    ) -> None:
        super().__init__(now=now, history=history)
        self._service, self._apps, self._territories = service, apps, territories

    def check(self) -> None:
        """See Collector: Apple lets us in, and every app's reviews can be read."""
        try:
            for app in self._apps:
                self._asked(app, {"limit": 1})
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the setting apps.") from error

    @cached_property
    def _products(self) -> Mapping[str, str]:
        """Number of an app -> its bundle id, as other stores name it too."""
        found = {}
        for app in self._apps:
            answer = self._service.get(f"/v1/apps/{app}", {"fields[apps]": "bundleId"}, allow=MISSING)
            found[app] = first_text(at(answer.data, "data", "attributes"), "bundleId") or app
        return found

    def _asked(self, app: str, params: Mapping[str, Any]) -> Any:
        answer = self._service.get(f"/v1/apps/{app}/customerReviews", params)
        if not isinstance(at(answer.data, "data"), list):
            raise ContractError("The App Store answers with no list of reviews. It is asked again later.")
        return answer.data

    def _listings(self) -> Sequence[Listing]:
        return [self._listing(app) for app in self._apps]

    def _listing(self, app: str) -> Listing:
        def ask(token: str, _until: datetime | None) -> Batch:
            params = {
                "sort": "-createdDate",
                "limit": _PAGE_SIZE,
                "include": "response",
                "filter[territory]": ",".join(self._territories) or None,
                "cursor": token or None,
            }
            data = self._asked(app, params)
            return Batch(joined(data), _cursor_in(text_of(at(data, "links", "next"))))

        return Listing(
            app,
            ask,
            lambda item: moment_of(at(item, "attributes", "createdDate")),
            lambda item: heard(item, app, self._products[app]),
            overlap=timedelta(days=7),  # answers are published late, and do not bring a review up again
            pause=timedelta(minutes=15),
        )

    def _heard(self, item: Any) -> tuple[Mention, ...]:
        return heard(item[1], item[0], self._products.get(item[0], ""))

    def _looked_up(self, mention: Mention) -> Any:
        path = f"/v1/customerReviews/{quote(mention.parent_id or mention.native_id, safe='')}"
        answer = self._service.get(path, {"include": "response"}, allow=MISSING)
        if answer.status in MISSING:
            raise GoneError
        app = text_of(mention.raw.get("app")) or (self._apps[0] if len(self._apps) == 1 else "")
        return app, next(iter(joined(answer.data)), None)

    def _send(self, mention: Mention, text: str) -> None:
        review = {"data": {"type": "customerReviews", "id": mention.native_id}}
        body = {
            "data": {
                "type": "customerReviewResponses",
                "attributes": {"responseBody": text},
                "relationships": {"review": review},
            }
        }
        answer = self._service.ask("POST", "/v1/customerReviewResponses", body=body, write=True, allow=MISSING)
        if answer.status in MISSING:
            raise RefusedError("The review is no longer in the App Store.")
        if not text_of(at(answer.data, "data", "id")):
            raise OutcomeUnknownError(
                "The App Store took the answer without naming it. It is looked up before another try."
            )

    def _spent(self) -> Spend:
        return self._service.spent()


def _refusal(service: Service, answer: Answer) -> Exception | None:
    if answer.status == 403:
        said = service.clean(_reason(answer))
        return ConfigurationError(f"The App Store does not let us do this{f': {said}' if said else ''}. {_ROLE}")
    if answer.status == 404 and answer.path.endswith("/customerReviews"):
        return ConfigurationError(
            f"The App Store does not know the app of {answer.path}. Check the setting apps. {_ROLE}"
        )
    if answer.status in {400, 409, 422}:
        return RefusedError(f"The App Store refused: {service.clean(_reason(answer)) or 'no reason given'}.")
    return None


def _reason(answer: Answer) -> str:
    first = next(iter(list_of(at(answer.data, "errors"))), None)
    return first_text(first, "detail", "title") or reason_in(answer.data)


def _limits(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Apple's own spelling of what is left of a rolling hour: some of it comes back with every minute."""
    told = dict(_LIMITS.findall(headers.get("x-rate-limit", "") or headers.get("X-Rate-Limit", "")))
    if "rem" not in told:
        return headers
    return {"x-ratelimit-limit": told.get("lim", "0"), "x-ratelimit-remaining": told["rem"], "x-ratelimit-reset": "600"}


def _cursor_in(link: str) -> str:
    """What the address of the next page goes on from: only this is used, never the address."""
    try:
        return next(iter(parse_qs(urlsplit(link).query).get("cursor", [])), "")
    except ValueError:
        return ""
