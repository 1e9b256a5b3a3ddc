"""What reading and sending share: which servers may be dialled, certificates, access tokens, and faults in plain words.

A mail server may stand in the shop's own network; a password goes unencrypted only to one that does. Tokens are renewed by
`access_tokens`. IMAP itself is spoken in `mail_imap`, SMTP in `mail_smtp`.
"""

import ipaddress
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from collectors.access_tokens import Access, AccessTokens, access_in
from collectors.addresses import Resolve, may_dial, resolve
from collectors.api_client import ApiClient
from collectors.mail_settings import Account, Host, OAuth, Security
from collectors.mail_words import text_in
from domain.clock import Now, utc_now
from domain.errors import ConfigurationError, TransientError

_ADVICE = (
    "Check the settings user and password. Gmail, iCloud and Yahoo take only an app password, made in the account's own "
    "settings once two-step verification is on; Microsoft 365 takes oauth_refresh_token instead of a password."
)
_NAME = "The mail provider"


@dataclass(frozen=True, slots=True)
class World:
    """The outer world; tests hand in their own.

    Attributes:
        timeout: seconds without a sign of life.
    """

    timeout: float = 30.0
    resolve: Resolve = field(default=resolve)
    now: Now = field(default=utc_now)
    allow_private: bool = False  # of the server that renews tokens


def must_be_ours_to_dial(host: Host, resolve: Resolve) -> None:
    """Looks where the name leads before anything is said to it.

    Raises:
        ConfigurationError: to no mail server, or to one on the public internet that a password would reach unencrypted.
        TransientError: nowhere.
    """
    try:
        found = resolve(host.name, host.port)
    except UnicodeError as error:
        raise ConfigurationError(f"“{host.name[:100]}” is no name of a server. Check how it is written.") from error
    except OSError as error:
        raise TransientError(
            f"The mail server {host.name} was not found. Check how it is written; if it is right, it is tried again later."
        ) from error
    allowed = [address for address in found if may_dial(address, allow_private=True)]
    if not allowed:
        raise ConfigurationError(
            f"{host.name} leads to an address where no mail server can be. Check how it is written."
        )
    if host.security is Security.NONE and not all(_is_near(address) for address in allowed):
        raise ConfigurationError(
            f"{host.name} is on the public internet: the password would travel unencrypted. Set its security to ssl or "
            "starttls."
        )


def tls_of(account: Account) -> ssl.SSLContext:
    """Who vouches for the servers: the system's authorities, and the one of the settings."""
    context = ssl.create_default_context()
    if account.ca_file:
        try:
            context.load_verify_locations(cafile=Path(account.ca_file))
        except (OSError, ssl.SSLError, ValueError) as error:
            raise ConfigurationError(
                f"The setting ca_file names {account.ca_file}, which holds no certificate."
            ) from error
    return context


@contextmanager
def reaching(host: Host, doing: str) -> Iterator[None]:
    """Translates what goes wrong below the protocols."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise ConfigurationError(
            f"The certificate of {host.name} is not valid ({error.verify_message}). Check the name of the server; for a "
            "server of your own, name its authority in the setting ca_file."
        ) from error
    except ssl.SSLError as error:
        if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            raise TransientError(f"{host.name} broke off while {doing}. It is tried again later.") from error
        raise ConfigurationError(
            f"{host.name} does not speak TLS on port {host.port}. Check port and security: ssl on 993 and 465, starttls on "
            "143 and 587."
        ) from error
    except TimeoutError as error:
        raise TransientError(f"{host.name} did not answer in time while {doing}. It is tried again later.") from error
    except socket.gaierror as error:
        raise TransientError(f"The mail server {host.name} was not found. It is tried again later.") from error
    except OSError as error:
        raise TransientError(
            f"{host.name} cannot be reached on port {host.port}, or broke off while {doing}. It is tried again later."
        ) from error


class Login:
    """How we show who we are: a password, or an access token that is renewed."""

    def __init__(self, account: Account, world: World) -> None:
        self.account, self._world = account, world
        self._client: ApiClient | None = None

    @property
    def by_token(self) -> bool:
        """Whether no password is sent."""
        return bool(self.account.oauth.token or self.account.oauth.refresh_token)

    def plain(self) -> bytes:
        """The word of SASL PLAIN (RFC 4616)."""
        return f"\0{self.account.user}\0{self.account.password}".encode()

    def xoauth2(self) -> bytes:
        """The word of SASL XOAUTH2. Raises the errors of renewing the token."""
        return f"user={self.account.user}\x01auth=Bearer {self._token()}\x01\x01".encode()

    def words(self, said: Any) -> str:
        """What a server said, for people: one line, short, without secrets."""
        text = text_in(said, "utf-8") if isinstance(said, bytes) else str(said)
        for secret in self.account.secrets:
            text = text.replace(secret, "…")
        return re.sub(r"[\s\x00-\x1f]+", " ", text).strip()[:200]

    def refused(self, host: Host, said: Any) -> ConfigurationError:
        """The error of a login that was not accepted."""
        if self.by_token:
            advice = "Log in at the provider again and give the new oauth_refresh_token (or oauth_token)."
        else:
            advice = _ADVICE
        return ConfigurationError(
            f"{host.name} does not accept the login of {self.account.user}. {advice} ({self.words(said)})"
        )

    def _token(self) -> str:
        oauth = self.account.oauth
        if not oauth.refresh_token:
            return oauth.token
        known = AccessTokens((self.account.user, oauth.refresh_token, oauth.token_url), self._renew, self._world.now)
        return known.current().token

    def _renew(self) -> Access:
        oauth = self.account.oauth
        form = {
            "grant_type": "refresh_token",
            "refresh_token": oauth.refresh_token,
            "client_id": oauth.client_id,
            "client_secret": oauth.client_secret or None,
        }
        answer = self._asking(oauth).json("POST", urlsplit(oauth.token_url).path, form=form, allow=(400, 401))
        if answer.status in (400, 401):
            raise ConfigurationError(
                "The mail provider no longer takes the refresh token. Log in there again with your application, and give "
                "the new one in the setting oauth_refresh_token."
            )
        return access_in(answer.data, self._world.now(), _NAME)

    def _asking(self, oauth: OAuth) -> ApiClient:
        if self._client is None:
            parts = urlsplit(oauth.token_url)
            self._client = ApiClient(
                f"{parts.scheme}://{parts.netloc}",
                timeout=self._world.timeout,
                now=self._world.now,
                name=_NAME,
                secrets=self.account.secrets,
                allow_private=self._world.allow_private,
            )
        return self._client


def _is_near(address: str) -> bool:
    return ipaddress.ip_address(address).is_private
