"""The settings of an X source, read once: words into values, and what to do where one cannot be used.

To add a setting, add it to `Chosen` here and to SPEC in x.py, which says it to people.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from collectors.x_rules import TEXT_LIMIT
from domain.errors import ConfigurationError

KEYS = ("consumer_key", "consumer_secret", "access_token", "access_token_secret")
_YES, _NO = frozenset({"1", "true", "yes", "oui", "on"}), frozenset({"0", "false", "no", "non", "off"})
_PLANS = ("payg", "basic", "pro", "enterprise")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the settings of one X source say.

    Attributes:
        history, follow: days.
        context: also read posts that are answered or quoted.
        country: two letters.
    """

    account: str
    plan: str
    fields: str
    owns_app: bool
    messages: bool
    archive: bool
    history: int
    follow: int
    country: str
    text_limit: int
    context: bool
    api_host: str
    allow_private: bool

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> "Chosen":
        """Raises ConfigurationError where one is missing or cannot be used."""
        account = required(settings, "account").lstrip("@")
        if not re.fullmatch(r"\w{1,15}", account, re.ASCII):
            raise ConfigurationError(f"“{account[:50]}” is no handle on X. Write it as on the profile, without @.")
        return cls(
            account,
            _one_of(settings, "plan", _PLANS),
            _one_of(settings, "fields", ("tweet", "post")),
            _flag(settings, "owns_app", default=False),
            _flag(settings, "messages", default=True),
            _flag(settings, "archive", default=False),
            _number(settings, "history", 7, 1, 30),
            _number(settings, "follow", 14, 1, 365),
            settings.get("country", "").strip() or "FR",
            _number(settings, "text_limit", TEXT_LIMIT, 1, 25_000),
            _flag(settings, "context", default=True),
            settings.get("api_host", "").strip(),
            _flag(settings, "allow_private", default=False),
        )


def required(settings: Mapping[str, str], key: str) -> str:
    """One that must be there. Raises ConfigurationError where it is not."""
    value = settings.get(key, "").strip()
    if not value:
        raise ConfigurationError(
            f"The setting {key} of the X source is missing. In console.x.com, open the app, “Keys and tokens”."
            if key != "account"
            else "The setting account of the X source is missing: write the handle of the brand's account."
        )
    return value


def _flag(settings: Mapping[str, str], key: str, *, default: bool) -> bool:
    value = settings.get(key, "").strip().lower()
    if value in _YES | _NO:
        return value in _YES
    if value:
        raise ConfigurationError(f"The setting {key} of the X source is “{value[:50]}”. Write yes or no.")
    return default


def _one_of(settings: Mapping[str, str], key: str, allowed: Sequence[str]) -> str:
    value = settings.get(key, "").strip().lower() or allowed[0]
    if value not in allowed:
        raise ConfigurationError(
            f"The setting {key} of the X source is “{value[:50]}”. Choose one of {', '.join(allowed)}."
        )
    return value


def _number(settings: Mapping[str, str], key: str, default: int, least: int, most: int) -> int:
    value = settings.get(key, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
        raise ConfigurationError(
            f"The setting {key} of the X source is “{value[:50]}”. Write a number from {least} to {most}."
        )
    return int(value)
