"""A mail as far as customer service needs it: `Letter`, made of a whole mail or of the parts that a server handed out. Pure.

Headers, the words of its text parts, names and sizes of what is attached; nothing attached is opened. Values are read by
`mail_words`, the new words cut out by `mail_text`; what a letter means as a mention is in `mail_map`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from email.parser import BytesHeaderParser

from collectors.mail_text import readable, unfolded
from collectors.mail_words import (
    Address,
    addresses,
    header,
    message_id,
    message_ids,
    moment,
    raw_headers,
    text_in,
    words,
)
from collectors.wire import text_of
from domain.errors import InputError

PART_LIMIT = 512 * 1024  # bytes of one text part; a longer one is no message of a customer
MAX_PARTS = 100
_MARKUP_LIMIT = 2_000_000
_RAW_IDS = 30  # references that are kept
OWN_ID = "X-Comptoir-Id"  # the id that we gave an answer: some providers give it another


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf of a mail.

    Attributes:
        section: its number in IMAP's count, e.g. "1.2".
        kind: content type in lower case.
        name: of the file, where it is one.
        size: bytes as sent; None where nobody says.
        attached: it is a file to keep, not words to read.
    """

    section: str
    kind: str
    name: str = ""
    size: int | None = None
    attached: bool = False

    @property
    def is_text(self) -> bool:
        """Whether its words belong to the message."""
        return self.kind in {"text/plain", "text/html"} and not self.attached


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail.

    Attributes:
        references: ids of the thread, its beginning first.
        own_id: the id that we gave it, where it is an answer of ours and the provider gave it another.
        left_out: why it is no message of a person ("newsletter"), else "".
        unproven: the receiving server found that it does not come from whom it names.
        body: all of its words, history included; `cut_off` where they go on after what was fetched.
    """

    message_id: str
    own_id: str
    in_reply_to: str
    references: tuple[str, ...]
    sender: Address
    reply_to: Address
    to: tuple[str, ...]
    subject: str
    language: str
    written_at: datetime | None
    received_at: datetime | None
    left_out: str
    unproven: bool
    body: str
    cut_off: bool
    attachments: tuple[Part, ...]


def letter_of(data: bytes) -> Letter:
    """The letter that a whole mail is. Raises InputError where its parts lie too deep in each other."""
    try:
        message = message_from_bytes(data)
        leaves = list(_leaves(message))
    except RecursionError as error:
        raise InputError("its parts lie too deep in each other") from error
    texts = [(part, leaf, b"") for part, leaf in leaves if part.is_text]
    attachments = tuple(part for part, _ in leaves if not part.is_text)
    found = [(part.kind, _part_text(leaf)) for part, leaf, _ in texts]
    return _letter(message, found, attachments, None, cut_off=False)


def letter_of_parts(
    head: bytes,
    texts: Sequence[tuple[Part, bytes, bytes]],
    attachments: tuple[Part, ...],
    received_at: datetime | None,
) -> Letter:
    """The letter of what a server handed out piece by piece.

    Args:
        head: the mail's own headers.
        texts: text parts with their headers (empty where those of the mail are theirs) and as much as was fetched of them.
    """
    message = BytesHeaderParser().parsebytes(head)
    found: list[tuple[str, str]] = []
    for part, mime, body in texts:
        leaf = BytesHeaderParser().parsebytes(mime or _content_headers(head))
        leaf.set_payload(body.decode("ascii", "surrogateescape"))
        found.append((part.kind, _part_text(leaf)))
    cut_off = any((part.size or 0) > len(body) >= PART_LIMIT for part, _, body in texts)
    return _letter(message, found, attachments, received_at, cut_off=cut_off)


def _letter(
    message: Message,
    texts: list[tuple[str, str]],
    attachments: tuple[Part, ...],
    received_at: datetime | None,
    *,
    cut_off: bool,
) -> Letter:
    sender = next(iter(addresses(raw_headers(message, "From")[:1])), Address())
    if not sender.address:
        sender = next((one for one in addresses(raw_headers(message, "Sender")[:1]) if one.address), sender)
    reply_to = next((one for one in addresses(raw_headers(message, "Reply-To")) if one.address), Address())
    parents = message_ids(header(message, "In-Reply-To"))
    return Letter(
        message_id=message_id(header(message, "Message-ID")),
        own_id=message_id(header(message, OWN_ID)),
        in_reply_to=parents[0] if parents else "",
        references=message_ids(" ".join(raw_headers(message, "References")))[:_RAW_IDS],
        sender=sender,
        reply_to=reply_to,
        to=tuple(one.address for one in addresses(raw_headers(message, "To"))[:20] if one.address),
        subject=words(header(message, "Subject"))[:1_000],
        language=header(message, "Content-Language")[:20],
        written_at=moment(header(message, "Date")),
        received_at=received_at or _received_at(message),
        left_out=_left_out(message, sender),
        unproven=_unproven(message),
        body=_body(texts),
        cut_off=cut_off,
        attachments=attachments[:MAX_PARTS],
    )


def _body(texts: list[tuple[str, str]]) -> str:
    """Plain words where there are any: programs make the HTML part of the same words."""
    plain = [text.strip() for kind, text in texts if kind == "text/plain" and text.strip()]
    return "\n\n".join(plain or [text.strip() for kind, text in texts if kind == "text/html" and text.strip()])


def _leaves(message: Message) -> Iterator[tuple[Part, Message]]:
    """The parts of a mail that hold no others; a mail within the mail counts as one file."""
    waiting: list[tuple[Message, str]] = [(message, "")]
    count = 0
    while waiting and count < MAX_PARTS:
        part, section = waiting.pop(0)
        payload = part.get_payload()
        if isinstance(payload, list) and part.get_content_maintype() == "multipart":
            below = [
                (one, f"{section}.{n}".lstrip(".")) for n, one in enumerate(payload, 1) if isinstance(one, Message)
            ]
            waiting[:0] = below[:MAX_PARTS]
            continue
        count += 1
        yield _part(part, section or "1"), part


def _part(leaf: Message, section: str) -> Part:
    kind = leaf.get_content_type()
    name = words(_file_name(leaf))[:200]
    payload = leaf.get_payload()
    if kind == "message/rfc822" and isinstance(payload, list) and payload and not name:
        name = words(header(payload[0], "Subject"))[:200] if isinstance(payload[0], Message) else ""
    attached = (leaf.get_content_disposition() or "") == "attachment"
    return Part(section, kind, name, len(payload) if isinstance(payload, str) else None, attached)


def _file_name(leaf: Message) -> str:
    try:
        return str(leaf.get_filename() or "")
    except (LookupError, TypeError, ValueError):  # names in a charset that nobody knows
        return ""


def _part_text(leaf: Message) -> str:
    payload = leaf.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    text = text_in(data[: 4 * PART_LIMIT], _parameter(leaf, "charset")).replace("\r\n", "\n")
    if leaf.get_content_type() == "text/html":
        return readable(text[:_MARKUP_LIMIT])
    if _parameter(leaf, "format").lower() == "flowed":
        return unfolded(text, delete_space=_parameter(leaf, "delsp").lower() == "yes")
    return text


def _parameter(leaf: Message, name: str) -> str:
    try:
        value = leaf.get_param(name)
    except (LookupError, TypeError, ValueError):
        return ""
    return text_of(value[2] if isinstance(value, tuple) else value)


def _content_headers(head: bytes) -> bytes:
    """Those headers of a mail that say how its only part is written."""
    message = BytesHeaderParser().parsebytes(head)
    kept = (f"{name}: {value}" for name, value in message.raw_items() if name.lower().startswith("content-"))
    return "\r\n".join([*kept, "", ""]).encode("utf-8", "surrogateescape")


def _received_at(message: Message) -> datetime | None:
    return moment(header(message, "Received").rpartition(";")[2])


# -- what is no message of a person ------------------------------------------------------------------------------------------

_AUTOMATIC_SUBJECT = re.compile(
    r"\s*(?:réponse automatique|automatic reply|auto(?:matische)?[- ]?(?:reply|antwort)|absence du bureau|"
    r"out of (?:the )?office|message d['’]absence|abwesenheitsnotiz|respuesta automática)\b",
    re.IGNORECASE,
)
_DAEMON = re.compile(r"(?:mailer-daemon|postmaster)@", re.IGNORECASE)


def _left_out(message: Message, sender: Address) -> str:
    kind = message.get_content_type()
    empty_path = header(message, "Return-Path").replace(" ", "") == "<>"
    if kind == "multipart/report" or _DAEMON.match(sender.address):
        return "delivery report"
    automatic = header(message, "Auto-Submitted").lower().split(";")[0].strip() not in {"", "no"}
    answering = any(header(message, name) for name in ("X-Autoreply", "X-Autorespond", "X-Auto-Reply"))
    precedence = header(message, "Precedence").lower()
    if (
        automatic
        or answering
        or precedence == "auto_reply"
        or _AUTOMATIC_SUBJECT.match(words(header(message, "Subject")))
    ):
        return "automatic mail"
    if header(message, "X-Spam-Flag").lower().startswith("yes"):
        return "mail marked as spam"
    if precedence in {"bulk", "list", "junk"} or any(header(message, name) for name in ("List-Id", "List-Unsubscribe")):
        return "newsletter"
    return "delivery report" if empty_path else ""


def _unproven(message: Message) -> bool:
    # Only the receiving server writes above what came with the mail; that a check failed, nobody forges to his own good.
    results = " ".join(header(message, "Authentication-Results").lower().split())
    failed = "dmarc=fail" in results
    return failed or ("spf=fail" in results and "dkim=pass" not in results)
