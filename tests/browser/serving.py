"""The demo shop in a folder, and the dashboard that serves it on a free port: for the browser tests and the pictures."""

import os
import shutil
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import cli
import demo_shop
import worker as steps
from domain.clock import utc_now
from settings import load_settings
from store import Store

ROOT = Path(__file__).parents[2]
ARGUMENTS = (
    "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --lang=fr-FR"
)


def load(folder: Path) -> tuple[Store, steps.Worker]:
    """The demo shop, opened in a folder."""
    settings = load_settings(data_dir=folder)
    store = Store.open(settings.url, settings.calendar())
    worker = cli.build_worker(settings, store)
    demo_shop.load(worker, demo_shop.ensure_source(store, settings.demo_dir, utc_now()))
    return store, worker


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Address of the dashboard over this folder, in a process of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py"]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    environment = {**os.environ, "COMPTOIR_DATA_DIR": str(folder), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(
        [*command, *options], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        _wait_until_served(server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


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


def chromium() -> str:
    """Path of the installed browser."""
    names = (os.environ.get("COMPTOIR_TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        raise RuntimeError("No Chromium found. Install it, or name it in COMPTOIR_TEST_CHROMIUM.")
    return found
