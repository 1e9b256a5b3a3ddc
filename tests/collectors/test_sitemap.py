"""The retailer's own site: which pages are read when, what they say, and what is refused in little memory."""

import gzip
import json
import tracemalloc
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from collectors import build
from collectors.sitemap import SitemapCollector, connect
from collectors.sitemap_document import MAX_ADDRESSES, Listed, read_sitemap, unpacked
from collectors.sitemap_map import map_document, map_page
from collectors.sitemap_page import read_page
from collectors.sitemap_place import MAX_TRIES
from collectors.sitemap_robots import read_robots
from domain.contracts import CanReply, Cursor, Page, Watch
from domain.errors import ConfigurationError, ContractError, TransientError
from domain.mention import Mention, MentionKind
from tests.collectors.local_web import LocalWeb, Reply, serving

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)
SHOP = "https://shop.example/p/1"
Routes = dict[str, Any]


def review(text: str = "Très belle poêle", **fields: Any) -> dict[str, Any]:
    values = {
        "@type": "Review",
        "reviewBody": text,
        "author": {"@type": "Person", "name": "Léa"},
        "datePublished": "2026-03-05",
    }
    return {**values, "reviewRating": {"@type": "Rating", "ratingValue": "4"}, **fields}


def product(*reviews: Any) -> dict[str, Any]:
    values = {"@context": "https://schema.org", "@type": "Product", "name": "Poêle Dune", "sku": "DUNE-28"}
    return {**values, "review": list(reviews)}


def page(*blocks: Any) -> bytes:
    written = [one if isinstance(one, str) else json.dumps(one) for one in blocks]
    scripts = "".join(f'<script type="application/ld+json">{one}</script>' for one in written)
    return f"<!DOCTYPE html><html lang='fr'><head>{scripts}</head><body><p>Bonjour</p></body></html>".encode()


def sitemap(*entries: tuple[str, str], root: str = "urlset", item: str = "url") -> bytes:
    items = "".join(
        f"<{item}><loc>{url}</loc>{f'<lastmod>{at}</lastmod>' if at else ''}</{item}>" for url, at in entries
    )
    return f'<?xml version="1.0" encoding="UTF-8"?><{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{items}</{root}>'.encode()


def collector(web: LocalWeb, now: datetime = NOW, path: str = "", **settings: str) -> SitemapCollector:
    made = connect({"url": web.url(path), "allow_private": "yes", **settings}, now=lambda: now)
    assert isinstance(made, SitemapCollector)
    return made


def read(web: LocalWeb, since: Cursor | None = None, **options: Any) -> tuple[list[Mention], Cursor | None, list[Page]]:
    pages = list(collector(web, **options).fetch(Watch(), since))
    return [one for found in pages for one in found.mentions], (pages[-1].cursor if pages else since), pages


def asked(web: LocalWeb) -> list[str]:
    return [path for path, _ in web.requests]


def site(web_routes: Mapping[str, Any]) -> Any:
    return serving({name: Reply(one) if isinstance(one, bytes) else one for name, one in web_routes.items()})


# -- what a page says --------------------------------------------------------------------------------------------------------


def said(*blocks: Any, url: str = SHOP, **options: Any) -> tuple[list[Mention], list[str]]:
    given = {"network": "reviews", "own_names": frozenset({"ormelune"}), "fallback_at": NOW, **options}
    mentions, rejects, _ = map_page(read_page(page(*blocks)), url, **given)
    return mentions, [reject.reason for reject in rejects]


def test_a_review_of_a_product() -> None:
    [mention], rejects = said(product(review(name="Ravie", url="https://shop.example/p/1#avis-7", inLanguage="fr-FR")))
    assert rejects == [] and mention.kind is MentionKind.REVIEW and mention.network == "reviews"
    assert (mention.text, mention.title, mention.rating, mention.product) == ("Très belle poêle", "Ravie", 4, "DUNE-28")
    assert mention.created_at == datetime(2026, 3, 5, 12, tzinfo=UTC) and mention.lang_hint == "fr"
    assert mention.native_id == mention.conversation_id == mention.url == "https://shop.example/p/1#avis-7"
    assert mention.author and mention.author.name == "Léa"
    json.dumps(mention.raw)


