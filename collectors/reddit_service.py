"""Reddit as we know it: the keys, asking within the limits, and what its refusals mean.

No SDK: praw asks three times whatever fails, answers included, so that one becomes two; it also waits by itself. Access is by
an account's own consent (refresh token) or password (script app). What is asked and when is in `reddit_read`.
"""

import base64
import math
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from collectors.access_tokens import Access, AccessTokens, access_in
from collectors.api_client import Answer, ApiClient, Params
from collectors.limits import Allowance
from collectors.wire import at, count_of, first_text, list_of, reason_in, text_of
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import (
    ComptoirError,
    ConfigurationError,
    ContractError,
    OutcomeUnknownError,
    RefusedError,
    TransientError,
)

PERMISSIONS = ("identity", "read", "history", "privatemessages", "submit")
PAGE_SIZE = 100
_LOGIN, _HOME = "https://www.reddit.com", "https://oauth.reddit.com"
_TOKEN = "/api/v1/access_token"  # noqa: S105 - a path
_APPS = "https://www.reddit.com/prefs/apps"
_HELP = "Let the account agree once more, and put the new token into the setting refresh_token."
_IN_WORDS = re.compile(r"(\d{1,4}) (millisecond|second|minute|hour)s?")
_UNITS = {"millisecond": 0, "second": 1, "minute": 60, "hour": 3_600}
_CLOSED = frozenset({"private", "banned", "quarantined", "gold_only", "gated", "employees_only", "gold_restricted"})
_OURS_TO_MEND = frozenset(
    {"USER_REQUIRED", "WRONG_PASSWORD", "NO_VERIFIED_EMAIL", "VERIFIED_USER_REQUIRED", "IN_TIMEOUT"}
)


