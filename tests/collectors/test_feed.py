"""RSS and Atom: what an entry becomes, what is asked again, and what is refused."""

import json
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from collectors import build
from collectors.feed import Origin, connect, map_entry
from collectors.feed_document import read_feed
from collectors.markup import advertised_feeds, text_of
from domain.contracts import Collector, Cursor, Page, Watch
from domain.errors import ConfigurationError, ContractError, InputError, TransientError
from domain.mention import TEXT_LIMIT, Author, Engagement, Mention, MentionKind
from tests.collectors.local_web import LocalWeb, Reply, serving

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
FEED = "https://blog.example/feed"


def rss(
    *items: str, channel: str = "<title>Un blog</title><link>https://blog.example/</link><language>fr-FR</language>"
) -> str:
    spaces = (
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:thr="http://purl.org/syndication/thread/1.0"'
    )
    body = "".join(f"<item>{item}</item>" for item in items)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {spaces}><channel>{channel}{body}</channel></rss>'
    )


def atom(*entries: str) -> str:
    body = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title>Un blog</title>{body}</feed>'


ARTICLE = (
    "<title>Notre avis</title><link>https://blog.example/2026/03/05/avis/</link><guid isPermaLink='false'>12</guid>"
    "<pubDate>Thu, 05 Mar 2026 10:00:00 +0100</pubDate><dc:creator>Zoé</dc:creator><slash:comments>4</slash:comments>"
    "<description>court</description><content:encoded><![CDATA[<p>La poêle <b>Dune</b>&nbsp;: déçue.</p><p>Non !</p>"
    "<script>alert(1)</script>]]></content:encoded>"
)


def collector(web: LocalWeb, path: str = "/feed", now: datetime = NOW, **settings: str) -> Collector:
    return connect({"url": web.url(path), "allow_private": "yes", **settings}, now=lambda: now)


def pages(body: str | bytes, since: Cursor | None = None, watch: Watch | None = None, **settings: str) -> list[Page]:
    data = body.encode() if isinstance(body, str) else body
    with serving({"/feed": Reply(data, headers={"Content-Type": "application/rss+xml"})}) as web:
        return list(collector(web, **settings).fetch(watch or Watch(), since))


def only(body: str | bytes) -> Mention:
    [page] = pages(body)
    [mention] = page.mentions
    return mention


# -- what an entry becomes -------------------------------------------------------------------------------------------------


def test_an_article() -> None:
    with serving({"/feed": Reply(rss(ARTICLE).encode())}) as web:
        [page] = collector(web).fetch(Watch(), None)
    assert page.mentions == (
        Mention(
            network="blog",
            native_id="127.0.0.1/feed#12",
            text="La poêle Dune\xa0: déçue.\n\nNon !",
            created_at=datetime(2026, 3, 5, 9, 0, tzinfo=UTC),
            kind=MentionKind.ARTICLE,
            author=Author("Zoé", name="Zoé"),
            conversation_id="127.0.0.1/feed#12",
            title="Notre avis",
            url="https://blog.example/2026/03/05/avis/",
            lang_hint="fr",
            engagement=Engagement(reply_count=4),
        ),
    )
    json.dumps(page.mentions[0].raw)


def test_comments_belong_to_the_thread_of_their_article() -> None:
    comment = (
        "<title>Par : Tom</title><link>https://blog.example/avis/#comment-{0}</link><guid>https://blog.example/?c={0}</guid>"
        "<pubDate>Thu, 05 Mar 2026 1{0}:00:00 GMT</pubDate><dc:creator>Tom</dc:creator><description>Pareil {0}</description>"
    )
    channel = "<title>Commentaires sur : Notre avis</title><link>https://blog.example/avis/</link>"
    [page] = pages(rss(comment.format(1), comment.format(2), channel=channel))
    assert [found.kind for found in page.mentions] == [MentionKind.COMMENT] * 2
    assert {found.conversation_id for found in page.mentions} == {"https://blog.example/avis/"}
    assert len({found.native_id for found in page.mentions}) == 2


