"""A mail provider on this machine: one mailbox over IMAP, and a server that sends, over SMTP.

Shapes from RFC 3501 (IMAP4rev1), RFC 4315 (UIDPLUS), RFC 6154 (\\Sent), RFC 5321 (SMTP) and RFC 4954 (AUTH), and from what
Dovecot 2.3.19 and pymap 0.36.7 answered on 2026-11-26 (tests/peers/test_mail_peers.py asks them again). Faults are ordered
with `fail(command, effect)`: an answer to give instead, "hang", "cut", or "hang after" and "cut after" the command was
carried out.
"""

import base64
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from typing import Any

USER, PASSWORD, TOKEN = "aide@ormelune.example", "tr4versin-é", "ya29.token"
AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ITEM = re.compile(r"BODY(\.PEEK)?\[([^\]]*)\](?:<(\d+)\.(\d+)>)?|[A-Z0-9.]+")


@dataclass
class Stored:
    uid: int
    data: bytes
    at: datetime
    flags: set[str]


@dataclass
class Folder:
    special: str = ""
    validity: int = 7
    next_uid: int = 1
    mails: list[Stored] = field(default_factory=list)

    def put(self, data: bytes, at: datetime, flags: set[str]) -> Stored:
        stored = Stored(self.next_uid, data, at, flags)
        self.next_uid += 1
        self.mails.append(stored)
        return stored

    def number_anew(self) -> None:
        """As after a restored backup: same mails, other numbers."""
        self.validity += 1
        for uid, mail in enumerate(self.mails, start=100):
            mail.uid = uid
        self.next_uid = 100 + len(self.mails)


