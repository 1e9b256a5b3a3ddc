"""The mail collector against a fake provider: hearing all of a mailbox, stopping anywhere, answering once."""

import ssl
import subprocess
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest

import worker as steps
from collectors import access_tokens, build
from collectors.mail import RULES, MailCollector, connect
from collectors.mail_imap import Mailbox
from collectors.mail_login import Login, World, must_be_ours_to_dial
from collectors.mail_map import map_letter
from collectors.mail_read import PAGE_SIZE
from collectors.mail_reply import recipient
from collectors.mail_settings import Host, Security, account_of
from domain.analysis import Analysis
from domain.contracts import CanBackfill, CanReadBack, CanReply, Cursor, IdempotencyKey, Page, Watch
from domain.errors import ConfigurationError, ContractError, OutcomeUnknownError, RefusedError, TransientError
from domain.mention import Mention, MentionId
from store import Store
from store.outbox import OutboxState
from tests.builders import MODEL, analysis
from tests.fakes.http_server import FakeVendor, Reply, Request
from tests.fakes.http_server import serve as serve_http
from tests.fakes.mail import AT, PASSWORD, TOKEN, USER, FakeMail, letter, serve

NOW = AT + timedelta(hours=4)
KEY = IdempotencyKey("key-1")


@pytest.fixture
def provider() -> Iterator[FakeMail]:
    with serve(FakeMail()) as fake:
        yield fake


def collector(fake: FakeMail, *, now: datetime = NOW, timeout: float = 5.0, **settings: str) -> MailCollector:
    made = connect(fake.settings(**settings), now=lambda: now, timeout=timeout, allow_private=True)
    assert isinstance(made, MailCollector)
    return made


def read(
    fake: FakeMail, since: Cursor | None = None, **options: str
) -> tuple[list[Mention], Cursor | None, list[Page]]:
    pages = list(collector(fake, **options).fetch(Watch(), since))
    return [one for page in pages for one in page.mentions], (pages[-1].cursor if pages else since), pages


def asked(fake: FakeMail, text: str = "Où est mon colis ?", message_id: str = "a1@client") -> Mention:
    fake.deliver(letter(text, message_id=message_id))
    return next(one for one in read(fake)[0] if one.native_id == message_id)


# -- hearing -----------------------------------------------------------------------------------------------------------------


def test_a_mailbox_is_heard_once_and_nothing_is_marked_as_read(provider: FakeMail) -> None:
    for number in range(PAGE_SIZE + 3):
        provider.deliver(letter(f"message {number}", message_id=f"{number}@client"))
    mentions, cursor, pages = read(provider)
    assert [one.text for one in mentions] == [f"message {number}" for number in range(PAGE_SIZE + 3)]
    assert len(pages) >= 2 and all(page.cursor for page in pages)
    assert read(provider, cursor) == ([], cursor, [])
    provider.deliver(letter("après", message_id="later@client"))
    assert [one.text for one in read(provider, cursor)[0]] == ["après"]
    assert not any(mail.flags for mail in provider.folders["INBOX"].mails)
    assert not [line for line in provider.asked if "STORE" in line or "SELECT" in line or "BODY[" in line]


def test_a_run_that_dies_at_any_page_is_continued(provider: FakeMail) -> None:
    for number in range(2 * PAGE_SIZE + 1):
        provider.deliver(letter(message_id=f"{number}@client"))
    provider.deliver(letter(sender=USER, message_id="ours@shop"), folder="Envoy&AOk-s")
    for dies_after in range(5):
        kept = list(islice(collector(provider).fetch(Watch(), None), dies_after))
        rest, _, _ = read(provider, next((page.cursor for page in reversed(kept) if page.cursor), None))
        ids = [one.native_id for page in kept for one in page.mentions] + [one.native_id for one in rest]
        assert len(ids) == len(set(ids)) == 2 * PAGE_SIZE + 2, dies_after


