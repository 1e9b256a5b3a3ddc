"""OAuth access tokens, got with a long-lived secret: `AccessTokens` keeps one for all sources of an account until it ends.

They live in memory only, and end with the process. How a vendor is asked for one, and what its refusals mean, is in the
vendor's own module: hand in `ask`. A token that ended early is replaced once by `renewed`, whoever notices first.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from collectors.wire import at, count_of, text_of
from domain.clock import Now
from domain.errors import ContractError

_EARLY = timedelta(minutes=2)  # replaced so long before its end, so that none ends on the way
_SHORTEST = timedelta(minutes=5)  # of a vendor that does not say how long


@dataclass(frozen=True, slots=True)
class Access:
    """What a vendor grants for a while.

    Attributes:
        scopes: permissions, as the vendor names them; empty where it does not say.
    """

    token: str = field(repr=False)
    ends_at: datetime
    scopes: frozenset[str] = frozenset()


def access_in(data: Any, now: datetime, name: str) -> Access:
    """The token that an answer of a token endpoint holds (RFC 6749, 5.1). Raises ContractError where it holds none."""
    token = text_of(at(data, "access_token"))
    if not token:
        raise ContractError(f"{name}'s answer to our keys holds no token. It is asked again later.")
    seconds = count_of(at(data, "expires_in"))
    lasts = timedelta(seconds=min(seconds, 86_400 * 365)) if seconds else _SHORTEST
    scopes = text_of(at(data, "scope")).replace(",", " ").split()
    return Access(token, now + lasts, frozenset(scopes))


class _Known:
    """The tokens of this process. Each has a lock of its own: a slow vendor holds up nobody else."""

    def __init__(self) -> None:
        self.tokens: dict[str, Access] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def held(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())


_KNOWN = _Known()


def forget_tokens() -> None:
    """Ask for new ones next time; for tests."""
    _KNOWN.tokens.clear()


class AccessTokens:
    """The token of one account.

    Args:
        secrets: what tells this account and its keys from others; only a hash of it is kept.
        ask: gets a new one from the vendor.
    """

    def __init__(self, secrets: Sequence[str], ask: Callable[[], Access], now: Now) -> None:
        self._key = blake2b("\x1f".join(secrets).encode("utf-8", "replace"), digest_size=16).hexdigest()
        self._ask, self._now = ask, now

    def current(self) -> Access:
        """One that has not ended. Raises the errors of `ask`."""
        with _KNOWN.held(self._key):
            known = _KNOWN.tokens.get(self._key)
            if known is None or known.ends_at - _EARLY <= self._now():
                known = _KNOWN.tokens[self._key] = self._ask()
            return known

    def renewed(self, old: Access) -> Access:
        """Another one than `old`, which the vendor no longer takes."""
        with _KNOWN.held(self._key):
            known = _KNOWN.tokens.get(self._key)
            if known is None or known.token == old.token:
                _KNOWN.tokens.pop(self._key, None)
                known = _KNOWN.tokens[self._key] = self._ask()
            return known
