"""The collector contract over the table COLLECTORS, and over doubles that break it."""

import codecs
import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest

import collectors
from collectors import COLLECTORS, feed, files
from collectors import folder as drop_folder
from collectors.feed_document import read_feed
from collectors.tables.columns import Reading, flat, mention_of, plan_for
from collectors.tables.dates import DateReader
from domain.contracts import Collector, CollectorSpec, Cursor, IdempotencyKey, Page, Permission, Reject, RemoteId, Watch
from domain.errors import ConfigurationError, TransientError
from domain.mention import Mention
from tests.collectors.local_web import Reply, serving
from tests.contracts import (
    bench_bluesky,
    bench_facebook,
    bench_instagram,
    bench_mail,
    bench_mastodon,
    bench_reddit,
    bench_reviews,
    bench_sitemap,
    bench_webhook,
    bench_x,
    bench_youtube,
)
from tests.contracts import collector_suite as suite
from tests.contracts.collector_suite import CHECKS, Bench, Check
from tests.fakes.mastodon import hashes, ulids

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)

# -- the table -----------------------------------------------------------------------------------------------------------

ROWS: list[dict[str, Any]] = [
    {"texte": f"avis {number % 4}", "date": f"2026-03-0{1 + number % 2}", "auteur": "Léa", "note": number % 6}
    for number in range(11)
]
ROWS[3]["texte"] = ""
ROWS[7]["date"] = "hier"


def _written(path: Path, kind: str) -> Path:
    lines = "".join(json.dumps(row) + "\n" for row in ROWS)
    cells = [list(ROWS[0]), *(list(row.values()) for row in ROWS)]
    table = "".join(";".join(f'"{cell}"' for cell in row) + "\n" for row in cells)
    if kind == "xlsx":
        book = openpyxl.Workbook()
        for row in cells:
            book.active.append(row)
        book.save(path)
    else:
        contents = {
            "jsonl": lines.encode(),
            "jsonl.gz": gzip.compress(lines.encode()),
            "csv": table.encode("cp1252"),
            "utf-16": codecs.BOM_UTF16_LE + table.encode("utf-16-le"),
        }
        path.write_bytes(contents[kind])
    return path


def _file_bench(kind: str) -> Callable[[Path], Iterator[Bench]]:
    def bench(folder: Path) -> Iterator[Bench]:
        path = _written(folder / f"export.{'csv' if kind == 'utf-16' else kind}", kind)
        (folder / "other.csv").write_text("prix,poids\n1,2\n")
        (folder / "binary.csv").write_bytes(bytes(range(256)) * 9)
        reading = Reading(DateReader(ZoneInfo("Europe/Paris"), day_first=True), "file", NOW)

        def make(name: str) -> suite.Factory:
            settings = {"path": str(folder / name), "page_size": "3", "imported_at": NOW.isoformat()}
            return lambda: files.connect(settings)

        yield Bench(
            make=make(path.name),
            failing=tuple(map(make, ("none.csv", "other.csv", "binary.csv", ""))),
            mapping=lambda row: mention_of(row, flat(row), plan_for(flat(row), {}), reading),
            raws=(ROWS[0], {"text": "a", "user": {"name": "Léa"}, "id": 1}),
        )

    return bench


def _folder_bench(folder: Path) -> Iterator[Bench]:
    laid = folder / "laid"
    laid.mkdir()
    _written(laid / "a.csv", "csv")
    (laid / "b.jsonl").write_text('{"id": "j1", "text": "Depuis un autre fichier", "date": "2026-03-09T10:00:00Z"}\n')
    (laid / "c.csv").write_text("prix,poids\n1,2\n")
    for path in laid.iterdir():
        os.utime(path, (NOW.timestamp() - 60,) * 2)
    reading = Reading(DateReader(ZoneInfo("Europe/Paris"), day_first=True), "file", NOW)

    def make(name: str = "laid", **settings: str) -> suite.Factory:
        return lambda: drop_folder.connect(
            {"folder": str(folder / name), "page_size": "3", **settings}, now=lambda: NOW
        )

    yield Bench(
        make=make(),
        failing=(make("none"), make("laid/a.csv"), lambda: drop_folder.connect({}), make(timezone="Mars")),
        mapping=lambda row: mention_of(row, flat(row), plan_for(flat(row), {}), reading),
        raws=(ROWS[0],),
    )