def test_only_words_are_loaded_and_files_are_named(provider: FakeMail) -> None:
    mail = letter("Voir la photo", message_id="a@client")
    mail.add_alternative("<p>Voir la photo</p>", subtype="html")
    mail.add_attachment(b"\x89PNG" * 500_000, maintype="image", subtype="png", filename="photo.png")
    provider.deliver(mail)
    [mention], _, _ = read(provider)
    assert mention.text == "Voir la photo"
    assert [(one["name"], one["type"]) for one in mention.raw["attachments"]] == [("photo.png", "image/png")]
    fetches = [line for line in provider.asked if line.startswith("IMAP FETCH")]
    assert len(fetches) == 2 and all("BODY.PEEK[2]" not in line and "BODY.PEEK[]" not in line for line in fetches)
    assert all("<0." in part for line in fetches for part in line.split("BODY.PEEK")[1:])


def test_a_conversation_of_four_turns_is_one_thread_with_both_voices(provider: FakeMail) -> None:
    first = asked(provider)
    second = collector(provider).reply(first, "Quel est son numéro ?", IdempotencyKey("2"))
    provider.deliver(
        letter("4711\n\nLe 9 mars 2026, Ormelune a écrit :\n> Quel…", message_id="a3@client", reply_to=second)
    )
    heard = {one.native_id: one for one in read(provider)[0]}
    assert heard["a3@client"].text == "4711"
    fourth = collector(provider).reply(heard["a3@client"], "Il part demain.", IdempotencyKey("4"))
    mentions, _, _ = read(provider)
    assert {one.native_id: one.conversation_id for one in mentions} == dict.fromkeys(
        ["a1@client", second, "a3@client", fourth], "a1@client"
    )
    assert {one.native_id: (one.outbound, one.text) for one in mentions if one.outbound} == {
        second: (True, "Quel est son numéro ?"),
        fourth: (True, "Il part demain."),
    }
    assert {one.native_id: one.parent_id for one in mentions}["a3@client"] == second


def test_a_thread_is_found_through_mails_that_name_only_what_they_answer(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="11@client"))
    provider.deliver(letter(message_id="1@client"))
    provider.deliver(letter(sender=USER, message_id="b@shop", reply_to="1@client"), folder="Envoy&AOk-s")
    provider.deliver(letter(message_id="c@client", reply_to="b@shop"))
    provider.deliver(letter(message_id="d@client", reply_to="c@client"))
    provider.deliver(letter(message_id="x@client", reply_to="y@client"))  # a circle
    provider.deliver(letter(message_id="y@client", reply_to="x@client"))
    threads = {one.native_id: one.conversation_id for one in read(provider)[0]}
    assert [threads[one] for one in ("1@client", "b@shop", "c@client", "d@client")] == ["1@client"] * 4
    assert threads["11@client"] == "11@client" and threads["x@client"] == threads["y@client"]


def test_a_folder_that_is_numbered_anew_is_read_again_without_doubles_and_without_a_hole(provider: FakeMail) -> None:
    for number in range(3):
        provider.deliver(letter(message_id=f"{number}@client"), at=AT - timedelta(days=60 if number == 0 else 1))
    mentions, cursor, _ = read(provider)
    assert {one.native_id for one in mentions} == {"1@client", "2@client"}  # 30 days, unless told otherwise
    provider.deliver(letter(message_id="new@client"))
    provider.folders["INBOX"].number_anew()
    later = NOW + timedelta(days=200)
    pages = list(collector(provider, now=later).fetch(Watch(), cursor))
    again = [one for page in pages for one in page.mentions]
    assert {one.id for one in again} == {"mail:1@client", "mail:2@client", "mail:new@client"}
    assert {one.id for one in mentions} < {one.id for one in again}  # the same ids: the store keeps one of each
    assert any("numbered the folder “INBOX” anew" in note for page in pages for note in page.notes)
    assert list(collector(provider, now=later).fetch(Watch(), pages[-1].cursor)) == []


