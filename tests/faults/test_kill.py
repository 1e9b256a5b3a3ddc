"""Killed anywhere, started again, the flow ends as if nothing had happened, and no answer leaves twice.

A child process plays a script (passes of the worker, answers of a person) and is ended by SIGKILL at its Nth step boundary:
before and after each commit, each call to the network, each push to the CRM, each flush and each replace of a file. A second
child plays the script from its beginning on what the first one left. The end is compared with an unbroken run.
"""

import csv
import json
import os
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
import sqlalchemy as sa

import crm_sync
import nlp
import worker as steps
import worker_send
from collectors import demo
from collectors.demo_network import DemoNetwork
from collectors.demo_story import Story, lay_out
from domain.clock import Calendar
from domain.mention import MentionId
from store import Store, schema

ANCHOR = datetime(2026, 3, 10, 19, 0, tzinfo=UTC)
MESSAGES = 36
CALENDAR = Calendar(ZoneInfo("Europe/Paris"))

# When the machine acted: these may differ after a restart, everything else may not.
ACTING_TIMES = {
    "sources": {"last_started_at", "last_ok_at"},
    "outbox": {"sent_at", "lease_until", "due_at", "attempt_count", "created_at"},
    "cases": {"first_reply_at", "last_reply_at", "version"},
    "mentions": {"collected_at"},
    "analyses": {"at"},
    "identity_links": {"created_at"},
    "audit": {"id", "at", "data"},
}


class Boundaries:
    """Counts step boundaries and ends the process at the Nth."""

    def __init__(self, kill_at: int | None) -> None:
        self.count, self.kill_at = 0, kill_at
        self.names: list[str] = []

    def tick(self, name: str) -> None:
        self.count += 1
        self.names.append(name)
        if self.count == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.tick(f"before {name}")
            result = call(*args, **kwargs)
            self.tick(f"after {name}")
            return result

        return wrapped


def small_story() -> Story:
    whole = lay_out(ANCHOR)
    said = {item["conversation"] for item in whole.items[:MESSAGES]}
    items = [item for item in whole.items[: MESSAGES * 3] if item["conversation"] in said][:MESSAGES]
    return Story(items, [], whole.customers[:6])


STORY = small_story()


class SmallDemo(demo.DemoCollector):
    """The demo source with a short story."""

    story = STORY  # type: ignore[assignment]


def play(url: str, folder: Path, boundaries: Boundaries) -> None:
    """The script: three passes, with two answers of a person after the first."""
    clock = [ANCHOR + timedelta(minutes=1)]
    store = Store.open(url, CALENDAR)
    real_commit = store.database.engine.dialect.do_commit
    store.database.engine.dialect.do_commit = boundaries.around("commit", real_commit)  # type: ignore[method-assign]
    network = DemoNetwork(folder / "network")
    network.post = boundaries.around("post", network.post)  # type: ignore[method-assign]
    network.page = boundaries.around("page", network.page)  # type: ignore[method-assign]
    os.fsync = boundaries.around("fsync", os.fsync)
    os.replace = boundaries.around("replace", os.replace)
    crm = crm_sync.build("csv_file", {"folder": str(folder / "crm")})
    crm.push = boundaries.around("push", crm.push)  # type: ignore[method-assign]
    demo.PAGE_SIZE = 12
    steps.ANALYZE_BATCH, steps.ROUTE_BATCH, worker_send.SEND_BATCH = 15, 15, 20
    store.sources.ensure("demo", "demo", "Demo", {})
    worker = steps.Worker(
        store=store,
        analyzer=nlp.build("lexicon"),
        collector_of=lambda _source: SmallDemo(ANCHOR, network, lambda: clock[0]),
        crms={"csv_file": crm},
        interval=timedelta(0),
        now=lambda: clock[0],
    )
    for turn in range(4):
        steps.run_once(worker)
        if turn == 0:
            answer(store, clock[0])
        clock[0] += timedelta(minutes=10)


def answer(store: Store, now: datetime) -> None:
    """A person answers three messages; the keys are those of the drafts, the same whenever it is asked."""
    asked = [item for item in STORY.items if not item["from_brand"] and item["network"] in {"mail", "facebook"}][:3]
    for item in asked:
        mention_id = MentionId(f"{item['network']}:{item['id']}")
        for case_id in store.mentions.case_ids([mention_id]):
            key = f"reply:{mention_id}"
            store.cases.reply(
                case_id, mention_id, "Bonjour, on regarde.", source_key="demo", key=key, actor="Awa", now=now
            )