@pytest.mark.parametrize(
    ("rating", "stars"),
    [
        ({"ratingValue": 5}, 5),
        ({"ratingValue": "4,5"}, 5),
        ({"ratingValue": 8, "bestRating": 10}, 4),
        ({"ratingValue": "85", "bestRating": "100"}, 4),
        ({"ratingValue": "80%"}, 4),
        ({"ratingValue": "8/10"}, 4),
        ([{"ratingValue": 3}], 3),
        ("2", 2),
        (4, 4),
        ({"ratingValue": 0}, None),
        ({"ratingValue": "beau"}, None),
        ({"ratingValue": 7}, None),
        ({"ratingValue": {"a": 1}, "bestRating": []}, None),
        (True, None),
        (None, None),
    ],
)
def test_stars(rating: Any, stars: int | None) -> None:
    assert said(review(reviewRating=rating))[0][0].rating == stars


def test_a_rating_without_words_is_heard_and_nothing_at_all_is_listed() -> None:
    mentions, rejects = said(review(""), review("", reviewRating=None))
    assert [one.title for one in mentions] == ["★★★★☆"] and rejects == ["it says nothing"]


def test_a_question_with_answers_and_a_review_with_ours_are_threads() -> None:
    question = {
        "@type": "Question", "name": "Va-t-elle au four ?", "dateCreated": "2026-03-01T09:00:00+01:00", "author": "Tom",
        "answerCount": 2,
        "acceptedAnswer": {"@type": "Answer", "text": "Oui, 220 °C.", "author": {"@type": "Organization", "name": "Ormelune"}},
        "suggestedAnswer": [{"@type": "Answer", "text": "<p>La mienne oui</p>", "author": {"name": "Zoé"}, "upvoteCount": 3}],
    }  # fmt: skip
    answered = review("Déçue", comment={"@type": "Comment", "text": "Désolés !", "creator": {"name": "ORMELUNE"}})
    mentions, rejects = said(
        {"@context": "x", "@graph": [{"@type": "QAPage", "mainEntity": question}, product(answered)]}
    )
    assert rejects == [] and len(mentions) == 5
    asked_, official, other, review_, ours = mentions
    assert (asked_.text, asked_.title, asked_.kind) == ("Va-t-elle au four ?", "", MentionKind.COMMENT)
    assert asked_.created_at == datetime(2026, 3, 1, 8, tzinfo=UTC) and asked_.engagement.reply_count == 2
    assert {official.parent_id, other.parent_id, official.conversation_id, other.conversation_id} == {asked_.native_id}
    assert (
        official.outbound and not other.outbound and other.text == "La mienne oui" and other.engagement.like_count == 3
    )
    assert (ours.parent_id, ours.conversation_id, ours.outbound) == (review_.native_id, review_.native_id, True)


def test_a_first_name_is_no_account_but_a_page_of_ones_own_is() -> None:
    mentions, _ = said(
        review("a"), review("b"), review("c", author={"name": "Léa", "url": "https://shop.example/u/lea"})
    )
    assert len({one.author.native_id for one in mentions if one.author}) == 3
    assert mentions[2].author and mentions[2].author.native_id == "https://shop.example/u/lea"


def test_the_same_review_in_two_blocks_and_on_two_addresses_of_a_page_is_one() -> None:
    mentions, _ = said(product(review()), review())
    assert len(mentions) == 1
    plain = map_page(read_page(page(review())), SHOP, network="reviews", own_names=frozenset(), fallback_at=NOW)[0]
    canonical = page(review()).replace(b"<head>", b"<head><link href='/p/1' rel=canonical>")
    other = map_page(read_page(canonical), f"{SHOP}?utm=x", network="reviews", own_names=frozenset(), fallback_at=NOW)[
        0
    ]
    assert plain[0].native_id == other[0].native_id and other[0].url == SHOP


