"""GET for addresses that strangers give us: feeds and web pages.

Time, size and redirects are bounded, private networks are out of reach (see `addresses`), proxies and cookies of the
environment are not used, and everything that can go wrong is one of `domain.errors`, in plain words. Vendors' interfaces
are called through their own SDKs, not from here.
"""

import ssl
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpcore
import httpx

from collectors.addresses import CheckedBackend, Deadline, Monotonic, Resolve, resolve
from domain.clock import Now, utc_now
from domain.errors import ComptoirError, ConfigurationError, ContractError, TransientError

_Headers = dict[bytes | str, bytes | str]

_AGENT = "Comptoir/0.1 (reads feeds for a shop's customer service)"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_GOOD = frozenset({301, 308})
_LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Policy:
    """What one request may cost and where it may go.

    Attributes:
        deadline: for all of it, redirects included.
        size_limit: bytes of the body, after unpacking.
        allow_private: also servers on this machine and in private networks.
    """

    allow_private: bool = False
    connect_timeout: timedelta = timedelta(seconds=5)
    read_timeout: timedelta = timedelta(seconds=10)
    deadline: timedelta = timedelta(seconds=30)
    size_limit: int = 10 * 1024 * 1024
    redirect_limit: int = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        url: where the answer came from in the end.
        not_modified: nothing new since the `etag` or `last_modified` that was sent; the body is empty.
        moved_to: the address to use from now on, where the server says so; else "".
    """

    url: str
    body: bytes = b""
    content_type: str = ""
    etag: str = ""
    last_modified: str = ""
    not_modified: bool = False
    moved_to: str = ""


class WebReader:
    """Reads addresses under one policy.

    Args:
        resolve, dial, tls, monotonic, now: the outer world; tests hand in their own.
    """

    def __init__(
        self,
        policy: Policy | None = None,
        *,
        resolve: Resolve = resolve,
        dial: httpcore.NetworkBackend | None = None,
        tls: ssl.SSLContext | None = None,
        monotonic: Monotonic = time.monotonic,
        now: Now = utc_now,
    ) -> None:
        self._policy = policy or Policy()
        self._resolve = resolve
        self._dial = dial
        self._tls = tls
        self._monotonic = monotonic
        self._now = now

    def get(self, url: str, *, etag: str = "", last_modified: str = "", accept: str = "*/*") -> Answer:
        """The answer of an address, after redirects.

        Raises:
            ConfigurationError: the address is none that may be read, or the server says that it does not exist.
            TransientError: unreachable, too slow, overloaded or broken off.
            ContractError: too large, too many redirects, or packed in a way that was not asked for.
        """
        headers: _Headers = {"User-Agent": _AGENT, "Accept": accept, "Accept-Encoding": "gzip"}
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        deadline = Deadline(self._policy.deadline.total_seconds(), self._monotonic)
        first = target = _checked(url)
        for_good = True
        with self._pool(deadline) as pool:
            for _ in range(self._policy.redirect_limit + 1):
                result = self._hop(pool, target, headers)
                if isinstance(result, Answer):
                    if result.not_modified and not (etag or last_modified):
                        raise ContractError(f"{target} answers “not modified” to a first question. It is not read.")
                    return replace(result, moved_to=str(target)) if for_good and target != first else result
                target = result.target
                for_good = for_good and result.for_good
        raise ContractError(f"{first} redirects more than {self._policy.redirect_limit} times. Give the final address.")

    def _pool(self, deadline: Deadline) -> httpcore.ConnectionPool:
        backend = CheckedBackend(
            deadline, allow_private=self._policy.allow_private, resolve=self._resolve, dial=self._dial
        )
        return httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend, max_keepalive_connections=0)

    def _hop(self, pool: httpcore.ConnectionPool, target: httpx.URL, headers: _Headers) -> "Answer | _Redirect":
        host, port = target.raw_host, target.port
        url = httpcore.URL(scheme=target.raw_scheme, host=host, port=port, target=target.raw_path)
        connect, read = self._policy.connect_timeout.total_seconds(), self._policy.read_timeout.total_seconds()
        timeouts = {"connect": connect, "read": read, "write": read, "pool": connect}
        try:
            with pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts}) as response:
                return self._read(response, target)
        except httpcore.TimeoutException as error:
            raise TransientError(f"{target.host} did not answer in time. It is tried again later.") from error
        except httpcore.ConnectError as error:
            if "CERTIFICATE" in str(error):
                words = f"The certificate of {target.host} is not valid ({error}). Tell its owner."
            else:
                words = f"{target.host} cannot be reached now. It is tried again later."
            raise TransientError(words) from error
        except httpcore.LocalProtocolError as error:
            raise ConfigurationError(f"{target} is no address that can be asked for. Check it.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError) as error:
            words = f"{target.host} broke off, or does not speak HTTP. It is tried again later."
            raise TransientError(words) from error

    def _read(self, response: httpcore.Response, target: httpx.URL) -> "Answer | _Redirect":
        status, headers = response.status, httpx.Headers(response.headers)
        if status in _REDIRECTS:
            return _Redirect(_next(target, headers.get("Location", "")), status in _FOR_GOOD)
        if status == 304:
            return Answer(str(target), not_modified=True)
        if not 200 <= status < 300:
            raise self._refusal(status, headers.get("Retry-After", ""), target)
        body = _unpacked(response.iter_stream(), headers.get("Content-Encoding", ""), self._policy.size_limit, target)
        return Answer(
            str(target),
            body,
            content_type=headers.get("Content-Type", ""),
            etag=_sendable(headers.get("ETag", "")),
            last_modified=_sendable(headers.get("Last-Modified", "")),
        )

    def _refusal(self, status: int, retry_after: str, target: httpx.URL) -> ComptoirError:
        if status in {408, 425, 429} or status >= 500:
            return TransientError(
                f"{target.host} is overloaded or out of order (status {status}). It is tried again later.",
                retry_after=wait_of(retry_after, self._now()),
            )
        if status in {401, 403}:
            return ConfigurationError(
                f"{target} is not open to us (status {status}): it asks for a login, or turns programs away. Give an "
                "address that anybody can read."
            )
        if status in {404, 410}:
            return ConfigurationError(f"There is nothing at {target} (status {status}). Check the address.")
        return ConfigurationError(f"{target} answers with status {status}. Open it in a browser to see why.")


def wait_of(retry_after: str, now: datetime) -> timedelta | None:
    """How long a Retry-After header asks to wait: seconds or a date; None where it says nothing, at most a day."""
    written = retry_after.strip()
    if written.isdecimal():
        return timedelta(seconds=min(int(written[:9]), _LONGEST_WAIT.total_seconds()))
    try:
        moment = parsedate_to_datetime(written)
    except (TypeError, ValueError):
        return None
    until = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return min(max(until - now, timedelta()), _LONGEST_WAIT)


@dataclass(frozen=True, slots=True)
class _Redirect:
    target: httpx.URL
    for_good: bool


def _checked(url: str | httpx.URL) -> httpx.URL:
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ConfigurationError(
            f"“{str(url)[:200]}” is no web address. Write one such as https://blog.example/feed."
        ) from error
    if parsed.userinfo:
        raise ConfigurationError(f"The address of {parsed.host} holds a user name or password. Give it without them.")
    if parsed.scheme not in {"http", "https"} or not parsed.host or "%" in parsed.host:
        raise ConfigurationError(
            f"“{str(url)[:200]}” is no web address. Write one that starts with https:// or http://."
        )
    return parsed.copy_with(fragment=None)


def _next(current: httpx.URL, location: str) -> httpx.URL:
    if not location:
        raise ContractError(f"{current} redirects without saying where to. Give the final address.")
    try:
        return _checked(current.join(location))
    except (httpx.InvalidURL, UnicodeError) as error:
        raise ContractError(f"{current} redirects to what is no web address. Give the final address.") from error


def _unpacked(pieces: Iterator[bytes], encoding: str, limit: int, target: httpx.URL) -> bytes:
    """The body, unpacked piece by piece, so that a small answer cannot become a huge one in memory."""
    packed = encoding.strip().lower()
    if packed not in {"", "identity", "gzip", "x-gzip"}:
        raise ContractError(f"{target} answers packed as “{packed[:40]}”, which was not asked for.")
    gunzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if "gzip" in packed else None
    body, received = bytearray(), 0
    for piece in pieces:
        received += len(piece)
        left = piece
        while gunzip and left and not gunzip.eof and len(body) <= limit:
            try:
                body += gunzip.decompress(left, limit + 1 - len(body))
            except zlib.error as error:
                raise ContractError(f"{target} answers with what cannot be unpacked.") from error
            left = gunzip.unconsumed_tail
        if not gunzip:
            body += piece
        if max(received, len(body)) > limit:
            raise ContractError(f"{target} is larger than {limit / 1024 / 1024:,.0f} MB, which no feed is. Check it.")
    if gunzip and received and not gunzip.eof:
        raise TransientError(f"The answer of {target.host} broke off. It is tried again later.")
    return bytes(body)


def _sendable(value: str) -> str:
    return value if value.isascii() and value.isprintable() and len(value) <= 1_000 else ""
