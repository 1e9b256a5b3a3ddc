"""Stages that are served, and shops on a store that was migrated once for the whole run."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from domain.clock import Calendar
from store import Store
from tests.fakes.http_server import serve
from tests.networks.shop import Shop
from tests.networks.stage import Stage
from tests.networks.table import STAGES

OpenShop = Callable[[Stage], Shop]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, calendar: Calendar) -> Path:
    """An empty store's file."""
    path = tmp_path_factory.mktemp("networks") / "empty.sqlite"
    Store.open(f"sqlite:///{path}", calendar).close()
    return path


@pytest.fixture(params=STAGES, ids=lambda made: made.key)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """One network's stage at work."""
    made: Stage = request.param()
    with serve(made.vendor):
        yield made


@pytest.fixture
def open_shop(template: Path, tmp_path: Path, open_store: Callable[[str], Store]) -> OpenShop:
    """Opens shops, each with a store of its own."""
    opened: list[Path] = []

    def open_one(stage: Stage) -> Shop:
        opened.append(tmp_path / f"shop{len(opened)}.sqlite")
        shutil.copy(template, opened[-1])
        return Shop(open_store(f"sqlite:///{opened[-1]}"), stage)

    return open_one


@pytest.fixture
def shop(stage: Stage, open_shop: OpenShop) -> Shop:
    """A shop on the stage."""
    return open_shop(stage)
