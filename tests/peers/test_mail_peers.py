"""The mail collector with a real IMAP server: Dovecot (Debian), another's work; a relay of ours plays the way between.

It logs in, hears a thread by Message-ID, answers by SMTP; the server's own view, asked with Python's imaplib as both people,
shows the answer once, though the relay falls silent after taking it.
"""

import imaplib
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from collectors.mail import MailCollector, connect
from domain.contracts import Cursor, IdempotencyKey, Watch
from domain.errors import ConfigurationError, OutcomeUnknownError
from domain.mention import Mention
from tests.fakes.mail import PASSWORD, USER, FakeMail, letter
from tests.fakes.mail import serve as relay
from tests.peers.conftest import free_port, running

pytestmark = pytest.mark.peers

SHOP, CUSTOMER = USER, "marie@client.example"
KEY = IdempotencyKey("key-1")
CONFIG = """
base_dir = {folder}/run
state_dir = {folder}/state
log_path = /dev/stderr
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{folder}/mail/%u
first_valid_uid = 1
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={folder}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
namespace inbox {{
  inbox = yes
  separator = /
  mailbox Envoyés {{
    auto = subscribe
    special_use = \\Sent
  }}
}}
"""


@dataclass
class Peer:
    """Two mailboxes on a real server, and the relay between them."""

    port: int
    relay: FakeMail

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def collector(self, *, timeout: float = 10.0, **settings: str) -> MailCollector:
        given = {"imap_host": "127.0.0.1", "imap_port": str(self.port), "imap_security": "none"}
        given |= {"smtp_host": "127.0.0.1", "smtp_port": str(self.relay.smtp_port), "smtp_security": "none"}
        given |= {"user": SHOP, "password": PASSWORD, "name": "Ormelune"}
        made = connect({**given, **settings}, timeout=timeout, allow_private=True)
        assert isinstance(made, MailCollector)
        return made

    @contextmanager
    def box(self, who: str) -> Iterator[imaplib.IMAP4]:
        """The server's own view, as one of the two."""
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as box:
            box.authenticate("PLAIN", lambda _challenge: f"\0{who}\0{PASSWORD}".encode())
            yield box

    def put(self, who: str, mail: EmailMessage | bytes, folder: str = "INBOX") -> None:
        with self.box(who) as box:
            box.append(
                folder, "", imaplib.Time2Internaldate(self.now), mail if isinstance(mail, bytes) else mail.as_bytes()
            )

    def mails(self, who: str, folder: str = "INBOX") -> list[EmailMessage]:
        with self.box(who) as box:
            status, _ = box.select(f'"{folder}"', readonly=True)
            assert status == "OK"
            _, [numbers] = box.search(None, "ALL")
            found = [box.fetch(number.decode(), "(BODY.PEEK[])")[1][0] for number in numbers.split()]
        return [message_from_bytes(one[1], policy=policy.default) for one in found if isinstance(one, tuple)]  # type: ignore[misc]

    def carry(self) -> None:
        """What the relay took arrives."""
        while self.relay.outbox:
            _, to, data = self.relay.outbox.pop(0)
            self.put(to, data)

    def hear(self, since: Cursor | None = None) -> tuple[dict[str, Mention], Cursor | None]:
        pages = list(self.collector().fetch(Watch(), since))
        heard = {one.native_id: one for page in pages for one in page.mentions}
        return heard, pages[-1].cursor if pages else since


def said(text: str, message_id: str, reply_to: str = "", *, by_us: bool = False, **more: str) -> EmailMessage:
    """A mail of an hour ago, from the customer to the shop or back."""
    sender, to = (SHOP, CUSTOMER) if by_us else (CUSTOMER, SHOP)
    at = datetime.now(UTC) - timedelta(hours=1)
    return letter(text, sender=sender, to=to, message_id=message_id, reply_to=reply_to, at=at, **more)


