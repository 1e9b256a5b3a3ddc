"""Answering on Bluesky: who may be answered (RULES), the key under which an answer is kept, and its record. Pure.

The key of an answer is made from the message and our own key, so that writing it again writes the same place. Sending is in
`bluesky`.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from hashlib import blake2b
from typing import Any

from collectors.bluesky_map import POST
from collectors.bluesky_words import BYTES, GRAPHEMES, facets_for, graphemes
from collectors.wire import at, dict_of, text_of
from domain.contracts import IdempotencyKey, Permission
from domain.errors import RefusedError
from domain.mention import Mention
from domain.permission import ReplyRule, always, decide

_READ_ON = date(2026, 11, 26)
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"  # base 32 that sorts as its numbers do
_FIRST_POSSIBLE = int(datetime(2022, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)
_LAST_POSSIBLE = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1_000_000)

RULES: tuple[ReplyRule, ...] = (
    ReplyRule(
        "own words",
        lambda mention: mention.outbound,
        False,
        "These are our own words.",
        "Bluesky documentation, Posts",
        _READ_ON,
    ),
    ReplyRule(
        "answers off",
        lambda mention: dict_of(mention.raw.get("viewer")).get("replyDisabled") is True,
        False,
        "Its author lets only some people answer, and we are not among them. Open the post on its own page.",
        "Lexicon app.bsky.feed.defs, viewerState.replyDisabled; app.bsky.feed.threadgate",
        _READ_ON,
    ),
    ReplyRule(
        "public",
        always,
        True,
        "",
        "Lexicon app.bsky.feed.post: at most 300 graphemes and 3,000 bytes",
        _READ_ON,
        text_limit=GRAPHEMES,
    ),
)


def permission(mention: Mention, now: datetime) -> Permission:
    """What the table says."""
    return decide(RULES, mention, now)


def check_length(text: str) -> None:
    """Raises RefusedError where Bluesky would."""
    count, size = graphemes(text), len(text.encode("utf-8", "replace"))
    if count > GRAPHEMES or size > BYTES:
        raise RefusedError(
            f"{count} characters ({size:,} bytes); Bluesky takes {GRAPHEMES} ({BYTES:,} bytes). Shorten the answer."
        )


def record_key(mention: Mention, key: IdempotencyKey) -> str:
    """Where our answer of this key is kept: looks like a time just after the message, and is always the same."""
    digest = int.from_bytes(blake2b(f"{mention.native_id}\x1f{key}".encode(), digest_size=8).digest(), "big")
    moment = _moment_of_key(mention.native_id.rpartition("/")[2])
    return _written((moment + 1_000_000 + digest % 1_000_000) << 10 | (digest >> 32) % 1024)


def _moment_of_key(key: str) -> int:
    # Microseconds since 1970, where the key of the message is made of its time, as it should be but need not.
    if len(key) == 13 and all(char in _DIGITS for char in key):
        number = 0
        for char in key:
            number = number * 32 + _DIGITS.index(char)
        if _FIRST_POSSIBLE < number >> 10 < _LAST_POSSIBLE:
            return number >> 10
    return _FIRST_POSSIBLE


def _written(number: int) -> str:
    return "".join(_DIGITS[number >> shift & 31] for shift in range(60, -1, -5))


def record_for(
    parent: Any, text: str, *, lang: str | None, now: datetime, did_of: Callable[[str], str]
) -> dict[str, Any]:
    """The record of an answer.

    Args:
        parent: view of the post that is answered.
        lang: of the answer; None where it is not known: then none is claimed.
        did_of: the account of a handle; "" where there is none.
    """
    here = {"uri": text_of(at(parent, "uri")), "cid": text_of(at(parent, "cid"))}
    told = at(parent, "record", "reply", "root")
    root = {"uri": text_of(at(told, "uri")), "cid": text_of(at(told, "cid"))}
    record: dict[str, Any] = {
        "$type": POST,
        "text": text,
        "createdAt": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "reply": {"root": root if root["uri"] and root["cid"] else here, "parent": here},
    }
    if lang:
        record["langs"] = [lang]
    facets = facets_for(text, did_of)
    if facets:
        record["facets"] = facets
    return record
