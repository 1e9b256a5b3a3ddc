"""What a mailbox is set to: the servers for reading and for sending, how to log in, our own addresses, which folders.

Raises ConfigurationError where a setting is missing or cannot be used; the message names it. Nothing is connected here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from collectors.mail_words import is_address
from domain.contracts import Setting
from domain.errors import ConfigurationError

SETTINGS = (
    Setting("imap_host", "Server for reading, e.g. imap.example.org"),
    Setting("user", "Login of the mailbox, mostly its address"),
    Setting(
        "password", "Password of the mailbox; at Gmail, iCloud and Yahoo an app password", required=False, secret=True
    ),
    Setting("oauth_token", "Access token, instead of a password", required=False, secret=True),
    Setting("oauth_refresh_token", "Refresh token, with which access tokens are renewed", required=False, secret=True),
    Setting("oauth_client_id", "Client id of your application at the provider", required=False),
    Setting("oauth_client_secret", "Its client secret, where it has one", required=False, secret=True),
    Setting("oauth_token_url", "Where the provider renews tokens; known for Google and Microsoft", required=False),
    Setting("address", "Address that answers come from, where the login is none", required=False),
    Setting("name", "Name that answers come from, e.g. of the shop", required=False),
    Setting("aliases", "Other addresses of ours, separated by commas", required=False),
    Setting("folders", "Folders to read, separated by commas; INBOX unless given", required=False),
    Setting("sent_folder", "Folder of sent mails, where the server does not say which it is", required=False),
    Setting("history", "Days that the first reading goes back, 30 unless given", required=False),
    Setting("imap_port", "Port for reading, 993 unless given", required=False),
    Setting(
        "imap_security", "ssl, starttls, or none for a server in your own network; ssl unless given", required=False
    ),
    Setting("smtp_host", "Server for sending, where it has another name than imap.… with smtp.", required=False),
    Setting("smtp_port", "Port for sending, 465 or with starttls 587 unless given", required=False),
    Setting("smtp_security", "ssl, starttls or none; starttls unless given", required=False),
    Setting("sent_copies", "server where your provider keeps sent mails by itself; known for Gmail and Outlook", False),
    Setting("ca_file", "Certificate authority of your own server, a PEM file", required=False),
)
_KEEP_THEIR_OWN = ("gmail.com", "googlemail.com", "office365.com", "outlook.com")
_TOKEN_URLS = {
    "gmail.com": "https://oauth2.googleapis.com/token",
    "googlemail.com": "https://oauth2.googleapis.com/token",
    "office365.com": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
    "outlook.com": "https://login.microsoftonline.com/common/oauth2/v2.0/token",
}
_LONGEST_HISTORY = 3650


class Security(StrEnum):
    """How a connection is kept from others' eyes."""

    SSL = "ssl"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Host:
    """One server."""

    name: str
    port: int
    security: Security