def test_drafts_newsletters_and_copies_are_no_mentions(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="draft@shop"), folder="Envoy&AOk-s", flags=("\\Draft",))
    provider.deliver(letter(message_id="gone@client"), flags=("\\Deleted",))
    provider.deliver(letter(message_id="news@x", List_Id="<news.x>"))
    provider.deliver(letter(message_id="bounce@x", sender="MAILER-DAEMON@mx.example"))
    provider.deliver(letter("", subject="", message_id="empty@x"))
    provider.deliver(letter(sender=USER, message_id="copy@shop"))
    provider.deliver(letter(sender=USER, message_id="copy@shop"), folder="Envoy&AOk-s")
    mentions, _, pages = read(provider)
    assert [one.native_id for one in mentions] == ["copy@shop"]
    assert [reject.position for page in pages for reject in page.rejects] == ["INBOX, mail 4"]
    [note] = [note for page in pages for note in page.notes]
    assert "1 delivery report, 1 newsletter" in note and "look into the mailbox" in note


def test_the_folders_of_the_settings_are_read(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="a@x"), folder="Corbeille")
    provider.deliver(letter(message_id="b@x"))
    assert [one.native_id for one in read(provider, folders="Corbeille")[0]] == ["a@x"]
    with pytest.raises(ConfigurationError, match=r"no folder “Nulle part”.*INBOX, Envoyés, Corbeille"):
        read(provider, folders="Nulle part")


def test_the_past_is_read_in_windows(provider: FakeMail) -> None:
    for days in (1, 9, 20, 40):
        provider.deliver(letter(message_id=f"{days}@client"), at=AT - timedelta(days=days))
    reader = collector(provider)
    assert isinstance(reader, CanBackfill)
    since, until = AT - timedelta(days=30), AT
    pages = list(reader.backfill(Watch(), since, until, None))
    assert [one.native_id for page in pages for one in page.mentions] == ["20@client", "9@client", "1@client"]
    stop = next(number for number, page in enumerate(pages) if page.cursor) + 1
    rest = list(reader.backfill(Watch(), since, until, pages[stop - 1].cursor))
    assert rest == pages[stop:]


@pytest.mark.parametrize(
    "odd", ["", "null", "[]", '{"mailbox": 3}', '{"mailbox": "x", "folders": {"INBOX": [1]}}', "(" * 9]
)
def test_a_cursor_of_another_make_reads_from_the_start(provider: FakeMail, odd: str) -> None:
    provider.deliver(letter(message_id="a@x"))
    assert len(read(provider, Cursor(odd))[0]) == 1


def test_a_mailbox_without_a_folder_of_sent_mails_is_told(provider: FakeMail) -> None:
    del provider.folders["Envoy&AOk-s"]
    provider.deliver(letter(message_id="a@x"))
    _, _, pages = read(provider)
    assert any("No folder of sent mails" in note for page in pages for note in page.notes)
    with pytest.raises(ConfigurationError, match="sent_folder"):
        collector(provider).check()


# -- logging in --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mechanisms", [["PLAIN"], ["LOGIN"], ["LOGIN", "PLAIN"]])
def test_it_logs_in_as_the_servers_like(mechanisms: list[str]) -> None:
    with serve(FakeMail()) as fake:
        fake.mechanisms = mechanisms
        if "PLAIN" in mechanisms:
            collector(fake).check()
        else:  # without PLAIN, IMAP takes plain letters only
            with pytest.raises(ConfigurationError, match="plain letters"):
                collector(fake).check()


def test_a_wrong_password_says_what_to_do_and_is_in_no_message(provider: FakeMail) -> None:
    for ask in (
        lambda: collector(provider, password="s3cret-wrong").check(),
        lambda: read(provider, password="s3cret-wrong"),
    ):
        with pytest.raises(ConfigurationError, match="app password") as caught:
            ask()
        assert "s3cret-wrong" not in str(caught.value)