def test_reviews_of_a_shop_name_it() -> None:
    store = {"@type": ["Store", "LocalBusiness"], "name": "Lyon", "branchCode": "LY1", "review": review()}
    assert said(store)[0][0].store == "LY1"
    alone = review(itemReviewed={"@type": "schema:Product", "name": "Bol"})
    assert said(alone)[0][0].product == "Bol"


ODD = {
    "no JSON": "{oops",
    "a number": "3",
    "empty": "",
    "in a comment": "<!-- " + json.dumps(review()) + " -->",
    "with references": json.dumps(review()).replace('"', "&quot;"),
    "a control character": '{"@type": "Review", "reviewBody": "a\nb", "author": "x"}',
    "a list of lists": json.dumps([[[review()]]]),
    "types of all sorts": json.dumps(
        {"@type": [3, None, {"a": 1}, "Review"], "reviewBody": "ok", "author": [None, {"name": 4}]}
    ),
    "wrong shapes": json.dumps(
        review(author=3, datePublished=20260305, url={"a": 1}, reviewRating=[[]], inLanguage=["fr"])
    ),
    "half a surrogate": '{"@type": "Review", "reviewBody": "\\ud83d oui", "author": "x"}',
    "a script address": json.dumps(
        review(url="javascript:alert(1)", author={"name": "x", "url": "javascript:alert(1)"})
    ),
    "a date of no calendar": json.dumps(review(datePublished="2026-13-45")),
    "a date before all dates": json.dumps(review(datePublished="0001-01-01T00:00:00+14:00")),
    "deep": '{"a":' * 5_000 + "1" + "}" * 5_000,
    "deep lists": "[" * 200_000,
    "a name only": json.dumps({"@type": "Review", "@id": "#r1"}),
    "a very long text": json.dumps(review("mot " * 100_000)),
}


@pytest.mark.parametrize("name", ODD)
def test_blocks_of_any_shape_are_mapped_or_listed(name: str) -> None:
    mentions, rejects = said(ODD[name], product(review("toujours là")))
    assert "toujours là" in {one.text for one in mentions}
    assert all(reasons for reasons in rejects)
    for one in mentions:
        f"{one.text}{one.title}{one.native_id}{one.author}".encode()
        assert one.url.startswith("https://") and one.created_at.utcoffset() == timedelta()
        json.dumps(one.raw, allow_nan=False)


def test_pages_that_are_made_to_be_slow_or_large_take_time_in_proportion() -> None:
    for piece in ("<script", '<script type="application/ld+json">', "<link rel=canonical ", "<html lang", "</script"):
        assert read_page((piece * 100_000).encode()).nodes == ()
    short = [{"@type": "Answer", "text": str(number), "x": 1} for number in range(13_000)]
    many = read_page(page(short, short))
    assert len(many.nodes) <= 20_000 and "more than 20,000" in many.faults[-1][1]


def test_saved_pages_and_bodies_are_mapped() -> None:
    assert [one.text for one in map_document(json.dumps(product(review())).encode()).mentions] == ["Très belle poêle"]
    mapped = map_document(page(review(datePublished="")))
    assert len(mapped.mentions) == 1 and mapped.notes == ("1 utterance without a date: dated now.",)
    assert "says nothing in schema.org" in map_document(b"<html><p>Bonjour</p></html>").notes[0]
    assert map_document(b"").mentions == () and map_document(bytes(range(256))).mentions == ()


# -- sitemaps ----------------------------------------------------------------------------------------------------------------


