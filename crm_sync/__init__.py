"""What leaves for the CRM: one module per CRM, listed in CRMS.

A row holds a key and a module path, so that listing CRMs imports none of their SDKs. To add one, write `crm_sync/<crm>.py`
with `SPEC` and `connect(settings) -> CrmConnector`, and add its row here; the contract suite in tests/contracts then asks
for a bench of it. What a record says is made in `records`; connectors turn records into a vendor's words and know neither
the store nor each other.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from domain.contracts import CrmConnector, CrmSpec
from domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class CrmRow:
    """One CRM that Comptoir can tell; `module` is imported only when it is used."""

    key: str
    module: str


CRMS: tuple[CrmRow, ...] = (CrmRow("csv_file", "crm_sync.csv_file"),)


def build(key: str, settings: Mapping[str, str]) -> CrmConnector:
    """The connector of this key, with these settings.

    Raises:
        ConfigurationError: there is no such CRM, or one of its settings is missing or cannot be used.
    """
    return cast(CrmConnector, import_module(_row(key).module).connect(settings))


def spec(key: str) -> CrmSpec:
    """What the CRM of this key is, without connecting. Raises ConfigurationError where there is none."""
    return cast(CrmSpec, import_module(_row(key).module).SPEC)


def _row(key: str) -> CrmRow:
    for row in CRMS:
        if row.key == key:
            return row
    known = ", ".join(row.key for row in CRMS)
    raise ConfigurationError(f"There is no CRM “{key}”. Choose one of: {known}.")