def test_a_token_is_shown_and_a_refused_one_is_told(provider: FakeMail) -> None:
    collector(provider, password="", oauth_token=TOKEN).check()
    with pytest.raises(ConfigurationError, match="oauth_refresh_token"):
        collector(provider, password="", oauth_token="ended").check()


class FakeTokens(FakeVendor):
    """A token endpoint, as RFC 6749, 5.1 and 5.2 have it."""

    def handle(self, request: Request) -> Reply:
        if request.data.get("refresh_token") != "long-lived":
            return Reply({"error": "invalid_grant", "error_description": "Token has been revoked."}, 400)
        return Reply({"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})


def test_access_tokens_are_renewed_and_kept(provider: FakeMail) -> None:
    access_tokens.forget_tokens()
    with serve_http(FakeTokens()) as tokens:
        given = {"password": "", "oauth_client_id": "app", "oauth_token_url": f"{tokens.base}/token"}
        collector(provider, oauth_refresh_token="long-lived", **given).check()
        collector(provider, oauth_refresh_token="long-lived", **given).check()
        assert len(tokens.requests) == 1
        with pytest.raises(ConfigurationError, match="no longer takes the refresh token") as caught:
            collector(provider, oauth_refresh_token="revoked-word", **given).check()
        assert "revoked-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"imap_host": ""}, "imap_host"),
        ({"imap_host": "https://imap.example.org"}, "no server"),
        ({"user": ""}, "user"),
        ({"password": ""}, "password"),
        ({"user": "robot"}, "address"),
        ({"imap_port": "143x"}, "imap_port"),
        ({"imap_security": "tls13"}, "imap_security"),
        ({"history": "0"}, "history"),
        ({"sent_copies": "both"}, "sent_copies"),
        ({"oauth_refresh_token": "x"}, "oauth_client_id"),
        ({"ca_file": "/nowhere.pem", "imap_security": "ssl"}, "ca_file"),
    ],
)
def test_settings_that_are_missing_or_odd(settings: dict[str, str], words: str) -> None:
    given = {"imap_host": "127.0.0.1", "imap_port": "9", "smtp_port": "9", "user": USER, "password": "x"}
    with pytest.raises(ConfigurationError, match=words):
        build("mail", {**given, **settings}).check()


def test_what_providers_are_known_for() -> None:
    gmail = account_of({"imap_host": "imap.gmail.com", "user": "a@ormelune.example", "password": "x"})
    assert (gmail.smtp.name, gmail.smtp.port, gmail.smtp.security) == ("smtp.gmail.com", 587, Security.STARTTLS)
    assert gmail.keeps_sent and gmail.imap == Host("imap.gmail.com", 993, Security.SSL)
    office = account_of({"imap_host": "outlook.office365.com", "user": "a@b.example", "password": "x"})
    assert office.smtp.name == "smtp.office365.com" and office.keeps_sent
    own = account_of(
        {"imap_host": "mail.ormelune.example", "user": "a@b.example", "password": "x", "sent_copies": "server"}
    )
    assert own.smtp.name == "mail.ormelune.example" and own.keeps_sent


