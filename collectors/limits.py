"""What vendors say about how often they may be asked: Retry-After, and the many spellings of rate-limit headers.

Pure reading of headers, and `Allowance`, which remembers the last word of one vendor so that reading stops before answers
can no longer leave. No waiting happens here: whoever is told to wait raises, and the worker comes back later.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from collectors.http import wait_of
from domain.errors import TransientError

_LONGEST_WAIT = timedelta(days=1)
_SHORTEST_WAIT = timedelta(seconds=1)
_LIMIT = ("x-ratelimit-limit", "x-rate-limit-limit", "ratelimit-limit")
_REMAINING = ("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining")
_RESET = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")
_AN_EPOCH = 1_000_000_000  # a number above is a moment; below, a wait in seconds
_IN_MILLISECONDS = 100_000_000_000
_NUMBER = re.compile(r"\s*(\d{1,15})(?:\.\d+)?")
_PAIR = re.compile(r"\b(limit|remaining|reset|q|r|t)\s*=\s*(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Rate:
    """What an answer says about its limit; None where it says nothing.

    Attributes:
        reset_at: when `remaining` is full again, aware UTC.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_at: datetime | None = None


def rate_of(headers: Mapping[str, str], now: datetime) -> Rate:
    """The limit that an answer tells of, however its headers are spelled.

    Reset may be seconds from now, seconds or milliseconds since 1970, or an ISO date; the IETF's one-line form
    (`RateLimit: limit=100, remaining=50, reset=30`, or `"default";r=50;t=30`) is read as well.
    """
    given = {name.lower(): value for name, value in headers.items()}
    pairs = dict(_PAIR.findall(given.get("ratelimit", "")))
    reset = _first(given, _RESET) or pairs.get("reset", "") or pairs.get("t", "")
    return Rate(
        _whole(_first(given, _LIMIT) or pairs.get("limit", "") or pairs.get("q", "")),
        _whole(_first(given, _REMAINING) or pairs.get("remaining", "") or pairs.get("r", "")),
        _moment(reset, now),
    )


def wait_in(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long an answer of “too many requests” asks us to wait: at least a second, at most a day; None where it is silent."""
    given = {name.lower(): value for name, value in headers.items()}
    number = _NUMBER.fullmatch(given.get("retry-after", ""))
    asked = timedelta(seconds=int(number[1])) if number else wait_of(given.get("retry-after", ""), now)
    if asked is None:
        reset_at = rate_of(given, now).reset_at
        asked = reset_at - now if reset_at else None
    return min(max(asked, _SHORTEST_WAIT), _LONGEST_WAIT) if asked is not None else None


class Allowance:
    """The vendor's last word on its limit.

    Args:
        name: of the network, for people.
        kept_share: part of the limit that reading leaves for answers, 0..1.
    """

    def __init__(self, name: str, kept_share: float = 0.1) -> None:
        self._name = name
        self._kept_share = kept_share
        self._rate = Rate()

    def note(self, headers: Mapping[str, str], now: datetime) -> None:
        """Remember what an answer said, where it said something."""
        rate = rate_of(headers, now)
        if rate.remaining is not None:
            self._rate = rate

    def must_last(self, now: datetime) -> None:
        """To be asked before reading on. Raises TransientError where what is left is kept for answers."""
        limit, remaining, reset_at = self._rate.limit, self._rate.remaining, self._rate.reset_at
        if remaining is None or reset_at is None or reset_at <= now:
            return
        if remaining <= (limit or 0) * self._kept_share:
            raise TransientError(
                f"{self._name} grants {remaining} more requests until {reset_at:%H:%M} UTC; they are kept for answers. "
                "What was read is stored, and reading goes on then.",
                retry_after=min(max(reset_at - now, _SHORTEST_WAIT), _LONGEST_WAIT),
            )


def _first(given: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((given[name] for name in names if given.get(name)), "")


def _whole(written: str) -> int | None:
    number = _NUMBER.match(written)
    return int(number[1]) if number else None


def _moment(written: str, now: datetime) -> datetime | None:
    number = _NUMBER.fullmatch(written)
    try:
        if number is None:
            moment = datetime.fromisoformat(written.strip())
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        seconds = int(number[1])
        if seconds < _AN_EPOCH:
            return now + timedelta(seconds=seconds)
        return datetime.fromtimestamp(seconds / 1000 if seconds > _IN_MILLISECONDS else seconds, tz=UTC)
    except (OverflowError, OSError, ValueError):
        return None
