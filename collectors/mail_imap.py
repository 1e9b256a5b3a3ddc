"""A mailbox, read over IMAP: folders, searching, letters piece by piece, and putting a copy of what we sent into it.

The standard library's imaplib speaks the protocol. imap-tools, tried first, always loads whole mails, files included; here
only headers and text parts are asked for, and nothing is ever marked as read (EXAMINE, BODY.PEEK).
"""

import imaplib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from collectors.mail_letter import PART_LIMIT, Letter, Part, letter_of_parts
from collectors.mail_login import Login, World, must_be_ours_to_dial, reaching, tls_of
from collectors.mail_settings import Security
from collectors.mail_wire import encoded, fetched, folders, number, parts_of, quoted
from collectors.mail_words import moment
from domain.errors import ConfigurationError, ContractError, TransientError

HEAD_LIMIT = 128 * 1024  # bytes of headers; longer ones are cut
MAX_TEXTS = 6  # text parts of one mail
_LITERAL_LIMIT = 4 * 2**20  # bytes that a server may send in one piece, whatever was asked for
_PORTION = 4 * 2**20  # bytes of words that one question asks for
_WINDOW = 50_000  # numbers of one search: its answer is one line, and imaplib reads lines up to a megabyte
_SENT_NAMES = (
    "sent", "sent items", "sent messages", "sent mail", "envoyés", "éléments envoyés", "messages envoyés",
    "courrier envoyé", "gesendet", "gesendete elemente", "enviados", "inviati", "verzonden",
)  # fmt: skip
_UNAVAILABLE = re.compile(
    r"\[(?:unavailable|inuse|limit|serverbug)|too many|try again|temporar|throttl|rate limit", re.I
)
_FULL = re.compile(r"overquota|quota|full", re.I)
_ITEMS = f"(UID FLAGS INTERNALDATE RFC822.SIZE BODYSTRUCTURE BODY.PEEK[HEADER]<0.{HEAD_LIMIT}>)"


class _Bounded(imaplib.IMAP4):
    """Reads no more in one piece than a mail's parts can need."""

    def read(self, size: int) -> bytes:
        if size > _LITERAL_LIMIT:
            raise self.abort(f"a piece of {size:,} bytes was sent, which was not asked for")
        return super().read(size)


class _BoundedSsl(_Bounded, imaplib.IMAP4_SSL):
    pass


@dataclass(frozen=True, slots=True)
class Opened:
    """A folder as it stands. `next_uid` is above every number given so far; a changed `validity` makes all of them void."""

    name: str
    validity: int
    next_uid: int


@dataclass(frozen=True, slots=True)
class Found:
    """A letter in a folder."""

    uid: int
    flags: frozenset[str]
    letter: Letter
    received_at: datetime | None