def test_a_password_goes_unencrypted_only_within_ones_own_network() -> None:
    for address, allowed in (
        ("127.0.0.1", True),
        ("10.2.3.4", True),
        ("93.184.215.14", False),
        ("169.254.169.254", False),
    ):
        plain, secure = (Host("mail.x", 143, one) for one in (Security.NONE, Security.STARTTLS))
        if allowed:
            must_be_ours_to_dial(plain, lambda *_, found=address: [found])
        else:
            with pytest.raises(ConfigurationError):
                must_be_ours_to_dial(plain, lambda *_, found=address: [found])
        if address.startswith("93."):
            must_be_ours_to_dial(secure, lambda *_, found=address: [found])

    def nowhere(host: str, port: int) -> list[str]:
        raise OSError("no such host")

    with pytest.raises(TransientError, match="not found"):
        must_be_ours_to_dial(Host("mail.x", 143, Security.SSL), nowhere)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    words = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "3650",
    ]
    named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    made = subprocess.run(
        [*words, "-keyout", str(path), "-out", str(path) + ".crt", *named], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("openssl makes no certificate here")
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def test_connections_are_encrypted_and_certificates_checked(certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with serve(FakeMail(tls=context)) as fake:
        collector(fake, ca_file=str(certificate)).check()
        with pytest.raises(ConfigurationError, match=r"certificate of 127\.0\.0\.1 is not valid"):
            collector(fake).check()
    with serve(FakeMail()) as plain, pytest.raises(ConfigurationError, match="does not speak TLS"):
        collector(plain, imap_security="ssl").check()
    with serve(FakeMail()) as plain, pytest.raises(ConfigurationError, match="offers no STARTTLS"):
        collector(plain, imap_security="starttls").check()
    with serve(FakeMail()) as plain, pytest.raises(ConfigurationError, match="offers no STARTTLS"):
        collector(plain, smtp_security="starttls").check()


# -- faults while reading ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "effect", "error"),
    [
        ("IMAP", "* BYE too busy", TransientError),
        ("IMAP", "HTTP/1.1 400 Bad Request", TransientError),
        ("IMAP", "cut", TransientError),
        ("IMAP", "hang", TransientError),
        ("AUTHENTICATE", "NO [UNAVAILABLE] Temporary authentication failure", TransientError),
        ("AUTHENTICATE", "NO [ALERT] Too many simultaneous connections. (Failure)", TransientError),
        ("AUTHENTICATE", "NO [ALERT] Application-specific password required (Failure)", ConfigurationError),
        ("EXAMINE", "NO [INUSE] locked", TransientError),
        ("EXAMINE", "NO [NOPERM] Permission denied", ConfigurationError),
        ("SEARCH", "NO [LIMIT] slow down", TransientError),
        ("SEARCH", "BAD what?", ContractError),
        ("SEARCH", "cut", TransientError),
        ("FETCH", "hang", TransientError),
        ("FETCH", "cut", TransientError),
        ("LIST", "BAD what?", ContractError),
    ],
)
def test_faults_while_reading_lose_nothing(
    provider: FakeMail, command: str, effect: str, error: type[Exception]
) -> None:
    provider.deliver(letter(message_id="a@x"))
    provider.fail(command, effect)
    with pytest.raises(error) as caught:
        list(collector(provider, timeout=0.3).fetch(Watch(), None))
    assert len(str(caught.value)) > 30 and PASSWORD not in str(caught.value)
    assert [one.native_id for one in read(provider)[0]] == ["a@x"]


def test_a_server_that_sends_without_end_is_hung_up_on(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="a@x"))
    provider.fail("FETCH", "* 1 FETCH (UID 1 BODY[HEADER] {400000000}")
    with pytest.raises(TransientError, match="400,000,000 bytes"):
        read(provider)


# -- answering ---------------------------------------------------------------------------------------------------------------


def test_an_answer_is_a_plain_mail_in_the_thread_and_kept_among_the_sent_ones(provider: FakeMail) -> None:
    mention = asked(provider, "Où est mon colis ?\n" * 30)
    reader = collector(provider)
    assert isinstance(reader, CanReply) and isinstance(reader, CanReadBack)
    sent_id = reader.reply(mention, "Bonjour Marie,\n.\nIl part demain — promis.\r\nAwa", KEY)
    [(sender, to, data)] = provider.outbox
    assert (sender, to) == (USER, "marie@client.example")
    [kept] = provider.sent.mails
    assert kept.data.replace(b"\r\n", b"\n").strip() == data.replace(b"\r\n", b"\n").strip() and kept.flags == {
        "\\Seen"
    }
    text = data.decode("ascii")
    assert "Subject: Re: Mon colis\r\n" in text and "In-Reply-To: <a1@client>\r\n" in text
    assert f"Message-ID: <{sent_id}>\r\n" in text and "References: <a1@client>\r\n" in text and "\nCc:" not in text
    back = next(one for one in read(provider)[0] if one.native_id == sent_id)
    assert back.outbound and back.text == "Bonjour Marie,\n.\nIl part demain — promis.\nAwa"
    assert "[=E2=80=A6]" in text and text.count("=C3=B9 est mon colis") == 12
    assert reader.find_reply(mention, "", KEY) == sent_id