def test_a_sitemap_is_read_whatever_stands_in_it() -> None:
    body = (
        b'<!DOCTYPE x [<!ENTITY a "&b;&b;"><!ENTITY b SYSTEM "file:///etc/passwd">]><sm:urlset xmlns:sm="x" xmlns:image="y">'
        b"<!-- <sm:url><sm:loc>https://shop.example/no</sm:loc></sm:url> -->"
        b"<sm:url><sm:loc> https://shop.example/?a=1&amp;b=2 </sm:loc><image:image><image:loc>https://x.example/i.png"
        b"</image:loc></image:image><sm:lastmod>2026-03-05T10:00:00+01:00</sm:lastmod></sm:url>"
        b"<sm:url><sm:loc><![CDATA[https://shop.example/c]]></sm:loc><sm:lastmod>2026-03-05</sm:lastmod></sm:url>"
        b"<sm:url><sm:loc>javascript:alert(1)</sm:loc></sm:url><sm:url><sm:loc>https://shop.example/&a;</sm:loc>"
        b"<sm:lastmod>hier</sm:lastmod></sm:url></sm:urlset>"
    )
    document = read_sitemap(body, "s")
    assert document.listed == (
        Listed("https://shop.example/?a=1&b=2", datetime(2026, 3, 5, 9, tzinfo=UTC)),
        Listed("https://shop.example/c", datetime(2026, 3, 5, 23, 59, 59, tzinfo=UTC)),
        Listed("https://shop.example/&a;", None),
    )
    assert document.left_out == 1 and not document.is_index
    assert read_sitemap(gzip.compress(body), "s") == document
    assert (
        read_sitemap(sitemap(("https://a.example", "")).decode().encode("utf-16"), "s").listed[0].url
        == "https://a.example"
    )


def test_more_addresses_than_allowed_are_not_read() -> None:
    document = read_sitemap(sitemap(*[(f"https://a.example/{number}", "") for number in range(MAX_ADDRESSES + 5)]), "s")
    assert len(document.listed) == MAX_ADDRESSES and document.shortened


TORN = gzip.compress(b"<urlset>" * 99, mtime=0)[:-20]  # without the time: two workers must name one test alike


@pytest.mark.parametrize("body", [b"", b"<html><body/></html>", b"<rss/>", b"\x1f\x8bnonsense", TORN])
def test_what_is_no_sitemap_is_named(body: bytes) -> None:
    with pytest.raises(ContractError):
        read_sitemap(body, "https://shop.example/sitemap.xml")


@pytest.mark.parametrize(
    "piece", [b"<url><loc>", b"<!--", b"<url", b"<urlset>", b"<loc></loc><lastmod>", b"<!-- --><url>"]
)
def test_reading_takes_time_in_proportion(piece: bytes) -> None:
    assert read_sitemap(b"<urlset>" + piece * 200_000, "s").listed == ()


def peak_of(work: Any, error: type[Exception], match: str) -> int:
    tracemalloc.start()
    try:
        with pytest.raises(error, match=match):
            work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def zeros(megabytes: int) -> bytes:
    """So many megabytes of zeros, packed."""
    packer = __import__("zlib").compressobj(9, 8, 31)
    return b"".join([*(packer.compress(bytes(2**20)) for _ in range(megabytes)), packer.flush()])


BOMB = zeros(300)


def test_a_zip_bomb_is_refused_before_it_fills_the_memory() -> None:
    assert len(BOMB) < 400_000
    assert peak_of(lambda: unpacked(BOMB, "s"), ContractError, "more than 50 MB") < 120 * 2**20
    bombs = {
        "/sitemap.xml.gz": Reply(BOMB),  # a file
        "/packed.xml": Reply(BOMB, headers={"Content-Encoding": "gzip"}),  # an answer
    }
    with serving(bombs) as web:
        for path in bombs:
            work = lambda path=path: list(collector(web, path=path).fetch(Watch(), None))  # noqa: E731
            assert peak_of(work, ContractError, "50 MB") < 120 * 2**20


def test_a_page_of_300_megabytes_is_refused_and_the_next_one_read() -> None:
    huge = Reply(pieces=tuple([b"x" * 2**20] * 300))
    routes: Routes = {"/p/1": huge, "/p/2": page(review()), "/bomb": Reply(BOMB, headers={"Content-Encoding": "gzip"})}
    with site(routes) as web:
        entries = [(web.url(path), "2026-03-01") for path in ("/bomb", "/p/1", "/p/2")]
        web.routes["/sitemap.xml"] = lambda _: Reply(sitemap(*entries))
        tracemalloc.start()
        mentions, _, pages = read(web)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert [one.text for one in mentions] == ["Très belle poêle"] and peak < 60 * 2**20
    rejects = [reject for found in pages for reject in found.rejects]
    assert len(rejects) == 2 and all("larger than 5 MB" in reject.reason for reject in rejects)


