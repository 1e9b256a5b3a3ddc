"""What mails mean: words that lie about their charset, quoted history, threads, who speaks, and what is nobody's message."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest

from collectors import mapper
from collectors.mail_letter import Letter, Part, letter_of, letter_of_parts
from collectors.mail_map import UNPROVEN, left_out, map_document, map_letter
from collectors.mail_text import new_words, readable, unfolded
from collectors.mail_wire import decoded, encoded, fetched, folders, listed, parts_of
from collectors.mail_words import addresses, message_id, message_ids, moment, text_in, words
from domain.errors import InputError
from domain.mention import TEXT_LIMIT, Author, MentionKind
from tests.fakes.mail import AT, USER, letter

OWN = frozenset({USER})


def read(mail: EmailMessage | bytes) -> Letter:
    return letter_of(mail if isinstance(mail, bytes) else mail.as_bytes())


def raw(*lines: str | bytes, body: bytes = b"Bonjour") -> bytes:
    head = [line.encode("latin-1") if isinstance(line, str) else line for line in lines]
    return b"\r\n".join([*head, b"Date: Mon, 09 Mar 2026 09:00:00 +0100", b"", body])


# -- what was newly written --------------------------------------------------------------------------------------------------

FRENCH = """Bonjour,

Toujours rien.

Marie
Envoyé de mon iPhone

Le lun. 9 mars 2026 à 10:02, Ormelune <aide@ormelune.example> a
écrit :

> Quel est votre numéro ?
> --
> Awa
"""
OUTLOOK = """C'est le 4711.

De : Ormelune <aide@ormelune.example>
Envoyé : lundi 9 mars 2026 10:02
À : Marie
Objet : Re: Mon colis

Quel est votre numéro ?
"""
BETWEEN = """On Mon, 9 Mar 2026 at 10:02, Ormelune wrote:
> Your number?
4711
> And the colour?
blue

