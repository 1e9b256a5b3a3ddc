"""Reddit: hears who names us, answers us or writes to us, communities and searches; answers where we may.

The door: SPEC, `connect`, `map_answer`, RULES. What things mean is in `reddit_map`, what is read when in `reddit_read` and
`reddit_thread`, who may be answered in `reddit_reply`, keys and limits in `reddit_service`, the past in `reddit_past`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors import reddit_past, reddit_reply
from collectors.reddit_map import map_answer
from collectors.reddit_query import left_for_us, searches
from collectors.reddit_read import Reading, Wanted
from collectors.reddit_reply import RULES
from collectors.reddit_service import PERMISSIONS, Keys, Service
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
from domain.errors import ConfigurationError
from domain.mention import Mention

__all__ = ["RULES", "SPEC", "RedditCollector", "connect", "map_answer"]

SPEC = CollectorSpec(
    key="reddit",
    title="Reddit",
    settings=(
        Setting("username", "Name of our account, without u/"),
        Setting("client_id", "Client id of our app"),
        Setting("client_secret", "Secret of our app", secret=True),
        Setting("refresh_token", "Token that the account agreed to; or else its password", required=False, secret=True),
        Setting("password", "Password of the account, for an app of the kind “script”", required=False, secret=True),
        Setting("communities", "Communities to listen in, without r/, separated by commas", required=False),
        Setting("own_communities", "Communities of ours, which are heard whole", required=False),
        Setting("sitewide", "no to search in no other community than these", required=False),
    ),
    # A thread that is alive is read whole, however old its beginning is.
    lookback=timedelta(days=36_500),
    permissions=PERMISSIONS,
    can_reply=True,
    reads="Who names our account or answers it, private messages, our own posts and comments, late answers below them and in "
    "the branches that we have a part in (for 14 days after the last one), posts and comments of chosen communities, and "
    "posts of all of Reddit by search. Comments elsewhere cannot be searched.",
    answers="Public answer to a post or a comment; private answer to a private message.",
    access=(
        "Since November 2025, Reddit gives no keys by itself: every use of its interface needs an approval, and commercial "
        "use, such as this, an agreement with Reddit. Ask for both by the form that the “Responsible Builder Policy” links "
        "to, and wait for the answer.",
        "Then, logged in as the brand's account, make an app at https://www.reddit.com/prefs/apps. Of the kind “web app”: let "
        f"the account agree to {', '.join(PERMISSIONS)} (duration “permanent”) and keep the refresh token. Of the kind "
        "“script”: the password of the account is enough, unless it logs in with a second factor.",
        "Put client id, secret and refresh token (or password) into the settings.",
    ),
    limits="100 questions a minute for an app, averaged over ten minutes; a tenth is kept for answers. About 1,000 items of a "
    "list. 10,000 characters an answer; new accounts must wait some minutes between two. Reddit knows no idempotency keys.",
    retention="What was deleted on Reddit must be deleted here, with everything that names a deleted account; Reddit advises "
    "to do it within 48 hours. Kept ones are looked up again every day.",
    facts=(
        "Reddit, “Reddit Data API Wiki” (limits, User-Agent, deletion), stored copy read 2026-11-26; the 48 hours are from a "
        "third party's summary of the same page, whose end was not in the copy",
        "Reddit, “Responsible Builder Policy” (approval, commercial use), stored copy read 2026-11-26",
        "r/redditdev, “Introducing the Responsible Builder Policy + new approval process for API access”, read 2026-11-26",
        "Paths, shapes and permissions: PRAW 8.0.3 with its recorded answers, and the published source reddit-archive/reddit, "
        "read 2026-11-26; the page reddit.com/dev/api was not read again",
        "Length of a query (512) and the thousand items of a list: as commonly known, not in the pages that were read",
    ),
    rehydrate_every=timedelta(days=1),
)  # fmt: skip
_NO = frozenset({"0", "false", "no", "non", "off"})
_NAME = re.compile(r"[A-Za-z0-9_-]{2,24}")
_COMMUNITY = re.compile(r"(?:u_)?[A-Za-z0-9_]{2,24}")
_MOST_COMMUNITIES = 25


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one account.

    Args:
        base: a server to ask instead of Reddit; it may be on this machine.
        timeout: seconds without a sign of life.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    given = {name: value.strip() for name, value in settings.items()}
    for name in ("username", "client_id", "client_secret"):
        if not given.get(name):
            raise ConfigurationError(
                f"The setting {name} of the Reddit source is missing. See “Before it works”: Reddit must have approved our app."
            )
    username = given["username"].removeprefix("/").removeprefix("u/")
    if not _NAME.fullmatch(username):
        raise ConfigurationError(
            f"“{username}” is no name of an account on Reddit. Write it as on the profile, without u/."
        )
    if not (given.get("refresh_token") or given.get("password")):
        raise ConfigurationError("Reddit needs the setting refresh_token, or password for an app of the kind “script”.")
    keys = Keys(
        username, given["client_id"], given["client_secret"], given.get("refresh_token", ""), given.get("password", "")
    )
    own = _communities(given, "own_communities")
    chosen = _Chosen(
        own,
        tuple(
            name
            for name in _communities(given, "communities")
            if name.casefold() not in {one.casefold() for one in own}
        ),
        given.get("sitewide", "").lower() not in _NO,
    )
    return RedditCollector(Service(keys, now=now, base=base, timeout=timeout), chosen, now=now)


def _communities(given: Mapping[str, str], setting: str) -> tuple[str, ...]:
    names = [
        name.removeprefix("/").removeprefix("r/") for name in re.split(r"[\s,;+]+", given.get(setting, "")) if name
    ]
    for name in names:
        if not _COMMUNITY.fullmatch(name):
            raise ConfigurationError(
                f"The setting {setting} names “{name}”, which is no community. Write names without r/."
            )
    if len(names) > _MOST_COMMUNITIES:
        raise ConfigurationError(
            f"The setting {setting} names {len(names)} communities; at most {_MOST_COMMUNITIES} are read. Make a second source."
        )
    return tuple(dict.fromkeys(names))


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What a source is set to."""

    own_communities: tuple[str, ...]
    communities: tuple[str, ...]
    sitewide: bool


class RedditCollector:
    """One account."""

    spec = SPEC

    def __init__(self, service: Service, chosen: _Chosen, *, now: Now) -> None:
        self._service, self._chosen, self._now = service, chosen, now

    def check(self) -> None:
        """See Collector: the keys are ours, and may do what is needed."""
        self._service.check()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector."""
        chosen = self._chosen
        queries = searches(watch, self._service.name) if chosen.sitewide else ()
        wanted = Wanted(watch, chosen.communities, chosen.own_communities, queries)
        yield from Reading(self._service, wanted, since, now=self._now).pages()

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch."""
        if not self._chosen.sitewide:
            return Search(note="Only the communities of the settings are read, whole; the watch filters them here.")
        return Search(searches(watch, self._service.name), exact=False, left=left_for_us(watch))

    def estimate(self, watch: Watch, since: datetime, until: datetime) -> Estimate:
        """See CanEstimate."""
        queries = searches(watch, self._service.name)
        return reddit_past.estimate(self._service, watch, queries, since, until, self._now())

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return reddit_reply.permission(mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - Reddit knows no keys
        """See CanReply."""
        return reddit_reply.send(self._service, mention, text, self._now())

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack."""
        return reddit_reply.find(self._service, mention, text)

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate."""
        return reddit_past.rehydrate(self._service, mentions)