def test_the_same_key_makes_the_same_id_and_another_key_another(provider: FakeMail) -> None:
    mention = asked(provider)
    ids = [collector(provider).reply(mention, "ok", IdempotencyKey(key)) for key in ("a", "a", "b")]
    assert ids[0] == ids[1] != ids[2]
    assert len(provider.sent.mails) == 2  # its copy is kept once


def test_nothing_that_strangers_wrote_begins_a_header(provider: FakeMail) -> None:
    evil = "Re: a\r\nBcc: all@x.example\r\n\r\nbody\u2028x\x85y"
    mention = Mention(
        "mail", "a@x>\r\nBcc: <z", "bonjour", AT, title=evil,
        raw={
            "from": "eve@x.example", "reply_to": "eve@x.example>\r\nRCPT TO:<all@x.example", "message_id": "a\r\nBcc: z@x",
            "references": ["b@x\r\nBcc: z", "ok@x", 3],
        },
    )  # fmt: skip
    collector(provider, name="Ormelune\r\nBcc: all@x.example").reply(mention, "ok\r\nBcc: all@x.example", KEY)
    [(_, to, data)] = provider.outbox
    head = data.partition(b"\r\n\r\n")[0].decode()
    assert to == "eve@x.example" and "\r\nBcc" not in head and "In-Reply-To" not in head
    assert len([line for line in provider.asked if line.startswith("SMTP rcpt")]) == 1


@pytest.mark.parametrize(
    ("fields", "key", "allowed"),
    [
        ({"outbound": True}, "own words", False),
        ({"raw": {}}, "no address", False),
        ({"raw": {"from": "no-reply@x.example"}}, "a program", False),
        ({"raw": {"from": "ne_pas_repondre@x.example"}}, "a program", False),
        ({"raw": {"from": "a@x.example", "unproven": True}}, "sender not proven", True),
        ({"raw": {"from": USER, "reply_to": "a@x.example", "form": True}}, "sender not proven", True),
        ({"raw": {"from": "a@x.example", "reply_to": "b@y.example"}}, "answers go elsewhere", True),
        ({"raw": {"from": "a@x.example", "reply_to": "b@x.example"}}, "mail", True),
        ({"raw": {"from": "a@x.example"}}, "mail", True),
        ({"raw": {"from": 3, "reply_to": ["x"]}}, "no address", False),
    ],
)
def test_the_rules_row_by_row(provider: FakeMail, fields: dict[str, object], key: str, allowed: bool) -> None:
    mention = Mention("mail", "1@x", "bonjour", AT, **fields)  # type: ignore[arg-type]
    rule = next(rule for rule in RULES if rule.applies(mention))
    told = collector(provider).may_reply(mention)
    assert (rule.key, told.allowed, told.public and allowed, told.until) == (key, allowed, False, None)
    if not allowed:
        with pytest.raises(RefusedError, match=rule.reason[:20]):
            collector(provider).reply(mention, "ok", KEY)
        assert provider.outbox == []


def test_every_rule_has_a_row() -> None:
    rows = test_the_rules_row_by_row.pytestmark[0].args[1]  # type: ignore[attr-defined]
    assert {row[1] for row in rows} == {rule.key for rule in RULES}