class Mailbox:
    """A logged-in connection. Raises the errors of `domain.errors`, in words for a person."""

    def __init__(self, login: Login, world: World) -> None:
        self._login, self._host = login, login.account.imap
        must_be_ours_to_dial(self._host, world.resolve)
        with self._speaking("connecting"):
            self._imap = self._connected(world)
        try:
            self._log_in()
        except BaseException:
            self.close()
            raise
        self._folders: list[tuple[frozenset[str], str, str]] | None = None
        self._open = ""

    def close(self) -> None:
        """Says goodbye, or hangs up."""
        with suppress(imaplib.IMAP4.error, OSError):  # it may have gone before us
            self._imap.logout()

    # -- folders ---------------------------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """The folders that can be opened."""
        return [name for flags, _, name in self._all() if "\\noselect" not in flags]

    def sent(self) -> str:
        """The folder of sent mails; "" where none can be told."""
        if self._login.account.sent_folder:
            return self._login.account.sent_folder
        usable = [(flags, mark, name) for flags, mark, name in self._all() if "\\noselect" not in flags]
        marked = [name for flags, _, name in usable if "\\sent" in flags]
        last = {name: name.lower().rpartition(mark or "/")[2] for _, mark, name in usable}
        named = [name for wanted in _SENT_NAMES for name in last if last[name] == wanted]
        return next(iter([*marked, *named]), "")

    def open(self, name: str) -> Opened:
        """Look at a folder, for reading only. Raises ConfigurationError where there is none of this name."""
        with self._speaking("opening a folder"):
            state, data = self._imap.select(quoted(encoded(name)), readonly=True)
        if state != "OK":
            said = self._login.words(data[-1] if data else b"")
            if _UNAVAILABLE.search(said):
                raise TransientError(f"{self._host.name} cannot open the folder “{name}” now ({said}).")
            known = ", ".join(self.names()[:20])
            raise ConfigurationError(
                f"There is no folder “{name}” in the mailbox. Name others in the settings, of: {known}."
            )
        self._open = name
        validity, next_uid = (number(self._told(key)) for key in ("UIDVALIDITY", "UIDNEXT"))
        if next_uid is None:
            found = self.search("UID *")  # the largest there is
            next_uid = max(found, default=0) + 1
        return Opened(name, validity or 0, next_uid)

    # -- letters ---------------------------------------------------------------------------------------------------------

    def search(self, criteria: str) -> list[int]:
        """Numbers of the letters in the open folder that meet IMAP's own criteria, ascending."""
        with self._speaking("searching"):
            state, data = self._imap.uid("SEARCH", criteria)
        self._must_be_ok(state, data, "search")
        words = b" ".join(line for line in data if isinstance(line, bytes)).split()
        return sorted({int(word) for word in words if word.isdigit() and len(word) < 12})

    def numbers(self, first: int, last: int, criteria: str = "") -> Iterator[list[int]]:
        """Numbers from `first` to `last` that are there, in portions, ascending."""
        for start in range(first, last + 1, _WINDOW):
            end = min(start + _WINDOW - 1, last)
            found = self.search(f"UID {start}:{end} {criteria}".strip())
            yield [uid for uid in found if start <= uid <= end]  # a range beyond the last one stands for the last one

    def with_id(self, message_id: str, field: str = "Message-ID") -> list[int]:
        """Numbers of the letters in the open folder whose header holds this id."""
        if not message_id.isascii():
            return []
        return self.search(f"HEADER {field} {quoted(message_id)}")

    def letters(self, uids: Sequence[int]) -> list[Found]:
        """These letters, as far as they are still there, in their order."""
        if not uids:
            return []
        items = {uid: item for item in self._fetch(uids, _ITEMS) if (uid := number(item.get("UID"))) is not None}
        parts = {uid: parts_of(item.get("BODYSTRUCTURE")) for uid, item in items.items() if "BODY[HEADER]" in item}
        words = self._words(parts)
        return [_found(uid, items[uid], parts[uid], words.get(uid, {})) for uid in sorted(parts)]

    def append(self, folder: str, data: bytes, at: datetime) -> None:
        """Put a mail of ours into a folder, as read."""
        with self._speaking("keeping a copy"):
            state, said = self._imap.append(
                quoted(encoded(folder)), "(\\Seen)", imaplib.Time2Internaldate(at.timestamp()), data
            )
        if state != "OK":
            words = self._login.words(said[-1] if said else b"")
            if _FULL.search(words):
                raise ConfigurationError(f"The mailbox is full: {words}. Make room in it.")
            raise ConfigurationError(f"The folder “{folder}” takes no copy of what was sent: {words}.")

    # -- below -----------------------------------------------------------------------------------------------------------

    def _words(self, parts: Mapping[int, tuple[Part, ...]]) -> dict[int, dict[str, Any]]:
        """The text parts of letters, and their headers; letters that are made alike are asked for together."""
        portions: dict[str, list[list[int]]] = defaultdict(lambda: [[]])
        sizes: Counter[str] = Counter()
        for uid, found in parts.items():
            texts = _texts(found)
            asked = " ".join(_asked(texts, single=len(found) == 1))
            size = sum(min(part.size or PART_LIMIT, PART_LIMIT) for part in texts)
            if sizes[asked] + size > _PORTION:
                portions[asked].append([])
                sizes[asked] = 0
            portions[asked][-1].append(uid)
            sizes[asked] += size
        words: dict[int, dict[str, Any]] = defaultdict(dict)
        for asked, lists in portions.items():
            for uids in lists if asked else ():
                for item in self._fetch(uids, f"(UID {asked})"):
                    words[number(item.get("UID")) or 0].update(item)
        return words

    def _fetch(self, uids: Sequence[int], items: str) -> list[dict[str, Any]]:
        with self._speaking("reading"):
            state, data = self._imap.uid("FETCH", ",".join(map(str, uids)), items)
        self._must_be_ok(state, data, "fetch")
        return fetched(data)

    def _all(self) -> list[tuple[frozenset[str], str, str]]:
        if self._folders is None:
            with self._speaking("listing folders"):
                state, data = self._imap.list()
            self._must_be_ok(state, data, "list")
            self._folders = folders(data)
        return self._folders

    def _told(self, key: str) -> Any:
        return next((word for word in reversed(self._imap.response(key)[1] or []) if word), None)

    def _must_be_ok(self, state: str, data: Sequence[Any], what: str) -> None:
        if state == "OK":
            return
        said = self._login.words(data[-1] if data and isinstance(data[-1], bytes) else b"")
        if _UNAVAILABLE.search(said):
            raise TransientError(f"{self._host.name} is busy ({said}). It is tried again later.")
        raise ContractError(
            f"{self._host.name} refuses a {what} that every IMAP server knows ({said}). It is tried again later."
        )

    def _connected(self, world: World) -> imaplib.IMAP4:
        host, account = self._host, self._login.account
        if host.security is Security.SSL:
            return _BoundedSsl(host.name, host.port, ssl_context=tls_of(account), timeout=world.timeout)
        imap = _Bounded(host.name, host.port, timeout=world.timeout)
        if host.security is Security.STARTTLS:
            if "STARTTLS" not in imap.capabilities:
                imap.shutdown()
                raise ConfigurationError(f"{host.name} offers no STARTTLS on port {host.port}. Try ssl on port 993.")
            imap.starttls(tls_of(account))
        return imap

    def _log_in(self) -> None:
        capabilities = self._imap.capabilities
        if "AUTH=PLAIN" not in capabilities and not self._login.by_token and "LOGINDISABLED" in capabilities:
            raise ConfigurationError(f"{self._host.name} takes no passwords. Give an oauth_refresh_token instead.")
        try:
            with reaching(self._host, "logging in"):
                if self._login.by_token:
                    self._authenticate("XOAUTH2", self._login.xoauth2())
                elif "AUTH=PLAIN" in capabilities:
                    self._authenticate("PLAIN", self._login.plain())
                else:
                    self._imap.login(self._login.account.user, self._login.account.password)
        except UnicodeEncodeError as error:
            raise ConfigurationError(f"{self._host.name} takes only passwords of plain letters and digits.") from error
        except imaplib.IMAP4.abort as error:
            raise TransientError(f"{self._host.name} broke off while logging in. It is tried again later.") from error
        except imaplib.IMAP4.error as error:
            said = self._login.words(error)
            if _UNAVAILABLE.search(said) and "authenticationfailed" not in said.lower():
                raise TransientError(f"{self._host.name} takes no logins now ({said}).") from error
            raise self._login.refused(self._host, error) from error

    def _authenticate(self, mechanism: str, first: bytes) -> None:
        # A second question is why a token was refused: an empty word ends it.
        words = iter((first,))
        self._imap.authenticate(mechanism, lambda _: next(words, b""))

    @contextmanager
    def _speaking(self, doing: str) -> Iterator[None]:
        try:
            with reaching(self._host, doing):
                yield
        except imaplib.IMAP4.abort as error:
            raise TransientError(
                f"{self._host.name} broke off while {doing} ({self._login.words(error)}). It is tried again later."
            ) from error
        except imaplib.IMAP4.error as error:
            if "BYE" in str(error):  # before it has even asked who we are
                raise TransientError(f"{self._host.name} takes nobody now ({self._login.words(error)}).") from error
            raise ContractError(
                f"{self._host.name} answers {doing} in no known way ({self._login.words(error)})."
            ) from error


