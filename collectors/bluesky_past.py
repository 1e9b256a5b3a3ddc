"""The past of Bluesky by search: what a watch would have found, and reading a span of days, the oldest first."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from collectors.bluesky_map import mention_of
from collectors.bluesky_read import PAGE_SIZE, listed
from collectors.bluesky_service import Service
from collectors.wire import at, count_of, moment_of, rejected, text_of
from domain.contracts import Cursor, Estimate, Gap, Page, Reject, Watch
from domain.errors import InputError
from domain.mention import Mention
from domain.watch import watch_matches

SAMPLES = 6
_WINDOW = timedelta(days=1)
_MOST_PAGES = 50  # of one window and question


def estimate(service: Service, watch: Watch, queries: Sequence[str], since: datetime, until: datetime) -> Estimate:
    """One question for each alternative of the watch; counts are the service's, which rounds them."""
    total: int | None = 0 if queries else None
    samples: dict[str, Mention] = {}
    for query in queries:
        answer = service.get("app.bsky.feed.searchPosts", {**_span(query, since, until), "limit": 25})
        found, _ = _heard(listed(answer.data, "posts"), watch, service.did)
        samples.update({one.native_id: one for one in found})
        hits = count_of(at(answer.data, "hitsTotal"))
        if hits is None:  # the service does not say: what fits on one page is all that there is
            hits = None if text_of(at(answer.data, "cursor")) else len(found)
        total = total + hits if total is not None and hits is not None else None
    note = "Counted by Bluesky's search, before exclusions; mentions of our account come on top."
    return Estimate(total, 0.0, tuple(samples.values())[:SAMPLES], note, service.spent())


def backfill(
    service: Service, watch: Watch, queries: Sequence[str], since: datetime, until: datetime, cursor: Cursor | None
) -> Iterator[Page]:
    """Days of the span, the oldest first; after each, a cursor."""
    start = max(_begun(cursor) or since, since).astimezone(UTC)
    while start < until:
        end = min(start + _WINDOW, until)
        heard: dict[str, Mention] = {}
        rejects: list[Reject] = []
        gap: Gap | None = None
        for query in queries:
            posts, ended = _all(service, query, start, end)
            found, odd = _heard(posts, watch, service.did)
            # services exist that take no heed of since and until
            heard.update({one.native_id: one for one in found if start <= one.created_at < end})
            rejects += odd
            if not ended:
                gap = Gap(
                    start, end, f"Bluesky's search gave only the newest {len(posts):,} posts of {start:%Y-%m-%d}."
                )
        mentions = tuple(sorted(heard.values(), key=lambda one: (one.created_at, one.native_id)))
        after = Cursor(json.dumps({"until": end.isoformat()}))
        yield Page(mentions, after, rejects=tuple(rejects), spent=service.spent(), gap=gap)
        start = end


def _begun(cursor: Cursor | None) -> datetime | None:
    try:
        return moment_of(at(json.loads(cursor or "{}"), "until"))
    except ValueError:
        return None


def _all(service: Service, query: str, since: datetime, until: datetime) -> tuple[list[Any], bool]:
    posts: list[Any] = []
    cursor = ""
    for _ in range(_MOST_PAGES):
        params = {**_span(query, since, until), "limit": PAGE_SIZE, "cursor": cursor or None}
        answer = service.get("app.bsky.feed.searchPosts", params)
        posts += listed(answer.data, "posts")
        following = text_of(at(answer.data, "cursor"))
        if not following or following == cursor:
            return posts, True
        cursor = following
    return posts, False


def _span(query: str, since: datetime, until: datetime) -> dict[str, Any]:
    return {"q": query, "sort": "latest", "since": _iso(since), "until": _iso(until)}


def _heard(posts: list[Any], watch: Watch, own_did: str) -> tuple[list[Mention], list[Reject]]:
    mentions, rejects = [], []
    for post in posts:
        try:
            mention = mention_of(post, own_did=own_did)
        except InputError as error:
            rejects.append(rejected(text_of(at(post, "uri")) or "post", str(error), post))
            continue
        if watch_matches(watch, mention):
            mentions.append(mention)
    return mentions, rejects


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
