"""YouTube: hears the comments below our channel's videos, and videos that a search finds; answers, hides, takes back.

The door: SPEC, `connect`, `map_answer`, RULES. What things mean is in `youtube_map`, what is read when in `youtube_read`, keys,
units and refusals in `youtube_service`.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from collectors.plain_search import search_of
from collectors.reviews_settings import switch
from collectors.wire import at, text_of
from collectors.youtube_map import map_answer
from collectors.youtube_read import SPAN, Reading, answers, looked_up
from collectors.youtube_service import SCOPE, UNITS, ClosedError, Service, keys_of
from domain.clock import Now, utc_now
from domain.contracts import (
    Act,
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
from domain.errors import OutcomeUnknownError, RefusedError
from domain.mention import HIDDEN_HERE, Mention, MentionKind
from domain.permission import ReplyRule, always, decide

__all__ = ["RULES", "SPEC", "YoutubeCollector", "connect", "map_answer"]

TEXT_LIMIT = 10_000
_UNPUBLISHED = frozenset({"heldForReview", "rejected", "likelySpam"})
_READ_ON = date(2026, 11, 22)
_PAGE = "YouTube Data API v3: CommentThreads, Comments (canReply, moderationStatus, comments.insert)"

SPEC = CollectorSpec(
    key="youtube",
    title="YouTube",
    settings=(
        Setting("channel_id", "Id of our channel, beginning with UC"),
        Setting("client_id", "Client id of our OAuth client"),
        Setting("client_secret", "Secret of our OAuth client", secret=True),
        Setting("refresh_token", "Token that the channel's account agreed to", secret=True),
        Setting("search", "yes to search videos of others too, once an hour", required=False),
    ),
    lookback=SPAN,
    permissions=(SCOPE,),
    can_reply=True,
    reads="Comments below our channel's videos and the answers below them, late ones for 30 days; where the setting search "
    "says yes, videos of others that the watch finds. Comments below others' videos cannot be searched.",
    answers="Public answer below a comment of our channel's videos; comments there can be hidden and shown, our own deleted.",
    access=(
        "In the Google Cloud console, make a project, enable the “YouTube Data API v3”, and an OAuth client; more than 10,000 "
        "units a day need an audit by Google.",
        f"Let the account of the channel agree once to {SCOPE}, offline, and keep the refresh token. An app that is still in "
        "testing loses it after a week: publish the app.",
        "Put channel id, client id, secret and refresh token into the settings.",
    ),
    limits=f"10,000 units a day, whole again at midnight in California; a tenth is kept for answers. A page of comments costs "
    f"{UNITS['list']}, an answer {UNITS['write']}. 100 searches a day, counted apart. No idempotency keys.",
    retention="Google's terms ask for what is kept to be refreshed or deleted within 30 days; kept comments are looked up "
    "again every day.",
    facts=(
        "YouTube Data API v3: commentThreads.list, comments.list, insert, setModerationStatus, errors, and quota (searches "
        "counted apart; older pages say 100 units each), read 2026-11-22",
        "Not verified: the 30 days of the “Developer Policies”, comments.delete, that a rejected comment is shown no more",
    ),
    quota=10_000,
    rehydrate_every=timedelta(days=1),
)

RULES: tuple[ReplyRule, ...] = (
    ReplyRule("own words", lambda mention: mention.outbound, False, "These are our own words.", _PAGE, _READ_ON),
    ReplyRule(
        "video",
        lambda mention: mention.kind is MentionKind.POST,
        False,
        "A video of others: open it, and comment there.",
        _PAGE,
        _READ_ON,
    ),
    ReplyRule(
        "nobody there",
        lambda mention: mention.author is None,
        False,
        "Nobody is named who would be told of an answer.",
        _PAGE,
        _READ_ON,
    ),
    ReplyRule(
        "not published",
        lambda mention: mention.raw.get("moderationStatus") in _UNPUBLISHED or mention.raw.get(HIDDEN_HERE) is True,
        False,
        "This comment is hidden or waits for review: show it first.",
        _PAGE,
        _READ_ON,
    ),
    ReplyRule(
        "closed",
        lambda mention: mention.raw.get("canReply") is False,
        False,
        "YouTube takes no answers to this comment.",
        _PAGE,
        _READ_ON,
    ),
    ReplyRule("public", always, True, "", _PAGE, _READ_ON, text_limit=TEXT_LIMIT),
)


def connect(
    settings: Mapping[str, str], *, now: Now = utc_now, base: str | None = None, timeout: float = 10.0
) -> Collector:
    """The collector of one channel.

    Args:
        base: a server on this machine instead of Google's; for tests.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    service = Service(keys_of(settings), now=now, base=base, timeout=timeout)
    return YoutubeCollector(service, now=now, search=switch(settings, "search", default=False))


class YoutubeCollector:
    """One channel."""

    spec = SPEC

    def __init__(self, service: Service, *, now: Now, search: bool) -> None:
        self._service, self._now, self._search = service, now, search

    def check(self) -> None:
        """See Collector: the keys are those of the channel."""
        self._service.check()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        """See Collector."""
        yield from Reading(self._service, watch, since, now=self._now, search=self._search).pages()

    def search_of(self, watch: Watch) -> Search:
        """See CanSearch."""
        if not self._search:
            return Search(note="Only comments below our own videos are read, all of them.")
        return search_of(watch)

    def rehydrate(self, mentions: Sequence[Mention]) -> Page:
        """See CanRehydrate."""
        return looked_up(self._service, list(mentions))

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return decide(RULES, mention, self._now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:  # noqa: ARG002 - YouTube knows no keys
        """See CanReply."""
        told = self.may_reply(mention)
        if not told.allowed:
            raise RefusedError(told.reason)
        if len(text) > TEXT_LIMIT:
            raise RefusedError(f"The answer has {len(text):,} characters; YouTube takes {TEXT_LIMIT:,}. Shorten it.")
        body = {"snippet": {"parentId": mention.conversation_id or mention.native_id, "textOriginal": text}}
        remote = text_of(at(self._service.write("POST", "comments", params={"part": "snippet"}, body=body), "id"))
        if not remote:
            raise OutcomeUnknownError("YouTube took the answer without naming it. It is looked up before another try.")
        return RemoteId(remote)

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002
        """See CanReadBack."""
        for comment in answers(self._service, mention.conversation_id or mention.native_id):
            ours = text_of(at(comment, "snippet", "authorChannelId", "value")) == self._service.channel
            if ours and _bare(text_of(at(comment, "snippet", "textOriginal"))) == _bare(text):
                return RemoteId(text_of(comment.get("id")))
        return None

    def may_moderate(self, mention: Mention) -> tuple[Act, ...]:
        """See CanModerate."""
        if mention.kind is MentionKind.POST:
            return ()
        return (Act.DELETE,) if mention.outbound else (Act.HIDE, Act.UNHIDE)

    def moderate(self, mention: Mention, act: Act, key: IdempotencyKey) -> None:  # noqa: ARG002 - twice is once
        """See CanModerate. What is gone already needs no taking back."""
        if act not in self.may_moderate(mention):
            raise RefusedError("Only our own words can be deleted, and only comments of others hidden.")
        if act is Act.DELETE:
            try:
                self._service.write("DELETE", "comments", params={"id": mention.native_id})
            except ClosedError:
                return
            return
        status = "rejected" if act is Act.HIDE else "published"
        params = {"id": mention.native_id, "moderationStatus": status}
        self._service.write("POST", "comments/setModerationStatus", params=params)


def _bare(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())
