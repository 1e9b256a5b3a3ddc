"""Real peers that run on this machine: programs that other people wrote, started and ended by the tests.

They are looked for in the folder COMPTOIR_PEERS (`.peers` in the project if it is not set), as `make test-peers` puts them
there; where one is missing, its tests say so and are skipped.
"""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.http_server import FakeVendor, Reply, Request

FOLDER = Path(os.environ.get("COMPTOIR_PEERS") or Path(__file__).parents[2] / ".peers")
_HOP = frozenset({"host", "content-length", "connection", "accept-encoding", "transfer-encoding", "content-encoding"})


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "peers: talks to a real program of somebody else; has its own verb")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Programs of others have clocks and moods of their own: a second try, which the report counts as a rerun."""
    for item in items:
        if item.get_closest_marker("peers"):
            item.add_marker(pytest.mark.flaky(reruns=1))


def program(path: str) -> Path:
    """A peer's executable; skips the test where it is not there."""
    found = FOLDER / path
    if not found.exists():
        pytest.skip(f"{found} is not installed: make test-peers does it")
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Until it is so; a real program has a clock of its own."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "the peer did not do it in time"
        time.sleep(0.2)


@contextmanager
def running(
    command: list[str],
    log: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str] | None = None,
    seconds: float = 60,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program, from when it is ready to the end of the block."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
    try:
        wait_for(lambda: process.poll() is not None or ready(), seconds)
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=5).status_code < 500
    except httpx.HTTPError:
        return False


class Between(FakeVendor):
    """Stands between us and a real peer, and loses answers when it is told to."""

    def __init__(self, peer: str) -> None:
        super().__init__()
        self.peer = peer

    def handle(self, request: Request) -> Reply:
        headers = {name: value for name, value in request.headers.items() if name not in _HOP}
        answer = httpx.request(
            request.method,
            self.peer + request.path,
            params=list(request.query),
            headers=headers,
            content=request.body,
            timeout=30,
        )
        kept = {name: value for name, value in answer.headers.items() if name not in {*_HOP, "content-type"}}
        return Reply(None, answer.status_code, kept, answer.content, answer.headers.get("content-type", ""))
