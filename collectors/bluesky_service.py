"""The Bluesky service as we know it: asking it, one session for all sources of an account, and what its refusals mean.

Logging in is scarce (300 a day), so sessions live as long as the process, are refreshed when they expire, and are never
written down. What is asked and when is in `bluesky_read`.
"""

import threading
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from collectors.api_client import Answer, ApiClient, Params
from collectors.limits import Allowance
from collectors.wire import at, first_text, reason_in, text_of
from domain.clock import Now
from domain.contracts import Spend
from domain.errors import ComptoirError, ConfigurationError, ContractError, RefusedError

_HELP = "Make a new app password at https://bsky.app/settings/app-passwords and put it into the setting app_password."
_EXPIRED = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing", "AuthenticationRequired"})
_CLOSED = frozenset({"AccountTakedown", "AccountDeactivated", "AccountSuspended"})
_LOGIN, _REFRESH = "com.atproto.server.createSession", "com.atproto.server.refreshSession"


@dataclass(slots=True)
class Session:
    """Who we are there: kept in memory only."""

    did: str
    handle: str
    access: str
    refresh: str


class _Sessions:
    """The sessions of this process, one for each account and password."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.known: dict[str, Session] = {}


_SESSIONS = _Sessions()


def forget_sessions() -> None:
    """Log in anew next time; for tests."""
    with _SESSIONS.lock:
        _SESSIONS.known.clear()


class Service:
    """Asks one service with one account.

    Attributes:
        call_count: questions since the last `spent`.
    """

    def __init__(
        self, base: str, identifier: str, password: str, *, now: Now, allow_private: bool, timeout: float
    ) -> None:
        self._now, self._identifier, self._password = now, identifier, password
        told = "\x1f".join((base.rstrip("/"), identifier, password)).encode()
        self._key = blake2b(told, digest_size=16).hexdigest()
        self._client = ApiClient(
            base,
            timeout=timeout,
            now=now,
            name="Bluesky",
            renew=_HELP,
            secrets=(password,),
            allow_private=allow_private,
            on_answer=self._note,
            refuse=self._refusal,
        )
        self._allowance = Allowance("Bluesky")
        self.call_count = 0

    @property
    def did(self) -> str:
        """Our account. Logs in where nobody has."""
        return self._session().did

    def get(self, method: str, params: Params | None = None, *, allow: Collection[int] = ()) -> Answer:
        """Read. Raises as ApiClient does, and TransientError where what is left of the limit is kept for answers."""
        self._allowance.must_last(self._now())
        return self._asked("GET", method, params=params, allow=allow)

    def call(self, method: str, body: Any) -> Answer:
        """Write."""
        return self._asked("POST", method, body=body, write=True)

    def spent(self) -> Spend:
        """What was asked since the last time."""
        count, self.call_count = self.call_count, 0
        return Spend(call_count=count)

    def check(self) -> None:
        """Raises ConfigurationError where the account or its password is missing."""
        try:
            answer = self.get("app.bsky.notification.listNotifications", {"limit": 1})
            if not isinstance(at(answer.data, "notifications"), list):
                raise ContractError("The address answers, but not as Bluesky does.")
        except (ContractError, RefusedError) as error:
            raise ConfigurationError(f"{error} Check the setting service.") from error

    # -- the session -----------------------------------------------------------------------------------------------------

    def _asked(self, verb: str, method: str, **fields: Any) -> Answer:
        # An expired token was not looked at any further: asking again, also for a write, is asking for the first time.
        session = self._session()
        try:
            return self._sent(verb, method, session.access, **fields)
        except _ExpiredError:
            session = self._renewed(session)
        try:
            return self._sent(verb, method, session.access, **fields)
        except _ExpiredError as error:
            raise ConfigurationError(f"Bluesky does not accept the session that it just gave us. {_HELP}") from error

    def _sent(self, verb: str, method: str, token: str, **fields: Any) -> Answer:
        self.call_count += method not in {_LOGIN, _REFRESH}  # who logs in for all sources is chance
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return self._client.json(verb, f"/xrpc/{method}", headers=headers, **fields)

    def _session(self) -> Session:
        with _SESSIONS.lock:
            known = _SESSIONS.known.get(self._key)
            if known is None:
                known = _SESSIONS.known[self._key] = self._logged_in()
            return known

    def _renewed(self, old: Session) -> Session:
        with _SESSIONS.lock:
            known = _SESSIONS.known.get(self._key)
            if known is not None and known.access != old.access:
                return known  # another source of the same account was quicker
            try:
                fresh = self._opened(self._sent("POST", _REFRESH, old.refresh))
            except (_ExpiredError, RefusedError):
                fresh = self._logged_in()
            _SESSIONS.known[self._key] = fresh
            return fresh

    def _logged_in(self) -> Session:
        body = {"identifier": self._identifier, "password": self._password}
        try:
            return self._opened(self._sent("POST", _LOGIN, "", body=body))
        except _ExpiredError as error:
            raise ConfigurationError(
                f"Bluesky does not accept the name and password of {self._identifier}: {error}. Check the setting handle. "
                + _HELP
            ) from error

    def _opened(self, answer: Answer) -> Session:
        told = answer.data
        session = Session(
            text_of(at(told, "did")),
            text_of(at(told, "handle")),
            text_of(at(told, "accessJwt")),
            text_of(at(told, "refreshJwt")),
        )
        if at(told, "active") is False:
            raise _closed(first_text(told, "status") or "not active")
        if not (session.did and session.access and session.refresh):
            raise ContractError("Bluesky's answer to logging in holds no session. It is tried again later.")
        for secret in (session.access, session.refresh):
            self._client.add_secret(secret)
        return session

    # -- what answers mean -------------------------------------------------------------------------------------------------

    def _note(self, answer: Answer) -> None:
        if not answer.path.endswith((_LOGIN, _REFRESH)):  # their limits are their own
            self._allowance.note(answer.headers, self._now())

    def _refusal(self, answer: Answer) -> Exception | None:
        name, reason = text_of(at(answer.data, "error")), self._client.clean(reason_in(answer.data)).rstrip(".")
        if answer.status < 400:
            return None
        if name in _CLOSED:
            return _closed(reason or name)
        if name == "AuthFactorTokenRequired":
            return ConfigurationError(f"Bluesky asks for a second factor, which app passwords do without. {_HELP}")
        if name in _EXPIRED or answer.status == 401:
            return _ExpiredError(reason or name or "not accepted")
        if answer.status == 403:
            return ConfigurationError(
                f"The app password may not do this on Bluesky: {reason or name or 'not allowed'}. {_HELP}"
            )
        if answer.status in {400, 413, 422}:
            return XrpcError(name, f"Bluesky refused: {reason or name or f'status {answer.status}'}.")
        return None


class XrpcError(RefusedError):
    """A request that was refused under a name, e.g. InvalidSwap."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class _ExpiredError(ComptoirError):
    """The token is over, or was none. Never leaves this module."""


def _closed(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"Bluesky has closed our account ({reason}). Log in at https://bsky.app, and follow what it says."
    )
