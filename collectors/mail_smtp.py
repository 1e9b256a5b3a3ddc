"""Sending one mail over SMTP, so that afterwards it is known what became of it: sent, certainly not, refused, or unknown.

A server carries a mail out only after the line with a single dot. Whatever goes wrong before, nothing was sent; what goes
wrong between that line and the server's answer is unknown, and is looked up in the mailbox before another try.
"""

import base64
import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from collectors.mail_login import Login, World, must_be_ours_to_dial, reaching, tls_of
from collectors.mail_settings import Security
from domain.errors import ComptoirError, ConfigurationError, OutcomeUnknownError, RefusedError, TransientError

_LINE_END = re.compile(rb"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)
_LOGIN_FAULTS = frozenset({530, 534, 535, 538})
_FULL = re.compile(r"5\.2\.2|quota|mailbox (?:is )?full", re.IGNORECASE)
_NO_PASSWORDS = re.compile(r"5\.7\.30|5\.7\.139|basic authentication", re.IGNORECASE)


def send(login: Login, world: World, to: str, mail: bytes) -> None:
    """Hand a mail over.

    Raises:
        ConfigurationError: a person must act; nothing was sent.
        TransientError: nothing was sent, worth another try.
        OutcomeUnknownError: it may have been sent.
        RefusedError: the server does not carry it, now or later.
    """
    with _connected(login, world) as smtp:
        _handed_over(smtp, login, to, mail)


def check(login: Login, world: World) -> None:
    """Logs in and out again. Raises ConfigurationError or TransientError."""
    with _connected(login, world):
        pass


class _connected:  # noqa: N801 - reads as the act it is
    """A logged-in connection, for the length of a block."""

    def __init__(self, login: Login, world: World) -> None:
        self._login, self._world = login, world

    def __enter__(self) -> smtplib.SMTP:
        host = self._login.account.smtp
        must_be_ours_to_dial(host, self._world.resolve)
        tls = tls_of(self._login.account)
        with _speaking(self._login, "connecting"):
            self._smtp = self._dialled(tls)
        try:
            self._prepare(tls)
        except BaseException:
            self._smtp.close()
            raise
        return self._smtp

    def __exit__(self, *_: object) -> None:
        with suppress(smtplib.SMTPException, OSError):  # what was sent is sent, goodbye or not
            self._smtp.quit()
        self._smtp.close()

    def _dialled(self, tls: ssl.SSLContext) -> smtplib.SMTP:
        host, seconds = self._login.account.smtp, self._world.timeout
        name = self._login.account.address.rpartition("@")[2]  # else the machine's own name is looked up, slowly
        name = name if name.isascii() else "localhost"
        if host.security is Security.SSL:
            return smtplib.SMTP_SSL(host.name, host.port, local_hostname=name, timeout=seconds, context=tls)
        return smtplib.SMTP(host.name, host.port, local_hostname=name, timeout=seconds)

    def _prepare(self, tls: ssl.SSLContext) -> None:
        host = self._login.account.smtp
        with _speaking(self._login, "logging in"):
            self._smtp.ehlo_or_helo_if_needed()
            if host.security is Security.STARTTLS:
                if not self._smtp.has_extn("starttls"):
                    raise ConfigurationError(f"{host.name} offers no STARTTLS on port {host.port}. Try ssl on 465.")
                self._smtp.starttls(context=tls)
                self._smtp.ehlo()
            self._log_in()

    def _log_in(self) -> None:
        if not self._smtp.has_extn("auth"):
            return  # servers in one's own network often ask for no login
        mechanisms = self._smtp.esmtp_features.get("auth", "").upper().split()
        if self._login.by_token:
            first = base64.b64encode(self._login.xoauth2()).decode()
            code, said = self._smtp.docmd("AUTH", f"XOAUTH2 {first}")
            if code == 334:  # why not, in JSON; an empty line brings the verdict
                code, said = self._smtp.docmd("")
        elif "PLAIN" in mechanisms or "LOGIN" not in mechanisms:
            code, said = self._smtp.docmd("AUTH", f"PLAIN {base64.b64encode(self._login.plain()).decode()}")
        else:
            code, said = self._by_login()
        if code in {235, 503}:
            return
        host = self._login.account.smtp
        words = self._login.words(said)
        if _NO_PASSWORDS.search(words):
            raise ConfigurationError(
                f"{host.name} takes no passwords ({words}). Give an oauth_refresh_token, or let your administrator allow "
                "SMTP AUTH for this mailbox."
            )
        if 400 <= code < 500:
            raise TransientError(f"{host.name} takes no logins now ({words}). It is tried again later.")
        raise self._login.refused(host, said)

    def _by_login(self) -> tuple[int, bytes]:
        code, said = self._smtp.docmd("AUTH", "LOGIN")
        for word in (self._login.account.user, self._login.account.password):
            if code == 334:
                code, said = self._smtp.docmd(base64.b64encode(word.encode()).decode())
        return code, said


def _handed_over(smtp: smtplib.SMTP, login: Login, to: str, mail: bytes) -> None:
    host = login.account.smtp
    with _speaking(login, "sending"):
        code, said = smtp.mail(login.account.address)
        if code != 250:
            raise _refusal(login, code, said, about_us=True)
        code, said = smtp.rcpt(to)
        if code not in {250, 251}:
            raise _refusal(login, code, said)
        code, said = smtp.docmd("DATA")
        if code != 354:
            raise _refusal(login, code, said)
        smtp.send(_DOT.sub(b"..", _LINE_END.sub(b"\r\n", mail)))  # without the dot that ends it
    try:
        smtp.send(b"\r\n.\r\n")
        code, said = smtp.getreply()
    except (smtplib.SMTPException, OSError) as error:
        raise OutcomeUnknownError(
            f"{host.name} got the answer and did not say whether it carries it. The folder of sent mails is looked through "
            "before another try."
        ) from error
    if not 200 <= code < 600:
        raise OutcomeUnknownError(f"{host.name} answered in no known way. The folder of sent mails is looked through.")
    if code >= 300:
        raise _refusal(login, code, said)


@contextmanager
def _speaking(login: Login, doing: str) -> Iterator[None]:
    """Translates what goes wrong before a mail is complete; smtplib's errors are OSErrors too, and come first."""
    host = login.account.smtp
    with reaching(host, doing):
        try:
            yield
        except smtplib.SMTPException as error:
            raise TransientError(
                f"{host.name} takes no mail now, or broke off while {doing} ({login.words(error)}). Nothing was sent; it is "
                "tried again later."
            ) from error


def _refusal(login: Login, code: int, said: bytes, *, about_us: bool = False) -> ComptoirError:
    """The error of an answer that is no yes; nothing was sent."""
    host, words = login.account.smtp, login.words(said)
    if code in _LOGIN_FAULTS:
        return login.refused(host, said)
    if not 500 <= code < 600:
        return TransientError(f"{host.name} does not take the answer now ({code} {words}). It is tried again later.")
    if about_us:
        return ConfigurationError(
            f"{host.name} does not let {login.account.address} send ({code} {words}). Give an address of this mailbox in the "
            "setting address."
        )
    if _FULL.search(words):
        return RefusedError(
            f"The writer's mailbox is full ({code} {words}). Try again in some days, or by another way."
        )
    return RefusedError(
        f"{host.name} refuses the answer ({code} {words}). Check the address and the words of the answer."
    )