def test_an_answer_goes_where_the_writer_asks_and_never_to_those_in_copy(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="a@x", Reply_To="bureau@client.example", Cc="autres@client.example"))
    [mention] = read(provider)[0]
    assert recipient(mention) == "bureau@client.example"
    collector(provider).reply(mention, "ok", KEY)
    assert [to for _, to, _ in provider.outbox] == ["bureau@client.example"]


@pytest.mark.parametrize(
    ("command", "effect", "error", "words"),
    [
        ("SMTP", "421 4.3.2 Service not available", TransientError, "takes no mail now"),
        ("SMTP", "cut", TransientError, ""),
        ("AUTH", "454 4.7.0 Temporary authentication failure", TransientError, "no logins now"),
        ("AUTH", "535 5.7.8 Username and Password not accepted", ConfigurationError, "app password"),
        (
            "AUTH",
            "550 5.7.30 Basic authentication is not supported for Client Submission.",
            ConfigurationError,
            "SMTP AUTH",
        ),
        ("MAIL", "553 5.7.1 Sender address rejected: not owned by user", ConfigurationError, "address"),
        ("MAIL", "452 4.3.1 Insufficient system storage", TransientError, ""),
        ("RCPT", "550 5.1.1 No such user", RefusedError, "No such user"),
        ("RCPT", "552 5.2.2 Mailbox full", RefusedError, "is full"),
        ("RCPT", "450 4.2.1 Try again later", TransientError, ""),
        ("RCPT", "hang", TransientError, ""),
        ("DATA", "451 4.7.1 Greylisted", TransientError, ""),
        ("DATA", "cut", TransientError, ""),
        ("DATA END", "554 5.7.1 Message rejected as spam", RefusedError, "spam"),
        ("DATA END", "452 4.2.2 Over quota", TransientError, ""),
        ("DATA END", "hang", OutcomeUnknownError, ""),
        ("DATA END", "cut", OutcomeUnknownError, ""),
        ("DATA END", "<html>Bad Gateway</html>", OutcomeUnknownError, ""),
    ],
)
def test_faults_while_sending(
    provider: FakeMail, command: str, effect: str, error: type[Exception], words: str
) -> None:
    mention = asked(provider)
    provider.fail(command, effect)
    with pytest.raises(error, match=words or None) as caught:
        collector(provider, timeout=0.3).reply(mention, "ok", KEY)
    assert isinstance(caught.value, OutcomeUnknownError) is (error is OutcomeUnknownError)
    assert provider.outbox == [] and provider.sent.mails == [] and PASSWORD not in str(caught.value)
    collector(provider).reply(mention, "ok", KEY)
    assert len(provider.outbox) == 1


def test_an_answer_whose_confirmation_is_lost_is_found_where_the_provider_keeps_it() -> None:
    for renames in (False, True):
        with serve(FakeMail(keeps_sent=True, renames=renames)) as fake:
            mention = asked(fake)
            fake.fail("DATA END", "hang after")
            reader = collector(fake, timeout=0.5, sent_copies="server")
            assert reader.find_reply(mention, "ok", KEY) is None
            with pytest.raises(OutcomeUnknownError):
                reader.reply(mention, "ok", KEY)
            found = reader.find_reply(mention, "ok", KEY)
            assert found is not None and len(fake.outbox) == 1
            assert found in {one.native_id for one in read(fake)[0]}  # and heard under this id


def test_where_only_we_keep_copies_a_lost_confirmation_stays_a_doubt_until_the_writer_answers(
    provider: FakeMail,
) -> None:
    mention = asked(provider)
    provider.fail("DATA END", "cut after")
    with pytest.raises(OutcomeUnknownError):
        collector(provider).reply(mention, "ok", KEY)
    with pytest.raises(OutcomeUnknownError, match="Ask the writer"):
        collector(provider).find_reply(mention, "ok", KEY)
    sent_id = provider.outbox[0][2].decode().partition("Message-ID: <")[2].partition(">")[0]
    provider.deliver(letter("merci", message_id="b@client", reply_to=sent_id))
    assert collector(provider).find_reply(mention, "ok", KEY) == sent_id


