"""How far a site has been read: the cursor's contents, pure.

Pages with a date are read in the order of their dates, each once for every change. Pages without one go round in the order of
their addresses. Pages that could not be read now are kept to be tried again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.sitemap_document import Listed
from collectors.wire import count_of, dict_of, text_of
from domain.contracts import Cursor

MAX_AGAIN = 50  # pages
MAX_TRIES = 3
ROUND = timedelta(days=1)  # at least, from one round over the pages without a date to the next


@dataclass(frozen=True, slots=True)
class SitePlace:
    """How far a site has been read.

    Attributes:
        source: tells this site and its settings from others.
        changed_at, url: of the last page with a date, ISO and address; the next ones come after it in this order.
        undated: address of the last page without a date; `round_at`: when the round that it belongs to began, ISO.
        again: pages that could not be read, and how often that was tried.
    """

    source: str
    changed_at: str = ""
    url: str = ""
    undated: str = ""
    round_at: str = ""
    again: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, cursor: Cursor | None, source: str) -> "SitePlace":
        """What a cursor says; the start where it is of another make or site: reading again loses nothing."""
        try:
            parts = dict_of(json.loads(cursor or "{}"))
        except (ValueError, RecursionError):
            parts = {}
        if parts.get("source") != source:
            return cls(source)
        changed, round_at = (_moment(parts.get(name)) for name in ("changed_at", "round_at"))
        again = {text_of(url): count_of(tries) or 1 for url, tries in dict_of(parts.get("again")).items()}
        return cls(
            source,
            changed,
            text_of(parts.get("url")) if changed else "",
            text_of(parts.get("undated")) if round_at else "",
            round_at,
            dict(list(again.items())[:MAX_AGAIN]),
        )

    def cursor(self) -> Cursor:
        """The place as a cursor."""
        parts = {
            "source": self.source,
            "changed_at": self.changed_at,
            "url": self.url,
            "undated": self.undated,
            "round_at": self.round_at,
            "again": dict(self.again),
        }
        return Cursor(json.dumps(parts, sort_keys=True))

    def is_due(self, listed: Listed) -> bool:
        """Whether a page with a date has changed since it was read."""
        if listed.changed_at is None:
            return False
        if not self.changed_at:
            return True
        return (listed.changed_at, listed.url) > (datetime.fromisoformat(self.changed_at), self.url)

    def round(self, urls: set[str], now: datetime) -> set[str]:
        """Those pages without a date that are still to be read in this round; all of them where a new one is due."""
        ahead = {url for url in urls if url > self.undated}
        if ahead or (self.round_at and now < datetime.fromisoformat(self.round_at) + ROUND):
            return ahead
        return urls

    def after(self, listed: Listed, *, dated: bool, failed: bool, now: datetime) -> "SitePlace":
        """The place once this page was tried."""
        again = {url: tries for url, tries in self.again.items() if url != listed.url}
        tries = self.again.get(listed.url, 0) + 1
        if failed and tries < MAX_TRIES and len(again) < MAX_AGAIN:
            again[listed.url] = tries
        moved = replace(self, again=again)
        if dated:
            if listed.changed_at is None or not self.is_due(listed):
                return moved  # tried again
            return replace(moved, changed_at=listed.changed_at.astimezone(UTC).isoformat(), url=listed.url)
        begins = not self.round_at or listed.url <= self.undated
        return replace(moved, undated=listed.url, round_at=now.isoformat() if begins else self.round_at)


def _moment(value: Any) -> str:
    """An ISO date with a zone, else ""."""
    written = text_of(value)
    try:
        return written if datetime.fromisoformat(written).tzinfo is not None else ""
    except ValueError:
        return ""
