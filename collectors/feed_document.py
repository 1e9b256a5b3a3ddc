"""The bytes of a feed, read: encoding, what is hostile or no feed at all, and the entries as plain values.

feedparser does the reading, on text that was decoded here and made harmless by `feed_guard` first. Nothing is fetched
here, and what an entry means as a mention is in `feed`.
"""

import codecs
import io
import re
from calendar import timegm
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import feedparser

from collectors.feed_guard import after_prolog, made_harmless
from collectors.markup import advertised_feeds, text_of
from collectors.tables.dates import DateReader
from collectors.values import counted
from domain.errors import ContractError

MARKUP_LIMIT = 2_000_000  # characters; what is longer is no mention, and need not be turned into text

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_UNMARKED = ((b"<\x00", "utf-16-le"), (b"\x00<", "utf-16-be"))
_DECLARED = re.compile(rb"\s{0,99}<\?xml[^>]{0,200}encoding=[\"']([\w.:-]{1,40})")
_CHARSET = re.compile(r"charset=[\"']?([\w.:-]{1,40})", re.IGNORECASE)
# Single- and multi-byte text encodings only; latin-1 is read as its superset, as browsers do.
_READABLE = re.compile(r"iso8859-\d+|cp\d+|koi8-[ru]|mac-\w+|gb\w+|big5\w*|shift_jis\w*|euc_\w+|iso2022_\w+|tis-620")
_CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32)])  # XML knows none of these
_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]+)|([0-9]+));")
_ROOT = re.compile(r"<(?:[a-z]\w{0,20}:)?(?:rss|feed|rdf|channel)[\s>/]", re.IGNORECASE)
_PAGE = re.compile(r"<!doctype\s+html|<html[\s>]", re.IGNORECASE)
_DATES = DateReader(ZoneInfo("Europe/Paris"), day_first=True)


@dataclass(frozen=True, slots=True)
class FeedDocument:
    """A feed that was read.

    Attributes:
        entries: what JSON can hold, one dictionary an entry: id, link, title, text, author, author_url, published, lang,
            parent, comment_count; texts are plain, `published` is ISO 8601 in UTC, what is absent is "".
        notes: remarks for the person who set the source up.
    """

    title: str
    link: str
    entries: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]


def read_feed(body: bytes, content_type: str, url: str) -> FeedDocument:
    """The entries of a feed.

    Args:
        url: where it came from; relative links are resolved against it.

    Raises:
        ContractError: it is a web page (the message names the feeds that it advertises), no feed, or hostile.
    """
    text, notes = decoded(body, content_type)
    text = _REFERENCE.sub(_real_reference, text.translate(_CONTROLS))
    declaration = _DECLARATION.match(text)
    text = text[declaration.end() if declaration else 0 :]
    _must_be_feed(text, url)
    text = made_harmless(text, url)
    try:
        parsed = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers={"content-type": "application/xml; charset=utf-8", "content-location": url},
            resolve_relative_uris=False,
            sanitize_html=False,  # all markup is taken out in `text_of`, which is stricter
        )
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        RecursionError,
        TypeError,
        ValueError,
    ) as error:
        # Its fallback for broken XML stumbles over some inputs; that is the feed's fault, not ours.
        raise ContractError(f"The feed at {url} is too broken to be read ({type(error).__name__}).") from error
    entries = tuple(_plain(entry, parsed.feed) for entry in parsed.entries)
    if not entries and not parsed.version:
        raise ContractError(f"What is at {url} is neither RSS nor Atom. Give the address of a feed.")
    if parsed.bozo:
        reason = str(parsed.get("bozo_exception", "")).removeprefix("<unknown>:")[:200]
        notes.append(
            f"The feed is not well-formed ({reason}); of it were read: {counted(len(entries), 'entry', 'entries')}."
        )
    return FeedDocument(str(parsed.feed.get("title", "")), str(parsed.feed.get("link", "")), entries, tuple(notes))