ENTRIES = "".join(
    f"<item><title>Article {number}</title><guid>https://b.example/{number}</guid>"
    f"<pubDate>0{number + 1} Mar 2026 10:00:00 GMT</pubDate></item>"
    for number in range(5)
)
RSS = f"<rss version='2.0'><channel><title>Blog</title>{ENTRIES}<item><title>Sans date</title></item><item/></channel></rss>"


def _feed_bench(etag: str) -> Callable[[Path], Iterator[Bench]]:
    def answer(headers: Mapping[str, str]) -> Reply:
        if etag and headers.get("if-none-match") == etag:
            return Reply(b"", 304)
        return Reply(RSS.encode(), headers={"ETag": etag} if etag else {})

    def bench(folder: Path) -> Iterator[Bench]:
        routes = {"/feed": answer, "/page": Reply(b"<html><p>Bonjour</p></html>"), "/busy": Reply(b"", 503)}
        with serving(routes) as web:

            def make(address: str, allow: str = "yes") -> suite.Factory:
                return lambda: feed.connect({"url": address, "allow_private": allow}, now=lambda: NOW)

            broken = [make(web.url(path)) for path in ("/page", "/busy", "/none")]
            yield Bench(
                make=make(web.url("/feed")),
                failing=(*broken, make(web.url("/feed"), "no"), make("file:///etc/passwd")),
                mapping=lambda entry: feed.map_entry(entry, feed.Origin("blog", "b.example/feed"), NOW),
                raws=read_feed(RSS.encode(), "", web.url("/feed")).entries[:6],
            )

    return bench


def _demo_bench(folder: Path) -> Iterator[Bench]:
    demo = pytest.importorskip("collectors.demo")
    settings = {"anchor": NOW.isoformat(), "folder": str(folder / "network")}

    def make() -> Collector:
        collector: Collector = demo.connect(settings, now=lambda: NOW)
        return collector

    (folder / "network").mkdir()
    mentions = [mention for page in make().fetch(Watch(), None) for mention in page.mentions]
    yield Bench(
        make=make,
        failing=(
            lambda: collectors.build("demo", {}),
            lambda: collectors.build("demo", {**settings, "anchor": "soon"}),
        ),
        mapping=demo._map,
        raws=({"data": [demo._wire(item) for item in demo.lay_out(NOW).items[:50]]},),
        answerable=next(mention for mention in mentions if mention.network == "facebook" and not mention.outbound),
    )


BENCHES: dict[str, tuple[str, Callable[[Path], Iterator[Bench]]]] = {
    "JSON lines": ("files", _file_bench("jsonl")),
    "JSON lines, gzipped": ("files", _file_bench("jsonl.gz")),
    "CSV": ("files", _file_bench("csv")),
    "CSV in UTF-16": ("files", _file_bench("utf-16")),
    "Excel": ("files", _file_bench("xlsx")),
    "drop folder": ("folder", _folder_bench),
    "feed": ("feed", _feed_bench('"1"')),
    "feed without validators": ("feed", _feed_bench("")),
    "sitemap": ("sitemap", bench_sitemap.bench()),
    "sitemap, by an index, without dates": ("sitemap", bench_sitemap.bench(dated=False)),
    "mail": ("mail", bench_mail.bench()),
    "mail, a provider that keeps what is sent": ("mail", bench_mail.bench(keeps_sent=True)),
    "demo": ("demo", _demo_bench),
    "X, tweet.fields": ("x", bench_x.bench_old),
    "X, post.fields": ("x", bench_x.bench_new),
    "Facebook": ("facebook", bench_facebook.bench()),
    "Facebook, lists the other way round": ("facebook", bench_facebook.bench(oldest_first=True)),
    "Instagram": ("instagram", bench_instagram.bench()),
    "Instagram, lists the other way round": ("instagram", bench_instagram.bench(oldest_first=True)),
    "Mastodon": ("mastodon", bench_mastodon.bench()),
    "Bluesky": ("bluesky", bench_bluesky.bench),
    "Mastodon, ids as GoToSocial's": ("mastodon", bench_mastodon.bench(ids=ulids, version=0)),
    "Mastodon, a server without min_id": ("mastodon", bench_mastodon.bench(ids=hashes, version=0, min_id="ignored")),
    "Mastodon, a server like snac": ("mastodon", bench_mastodon.bench(ids=hashes, version=0, min_id="floor")),
    "Reddit": ("reddit", bench_reddit.bench),
    "YouTube": ("youtube", bench_youtube.bench),
    "generic webhook": ("webhook", bench_webhook.bench),
    "Google Business Profile": ("google_business", bench_reviews.bench("google_business")),
    "Trustpilot": ("trustpilot", bench_reviews.bench("trustpilot")),
    "Avis Vérifiés": ("avis_verifies", bench_reviews.bench("avis_verifies")),
    "App Store": ("app_store", bench_reviews.bench("app_store")),
    "Google Play": ("google_play", bench_reviews.bench("google_play")),
}


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    yield from BENCHES[request.param][1](tmp_path)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("bench", BENCHES, indirect=True)
def test_collector_keeps_the_contract(bench: Bench, check: Check) -> None:
    check(bench)


