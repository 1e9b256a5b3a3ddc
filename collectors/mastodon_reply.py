"""Answering on Mastodon: who may be answered (RULES), what an answer looks like there, and whether two are the same. Pure.

An answer names whom it answers, stays as private as the message, and keeps its content warning; all of that counts
against the length. Sending is in `mastodon`.
"""

import re
import unicodedata
from dataclasses import replace
from datetime import date, datetime

from collectors.mastodon_server import Rules
from domain.contracts import Permission
from domain.mention import Mention
from domain.permission import ReplyRule, always, decide

_READ_ON = date(2026, 11, 26)
_PAGE = "Mastodon documentation, statuses API methods: Post a new status"
_LINK = re.compile(r"https?://[^\s<>\"]+")
_REMOTE = re.compile(r"(?<![\w/])@([\w.-]+)@[\w.-]+\w(?::\d+)?")
_LEADING_NAMES = re.compile(r"\A(?:\s*@[\w.-]+(?:@[\w.-]+(?::\d+)?)?)+\s*")

RULES: tuple[ReplyRule, ...] = (
    ReplyRule(
        "own words",
        lambda mention: mention.outbound,
        False,
        "These are our own words.",
        _PAGE,
        _READ_ON,
    ),
    ReplyRule(
        "nobody named",
        lambda mention: mention.author is None or not mention.author.handle,
        False,
        "The server does not say who wrote this, so nobody can be addressed. Open the message on its own page.",
        "Mastodon documentation, entities: Status",
        _READ_ON,
    ),
    ReplyRule(
        "direct",
        lambda mention: mention.raw.get("visibility") == "direct",
        True,
        "A private message: only those who are named in it read the answer.",
        _PAGE,
        _READ_ON,
        public=False,
    ),
    ReplyRule(
        "followers only",
        lambda mention: mention.raw.get("visibility") == "private",
        True,
        "Written for followers only: the answer is seen by its author and by our followers.",
        _PAGE,
        _READ_ON,
        public=False,
    ),
    ReplyRule("public", always, True, "", _PAGE, _READ_ON),
)
PRIVATE_RULES: tuple[ReplyRule, ...] = (
    *RULES[:2],
    ReplyRule(
        "direct answer",
        always,
        True,
        "Sent as a private message: only its author reads it.",
        _PAGE,
        _READ_ON,
        public=False,
    ),
)


def permission(mention: Mention, rules: Rules, now: datetime, *, private: bool = False) -> Permission:
    """What the table says, with the length that is left beside the name and the warning."""
    told = decide(PRIVATE_RULES if private else RULES, mention, now)
    if not told.allowed:
        return told
    taken = length(addressed(mention, ""), rules) + len(mention.title)
    return replace(told, text_limit=max(0, rules.text_limit - taken))


def addressed(mention: Mention, text: str) -> str:
    """The answer as it is posted: beginning with its addressee, unless the text names them."""
    handle = mention.author.handle if mention.author else ""
    if re.search(rf"(?<![\w@])@{re.escape(handle)}(?![\w@])", text, re.IGNORECASE):
        return text
    return f"@{handle} {text}"


def visibility(mention: Mention) -> str:
    """Of an answer: as private as the message."""
    told = mention.raw.get("visibility")
    return told if told in ("public", "unlisted", "private", "direct") else "public"


def length(text: str, rules: Rules) -> int:
    """Characters as Mastodon counts them: links are all the same, the server of a name is free."""
    without_links, links = _LINK.subn("", text)
    return len(_REMOTE.sub(r"@\1", without_links)) + links * rules.link_length


def same_words(posted: str, text: str) -> bool:
    """Whether a posted answer is this text, whatever names were put before it and however the server sets blanks and signs."""
    return _bare(posted) == _bare(text)


def _bare(text: str) -> str:
    plain = unicodedata.normalize("NFKC", _LEADING_NAMES.sub("", text)).casefold()
    letters = "".join(char for char in plain if char.isalnum())
    return letters or "".join(plain.split())  # an answer of emoji only
