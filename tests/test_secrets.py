"""Secrets: the environment first, then the file of their own, which only its owner can read and which is never half written."""

import json
import os
import stat
from pathlib import Path

import pytest

from domain.errors import ConfigurationError
from settings import SecretsFile, resolve_secrets


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COMPTOIR_DATA_DIR", str(tmp_path / "data"))


def test_what_was_pasted_is_found_and_the_environment_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = SecretsFile(tmp_path / "data" / "secrets.json")
    file.keep({"A_TOKEN": "pasted", "B_TOKEN": "é"})
    file.keep({"A_TOKEN": "pasted again"})
    assert file.read() == {"A_TOKEN": "pasted again", "B_TOKEN": "é"}
    assert resolve_secrets({"token": "env:A_TOKEN", "host": "h"}, "source a") == {"token": "pasted again", "host": "h"}
    monkeypatch.setenv("A_TOKEN", "of the environment")
    assert resolve_secrets({"token": "env:A_TOKEN"}, "source a") == {"token": "of the environment"}
    with pytest.raises(ConfigurationError, match="C_TOKEN, which is not set"):
        resolve_secrets({"token": "env:C_TOKEN"}, "source a")


def test_only_its_owner_may_read_it_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = SecretsFile(tmp_path / "data" / "secrets.json")
    file.keep({"A_TOKEN": "x"})
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [path.name for path in file.path.parent.iterdir()] == ["secrets.json"]


@pytest.mark.parametrize("written", ["{", "[]", json.dumps({"A": 3})])
def test_a_damaged_file_says_so_and_is_not_written_over(tmp_path: Path, written: str) -> None:
    file = SecretsFile(tmp_path / "secrets.json")
    file.path.write_text(written, "utf-8")
    with pytest.raises(ConfigurationError, match=r"secrets\.json"):
        file.keep({"A": "x"})
    assert file.path.read_text("utf-8") == written


def test_a_disk_that_fails_leaves_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SecretsFile(tmp_path / "secrets.json")
    file.keep({"A": "old"})

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ConfigurationError, match="No space"):
        file.keep({"A": "new"})
    assert file.read() == {"A": "old"} and [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
