"""Answering on Reddit: who may be answered (RULES), sending, and looking whether an answer is there already.

Reddit has no idempotency keys: after a call without an answer, `find` looks through our own newest words. Communities have
rules of their own, which no interface tells.
"""

import unicodedata
from datetime import date, datetime
from typing import Any

from collectors.reddit_map import COMMENT, KINDS, MESSAGE, Thing, full_name, moment_in
from collectors.reddit_service import Service, path_of
from collectors.wire import at, dict_of, list_of, text_of
from domain.contracts import Permission, RemoteId
from domain.errors import OutcomeUnknownError, RefusedError
from domain.mention import Mention, MentionKind
from domain.permission import ReplyRule, always, decide

TEXT_LIMIT = 10_000  # characters, as Reddit's form says
_READ_ON = date(2026, 11, 26)
_PAGE = (
    "Reddit API: POST /api/comment, and the errors of its published source (reddit-archive/reddit, r2/lib/errors.py)"
)
_MODEL = "PRAW 8.0.3, models Comment and Submission (fields locked, archived, author)"
_LOOKED_THROUGH = 3  # pages of our own words

RULES: tuple[ReplyRule, ...] = (
    ReplyRule("own words", lambda mention: mention.outbound, False, "These are our own words.", _PAGE, _READ_ON),
    ReplyRule(
        "nobody there",
        lambda mention: mention.author is None,
        False,
        "The account that wrote this no longer exists: nobody would be told of an answer.",
        _MODEL,
        _READ_ON,
    ),
    ReplyRule(
        "locked",
        lambda mention: _is(mention, "locked") or _is(mention, "link_locked"),
        False,
        "Moderators have locked this thread: Reddit takes no more answers in it.",
        _MODEL,
        _READ_ON,
    ),
    ReplyRule(
        "archived",
        lambda mention: _is(mention, "archived") or _is(mention, "link_archived"),
        False,
        "This thread is archived: Reddit takes no more answers in it.",
        _MODEL,
        _READ_ON,
    ),
    ReplyRule(
        "private message",
        lambda mention: mention.kind is MentionKind.MESSAGE,
        True,
        "A private message: only its author reads the answer.",
        _PAGE,
        _READ_ON,
        public=False,
        text_limit=TEXT_LIMIT,
    ),
    ReplyRule(
        "public",
        always,
        True,
        "Read the rules of the community first: many remove answers of companies.",
        _PAGE,
        _READ_ON,
        text_limit=TEXT_LIMIT,
    ),
)


def permission(mention: Mention, now: datetime) -> Permission:
    """What the table says."""
    return decide(RULES, mention, now)


def send(service: Service, mention: Mention, text: str, now: datetime) -> RemoteId:
    """Answer. Raises the errors of CanReply."""
    told = permission(mention, now)
    if not told.allowed:
        raise RefusedError(told.reason)
    if len(text) > TEXT_LIMIT:
        raise RefusedError(f"The answer has {len(text):,} characters; Reddit takes {TEXT_LIMIT:,}. Shorten it.")
    data = service.post("/api/comment", {"thing_id": mention.native_id, "text": text})
    for item in list_of(at(data, "things")):
        kind = text_of(at(item, "kind"))
        name = full_name(dict_of(at(item, "data")), kind) if kind in KINDS else ""
        if name:
            return RemoteId(name)
    # in communities under quarantine, Reddit takes a comment and does not show it
    raise OutcomeUnknownError("Reddit took the answer without naming it. It is looked up before another try.")


def find(service: Service, mention: Mention, text: str) -> RemoteId | None:
    """Our answer to the mention with this text, among our own words since; None where there is none."""
    private = mention.kind is MentionKind.MESSAGE
    path = "/message/sent" if private else path_of("user", service.name, "comments")
    kind, after = MESSAGE if private else COMMENT, ""
    for _ in range(_LOOKED_THROUGH):
        items, after = service.listing(path, {"sort": None if private else "new", "after": after or None})
        things = [Thing(kind, dict_of(at(item, "data"))) for item in items if text_of(at(item, "kind")) == kind]
        for thing in things:
            if _is_answer(thing.data, mention) and same_words(text_of(thing.data.get("body")), text):
                return RemoteId(thing.full_name)
        oldest = min((moment for thing in things if (moment := moment_in(thing.data))), default=None)
        if not after or (oldest and oldest < mention.created_at):
            return None
    return None


def _is_answer(data: dict[str, Any], mention: Mention) -> bool:
    parent = text_of(data.get("parent_id"))
    if mention.kind is MentionKind.MESSAGE and not parent.startswith("t4_"):
        return text_of(data.get("first_message_name")) == mention.conversation_id
    return parent == mention.native_id


def same_words(posted: str, text: str) -> bool:
    """Whether a posted answer is this text, however Reddit sets blanks."""
    return _bare(posted) == _bare(text)


def _bare(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split())


def _is(mention: Mention, name: str) -> bool:
    return mention.raw.get(name) is True