class FakeMail:
    """The provider.

    Attributes:
        keeps_sent: what goes out is put into Sent by the provider itself; `renames`: under an id of its own.
        outbox: what was sent: sender, recipient, mail.
        asked: commands as they came, "IMAP EXAMINE …" or "SMTP MAIL …"; passwords are left out.
    """

    def __init__(self, *, keeps_sent: bool = False, renames: bool = False, tls: ssl.SSLContext | None = None) -> None:
        self.folders = {"INBOX": Folder(), "Envoy&AOk-s": Folder("\\Sent"), "Corbeille": Folder("\\Trash")}
        self.keeps_sent, self.renames, self.tls = keeps_sent, renames, tls
        self.mechanisms = ["PLAIN", "LOGIN", "XOAUTH2"]
        self.capabilities = ["IMAP4rev1", "UIDPLUS", "SPECIAL-USE"]
        self.outbox: list[tuple[str, str, bytes]] = []
        self.asked: list[str] = []
        self.faults: list[tuple[str, str]] = []
        self.lock = threading.RLock()
        self.released = threading.Event()
        self.imap_port = self.smtp_port = 0

    @property
    def sent(self) -> Folder:
        return self.folders["Envoy&AOk-s"]

    def settings(self, **changed: str) -> dict[str, str]:
        security = "ssl" if self.tls else "none"
        given = {"imap_host": "127.0.0.1", "imap_port": str(self.imap_port), "imap_security": security}
        given |= {"smtp_host": "127.0.0.1", "smtp_port": str(self.smtp_port), "smtp_security": security}
        return {**given, "user": USER, "password": PASSWORD, "name": "Ormelune", **changed}

    def fail(self, command: str, effect: str, times: int = 1) -> None:
        """Let something go wrong, e.g. ("FETCH", "NO [UNAVAILABLE] busy") or ("DATA END", "hang after")."""
        self.faults += [(command, effect)] * times

    def take(self, command: str) -> str:
        with self.lock:
            for fault in self.faults:
                if fault[0] == command:
                    self.faults.remove(fault)
                    return fault[1]
        return ""

    def deliver(
        self, mail: EmailMessage | bytes, *, folder: str = "INBOX", at: datetime = AT, flags: tuple[str, ...] = ()
    ) -> Stored:
        data = mail if isinstance(mail, bytes) else mail.as_bytes()
        return self.folders[folder].put(data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"), at, set(flags))

    def send(self, sender: str, to: str, data: bytes) -> None:
        with self.lock:
            if self.renames:
                data = re.sub(
                    rb"(?im)^Message-ID: .*$", b"Message-ID: <renamed-%d@provider.example>" % len(self.outbox), data
                )
            self.outbox.append((sender, to, data))
            if self.keeps_sent:
                self.sent.put(data, AT, {"\\Seen"})


def letter(
    text: str = "Où est mon colis ?",
    *,
    subject: str = "Mon colis",
    sender: str = "Marie Dubois <marie@client.example>",
    to: str = USER,
    message_id: str = "",
    reply_to: str = "",
    references: str = "",
    at: datetime = AT,
    **headers: str,
) -> EmailMessage:
    """A mail of a customer; `reply_to` is the mail that it answers."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = at
    if message_id:
        mail["Message-ID"] = f"<{message_id}>"
    if reply_to:
        mail["In-Reply-To"] = f"<{reply_to}>"
    if references:
        mail["References"] = " ".join(f"<{one}>" for one in references.split())
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


@contextmanager
def serve(provider: FakeMail) -> Iterator[FakeMail]:
    """The provider at work."""
    servers = [_Server(("127.0.0.1", 0), _Imap), _Server(("127.0.0.1", 0), _Smtp)]
    threads = []
    for server in servers:
        server.provider = provider
        threads.append(threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True))
        threads[-1].start()
    provider.imap_port, provider.smtp_port = (server.server_address[1] for server in servers)
    provider.released.clear()
    try:
        yield provider
    finally:
        provider.released.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    provider: FakeMail

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Says nothing: callers that hang up are what some tests are about."""


class _GoneError(Exception):
    """The connection is over."""


class _Line(socketserver.BaseRequestHandler):
    """What both protocols share."""

    def setup(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else answers in pieces wait up to 40 ms
        self.provider: FakeMail = self.server.provider  # type: ignore[attr-defined]
        tls = self.provider.tls
        self.sock = tls.wrap_socket(self.request, server_side=True) if tls else self.request
        self.file = self.sock.makefile("rb")

    def finish(self) -> None:
        self.file.close()
        self.sock.close()

    def say(self, *lines: str | bytes) -> None:
        data = b"".join((line.encode() if isinstance(line, str) else line) + b"\r\n" for line in lines)
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise _GoneError from error

    def hear(self) -> bytes:
        line = self.file.readline()
        if not line.endswith(b"\n"):
            raise _GoneError
        return bytes(line.rstrip(b"\r\n"))

    def fault(self, command: str, prefix: str = "") -> bool:
        """Whether something went wrong as ordered, before the command was carried out."""
        effect = self.provider.take(command)
        if effect.endswith(" after"):
            self.provider.faults.insert(0, (f"{command} done", effect.removesuffix(" after")))
            return False
        if effect:
            self.spoil(effect, prefix)
        return bool(effect)

    def spoil(self, effect: str, prefix: str = "") -> None:
        if effect == "hang":
            self.provider.released.wait(10)
        if effect in {"hang", "cut"}:
            raise _GoneError
        self.say(effect if effect.startswith("* ") else prefix + effect)

    def knows(self, word: bytes, mechanism: str) -> bool:
        try:
            said = base64.b64decode(word).decode()
        except ValueError:
            return False
        if mechanism == "XOAUTH2":
            return said == f"user={USER}\x01auth=Bearer {TOKEN}\x01\x01"
        return said in {f"\0{USER}\0{PASSWORD}", f"{USER}\0{USER}\0{PASSWORD}"}


class _Imap(_Line):
    def handle(self) -> None:
        self.folder: Folder | None = None
        self.writable = False
        self.mechanism = ""
        try:
            if not self.fault("IMAP"):
                self.say(f"* OK [CAPABILITY {self.offered()}] ready")
            while True:
                tag, _, rest = self.command().partition(b" ")
                self.answer(tag.decode(), rest)
        except _GoneError:
            return

    def offered(self) -> str:
        return " ".join([*self.provider.capabilities, *(f"AUTH={name}" for name in self.provider.mechanisms)])

    def command(self) -> bytes:
        """A command with its literals, which stand in it between two NULs."""
        parts = [self.hear()]
        while (literal := re.search(rb"\{(\d+)\+?\}$", parts[-1])) is not None:
            self.say("+ go on")
            parts[-1] = parts[-1][: literal.start()]
            parts += [b"\0" + self.file.read(int(literal[1])) + b"\0", self.hear()]
        return b"".join(parts)

    def answer(self, tag: str, rest: bytes) -> None:
        words = rest.split(b" ", 2)
        name = words[0].decode().upper()
        if name == "UID":
            name, rest = words[1].decode().upper(), words[2] if len(words) > 2 else b""
        else:
            rest = rest[len(words[0]) + 1 :]
        shown = b"(hidden)" if name in {"LOGIN", "AUTHENTICATE"} else rest.partition(b"\0")[0]
        with self.provider.lock:
            self.provider.asked.append(f"IMAP {name} {shown.decode('utf-8', 'replace')}".strip())
        if self.fault(name, f"{tag} "):
            return
        done = getattr(self, f"do_{name.lower()}", lambda _: "BAD unknown command")(rest)
        effect = self.provider.take(f"{name} done")
        if effect:
            self.spoil(effect, f"{tag} ")
            return
        self.say(f"{tag} {done}")
        if name == "LOGOUT":
            raise _GoneError

    def do_capability(self, _: bytes) -> str:
        self.say(f"* CAPABILITY {self.offered()}")
        return "OK done"

    def do_noop(self, _: bytes) -> str:
        return "OK done"

    def do_logout(self, _: bytes) -> str:
        self.say("* BYE see you")
        return "OK done"

    def do_login(self, rest: bytes) -> str:
        user, password = (word.strip('"') for word in rest.decode().split(" ", 1))
        return (
            "OK in"
            if (user, password) == (USER, PASSWORD)
            else "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"
        )

    def do_authenticate(self, rest: bytes) -> str:
        self.mechanism = rest.decode().split(" ")[0].upper()
        self.say("+ ")
        if self.knows(self.hear(), self.mechanism):
            return "OK in"
        if self.mechanism == "XOAUTH2":
            self.say("+ " + base64.b64encode(b'{"status":"400","schemes":"Bearer"}').decode())
            self.hear()
        return "NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)"

    def do_list(self, _: bytes) -> str:
        for name, folder in self.provider.folders.items():
            self.say(f'* LIST (\\HasNoChildren{" " + folder.special if folder.special else ""}) "/" "{name}"')
        self.say('* LIST (\\Noselect) "/" "Archives"')
        return "OK done"

    def do_select(self, rest: bytes) -> str:
        return self.opened(rest, writable=True)

    def do_examine(self, rest: bytes) -> str:
        return self.opened(rest, writable=False)

    def opened(self, rest: bytes, *, writable: bool) -> str:
        self.folder = self.provider.folders.get(rest.decode().strip('"'))
        self.writable = writable
        if self.folder is None:
            return "NO [NONEXISTENT] Unknown Mailbox (Failure)"
        self.say(
            f"* {len(self.folder.mails)} EXISTS",
            "* 0 RECENT",
            "* FLAGS (\\Seen \\Draft \\Deleted)",
            f"* OK [UIDVALIDITY {self.folder.validity}] UIDs valid",
            f"* OK [UIDNEXT {self.folder.next_uid}] next",
        )
        return f"OK [READ-{'WRITE' if writable else 'ONLY'}] open"

    def do_search(self, rest: bytes) -> str:
        assert self.folder is not None
        found = [mail.uid for mail in self.folder.mails if _meets(mail, rest.decode(), self.folder)]
        self.say(f"* SEARCH {' '.join(map(str, found))}".rstrip())
        return "OK done"

    def do_fetch(self, rest: bytes) -> str:
        assert self.folder is not None
        numbers, _, items = rest.decode().partition(" ")
        wanted = {int(one) for one in numbers.split(",")}
        for place, mail in enumerate(self.folder.mails, start=1):
            if mail.uid in wanted:
                self.say(b"* %d FETCH (" % place + b" ".join(self.items(mail, items)) + b")")
                self.say(f"* {place} FETCH (FLAGS (\\Seen))")  # servers add what they like
        return "OK done"

    def items(self, mail: Stored, items: str) -> Iterator[bytes]:
        for found in _ITEM.finditer(items):
            name = found[0]
            if name.startswith("BODY") and found[2] is not None:
                if not found[1] and self.writable:
                    mail.flags.add("\\Seen")
                data = _section(message_from_bytes(mail.data), found[2].upper(), mail.data)
                start, length = int(found[3] or 0), int(found[4] or len(data))
                data = data[start : start + length]
                mark = f"<{start}>" if found[3] else ""
                yield f"BODY[{found[2]}]{mark} {{{len(data)}}}\r\n".encode() + data
            elif name == "FLAGS":
                yield f"FLAGS ({' '.join(sorted(mail.flags))})".encode()
            elif name == "INTERNALDATE":
                yield f'INTERNALDATE "{mail.at:%d}-{_MONTHS[mail.at.month - 1]}-{mail.at:%Y %H:%M:%S} +0000"'.encode()
            elif name == "BODYSTRUCTURE":
                yield b"BODYSTRUCTURE " + _structure(message_from_bytes(mail.data)).encode()
            else:
                yield f"{name} {mail.uid if name == 'UID' else len(mail.data)}".encode()

    def do_append(self, rest: bytes) -> str:
        name = rest.decode("utf-8", "replace").split('"')[1]
        folder = self.provider.folders.get(name)
        if folder is None:
            return "NO [TRYCREATE] no such folder"
        stored = folder.put(rest.split(b"\0")[1], AT, {"\\Seen"})
        return f"OK [APPENDUID {folder.validity} {stored.uid}] kept"


class _Smtp(_Line):
    def handle(self) -> None:
        self.known = False
        try:
            if not self.fault("SMTP"):
                self.say("220 ormelune.example ESMTP")
            while True:
                line = self.hear()
                name = line.split(b" ")[0].decode().upper()
                with self.provider.lock:
                    self.provider.asked.append(f"SMTP {line.decode() if name != 'AUTH' else name}")
                if not self.fault(name):
                    getattr(self, f"do_{name.lower()}", lambda _: self.say("502 5.5.1 unknown command"))(line)
        except _GoneError:
            return

    def do_ehlo(self, _: bytes) -> None:
        auth = f"250-AUTH {' '.join(self.provider.mechanisms)}"
        self.say(
            "250-ormelune.example", *([auth] if self.provider.mechanisms else []), "250-8BITMIME", "250 SIZE 35882577"
        )

    def do_auth(self, line: bytes) -> None:
        mechanism, _, word = line.decode().partition(" ")[2].partition(" ")
        if mechanism == "LOGIN":
            self.say("334 VXNlcm5hbWU6")
            user = base64.b64decode(self.hear()).decode()
            self.say("334 UGFzc3dvcmQ6")
            self.known = (user, base64.b64decode(self.hear()).decode()) == (USER, PASSWORD)
        else:
            self.known = self.knows(word.encode(), mechanism)
        if not self.known and mechanism == "XOAUTH2":
            self.say("334 " + base64.b64encode(b'{"status":"400"}').decode())
            self.hear()
        self.say("235 2.7.0 Accepted" if self.known else "535 5.7.8 Username and Password not accepted")

    def do_mail(self, line: bytes) -> None:
        self.sender = line.partition(b"<")[2].partition(b">")[0].decode()
        open_door = not self.provider.mechanisms
        self.say("250 2.1.0 OK" if self.known or open_door else "530 5.7.0 Authentication Required")

    def do_rcpt(self, line: bytes) -> None:
        self.to = line.partition(b"<")[2].partition(b">")[0].decode()
        self.say("250 2.1.5 OK")

    def do_data(self, _: bytes) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.hear()) != b".":
            lines.append(line[1:] if line.startswith(b".") else line)
        if self.fault("DATA END"):
            return
        self.provider.send(self.sender, self.to, b"\r\n".join([*lines, b""]))
        effect = self.provider.take("DATA END done")
        if effect:
            self.spoil(effect)
            return
        self.say("250 2.0.0 OK queued")

    def do_quit(self, _: bytes) -> None:
        self.say("221 2.0.0 bye")
        raise _GoneError


def _meets(mail: Stored, criteria: str, folder: Folder) -> bool:
    last = max((one.uid for one in folder.mails), default=0)
    span = re.search(r"UID (\d+|\*)(?::(\d+|\*))?", criteria)
    if span:
        ends = [last if end in {"*", None} else int(end) for end in (span[1], span[2] or span[1])]
        if not min(ends) <= mail.uid <= max(ends):
            return False
    for word, earliest in (("SINCE", True), ("BEFORE", False)):
        found = re.search(rf"{word} (\d+)-(\w+)-(\d+)", criteria)
        if found:
            day = datetime(int(found[3]), _MONTHS.index(found[2]) + 1, int(found[1]), tzinfo=UTC).date()
            if (mail.at.date() >= day) is not earliest:
                return False
    header = re.search(r'HEADER (\S+) "([^"]*)"', criteria)
    return header is None or header[2] in str(message_from_bytes(mail.data).get(header[1], ""))


def _section(message: Message, section: str, data: bytes) -> bytes:
    head, _, body = data.partition(b"\r\n\r\n")
    if section in {"", "TEXT"}:
        return body if section else data
    if section == "HEADER":
        return head + b"\r\n\r\n"
    part: Any = message
    for number in section.removesuffix(".MIME").split("."):
        payload = part.get_payload()
        part = payload[int(number) - 1] if isinstance(payload, list) else part
    inner_head, _, inner = part.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n").partition(b"\r\n\r\n")
    return inner_head + b"\r\n\r\n" if section.endswith("MIME") else inner


def _structure(part: Message) -> str:
    payload = part.get_payload()
    kind, sub = part.get_content_type().split("/", 1)
    if isinstance(payload, list) and kind == "multipart":
        return f'({"".join(map(_structure, payload))} "{sub}" ("boundary" "x") NIL NIL NIL)'
    if isinstance(payload, list):  # a mail within
        subject, inner = payload[0].get("Subject", ""), _structure(payload[0])
        envelope = f'(NIL "{subject}" NIL NIL NIL NIL NIL NIL NIL NIL)'
        return f'("message" "rfc822" NIL NIL NIL "7bit" 900 {envelope} {inner} 20 NIL NIL NIL NIL)'
    named = part.get_param("name")
    parameters = " ".join(
        f'"{key}" "{value}"' for key, value in (part.get_params() or [])[1:] if isinstance(value, str)
    )
    lines = f" {payload.count(chr(10))}" if kind == "text" else ""
    disposition = "NIL"
    if part.get_content_disposition():
        name = part.get_filename() or named or ""
        raw = str(name).encode("ascii", "ignore").decode()
        disposition = f'("{part.get_content_disposition()}" ("filename" "{raw}"))'
    encoding = part.get("Content-Transfer-Encoding", "7bit")
    return (
        f'("{kind}" "{sub}" {f"({parameters})" if parameters else "NIL"} NIL NIL "{encoding}" {len(payload)}{lines} NIL '
        f"{disposition} NIL NIL)"
    )