@dataclass(frozen=True, slots=True)
class Keys:
    """What lets us in. Either `refresh_token` or `password` is given."""

    username: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(default="", repr=False)
    password: str = field(default="", repr=False)

    @property
    def grant(self) -> dict[str, str]:
        """The form that a token is asked for with."""
        if self.refresh_token:
            return {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        return {"grant_type": "password", "username": self.username, "password": self.password}

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may hold."""
        return tuple(word for word in (self.client_secret, self.refresh_token, self.password) if word)


class ClosedError(RefusedError):
    """A community that does not let us read: private, banned, in quarantine."""


class ExpiredError(ComptoirError):
    """The token is over, or was none. Never leaves this module."""


class Service:
    """Asks Reddit with one account.

    Args:
        base: a server that plays both of Reddit's hosts; for tests.
    """

    def __init__(self, keys: Keys, *, now: Now, base: str | None = None, timeout: float = 10.0) -> None:
        self._keys, self._now = keys, now
        agent = {"User-Agent": f"python:comptoir:v0.1 (by /u/{keys.username})"}
        basic = base64.b64encode(f"{keys.client_id}:{keys.client_secret}".encode()).decode()
        self._login = ApiClient(
            base or _LOGIN,
            {**agent, "Authorization": f"Basic {basic}"},
            timeout,
            now=now,
            name="Reddit",
            secrets=keys.secrets,
            allow_private=base is not None,
            refuse=self._login_refusal,
        )
        self._client = ApiClient(
            base or _HOME,
            agent,
            timeout,
            now=now,
            name="Reddit",
            renew=_HELP,
            secrets=keys.secrets,
            allow_private=base is not None,
            on_answer=self._note,
            refuse=self._refusal,
        )
        told = (base or _HOME, keys.client_id, keys.username, *keys.secrets)
        self._tokens = AccessTokens(told, self._granted, now)
        self._allowance = Allowance("Reddit")
        self.call_count = 0

    @property
    def name(self) -> str:
        """Of our account."""
        return self._keys.username

    def get(self, path: str, params: Params | None = None, *, allow: Collection[int] = ()) -> Answer:
        """Read. Raises as ApiClient does, and TransientError where what is left of the limit is kept for answers."""
        self._allowance.must_last(self._now())
        asked = {"raw_json": 1, **dict(params or {})}
        return self._asked("GET", path, params=asked, allow=allow)

    def post(self, path: str, form: Mapping[str, Any]) -> Any:
        """Write; what Reddit answers. Raises the errors of CanReply, those that Reddit hides in a status 200 too."""
        answer = self._asked("POST", path, form={"api_type": "json", "raw_json": 1, **form}, write=True)
        for problem in list_of(at(answer.data, "json", "errors")):
            raise self._problem(problem, at(answer.data, "json", "ratelimit"))
        return at(answer.data, "json", "data")

    def listing(self, path: str, params: Params | None = None) -> tuple[list[Any], str]:
        """A page of a listing: its things, newest first, and the name to go on after."""
        data = self.get(path, {"limit": PAGE_SIZE, **dict(params or {})}).data
        children = at(data, "data", "children")
        if not isinstance(children, list):
            raise ContractError(f"Reddit answers {path} with no list. It is asked again later.")
        return children, text_of(at(data, "data", "after"))

    def spent(self) -> Spend:
        """What was asked since the last time."""
        count, self.call_count = self.call_count, 0
        return Spend(call_count=count)

    def check(self) -> None:
        """Raises ConfigurationError where the account, a key or a permission is missing."""
        access = self._tokens.current()
        missing = [name for name in PERMISSIONS if access.scopes and not access.scopes & {name, "*"}]
        if missing:
            raise ConfigurationError(
                f"Our access to Reddit lacks the permission {', '.join(missing)}. Let the account agree to "
                f"{', '.join(PERMISSIONS)} and put the new token into the setting refresh_token."
            )
        try:
            account = self.get("/api/v1/me").data
        except RefusedError as error:
            raise ConfigurationError(f"{error} Log in to Reddit with the account, and see what it says.") from error
        name = text_of(at(account, "name"))
        if not name:
            raise ContractError("Reddit does not say whose access this is. It is asked again later.")
        if name.casefold() != self.name.casefold():
            raise ConfigurationError(
                f"The keys are those of u/{name}, the setting username says u/{self.name}. Make them agree."
            )
        if at(account, "is_suspended") is True:
            raise ConfigurationError("Reddit has suspended our account. Log in there, and follow what it says.")
        self.listing("/message/inbox", {"limit": 1, "mark": "false"})

    # -- access ----------------------------------------------------------------------------------------------------------

    def _granted(self) -> Access:
        answer = self._login.json("POST", _TOKEN, form=self._keys.grant)
        access = access_in(answer.data, self._now(), "Reddit")
        self._client.add_secret(access.token)
        return access

    def _asked(self, method: str, path: str, **fields: Any) -> Answer:
        # An expired token was not looked at any further: asking again, also for a write, is asking for the first time.
        access = self._tokens.current()
        try:
            return self._sent(method, path, access, **fields)
        except ExpiredError:
            access = self._tokens.renewed(access)
        try:
            return self._sent(method, path, access, **fields)
        except ExpiredError as error:
            raise ConfigurationError(f"Reddit does not accept the access that it just gave us. {_HELP}") from error

    def _sent(self, method: str, path: str, access: Access, **fields: Any) -> Answer:
        self.call_count += 1
        self._client.add_secret(access.token)
        return self._client.json(method, path, headers={"Authorization": f"Bearer {access.token}"}, **fields)

    # -- what answers mean -------------------------------------------------------------------------------------------------

    def _note(self, answer: Answer) -> None:
        # Reddit tells what is used and what is left; the limit is both together.
        given = dict(answer.headers)
        used, left = (
            count_of(given.get(f"x-ratelimit-{name}", "").partition(".")[0]) for name in ("used", "remaining")
        )
        if used is not None and left is not None:
            given["x-ratelimit-limit"] = str(used + left)
        self._allowance.note(given, self._now())

    def _login_refusal(self, answer: Answer) -> Exception | None:
        if answer.status >= 500 or answer.status in {403, 408, 429}:
            return None
        said = text_of(at(answer.data, "error")) or reason_in(answer.data)
        if answer.status == 401:
            return ConfigurationError(
                f"Reddit does not know our app. Copy client_id and client_secret again from {_APPS}."
            )
        if said in {"invalid_grant", "unsupported_grant_type"} or answer.status in {400, 404}:
            what = "refresh_token" if self._keys.refresh_token else "password"
            return ConfigurationError(
                f"Reddit no longer lets us in ({self._login.clean(said) or answer.status}): the setting {what} is wrong, or "
                f"the account withdrew its consent. {_HELP}"
            )
        return None

    def _refusal(self, answer: Answer) -> Exception | None:
        in_community = answer.path.startswith("/r/") and not answer.write
        if answer.status < 400 and not (in_community and answer.status >= 300):
            return None
        reason = text_of(at(answer.data, "reason")).lower()
        if answer.status == 401:
            return ExpiredError("not accepted")
        if answer.status == 403 and "insufficient_scope" in answer.headers.get("www-authenticate", ""):
            return ConfigurationError(
                f"Our access to Reddit may not do this. Let the account agree to {', '.join(PERMISSIONS)} and put the new "
                "token into the setting refresh_token."
            )
        if in_community and (reason in _CLOSED or answer.status in {301, 302, 307, 403, 404}):
            community = "/".join(answer.path.split("/")[1:3])
            return ClosedError(f"{community} cannot be read ({reason or f'status {answer.status}'}).")
        if answer.status == 403 and answer.write:
            said = self._client.clean(first_text(answer.data, "explanation", "message")).rstrip(".")
            return RefusedError(
                f"Reddit refused ({said or 'forbidden'}): the thread is closed, or we are banned there."
            )
        if answer.status == 404 and answer.write:
            return RefusedError("The message is no longer on Reddit.")
        return None

    def _problem(self, problem: Any, seconds: Any) -> Exception:
        """An error that stands in an answer of status 200: a name, words, the field that it is about."""
        name, words = (text_of(word) for word in [*list_of(problem), "", ""][:2])
        said = self._client.clean(words).rstrip(".") or name or "no words"
        if name == "RATELIMIT":
            return TransientError(
                f"Reddit asks us to wait before the next answer: {said}. It is tried again then.",
                retry_after=_wait(seconds, words),
            )
        if name in _OURS_TO_MEND:
            return ConfigurationError(f"Reddit wants something of our account first: {said}. Log in there, and do it.")
        if not name:
            return OutcomeUnknownError(
                "Reddit answered with an error that says nothing. It is looked up before another try."
            )
        return RefusedError(f"Reddit refused: {said} ({name}).")


def _wait(seconds: Any, words: str) -> timedelta | None:
    if isinstance(seconds, int | float) and not isinstance(seconds, bool):
        return timedelta(seconds=min(max(seconds, 1), 86_400)) if math.isfinite(seconds) else None
    found = _IN_WORDS.search(words)
    return timedelta(seconds=int(found[1]) * _UNITS[found[2]] + 1) if found else None


def path_of(*parts: str) -> str:
    """A path made of what others wrote."""
    return "/" + "/".join(quote(part, safe="") for part in parts)
