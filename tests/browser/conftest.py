"""A real server, a real browser, the demo shop in a folder of its own; the worker's passes are run by the test itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import worker as steps
from domain.clock import utc_now
from store import Store
from tests.browser.serving import ARGUMENTS, chromium, load, served
from tests.builders import analysis, mention, page

HOSTILE = '<img src=x onerror="window.hacked = 1"> <script>window.hacked = 1</script> **gras**'


@dataclass(frozen=True)
class Shop:
    """The demo shop: its memory, its worker, where the pretend network keeps the answers, and the address of the app."""

    store: Store
    worker: steps.Worker
    replies: Path
    url: str


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The loaded demo, served on a free port by a process of its own."""
    folder = tmp_path_factory.mktemp("shop")
    store, worker = load(folder)
    now = utc_now()
    # One person who tries to write into our page.
    bad = mention("hostile", HOSTILE, who="mallory", network="facebook", created_at=now - timedelta(hours=1))
    store.mentions.add_page("demo", page(bad), now)
    with store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis(m.id, "question_info", "neutral", urgency=3) for m in backlog.mentions], now)
    store.cases.route(10, now, lambda _case, _item, _person: ())
    with served(folder) as url:
        yield Shop(store, worker, folder / "demo-network" / "replies.jsonl", url)
    store.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser may starve on a busy machine: its tests have a second try, which the report counts as a rerun."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium(), args=ARGUMENTS.split())
        yield opened
        opened.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, shop: Shop) -> Iterator[OpenPage]:
    """Opens an address of the app in a session of its own; at the end, no page may have raised an error."""
    contexts, errors = [], []

    def open_(path: str = "/", *, width: int = 1280, height: int = 800, scheme: str = "light") -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(shop.url + path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert errors == []
