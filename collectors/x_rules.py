"""May we answer on X? The rules as tables, with their sources; what they ask of a mention was noted when it was heard.

`raw["summons"]` says how the author called on our account ("mention", "quote" or "answer"), which is what X wants since
23 February 2026. A changed rule is mended here, with the day on which the page was read.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

from collectors.x_prices import Item, dollars
from domain.mention import Mention, MentionKind
from domain.permission import ReplyRule, always

_READ_ON = date(2026, 11, 26)
_REPLIES = "X API docs, “Manage Posts: integration guide” and changelog of 2026-02-23, as of 2026-08-22"
_MESSAGES = "X API docs, “Manage Direct Messages”, as of 2026-08-22; its length: “POST direct_messages/events/new”"
_POLICY = "X Developer Policy, as of 2026-08-22"
TEXT_LIMIT = 280  # weighted, see x_text.weight; docs.x.com, “Counting Characters”
_MESSAGE_LIMIT = 10_000
_LINK = f"A link in it may make it cost ${dollars(Item.CREATE_WITH_LINK):.2f} instead of ${dollars(Item.ANSWER):.2f}."


def _summoned(how: str) -> Callable[[Mention], bool]:
    return lambda mention: mention.raw.get("summons") == how


def is_message(mention: Mention) -> bool:
    """Whether it is a direct message."""
    return mention.kind is MentionKind.MESSAGE


def is_protected(mention: Mention) -> bool:
    """Whether its author lets only chosen people read."""
    return mention.raw.get("protected") is True


RULES: tuple[ReplyRule, ...] = (
    ReplyRule(
        "own words",
        lambda mention: mention.outbound,
        allowed=False,
        reason="These are our own words. Answer what others said.",
        source=_REPLIES,
        read_on=_READ_ON,
    ),
    ReplyRule(
        "direct message",
        is_message,
        allowed=True,
        reason="Only the people in this conversation read it.",
        source=_MESSAGES,
        read_on=_READ_ON,
        price=dollars(Item.MESSAGE),
        public=False,
        text_limit=_MESSAGE_LIMIT,
    ),
    ReplyRule(
        "protected account",
        lambda mention: is_protected(mention) and bool(mention.raw.get("summons")),
        allowed=True,
        reason="The account is protected: an answer is public, so do not repeat what was said. Better write privately.",
        source=_POLICY,
        read_on=_READ_ON,
        price=dollars(Item.ANSWER),
        text_limit=TEXT_LIMIT,
    ),
    ReplyRule(
        "they mention us",
        _summoned("mention"),
        allowed=True,
        reason=f"They mention the account. {_LINK}",
        source=_REPLIES,
        read_on=_READ_ON,
        price=dollars(Item.ANSWER),
        text_limit=TEXT_LIMIT,
    ),
    ReplyRule(
        "they quote us",
        _summoned("quote"),
        allowed=True,
        reason=f"They quote a post of the account. {_LINK}",
        source=_REPLIES,
        read_on=_READ_ON,
        price=dollars(Item.ANSWER),
        text_limit=TEXT_LIMIT,
    ),
    ReplyRule(
        "they answer us",
        _summoned("answer"),
        allowed=True,
        reason=f"They answer the account without naming it: X may refuse. {_LINK}",
        source=_REPLIES,
        read_on=_READ_ON,
        price=dollars(Item.ANSWER),
        text_limit=TEXT_LIMIT,
    ),
    ReplyRule(
        "nobody summons us",
        always,
        allowed=False,
        reason="X lets programs answer only authors who mention or quote the account (since 23 February 2026).",
        source=_REPLIES,
        read_on=_READ_ON,
        text_limit=TEXT_LIMIT,
    ),
)

ENTERPRISE_RULES: tuple[ReplyRule, ...] = (
    *(replace(rule, price=0.0, reason=rule.reason.replace(f" {_LINK}", "")) for rule in RULES[:-1]),
    ReplyRule(
        "enterprise",
        always,
        allowed=True,
        reason="An Enterprise contract may answer everybody.",
        source=_REPLIES,
        read_on=_READ_ON,
        text_limit=TEXT_LIMIT,
    ),
)

PRIVATE_RULES: tuple[ReplyRule, ...] = (
    RULES[0],
    RULES[1],
    ReplyRule(
        "nobody to write to",
        lambda mention: mention.author is None or not mention.author.native_id.isdecimal(),
        allowed=False,
        reason="X does not say who wrote this, so nobody can be written to.",
        source=_MESSAGES,
        read_on=_READ_ON,
        public=False,
    ),
    ReplyRule(
        "first private word",
        always,
        allowed=True,
        reason="X delivers it only where the person takes messages from everybody or wrote to the account before.",
        source=_MESSAGES,
        read_on=_READ_ON,
        price=dollars(Item.MESSAGE),
        public=False,
        text_limit=_MESSAGE_LIMIT,
    ),
)
