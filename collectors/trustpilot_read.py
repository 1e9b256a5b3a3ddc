"""How Trustpilot's lists are asked for, piece by piece: three ways, for what each list can do.

Pages are numbered, so what comes or goes meanwhile shifts them: where a list can begin at a moment, each piece begins where
the last one ended.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from collectors.reviews_read import Batch
from collectors.wire import at, moment_of

PAGE_SIZE = 100
Listed = Callable[[str, Mapping[str, Any], str], list[Any]]  # path, parameters, name of the list -> its items
Ask = Callable[[str, datetime | None], Batch]
_FORM = "%Y-%m-%dT%H:%M:%S"  # of startDateTime, UTC


def oldest_first(listed: Listed, path: str) -> Ask:
    """Private reviews of a shop. The token is where a piece begins, and the number of the page from there on."""

    def ask(token: str, until: datetime | None) -> Batch:
        start, _, number = token.partition("|")
        if not token and until:
            start = until.astimezone(UTC).strftime(_FORM)
        page = int(number) if number.isdigit() else 1
        params = {"orderBy": "createdat.asc", "perPage": PAGE_SIZE, "page": page, "startDateTime": start or None}
        items = listed(path, params, "reviews")
        if len(items) < PAGE_SIZE:
            return Batch(items)
        last = moment_of(at(items[-1], "createdAt"))
        reached = last.strftime(_FORM) if last else start
        return Batch(items, f"{reached}|1" if reached > start else f"{start}|{page + 1}")

    return ask


def newest_first(listed: Listed, path: str) -> Ask:
    """Public reviews of a shop. The token is the number of the page."""

    def ask(token: str, _until: datetime | None) -> Batch:
        return _numbered(listed, path, token, "reviews", {"orderBy": "createdat.desc"})

    return ask


def by_page(listed: Listed, path: str) -> Ask:
    """Reviews of products, in an order that is told nowhere. The token is the number of the page."""

    def ask(token: str, _until: datetime | None) -> Batch:
        return _numbered(listed, path, token, "productReviews", {})

    return ask


def _numbered(listed: Listed, path: str, token: str, name: str, params: Mapping[str, Any]) -> Batch:
    page = int(token) if token.isdigit() else 1
    items = listed(path, {**params, "perPage": PAGE_SIZE, "page": page}, name)
    return Batch(items, str(page + 1) if len(items) >= PAGE_SIZE else "")
