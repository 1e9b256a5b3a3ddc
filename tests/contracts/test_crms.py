"""The CRM contract over the table CRMS, and over doubles that break it."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

import crm_sync
from crm_sync import CRMS
from domain.contracts import CrmConnector
from domain.errors import ConfigurationError
from tests.contracts.crm_suite import BROKEN, CHECKS, Bench, Check, MemoryBench


class CsvBench:
    """The files of `csv_file`, read as a stranger would read them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def connector(self) -> CrmConnector:
        return crm_sync.build("csv_file", {"folder": str(self._folder / "crm")})

    def misconfigured(self) -> Sequence[CrmConnector]:
        taken = self._folder / "taken"
        taken.write_text("a file where the folder should be")
        altered = self._folder / "altered" / "odoo"
        altered.mkdir(parents=True)
        (altered / "res.partner.csv").write_text("id;name;email;phone;ref\n")
        folders = [taken, taken / "below", altered.parent, Path("/proc/comptoir")]
        return [crm_sync.build("csv_file", {"folder": str(folder)}) for folder in folders]

    def rows(self) -> list[str]:
        found = []
        for path in (self._folder / "crm").rglob("*.csv"):
            with path.open(encoding="utf-8-sig", newline="") as file:
                found += [f"{path.parent.name}/{path.name} {row}" for row in csv.DictReader(file, strict=True)]
        return sorted(found)


BENCHES: dict[str, Callable[[Path], Bench]] = {"csv_file": CsvBench}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("key", [row.key for row in CRMS])
def test_crm_keeps_the_contract(key: str, check: Check, tmp_path: Path) -> None:
    check(BENCHES[key](tmp_path))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_right_double_passes(check: Check) -> None:
    check(MemoryBench())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_broken_double_fails(check: Check) -> None:
    with pytest.raises((AssertionError, KeyError, OSError)):
        check(MemoryBench(BROKEN[check]))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_a_broken_double_breaks_little_else(check: Check) -> None:
    # A double that fails everything would prove nothing about its check.
    failed = 0
    for other in CHECKS:
        try:
            other(MemoryBench(BROKEN[check]))
        except (AssertionError, KeyError, OSError):
            failed += 1
    assert 1 <= failed <= len(CHECKS) // 2


@pytest.mark.parametrize("key", [row.key for row in CRMS])
def test_spec_is_the_tables(key: str, tmp_path: Path) -> None:
    spec = crm_sync.spec(key)
    assert spec.key == key and spec == BENCHES[key](tmp_path).connector().spec
    assert len({setting.key for setting in spec.settings}) == len(spec.settings)


def test_an_unknown_key_names_the_known_ones() -> None:
    for ask in (lambda: crm_sync.build("sugar", {}), lambda: crm_sync.spec("sugar")):
        with pytest.raises(ConfigurationError, match=r"sugar.*csv_file"):
            ask()
