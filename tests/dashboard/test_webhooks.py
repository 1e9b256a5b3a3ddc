"""The address of webhooks over real HTTP: what is kept before yes is said, what is turned away, and in what time."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route

from dashboard import webhooks
from dashboard.webhooks import Allowance, Reception
from domain.contracts import Delivery, WebhookAnswer
from domain.errors import ConfigurationError, StorageError
from store import Store
from store.sources import Source
from tests.conftest import NOW

MB = 2**20


@dataclass
class Doorman:
    """Stands for the collectors: says what it is told to say."""

    store: Store
    answer: Callable[[Delivery], WebhookAnswer | None] = lambda delivery: WebhookAnswer(200, "ok", key="k")
    clock: float = 0.0
    asked: list[tuple[str, Delivery]] = field(default_factory=list)
    base: str = ""

    def receive(self, source: Source, delivery: Delivery) -> WebhookAnswer | None:
        self.asked.append((source.key, delivery))
        return self.answer(delivery)

    def post(self, body: bytes = b"{}", path: str = "/hooks/a", **options: object) -> httpx.Response:
        return httpx.post(self.base + path, content=body, timeout=20, **options)  # type: ignore[arg-type]

    def refusals(self) -> list[tuple[str, int]]:
        return [(one.reason, one.count) for one in self.store.inbox.health("a", NOW).refusals]


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """Not the main thread."""


def serving(reception: Reception) -> Iterator[str]:
    app = Starlette(routes=[Route("/hooks/{source}", reception.hook, methods=["GET", "POST"])])
    with socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    ) as listening:  # asyncio looks at the last
        listening.bind(("127.0.0.1", 0))
        server = _Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def door(store: Store) -> Iterator[Doorman]:
    store.sources.ensure("a", "webhook", "A", {})
    doorman = Doorman(store)
    reception = Reception(lambda: store, doorman.receive, lambda: NOW, lambda: doorman.clock)
    for base in serving(reception):
        doorman.base = base
        yield doorman


# -- what is kept -----------------------------------------------------------------------------------------------------------


def test_a_delivery_is_kept_raw_before_its_sender_hears_yes(door: Doorman) -> None:
    body = b"\x00\xff{not json" + "é".encode()
    answer = door.post(body, "/hooks/a?x=1&y=%C3%A9", headers={"X-Signature": "s", "Content-Type": "text/x"})
    assert (answer.status_code, answer.text) == (200, "ok")
    [(key, heard)] = door.asked
    assert (key, heard.method, heard.query, heard.body, heard.received_at) == (
        "a",
        "POST",
        {"x": "1", "y": "é"},
        body,
        NOW,
    )
    assert heard.headers["x-signature"] == "s"
    row = door.store.inbox.get("a", "k")
    assert row is not None and row.body == body and row.headers == {"content-type": "text/x"}


def test_the_same_delivery_again_hears_yes_and_is_kept_once(door: Doorman) -> None:
    assert [door.post(body).status_code for body in (b"1", b"1", b"1")] == [200, 200, 200]
    assert door.store.inbox.health("a", NOW).waiting_count == 1


def test_a_challenge_is_answered_and_not_kept(door: Doorman) -> None:
    door.answer = lambda one: WebhookAnswer(200, one.query["c"] + "<script>")
    answer = httpx.get(f"{door.base}/hooks/a?c=42")
    assert (answer.status_code, answer.text) == (200, "42<script>")
    assert (
        answer.headers["content-type"].startswith("text/plain")
        and answer.headers["x-content-type-options"] == "nosniff"
    )
    assert door.store.inbox.health("a", NOW).waiting_count == 0


def test_a_paused_source_goes_on_hearing(door: Doorman) -> None:
    door.store.sources.set_enabled("a", False)
    assert door.post().status_code == 200 and door.store.inbox.get("a", "k")


# -- what is turned away ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/hooks/b", "/hooks/A", "/hooks/a%00", f"/hooks/{'a' * 90}", "/hooks/é"])
def test_an_unknown_source_learns_nothing(door: Doorman, path: str) -> None:
    answer = door.post(path=path)
    assert (answer.status_code, answer.text) == (404, "nothing is here") and not door.asked


def test_a_source_that_hears_no_webhooks_is_like_one_that_is_not_there(door: Doorman) -> None:
    door.answer = lambda _delivery: None
    ours, unknown = door.post(), door.post(path="/hooks/b")
    assert (ours.status_code, ours.text) == (unknown.status_code, unknown.text) == (404, "nothing is here")
    assert door.refusals() == []


def test_refusals_are_counted_on_the_source_with_their_reason(door: Doorman) -> None:
    door.answer = lambda _delivery: WebhookAnswer(403, "the signature does not fit")
    answers = [door.post(b"secret") for _ in range(12)]
    assert {(one.status_code, one.text) for one in answers} == {(403, "the signature does not fit")}
    assert door.refusals() == [("the signature does not fit", 12)]
    assert door.store.inbox.health("a", NOW).waiting_count == 0


def test_other_methods_are_not_for_here(door: Doorman) -> None:
    assert httpx.put(f"{door.base}/hooks/a").status_code == 405 and not door.asked


def test_a_flood_of_failures_is_slowed_down_and_who_signs_well_is_not(door: Doorman) -> None:
    def answer(delivery: Delivery) -> WebhookAnswer:
        good = delivery.body == b"good"
        return WebhookAnswer(200, key="k") if good else WebhookAnswer(401, "who are you?")

    door.answer = answer
    with httpx.Client(base_url=door.base) as client:
        statuses = [client.post("/hooks/a", content=b"bad").status_code for _ in range(100)]
        assert statuses == [401] * 30 + [429] * 70
        assert client.post("/hooks/a", content=b"bad").headers["retry-after"] == "60"
        assert client.post("/hooks/a", content=b"good").status_code == 200
        assert door.refusals() == [("who are you?", 60)], "a flood does not keep the store busy"
        door.clock += 60
        assert client.post("/hooks/a", content=b"bad").status_code == 401
    assert door.refusals() == [("who are you?", 102)], "and is counted in the end"


def test_an_allowance_comes_back_and_forgets_the_quietest() -> None:
    clock = [0.0]
    allowance = Allowance(2, lambda: clock[0])
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    clock[0] = 30
    assert [allowance.take("a") for _ in range(2)] == [True, False]
    clock[0] = 10_000
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    for number in range(1_000):
        allowance.take(str(number))
    assert allowance.take("a"), "forgotten"


# -- sizes ---------------------------------------------------------------------------------------------------------------


def test_a_body_of_10_mb_is_turned_away_with_a_word(door: Doorman) -> None:
    answer = door.post(b"x" * (10 * MB))
    assert (answer.status_code, answer.text) == (413, "a delivery may have 5 MB")
    assert not door.asked and door.refusals() == [("a delivery may have 5 MB", 1)]
    assert door.post(b"x" * (5 * MB)).status_code == 200


def test_a_body_without_a_length_is_cut_off_too(door: Doorman) -> None:
    def pieces() -> Iterator[bytes]:
        yield from (b"x" * MB for _ in range(6))

    assert httpx.post(f"{door.base}/hooks/a", content=pieces(), timeout=20).status_code == 413


def test_a_huge_body_is_not_waited_for(door: Doorman) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(300):
            sent += 1
            yield b"x" * MB

    with contextlib.suppress(httpx.TransportError):  # hung up on, which is fine
        assert httpx.post(f"{door.base}/hooks/a", content=pieces(), timeout=20).status_code == 413
    assert sent < 60 and not door.asked


def test_bodies_that_are_being_received_share_one_bound(door: Doorman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "MAX_HELD", MB)
    answer = door.post(b"x" * (2 * MB))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60") and not door.asked
    assert door.post(b"x" * (MB // 2)).status_code == 200, "and is free again afterwards"
    assert door.post(b"x" * (MB // 2)).status_code == 200


def test_a_body_that_never_comes_is_not_waited_for(door: Doorman, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhooks, "BODY_WITHIN", 0.05)
    host, port = door.base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as slow:
        slow.sendall(b"POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    with socket.create_connection((host, int(port)), timeout=10) as gone:
        gone.sendall(b"POST /hooks/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert door.post().status_code == 200 and len(door.asked) == 1


# -- trouble of our own --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ConfigurationError, StorageError])
def test_trouble_of_our_own_asks_the_vendor_to_repeat_and_tells_no_detail(
    door: Doorman, error: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    def answer(_delivery: Delivery) -> WebhookAnswer:
        raise error("the setting secret wants the variable HOOK_SECRET")

    door.answer = answer
    told = door.post(b"private words")
    assert (told.status_code, told.text, told.headers["retry-after"]) == (503, "not now: send it again", "60")
    assert "HOOK_SECRET" in caplog.text and "private words" not in caplog.text


def test_a_delivery_that_cannot_be_kept_is_not_said_yes_to(door: Doorman, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> bool:
        raise StorageError("The disk is full.")

    monkeypatch.setattr("store.inbox.Inbox.keep", full)
    assert door.post().status_code == 503


def test_a_busy_store_delays_nobody_and_what_is_kept_meanwhile_is_kept_once(
    door: Doorman, monkeypatch: pytest.MonkeyPatch
) -> None:
    freed, real = threading.Event(), door.store.inbox.keep
    kept: list[bool] = []

    def slow(self: object, source_key: str, key: str, delivery: Delivery) -> bool:
        assert freed.wait(20)
        kept.append(real(source_key, key, delivery))
        return kept[-1]

    monkeypatch.setattr("store.inbox.Inbox.keep", slow)
    begun = time.monotonic()
    assert door.post().status_code == 503
    assert time.monotonic() - begun < 1.0
    freed.set()
    assert door.post().status_code == 200
    deadline = time.monotonic() + 10
    while len(kept) < 2 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert sorted(kept) == [False, True]
    assert door.store.inbox.health("a", NOW).waiting_count == 1


# -- the app itself ------------------------------------------------------------------------------------------------------


def test_the_app_itself_answers_its_webhooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.browser.serving import served
    from tests.fakes.webhook import SECRET, signed

    settings = {"secret": "env:TEST_HOOK_SECRET", "network": "chat"}
    sources = [{"key": "chat", "collector": "webhook", "settings": settings}]
    monkeypatch.setenv("TEST_HOOK_SECRET", SECRET)
    monkeypatch.setenv("COMPTOIR_SOURCES", json.dumps(sources))
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path))
    import cli
    from settings import load_settings

    settings_read = load_settings()
    store = Store.open(settings_read.url, settings_read.calendar())
    worker = cli.build_worker(settings_read, store)
    body = json.dumps({"id": "m1", "text": "Où est mon colis ?", "date": "2026-03-10T09:00:00Z"}).encode()
    with served(tmp_path) as base:
        headers = signed(body, datetime.now().astimezone())
        bad = httpx.post(f"{base}/hooks/chat", content=body + b" ", headers=headers)
        assert (bad.status_code, httpx.post(f"{base}/hooks/x", content=body).status_code) == (401, 404)
        begun = time.monotonic()
        assert httpx.post(f"{base}/hooks/chat", content=body, headers=headers).status_code == 200
        assert time.monotonic() - begun < 1.0
        assert httpx.post(f"{base}/hooks/chat", content=body, headers=headers).status_code == 200
        assert httpx.post(f"{base}/hooks/chat", content=b"x" * (10 * MB), timeout=20).status_code == 413
    import worker as steps
    import worker_collect

    report = steps.Report()
    worker_collect.unpack(worker, report)
    assert report.collected == 1 and store.mention_count() == 1
    [refusal, large] = store.inbox.health("chat", datetime.now().astimezone()).refusals
    assert (refusal.count, large.count) == (1, 1)
    store.close()
