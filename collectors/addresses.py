"""Which addresses may be dialled for somebody who only gave us a link, and the connection that dials them.

A name is resolved once, each address it stands for is checked, and the connection goes to the very address that was
checked: a name that changes its mind in between (DNS rebinding) gains nothing. Every read and write also ends at the
deadline of the whole request. What is sent is in `http`.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import httpcore

from domain.errors import ConfigurationError, TransientError

Resolve = Callable[[str, int], Sequence[str]]
Monotonic = Callable[[], float]
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Public by Python's account (of some versions); most of them carry or stand for another address that nobody has checked.
_UNCHECKED = tuple(
    ipaddress.ip_network(network)
    for network in (
        "192.0.0.0/24",  # protocol assignments
        "192.88.99.0/24",  # 6to4 relays
        "::/96",  # IPv4-compatible
        "::ffff:0:0/96",  # IPv4-mapped
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",  # NAT64, local
        "2001::/32",  # Teredo
        "2002::/16",  # 6to4
        "fec0::/10",  # site-local
    )
)
_SHARED = ipaddress.ip_network("100.64.0.0/10")  # behind a carrier's NAT
_NEVER = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))  # where clouds keep their secrets


def resolve(host: str, port: int) -> Sequence[str]:
    """The addresses that the system's resolver knows for a host. Raises OSError where it knows none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def may_dial(address: str, *, allow_private: bool = False) -> bool:
    """True for an address of the public internet.

    Args:
        allow_private: also loopback and private networks, for tests and intranets; never link-local ones.
    """
    try:
        parsed: _Address = ipaddress.ip_address(address)
    except ValueError:
        return False  # with a zone, such as fe80::1%eth0
    if parsed.is_multicast or parsed.is_unspecified or any(parsed in network for network in _NEVER):
        return False
    if allow_private and (parsed.is_private or parsed in _SHARED):
        return parsed.is_loopback or not parsed.is_reserved
    return parsed.is_global and not parsed.is_reserved and not any(parsed in network for network in _UNCHECKED)


class Deadline:
    """The moment at which a request must be over, whatever the other side does."""

    def __init__(self, seconds: float, monotonic: Monotonic = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = monotonic() + seconds

    def limit(self, timeout: float | None) -> float:
        """The shorter one of `timeout` and what is left. Raises httpcore.ReadTimeout where nothing is."""
        left = self._end - self._monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the deadline has passed")
        return left if timeout is None else min(timeout, left)


class CheckedBackend(httpcore.NetworkBackend):
    """Dials checked addresses only.

    Args:
        dial: what opens the connection; the system's sockets by default.
    """

    def __init__(
        self,
        deadline: Deadline,
        *,
        allow_private: bool,
        resolve: Resolve = resolve,
        dial: httpcore.NetworkBackend | None = None,
    ) -> None:
        self._deadline = deadline
        self._allow_private = allow_private
        self._resolve = resolve
        self._dial = dial or httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address of the host that answers.

        Raises:
            ConfigurationError: the host has no address that may be dialled.
            TransientError: the host has no address at all.
            httpcore.ConnectError: none of them answers.
        """
        error: httpcore.ConnectError | httpcore.ConnectTimeout | None = None
        for address in self._checked(host, port):
            try:
                limit = self._deadline.limit(timeout)
                stream = self._dial.connect_tcp(address, port, limit, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
            else:
                return _TimedStream(stream, self._deadline)
        raise error or httpcore.ConnectError(f"{host} has no address")

    def _checked(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except UnicodeError as error:
            raise ConfigurationError(f"“{host[:100]}” is no host name. Check the address.") from error
        except OSError as error:
            raise TransientError(
                f"The host {host} was not found. Check how it is written; if it is right, it is tried again later."
            ) from error
        allowed = [address for address in addresses if may_dial(address, allow_private=self._allow_private)]
        if addresses and not allowed:
            raise ConfigurationError(
                f"{host} is an address inside a private or reserved network ({addresses[0]}), which is not read from "
                "here. Give a public address, or set allow_private for a server of your own."
            )
        return allowed


class _TimedStream(httpcore.NetworkStream):
    """A connection whose reads and writes all end at the deadline, even where they come byte by byte."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Up to `max_bytes`."""
        return self._stream.read(max_bytes, self._deadline.limit(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """All of `buffer`."""
        self._stream.write(buffer, self._deadline.limit(timeout))

    def close(self) -> None:
        """Hangs up."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted; the certificate must be the host's, whatever address was dialled."""
        secured = self._stream.start_tls(ssl_context, server_hostname, self._deadline.limit(timeout))
        return _TimedStream(secured, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        return self._stream.get_extra_info(info)