def test_an_answer_names_what_it_answers() -> None:
    item = ARTICLE + '<thr:in-reply-to ref="tag:blog.example,2026:7" href="https://blog.example/x"/>'
    mention = only(rss(item))
    assert (mention.kind, mention.parent_id) == (MentionKind.COMMENT, "tag:blog.example,2026:7")
    assert mention.conversation_id == "tag:blog.example,2026:7"


@pytest.mark.parametrize(
    ("document", "title"),
    [
        (rss("<title>Tasses &#038; bols</title><guid>a:1</guid>"), "Tasses & bols"),
        (rss("<title>Tasses &amp; bols</title><guid>a:1</guid>"), "Tasses & bols"),
        (rss("<title><![CDATA[Tasses & bols]]></title><guid>a:1</guid>"), "Tasses & bols"),
        (atom('<title type="html"><![CDATA[Tasses &#038; bols]]></title><id>a:1</id>'), "Tasses & bols"),
        (atom('<title type="html">Tasses &amp;amp; bols</title><id>a:1</id>'), "Tasses & bols"),
        (atom('<title type="html">Le tag &amp;lt;b&amp;gt;</title><id>a:1</id>'), "Le tag <b>"),
        (atom('<title type="text">5 &lt; 6 &amp;amp; 7</title><id>a:1</id>'), "5 < 6 &amp; 7"),
        (
            atom('<title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">A <b>B</b></div></title><id>a:1</id>'),
            "A B",
        ),
        (rss("<title>5 &lt; 6, non ?</title><guid>a:1</guid>"), "5 < 6, non ?"),
    ],
)
def test_references_are_resolved_once(document: str, title: str) -> None:
    assert only(document).title == title
    assert only(document).text == title  # an entry that is all title says just that


def test_ids_fall_back_to_the_link_and_then_to_the_words() -> None:
    [page] = pages(rss("<title>a</title><link>https://b.example/1</link>", "<title>b</title>", "<title>c</title>"))
    ids = [found.native_id for found in page.mentions]
    assert ids[0] == "https://b.example/1"
    assert len(set(ids)) == 3
    [again] = pages(rss("<title>c</title>", "<title>b</title>"))
    assert {len(found.native_id) for found in again.mentions} == {25}


def test_entries_that_share_an_id_stay_two_and_the_same_entry_twice_is_listed() -> None:
    items = [f"<guid>x:1</guid><title>{title}</title><link>https://b.example/{title}</link>" for title in "aab"]
    [page] = pages(rss(*items))
    assert [found.title for found in page.mentions] == ["a", "b"]
    assert len({found.native_id for found in page.mentions}) == 2
    assert [(reject.position, reject.reason) for reject in page.rejects] == [("entry 2", "it stands in the feed twice")]
    assert any("share one id" in note for note in page.notes)


def test_entries_that_say_nothing_or_too_much_are_listed() -> None:
    long = "mot " * (TEXT_LIMIT // 3)
    [page] = pages(
        rss("<link>https://b.example/1</link>", f"<title>t</title><description>{long}</description>", ARTICLE)
    )
    assert [found.title for found in page.mentions] == ["Notre avis"]
    assert [reject.position for reject in page.rejects] == ["entry 1", "entry 2"]
    assert "neither title nor text" in page.rejects[0].reason
    assert "at most 100,000" in page.rejects[1].reason
    assert all(len(reject.raw) <= 2000 for reject in page.rejects)


def test_only_links_of_the_web_are_kept() -> None:
    mention = only(atom('<title>a</title><id>a:1</id><link href="javascript:alert(1)"/>'))
    assert mention.url == ""


def test_the_mapping_leaves_the_entry_alone() -> None:
    [entry] = read_feed(rss(ARTICLE).encode(), "", FEED).entries
    before = dict(entry)
    assert map_entry(entry, Origin("blog", "blog.example/feed"), NOW) == map_entry(
        entry, Origin("blog", "blog.example/feed"), NOW
    )
    assert entry == before
    with pytest.raises(InputError, match="neither title nor text"):
        map_entry({**entry, "title": "", "text": ""}, Origin("blog", "p"), NOW)


# -- dates -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "moment"),
    [
        ("<pubDate>Thu, 05 Mar 2026 10:00:00 GMT</pubDate>", datetime(2026, 3, 5, 10, tzinfo=UTC)),
        ("<dc:date>2026-03-05T10:00:00+01:00</dc:date>", datetime(2026, 3, 5, 9, tzinfo=UTC)),
        ("<pubDate>5 mars 2026 à 10h00</pubDate>", datetime(2026, 3, 5, 9, tzinfo=UTC)),
        ("<link>https://b.example/2026/03/04/x/</link>", datetime(2026, 3, 4, 12, tzinfo=UTC)),
        ("<guid isPermaLink='false'>tag:b.example,2026-03-04:x</guid>", datetime(2026, 3, 4, 12, tzinfo=UTC)),
        ("<link>https://b.example/2026/13/45/x/</link><pubDate>bientôt</pubDate>", NOW),
        ("", NOW),
    ],
)
def test_dates(item: str, moment: datetime) -> None:
    assert only(rss(f"<title>a</title>{item}")).created_at == moment