@pytest.fixture(scope="module")
def server() -> Iterator[int]:
    dovecot = shutil.which("dovecot", path="/usr/sbin:/usr/bin")
    if dovecot is None:
        pytest.skip("dovecot is not installed: make test-peers does it where it may")
    folder = Path(tempfile.mkdtemp(prefix="comptoir-dovecot-"))
    folder.chmod(0o755)
    port = free_port()
    (folder / "users").write_text(f"{SHOP}:{{PLAIN}}{PASSWORD}\n{CUSTOMER}:{{PLAIN}}{PASSWORD}\n", "utf-8")
    (folder / "mail").mkdir()
    shutil.chown(folder / "mail", "mail", "mail")
    config = folder / "dovecot.conf"
    config.write_text(CONFIG.format(folder=folder, port=port), "utf-8")

    def ready() -> bool:
        try:
            imaplib.IMAP4("127.0.0.1", port, timeout=2).logout()
        except OSError:
            return False
        return True

    try:
        with running([dovecot, "-F", "-c", str(config)], folder / "log", ready):
            yield port
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def peer(server: int) -> Iterator[Peer]:
    with relay(FakeMail()) as between:
        between.mechanisms = ["PLAIN"]
        made = Peer(server, between)
        for who in (SHOP, CUSTOMER):
            with made.box(who) as box:
                for folder in ("INBOX", '"Envoy&AOk-s"'):
                    box.select(folder)
                    for number in box.search(None, "ALL")[1][0].split():
                        box.store(number.decode(), "+FLAGS", "\\Deleted")
                    box.expunge()
        yield made


def test_a_wrong_password_says_what_to_do(peer: Peer) -> None:
    with pytest.raises(ConfigurationError, match="password"):
        peer.collector(password="wrong").check()


def test_four_turns_are_one_thread_and_the_answer_is_there_once(peer: Peer) -> None:
    first = said("Où est mon colis n° 4711 ?", "a1@client", subject="Mon colis égaré")
    ours = said("Nous cherchons.", "b1@shop", "a1@client", by_us=True)
    third = said("Toujours rien", "a2@client", "b1@shop", references="a1@client b1@shop")
    peer.put(SHOP, first)
    peer.put(SHOP, ours, '"Envoy&AOk-s"')
    peer.put(SHOP, third)
    heard, cursor = peer.hear()
    assert {one.conversation_id for one in heard.values()} == {"a1@client"}
    assert {key: one.outbound for key, one in heard.items()} == {
        "a1@client": False,
        "b1@shop": True,
        "a2@client": False,
    }
    assert heard["a1@client"].title == "Mon colis égaré" and "4711" in heard["a1@client"].text

    collector = peer.collector()
    collector.check()
    remote = collector.reply(heard["a2@client"], "Retrouvé : il part demain. Awa", KEY)
    peer.carry()
    [arrived] = peer.mails(CUSTOMER)
    assert arrived["In-Reply-To"] == "<a2@client>" and "Retrouvé" in arrived.get_content()
    sent = [mail for mail in peer.mails(SHOP, "Envoy&AOk-s") if "Retrouvé" in mail.get_content()]
    assert len(sent) == 1 and sent[0]["Message-ID"] == arrived["Message-ID"]
    peer.put(SHOP, said("Merci !", "a3@client", str(remote)))
    later, _ = peer.hear(cursor)
    assert {one.conversation_id for one in later.values()} == {"a1@client"}
    assert {one.text for one in later.values() if not one.outbound} == {"Merci !"}


def test_a_relay_that_takes_it_and_falls_silent_makes_no_second_one(peer: Peer) -> None:
    peer.put(SHOP, said("Où est mon colis ?", "c1@client"))
    heard, _ = peer.hear()
    mention, impatient = heard["c1@client"], peer.collector(timeout=0.5)
    peer.relay.fail("DATA END", "hang after")
    with pytest.raises(OutcomeUnknownError):
        impatient.reply(mention, "Il part demain.", KEY)
    assert len(peer.relay.outbox) == 1
    collector = peer.collector()
    with pytest.raises(OutcomeUnknownError):  # nowhere on the server: a person is asked, nothing is sent again
        collector.find_reply(mention, "Il part demain.", KEY)
    peer.carry()
    [arrived] = peer.mails(CUSTOMER)
    peer.put(SHOP, said("Merci !", "c2@client", str(arrived["Message-ID"]).strip("<>")))
    assert collector.find_reply(mention, "Il part demain.", KEY) == str(arrived["Message-ID"]).strip("<>")


def test_nothing_is_marked_as_read(peer: Peer) -> None:
    peer.put(SHOP, said("Où est mon colis ?", "d1@client"))
    peer.hear()
    with peer.box(SHOP) as box:
        box.select("INBOX", readonly=True)
        assert box.search(None, "SEEN")[1] == [b""]
