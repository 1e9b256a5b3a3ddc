"""Fixtures of the training tests: the tiny inputs, written once a test."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

_spec = importlib.util.spec_from_file_location("tiny_training_inputs", Path(__file__).with_name("tiny.py"))
assert _spec is not None and _spec.loader is not None
_tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_tiny)


@pytest.fixture(scope="session")
def tiny() -> ModuleType:
    """The module tiny.py beside this file."""
    return _tiny


@pytest.fixture
def data_folder(tmp_path: Path, tiny: ModuleType) -> Path:
    """A data folder with a few lines in every file."""
    tiny.write_data(tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def weights_file(tmp_path: Path, tiny: ModuleType) -> Path:
    """A file of base weights, two layers of 32."""
    tiny.write_base(tmp_path / "tiny.bin")
    return tmp_path / "tiny.bin"


@pytest.fixture(autouse=True)
def no_written_messages_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of written messages beside the recipe is empty here: tests bring their own."""
    from nlp.train import ours

    monkeypatch.setattr(ours, "HERE", tmp_path / "written")
