"""Google's interfaces as the collectors of reviews meet them: how access is granted, and what refusals mean.

Source: Google Identity, “Using OAuth 2.0 for Web Server Applications” and “… for Server to Server Applications”; Google
Cloud APIs, “Errors” (google.rpc.Status). What is read and answered is in the networks' own modules.
"""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from collectors.api_client import Answer, ApiClient
from collectors.limits import wait_in
from collectors.reviews_service import Service
from collectors.reviews_settings import required
from collectors.reviews_token import Grant, Sign, epoch, fingerprint, jwt, oauth
from collectors.wire import at, dict_of, list_of, reason_in, text_of
from domain.clock import Now
from domain.errors import ConfigurationError, TransientError

TOKEN_HOST, TOKEN_PATH = "https://oauth2.googleapis.com", "/token"
_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_TOO_OFTEN = frozenset(
    {"RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded", "dailyLimitExceeded"}
)
_NOT_ENABLED = frozenset({"SERVICE_DISABLED", "accessNotConfigured"})
_SECONDS = re.compile(r"(\d{1,6})(?:\.\d{1,9})?s")


def refresh_grant(settings: Mapping[str, str], client: ApiClient, renew: str) -> Grant:
    """Access by the refresh token of a person who let us in."""
    where = "Make an OAuth client in the Google Cloud console, let the account that manages the reviews in once, and copy it."
    client_id, secret, refresh = (
        required(settings, key, where) for key in ("client_id", "client_secret", "refresh_token")
    )
    client.add_secret(secret)
    client.add_secret(refresh)
    form = {"grant_type": "refresh_token", "client_id": client_id, "client_secret": secret, "refresh_token": refresh}
    return oauth(
        client, TOKEN_PATH, lambda: form, fingerprint(client.base, client_id, secret, refresh), help_words=renew
    )


def service_grant(
    settings: Mapping[str, str], client: ApiClient, scope: str, renew: str, now: Now, sign: Sign | None
) -> Grant:
    """Access by the key of a service account, as the JSON file that Google hands out.

    Raises:
        ConfigurationError: it is no such file.
    """
    given = settings.get("service_account", "").strip()
    try:
        account = dict_of(json.loads(given))
    except ValueError:
        account = {}
    email, pem = text_of(account.get("client_email")), text_of(account.get("private_key"))
    if not (email and pem):
        raise ConfigurationError(
            "The setting service_account holds no key of a service account. Put the whole text of the JSON file into it that "
            "the Google Cloud console made (“Keys”, “Add key”, JSON)."
        )
    client.add_secret(pem)

    def form() -> dict[str, str]:
        begun = epoch(now)
        claims = {
            "iss": email,
            "scope": scope,
            "aud": f"{TOKEN_HOST}{TOKEN_PATH}",
            "iat": begun,
            "exp": begun + 3_600,
        }
        key_id = text_of(account.get("private_key_id"))
        return {"grant_type": _BEARER, "assertion": jwt(claims, pem, "RS256", key_id=key_id, sign=sign)}

    return oauth(client, TOKEN_PATH, form, fingerprint(client.base, email, pem, scope), help_words=renew)


def refusal(service: Service, answer: Answer, *, enable: str, permission: str, now: Now) -> Exception | None:
    """What an error of Google's stands for; None where the general rules know.

    Args:
        enable: what a person must do where the interface is not open to us.
        permission: … where the account may not do this.
    """
    if answer.status not in {403, 429}:
        return None
    reasons = set(_reasons(answer))
    said = service.clean(reason_in(answer.data))
    if answer.status == 429 or reasons & _TOO_OFTEN:
        wait = wait_in(answer.headers, now()) or _delay(answer)
        return TransientError(f"{service.name} asks us to wait ({said or 'too many questions'}).", retry_after=wait)
    told = f": {said}" if said else ""
    if reasons & _NOT_ENABLED:
        return ConfigurationError(f"{service.name} is not open to us{told}. {enable}")
    return ConfigurationError(f"{service.name} does not let us do this{told}. {permission}")


def _reasons(answer: Answer) -> Iterator[str]:
    error = at(answer.data, "error")
    for one in (*list_of(at(error, "details")), *list_of(at(error, "errors"))):
        yield text_of(at(one, "reason"))


def _delay(answer: Answer) -> timedelta | None:
    """RetryInfo of google.rpc, where there is no header."""
    for one in list_of(at(answer.data, "error", "details")):
        found = _SECONDS.fullmatch(text_of(at(one, "retryDelay")))
        if found:
            return timedelta(seconds=max(1, int(found[1])))
    return None