def test_an_entry_without_a_date_keeps_the_moment_of_its_first_reading() -> None:
    bodies = [rss("<title>a</title>"), rss("<title>b</title>", "<title>a</title>"), rss("<title>b</title>")]
    cursor: Cursor | None = None
    seen: dict[str, set[datetime]] = {}
    with serving({"/feed": lambda _: Reply(bodies.pop(0).encode())}) as web:
        for hour in range(3):
            [page] = collector(web, now=NOW + timedelta(hours=hour)).fetch(Watch(), cursor)
            cursor = page.cursor
            assert any("without a date: dated when first read" in note for note in page.notes)
            for found in page.mentions:
                seen.setdefault(found.title, set()).add(found.created_at)
    assert seen == {"a": {NOW}, "b": {NOW + timedelta(hours=1)}}


# -- asking again ----------------------------------------------------------------------------------------------------------


def test_what_has_not_changed_gives_no_page() -> None:
    def feed(headers: Mapping[str, str]) -> Reply:
        if headers.get("if-none-match") == '"1"':
            return Reply(b"", 304)
        return Reply(rss(ARTICLE).encode(), headers={"ETag": '"1"', "Last-Modified": "Thu, 05 Mar 2026 10:00:00 GMT"})

    with serving({"/feed": feed, "/plain": Reply(rss(ARTICLE).encode())}) as web:
        [page] = collector(web).fetch(Watch(), None)
        assert list(collector(web).fetch(Watch(), page.cursor)) == []
        assert web.requests[-1][1]["if-modified-since"] == "Thu, 05 Mar 2026 10:00:00 GMT"
        [plain] = collector(web, "/plain").fetch(Watch(), None)
        assert list(collector(web, "/plain").fetch(Watch(), plain.cursor)) == []
        assert "if-none-match" not in web.requests[-1][1]


def test_late_and_edited_entries_are_heard() -> None:
    first = pages(rss(ARTICLE))[0]
    late = "<title>Ancien</title><guid>b:1</guid><pubDate>Mon, 05 Jan 2026 10:00:00 GMT</pubDate>"
    bodies = [rss(ARTICLE), rss(ARTICLE.replace("déçue", "ravie"), late)]
    with serving({"/feed": lambda _: Reply(bodies.pop(0).encode())}) as web:
        [first] = collector(web).fetch(Watch(), None)
        [second] = collector(web).fetch(Watch(), first.cursor)
    assert second.mentions[0].id == first.mentions[0].id
    assert "ravie" in second.mentions[0].text
    assert second.mentions[1].title == "Ancien"


def test_validators_of_another_address_or_watch_are_not_sent() -> None:
    feed = Reply(rss(ARTICLE).encode(), headers={"ETag": '"1"'})
    with serving({"/feed": feed, "/other": feed}) as web:
        [page] = collector(web).fetch(Watch(), None)
        list(collector(web, "/other").fetch(Watch(), page.cursor))
        assert "if-none-match" not in web.requests[-1][1]
        list(collector(web).fetch(Watch(terms=("Dune",)), page.cursor))
        assert "if-none-match" not in web.requests[-1][1]