def test_a_copy_that_cannot_be_kept_is_told_and_the_answer_has_left(
    provider: FakeMail, caplog: pytest.LogCaptureFixture
) -> None:
    mention = asked(provider)
    reader = collector(provider)
    provider.fail("APPEND", "NO [OVERQUOTA] Quota exceeded (mailbox is full)")
    assert reader.reply(mention, "ok", KEY)
    assert len(provider.outbox) == 1 and provider.sent.mails == []
    notes = [note for page in reader.fetch(Watch(), None) for note in page.notes]
    assert any("could not be kept: The mailbox is full" in note for note in notes) and "mailbox is full" in caplog.text


def test_servers_without_login_and_with_one_connection(provider: FakeMail) -> None:
    provider.deliver(letter(message_id="a@x"))
    account = account_of(provider.settings())
    box = Mailbox(Login(account, World()), World())
    opened = box.open("INBOX")
    assert [map_letter(one.letter, account.own).native_id for one in box.letters(box.search("UID 1:*"))] == ["a@x"]
    assert (opened.validity, opened.next_uid, box.sent()) == (7, 2, "Envoyés")
    box.close()
    box.close()
    provider.mechanisms = []
    provider.capabilities.append("AUTH=PLAIN")
    collector(provider).reply(asked(provider), "ok", KEY)
    assert len(provider.outbox) == 1 and not any(line == "SMTP AUTH" for line in provider.asked)


# -- in the product ----------------------------------------------------------------------------------------------------------


class FlatAnalyzer:
    model = MODEL

    def analyze(self, mentions: Sequence[Mention]) -> list[Analysis]:
        return [analysis(mention.id) for mention in mentions]


@pytest.mark.parametrize(("keeps_sent", "state"), [(True, OutboxState.SENT), (False, OutboxState.UNKNOWN)])
def test_a_conversation_is_one_case_and_is_answered_once_though_the_server_falls_silent(
    store: Store, keeps_sent: bool, state: OutboxState
) -> None:
    with serve(FakeMail(keeps_sent=keeps_sent)) as fake:
        fake.deliver(letter("Mon colis est perdu", message_id="1@client"))
        fake.deliver(
            letter("Quel numéro ?", sender=USER, message_id="2@shop", references="1@client"), folder="Envoy&AOk-s"
        )
        fake.deliver(letter("4711", message_id="3@client", references="1@client 2@shop"))
        fake.deliver(letter("Merci de faire vite", message_id="4@client", reply_to="3@client"))
        clock = [NOW]
        settings = fake.settings(sent_copies="server" if keeps_sent else "ours")
        made = connect(settings, now=lambda: clock[0], timeout=0.5)
        store.sources.ensure("m", "mail", "Mail", {})
        worker = steps.Worker(store, FlatAnalyzer(), lambda _: made, {}, timedelta(0), now=lambda: clock[0])
        steps.run_once(worker)
        ids = [MentionId(f"mail:{one}") for one in ("1@client", "2@shop", "3@client", "4@client")]
        [case_id] = store.mentions.case_ids(ids)
        store.cases.reply(case_id, ids[-1], "Il part demain.", source_key="m", key="k1", actor="Awa", now=clock[0])
        fake.fail("DATA END", "hang after")
        assert steps.run_once(worker).failed == 1
        for _ in range(12):
            clock[0] += timedelta(hours=7)
            steps.run_once(worker)
        [row] = store.outbox.of_case(case_id)
        assert row.state is state and len(fake.outbox) == 1
        if state is OutboxState.SENT:
            conversation = store.queue.conversation(case_id)
            assert conversation is not None
            assert [one.mention.text for one in conversation.messages].count("Il part demain.") == 1
