"""Support mail: a mailbox read over IMAP, answered over SMTP. Every mail to us is heard; nothing is marked as read.

The door: SPEC, `connect`, `map_document`, RULES. What a letter says is in `mail_letter` and `mail_text`, what it means in
`mail_map`, what is read when in `mail_read`, the servers in `mail_imap` and `mail_smtp`, the answer in `mail_reply`.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime

from collectors import mail_smtp
from collectors.addresses import Resolve, resolve
from collectors.mail_imap import Mailbox
from collectors.mail_letter import OWN_ID
from collectors.mail_login import Login, World
from collectors.mail_map import map_document
from collectors.mail_place import Place, mailbox_key
from collectors.mail_read import Reading
from collectors.mail_reply import RULES, composed, remote_id
from collectors.mail_settings import SETTINGS, Account, account_of
from domain.clock import Now, utc_now
from domain.contracts import (
    Collector,
    CollectorSpec,
    Cursor,
    IdempotencyKey,
    Page,
    Permission,
    RemoteId,
    Watch,
)
from domain.errors import ComptoirError, ConfigurationError, OutcomeUnknownError, RefusedError
from domain.mention import Mention
from domain.permission import decide

__all__ = ["RULES", "SPEC", "MailCollector", "connect", "map_document"]

log = logging.getLogger(__name__)

SPEC = CollectorSpec(
    key="mail",
    title="Support mail (IMAP and SMTP)",
    settings=SETTINGS,
    can_reply=True,
    reads="The mails of the folders you name, and our own in the folder of sent mails; threads by Message-ID, In-Reply-To and "
    "References. Of a mail its headers and words are read, what is attached is listed by name and left where it is, and "
    "nothing is marked as read. Kept is what was newly written: quoted history, signatures and small print are cut. "
    "Newsletters, automatic mails, delivery reports and mails marked as spam are counted and left out.",
    answers="By mail to the writer alone (Reply-To where it is given), in the same thread, with a copy in the folder of sent "
    "mails.",
    access=(
        "Gmail, iCloud, Yahoo: turn on two-step verification, make an app password, and give it as password. At other "
        "providers it is the password of the mailbox.",
        "Microsoft 365: register an application with the permissions IMAP.AccessAsUser.All, SMTP.Send and offline_access, "
        "log in with it once, and give its client id and the refresh token.",
        "Make sure that the mailbox has a folder of sent mails; the wizard's check says whether it was found.",
    ),
    limits="The provider's own: mails sent per day and connections at once. Of one text part 512 KB are read, 50 mails a page.",
    retention="None by contract. A mail that is deleted in the mailbox stays here until it is erased here.",
    facts=(
        "RFC 3501 (IMAP4rev1), RFC 5322 (Internet Message Format), RFC 5321 (SMTP), RFC 3676 (format=flowed), from memory, "
        "not read again",
        "Google, Gmail for developers: OAuth 2.0 Mechanism (XOAUTH2), stored copy read 2026-11-26",
        "Google, Gmail help: Recommended IMAP client settings (sent mails are copied by themselves), stored copy of an older "
        "edition read 2026-11-26",
        "Microsoft, Exchange Team Blog, 2018-04-20: Changes coming to the SMTP Authenticated Submission client protocol (sent "
        "mails are stored in Sent Items), stored copy read 2026-11-26",
        "Microsoft, Exchange Team Blog, 2026-01-27: Updated Exchange Online SMTP AUTH Basic Authentication Deprecation "
        "Timeline (passwords off by default from the end of December 2026), stored copy read 2026-11-26",
        "Microsoft's names of permissions and its token address: from memory, not read again",
    ),
)


def connect(
    settings: Mapping[str, str],
    *,
    now: Now = utc_now,
    timeout: float = 30.0,
    resolve: Resolve = resolve,
    allow_private: bool = False,
) -> Collector:
    """The collector of one mailbox.

    Args:
        timeout: seconds without a sign of life.
        allow_private: also a server on this machine that renews tokens; for tests.

    Raises:
        ConfigurationError: a setting is missing or cannot be used.
    """
    return MailCollector(account_of(settings), World(timeout, resolve, now, allow_private))


class MailCollector:
    """One mailbox."""

    spec = SPEC

    def __init__(self, account: Account, world: World) -> None:
        self._account, self._world = account, world
        self._login = Login(account, world)
        self._remarks: list[str] = []

    def check(self) -> None:
        """See Collector: both servers know us, and the folders are there."""
        with self._mailbox() as box:
            sent = box.sent()
            for folder in (*self._account.folders, *([sent] if sent else [])):
                box.open(folder)
            if not sent:
                raise ConfigurationError(
                    "The mailbox has no folder of sent mails: make one called Sent, or name yours in the setting "
                    f"sent_folder. There are: {', '.join(box.names()[:20])}."
                )
        mail_smtp.check(self._login, self._world)

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:  # noqa: ARG002 - who writes to us is heard
        """See Collector."""
        place = Place.read(since, mailbox_key(self._account.imap.name, self._account.user))
        remarks, self._remarks = self._remarks, []
        if remarks:
            yield Page((), place.cursor(), notes=tuple(remarks))
        with self._mailbox() as box:
            yield from Reading(box, self._account, self._world.now()).pages(place)

    def backfill(self, watch: Watch, since: datetime, until: datetime, cursor: Cursor | None) -> Iterator[Page]:  # noqa: ARG002
        """See CanBackfill: windows of a week."""
        with self._mailbox() as box:
            yield from Reading(box, self._account, self._world.now()).past(since, until, cursor)

    # -- answering -------------------------------------------------------------------------------------------------------

    def may_reply(self, mention: Mention) -> Permission:
        """See CanReply."""
        return decide(RULES, mention, self._world.now())

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        """See CanReply. The same key makes the same mail, whose id it returns."""
        told = self.may_reply(mention)
        if not told.allowed:
            raise RefusedError(told.reason)
        now = self._world.now()
        to, mail = composed(self._account, mention, text, key, now)
        mail_smtp.send(self._login, self._world, to, mail)
        sent = remote_id(self._account, key)
        if not self._account.keeps_sent:
            self._keep_copy(sent, mail, now)
        return sent

    def find_reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId | None:  # noqa: ARG002 - the id tells
        """See CanReadBack: among the sent mails, and among those that answer ours.

        Raises:
            OutcomeUnknownError: it is nowhere, and this provider does not keep by itself what is sent.
        """
        wanted = remote_id(self._account, key)
        with self._mailbox() as box:
            sent = box.sent()
            if sent:
                box.open(sent)
                if box.with_id(wanted) or box.with_id(wanted, OWN_ID):
                    return wanted
            for folder in self._account.folders:
                box.open(folder)
                if box.with_id(wanted, "References") or box.with_id(wanted, "In-Reply-To"):
                    return wanted
        if self._account.keeps_sent and sent:
            return None
        raise OutcomeUnknownError(
            "The answer is not among the sent mails, but this provider only keeps what we put there ourselves once it is "
            "sent. Ask the writer, or look into the provider's log, before sending it again."
        )

    # -- below -----------------------------------------------------------------------------------------------------------

    def _mailbox(self) -> closing[Mailbox]:
        return closing(Mailbox(self._login, self._world))

    def _keep_copy(self, sent_id: RemoteId, mail: bytes, now: datetime) -> None:
        """The answer has left: what goes wrong here is told with the next page, and changes nothing about that."""
        try:
            with self._mailbox() as box:
                folder = box.sent()
                if not folder:
                    raise ConfigurationError("There is no folder of sent mails. Name it in the setting sent_folder.")
                box.open(folder)
                if not box.with_id(sent_id):
                    box.append(folder, mail, now)
        except ComptoirError as error:
            log.warning("an answer was sent, its copy could not be kept: %s", error)
            self._remarks.append(f"An answer was sent, but its copy could not be kept: {error}")