--
Marie
"""


@pytest.mark.parametrize(
    ("body", "text", "ended"),
    [
        ("Bonjour", "Bonjour", False),
        (FRENCH, "Bonjour,\n\nToujours rien.\n\nMarie", True),
        (OUTLOOK, "C'est le 4711.", True),
        (BETWEEN, "4711\nblue", True),
        ("oui\n\n-----Message d'origine-----\nDe: x\n", "oui", True),
        ("oui\n________________________________\nFrom: x\nSent: y\nTo: z\n", "oui", True),
        ("oui\n\nLe 9 mars 2026 à 10:02, Awa <a@b.example> a écrit :\nQuel numéro ?", "oui", True),
        ("ja\n\nAm 09.03.26 um 10:02 schrieb Ormelune:\n> Nummer?", "ja", True),
        ("sí\n\nEl lun, 9 mar 2026, Ormelune escribió:\n> ¿Número?", "sí", True),
        ("Le colis est arrivé.\nMerci", "Le colis est arrivé.\nMerci", False),
        ("De : la part de Marie\nbonjour", "De : la part de Marie\nbonjour", False),
        ("## Répondez au-dessus de cette ligne ##\nancien", "## Répondez au-dessus de cette ligne ##\nancien", False),
        ("oui\n## Répondez au-dessus de cette ligne ##\nancien", "oui", True),
        ("bonjour\n\nCe message et ses pièces jointes sont confidentiels.", "bonjour", True),
        ("> tout est cité", "> tout est cité", False),  # better everything than nothing
        ("", "", False),
        ("a\r\n\r\n\r\n\r\nb", "a\n\nb", False),
    ],
)
def test_history_signature_and_small_print_are_cut(body: str, text: str, ended: bool) -> None:
    assert new_words(body) == (text, ended)


def test_html_is_read_as_plain_mails_are() -> None:
    gmail = (
        "<div>ok <b>merci</b></div><div class='gmail_quote'>Le 3 mars 2026, X &lt;a@b.example&gt; a écrit&nbsp;:"
        "<blockquote type=cite>Quel<br>numéro<blockquote>ancien</blockquote></blockquote></div>"
    )
    assert readable(gmail).endswith("> Quel\n> numéro\n>> ancien")
    assert new_words(readable(gmail))[0] == "ok merci"
    assert readable("<blockquote>" * 5000 + "x").endswith("x")


def test_flowed_lines_are_joined() -> None:
    assert unfolded("une phrase \nqui continue\n> cité \n> encore\n-- \nMarie") == (
        "une phrase qui continue\n> cité encore\n-- \nMarie"
    )


@pytest.mark.parametrize("piece", ["> ", "Le 1 ", "-", "De : a\n", "<blockquote>", "\n", "On 1, " * 3 + "\n"])
def test_cutting_takes_time_in_proportion(piece: str) -> None:
    # With time growing as the square, this would take hours.
    assert isinstance(new_words(readable(piece * 50_000))[0], str)
    assert isinstance(new_words(piece * 50_000)[0], str)


# -- single values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "charset", "text"),
    [
        ("déçue".encode(), "utf-8", "déçue"),
        ("déçue 12 €".encode("cp1252"), "iso-8859-1", "déçue 12 €"),
        ("déçue".encode("cp1252"), "utf-8", "déçue"),
        ("déçue".encode(), "us-ascii", "déçue"),
        ("déçue".encode(), "x-unknown", "déçue"),
        ("déçue".encode(), "", "déçue"),
        ("déçue".encode(), "rot13", "déçue"),
        ("déçue".encode(), "zlib", "déçue"),
        ("你好".encode("gb18030"), "gb2312", "你好"),
        (b"\xff\xfe\x81", "utf-8", "ÿþ\ufffd"),
        (b"a\x00b", "utf-8", "a\ufffdb"),
        (b"ok", "utf\x00-8", "ok"),
    ],
)
def test_charsets(data: bytes, charset: str, text: str) -> None:
    assert text_in(data, charset) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("=?utf-8?q?Ma_commande_n=C2=B0_4711?=", "Ma commande n° 4711"),
        ("Re: =?iso-8859-1?Q?re=E7u?= hier", "Re: reçu hier"),
        ("=?utf-8?b?w6k=?= =?utf-8?b?w6k=?=", "éé"),
        ("=?utf-8?b?w6nD?= =?utf-8?b?qQ==?=", "éé"),  # cut within a character
        ("=?utf-8?q?a?= =?iso-8859-1?q?=E9?=", "aé"),
        ("=?utf-8?b?!!!?=", ""),
        ("=?klingon?q?a=E9?=", "aé"),
        ("=?utf-8?q?a=0D=0ABcc:_x?=", "a Bcc: x"),
        ("=?utf-8?x?a?=", "=?utf-8?x?a?="),
    ],
)
def test_encoded_words(value: str, text: str) -> None:
    assert words(value) == text


def test_addresses_ids_and_dates() -> None:
    assert addresses(['"Dubois, Marie" <Marie@Client.example>, =?utf-8?q?L=C3=A9a?= <lea@x.example>, nobody'])[:2] == [
        ("Dubois, Marie", "marie@client.example"),
        ("Léa", "lea@x.example"),
    ]
    assert all(one.address == "" for one in addresses(["x", "<>", "a@", "@b", "a b@c"]))
    assert message_ids("<a@b> <c@d>\r\n\t<a@b> junk") == ("a@b", "c@d")
    assert message_id(" bare@id ") == "bare@id" and message_id("two words") == ""
    assert moment("Mon, 9 Mar 2026 09:00:00 +0100") == AT
    assert moment("09-Mar-2026 08:00:00 +0000") == AT
    assert [moment(odd) for odd in ("", "bientôt", "Mon, 45 Mar 2026", "1 Jan 1970 00:00:00 +0000", "9 Mar 99999")] == [
        None
    ] * 5


# -- IMAP's notation ---------------------------------------------------------------------------------------------------------


def test_folder_names() -> None:
    for name in ("Éléments envoyés & co", "[Gmail]/Messages envoyés", "日本", "plain"):
        assert encoded(name).isascii() and decoded(encoded(name)) == name
    assert decoded("&!!-") == "&!!-"
    lines = [
        b'(\\HasNoChildren \\Sent) "." "Envoy&AOk-s"',
        (b'(\\X) "/" {5}', b'a"b c'),
        None,
        b"() NIL INBOX",
        b"junk",
    ]
    assert [name for _, _, name in folders(lines)] == ["Envoyés", 'a"b c', "INBOX"]


def test_answers_to_fetch() -> None:
    structure = (
        b'(("text" "plain" ("charset" "utf-8") NIL NIL "7bit" 12 2 NIL NIL NIL NIL)("image" "png" NIL NIL NIL "base64" 99 NIL '
        b'("attachment" ("filename*0*" "utf-8\'\'re%C3%A7" "filename*1" "u.png")) NIL NIL) "mixed" '
        b'("boundary" "x" "a" "b" "c" "d" "e" "f") NIL NIL NIL)'
    )
    answer = [
        (b"1 (UID 5 BODY[HEADER]<0> {6}", b"ab()\r\n"),
        (b" BODY[1.MIME] {2}", b"x\n"),
        b" BODYSTRUCTURE " + structure + b")",
    ]
    [message] = fetched(answer)
    assert (message["UID"], message["BODY[HEADER]"], message["BODY[1.MIME]"]) == (b"5", b"ab()\r\n", b"x\n")
    assert parts_of(message["BODYSTRUCTURE"]) == (
        Part("1", "text/plain", "", 12),
        Part("2", "image/png", "reçu.png", 99, attached=True),
    )


@pytest.mark.parametrize(
    "odd", [b"(" * 100_000, b")" * 9, b'("text"', b'"', b"(NIL NIL)", b"((((NIL))))", b"\xff", b""]
)
def test_structures_that_are_none(odd: bytes) -> None:
    assert isinstance(fetched([odd, None, 3, (odd, odd)]), list)
    assert all(isinstance(parts_of(value), tuple) for value in [*listed([odd]), None, b"x", []])


# -- a letter ----------------------------------------------------------------------------------------------------------------


def test_a_letter_with_everything() -> None:
    mail = letter(
        "Cassé, voir photo",
        subject="Re: Commande n° 4711 ✓",
        message_id="c@client",
        reply_to="b@shop",
        references="a@client b@shop",
    )
    mail.add_attachment(b"x" * 900, maintype="image", subtype="jpeg", filename="reçu cassé.jpg")
    mail.add_attachment(letter("dedans", subject="Confirmation", message_id="z@shop"))
    mention = map_letter(read(mail), OWN, folder="INBOX")
    assert mention.kind is MentionKind.MESSAGE and mention.network == "mail" and not mention.outbound
    assert (mention.native_id, mention.parent_id, mention.conversation_id) == ("c@client", "b@shop", "a@client")
    assert (mention.title, mention.text, mention.created_at) == ("Re: Commande n° 4711 ✓", "Cassé, voir photo", AT)
    assert mention.author == Author("marie@client.example", name="Marie Dubois")
    assert [one["name"] for one in mention.raw["attachments"]] == ["reçu cassé.jpg", "Confirmation"]
    assert mention.raw["body_length"] == 17


def test_html_only_alternatives_and_parts_that_lie() -> None:
    mail = letter("", message_id="a@b")
    mail.set_content("<p>Bonjour,<br>déçue</p><style>p{}</style>", subtype="html")
    assert map_letter(read(mail), OWN).text == "Bonjour,\ndéçue"
    both = letter("les mots")
    both.add_alternative("<b>les mots</b>", subtype="html")
    assert map_letter(read(both), OWN).text == "les mots"
    empty = letter(" ")
    empty.add_alternative("<b>que du HTML</b>", subtype="html")
    assert map_letter(read(empty), OWN).text == "que du HTML"
    lying = raw("From: a@b.example", "Content-Type: text/plain; charset=us-ascii", body="déçue".encode())
    assert map_letter(read(lying), OWN).text == "déçue"
    eight = raw(
        "From: a@b.example", "Subject: reçu".encode(), "Content-Transfer-Encoding: base64", body=b"!!! pas du base64"
    )
    assert map_letter(read(eight), OWN).title == "reçu"


def test_the_same_letter_by_parts_and_whole() -> None:
    mail = letter("Bonjour é", message_id="a@b")
    data = mail.as_bytes()
    head, _, body = data.partition(b"\n\n")
    part = Part("1", "text/plain", "", len(body))
    by_parts = letter_of_parts(head + b"\n\n", [(part, b"", body)], (), None)
    assert by_parts == letter_of(data)


def test_words_that_go_on_after_what_was_fetched_are_no_mention_unless_they_are_history() -> None:
    head, limit = letter(message_id="a@b").as_bytes().partition(b"\n\n")[0] + b"\n\n", 512 * 1024
    part = Part("1", "text/plain", "", limit * 3)
    plain = letter_of_parts(head, [(part, b"", b"mot " * (limit // 4))], (), None)
    with pytest.raises(InputError, match="512 KB"):
        map_letter(plain, OWN)
    history = b"oui\n\n-----Message d'origine-----\n" + b"mot " * (limit // 4)
    assert map_letter(letter_of_parts(head, [(part, b"", history[:limit])], (), None), OWN).text == "oui"
    with pytest.raises(InputError, match=f"{TEXT_LIMIT:,}"):
        map_letter(read(letter("mot " * TEXT_LIMIT)), OWN)


def test_threads() -> None:
    def of(**fields: str) -> tuple[str, str | None]:
        mention = map_letter(read(letter(message_id="me@x", **fields)), OWN, root=fields.pop("root", ""))
        return mention.conversation_id, mention.parent_id

    assert of() == ("me@x", None)
    assert of(references="a@x b@x") == ("a@x", "b@x")
    assert of(reply_to="b@x") == ("b@x", "b@x")
    assert map_letter(read(letter(message_id="me@x", reply_to="b@x")), OWN, root="a@x").conversation_id == "a@x"
    without = map_letter(read(letter()), OWN)
    assert without.native_id.endswith("@no-id.comptoir.invalid") and without == map_letter(read(letter()), OWN)


def test_dates() -> None:
    def at(*lines: str) -> datetime:
        return map_letter(
            letter_of("\r\n".join([*lines, "From: a@b.example", "Subject: x", "", "y"]).encode()), OWN
        ).created_at

    received = "Received: from x by y; Mon, 09 Mar 2026 08:00:00 +0000"
    assert at("Date: Mon, 09 Mar 2026 07:00:00 -0000") == AT - timedelta(hours=1)
    assert at("Date: Mon, 09 Mar 2036 07:00:00 +0000", received) == AT  # a clock that is ahead
    assert at("Date: bientôt", received) == AT
    with pytest.raises(InputError, match="no date"):
        at("Date: bientôt")


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({}, ""),
        ({"Auto_Submitted": "no"}, ""),
        ({"Auto_Submitted": "auto-replied"}, "automatic mail"),
        ({"Auto_Submitted": "auto-generated (x)"}, "automatic mail"),
        ({"X_Autoreply": "yes"}, "automatic mail"),
        ({"subject": "Réponse automatique : Mon colis"}, "automatic mail"),
        ({"subject": "Re: votre réponse automatique"}, ""),
        ({"Precedence": "bulk"}, "newsletter"),
        ({"List_Id": "<news.shop.example>"}, "newsletter"),
        ({"List_Unsubscribe": "<https://x.example>"}, "newsletter"),
        ({"X_Spam_Flag": "YES"}, "mail marked as spam"),
        ({"Return_Path": "<>"}, "delivery report"),
        ({"sender": "MAILER-DAEMON@mx.example"}, "delivery report"),
    ],
)
def test_what_nobody_wrote_is_left_out(headers: dict[str, str], why: str) -> None:
    assert left_out(read(letter(**headers)), OWN) == why


def test_a_contact_form_of_ours_is_the_writers_message_but_proves_nothing() -> None:
    form = letter(
        "Bonjour", sender=f"Site <{USER}>", Reply_To="Zoé <zoe@client.example>", Auto_Submitted="auto-generated"
    )
    found = read(form)
    assert left_out(found, OWN) == ""
    mention = map_letter(found, OWN)
    assert not mention.outbound and mention.author == Author(f"{UNPROVEN}zoe@client.example", name="Zoé")


def test_a_forged_sender_is_another_account_and_never_us() -> None:
    results = "mx.ormelune.example; spf=fail smtp.mailfrom=x; dkim=none; dmarc=fail header.from=client.example"
    mention = map_letter(read(letter(Authentication_Results=results)), OWN)
    assert mention.author and mention.author.native_id == f"{UNPROVEN}marie@client.example"
    ours = map_letter(read(letter(sender=USER, Authentication_Results=results)), OWN)
    assert not ours.outbound and ours.author and ours.author.native_id == UNPROVEN + USER
    passing = map_letter(read(letter(Authentication_Results="mx; spf=fail; dkim=pass; dmarc=pass")), OWN)
    assert passing.author == Author("marie@client.example", name="Marie Dubois")


def test_own_mails_are_outbound() -> None:
    assert map_letter(read(letter(sender=f"Awa <{USER}>")), OWN).outbound
    assert map_letter(read(letter(sender="awa@ormelune.example")), OWN, in_sent=True).outbound
    named = letter(message_id="renamed@provider", X_Comptoir_Id="<made@ormelune.example>")
    assert map_letter(read(named), OWN, in_sent=True).native_id == "made@ormelune.example"
    assert map_letter(read(named), OWN).native_id == "renamed@provider"  # strangers name no id of ours


def test_mails_that_say_nothing() -> None:
    silent = letter("", subject="")
    with pytest.raises(InputError, match="it says nothing"):
        map_letter(read(silent), OWN)
    silent.add_attachment(b"x", maintype="image", subtype="png", filename="a.png")
    with pytest.raises(InputError, match="1 file attached"):
        map_letter(read(silent), OWN)
    assert map_letter(read(letter("", subject="Rappelez-moi")), OWN).title == "Rappelez-moi"


# -- saved mails -------------------------------------------------------------------------------------------------------------

HOSTILE = {
    "nothing": b"",
    "noise": bytes(range(256)) * 50,
    "no sender": raw("Subject: a"),
    "two senders": raw("From: a@b.example, c@d.example", "From: e@f.example"),
    "odd type": raw("From: a@b.example", "Content-Type: ;;; charset"),
    "odd encoding": raw("From: a@b.example", "Content-Transfer-Encoding: x-uuencode", body=b"begin 666 x\nM!!!\n"),
    "multipart without parts": raw("From: a@b.example", "Content-Type: multipart/mixed"),
    "multipart cut off": raw(
        "From: a@b.example", 'Content-Type: multipart/mixed; boundary="b"', body=b"--b\r\nContent-Type: te"
    ),
    "an odd file name": raw("From: a@b.example", "Content-Disposition: attachment; filename*=klingon'x'%ff%fe"),
    "a long header": raw("From: a@b.example", "References: " + "<a@b> " * 50_000),
    "many headers": raw("From: a@b.example", *(f"X-{n}: y" for n in range(5_000))),
    "an id of blanks": raw("From: a@b.example", "Message-ID: < >"),
    "half a surrogate": raw("From: a@b.example", "Subject: =?utf-8?q?=ED=A0=80?="),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_saved_mails_of_any_shape_are_mapped_or_listed(name: str) -> None:
    mapped = map_document(HOSTILE[name])
    assert len(mapped.mentions) + len(mapped.rejects) + len(mapped.notes) >= 1
    for mention in mapped.mentions:
        f"{mention.title}{mention.text}{mention.native_id}".encode()


def test_parts_too_deep_in_each_other_are_listed() -> None:
    body = b"x"
    for number in range(1_500):
        body = (
            b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (number, number)
            + body
            + b"\r\n--b%d--" % number
        )
    mapped = map_document(b"From: a@b.example\r\nDate: Mon, 09 Mar 2026 09:00:00 +0100\r\n" + body)
    assert mapped.rejects or mapped.mentions


def test_a_folder_saved_as_mbox_is_mapped_mail_by_mail() -> None:
    mails = [
        letter("un", message_id="1@x"),
        letter("deux\n>From là", message_id="2@x"),
        letter("n", message_id="3@x", List_Id="<a>"),
    ]
    body = b"".join(b"From marie@client.example Mon Mar  9 08:00:00 2026\n" + mail.as_bytes() + b"\n" for mail in mails)
    mapped = mapper("mail")[0](body + b"From x Mon Mar  9 08:00:00 2026\n" + mails[0].as_bytes())
    assert [one.text for one in mapped.mentions] == ["un", "deux\nFrom là"]
    assert [(one.position, one.reason) for one in mapped.rejects] == [("mail 4", "it is there twice")]
    assert mapped.notes == ("Left out, as nobody wrote them to us: 1 newsletter.",)
    assert mapped.mentions[0].created_at.tzinfo is UTC