# -- robots.txt --------------------------------------------------------------------------------------------------------------

ROBOTS = b"""User-agent: *
Disallow: /
# for us
User-agent: other
User-Agent: Comptoir/1.0
Disallow: /panier
Disallow: /*?tri=
Disallow: /*.pdf$
Allow: /panier/aide
Disallow: /caf%C3%A9
Disallow:
Sitemap: https://shop.example/s1.xml
"""


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", True),
        ("/panier", False),
        ("/panier/1", False),
        ("/panier/aide/x", True),
        ("/p?tri=prix", False),
        ("/a.pdf", False),
        ("/a.pdf?x", True),
        ("/café", False),
        ("/caf%c3%a9", False),
    ],
)
def test_robots(path: str, allowed: bool) -> None:
    robots = read_robots(ROBOTS)
    assert robots.allows(f"https://shop.example{path}") is allowed
    assert robots.sitemaps == ("https://shop.example/s1.xml",)


def test_robots_of_any_shape() -> None:
    assert not read_robots(b"User-agent: *\nDisallow: /").allows("https://a.example/x")
    assert read_robots(b"\xff\xfe nonsense\nDisallow: /").allows("https://a.example/x")
    evil = read_robots(b"User-agent: *\n" + b"Disallow: /" + b"*a" * 5_000 + b"$\n" + b"Disallow: /x\n" * 50_000)
    assert not evil.allows("https://a.example/x" + "a" * 2_000)
    assert evil.allows("https://a.example/" + "b" * 2_000)


# -- which pages are read when -----------------------------------------------------------------------------------------------


def routes_of(web: LocalWeb, *entries: tuple[str, str]) -> None:
    web.routes["/sitemap.xml"] = lambda _: Reply(sitemap(*((web.url(path), at) for path, at in entries)))


PAGES: Routes = {f"/p/{number}": page(product(review(f"avis {number}"))) for number in range(6)}


def test_changed_pages_are_read_once_oldest_first_and_again_when_they_change() -> None:
    with site(PAGES) as web:
        routes_of(web, ("/p/2", "2026-03-03"), ("/p/1", "2026-03-01"), ("/p/3", "2026-03-03T10:00:00Z"))
        mentions, cursor, _ = read(web)
        assert [one.text for one in mentions] == ["avis 1", "avis 3", "avis 2"]
        assert read(web, cursor) == ([], cursor, [])
        routes_of(web, ("/p/2", "2026-03-03"), ("/p/1", "2026-03-09"), ("/p/3", "2026-03-03T10:00:00Z"))
        mentions, cursor, _ = read(web, cursor)
        assert [one.text for one in mentions] == ["avis 1"]


def test_each_run_reads_so_many_pages_and_the_next_one_goes_on() -> None:
    with site(PAGES) as web:
        routes_of(web, *((f"/p/{number}", f"2026-03-0{1 + number}") for number in range(6)))
        cursor, heard = None, []
        for _ in range(4):
            mentions, cursor, _ = read(web, cursor, pages="2")
            heard.append([one.text for one in mentions])
        assert heard == [["avis 0", "avis 1"], ["avis 2", "avis 3"], ["avis 4", "avis 5"], []]


def test_a_run_that_dies_at_any_page_is_continued() -> None:
    with site(PAGES) as web:
        routes_of(
            web, ("/p/0", ""), ("/p/1", "2026-03-01"), ("/p/2", "2026-03-01"), ("/p/3", ""), ("/p/4", "2026-03-02")
        )
        for dies_after in range(6):
            kept = list(islice(collector(web).fetch(Watch(), None), dies_after))
            rest, _, _ = read(web, next((one.cursor for one in reversed(kept) if one.cursor), None))
            texts = [one.text for found in kept for one in found.mentions] + [one.text for one in rest]
            assert sorted(texts) == [f"avis {number}" for number in range(5)], dies_after


