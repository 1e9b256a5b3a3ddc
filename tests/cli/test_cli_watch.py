"""`comptoir watch` and `comptoir backfill`: what is kept, what is told, and that nothing is read before a yes."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import cli
import cli_watch
import demo_shop
from collectors import bluesky
from collectors.bluesky_service import forget_sessions
from domain.clock import utc_now
from store import Store
from tests.builders import mention, page
from tests.fakes.bluesky import HANDLE, PASSWORD, FakeBluesky
from tests.fakes.http_server import serve
from tests.test_worker_past import Archive, Deaf

DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("COMPTOIR_VIEWER", "Lou")
    monkeypatch.delenv("COMPTOIR_DATABASE_URL", raising=False)


@pytest.fixture
def store(tmp_path: Path, open_store: Callable[[str], Store]) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'data' / 'comptoir.sqlite'}")


@pytest.fixture
def archive(store: Store, monkeypatch: pytest.MonkeyPatch) -> Archive:
    """A source “s” whose past holds a message every five hours, for a price, and a source “t” without one."""
    now = utc_now()
    said = [mention(str(n), f"un colis {n}", created_at=now - 12 * DAY + timedelta(hours=5 * n)) for n in range(50)]
    found = Archive(said)
    store.sources.ensure("s", "archive", "Archive", {})
    store.sources.ensure("t", "deaf", "Sourde", {})
    monkeypatch.setattr(cli_watch, "_collector_of", lambda source: found if source.key == "s" else Deaf())
    return found


def run(*words: str, code: int = 0) -> tuple[dict[str, Any], str]:
    """(last line of stdout as an object, stderr without line breaks)."""
    result = CliRunner().invoke(cli.app, [*words, "--json"], terminal_width=200)
    assert result.exit_code == code, result.output
    lines = result.stdout.strip().splitlines()
    return (json.loads(lines[-1]) if lines else {}), " ".join(result.stderr.split())


def day(before: float) -> str:
    return f"{utc_now() - before * DAY:%Y-%m-%d}"


# -- watches ---------------------------------------------------------------------------------------------------------------


def test_a_watch_is_added_changed_listed_and_removed(store: Store) -> None:
    store.sources.ensure("x", "x", "X", {})
    kept, said = run("watch", "add", "Livraison", "colis OU paquet", "--kind", "topic", "--source", "x")
    assert (kept["name"], kept["kind"], kept["sources"], kept["created_by"]) == ("Livraison", "topic", ["x"], "Lou")
    assert "is kept" in said
    changed, _ = run("watch", "change", "livraison", "--query", "colis", "--all-sources", "--pause")
    assert (changed["query"], changed["sources"], changed["enabled"]) == ("colis", [], False)
    listed, said = run("watch", "list")
    assert [row["name"] for row in listed["watches"]] == ["Livraison"] and "colis" in said
    removed, said = run("watch", "remove", "Livraison")
    assert removed["query"] == "colis" and "To have it back" in said and store.watches.all() == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("add", "A", '"colis'), "never closed"),
        (("add", "A", "colis", "--kind", "enemy"), "no kind of watch"),
        (("add", "A", "colis", "--source", "nowhere"), "no source “nowhere”"),
        (("change", "B", "--query", "x"), "no watch “B”"),
        (("remove", "B"), "no watch “B”"),
        (("preview", "colis"), "no source to ask yet"),
        (("preview", "AND"), "no source to ask yet"),
    ],
)
def test_what_cannot_be_done_is_said_in_words(store: Store, words: tuple[str, ...], says: str) -> None:
    told, said = run("watch", *words, code=1)
    assert says in told["error"] and says in said and store.watches.all() == []


def test_a_change_of_nothing_says_so(store: Store) -> None:
    run("watch", "add", "A", "colis")
    assert "Nothing to change" in run("watch", "change", "A", code=1)[0]["error"]


def test_the_demo_shop_follows_something_and_keeps_what_people_changed(store: Store) -> None:
    demo_shop.set_watches(store, utc_now())
    [first, *_] = store.watches.all()
    store.watches.change(first.id, query="autre chose", by="Lou", at=utc_now())
    demo_shop.set_watches(store, utc_now())
    assert len(store.watches.all()) == len(demo_shop.WATCHES)
    assert [row["query"] for row in run("watch", "list")[0]["watches"]].count("autre chose") == 1


# -- what one would find ---------------------------------------------------------------------------------------------------


def test_a_preview_tells_count_price_and_samples_of_each_source(store: Store, archive: Archive) -> None:
    now = utc_now()
    old = mention("old", "un colis de la semaine", network="mail", created_at=now - DAY)
    store.mentions.add_page("t", page(old), now)
    run("watch", "add", "Colis", "colis")
    told, said = run("watch", "preview", "colis", "--days", "10")
    asked, kept = told["sources"]
    expected = sum(now - 10 * DAY <= one.created_at < now for one in archive.said)
    assert asked["found_count"] == pytest.approx(expected, abs=1) and asked["price"] == asked["found_count"] * 0.005
    assert (asked["spent"], len(asked["samples"])) == (0.05, 6)
    assert (kept["found_count"], kept["among_kept"], kept["looked_count"]) == (1, True, 1)
    assert "un colis de la semaine" in kept["samples"][0]["text"] and "among 1 kept" in said


def test_a_preview_tells_what_the_network_is_asked_and_what_is_filtered_here(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_sessions()
    with serve(FakeBluesky()) as service:
        service.say("client.example", "mon pull marin est arrivé", after=600)
        settings = {"handle": HANDLE, "app_password": PASSWORD, "service": service.base, "allow_private": "yes"}
        store.sources.ensure("b", "bluesky", "Bluesky", settings)
        collector = bluesky.connect(settings, now=lambda: service.clock, timeout=5.0)
        monkeypatch.setattr(cli_watch, "_collector_of", lambda _source: collector)
        told, said = run("watch", "preview", "pull (lang:fr OU livr*) -concours", "--source", "b")
    [one] = told["sources"]
    assert one["queries"] == ["pull"] and one["filtered_here"] == ["(lang:fr OR livr*)", "-concours"]
    assert "b cannot write (lang:fr OR livr*), -concours: filtered here." in said


def test_a_source_in_trouble_is_told_beside_the_others(store: Store, archive: Archive) -> None:
    from domain.errors import TransientError

    def busy(_call: int) -> None:
        raise TransientError("Too many requests.")

    archive.trouble = busy
    told, said = run("watch", "preview", "colis", code=1)
    assert [one["state"] for one in told["sources"]] == ["failed", "done"] and "s: Too many requests." in said


# -- back-fills ------------------------------------------------------------------------------------------------------------


def test_nothing_is_read_before_a_yes_and_the_same_command_goes_on(store: Store, archive: Archive) -> None:
    words = ("backfill", "s", "--from", day(8))
    announced, said = run(*words, code=1)
    assert announced["state"] == "announced" and announced["price_estimated"] > 0 and archive.asked == []
    assert "about" in said and "stops and asks again at" in said and "--yes" in said
    store.backfills.confirm(announced["id"], by="Lou", at=utc_now(), price_limit=9.0)
    done, said = run(*words)
    assert (done["id"], done["state"], done["done_share"]) == (announced["id"], "done", 1.0)
    assert done["stored_count"] == store.mention_count() > 30 and "Going on with what Lou asked for" in said


def test_with_a_yes_it_is_read_at_once_for_one_watch(store: Store, archive: Archive) -> None:
    run("watch", "add", "Rien", "introuvable")
    done, _ = run("backfill", "s", "--from", day(6), "--to", day(4), "--watch", "Rien", "--yes")
    assert (done["state"], done["count_estimated"], done["found_count"]) == ("done", 0, 0)
    [kept] = store.backfills.all()
    assert (kept.watch.query, kept.until - kept.since) == ("introuvable", 3 * DAY)
    assert f"{kept.since.astimezone(store.calendar.zone):%H:%M}" == "00:00"


def test_where_it_cost_what_was_agreed_it_stops_and_says_so(store: Store, archive: Archive) -> None:
    def dearer(_call: int) -> None:
        for one in store.backfills.all():
            if one.state.value == "running":
                with store.database.write() as connection:
                    store.backfills._set(connection, one.id, price_limit=0.02)

    archive.trouble = dearer
    told, said = run("backfill", "s", "--from", day(8), "--yes", code=1)
    assert told["state"] == "paused" and "as much as was agreed" in said
    archive.trouble = lambda _call: None
    assert "Run it again with --yes" in run("backfill", "s", "--from", day(8), code=1)[1]


def test_what_is_open_can_be_given_up(store: Store, archive: Archive) -> None:
    run("backfill", "s", "--from", day(8), code=1)
    assert run("backfill", "s", "--cancel")[0] == {"cancelled": 1}
    assert [one.state.value for one in store.backfills.all()] == ["cancelled"] and archive.asked == []


def test_a_source_without_a_past_a_span_in_the_future_and_a_missing_day(store: Store, archive: Archive) -> None:
    told, said = run("backfill", "t", "--from", day(8), code=1)
    assert told["state"] == "refused" and "comptoir import" in said
    assert "empty" in run("backfill", "s", "--from", day(-3), code=1)[0]["error"]
    result = CliRunner().invoke(cli.app, ["backfill", "s"], terminal_width=200)
    assert result.exit_code == 2 and "--from" in result.output


@pytest.fixture(autouse=True)
def _sessions() -> Iterator[None]:
    yield
    forget_sessions()
