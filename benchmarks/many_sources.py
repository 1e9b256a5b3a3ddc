"""Fifty sources polled by one worker: side by side, and one after the other, each in a process of its own.

The sources are feeds on this machine, each of 20 entries, that answer after 300 ms, as networks do. Read the ratio and the peak
memory: absolute times depend on the machine.
"""

import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.line import _worker, measure

SOURCES, ENTRIES, LATENCY = 50, 20, 0.3
NOW = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)
_ENTRY = (
    "<item><title>Avis {n}</title><link>http://blog.example/{path}/{n}</link><guid>{path}-{n}</guid>"
    "<pubDate>{date}</pubDate><description>Colis {n} jamais reçu, personne ne répond.</description></item>"
)


class _Feed(BaseHTTPRequestHandler):
    """Any path is a feed of its own."""

    def do_GET(self) -> None:
        """Answer, after a while."""
        time.sleep(LATENCY)
        path, dates = self.path.strip("/"), [format_datetime(NOW - timedelta(hours=n)) for n in range(ENTRIES)]
        items = "".join(_ENTRY.format(n=n, path=path, date=date) for n, date in enumerate(dates))
        body = f'<?xml version="1.0"?><rss version="2.0"><channel><title>{path}</title>{items}</channel></rss>'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/rss+xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_words: object) -> None:
        """Nothing."""


def _serve(told: Connection) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Feed)
    server.daemon_threads = True
    told.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def _web() -> Iterator[str]:
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(sender,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{receiver.recv()}"
    finally:
        process.terminate()
        process.join()


def _poll(folder: Path, at: Path, threads: int) -> int:
    from concurrent.futures import ThreadPoolExecutor
    from dataclasses import replace

    import worker as steps
    from worker_collect import Readers, collect

    _, worker = _worker(folder)
    base = at.read_text("utf-8")
    for number in range(SOURCES):
        settings = {"url": f"{base}/{number}", "allow_private": "yes"}
        worker.store.sources.ensure(f"s{number}", "feed", f"Feed {number}", settings)
    pool = Readers(pool=ThreadPoolExecutor(threads))
    report = steps.Report()
    collect(replace(worker, readers=pool), report)
    pool.close()
    return report.collected


def side_by_side(folder: Path, at: Path) -> int:
    """As the worker does."""
    from worker_collect import SIDE_BY_SIDE

    return _poll(folder, at, SIDE_BY_SIDE)


def one_by_one(folder: Path, at: Path) -> int:
    """A single reader."""
    return _poll(folder, at, 1)


def main() -> None:
    """Print both, and what they are to each other."""
    print(f"{SOURCES} sources of {ENTRIES} messages, {LATENCY:.1f} s an answer")
    with tempfile.TemporaryDirectory() as name, _web() as base:
        at = Path(name) / "address"
        at.write_text(base, "utf-8")
        seconds = {}
        for call in (side_by_side, one_by_one):
            count, seconds[call.__name__], peak = measure(call, Path(name) / call.__name__, at)
            print(f"  {call.__name__:<14} {count:>6,} stored {seconds[call.__name__]:>6.1f} s {peak:>6.0f} MB at most")
    print(f"  side by side is {seconds['one_by_one'] / seconds['side_by_side']:.1f} times faster")


if __name__ == "__main__":
    main()