def test_pages_without_a_date_or_with_one_to_come_go_round_once_a_day() -> None:
    with site(PAGES) as web:
        routes_of(web, ("/p/0", ""), ("/p/1", "2099-01-01"), ("/p/2", "2026-03-10"), ("/p/3", "bientôt"))
        mentions, cursor, _ = read(web, pages="3")
        assert [one.text for one in mentions] == ["avis 0", "avis 1", "avis 2"]
        mentions, cursor, _ = read(web, cursor, pages="3")
        assert [one.text for one in mentions] == ["avis 3"]
        assert read(web, cursor, pages="3", now=NOW + timedelta(hours=2)) == ([], cursor, [])
        mentions, cursor, _ = read(web, cursor, now=NOW + timedelta(hours=25))
        assert sorted(one.text for one in mentions) == ["avis 0", "avis 1", "avis 2", "avis 3"]
        routes_of(web, ("/p/4", "2026-03-11T01:00:00Z"))  # and nobody's wrong clock hides what changes later
        assert [one.text for one in read(web, cursor, now=NOW + timedelta(hours=26))[0]] == ["avis 4"]


def test_indexes_are_followed_without_running_in_circles() -> None:
    with site(PAGES) as web:
        children = [web.url(path) for path in ("/sitemap.xml", "/a.xml", "/b.xml.gz", "/a.xml")]
        foreign = "https://elsewhere.example/s.xml"
        index = sitemap(*((url, "") for url in [*children, foreign]), root="sitemapindex", item="sitemap")
        web.routes["/sitemap.xml"] = lambda _: Reply(index)
        web.routes["/a.xml"] = lambda _: Reply(sitemap((web.url("/p/1"), ""), ("https://elsewhere.example/p", "")))
        web.routes["/b.xml.gz"] = lambda _: Reply(gzip.compress(sitemap((web.url("/p/2"), ""))))
        mentions, _, pages = read(web)
        assert [one.text for one in mentions] == ["avis 1", "avis 2"]
        assert asked(web).count("/a.xml") == 1 and asked(web).count("/sitemap.xml") == 1
        assert "2 addresses of other sites in the sitemap: not read." in pages[0].notes


def test_an_index_says_which_sitemaps_need_not_be_read_again() -> None:
    with site(PAGES) as web:
        entries = [(web.url("/old.xml"), "2026-01-01"), (web.url("/new.xml"), "2026-03-09")]
        web.routes["/sitemap.xml"] = lambda _: Reply(sitemap(*entries, root="sitemapindex", item="sitemap"))
        web.routes["/old.xml"] = lambda _: Reply(sitemap((web.url("/p/1"), "2026-01-01")))
        web.routes["/new.xml"] = lambda _: Reply(sitemap((web.url("/p/2"), "2026-03-09")))
        _, cursor, _ = read(web)
        web.requests.clear()
        read(web, cursor)
        assert "/new.xml" in asked(web) and "/old.xml" not in asked(web)


def test_robots_is_honoured_and_names_the_sitemaps() -> None:
    with site(PAGES) as web:
        robots = f"User-agent: comptoir\nDisallow: /p/2\nSitemap: {web.url('/mine.xml')}\nSitemap: https://other.example/s.xml"
        web.routes["/robots.txt"] = lambda _: Reply(robots.encode())
        web.routes["/mine.xml"] = lambda _: Reply(sitemap((web.url("/p/1"), ""), (web.url("/p/2"), "")))
        mentions, _, pages = read(web)
        assert [one.text for one in mentions] == ["avis 1"] and "/p/2" not in asked(web)
        assert any("robots.txt turns us away from 1 page." in note for one in pages for note in one.notes)
        web.routes["/robots.txt"] = lambda _: Reply(b"", 503)
        with pytest.raises(TransientError):
            read(web)
        routes_of(web, ("/p/1", ""))
        web.routes["/robots.txt"] = lambda _: Reply(b"User-agent: *\nDisallow: /")
        with pytest.raises(ConfigurationError, match="may be read"):
            collector(web).check()