def day(at: datetime) -> str:
    """A day as IMAP's searches write it."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{at.day:02}-{months[at.month - 1]}-{at.year}"


def _texts(parts: Sequence[Part]) -> list[Part]:
    return [part for part in parts if part.is_text][:MAX_TEXTS]


def _asked(texts: Sequence[Part], *, single: bool) -> list[str]:
    asked = [f"BODY.PEEK[{part.section}]<0.{PART_LIMIT}>" for part in texts]
    # The headers of a mail's only part are those of the mail.
    return asked if single else [*asked, *(f"BODY.PEEK[{part.section}.MIME]<0.4096>" for part in texts)]


def _found(uid: int, item: Mapping[str, Any], parts: tuple[Part, ...], words: Mapping[str, Any]) -> Found:
    def given(name: str) -> bytes:
        value = words.get(name)
        return value if isinstance(value, bytes) else b""

    texts = [(part, given(f"BODY[{part.section}.MIME]"), given(f"BODY[{part.section}]")) for part in _texts(parts)]
    head, flags = item["BODY[HEADER]"], item.get("FLAGS")
    files = tuple(part for part in parts if not part.is_text)
    received = _internal(item.get("INTERNALDATE"))
    letter = letter_of_parts(head if isinstance(head, bytes) else b"", texts, files, received)
    names = flags if isinstance(flags, list) else []
    lowered = frozenset(name.decode("ascii", "replace").lower() for name in names if isinstance(name, bytes))
    return Found(uid, lowered, letter, letter.received_at)


def _internal(value: Any) -> datetime | None:
    return moment(value.decode("ascii", "replace")) if isinstance(value, bytes) else None
