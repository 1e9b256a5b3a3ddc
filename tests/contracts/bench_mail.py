"""The mail collector on the bench of the contract: a mailbox of several pages, on providers that keep copies or do not."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from collectors import mail
from collectors.mail_letter import letter_of
from collectors.mail_map import map_document, map_letter
from collectors.mail_read import PAGE_SIZE
from domain.contracts import Collector
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import Bench
from tests.fakes.mail import AT, USER, FakeMail, letter, serve

NOW = AT + timedelta(days=1)


def told(provider: FakeMail) -> FakeMail:
    """The mailbox after some days of customers' mails."""
    provider.deliver(letter("Ma commande n'arrive pas", message_id="1@client"))
    provider.deliver(
        letter("Quel numéro ?", sender=USER, message_id="2@shop", references="1@client"), folder="Envoy&AOk-s"
    )
    provider.deliver(letter("4711", message_id="3@client", reply_to="2@shop"))
    for number in range(PAGE_SIZE + 5):
        provider.deliver(
            letter(f"question {number}", message_id=f"q{number}@client", sender=f"c{number}@client.example")
        )
    provider.deliver(letter("sans numéro", subject=""))
    provider.deliver(letter("", subject="", message_id="silent@client"))
    provider.deliver(letter("nouvelles", message_id="n@news", List_Id="<news>"))
    provider.deliver(b"Subject: =?x?q?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n")
    return provider


def bench(**options: bool) -> Callable[[Path], Iterator[Bench]]:
    """A bench on a provider of this sort."""

    def on(folder: Path) -> Iterator[Bench]:
        with serve(told(FakeMail(**options))) as provider:

            def make(**changed: str) -> suite.Factory:
                settings = provider.settings(**changed)

                def factory() -> Collector:
                    return mail.connect(settings, now=lambda: NOW, timeout=5.0)

                return factory

            mails = [letter("bonjour", message_id="a@x").as_bytes(), letter("", subject="x").as_bytes()]
            yield Bench(
                make=make(),
                failing=(
                    make(password="wrong"),
                    make(password=""),
                    make(imap_host=""),
                    make(imap_port="9"),
                    make(imap_security="ssl"),
                    make(folders="Nulle part"),
                ),
                mapping=lambda raw: (map_document(raw), map_letter(letter_of(raw), frozenset())),
                raws=tuple(mails),
                answerable=map_letter(letter_of(mails[0]), frozenset()),
            )

    return on