@pytest.mark.parametrize("odd", ["", "garbage", "[]", '{"source": 1}', '{"at": 3}', "null"])
def test_a_cursor_of_another_make_reads_everything(odd: str) -> None:
    assert len(pages(rss(ARTICLE), Cursor(odd))[0].mentions) == 1


def test_a_check_and_the_fetch_after_it_ask_once() -> None:
    with serving({"/feed": Reply(rss(ARTICLE).encode())}) as web:
        reader = collector(web)
        reader.check()
        assert len(list(reader.fetch(Watch(), None))) == 1
        assert len(web.requests) == 1
        list(reader.fetch(Watch(), None))
        assert len(web.requests) == 2


def test_only_articles_that_name_the_brand_are_heard_but_all_comments() -> None:
    items = [
        "<title>Les poêles d’ORMELUNE</title><guid>a:1</guid>",
        "<title>Formelunette</title><guid>a:2</guid>",
        "<title>Merci</title><guid>a:3</guid><description>à @ormelune !</description>",
    ]
    watch = Watch(terms=("Ormelûne",), accounts=("@ormelune",))
    [page] = pages(rss(*items), watch=watch)
    assert [found.title for found in page.mentions] == ["Les poêles d’ORMELUNE", "Merci"]
    assert "1 article left out: none of the words watched is in there." in page.notes
    [comments] = pages(rss(*items, channel="<title>Comments on: us</title>"), watch=watch)
    assert len(comments.mentions) == 3


def test_the_expression_of_a_watch_is_heard_too_and_a_new_one_reads_everything_again() -> None:
    items = [
        "<title>Les poêles d’ORMELUNE</title><guid>a:1</guid>",
        "<title>Concours Ormelune</title><guid>a:2</guid>",
        "<title>Un bon de reduction</title><guid>a:3</guid>",
    ]
    query = Watch(query='ormelune SAUF concours OU "bon de réduction"')
    [page] = pages(rss(*items), watch=query)
    assert [found.title for found in page.mentions] == ["Les poêles d’ORMELUNE", "Un bon de reduction"]
    both = Watch(terms=("concours",), query='"bon de réduction"')
    [more] = pages(rss(*items), watch=both)
    assert [found.title for found in more.mentions] == ["Concours Ormelune", "Un bon de reduction"]
    with serving({"/feed": Reply(rss(*items).encode())}) as web:
        [first] = collector(web).fetch(query, None)
        assert list(collector(web).fetch(query, first.cursor)) == []
        [again] = collector(web).fetch(Watch(query="concours"), first.cursor)
        assert [found.title for found in again.mentions] == ["Concours Ormelune"]


def test_a_move_for_good_is_told() -> None:
    with serving({"/old": Reply(b"", 301, {"Location": "/feed"}), "/feed": Reply(rss(ARTICLE).encode())}) as web:
        [page] = collector(web, "/old").fetch(Watch(), None)
        assert page.notes == (f"The feed has moved for good. Change its address to {web.url('/feed')}",)


# -- what is not a feed ----------------------------------------------------------------------------------------------------

HTML = """<!DOCTYPE html>
<html><head><title>Blog</title>
<link rel="stylesheet" href="/style.css"><link rel="alternate" type="application/rss+xml" href="/feed?a=1&amp;b=2">
<link href='https://blog.example/atom' type="application/atom+xml" rel="alternate" title="x > y">
<link rel="alternate" hreflang="en" href="/en"><link rel="alternate" type="application/rss+xml" href="javascript:x">
</head><body><link rel="alternate" type="application/rss+xml" href="/in-body"><p>Bonjour</p></body></html>"""