def decoded(body: bytes, content_type: str) -> tuple[str, list[str]]:
    """The text, and a note where bytes had to be replaced. What decodes as UTF-8 is UTF-8, whatever headers say."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return _replacing(body[len(mark) :], codec)
    for start, codec in _UNMARKED:
        if body.startswith(start):
            return _replacing(body, codec)
    declared = _DECLARED.match(body)
    charset = _CHARSET.search(content_type)
    names = [charset[1] if charset else "", declared[1].decode("ascii", "ignore") if declared else ""]
    codecs_named = [codec for name in names if (codec := _known(name))]
    seven_bit = [codec for codec in codecs_named if codec.startswith("iso2022")]
    for codec in (*seven_bit, "utf-8", *codecs_named, "cp1252"):
        try:
            return body.decode(codec), []
        except UnicodeDecodeError:
            continue
    return _replacing(body, codecs_named[0] if codecs_named else "utf-8")


def _replacing(body: bytes, codec: str) -> tuple[str, list[str]]:
    text = body.decode(codec, "replace")
    return text, [f"Some characters of the feed could not be read as {codec}."] if "\ufffd" in text else []


def _real_reference(found: re.Match[str]) -> str:
    # &#xd800; and &#99999999999; are no characters, and would end the reading of the whole feed.
    digits = found[1] or found[2]
    code = int(digits, 16 if found[1] else 10) if len(digits) < 8 else -1
    return found[0] if 0 < code < 0xD800 or 0xE000 <= code <= 0x10FFFF else "\ufffd"


def _known(name: str) -> str:
    try:
        codec = codecs.lookup(name).name if name else ""
    except LookupError:
        return ""
    if not _READABLE.fullmatch(codec):
        return ""
    return "cp1252" if codec == "iso8859-1" else codec


def _must_be_feed(text: str, url: str) -> None:
    start = after_prolog(text)
    if _PAGE.match(text, start) or (_PAGE.search(text[start : start + 2_000]) and not _ROOT.search(text)):
        found = advertised_feeds(text, url)
        advice = f"It advertises: {', '.join(found)}. Give one of these." if found else "It advertises no feed."
        raise ContractError(f"{url} is a web page, not a feed. {advice}")
    if not _ROOT.search(text):
        raise ContractError(f"What is at {url} is neither RSS nor Atom. Give the address of a feed.")


def _plain(entry: Any, feed: Any) -> dict[str, Any]:
    contents = [*entry.get("content", []), *([entry["summary_detail"]] if "summary_detail" in entry else [])]
    texts = [text for text in map(_readable, contents) if text]
    title = entry.get("title_detail") or {}
    author = entry.get("author_detail") or {}
    reply = entry.get("thr_in-reply-to")
    return {
        "id": str(entry.get("id", "")),
        "link": str(entry.get("link", "")),
        "title": " ".join(_readable(title).split()),
        "text": texts[0] if texts else "",
        "author": str(author.get("name") or entry.get("author", "")),
        "author_url": str(author.get("href", "")),
        "published": _moment(entry),
        "lang": str(title.get("language") or feed.get("language") or ""),
        "parent": str(reply.get("ref", "")) if isinstance(reply, dict) else "",
        "comment_count": str(entry.get("slash_comments", "")),
    }


def _readable(detail: Any) -> str:
    value = str(detail.get("value", ""))
    return value.strip() if detail.get("type") == "text/plain" or len(value) > MARKUP_LIMIT else text_of(value)


def _moment(entry: Any) -> str:
    """ISO 8601, UTC; "" where the entry has no date that can be read."""
    for key in ("published", "updated", "created"):
        parsed = dict.get(entry, f"{key}_parsed")  # the entry's own `get` takes one date for another, with a warning
        written = dict.get(entry, key)
        try:
            if parsed:
                return datetime.fromtimestamp(timegm(parsed), UTC).isoformat()
            if written:
                return _DATES.read(written).at.isoformat()
        except (OverflowError, ValueError):
            continue
    return ""
