"""Where mentions come from, and where replies go back to: one module per network, listed in COLLECTORS.

A row holds a key and a module path, so that listing networks imports none of their SDKs. To add a network, write
`collectors/<network>.py` with `SPEC` and `connect(settings) -> Collector`, and add its row here; the contract suite in
tests/contracts asks for a case of it. Collectors turn values into values: they know neither the store nor each other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

from domain.contracts import Collector, CollectorSpec, Mapped
from domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CollectorRow:
    """One network that Comptoir can hear; `module` is imported only when it is used."""

    key: str
    module: str


COLLECTORS: tuple[CollectorRow, ...] = (
    CollectorRow("files", "collectors.files"),
    CollectorRow("folder", "collectors.folder"),
    CollectorRow("feed", "collectors.feed"),
    CollectorRow("sitemap", "collectors.sitemap"),
    CollectorRow("mail", "collectors.mail"),
    CollectorRow("webhook", "collectors.webhook"),
    CollectorRow("demo", "collectors.demo"),
    CollectorRow("x", "collectors.x"),
    CollectorRow("facebook", "collectors.facebook"),
    CollectorRow("instagram", "collectors.instagram"),
    CollectorRow("mastodon", "collectors.mastodon"),
    CollectorRow("bluesky", "collectors.bluesky"),
    CollectorRow("reddit", "collectors.reddit"),
    CollectorRow("youtube", "collectors.youtube"),
    CollectorRow("google_business", "collectors.google_business"),
    CollectorRow("trustpilot", "collectors.trustpilot"),
    CollectorRow("avis_verifies", "collectors.avis_verifies"),
    CollectorRow("app_store", "collectors.app_store"),
    CollectorRow("google_play", "collectors.google_play"),
)


def build(key: str, settings: Mapping[str, str]) -> Collector:
    """The collector of this key, with these settings.

    Raises:
        ConfigurationError: there is no such collector, or one of its settings is missing or cannot be used.
    """
    return cast(Collector, import_module(_row(key).module).connect(settings))


def spec(key: str) -> CollectorSpec:
    """What the collector of this key is, without connecting. Raises ConfigurationError where there is none."""
    return cast(CollectorSpec, import_module(_row(key).module).SPEC)


def mapper(key: str) -> tuple[Callable[[Any], Mapped], bool]:
    """What reads a saved answer of this network, and whether it takes a JSON body (else the bytes of a document).

    Raises:
        ConfigurationError: there is no such collector, or its answers cannot be read from a file.
    """
    module = import_module(_row(key).module)
    for name, is_json in (("map_answer", True), ("map_document", False)):
        if hasattr(module, name):
            return cast(Callable[[Any], Mapped], getattr(module, name)), is_json
    raise ConfigurationError(f"“{key}” has no answers that could be saved. Use comptoir import for files.")


def _row(key: str) -> CollectorRow:
    for row in COLLECTORS:
        if row.key == key:
            return row
    known = ", ".join(row.key for row in COLLECTORS)
    raise ConfigurationError(f"There is no collector “{key}”. Choose one of: {known}.")