def test_a_web_page_names_the_feeds_that_it_advertises() -> None:
    with serving({"/feed": Reply(HTML.encode(), headers={"Content-Type": "text/html"})}) as web:
        words = f"is a web page, not a feed. It advertises: {web.url('/feed?a=1&b=2')}, https://blog.example/atom."
        with pytest.raises(ContractError) as caught:
            list(collector(web).fetch(Watch(), None))
        assert words in str(caught.value)
        with pytest.raises(ConfigurationError) as told:
            collector(web).check()
        assert words in str(told.value)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("<html><body>rien</body></html>", "It advertises no feed"),
        ('<?xml version="1.0"?><!-- x --><!DOCTYPE html PUBLIC "x"><html xmlns="y"/>', "is a web page"),
        ('{"version": "https://jsonfeed.org/version/1"}', "neither RSS nor Atom"),
        ("<opml><body/></opml>", "neither RSS nor Atom"),
        ("", "neither RSS nor Atom"),
        ("\x00\x01\x02PNG", "neither RSS nor Atom"),
    ],
)
def test_what_is_no_feed_is_named(body: str, words: str) -> None:
    with pytest.raises(ContractError, match=words):
        pages(body)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "/etc/passwd", "ftp://x/y", "", "blog.example/feed"])
def test_addresses_outside_the_web_are_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError):
        build("feed", {"url": url})


def test_this_machine_is_out_of_reach_unless_allowed() -> None:
    with serving({"/feed": Reply(rss(ARTICLE).encode())}) as web:
        closed = build("feed", {"url": web.url("/feed")})
        for ask in (closed.check, lambda: list(closed.fetch(Watch(), None))):
            with pytest.raises(ConfigurationError, match="allow_private"):
                ask()
        assert web.requests == []


def test_a_server_out_of_order_is_asked_later() -> None:
    with serving({"/feed": Reply(b"", 503, {"Retry-After": "60"})}) as web:
        reader = collector(web)
        for ask in (reader.check, lambda: list(reader.fetch(Watch(), None))):
            with pytest.raises(TransientError) as caught:
                ask()
            assert caught.value.retry_after == timedelta(minutes=1)


# -- sloppy and hostile feeds ----------------------------------------------------------------------------------------------


def test_what_a_broken_feed_still_says_is_kept() -> None:
    torn = rss(ARTICLE, "<title>b & c</title><guid>b:1</guid>")[:-20]
    [page] = pages(torn)
    assert [found.title for found in page.mentions] == ["Notre avis", "b & c"]
    assert any("not well-formed" in note for note in page.notes)


@pytest.mark.parametrize(
    ("body", "title"),
    [
        (rss("<title>déçue</title><guid>a:1</guid>").encode(), "déçue"),
        (b"\xef\xbb\xbf" + rss("<title>déçue</title><guid>a:1</guid>").encode(), "déçue"),
        (rss("<title>déçue</title><guid>a:1</guid>").replace("UTF-8", "iso-8859-1").encode(), "déçue"),
        (
            rss("<title>déçue 12 €</title><guid>a:1</guid>").replace("UTF-8", "iso-8859-1").encode("cp1252"),
            "déçue 12 €",
        ),
        (rss("<title>déçue</title><guid>a:1</guid>").encode("cp1252"), "déçue"),
        (rss("<title>déçue</title><guid>a:1</guid>").encode("utf-16"), "déçue"),
        (rss("<title>déçue</title><guid>a:1</guid>").encode("utf-16-le"), "déçue"),
        (
            rss("<title>が来ない</title><guid>a:1</guid>").replace("UTF-8", "iso-2022-jp").encode("iso-2022-jp"),
            "が来ない",
        ),
        (rss("<title>привет</title><guid>a:1</guid>").replace("UTF-8", "koi8-r").encode("koi8-r"), "привет"),
        (rss("<title>a\x08&#xd83d;&#99999999999;b</title><guid>a:1</guid>").encode(), "a��b"),
        (b"<br><b>Warning</b>: x in y\n" + rss("<title>ok</title><guid>a:1</guid>").encode(), "ok"),
    ],
)
def test_encodings_and_junk(body: bytes, title: str) -> None:
    assert only(body).title == title