def in_child(url: str, folder: Path, kill_at: int | None) -> tuple[bool, list[str]]:
    """Play in a process of its own: (ended by the kill, names of the boundaries passed)."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        boundaries = Boundaries(kill_at)
        try:
            play(url, folder, boundaries)
            os.write(write_end, json.dumps(boundaries.names).encode()[:60_000])
            os._exit(0)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
            os._exit(70)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        told = pipe.read()
    _, how = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGKILL
    assert killed or os.WEXITSTATUS(how) == 0, "the script failed in the child"
    return killed, json.loads(told) if told else []


def final_state(url: str, folder: Path) -> dict[str, Any]:
    """All tables without the times at which the machine acted; the network's answers; the CRM's files."""
    store = Store.open(url, CALENDAR)
    state: dict[str, Any] = {}
    with store.database.read() as connection:
        for table in schema.metadata.sorted_tables:
            if table.name == "revision":
                continue
            skipped = ACTING_TIMES.get(table.name, set())
            rows = []
            for row in connection.execute(sa.select(table)).mappings():
                values = {key: value for key, value in row.items() if key not in skipped}
                if table.name == "mentions" and row["outbound"] and row["native_id"].startswith("r"):
                    values.pop("created_at")  # when the network took our answer
                    values.pop("raw")  # there only where the network told us of it before our own record was written
                if table.name.startswith("rollup") and not row["count"]:
                    continue
                rows.append(repr(sorted(values.items(), key=lambda item: item[0])))
            state[table.name] = sorted(rows)
    found = store.rebuild_rollups(write=False)
    store.close()
    assert found == []
    state["network"] = sorted((r["network"], r["parent"], r["text"]) for r in DemoNetwork(folder / "network").replies())
    for path in sorted((folder / "crm").rglob("*.csv")):
        with path.open(encoding="utf-8-sig", newline="") as handle:
            state[str(path.relative_to(folder))] = sorted(map(tuple, csv.reader(handle)))
    return state


@contextmanager
def sqlite_place(tmp_path: Path) -> Iterator[Callable[[str], str]]:
    template = tmp_path / "template.sqlite"
    Store.open(f"sqlite:///{template}", CALENDAR).close()

    def make(name: str) -> str:
        path = tmp_path / f"{name}.sqlite"
        for suffix in ("", "-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        shutil.copy(template, path)
        return f"sqlite:///{path}"

    yield make


@contextmanager
def postgres_place(server: str, template: str) -> Iterator[Callable[[str], str]]:
    head, _, tail = server.partition("?")
    made: list[str] = []

    def make(name: str) -> str:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS kill_{name} WITH (FORCE)")  # type: ignore[arg-type]
            connection.execute(f"CREATE DATABASE kill_{name} TEMPLATE {template}")  # type: ignore[arg-type]
        made.append(f"kill_{name}")
        return f"{head.rpartition('/')[0]}/kill_{name}" + (f"?{tail}" if tail else "")

    yield make
    with psycopg.connect(server, autocommit=True) as connection:
        for name in set(made):
            connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]


def check_all(make: Callable[[str], str], tmp_path: Path, points: int | None) -> None:
    """Kill at `points` boundaries spread over the script (None: at each one) and compare."""
    whole = tmp_path / "whole"
    url = make("whole")
    killed, names = in_child(url, whole, None)
    assert not killed
    expected = final_state(url, whole)
    assert len(expected["network"]) == 3 and any(key.startswith("crm/") for key in expected)
    kinds = {name.split()[1] for name in names}
    assert {"commit", "page", "post", "push"} <= kinds
    total = len(names)
    chosen = (
        range(1, total + 1)
        if points is None
        else sorted({round(1 + i * (total - 1) / (points - 1)) for i in range(points)})
    )
    assert total >= 30, f"only {total} boundaries"
    for kill_at in chosen:
        folder = tmp_path / f"k{kill_at}"
        url = make("broken")
        killed, _ = in_child(url, folder, kill_at)
        assert killed, f"boundary {kill_at} was never reached"
        in_child(url, folder, None)
        state = final_state(url, folder)
        for part in expected:
            assert state.get(part) == expected[part], f"killed {names[kill_at - 1]} (#{kill_at}): {part} differs"
        shutil.rmtree(folder)


def test_killed_anywhere_on_sqlite(tmp_path: Path) -> None:
    with sqlite_place(tmp_path) as make:
        check_all(make, tmp_path, 20)


def test_killed_anywhere_on_postgresql(tmp_path: Path, postgres_server: str, postgres_template: str) -> None:
    with postgres_place(postgres_server, postgres_template) as make:
        check_all(make, tmp_path, 20)


@pytest.mark.slow
def test_killed_at_each_boundary_on_sqlite(tmp_path: Path) -> None:
    with sqlite_place(tmp_path) as make:
        check_all(make, tmp_path, None)


@pytest.mark.slow
def test_killed_at_each_boundary_on_postgresql(tmp_path: Path, postgres_server: str, postgres_template: str) -> None:
    with postgres_place(postgres_server, postgres_template) as make:
        check_all(make, tmp_path, None)
