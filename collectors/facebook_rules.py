"""May we answer on Facebook? The rules as tables, with their sources; what they ask of a mention was noted when it was heard.

A changed rule is mended here, with the day on which the page was read. Flags that Facebook did not tell (deliveries tell
few) count as “yes”: Facebook then has the last word.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

from collectors.wire import at, text_of
from domain.contracts import Act
from domain.mention import Mention, MentionKind
from domain.permission import ReplyRule, always

_READ_ON = date(2026, 11, 26)
_COMMENTS = "Graph API reference v26.0, “Comment” and “Object Comments”"
_RATINGS = "Graph API reference v26.0, “Page Ratings”"
_WINDOW = "Messenger Platform, “Send API” and “Message Tags” (24 hours; HUMAN_AGENT: 7 days)"
_PRIVATE = "Messenger Platform, “Private Replies”, as of 2026-04-16"
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
COMMENT_LIMIT = 8_000  # characters; the composer on facebook.com takes no more
MESSAGE_LIMIT = 2_000  # characters; Messenger Platform, “Send API”, message.text


def is_message(mention: Mention) -> bool:
    """Whether it came by Messenger."""
    return mention.kind is MentionKind.MESSAGE


def denied(flag: str) -> Callable[[Mention], bool]:
    """Whether Facebook said no: ``can_comment`` and the like."""
    return lambda mention: mention.raw.get(flag) is False


def story_of(mention: Mention) -> str:
    """Number of a recommendation, below which answers go; "" where Facebook gave none and we made one up."""
    return text_of(mention.raw.get("story_id")) or ("" if mention.native_id.startswith("h") else mention.native_id)


def _kind(kind: MentionKind) -> Callable[[Mention], bool]:
    return lambda mention: mention.kind is kind


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
    _COMMENTS,
    allowed=False,
)
_CLOSED = _rule(
    "cannot be written to",
    lambda mention: is_message(mention) and mention.raw.get("can_reply") is False,
    "Facebook takes no messages to this person: they blocked the Page, or closed their account.",
    _WINDOW,
    allowed=False,
    public=False,
)
_NOBODY = _rule(
    "nobody named",
    lambda mention: is_message(mention) and mention.author is None,
    "Facebook does not say who wrote this, so nobody can be written to. Open the conversation on Facebook.",
    _WINDOW,
    allowed=False,
    public=False,
)
_MESSAGE = _rule(
    "message",
    is_message,
    "Only this person reads it. Facebook takes an answer for 24 hours after they wrote.",
    _WINDOW,
    window=_DAY,
    public=False,
    text_limit=MESSAGE_LIMIT,
)

RULES: tuple[ReplyRule, ...] = (
    _OWN,
    _CLOSED,
    _NOBODY,
    _MESSAGE,
    _rule(
        "comments are closed",
        denied("can_comment"),
        "Facebook takes no answer below this comment: the post is closed, or the comment is hidden.",
        _COMMENTS,
        allowed=False,
    ),
    _rule(
        "recommendation without a story",
        lambda mention: mention.kind is MentionKind.REVIEW and not story_of(mention),
        "Facebook gives this recommendation no number to answer to. Open the Page's reviews and answer there.",
        _RATINGS,
        allowed=False,
    ),
    _rule(
        "recommendation",
        _kind(MentionKind.REVIEW),
        "Everybody reads it, below the recommendation.",
        _RATINGS,
        text_limit=COMMENT_LIMIT,
    ),
    _rule(
        "post that tags us",
        lambda mention: mention.raw.get("sort") == "tagged",
        "It stands on their own page: Facebook takes the answer only where its author lets Pages comment.",
        _COMMENTS,
        text_limit=COMMENT_LIMIT,
    ),
    _rule(
        "visitor's post",
        _kind(MentionKind.POST),
        "Everybody reads it, below the post.",
        _COMMENTS,
        text_limit=COMMENT_LIMIT,
    ),
    _rule(
        "comment",
        _kind(MentionKind.COMMENT),
        "Everybody reads it, below the comment.",
        _COMMENTS,
        text_limit=COMMENT_LIMIT,
    ),
)

HUMAN_AGENT_RULES: tuple[ReplyRule, ...] = tuple(
    replace(
        rule,
        key="message, answered by a person",
        window=_WEEK,
        reason="Only this person reads it. With the tag HUMAN_AGENT, Facebook takes an answer of a person for 7 days.",
    )
    if rule is _MESSAGE
    else rule
    for rule in RULES
)

PRIVATE_RULES: tuple[ReplyRule, ...] = (
    _OWN,
    _CLOSED,
    _NOBODY,
    _MESSAGE,
    _rule(
        "answered privately before",
        lambda mention: bool(at(mention.raw, "private_reply_conversation", "id")),
        "This was answered privately already; Facebook takes one private answer to a comment. Go on in that conversation.",
        _PRIVATE,
        allowed=False,
        public=False,
    ),
    _rule(
        "no private answer",
        denied("can_reply_privately"),
        "Facebook takes no private answer to this: it is older than 7 days, or was answered privately already.",
        _PRIVATE,
        allowed=False,
        public=False,
    ),
    _rule(
        "not on our Page",
        lambda mention: mention.raw.get("sort") in {"tagged", "rating"} or mention.kind is MentionKind.REVIEW,
        "Facebook takes private answers only to comments and visitors' posts on the Page.",
        _PRIVATE,
        allowed=False,
        public=False,
    ),
    _rule(
        "private answer",
        always,
        "Once, within 7 days. Afterwards the person must answer before anything more can be said.",
        _PRIVATE,
        window=_WEEK,
        public=False,
        text_limit=MESSAGE_LIMIT,
    ),
)
HUMAN_AGENT_PRIVATE_RULES = tuple(HUMAN_AGENT_RULES[3] if rule is _MESSAGE else rule for rule in PRIVATE_RULES)


def acts(mention: Mention) -> tuple[Act, ...]:
    """What may be done to a mention: our own comments taken back, those of others on our Page hidden."""
    if mention.kind is not MentionKind.COMMENT:
        return ()
    if mention.outbound:
        return () if mention.raw.get("can_remove") is False else (Act.DELETE,)
    if mention.raw.get("can_hide") is False or mention.raw.get("sort") == "tagged":
        return ()
    return (Act.UNHIDE,) if mention.raw.get("is_hidden") is True else (Act.HIDE,)
