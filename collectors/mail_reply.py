"""Answering a mail: who may be answered (RULES), to which address, and what the answer looks like. Pure.

An answer goes to its sender alone, never to those in copy; it has an id made of the outbox key, so that it is the same mail
however often it is tried. Nothing that strangers wrote can begin a new header line. Sending is in `mail_smtp`.
"""

import re
from datetime import date, datetime
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from hashlib import blake2b
from zoneinfo import ZoneInfo

from collectors.mail_letter import OWN_ID
from collectors.mail_map import UNPROVEN
from collectors.mail_settings import Account
from collectors.mail_words import is_address
from domain.contracts import IdempotencyKey, RemoteId
from domain.errors import RefusedError
from domain.mention import Mention
from domain.permission import ReplyRule, always

_READ_ON = date(2026, 11, 26)
_RFC = "RFC 5322, Internet Message Format, 3.6"
_NOBODY = re.compile(
    r"(?:no[-_.]?reply|do[-_.]?not[-_.]?reply|ne[-_.]?pas[-_.]?repondre|noreponse|mailer-daemon|postmaster|bounces?)\b",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffd]+")
_ID = re.compile(r"[!-;=?-~]{1,500}")
_AGAIN = re.compile(r"\s*(?:re|ré|rép|aw|sv|antw|rif)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_QUOTED_LINES, _QUOTED_LENGTH = 12, 800
_SUBJECT_LENGTH = 250
_MAX_REFERENCES = 20
_ZONE = ZoneInfo("Europe/Paris")
# Long lines stay whole: folding would break ids apart, which other programs do not put together again.
_POLICY = policy.SMTP.clone(max_line_length=900)


def recipient(mention: Mention) -> str:
    """The address that an answer goes to; "" where there is none."""
    known = mention.author.native_id.removeprefix(UNPROVEN) if mention.author else ""
    found = (mention.raw.get("reply_to"), mention.raw.get("from"), known)
    return next((one for one in found if isinstance(one, str) and is_address(one)), "")


def _elsewhere(mention: Mention) -> bool:
    sender = mention.raw.get("from")
    if mention.raw.get("form") or not isinstance(sender, str):
        return False
    return sender.rpartition("@")[2] != recipient(mention).rpartition("@")[2]


RULES: tuple[ReplyRule, ...] = (
    ReplyRule("own words", lambda mention: mention.outbound, False, "These are our own words.", _RFC, _READ_ON),
    ReplyRule(
        "no address",
        lambda mention: not recipient(mention),
        False,
        "The mail names no address that an answer could go to.",
        _RFC,
        _READ_ON,
    ),
    ReplyRule(
        "a program",
        lambda mention: _NOBODY.match(recipient(mention)) is not None,
        False,
        "The mail comes from an address where nobody reads answers.",
        _RFC,
        _READ_ON,
    ),
    ReplyRule(
        "sender not proven",
        lambda mention: mention.raw.get("unproven") is True or mention.raw.get("form") is True,
        True,
        "Nobody has proven that this address is the writer's: put no personal data into the answer.",
        "RFC 7489, DMARC, 10.5; RFC 8601, Authentication-Results",
        _READ_ON,
        public=False,
    ),
    ReplyRule(
        "answers go elsewhere",
        _elsewhere,
        True,
        "The writer asks for answers at another address than the mail came from: put no personal data into the answer.",
        "RFC 5322, Internet Message Format, 3.6.2: Reply-To",
        _READ_ON,
        public=False,
    ),
    ReplyRule("mail", always, True, "", _RFC, _READ_ON, public=False),
)


def remote_id(account: Account, key: IdempotencyKey) -> RemoteId:
    """The id of an answer, the same for the same key."""
    digest = blake2b(f"{account.address}\x1f{key}".encode("utf-8", "replace"), digest_size=16).hexdigest()
    return RemoteId(f"{digest}.comptoir@{_domain(account.address)}")


def composed(account: Account, mention: Mention, text: str, key: IdempotencyKey, now: datetime) -> tuple[str, bytes]:
    """The address of an answer, and the mail itself.

    Raises:
        RefusedError: nobody can be written to there, or there is nothing to send.
    """
    to = _sendable(recipient(mention))
    if not text.strip():
        raise RefusedError("The answer is empty. Write one.")
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = formataddr((_line(account.name), _sendable(account.address)))
    mail["To"] = to
    mail["Subject"] = _subject(mention.title)
    mail["Date"] = format_datetime(now)
    own = remote_id(account, key)
    mail["Message-ID"] = f"<{own}>"
    mail[OWN_ID] = f"<{own}>"
    parent = _parent(mention)
    if parent:
        before = mention.raw.get("references")
        known = [one for one in before if isinstance(one, str)] if isinstance(before, list) else []
        ids = [
            one for one in dict.fromkeys((mention.conversation_id, *known, parent)) if "@" in one and _ID.fullmatch(one)
        ]
        mail["In-Reply-To"] = f"<{parent}>"
        mail["References"] = " ".join(f"<{one}>" for one in (*ids[:1], *ids[1:][-_MAX_REFERENCES:]))
    clean = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").strip("\n")
    mail.set_content(f"{clean}\n{_quotation(mention)}", charset="utf-8", cte="quoted-printable")
    return to, mail.as_bytes()


def _parent(mention: Mention) -> str:
    found = (mention.raw.get("message_id"), mention.native_id)
    return next((one for one in found if isinstance(one, str) and "@" in one and _ID.fullmatch(one)), "")


def _subject(title: str) -> str:
    line = _line(title)[:_SUBJECT_LENGTH]
    return line if _AGAIN.match(line) else f"Re: {line}".strip()


def _quotation(mention: Mention) -> str:
    """A short piece of what is answered, as mail programs quote; empty where it said nothing."""
    if not mention.text.strip():
        return ""
    lines = mention.text[:_QUOTED_LENGTH].split("\n")
    shortened = len(mention.text) > _QUOTED_LENGTH or len(lines) > _QUOTED_LINES
    quoted = [f"> {line}".rstrip() for line in lines[:_QUOTED_LINES]] + (["> […]"] if shortened else [])
    name = _line(mention.author.name if mention.author else "")
    day = mention.created_at.astimezone(_ZONE)
    if mention.lang_hint == "en":
        head = f"On {day:%d/%m/%Y}, {name or 'you'} wrote:"
    else:
        head = f"Le {day:%d/%m/%Y}, {name} a écrit :" if name else f"Le {day:%d/%m/%Y}, vous avez écrit :"
    return "\n".join(["", head, *quoted, ""])


def _line(text: str) -> str:
    return " ".join(_CONTROLS.sub(" ", text).split())


def _sendable(address: str) -> str:
    local, _, _ = address.rpartition("@")
    if not is_address(address) or not local.isascii():
        raise RefusedError("The address of the writer cannot be written to from here. Answer in your mail program.")
    return f"{local}@{_domain(address)}"


def _domain(address: str) -> str:
    domain = address.rpartition("@")[2]
    try:
        return domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError as error:
        raise RefusedError("The address of the writer cannot be written to: its domain is none.") from error