LINED = "".join(f'\n<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
NESTED = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
HOSTILE = {
    "entities within entities": f'<!DOCTYPE x [<!ENTITY a0 "ha">{NESTED}]><rss><channel><title>&a9;</title></channel></rss>',
    "the same in many lines": f'<!DOCTYPE x [\n<!ENTITY a0 "ha">{LINED}\n]>\n<rss><channel/></rss>',
    "one long entity, often": f'<!DOCTYPE x [<!ENTITY a "{"a" * 90_000}">]><rss><channel>{"&a;" * 90_000}</channel></rss>',
    "parameter entities": "<!DOCTYPE x [<!ENTITY % a \"<!ENTITY b 'c'>\"> %a;]><rss><channel/></rss>",
    "behind a comment": f'<!-- <rss> --><!DOCTYPE x [<!ENTITY a0 "ha">{NESTED}]><rss><channel/></rss>',
    "half an entity": '<!DOCTYPE x [<!ENTITY a "b" NDATA >]><rss><channel/></rss>',
    "in no document type": '<!ENTITY a "bb">\n<rss><channel/></rss>',
    "deep": "<rss><channel>" + "<a>" * 300_000,
    "deep, with bases": "<rss><channel>" + '<a xml:base="b/">' * 500_000,
    "hidden in quotes": "<rss><channel>" + '<a b=\'"\' c="/>">' * 300_000,
    "many elements": "<rss><channel>" + "<item/>" * 300_000 + "</channel></rss>",
    "many attributes": "<rss><channel><item " + " ".join(f'a{n}="b"' for n in range(200_000)) + "/></channel></rss>",
    "many namespaces": "<rss>" + "".join(f'<a xmlns:b{n}="c"/>' for n in range(20_000)) + "</rss>",
    "a long author": rss(f"<author>{'a' * 2_000_000}</author>"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_hostile_feeds_are_refused_in_little_memory(name: str, encoding: str) -> None:
    body = HOSTILE[name].encode(encoding)
    tracemalloc.start()
    try:
        with pytest.raises(ContractError, match="not read"):
            read_feed(body, "", FEED)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 12 * max(len(body), 1_000_000)


def test_entities_of_one_character_are_understood_and_files_are_not_read() -> None:
    kind = '<!DOCTYPE rss [<!ENTITY nbsp "&#160;"> <!ENTITY eacute "é"> <!ENTITY file SYSTEM "file:///etc/passwd">]>'
    plain = kind + rss("<title>d&eacute;&nbsp;!</title><guid>a:1</guid>").partition("\n")[2]
    assert only(plain).title == "dé !"
    reading = kind + rss("<title>x &file;</title><guid>a:1</guid>").partition("\n")[2]
    assert only(reading).title == "x &file;"


def test_many_labels_take_no_time() -> None:
    labels = "".join(f"<category>mot {number}</category>" for number in range(20_000))
    words = ",".join(str(number) for number in range(100_000))
    podcast = f'<i:keywords xmlns:i="http://www.itunes.com/dtds/podcast-1.0.dtd">{words}</i:keywords>'
    assert only(rss(ARTICLE + labels + podcast)).title == "Notre avis"


# -- markup ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<p>a</p>\n\n<p>b</p>", "a\n\nb"),
        ("<ul><li>a<li>b</ul>", "a\nb"),
        ("<td>a</td><td>b</td>", "a b"),
        ('<a title="x > y" href=\'"\'>lien</a>', "lien"),
        ("5 < 6 et 7 > 2", "5 < 6 et 7 > 2"),
        ("I <3 Lille", "I <3 Lille"),
        ("a<script>if (1 < 2) { '</p>' }</script>b", "ab"),
        ("a<style>p > b {}</style>b<!-- c <b> -->c", "abc"),
        ("&lt;b&gt; &amp;amp; &eacute; &#233;", "<b> &amp; é é"),
        ("<![CDATA[a &amp; b]]>", "a & b"),
        ("a <b unclosed", "a"),
        ("", ""),
    ],
)
def test_text_of_markup(markup: str, text: str) -> None:
    assert text_of(markup) == text


@pytest.mark.parametrize(
    "piece", ["<!--", "<a ", '<a b="', "<", "<![CDATA[", "<script>", "&#", "<a b='\" ", "</", "<?", "<!"]
)
def test_markup_takes_time_in_proportion(piece: str) -> None:
    # With time growing as the square, this would take hours.
    assert isinstance(text_of(piece * 100_000), str)
    assert advertised_feeds(f"<link {piece * 100_000}", FEED) == []
