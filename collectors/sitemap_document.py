"""The bytes of a sitemap, read: the addresses of pages and of further sitemaps, with when they were last changed. Pure.

Nothing is parsed as XML: marks are looked for from the front to the back, in time and memory that grow with the size alone, so
that entities, depth and namespaces can do nothing. Source: sitemaps.org, Sitemaps XML format (50,000 addresses, 50 MB).
"""

import html
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from collectors.values import web_url
from domain.errors import ContractError

SIZE_LIMIT = 50 * 2**20  # bytes, unpacked
MAX_ADDRESSES = 50_000
_ADDRESS_LIMIT = 2_048  # characters
_MARK = re.compile(rb"<(?:!--|(/?)(?:([\w.-]{1,40}):)?(urlset|sitemapindex|url|sitemap|loc|lastmod)\b[^<>]{0,1000}>)")
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_MONTH = re.compile(r"\d{4}(?:-\d{2})?")


@dataclass(frozen=True, slots=True)
class Listed:
    """One address of a sitemap.

    Attributes:
        changed_at: when it was last changed, in UTC; a day alone counts to its end. None where nothing is said.
    """

    url: str
    changed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SitemapDocument:
    """A sitemap that was read.

    Attributes:
        is_index: its addresses are those of further sitemaps.
        left_out: addresses that are none of the web.
        shortened: it lists more than the protocol allows; the rest was not read.
    """

    is_index: bool
    listed: tuple[Listed, ...]
    left_out: int = 0
    shortened: bool = False


def read_sitemap(body: bytes, url: str) -> SitemapDocument:
    """What a sitemap lists. Raises ContractError where it is none, or unpacks to more than any."""
    data = unpacked(body, url) if body[:2] == b"\x1f\x8b" else body
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        data = data.decode("utf-16", "replace").encode()
    marks = _marks(data)
    root = next(((prefix, name) for _, closing, prefix, name, _ in marks if not closing), (b"", b""))
    if root[1] not in {b"urlset", b"sitemapindex"}:
        raise ContractError(f"What is at {url} is no sitemap. Give the address of sitemap.xml, or of the site alone.")
    found: list[Listed] = []
    left_out, shortened, at, loc, changed = 0, False, 0, "", ""
    for start, closing, prefix, name, end in marks:
        if prefix != root[0]:
            continue  # pictures and videos have addresses of their own
        if not closing:
            at = end
        elif name == b"loc":
            loc = _words(data[at:start], _ADDRESS_LIMIT)
        elif name == b"lastmod":
            changed = _words(data[at:start], 60)
        elif name in {b"url", b"sitemap"}:
            if len(found) >= MAX_ADDRESSES:
                shortened = True
                break
            address = web_url(loc)
            found += [Listed(address, _moment(changed))] if address else []
            left_out += not address
            loc = changed = ""
    return SitemapDocument(root[1] == b"sitemapindex", tuple(found), left_out, shortened)


def unpacked(body: bytes, url: str, limit: int = SIZE_LIMIT) -> bytes:
    """What a gzip file holds. Raises ContractError where that is more than `limit`, or cannot be unpacked."""
    gunzip = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        data = gunzip.decompress(body, limit + 1)
    except zlib.error as error:
        raise ContractError(f"{url} cannot be unpacked. It is not read.") from error
    if len(data) > limit:
        raise ContractError(f"{url} unpacks to more than {limit // 2**20} MB, which no sitemap does. It is not read.")
    if not gunzip.eof:
        raise ContractError(f"{url} breaks off before its end. It is not read.")
    return data


def _marks(data: bytes) -> Iterator[tuple[int, bool, bytes, bytes, int]]:
    """Start, whether it closes, prefix, name and end of each mark outside comments."""
    at = 0
    while (found := _MARK.search(data, at)) is not None:
        if found[3] is None:
            end = data.find(b"-->", found.end())
            at = len(data) if end < 0 else end + 3
            continue
        at = found.end()
        yield found.start(), bool(found[1]), found[2] or b"", found[3], found.end()


def _words(data: bytes, limit: int) -> str:
    text = data[: limit + 50].decode("utf-8", "replace").strip()
    text = text.removeprefix("<![CDATA[").removesuffix("]]>").strip()
    return html.unescape(text) if len(text) <= limit else ""


def _moment(written: str) -> datetime | None:
    day = _DAY.fullmatch(written)
    try:
        if day:
            end = datetime.combine(datetime(*map(int, day.groups()), tzinfo=UTC), time.max, UTC)  # type: ignore[misc, arg-type]
            return end.replace(microsecond=0)
        if _MONTH.fullmatch(written):
            return None  # "2026": says too little
        found = datetime.fromisoformat(written)
    except ValueError:
        return None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    try:
        return aware.astimezone(UTC)
    except OverflowError:
        return None


def is_settled(listed: Listed, now: datetime) -> bool:
    """Whether the date of an address can be gone by: it has one, and that has passed."""
    return listed.changed_at is not None and listed.changed_at <= now - timedelta(minutes=1)
