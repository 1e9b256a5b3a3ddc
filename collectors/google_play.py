"""Google Play: hears the reviews of a shop's apps and answers them. Google hands out one week, so silence leaves a gap.

The door: SPEC, RULES, `connect`, `map_answer`. What reviews mean is in `google_play_map`; what is common to networks of
reviews in `reviews_*`, Google's logins and refusals in `reviews_google`.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from collectors import reviews_google as google
from collectors.api_client import Answer, ApiClient
from collectors.google_play_map import heard, map_answer, moment
from collectors.reviews_collector import AnsweredReviews, GoneError, UntoldError
from collectors.reviews_map import reply_rules
from collectors.reviews_read import Batch, Listing
from collectors.reviews_service import MISSING, Service
from collectors.reviews_settings import SHARED, history, hosts, required, several
from collectors.reviews_token import Sign
from collectors.wire import at, list_of, text_of
from domain.clock import Now, utc_now
from domain.contracts import Collector, CollectorSpec, Setting, Spend
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError
from domain.mention import Mention

__all__ = ["RULES", "SPEC", "GooglePlayCollector", "connect", "map_answer"]

SCOPE = "https://www.googleapis.com/auth/androidpublisher"
REACH = timedelta(days=7)
SPEC = CollectorSpec(
    key="google_play",
    title="Google Play",
    settings=(
        Setting("packages", "Package names of the apps, separated by commas, e.g. com.example.shop"),
        Setting("service_account", "The whole JSON key of a service account", required=False, secret=True),
        Setting("client_id", "Id of our OAuth client, where there is no service account", required=False),
        Setting("client_secret", "Secret of our OAuth client", required=False, secret=True),
        Setting("refresh_token", "Refresh token of an account that may answer reviews", required=False, secret=True),
        *SHARED,
    ),
    lookback=timedelta(days=36_500),  # an edited review comes again with the day of its edit
    permissions=(SCOPE, "Play Console: “Reply to reviews”"),
    can_reply=True,
    reads="Reviews with words and their ratings, app by app, that were written or changed in the last 7 days, and our answers. "
    "Older ones, and ratings without words, are only in the reports of the Play Console (files).",
    answers="One public answer a review, 350 characters; another one takes its place.",
    access=(
        "In the Google Cloud console, enable the “Google Play Android Developer API” and make a service account with a JSON "
        "key; or make an OAuth client and let an account in once.",
        "In the Play Console, “Users and permissions”, invite that account and give it “View app information” and “Reply to "
        "reviews” for the apps.",
        "Put the whole JSON text into the setting service_account; or fill in client_id, client_secret "
        "and refresh_token.",
    ),
    limits="For each app 200 questions an hour and 2,000 answers a day; an app is looked at every 10 minutes, 100 reviews a "
    "question.",
    retention="None by contract that we know of; reviews of the last week are looked up again every day.",
    facts=(
        "Google Play Developer API, “Reply to Reviews”, read 2026-11-26",
        "Google Play Developer API v3, methods reviews.list and reviews.reply, read 2026-11-26",
        "Play Console Help, “Reply to Reviews API quota request” (200 an hour, 2,000 a day, for each app), read 2026-11-26",
        "Not known: whether reviews.get still finds reviews older than a week; a missing old one is not taken for deleted",
    ),
    quota=4_800,  # of one app, all day long at 200 an hour
    rehydrate_every=timedelta(days=1),
)
TEXT_LIMIT = 350
RULES = reply_rules("Google Play Developer API v3, method reviews.reply", date(2026, 11, 26), TEXT_LIMIT)
_RENEW = "Make a new key or refresh token and put it into the settings of the source."
_ENABLE = "Enable the “Google Play Android Developer API” in the Google Cloud console."
_PERMISSION = (
    "Check in the Play Console, “Users and permissions”, that our account may see the app and “Reply to reviews”, and that the "
    "setting packages names apps of this Play Console."
)
_HOST = "https://androidpublisher.googleapis.com"
_PAGE_SIZE = 100
_BEYOND = (
    "Google Play hands out only the last 7 days of reviews. Import the older ones from the Play Console's reports."
)


def connect(
    settings: Mapping[str, str],
    *,
    now: Now = utc_now,
    base: str | None = None,
    timeout: float = 10.0,
    sign: Sign | None = None,
) -> Collector:
    """The collector of some apps of one Play Console.

    Args:
        base: a server on this machine instead of Google's; for tests.
        timeout: seconds without a sign of life.
        sign: signs instead of `reviews_token.signature`; for tests.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    required(settings, "packages", "It is what stands after id= in the app's address on play.google.com.")
    packages = several(settings, "packages")
    (token_host, host), allow_private = hosts(settings, base, google.TOKEN_HOST, _HOST)
    client = ApiClient(token_host, timeout=timeout, now=now, name="Google", allow_private=allow_private)
    if settings.get("service_account", "").strip():
        grant = google.service_grant(settings, client, SCOPE, _RENEW, now, sign)
    elif any(settings.get(key, "").strip() for key in ("client_id", "client_secret", "refresh_token")):
        grant = google.refresh_grant(settings, client, _RENEW)
    else:
        raise ConfigurationError(
            "The setting service_account is missing: put the JSON key of a service account into it, or give client_id, "
            "client_secret and refresh_token instead."
        )

    def refuse(service: Service, answer: Answer) -> Exception | None:
        if answer.status == 404 and answer.path.endswith("/reviews"):
            return ConfigurationError(f"Google Play does not know the app of {answer.path}. {_PERMISSION}")
        return google.refusal(service, answer, enable=_ENABLE, permission=_PERMISSION, now=now)

    service = Service(
        host,
        grant,
        name=SPEC.title,
        renew=_RENEW,
        now=now,
        allow_private=allow_private,
        timeout=timeout,
        refuse=refuse,
        counts=True,
    )
    return GooglePlayCollector(service, packages, now=now, history=history(settings))