def test_every_collector_of_the_table_has_a_bench() -> None:
    assert {key for key, _ in BENCHES.values()} == {row.key for row in COLLECTORS}


@pytest.mark.parametrize("key", [row.key for row in COLLECTORS])
def test_the_spec_can_be_had_without_connecting(key: str) -> None:
    spec = collectors.spec(key)
    assert spec.key == key and spec.title
    assert len({setting.key for setting in spec.settings}) == len(spec.settings)


def test_an_unknown_key_names_the_known_ones() -> None:
    for ask in (lambda: collectors.build("minitel", {}), lambda: collectors.spec("minitel")):
        with pytest.raises(
            ConfigurationError, match=r"no collector “minitel”\. Choose one of: files, folder, feed, sitemap, mail"
        ):
            ask()


# -- doubles ---------------------------------------------------------------------------------------------------------------


def _said(number: int, **fields: Any) -> Mention:
    values: dict[str, Any] = {
        "native_id": str(number),
        "text": f"message {number}",
        "created_at": NOW + timedelta(hours=number),
        "raw": {"n": number},
    }
    return Mention(network="double", **{**values, **fields})


class Double:
    """A collector of seven messages and a reject, three a page, that keeps every promise."""

    spec = CollectorSpec(key="double", title="Double", can_reply=True)
    step = 3

    def __init__(self, works: bool = True) -> None:
        self.works = works
        self.said: list[Mention] = [_said(number) for number in range(7)]

    def check(self) -> None:
        self._must_work()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        self._must_work()
        for at in range(self.place(since), len(self.said), self.step):
            rejects = (Reject("line 5", "empty", ""),) if at == self.step else ()
            yield Page(tuple(self.said[at : at + self.step]), self.cursor(at + self.step), rejects=rejects)

    def cursor(self, at: int) -> Cursor | None:
        return Cursor(json.dumps({"at": at, "of": "double"}))

    def place(self, since: Cursor | None) -> int:
        return int(json.loads(since)["at"]) if since else 0

    def may_reply(self, mention: Mention) -> Permission:
        return Permission(True)

    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        return RemoteId("r1")

    def _must_work(self) -> None:
        if not self.works:
            raise TransientError("The double is out of order. It is tried again later.")


def _map(raw: dict[str, Any]) -> Mention:
    return _said(raw["n"])


def _bench(double: Callable[..., Any] = Double, mapping: Callable[[Any], Any] = _map, **fields: Any) -> Bench:
    return Bench(double, (lambda: double(works=False),), mapping, ({"n": 1},), fields.pop("answerable", _said(1)))


def _telling(**fields: Any) -> Callable[..., Double]:
    class Telling(Double):
        def __init__(self, works: bool = True) -> None:
            super().__init__(works)
            self.said[2] = _said(2, **fields)

    return Telling


class Forgetful(Double):
    fetched = count()

    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        run = next(self.fetched)
        for page in super().fetch(watch, since):
            yield replace(
                page, mentions=tuple(replace(said, native_id=f"{said.native_id}-{run}") for said in page.mentions)
            )


class Hasty(Double):
    def cursor(self, at: int) -> Cursor | None:
        return super().cursor(at + 1)


class Dawdling(Double):
    def cursor(self, at: int) -> Cursor | None:
        return super().cursor(max(0, at - 1))


class ForgettingRejects(Double):
    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        for page in super().fetch(watch, since):
            yield replace(page, rejects=() if since else page.rejects)


class Promising(Double):
    """Hands out the place of the end with its first page: right for who reads on, wrong for who is killed."""

    def cursor(self, at: int) -> Cursor | None:
        return super().cursor(len(self.said))


def _draining() -> Callable[..., Double]:
    taken: set[str] = set()

    class Draining(Double):
        """Takes messages off the source as it hands them out."""

        def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
            for page in super().fetch(watch, None):
                left = tuple(said for said in page.mentions if said.native_id not in taken)
                taken.update(said.native_id for said in left)
                yield replace(page, mentions=left)

    return Draining


