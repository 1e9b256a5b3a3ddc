"""Bluesky: hears mentions, answers, quotes, threads and searches; answers where the author lets us.

The door: SPEC, `connect`, `map_answer`, RULES. What posts mean is in `bluesky_map`, what is read when in `bluesky_read`, who
may be answered in `bluesky_reply`, the session in `bluesky_service`. Asked directly (XRPC), without an SDK.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from collectors import bluesky_past
from collectors.bluesky_map import POST, map_answer, mention_of
from collectors.bluesky_read import Reading, views_of
from collectors.bluesky_reply import RULES, check_length, permission, record_for, record_key
from collectors.bluesky_service import Service, XrpcError
from collectors.plain_search import questions, search_of
from collectors.wire import at, text_of
from domain.clock import Now, utc_now
from domain.contracts import (
    Collector,
    CollectorSpec,
    Cursor,
    Estimate,
    IdempotencyKey,
    Page,
    Permission,
    RemoteId,
    Search,
    Setting,
    Watch,
)
from domain.errors import ConfigurationError, InputError, OutcomeUnknownError, RefusedError
from domain.mention import Mention

__all__ = ["RULES", "SPEC", "BlueskyCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="bluesky",
    title="Bluesky",
    settings=(
        Setting("handle", "Handle or DID of our account, e.g. shop.bsky.social"),
        Setting("app_password", "App password of our account", secret=True),
        Setting("service", "Address of the account's server, if it is not https://bsky.social", required=False),
        Setting("allow_private", "yes for a server in your own network", required=False),
    ),
    # A thread that is alive is read whole, however old its beginning is.
    lookback=timedelta(days=36_500),
    permissions=("app password",),
    can_reply=True,
    reads="Mentions of our account, answers to it and quotes of it, our own posts, every answer in those threads (late ones "
    "too, for 14 days after the last one), and searches for the words of the watch.",
    answers="Answers, in public; there are no others.",
    access=(
        "Log in at https://bsky.app with the brand's account and open Settings, Privacy and security, App passwords.",
        "Add one named Comptoir, without access to direct messages, and copy it into the setting app_password.",
    ),
    limits="3,000 requests in 5 minutes for an address, 300 log-ins a day and 1,666 new posts an hour for an account; a tenth "
    "of the requests is kept for answers. 300 graphemes an answer.",
    retention="Deleted posts must disappear: kept ones are looked up again every day.",
    facts=(
        "Bluesky documentation, Rate Limits, read 2026-11-26",
        "Bluesky documentation, Posts, read 2026-11-26",
        "Bluesky documentation, Timestamps, read 2026-11-26",
        "Lexicons app.bsky.feed, app.bsky.notification, com.atproto.repo and com.atproto.server, read 2026-11-26",
    ),
    rehydrate_every=timedelta(days=1),
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_HOME = "https://bsky.social"
_GONE = frozenset({"RecordNotFound", "RepoNotFound", "RepoTakendown", "RepoSuspended", "RepoDeactivated"})


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account.

    Args:
        base: a service on this machine, instead of the setting; for tests.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    handle, password = settings.get("handle", "").strip().lstrip("@"), settings.get("app_password", "").strip()
    if not handle:
        raise ConfigurationError(
            "The setting handle is missing: write the handle of our account, e.g. shop.bsky.social."
        )
    if not password:
        raise ConfigurationError(
            "The setting app_password is missing: make one at https://bsky.app/settings/app-passwords."
        )
    service = settings.get("service", "").strip() or _HOME
    allow_private = base is not None or settings.get("allow_private", "").strip().lower() in _YES
    address = base or (service if "://" in service else f"https://{service}")
    return BlueskyCollector(
        Service(address, handle, password, now=now, allow_private=allow_private, timeout=timeout), now=now
    )


class BlueskyCollector:
    """One account."""

    spec = SPEC

    def __init__(self, service: Service, *, now: Now) -> None:
        self._service, self._now = service, now

    def check(self) -> None:
        """See Collector: the service answers, and the password is ours."""
        self._service.check()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector."""
        queries = questions(watch, hashtags=True)
        yield from Reading(self._service, watch, since, queries=queries, now=self._now).pages()

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch."""
        return search_of(watch, hashtags=True, note="Mentions of our account are heard without searching.")

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        """See CanEstimate."""
        return bluesky_past.estimate(self._service, watch, questions(watch, hashtags=True), since, until)

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:
        """See CanBackfill. What the words of the watch find; notifications of our account are in `fetch`."""
        queries = questions(watch, hashtags=True)
        yield from bluesky_past.backfill(self._service, watch, queries, since, until, cursor)

    # -- answering -------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return permission(mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """See CanReply. Written under a key of our own, and only where nothing is yet: repeating it makes no second."""
        told = permission(mention, self._now())
        if not told.allowed:
            raise RefusedError(told.reason)
        check_length(text)
        parent = views_of(self._service, [mention.native_id]).get(mention.native_id)
        if parent is None:
            raise RefusedError("The message is no longer on Bluesky, or its author does not let us see it.")
        if at(parent, "viewer", "replyDisabled") is True:
            raise RefusedError(next(rule.reason for rule in RULES if rule.key == "answers off"))
        body = {
            "repo": self._service.did,
            "collection": POST,
            "rkey": record_key(mention, key),
            "record": record_for(parent, text, lang=mention.lang_hint, now=self._now(), did_of=self._did_of),
            "swapRecord": None,  # only where there is none of this key
        }
        try:
            answer = self._service.call("com.atproto.repo.putRecord", body)
        except XrpcError as error:
            found = self.find_reply(mention, text, key) if error.name == "InvalidSwap" else None
            if found is None:
                raise
            return found
        remote_id = text_of(at(answer.data, "uri"))
        if not remote_id:
            raise OutcomeUnknownError("Bluesky took the answer without naming it. It is looked up before another try.")
        return RemoteId(remote_id)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack: the very place that an answer of this key is written to."""
        record = self._record(self._service.did, record_key(mention, key))
        return RemoteId(record) if record else None

    def _record(self, did: str, record_key: str) -> str:
        params = {"repo": did, "collection": POST, "rkey": record_key}
        try:
            answer = self._service.get("com.atproto.repo.getRecord", params)
        except XrpcError as error:
            if error.name in _GONE or "could not locate" in str(error).lower():
                return ""
            raise
        return text_of(at(answer.data, "uri"))

    def _did_of(self, handle: str) -> str:
        try:
            answer = self._service.get("com.atproto.identity.resolveHandle", {"handle": handle})
        except RefusedError:
            return ""  # nobody of that name: it stays plain words
        return text_of(at(answer.data, "did"))

    # -- looking up again --------------------------------------------------------------------------------------------------

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate. What is merely hidden from us is kept: each missing post is looked for in its own repository."""
        views = views_of(self._service, [mention.native_id for mention in mentions])
        changed, deleted = [], []
        for mention in mentions:
            view = views.get(mention.native_id)
            if view is not None:
                changed += _changed(mention, view)
            elif not self._record(*_place_of(mention.native_id)):
                deleted.append(mention.id)
        return Page((), None, changed=tuple(changed), deleted=tuple(deleted), spent=self._service.spent())


def _place_of(uri: str) -> tuple[str, str]:
    did, _, rest = uri.removeprefix("at://").partition("/")
    return did, rest.rpartition("/")[2]


def _changed(mention: Mention, view: Any) -> list[Mention]:
    try:
        fresh = mention_of(view)
    except InputError:
        return []  # what it says now cannot be kept; what it said is
    fresh = replace(fresh, conversation_id=mention.conversation_id, outbound=mention.outbound)
    told = (fresh.text, fresh.engagement, fresh.raw.get("labels"))
    return [] if told == (mention.text, mention.engagement, mention.raw.get("labels")) else [fresh]
