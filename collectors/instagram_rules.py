"""May we answer on Instagram? The rules as tables, with their sources; what they ask of a mention was noted when it was heard.

A changed rule is mended here, with the day on which the page was read.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from domain.contracts import Act
from domain.mention import Mention, MentionKind
from domain.permission import ReplyRule, always

_READ_ON = date(2026, 11, 26)
_REPLIES = "Instagram Platform, “IG Comment Replies” and “IG Comment”"
_MENTIONS = "Instagram Platform, “IG User Mentions”, as of 2025-01-21"
_HASHTAGS = "Instagram Platform, “Hashtag Search”, as of 2024-01-26"
_WINDOW = "Instagram Platform, “Messaging API” and Messenger Platform, “Message Tags” (24 hours; HUMAN_AGENT: 7 days)"
_PRIVATE = "Instagram Platform, “Private Replies”"
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
COMMENT_LIMIT = 2_200  # characters that the app takes; Meta's documentation states none
MESSAGE_BYTES = 1_000  # UTF-8; Instagram Platform, “Messaging API”: “must be UTF-8 and be 1000 bytes or less”


def is_message(mention: Mention) -> bool:
    """Whether it is a direct message."""
    return mention.kind is MentionKind.MESSAGE


def on_own_media(mention: Mention) -> bool:
    """Whether it stands below one of our media; where nobody told, it does: elsewhere we only hear mentions."""
    return mention.kind is MentionKind.COMMENT and mention.raw.get("sort") in {"own", "", None}


def _sort(*sorts: str) -> Callable[[Mention], bool]:
    return lambda mention: mention.raw.get("sort") in sorts


def _rule(
    key: str,
    applies: Callable[[Mention], bool],
    reason: str,
    source: str,
    *,
    allowed: bool = True,
    window: timedelta | None = None,
    public: bool = True,
    text_limit: int | None = None,
) -> ReplyRule:
    return ReplyRule(
        key, applies, allowed, reason, source, _READ_ON, window=window, public=public, text_limit=text_limit
    )


_OWN = _rule(
    "own words",
    lambda mention: mention.outbound,
    "These are our own words. Answer what others said.",
    _REPLIES,
    allowed=False,
)
_NOBODY = _rule(
    "nobody named",
    lambda mention: is_message(mention) and mention.author is None,
    "Instagram does not say who wrote this, so nobody can be written to. Open the conversation on Instagram.",
    _WINDOW,
    allowed=False,
    public=False,
)
_MESSAGE = _rule(
    "message",
    is_message,
    "Only this person reads it. Instagram takes an answer for 24 hours after they wrote.",
    _WINDOW,
    window=_DAY,
    public=False,
    text_limit=MESSAGE_BYTES,
)

RULES: tuple[ReplyRule, ...] = (
    _OWN,
    _NOBODY,
    _MESSAGE,
    _rule(
        "hidden",
        lambda mention: mention.raw.get("hidden") is True,
        "The comment is hidden, and Instagram takes no answer to a hidden one. Show it again first.",
        _REPLIES,
        allowed=False,
    ),
    _rule(
        "live broadcast",
        lambda mention: mention.raw.get("live") is True,
        "Instagram takes no public answer to comments on a live broadcast. Answer privately while it lasts.",
        _REPLIES,
        allowed=False,
    ),
    _rule(
        "mention",
        _sort("mentioned"),
        "Everybody reads it, below somebody else's medium, where they named the account.",
        _MENTIONS,
        text_limit=COMMENT_LIMIT,
    ),
    _rule(
        "tagged in a picture",
        _sort("tagged"),
        "Instagram takes no comment on media that merely tag the account. Open it and answer there.",
        _MENTIONS,
        allowed=False,
    ),
    _rule(
        "found by hashtag",
        _sort("hashtag"),
        "Instagram takes no comment on media that were found by a hashtag. Open it and answer there.",
        _HASHTAGS,
        allowed=False,
    ),
    _rule("comment", on_own_media, "Everybody reads it, below the comment.", _REPLIES, text_limit=COMMENT_LIMIT),
    _rule(
        "somebody's medium",
        always,
        "Instagram takes comments only below the account's own media, and where it is named.",
        _MENTIONS,
        allowed=False,
    ),
)

HUMAN_AGENT_RULES: tuple[ReplyRule, ...] = tuple(
    replace(
        rule,
        key="message, answered by a person",
        window=_WEEK,
        reason="Only this person reads it. With the tag HUMAN_AGENT, Instagram takes an answer of a person for 7 days.",
    )
    if rule is _MESSAGE
    else rule
    for rule in RULES
)

PRIVATE_RULES: tuple[ReplyRule, ...] = (
    _OWN,
    _NOBODY,
    _MESSAGE,
    _rule(
        "not on our media",
        lambda mention: not on_own_media(mention),
        "Instagram takes private answers only to comments on the account's own media.",
        _PRIVATE,
        allowed=False,
        public=False,
    ),
    _rule(
        "private answer during a broadcast",
        lambda mention: mention.raw.get("live") is True,
        "Once, and only while the broadcast lasts.",
        _PRIVATE,
        window=_DAY,
        public=False,
        text_limit=MESSAGE_BYTES,
    ),
    _rule(
        "private answer",
        always,
        "Once, within 7 days. Afterwards the person must answer before anything more can be said.",
        _PRIVATE,
        window=_WEEK,
        public=False,
        text_limit=MESSAGE_BYTES,
    ),
)
HUMAN_AGENT_PRIVATE_RULES = tuple(HUMAN_AGENT_RULES[2] if rule is _MESSAGE else rule for rule in PRIVATE_RULES)


def acts(mention: Mention) -> tuple[Act, ...]:
    """What may be done to a mention: our own comments taken back, those of others on our media hidden."""
    if not on_own_media(mention):
        return ()
    if mention.outbound:
        return (Act.DELETE,)
    return (Act.UNHIDE,) if mention.raw.get("hidden") is True else (Act.HIDE,)