class GooglePlayCollector(AnsweredReviews):
    """The apps of one Play Console."""

    spec = SPEC
    rules = RULES

    def __init__(self, service: Service, packages: Sequence[str], *, now: Now, history: timedelta | None) -> None:
        super().__init__(now=now, history=history)
        self._service, self._packages = service, packages

    def check(self) -> None:
        """See Collector: Google lets us in, and every app's reviews can be read."""
        try:
            for package in self._packages:
                self._asked(package, {"maxResults": 1})
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the setting packages.") from error

    def _asked(self, package: str, params: Mapping[str, Any]) -> Any:
        answer = self._service.get(f"{_path(package)}/reviews", params)
        if not isinstance(answer.data, dict) or not isinstance(answer.data.get("reviews", []), list):
            raise ContractError("Google Play answers with no list of reviews. It is asked again later.")
        return answer.data

    def _listings(self) -> Sequence[Listing]:
        return [self._listing(package) for package in self._packages]

    def _listing(self, package: str) -> Listing:
        def ask(token: str, _until: datetime | None) -> Batch:
            data = self._asked(package, {"maxResults": _PAGE_SIZE, "token": token or None})
            return Batch(list_of(data.get("reviews")), text_of(at(data, "tokenPagination", "nextPageToken")))

        return Listing(
            package,
            ask,
            moment,
            partial(heard, package=package),
            overlap=REACH,  # an answer of ours does not bring a review up again: the week is read whole, and little of it told
            pause=timedelta(minutes=10),
            reach=REACH,
            beyond=_BEYOND,
        )

    def _heard(self, item: Any) -> tuple[Mention, ...]:
        return heard(item[1], item[0])

    def _looked_up(self, mention: Mention) -> Any:
        package = self._package(mention)
        if not package:
            raise UntoldError
        path = f"{_path(package)}/reviews/{quote(mention.parent_id or mention.native_id, safe='')}"
        answer = self._service.get(path, allow=MISSING)
        if answer.status in MISSING:
            raise GoneError if self._now() - mention.created_at < REACH else UntoldError
        return package, answer.data

    def _package(self, mention: Mention) -> str:
        found = text_of(mention.raw.get("package")) or mention.product or ""
        return found or (self._packages[0] if len(self._packages) == 1 else "")

    def _send(self, mention: Mention, text: str) -> None:
        package = self._package(mention)
        if not package:
            raise RefusedError("It is not known to which app this review belongs. Answer it in the Play Console.")
        path = f"{_path(package)}/reviews/{quote(mention.native_id, safe='')}:reply"
        answer = self._service.ask("POST", path, body={"replyText": text}, write=True, allow=MISSING)
        if answer.status in MISSING:
            raise RefusedError("The review is no longer on Google Play.")
        if not isinstance(at(answer.data, "result"), dict):
            raise OutcomeUnknownError(
                "Google Play took the answer without saying so. It is looked up before another try."
            )

    def _spent(self) -> Spend:
        return self._service.spent()


def _path(package: str) -> str:
    return f"/androidpublisher/v3/applications/{quote(package, safe='')}"
