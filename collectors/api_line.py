"""The connection below `api_client`: one host, checked addresses, bounded time and size, and whether a request left.

Errors here are httpcore's and zlib's; `api_client` says what they mean. Nothing is retried and nothing redirected.
"""

import ssl
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpcore
import httpx

from collectors.addresses import CheckedBackend, Deadline, Monotonic, Resolve, may_dial
from domain.errors import ConfigurationError

_IDLE_SECONDS = 10.0  # a connection is kept this long for the next question


@dataclass(frozen=True, slots=True)
class World:
    """What is outside: names, sockets, certificates.

    Attributes:
        allow_private: also addresses of this machine and of private networks.
        encrypted: whether what is said travels under TLS; without it, no public address is dialled.
    """

    allow_private: bool
    encrypted: bool
    resolve: Resolve
    dial: httpcore.NetworkBackend | None
    tls: ssl.SSLContext | None

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """As the resolver says. Raises ConfigurationError where a token would travel openly through the internet."""
        found = self.resolve(host, port)
        if not self.encrypted and any(may_dial(address) for address in found):
            raise ConfigurationError(
                f"{host} is a public address, and http:// would show our token to everybody on the way. Write https://."
            )
        return found


@dataclass(slots=True)
class Sent:
    """What became of a request.

    Attributes:
        left: anything of it may have reached the other side.
        dialled: it had a new connection.
        answered: the other side began to answer.
    """

    left: bool = False
    dialled: bool = False
    answered: bool = False

    def trace(self, event: str, _info: Mapping[str, Any]) -> None:
        """See httpcore's extension `trace`."""
        self.left = self.left or event.endswith("send_request_headers.started")
        self.dialled = self.dialled or event == "connection.connect_tcp.started"
        self.answered = self.answered or event.endswith("receive_response_headers.complete")

    @property
    def hung_up_before(self) -> bool:
        """Whether the kept connection may have been dead already: then asking again is asking for the first time."""
        return self.left and not self.dialled and not self.answered


class TooLargeError(Exception):
    """The body goes on beyond the limit."""


class _RenewedDeadline(Deadline):
    """One for a kept connection: each request starts it again."""

    def __init__(self, seconds: float, monotonic: Monotonic) -> None:
        super().__init__(seconds, monotonic)
        self._seconds = seconds

    def start(self) -> None:
        self._end = self._monotonic() + self._seconds


class Line:
    """Connections to one host.

    Args:
        deadline: seconds for one whole request.
        keep: keep a connection for the next question.
    """

    def __init__(self, world: World, deadline: float, monotonic: Monotonic, *, keep: bool = True) -> None:
        self._deadline = _RenewedDeadline(deadline, monotonic)
        backend = CheckedBackend(
            self._deadline, allow_private=world.allow_private, resolve=world.addresses, dial=world.dial
        )
        self._pool = httpcore.ConnectionPool(
            ssl_context=(world.tls or _tls()) if world.encrypted else None,
            network_backend=backend,
            max_connections=4,
            max_keepalive_connections=1 if keep else 0,
            keepalive_expiry=_IDLE_SECONDS,
        )

    def carry(
        self, request: httpx.Request, timeout: float, max_bytes: int, sent: Sent
    ) -> tuple[int, httpx.Headers, bytes]:
        """Status, headers and unpacked body. Raises what httpcore and zlib raise, and TooLargeError."""
        self._deadline.start()
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        extensions = {"timeout": timeouts, "trace": sent.trace}
        with self._pool.stream(
            request.method, target, headers=request.headers.raw, content=request.read(), extensions=extensions
        ) as response:
            headers = httpx.Headers(response.headers)
            packed = "gzip" in headers.get("Content-Encoding", "").lower()
            return response.status, headers, _body(response.iter_stream(), packed, max_bytes)

    def close(self) -> None:
        """Hangs up."""
        self._pool.close()


def _body(pieces: Iterator[bytes], packed: bool, limit: int) -> bytes:
    """The body, unpacked piece by piece, so that a small answer cannot become a huge one in memory."""
    gunzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if packed else None
    body = bytearray()
    for piece in pieces:
        body += gunzip.decompress(piece, limit + 1 - len(body)) if gunzip else piece
        if len(body) > limit:
            raise TooLargeError
    if gunzip and body and not gunzip.eof:
        raise zlib.error("broken off")
    return bytes(body)


@cache
def _tls() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # a megabyte of certificates: read once for all sources


def checked_base(base: str, allow_private: bool) -> httpx.URL:
    """The address as one that a token may go to. Raises ConfigurationError where it is none."""
    wrong = ConfigurationError(f"“{base[:200]}” is no address of a server. Write one such as https://api.example.")
    try:
        url = httpx.URL(base.strip())
    except (httpx.InvalidURL, UnicodeError) as error:
        raise wrong from error
    if url.scheme not in {"http", "https"} or not url.host or "%" in url.host or url.query or url.fragment:
        raise wrong
    if url.userinfo:
        raise ConfigurationError(f"The address of {url.host} holds a user name or password. Give it without them.")
    if url.scheme == "http" and not allow_private:
        raise ConfigurationError(
            f"The address of {url.host} starts with http://, which would show our token to everybody. Write https://, or "
            "set allow_private for a server of your own."
        )
    return url
