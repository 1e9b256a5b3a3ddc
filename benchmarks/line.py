"""The first line: import, analyze + route, and what they are compared with.

Each row runs in a process of its own, so that its peak memory is its own. The rows come from the demo story, repeated under new
ids, or from a JSONL file of yours. Read the ratios: absolute figures depend on the machine and on what else it does.
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

NOW = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)


def write_rows(path: Path, count: int) -> None:
    """A JSONL file of `count` messages from the demo story."""
    from collectors.demo_story import lay_out

    said = [item for item in lay_out(NOW).items if not item["from_brand"]]
    with path.open("w", encoding="utf-8") as handle:
        for number in range(count):
            item = said[number % len(said)]
            row = {
                "id": f"{item['id']}-{number}",
                "text": item["text"],
                "author": f"{item['author']['id']}-{number // len(said)}",
                "date": (item["time"] + timedelta(seconds=number)).isoformat(),
            }
            handle.write(json.dumps(row, ensure_ascii=False) + "\n")


def _worker(folder: Path) -> Any:
    import cli
    from settings import load_settings

    settings = load_settings(data_dir=folder, database_url="", sources=[], crms=None, analyzer="lexicon")
    return settings, cli.build_worker(settings, cli._open(settings))


def import_file(folder: Path, source: Path) -> int:
    """Our import: parsed, mapped, stored, counted, resumable."""
    _, worker = _worker(folder)
    settings = {"path": str(source), "network": "x", "imported_at": NOW.isoformat()}
    made = worker.store.sources.ensure("bench", "files", "Bench", settings, polled=False)
    pages = worker.collector_of(made).fetch(worker.watch, None)
    return sum(worker.store.mentions.add_page("bench", page, NOW).stored for page in pages)


def pandas_to_sql(folder: Path, source: Path) -> int:
    """What a notebook would do: read_json and to_sql; no ids, no duplicates, no counts, all in memory."""
    import sqlite3

    import pandas as pd

    frame = pd.read_json(source, lines=True, dtype=False, convert_dates=False)
    folder.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(folder / "pandas.sqlite") as connection:
        frame.to_sql("mentions", connection, index=False)
    return len(frame)


def analyze_and_route(folder: Path, _source: Path) -> int:
    """Our analyze and route steps on what was imported: analyses, cases, audit, counts, outbox."""
    import worker as steps

    _, worker = _worker(folder)
    report = steps.Report()
    steps.analyze(worker, report)
    steps.route(worker, report)
    return report.routed


def analyzer_alone(_folder: Path, source: Path) -> int:
    """The lexicon without the store."""
    import nlp
    from domain.mention import Mention

    analyzer = nlp.build("lexicon")
    with source.open(encoding="utf-8") as handle:
        said = [Mention("x", str(n), str(json.loads(line)["text"]), NOW) for n, line in enumerate(handle)]
    return sum(len(analyzer.analyze(said[start : start + 256])) for start in range(0, len(said), 256))


def _measured(call: Callable[[Path, Path], int], folder: Path, source: Path, pipe: Any) -> None:
    start = time.perf_counter()
    count = call(folder, source)
    seconds = time.perf_counter() - start
    pipe.send((count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def measure(call: Callable[[Path, Path], int], folder: Path, source: Path) -> tuple[int, float, float]:
    """(rows, seconds without start-up of Python, peak MB) of one call in a fresh process."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_measured, args=(call, folder, source, sender))
    process.start()
    sender.close()
    result: tuple[int, float, float] = receiver.recv()
    process.join()
    return result


def main() -> None:
    """Run all and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=12_000)
    parser.add_argument("--file", type=Path, help="JSONL with a `text` in each row")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = options.file or folder / "rows.jsonl"
        if options.file is None:
            write_rows(source, options.rows)
        print(f"{'':34}{'rows':>8}{'seconds':>9}{'rows/s':>9}{'MB':>7}   ratio")
        for ours, other in ((import_file, pandas_to_sql), (analyze_and_route, analyzer_alone)):
            mine, theirs = measure(ours, folder / "store", source), measure(other, folder / "other", source)
            base = theirs[0] / theirs[1]
            for call, (count, seconds, peak) in ((ours, mine), (other, theirs)):
                speed = count / seconds
                print(f"{call.__name__:34}{count:8,}{seconds:9.2f}{speed:9,.0f}{peak:7.0f}   {speed / base:.2f}")
            sys.stdout.flush()
