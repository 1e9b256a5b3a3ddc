"""How much of Meta's allowances is used, read from the headers of every answer; whoever reads slows and stops in time.

`X-App-Usage` and `X-Page-Usage` hold percentages, `X-Business-Use-Case-Usage` holds them for each account, with the minutes
until access is regained. The highest one counts. What is left at the end is kept for answers. No waiting happens here.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from collectors.wire import dict_of, list_of
from domain.errors import TransientError

SLOW_FROM = 80.0  # percent
STOP_FROM = 95.0
_FLAT = ("x-app-usage", "x-page-usage")
_BY_ACCOUNT = "x-business-use-case-usage"
_MINUTES = "estimated_time_to_regain_access"
_SHORTEST, _LONGEST = timedelta(minutes=5), timedelta(hours=1)
_DAY = timedelta(days=1)


class Usage:
    """Meta's last word on what is used.

    Args:
        name: of the network, for people.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._shares: dict[str, float] = {}
        self._regained: timedelta | None = None

    @property
    def share(self) -> float:
        """Percent of the allowance that is nearest to its end; 0 where Meta has said nothing."""
        return max(self._shares.values(), default=0.0)

    def note(self, headers: Mapping[str, str]) -> None:
        """Remember what an answer said, where it said something."""
        given = _lowered(headers)
        for name in (*_FLAT, _BY_ACCOUNT):
            if name in given:
                self._shares[name] = max(_percentages(name, given[name]), default=0.0)
        if _BY_ACCOUNT in given:
            self._regained = regained_in(given)

    def must_last(self) -> None:
        """To be asked before reading on. Raises TransientError where what is left is kept for answers."""
        if self.share >= STOP_FROM:
            raise TransientError(
                f"{self._name} says that {self.share:.0f} % of our allowance is used; the rest is kept for answers. What was "
                "read is stored, and reading goes on later.",
                retry_after=self._wait(),
            )

    def rest(self) -> None:
        """To be asked after each page that is stored. Raises TransientError where reading should slow down."""
        self.must_last()
        if self.share >= SLOW_FROM:
            raise TransientError(
                f"{self._name} says that {self.share:.0f} % of our allowance is used: reading slows down. What was read is "
                "stored, and the rest follows by itself.",
                retry_after=self._wait(),
            )

    def _wait(self) -> timedelta:
        if self._regained:
            return self._regained
        part = min(max(self.share - SLOW_FROM, 0.0) / (STOP_FROM - SLOW_FROM), 1.0)
        return _SHORTEST + (_LONGEST - _SHORTEST) * part


def regained_in(headers: Mapping[str, str]) -> timedelta | None:
    """How long until access is regained, as the usage header says: at most a day; None where it says nothing."""
    found = [_number(one.get(_MINUTES)) for one in _accounts(_lowered(headers).get(_BY_ACCOUNT, ""))]
    minutes = max(found, default=0.0)
    return min(timedelta(minutes=minutes), _DAY) if minutes > 0 else None


def _percentages(name: str, written: str) -> Iterator[float]:
    for one in _accounts(written) if name == _BY_ACCOUNT else [dict_of(_json(written))]:
        yield from (_number(value) for key, value in one.items() if key != _MINUTES)


def _accounts(written: str) -> list[dict[str, Any]]:
    return [dict_of(one) for listed in dict_of(_json(written)).values() for one in list_of(listed)]


def _json(written: str) -> Any:
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        return 0.0
    return float(value)


def _lowered(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
