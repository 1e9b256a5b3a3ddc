"""Reddit's past: what a watch would find, by one page of its search; and kept things looked up again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from collectors.reddit_map import Contents, Thing, is_gone, mention_of
from collectors.reddit_service import PAGE_SIZE, Service
from domain.contracts import Estimate, Page, Watch
from domain.errors import InputError
from domain.mention import Mention, MentionId, MentionKind
from domain.watch import watch_matches

SAMPLES = 6
_AT_ONCE = 100  # names in one look-up
_SPANS = (
    ("day", timedelta(days=1)),
    ("week", timedelta(days=7)),
    ("month", timedelta(days=30)),
    ("year", timedelta(days=365)),
)


def estimate(
    service: Service, watch: Watch, queries: Sequence[str], since: datetime, until: datetime, now: datetime
) -> Estimate:
    """One page of a hundred for each query. Where that is not all, the count is reckoned from the days that it spans."""
    age = now - since
    span = next((name for name, length in _SPANS if age <= length), "all")
    total: float = 0
    reckoned = False
    samples: dict[MentionId, Mention] = {}
    for query in queries:
        asked = {"q": query, "sort": "new", "type": "link", "t": span}
        items, after = service.listing("/search", asked)
        found = [one for one in _posts(items, service.name) if one.created_at >= since]
        hits = [one for one in found if one.created_at < until and watch_matches(watch, one)]
        samples.update({one.id: one for one in hits})
        oldest = min((one.created_at for one in found), default=since)
        whole = not after or len(found) < len(items) or until <= oldest
        covered = until - max(oldest, since)
        if whole or covered <= timedelta():
            total += len(hits)
        else:
            total, reckoned = total + len(hits) * ((until - since) / covered), True
    note = "Posts only: comments cannot be searched; those of the chosen communities and to our account come on top."
    if reckoned:
        note += f" Reckoned from the newest {PAGE_SIZE} posts of each query."
    count = round(total) if queries else None
    return Estimate(count, 0.0, tuple(samples.values())[:SAMPLES], note, service.spent())


def rehydrate(service: Service, mentions: Sequence[Mention]) -> Page:
    """What became of kept things. What Reddit no longer shows, or shows without its words, counts as deleted."""
    kept = [one for one in mentions if one.kind is not MentionKind.MESSAGE]
    found: dict[str, Thing] = {}
    for start in range(0, len(kept), _AT_ONCE):
        names = [one.native_id for one in kept[start : start + _AT_ONCE]]
        things = Contents.of(service.get("/api/info", {"id": ",".join(names)}).data).things
        if not things and len(names) > 1:  # all of them gone at once is rare: it is asked again before it is believed
            things = Contents.of(service.get("/api/info", {"id": ",".join(names)}).data).things
        found.update({thing.full_name: thing for _, thing in things})
    changed: list[Mention] = []
    deleted: list[MentionId] = []
    for mention in kept:
        thing = found.get(mention.native_id)
        if thing is None or is_gone(thing):
            deleted.append(mention.id)
        else:
            changed += _changed(mention, thing, service.name)
    left = len(mentions) - len(kept)
    notes = (f"Private messages cannot be looked up: {left} left as they are.",) if left else ()
    return Page((), None, deleted=tuple(deleted), notes=notes, changed=tuple(changed), spent=service.spent())


def _changed(mention: Mention, thing: Thing, own_name: str) -> list[Mention]:
    try:
        fresh = mention_of(thing, own_name=own_name)
    except InputError:
        return []  # what it says now cannot be kept; what it said is
    fresh = replace(
        fresh, conversation_id=mention.conversation_id, parent_id=mention.parent_id, outbound=mention.outbound
    )
    for name in ("link_title", "link_locked", "link_archived"):  # what a look-up does not tell
        if name in mention.raw:
            fresh.raw.setdefault(name, mention.raw[name])
    return [fresh] if _telling(fresh) != _telling(mention) else []


def _telling(mention: Mention) -> tuple[object, ...]:
    closed = tuple(mention.raw.get(name) is True for name in ("locked", "archived"))
    return mention.text, mention.title, mention.author, mention.engagement, closed


def _posts(items: Iterable[object], own_name: str) -> list[Mention]:
    found = []
    for _, thing in Contents.of(list(items)).things:
        try:
            found.append(mention_of(thing, own_name=own_name))
        except InputError:
            continue  # an estimate lists nothing; reading will
    return found