class Endless(Double):
    def cursor(self, at: int) -> Cursor | None:
        return super().cursor(at) if at < len(self.said) else None


class Growing(Double):
    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        yield from super().fetch(watch, since)
        if since:
            yield Page((_said(99),), since)


class Bare(Double):
    def cursor(self, at: int) -> Cursor | None:
        return Cursor(f"at:{at}")

    def place(self, since: Cursor | None) -> int:
        return int(since.removeprefix("at:")) if since else 0


class Pedantic(Double):
    """Knows its place only where it is written as it wrote it."""

    def place(self, since: Cursor | None) -> int:
        return super().place(since) if since and since.startswith('{"at"') else 0


class Silent(Double):
    def check(self) -> None:
        pass


class Grumbling(Double):
    def check(self) -> None:
        raise ConfigurationError("Nothing is ever right with this source.")


class Curt(Double):
    def _must_work(self) -> None:
        if not self.works:
            raise TransientError("no")


class Raw(Double):
    def _must_work(self) -> None:
        if not self.works:
            raise KeyError("data, which the vendor did not send this time")


class Swallowing(Double):
    def fetch(self, watch: Watch, since: Cursor | None) -> Iterator[Page]:
        return super().fetch(watch, since) if self.works else iter(())


class Boasting(Double):
    spec = replace(Double.spec, can_reply=False)


class Changing(Double):
    @property
    def spec(self) -> CollectorSpec:  # type: ignore[override]
        return replace(Double.spec, title=f"Double {id(self)}")


class Moody(Double):
    calls = count()

    def may_reply(self, mention: Mention) -> Permission:
        return Permission(True, reason=f"asked {next(self.calls)} times")


class Scribbling(Double):
    def may_reply(self, mention: Mention) -> Permission:
        mention.raw["asked"] = True
        return Permission(True)


class Refusing(Double):
    def may_reply(self, mention: Mention) -> Permission:
        return Permission(False, "never")


class Nameless(Double):
    def reply(self, mention: Mention, text: str, key: IdempotencyKey) -> RemoteId:
        return RemoteId("")


def _spoiling(raw: dict[str, Any]) -> Mention:
    return _said(raw.pop("n", 0))


def _guessing(raw: dict[str, Any], calls: Iterator[int] = count()) -> Mention:  # noqa: B008 - shared on purpose
    return _said(next(calls))


PARIS_TIME = NOW.astimezone(timezone(timedelta(hours=1)))
BROKEN: dict[Check, tuple[Bench, ...]] = {
    suite.mentions_are_well_formed: tuple(
        _bench(_telling(**fields))
        for fields in (
            {"created_at": PARIS_TIME},
            {"text": " "},
            {"text": "nul \x00"},
            {"rating": 0},
            {"url": "javascript:alert(1)"},
            {"parent_id": ""},
            {"raw": {"at": NOW}},
            {"raw": {"score": float("nan")}},
        )
    ),
    suite.no_mention_comes_twice: (_bench(_telling(native_id="1")),),
    suite.fetch_is_repeatable: (_bench(Forgetful), _bench(_draining())),
    suite.mapping_is_pure: (_bench(mapping=_spoiling), _bench(mapping=_guessing)),
    suite.every_cursor_resumes: (_bench(Hasty), _bench(Dawdling), _bench(Promising), _bench(ForgettingRejects)),
    suite.a_killed_run_loses_nothing: (_bench(Promising), _bench(Hasty), _bench(_draining())),
    suite.a_run_that_ends_can_be_resumed: (_bench(Endless), _bench(Growing)),
    suite.cursors_are_json: (_bench(Bare), _bench(Pedantic)),
    suite.check_tells_what_to_do: (_bench(Silent), _bench(Grumbling), _bench(Curt), _bench(Raw)),
    suite.fetch_raises_domain_errors: (_bench(Raw), _bench(Swallowing), _bench(Curt)),
    suite.powers_are_as_told: (_bench(Boasting), _bench(Changing)),
    suite.replies_are_sound: (_bench(Moody), _bench(Scribbling), _bench(Refusing), _bench(Nameless)),
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_right_double_passes(check: Check) -> None:
    check(_bench())


@pytest.mark.parametrize(
    ("check", "double"),
    [
        pytest.param(check, double, id=f"{check.__name__}-{number}")
        for check in CHECKS
        for number, double in enumerate(BROKEN[check])
    ],
)
def test_a_broken_double_fails(check: Check, double: Bench) -> None:
    with pytest.raises((AssertionError, UnicodeEncodeError)):
        check(double)
