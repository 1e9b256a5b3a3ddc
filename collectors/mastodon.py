"""Mastodon, and servers that speak its interface: hears mentions, threads, hashtags and searches; answers where we may.

The door: SPEC, `connect`, `map_answer`, RULES. What statuses mean is in `mastodon_map`, what is read when in
`mastodon_read`, who may be answered in `mastodon_reply`, the server itself in `mastodon_server`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from collectors import mastodon_reply
from collectors.mastodon_map import map_answer, mention_of, said, unboosted
from collectors.mastodon_read import Reading
from collectors.mastodon_reply import RULES
from collectors.mastodon_server import MISSING, PERMISSIONS, Rules, Server
from collectors.plain_search import asks, hashtags, questions, search_of
from collectors.wire import at, list_of, text_of
from domain.clock import Now, utc_now
from domain.contracts import (
    Collector,
    CollectorSpec,
    Cursor,
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

__all__ = ["RULES", "SPEC", "MastodonCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="mastodon",
    title="Mastodon",
    settings=(
        Setting("server", "Address of the server, e.g. https://mastodon.social"),
        Setting("access_token", "Token of our account's application", secret=True),
        Setting("hashtags", "Hashtags to follow, separated by commas", required=False),
        Setting("allow_private", "yes for a server in your own network", required=False),
    ),
    # A thread that is alive is read whole, however old its beginning is.
    lookback=timedelta(days=36_500),
    permissions=PERMISSIONS,
    can_reply=True,
    reads="Mentions of our account, private messages to it, quotes of our posts (from Mastodon 4.5 on), our own posts, every "
    "answer in those threads (late ones too, for 14 days after the last one), hashtags, and full-text search where the "
    "server has it.",
    answers="Answers, as private as the message; private answers to public messages.",
    access=(
        "Log in on the server with the brand's account and open Preferences, Development, New application.",
        f"Tick exactly: {', '.join(PERMISSIONS)}.",
        "Save, open the application, and copy “Your access token” into the setting access_token.",
    ),
    limits="300 requests in 5 minutes for an account; a tenth is kept for answers. 500 characters an answer unless the server "
    "says otherwise; a link counts 23. Idempotency keys are honoured for an hour.",
    retention="None by contract; servers ask that deleted posts disappear, so kept ones are looked up again every day.",
    facts=(
        "Mastodon documentation, notifications API methods, read 2026-11-26",
        "Mastodon documentation, statuses API methods, read 2026-11-26",
        "Mastodon documentation, search API methods, read 2026-11-26",
        "Mastodon documentation, Rate limits, read 2026-11-26",
    ),
    rehydrate_every=timedelta(days=1),
)
_YES = frozenset({"1", "true", "yes", "oui", "on"})
_MAX_HASHTAGS = 20
_BATCH = 20  # statuses looked up in one question
_LOOKED_THROUGH = 2  # pages of our own posts, when an answer is looked for


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account on one server.

    Args:
        base: a server on this machine, instead of the setting; for tests.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    server, token = settings.get("server", "").strip(), settings.get("access_token", "").strip()
    if not (server or base):
        raise ConfigurationError("The setting server is missing: write the address of the Mastodon server.")
    if not token:
        raise ConfigurationError(
            "The setting access_token is missing: make an application on the Mastodon server, under Preferences, "
            "Development, and copy its token."
        )
    if "://" not in server:
        server = f"https://{server}"
    allow_private = base is not None or settings.get("allow_private", "").strip().lower() in _YES
    found = [tag.strip("#") for tag in re.split(r"[\s,;]+", settings.get("hashtags", "")) if tag.strip("#")]
    connected = Server(base or server, token, now=now, allow_private=allow_private, timeout=timeout)
    return MastodonCollector(connected, hashtags=tuple(dict.fromkeys(found)), now=now)


class MastodonCollector:
    """One account on one server."""

    spec = SPEC

    def __init__(self, server: Server, *, hashtags: tuple[str, ...], now: Now) -> None:
        self._server, self._hashtags, self._now = server, hashtags, now
        self._rules = Rules()  # until the server has told its own

    def check(self) -> None:
        """See Collector: the server answers, the token is ours, and it may do what is needed."""
        self._server.check()

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch; hashtags are read as lists of their own."""
        found = search_of(watch, note="Mentions of our account are heard without searching.")
        tags = tuple(f"#{tag}" for tag in dict.fromkeys((*self._hashtags, *hashtags(watch))))[:_MAX_HASHTAGS]
        left = tuple(one for one in found.left if one not in tags)
        return replace(found, queries=(*tags, *found.queries), left=left)

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector."""
        self._rules = self._server.rules
        tags = tuple(dict.fromkeys((*self._hashtags, *hashtags(watch))))[:_MAX_HASHTAGS]
        # Who names a hashtag in the settings hears all of it; others are in the watch, and filtered by the rest of it.
        wanted = replace(watch, terms=(*watch.terms, *(f"#{tag}" for tag in self._hashtags))) if asks(watch) else watch
        reading = Reading(self._server, wanted, since, hashtags=tags, queries=questions(watch), now=self._now)
        yield from reading.pages()

    # -- answering -------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return mastodon_reply.permission(mention, self._rules, self._now())

    def may_reply_privately(self, mention: Mention) -> Permission:
        """See CanReplyPrivately."""
        return mastodon_reply.permission(mention, self._rules, self._now(), private=True)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """See CanReply. The server makes no second one of the same key for an hour."""
        return self._post(mention, text, key, mastodon_reply.visibility(mention))

    def reply_privately(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """See CanReplyPrivately."""
        return self._post(mention, text, key, "direct")

    def _post(self, mention: Mention, text: str, key: IdempotencyKey, visibility: str) -> RemoteId:
        self._rules = rules = self._server.rules
        told = mastodon_reply.permission(mention, rules, self._now(), private=visibility == "direct")
        if not told.allowed:
            raise RefusedError(told.reason)
        status = mastodon_reply.addressed(mention, text)
        count = mastodon_reply.length(status, rules) + len(mention.title)
        if count > rules.text_limit:
            raise RefusedError(
                f"{count} characters with the name of the addressee; this Mastodon server takes {rules.text_limit}. "
                "Shorten the answer."
            )
        form = {
            "status": status,
            "in_reply_to_id": mention.native_id,
            "visibility": visibility,
            "spoiler_text": mention.title or None,
            "language": mention.lang_hint,
        }
        answer = self._server.ask("POST", "/api/v1/statuses", form=form, write=True, idempotency_key=key)
        remote_id = text_of(at(answer.data, "id"))
        if not remote_id:
            raise OutcomeUnknownError("Mastodon took the answer without naming it. It is looked up before another try.")
        return RemoteId(remote_id)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack: among our own newest posts, and in the thread."""
        own = self._server.own_id
        query: dict[str, Any] = {"limit": 40, "exclude_reblogs": "true"}
        for _ in range(_LOOKED_THROUGH):
            items, _answer = self._server.listed(f"/api/v1/accounts/{quote(own, safe='')}/statuses", query)
            found = _answer_in(items, own, mention, text)
            if found or not items:
                break
            query["max_id"] = text_of(at(items[-1], "id"))
        if not found:
            path = f"/api/v1/statuses/{quote(mention.native_id, safe='')}/context"
            found = _answer_in(
                list_of(at(self._server.get(path, allow=MISSING).data, "descendants")), own, mention, text
            )
        return RemoteId(found) if found else None

    # -- looking up again --------------------------------------------------------------------------------------------------

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate. What is no longer there, or no longer for us, counts as deleted."""
        found: dict[str, Any] = {}
        if self._server.rules.version:  # from Mastodon 4.3 on, many at once
            for start in range(0, len(mentions), _BATCH):
                ids = [mention.native_id for mention in mentions[start : start + _BATCH]]
                statuses, _ = self._server.listed("/api/v1/statuses", {"id[]": ids})
                found.update({text_of(at(one, "id")): one for one in statuses})
        changed, deleted = [], []
        for mention in mentions:
            status = found.get(mention.native_id) or self._looked_up(mention.native_id)
            if status is None:
                deleted.append(mention.id)
            else:
                changed += _changed(mention, status)
        return Page((), None, changed=tuple(changed), deleted=tuple(deleted), spent=self._server.spent())

    def _looked_up(self, native_id: str) -> Any:
        answer = self._server.get(f"/api/v1/statuses/{quote(native_id, safe='')}", allow=MISSING)
        return None if answer.status in MISSING else answer.data


def _changed(mention: Mention, status: Any) -> list[Mention]:
    try:
        fresh = mention_of(status)
    except InputError:
        return []  # what it says now cannot be kept; what it said is
    fresh = replace(
        fresh, conversation_id=mention.conversation_id, parent_id=mention.parent_id, outbound=mention.outbound
    )
    same = (fresh.text, fresh.title, fresh.engagement) == (mention.text, mention.title, mention.engagement)
    return [] if same else [fresh]


def _answer_in(statuses: list[Any], own: str, mention: Mention, text: str) -> str:
    for status in map(unboosted, statuses):
        ours = text_of(at(status, "account", "id")) == own
        there = text_of(status.get("in_reply_to_id")) == mention.native_id
        if ours and there and mastodon_reply.same_words(said(status, []), text):
            return text_of(status.get("id"))
    return ""