@dataclass(frozen=True, slots=True)
class OAuth:
    """How access tokens are had; without `refresh_token`, `token` is used as it is."""

    token: str = ""
    refresh_token: str = ""
    client_id: str = ""
    client_secret: str = ""
    token_url: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A mailbox.

    Attributes:
        address: that answers come from; `own`: all of ours, in lower case.
        keeps_sent: the provider keeps a copy of what is sent by itself.
    """

    imap: Host
    smtp: Host
    user: str
    password: str
    oauth: OAuth
    address: str
    name: str
    own: frozenset[str]
    folders: tuple[str, ...]
    sent_folder: str
    history: timedelta
    keeps_sent: bool
    ca_file: str

    @property
    def secrets(self) -> tuple[str, ...]:
        """Words that no message may hold."""
        found = (self.password, self.oauth.token, self.oauth.refresh_token, self.oauth.client_secret)
        return tuple(word for word in found if word)


def account_of(settings: Mapping[str, str]) -> Account:
    """The mailbox that the settings describe."""
    given = {key: value.strip() for key, value in settings.items() if value}
    imap_host, user = _host(given, "imap_host"), given.get("user", "")
    if not user:
        raise ConfigurationError("The setting user is missing: write the login of the mailbox, mostly its address.")
    oauth = _oauth(given, imap_host)
    password = settings.get("password", "")
    if not (password or oauth.token or oauth.refresh_token):
        raise ConfigurationError(
            "The setting password is missing: give the password of the mailbox (at Gmail, iCloud and Yahoo an app "
            "password), or oauth_refresh_token where the provider takes no passwords."
        )
    address = given.get("address", user).lower()
    if not is_address(address):
        raise ConfigurationError(
            f"The setting address is missing: “{user}” is no address that answers could come from."
        )
    smtp_host = _host(given, "smtp_host") if "smtp_host" in given else _sibling(imap_host)
    copies = given.get("sent_copies", "").lower()
    if copies not in {"", "server", "ours"}:
        raise ConfigurationError(f"The setting sent_copies is “{copies}”. Write server, or leave it out.")
    return Account(
        imap=_server(given, "imap", imap_host, Security.SSL, {Security.SSL: 993}, 143),
        smtp=_server(given, "smtp", smtp_host, Security.STARTTLS, {Security.SSL: 465}, 587),
        user=user,
        password=password,
        oauth=oauth,
        address=address,
        name=given.get("name", ""),
        own=frozenset({address, user.lower(), *(one.lower() for one in _list(given, "aliases"))}),
        folders=_list(given, "folders") or ("INBOX",),
        sent_folder=given.get("sent_folder", ""),
        history=timedelta(days=_whole(given, "history", 30, _LONGEST_HISTORY)),
        keeps_sent=copies == "server" or (copies == "" and _is_of(smtp_host, _KEEP_THEIR_OWN)),
        ca_file=given.get("ca_file", ""),
    )


def _host(given: Mapping[str, str], key: str) -> str:
    name = given.get(key, "")
    if not name:
        raise ConfigurationError(
            f"The setting {key} is missing: write the name of the mail server, e.g. imap.example.org."
        )
    if "://" in name or "/" in name or any(char.isspace() for char in name) or len(name) > 253:
        raise ConfigurationError(f"The setting {key} is “{name[:100]}”, which is no server. Write its name alone.")
    return name


def _sibling(imap_host: str) -> str:
    """Providers name the two alike; office365 and in-house servers have one name for both."""
    if imap_host.startswith("imap."):
        return "smtp." + imap_host.removeprefix("imap.")
    return "smtp.office365.com" if imap_host.endswith("office365.com") else imap_host


def _server(
    given: Mapping[str, str], which: str, name: str, default: Security, ports: Mapping[Security, int], other: int
) -> Host:
    written = given.get(f"{which}_security", default.value).lower()
    if written not in set(Security):
        raise ConfigurationError(f"The setting {which}_security is “{written[:40]}”. Write ssl, starttls or none.")
    security = Security(written)
    return Host(name, _whole(given, f"{which}_port", ports.get(security, other), 65_535), security)


def _oauth(given: Mapping[str, str], host: str) -> OAuth:
    refresh = given.get("oauth_refresh_token", "")
    url = given.get("oauth_token_url", "") or next(
        (url for end, url in _TOKEN_URLS.items() if _is_of(host, (end,))), ""
    )
    if refresh and not (url and given.get("oauth_client_id")):
        raise ConfigurationError(
            "A refresh token needs the settings oauth_client_id and oauth_token_url too: where the provider renews tokens, "
            "and for which application."
        )
    names = ("oauth_token", "oauth_refresh_token", "oauth_client_id", "oauth_client_secret")
    token, refresh, client_id, secret = (given.get(name, "") for name in names)
    return OAuth(token, refresh, client_id, secret, url)


def _is_of(host: str, domains: tuple[str, ...]) -> bool:
    return any(host.lower() == domain or host.lower().endswith(f".{domain}") for domain in domains)


def _list(given: Mapping[str, str], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in given.get(key, "").split(",") if one.strip()))


def _whole(given: Mapping[str, str], key: str, default: int, most: int) -> int:
    written = given.get(key, "")
    if not written:
        return default
    if not written.isascii() or not written.isdigit() or not 0 < int(written[:9]) <= most:
        raise ConfigurationError(f"The setting {key} is “{written[:40]}”. Write a whole number from 1 to {most:,}.")
    return int(written)
