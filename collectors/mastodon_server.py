"""One Mastodon server as we know it: asking it, who we are there, what it allows, and what its refusals mean.

What is asked and when is in `mastodon_read`. Servers that only speak Mastodon's interface are asked the same way; what
they lack is found out by asking, never by name.
"""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from collectors.api_client import Answer, ApiClient, Params
from collectors.limits import Allowance
from collectors.wire import at, count_of, dict_of, first_text, list_of, reason_in, text_of
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import ConfigurationError, ContractError, RefusedError

PERMISSIONS = ("read:accounts", "read:notifications", "read:statuses", "read:search", "write:statuses")
MISSING = (404, 410)
_WHO = "/api/v1/accounts/verify_credentials"
_NEEDED = (
    ("/api/v1/notifications", "read:notifications"),
    ("/api/v2/search", "read:search"),
    (_WHO, "read:accounts"),
)
_LOCKED = ("disabled", "suspended", "confirm", "pending", "approv", "moved", "silenced")
_TEXT_LIMIT, _LINK_LENGTH = 500, 23  # of a server that does not say its own
_QUOTES_SINCE = 7  # version of Mastodon's interface


@dataclass(frozen=True, slots=True)
class Rules:
    """What a server tells of itself.

    Attributes:
        text_limit: characters of one status; `link_length`: what a link counts for, however long it is.
        version: of Mastodon's interface; 0 where the server is another, or older than 4.3.
    """

    text_limit: int = _TEXT_LIMIT
    link_length: int = _LINK_LENGTH
    version: int = 0

    @property
    def notification_types(self) -> list[str]:
        """Those that bring words; unknown ones are an error to some servers, so quotes are asked for where they exist."""
        return ["mention", "quote"] if self.version >= _QUOTES_SINCE else ["mention"]


class Server:
    """Asks one server with one account's token.

    Attributes:
        call_count: questions since the last `spent`.
    """

    def __init__(self, base: str, token: str, *, now: Now, allow_private: bool, timeout: float) -> None:
        self._now = now
        self._renew = (
            f"Make a new one at {base.rstrip('/')}/settings/applications and put it into the setting access_token."
        )
        self._client = ApiClient(
            base,
            {"Authorization": f"Bearer {token}"},
            timeout,
            now=now,
            name="Mastodon",
            renew=self._renew,
            allow_private=allow_private,
            on_answer=self._note,
            refuse=self._refusal,
        )
        self._allowance = Allowance("Mastodon")
        self.call_count = 0

    def get(self, path: str, params: Params | None = None, *, allow: Collection[int] = ()) -> Answer:
        """Read. Raises as ApiClient does, and TransientError where what is left of the limit is kept for answers."""
        self._allowance.must_last(self._now())
        return self.ask("GET", path, params=params, allow=allow)

    def ask(self, method: str, path: str, **fields: Any) -> Answer:
        """Anything else; see ApiClient.json."""
        self.call_count += 1
        return self._client.json(method, path, **fields)

    def listed(self, path: str, params: Params | None = None) -> tuple[list[Any], Answer]:
        """A list, or ContractError."""
        answer = self.get(path, params)
        if not isinstance(answer.data, list):
            raise ContractError(f"Mastodon answers {path} with no list. It is asked again later.")
        return answer.data, answer

    def spent(self) -> Spend:
        """What was asked since the last time."""
        count, self.call_count = self.call_count, 0
        return Spend(call_count=count)

    @cached_property
    def own_id(self) -> str:
        """Our account. Raises ConfigurationError where the token is nobody's."""
        account = self.ask("GET", _WHO).data
        own_id = text_of(at(account, "id"))
        if not own_id:
            raise ContractError("Mastodon does not say whose token this is. It is asked again later.")
        return own_id

    @cached_property
    def rules(self) -> Rules:
        """What the server says of itself; asked once."""
        answer = self.ask("GET", "/api/v2/instance", allow=(*MISSING, 400, 401, 403, 405, 501))
        data = answer.data if answer.status < 300 else None
        if not dict_of(data):
            data = self.ask("GET", "/api/v1/instance", allow=(*MISSING, 400, 401, 403, 405, 501)).data
        statuses = at(data, "configuration", "statuses")
        limit = count_of(at(statuses, "max_characters")) or count_of(at(data, "max_toot_chars"))
        link = count_of(at(statuses, "characters_reserved_per_url"))
        return Rules(
            limit or _TEXT_LIMIT,
            _LINK_LENGTH if link is None else link,
            count_of(at(data, "api_versions", "mastodon")) or 0,
        )

    def check(self) -> None:
        """Raises ConfigurationError where the token or one of its permissions is missing."""
        try:
            account = self.ask("GET", _WHO).data
            if not first_text(account, "id"):
                raise ContractError("The address answers, but not as a Mastodon server does.")
            self.listed("/api/v1/notifications", {"types[]": ["mention"], "limit": 1})
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the setting server.") from error
        app = self.ask("GET", "/api/v1/apps/verify_credentials", allow=(400, 401, 403, *MISSING, 405, 422, 501))
        granted = {text_of(scope) for scope in list_of(at(app.data, "scopes"))} if app.status < 300 else set()
        if granted:
            missing = [name for name in PERMISSIONS if not granted & {name, name.partition(":")[0]}]
            if missing:
                raise self._without(", ".join(missing))

    def _note(self, answer: Answer) -> None:
        self._allowance.note(answer.headers, self._now())

    def _refusal(self, answer: Answer) -> Exception | None:
        if answer.status == 404 and answer.write:
            return RefusedError("The message is no longer on Mastodon, or its author does not let us answer it.")
        if answer.status in {400, 422} and answer.path == _WHO:  # what some servers say instead of 401
            return ConfigurationError(f"Mastodon does not accept our token. {self._renew}")
        if answer.status != 403:
            return None
        reason = reason_in(answer.data)
        if "scope" in reason.lower():
            return self._without(_permission(answer))
        if any(word in reason.lower() for word in _LOCKED):
            said = self._client.clean(reason).rstrip(".")
            return ConfigurationError(
                f"Mastodon has locked our account: {said}. Log in there, and follow what it says."
            )
        if answer.write:
            return RefusedError(f"Mastodon refused: {self._client.clean(reason).rstrip('.') or 'not allowed'}.")
        return None

    def _without(self, permission: str) -> ConfigurationError:
        return ConfigurationError(
            f"The token may not do this on Mastodon: the permission {permission} is missing. Make an application with the "
            f"permissions {', '.join(PERMISSIONS)} at {self._client.base.rstrip('/')}/settings/applications, and put its "
            "token into the setting access_token."
        )


def _permission(answer: Answer) -> str:
    if answer.write:
        return "write:statuses"
    return next((name for start, name in _NEEDED if answer.path.startswith(start)), "read:statuses")
