"""What a letter means as a mention: who speaks, in which thread, what is new in it; and whole saved mails. Pure.

A thread is the first message that a mail refers to. An address is a person's account only where it is proven: not what
somebody typed into a contact form, nor a sender that the receiving server found to be forged.
"""

import re
from collections import Counter
from datetime import datetime
from typing import Any

from collectors.mail_letter import PART_LIMIT, Letter, letter_of
from collectors.mail_text import new_words
from collectors.values import content_id, counted, language, short_id
from collectors.wire import rejected
from domain.contracts import Mapped, Reject
from domain.errors import InputError
from domain.mention import Author, Mention, MentionKind

NETWORK = "mail"
UNPROVEN = "unproven:"  # before the address of an account that need not be its owner's
_MBOX_LINE = re.compile(rb"^From \S.{0,200}\d{4}\r?$", re.MULTILINE)
_ESCAPED = re.compile(rb"^>(>*From )", re.MULTILINE)
_SHOWN = 500  # bytes of what is no mail


def map_letter(
    letter: Letter, own: frozenset[str], *, in_sent: bool = False, root: str = "", folder: str = ""
) -> Mention:
    """The mention that a letter is.

    Args:
        own: our addresses; `in_sent`: it lies in the folder of sent mails.
        root: beginning of its thread, where the letter itself does not name it.

    Raises:
        InputError: it says nothing, has no date, or is longer than any message.
    """
    text, ended = new_words(letter.body)
    if letter.cut_off and not ended:
        raise InputError(f"its words go on beyond {PART_LIMIT // 1024:,} KB, which no message of a customer does")
    if not text and not letter.subject:
        count = len(letter.attachments)
        raise InputError("it says nothing" + (f"; {counted(count, 'file')} attached" if count else ""))
    outbound = in_sent or (letter.sender.address in own and not letter.unproven and not is_form(letter, own))
    native_id = native_id_of(letter, outbound=in_sent)
    parent = letter.in_reply_to or (letter.references[-1] if letter.references else "")
    thread = letter.references[0] if letter.references else root or parent or native_id
    return Mention(
        network=NETWORK,
        native_id=native_id,
        text=text,
        created_at=_said_at(letter),
        kind=MentionKind.MESSAGE,
        author=_author(letter, own, outbound=outbound),
        conversation_id=short_id(thread),
        parent_id=short_id(parent) if parent else None,
        outbound=outbound,
        title=letter.subject,
        lang_hint=language(letter.language),
        raw=_raw(letter, own, text, folder),
    )


def native_id_of(letter: Letter, *, outbound: bool = False) -> str:
    """The letter's own id, or one made of its contents, in a shape that an answer can refer to."""
    said = (letter.own_id if outbound else "") or letter.message_id
    if said:
        return short_id(said)
    at = letter.written_at or letter.received_at
    made = content_id((letter.sender.address, at.isoformat() if at else "", letter.subject, letter.body))
    return f"{made}@no-id.comptoir.invalid"


def left_out(letter: Letter, own: frozenset[str]) -> str:
    """Why a letter is no message of a person; "" for those that are, contact forms of our own among them."""
    return "" if is_form(letter, own) and letter.left_out == "automatic mail" else letter.left_out


def is_form(letter: Letter, own: frozenset[str]) -> bool:
    """Whether a program of ours sent it for somebody else: a contact form."""
    return letter.sender.address in own and letter.reply_to.address not in {"", *own}


def map_document(body: bytes) -> Mapped:
    """The mentions of a saved mail (.eml), or of many (mbox). Nothing is known of our own addresses there."""
    mentions: dict[str, Mention] = {}
    rejects: list[Reject] = []
    passed: Counter[str] = Counter()
    mails = _mails(body)
    for number, data in enumerate(mails, start=1):
        position = f"mail {number}" if len(mails) > 1 else "mail"
        try:
            letter = letter_of(data)
            if not (letter.sender.address or letter.message_id or letter.written_at):
                raise InputError("it is no mail: neither From, Message-ID nor Date")
            why = left_out(letter, frozenset())
            if why:
                passed[why] += 1
                continue
            mention = map_letter(letter, frozenset())
            if mention.native_id in mentions:
                raise InputError("it is there twice")
            mentions[mention.native_id] = mention
        except InputError as error:
            rejects.append(rejected(position, str(error), data[:_SHOWN].decode("utf-8", "replace")))
    return Mapped(tuple(mentions.values()), tuple(rejects), notes=notes_of(passed))


def notes_of(passed: Counter[str]) -> tuple[str, ...]:
    """What was passed over, in words."""
    if not passed:
        return ()
    parts = [counted(count, why) for why, count in sorted(passed.items())]
    advice = (
        " A delivery report may be about an answer of ours: look into the mailbox." if passed["delivery report"] else ""
    )
    return (f"Left out, as nobody wrote them to us: {', '.join(parts)}.{advice}",)


def _mails(body: bytes) -> list[bytes]:
    starts = [found.start() for found in _MBOX_LINE.finditer(body)] if body.startswith(b"From ") else []
    if not starts:
        return [body]
    cut = [body[start:end] for start, end in zip(starts, [*starts[1:], len(body)], strict=True)]
    return [_ESCAPED.sub(rb"\1", one.partition(b"\n")[2]) for one in cut]


def _said_at(letter: Letter) -> datetime:
    written, received = letter.written_at, letter.received_at
    if written and received:
        return min(written, received)  # a sender's clock may be ahead, a mail cannot
    at = written or received
    if at is None:
        raise InputError("it has no date that can be read")
    return at


def _author(letter: Letter, own: frozenset[str], *, outbound: bool) -> Author | None:
    form = not outbound and is_form(letter, own)
    person = letter.reply_to if form else letter.sender
    if not person.address:
        return None
    proven = outbound or not (form or letter.unproven)
    # No handle: an address is personal data, and is shown only where the team works with it.
    return Author(short_id(person.address if proven else UNPROVEN + person.address), name=person.name[:200])


def _raw(letter: Letter, own: frozenset[str], text: str, folder: str) -> dict[str, Any]:
    files = [{"name": part.name, "type": part.kind, "size": part.size} for part in letter.attachments]
    values: dict[str, Any] = {
        "folder": folder,
        "message_id": letter.message_id,
        "in_reply_to": letter.in_reply_to,
        "references": list(letter.references),
        "from": letter.sender.address,
        "reply_to": letter.reply_to.address if letter.reply_to.address != letter.sender.address else "",
        "to": list(letter.to),
        "subject": letter.subject,
        "attachments": files,
        "body_length": len(letter.body),
        "text_length": len(text),
        "form": is_form(letter, own),
        "unproven": letter.unproven,
    }
    return {name: value for name, value in values.items() if value not in ("", [], None, False)}
