"""What sources of reviews are set to: the settings that they share, and how settings are read.

Raises ConfigurationError where a setting is missing or cannot be used; the message names it and says where its value comes
from. What only one network knows is in its own module.
"""

import re
from collections.abc import Mapping
from datetime import timedelta

from domain.contracts import Setting
from domain.errors import ConfigurationError

SHARED = (
    Setting("history", "Days that the first reading goes back, 365 unless given; all for everything", required=False),
    Setting("api_host", "Address of the interface, where it is not the vendor's own", required=False),
    Setting("allow_private", "yes for a server in your own network", required=False),
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_NO = frozenset({"0", "false", "no", "non", "off"})
_HISTORY, _LONGEST = 365, 36_500


def required(settings: Mapping[str, str], key: str, where: str) -> str:
    """A setting that must be there.

    Args:
        where: how a person comes by it.
    """
    value = settings.get(key, "").strip()
    if not value:
        raise ConfigurationError(f"The setting {key} is missing. {where}")
    return value


def several(settings: Mapping[str, str], key: str) -> tuple[str, ...]:
    """Values separated by commas, semicolons or blanks, each once."""
    return tuple(dict.fromkeys(part for part in re.split(r"[\s,;]+", settings.get(key, "")) if part))


def switch(settings: Mapping[str, str], key: str, *, default: bool) -> bool:
    """A yes or no."""
    value = settings.get(key, "").strip().lower()
    if not value:
        return default
    if value in _YES or value in _NO:
        return value in _YES
    raise ConfigurationError(f"The setting {key} says “{value[:40]}”. Write yes or no.")


def history(settings: Mapping[str, str]) -> timedelta | None:
    """How far the first reading goes back; None for all there is."""
    value = settings.get("history", "").strip().lower() or str(_HISTORY)
    if value in {"all", "tout"}:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= _LONGEST):
        raise ConfigurationError(f"The setting history says “{value[:40]}”. Write a number of days, or all.")
    return timedelta(days=int(value))


def hosts(settings: Mapping[str, str], base: str | None, *vendor: str) -> tuple[tuple[str, ...], bool]:
    """The addresses to ask, one for each of the vendor's, and whether they may be on this machine.

    Args:
        base: goes before the setting api_host; for tests.
    """
    given = base or settings.get("api_host", "").strip()
    allow_private = base is not None or switch(settings, "allow_private", default=False)
    return tuple(given or host for host in vendor), allow_private
