"""A real server, a real browser, the demo shop in a folder of its own; the worker's passes are run by the test itself."""

import os
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

import cli
import demo_shop
import worker as steps
from domain.clock import utc_now
from settings import load_settings
from store import Store
from tests.builders import analysis, mention, page

ROOT = Path(__file__).parents[2]
HOSTILE = '<img src=x onerror="window.hacked = 1"> <script>window.hacked = 1</script> **gras**'
ARGUMENTS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)


@dataclass(frozen=True)
class Shop:
    """The demo shop: its memory, its worker, where the pretend network keeps the answers, and the address of the app."""

    store: Store
    worker: steps.Worker
    replies: Path
    url: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _load(folder: Path) -> tuple[Store, steps.Worker]:
    settings = load_settings(data_dir=folder)
    store = Store.open(settings.url, settings.calendar())
    worker = cli.build_worker(settings, store)
    now = utc_now()
    demo_shop.load(worker, demo_shop.ensure_source(store, settings.demo_dir, now))
    # One person who tries to write into our page.
    bad = mention("hostile", HOSTILE, who="mallory", network="facebook", created_at=now - timedelta(hours=1))
    store.mentions.add_page("demo", page(bad), now)
    with store.mentions.unanalyzed(10) as backlog:
        backlog.save([analysis(m.id, "question_info", "neutral", urgency=3) for m in backlog.mentions], now)
    store.cases.route(10, now, lambda _case, _item, _person: ())
    return store, worker


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The loaded demo, served on a free port by a process of its own."""
    folder = tmp_path_factory.mktemp("shop")
    store, worker = _load(folder)
    port = _free_port()
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    environment = {**os.environ, "COMPTOIR_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [*command, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait_until_served(server)
        yield Shop(store, worker, folder / "demo-network" / "replies.jsonl", f"http://127.0.0.1:{port}")
    finally:
        server.terminate()
        server.wait(20)
        store.close()


def _wait_until_served(server: subprocess.Popen[str]) -> None:
    # Streamlit names its address once it listens; from then on somebody must go on reading what it says.
    said: list[str] = []
    assert server.stdout is not None
    for line in server.stdout:
        said.append(line)
        if "URL:" in line:
            Thread(target=deque, args=(server.stdout, 0), daemon=True).start()
            return
    raise RuntimeError(f"the server did not start:\n{''.join(said)}")


def _chromium() -> str:
    names = (os.environ.get("COMPTOIR_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("No Chromium found. Install it, or name it in COMPTOIR_TEST_CHROMIUM.")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_chromium(), args=ARGUMENTS.split())
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
