"""What the sources on Facebook and on Instagram are set to: which settings they share, and how they are read.

Raises ConfigurationError where a setting is missing or cannot be used; the message names it and says where its value comes
from. Secrets are not looked at here beyond being there.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.clock import Now
from domain.contracts import Setting
from domain.errors import ConfigurationError

if TYPE_CHECKING:
    from collectors.meta_graph import Graph

HOST = "https://graph.facebook.com"
VERSION = "v26.0"  # of 29 July 2026
PAGE = Setting("page", "Number of the Facebook Page")
TOKEN = Setting("access_token", "Token of the Page, which does not expire", secret=True)
SECRET = Setting("app_secret", "Secret of the app", secret=True)
SHARED = (
    Setting("verify_token", "A word of your own that Meta repeats when it connects the webhook", False, secret=True),
    Setting("messages", "no to leave private messages unread", required=False),
    Setting("human_agent", "yes where the app has the Human Agent feature: answers for 7 days, not 24 hours", False),
    Setting("history", "Days that the first reading goes back, 30 unless given", required=False),
    Setting("follow", "Days for which new comments on a post are waited for, 90 unless given", required=False),
    Setting("version", f"Version of Meta's interface, {VERSION} unless given", required=False),
    Setting("api_host", f"Address of the interface, {HOST} unless given", required=False),
    Setting("allow_private", "yes for a server in your own network", required=False),
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_NO = frozenset({"0", "false", "no", "non", "off"})
_DAYS = {"history": 30, "follow": 90}
_LONGEST = 730


def required(settings: Mapping[str, str], key: str, where: str) -> str:
    """A setting that must be there.

    Args:
        where: how a person comes by it.
    """
    value = settings.get(key, "").strip()
    if not value:
        raise ConfigurationError(f"The setting {key} is missing. {where}")
    return value


def number(settings: Mapping[str, str], key: str, where: str) -> str:
    """A setting that is the number of a Page or an account."""
    value = required(settings, key, where)
    if not (value.isascii() and value.isdigit() and len(value) <= 25):
        raise ConfigurationError(f"The setting {key} is a number, not “{value[:40]}”. {where}")
    return value


def switch(settings: Mapping[str, str], key: str, *, default: bool) -> bool:
    """A yes or no."""
    value = settings.get(key, "").strip().lower()
    if value in _YES:
        return True
    if value in _NO or not value:
        return default if not value else False
    raise ConfigurationError(f"The setting {key} says “{value[:40]}”. Write yes or no.")


def days(settings: Mapping[str, str], key: str) -> timedelta:
    """A number of days."""
    value = settings.get(key, "").strip() or str(_DAYS[key])
    if not (value.isascii() and value.isdigit() and 1 <= int(value[:6]) <= _LONGEST):
        raise ConfigurationError(f"The setting {key} says “{value[:40]}”. Write a number of days from 1 to {_LONGEST}.")
    return timedelta(days=int(value))


def page_of(settings: Mapping[str, str]) -> str:
    """Number of the Page."""
    return number(settings, "page", "Open the Page on Facebook, “About”, “Page transparency”, and copy the Page ID.")


def graph_of(
    settings: Mapping[str, str], *, name: str, now: Now, base: str | None = None, timeout: float = 10.0
) -> "Graph":
    """The Graph as this source sees it.

    Args:
        base: a server to ask instead of Meta; it may be on this machine.
    """
    from collectors.meta_graph import Graph, Keys  # brings the SDK, which neither listing nor mapping needs

    keys = Keys(
        required(
            settings,
            "access_token",
            "In Meta Business Suite, “Settings”, “System users”, generate a token for the Page.",
        ),
        required(settings, "app_secret", "In the app's dashboard, “App settings”, “Basic”, copy the App secret."),
    )
    return Graph(
        keys,
        base or settings.get("api_host", "").strip() or HOST,
        name=name,
        now=now,
        version=settings.get("version", "").strip() or VERSION,
        allow_private=base is not None or switch(settings, "allow_private", default=False),
        timeout=timeout,
    )
