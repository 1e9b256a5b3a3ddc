"""YouTube as we know it: the keys, asking, the units that questions cost, and what refusals mean.

No SDK: google-api-python-client brings a discovery layer and retries of its own for six plain questions. What is asked and when
is in `youtube_read`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from collectors.access_tokens import Access, AccessTokens, access_in
from collectors.api_client import Answer, ApiClient, Params
from collectors.wire import at, list_of, reason_in, text_of
from domain.budget import next_reset, quota_zone
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import ComptoirError, ConfigurationError, ContractError, RefusedError, TransientError

SCOPE = "https://www.googleapis.com/auth/youtube.force-ssl"
PAGE_SIZE = 100
UNITS = {"list": 1, "search": 0, "write": 50}  # of the 10,000 a day; a search counts against 100 calls of its own
_LOGIN, _HOME = "https://oauth2.googleapis.com", "https://www.googleapis.com"
_HELP = "Let the channel's account agree once more, and put the new token into the setting refresh_token."
_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded", "dailyLimitExceededUnreg"})
_RATE = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "processingFailure"})


@dataclass(frozen=True, slots=True)
class Keys:
    """What lets us in."""

    channel_id: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)


class ClosedError(RefusedError):
    """Comments are turned off, or what was asked for is gone."""


class QuotaError(TransientError):
    """The day's quota is used up: that of all questions, or that of searches."""


class ExpiredError(ComptoirError):
    """The token is over. Never leaves this module."""


class Service:
    """Asks YouTube with one account.

    Args:
        base: a server that plays both of Google's hosts; for tests.
    """

    def __init__(self, keys: Keys, *, now: Now, base: str | None = None, timeout: float = 10.0) -> None:
        self._keys, self._now = keys, now
        secrets, private = (keys.client_secret, keys.refresh_token), base is not None
        self._login = ApiClient(
            base or _LOGIN,
            timeout=timeout,
            now=now,
            name="YouTube",
            secrets=secrets,
            allow_private=private,
            refuse=self._no_grant,
        )
        self._client = ApiClient(
            base or _HOME,
            timeout=timeout,
            now=now,
            name="YouTube",
            renew=_HELP,
            secrets=secrets,
            allow_private=private,
            refuse=self._refusal,
        )
        self._tokens = AccessTokens((base or _HOME, keys.client_id, *secrets), self._granted, now)
        self._spent = Spend()

    @property
    def channel(self) -> str:
        """The channel that is ours."""
        return self._keys.channel_id

    def list(self, what: str, params: Params, *, units: int = UNITS["list"]) -> tuple[list[Any], str]:
        """A page: its items, and the token to go on with."""
        data = self._asked("GET", what, units, params=params).data
        items = at(data, "items")
        if not isinstance(items, list):
            raise ContractError(f"YouTube answers {what} with no list. It is asked again later.")
        return items, text_of(at(data, "nextPageToken"))

    def write(self, method: str, what: str, *, params: Params, body: Any = None) -> Any:
        """Change something. Raises the errors of CanReply."""
        return self._asked(method, what, UNITS["write"], params=params, body=body, write=True).data

    def spent(self) -> Spend:
        """What was asked since the last time."""
        told, self._spent = self._spent, Spend()
        return told

    def check(self) -> None:
        """Raises ConfigurationError where the account is not that of the channel."""
        items, _ = self.list("channels", {"part": "id", "mine": "true"})
        mine = [text_of(at(one, "id")) for one in items]
        if self.channel not in mine:
            raise ConfigurationError(
                f"The account that let us in speaks for {', '.join(mine) or 'no channel'}, the setting channel_id says "
                f"{self.channel}. Make them agree."
            )

    def _granted(self) -> Access:
        keys = self._keys
        form = {
            "grant_type": "refresh_token",
            "refresh_token": keys.refresh_token,
            "client_id": keys.client_id,
            "client_secret": keys.client_secret,
        }
        access = access_in(self._login.json("POST", "/token", form=form).data, self._now(), "YouTube")
        self._client.add_secret(access.token)
        return access

    def _asked(self, method: str, what: str, units: int, **fields: Any) -> Answer:
        access = self._tokens.current()
        try:
            return self._sent(method, what, units, access, **fields)
        except ExpiredError:
            access = self._tokens.renewed(access)
        try:
            return self._sent(method, what, units, access, **fields)
        except ExpiredError as error:
            raise ConfigurationError(f"YouTube does not accept the access that it just gave us. {_HELP}") from error

    def _sent(self, method: str, what: str, units: int, access: Access, **fields: Any) -> Answer:
        self._spent += Spend(call_count=1, unit_count=units)
        headers = {"Authorization": f"Bearer {access.token}"}
        return self._client.json(method, f"/youtube/v3/{what}", headers=headers, **fields)

    # -- what refusals mean ----------------------------------------------------------------------------------------------

    def _no_grant(self, answer: Answer) -> Exception | None:
        if answer.status not in {400, 401}:
            return None
        said = self._login.clean(text_of(at(answer.data, "error_description")) or text_of(at(answer.data, "error")))
        return ConfigurationError(f"Google no longer lets us in ({said or answer.status}). {_HELP}")

    def _refusal(self, answer: Answer) -> Exception | None:
        if answer.status < 400:
            return None
        reasons = {text_of(at(one, "reason")) for one in list_of(at(answer.data, "error", "errors"))}
        said = self._client.clean(reason_in(answer.data)).rstrip(".")
        if answer.status == 401:
            return ExpiredError("not accepted")
        if reasons & _QUOTA:
            reset = next_reset(self._now(), quota_zone("youtube"))
            return QuotaError(
                f"The day's quota of YouTube is used up; it is whole again at {reset:%H:%M} UTC. Reading goes on then.",
                retry_after=max(reset - self._now(), timedelta(minutes=1)),
            )
        if reasons & _RATE and answer.status != 429:  # else the general rules, which read how long
            return TransientError("YouTube asks us to go slower. It is tried again later.")
        if "commentsDisabled" in reasons:
            return ClosedError("Comments are turned off there.")
        if answer.status == 404:
            return ClosedError("It is no longer on YouTube.")
        if "insufficientPermissions" in reasons or "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in reasons:
            return ConfigurationError(
                f"Our access to YouTube may not do this. Let the account agree to {SCOPE}. {_HELP}"
            )
        if answer.status == 403 and answer.write:
            return RefusedError(f"YouTube refused ({said or 'forbidden'}).")
        return None


def keys_of(settings: Mapping[str, str]) -> Keys:
    """The keys that settings hold. Raises ConfigurationError where one is missing."""
    values = {}
    for name in ("channel_id", "client_id", "client_secret", "refresh_token"):
        values[name] = settings.get(name, "").strip()
        if not values[name]:
            raise ConfigurationError(f"The setting {name} of the YouTube source is missing. See “Before it works”.")
    if not values["channel_id"].startswith("UC"):
        raise ConfigurationError(
            "The setting channel_id is no channel: copy the id that begins with UC from youtube.com/account_advanced."
        )
    return Keys(**values)