def test_only_the_pages_asked_for_are_read() -> None:
    with site({**PAGES, "/produits/1": page(review("le seul"))}) as web:
        routes_of(web, ("/p/1", ""), ("/produits/1", ""))
        assert [one.text for one in read(web, include="/produits/, /avis/")[0]] == ["le seul"]


def test_what_is_wrong_with_one_page_stops_no_other() -> None:
    routes: Routes = {
        **PAGES,
        "/p/1": Reply(b"", 404),
        "/p/2": Reply(b"", 302, {"Location": "http://169.254.169.254/"}),
    }
    with site({**routes, "/p/3": Reply(b"", 403)}) as web:
        routes_of(web, *((f"/p/{number}", "2026-03-01") for number in range(6)))
        mentions, cursor, pages = read(web)
        assert [one.text for one in mentions] == ["avis 0", "avis 4", "avis 5"]
        reasons = {reject.position[-4:]: reject.reason for one in pages for reject in one.rejects}
        assert (
            "nothing at" in reasons["/p/1"]
            and "private or reserved" in reasons["/p/2"]
            and "not open" in reasons["/p/3"]
        )
        assert read(web, cursor)[2] == []


def test_a_page_out_of_order_is_tried_again_and_given_up_in_the_end() -> None:
    broken = Reply(b"", 503)
    with site({**PAGES, "/p/1": broken}) as web:
        routes_of(web, ("/p/0", "2026-03-01"), ("/p/1", "2026-03-01"), ("/p/2", "2026-03-02"))
        mentions, cursor, _ = read(web)
        assert [one.text for one in mentions] == ["avis 0", "avis 2"]
        web.routes["/p/1"] = lambda _: Reply(page(review("enfin")))
        assert [one.text for one in read(web, cursor)[0]] == ["enfin"]
        web.routes["/p/1"] = lambda _: broken
        for _ in range(MAX_TRIES + 1):
            _, cursor, pages = read(web, cursor)
        assert pages == []


def test_a_site_out_of_order_is_left_alone_and_nothing_is_lost() -> None:
    with site({**PAGES, **{f"/p/{number}": Reply(b"", 503) for number in (1, 2, 3)}}) as web:
        routes_of(web, *((f"/p/{number}", "2026-03-01") for number in range(6)))
        with pytest.raises(TransientError):
            read(web)
        web.routes.update({f"/p/{number}": (lambda _, n=number: Reply(PAGES[f"/p/{n}"])) for number in (1, 2, 3)})
        assert len(read(web)[0]) == 6


# -- where it may go ---------------------------------------------------------------------------------------------------------


def test_this_machine_is_out_of_reach_unless_allowed() -> None:
    with site(PAGES) as web:
        routes_of(web, ("/p/1", ""))
        closed = build("sitemap", {"url": web.base})
        for ask in (closed.check, lambda: list(closed.fetch(Watch(), None))):
            with pytest.raises(ConfigurationError, match="private or reserved"):
                ask()
        assert web.requests == []


@pytest.mark.parametrize(
    "settings", [{}, {"url": "shop.example"}, {"url": "file:///etc/passwd"}, {"url": "https://a.example", "pages": "0"}]
)
def test_settings_that_cannot_be_used(settings: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError):
        build("sitemap", settings)


def test_check_names_what_is_missing() -> None:
    with site({"/sitemap.xml": page(), "/p/1": page()}) as web:
        with pytest.raises(ConfigurationError, match="no sitemap"):
            collector(web).check()
        routes_of(web, ("/p/1", ""))
        collector(web).check()
        assert not isinstance(collector(web), CanReply)


@pytest.mark.parametrize("odd", ["", "null", "[]", '{"source": 3}', '{"source": "x", "again": [1]}', "(" * 9])
def test_a_cursor_of_another_make_reads_from_the_start(odd: str) -> None:
    with site(PAGES) as web:
        routes_of(web, ("/p/1", "2026-03-01"))
        assert len(read(web, Cursor(odd))[0]) == 1
