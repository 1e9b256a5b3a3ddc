"""What a mention says: the table ANALYZERS and `build`, which makes one of them ready.

Each analyzer is a module with `load() -> Analyzer`; listing them imports none. To add one, write the module and one row
below: the contract suite in tests/contracts then runs over it by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from domain.contracts import Analyzer
from domain.errors import ConfigurationError

DEFAULT = "embedded"


@dataclass(frozen=True, slots=True)
class AnalyzerRow:
    """One analyzer, as data.

    Attributes:
        module: path of the module that holds `load() -> Analyzer`.
        learns: whether `load` takes `heads`, learnt from a retailer's own labels.
    """

    key: str
    title: str
    module: str
    learns: bool = False


ANALYZERS: tuple[AnalyzerRow, ...] = (
    AnalyzerRow("embedded", "Shipped multilingual model", "nlp.embedded", learns=True),
    AnalyzerRow("lexicon", "Word lists, French and English", "nlp.lexicon"),
)


def build(
    name: str = DEFAULT, *, heads: bytes | None = None, hub: Mapping[str, Mapping[str, Any]] | None = None
) -> Analyzer:
    """The analyzer called `name`, ready to work.

    Args:
        heads: what was learnt from a retailer's own labels; None: as it was shipped.
        hub: question -> the model that answers it instead, as the fields of `nlp.hub_model.HubHead`.

    Raises:
        ConfigurationError: there is no such analyzer, it or a hub model cannot be loaded, or it does not learn.
    """
    analyzer = _build(name, heads)
    if not hub:
        return analyzer
    answered: Analyzer = import_module("nlp.hub").load(analyzer, hub)
    return answered


def _build(name: str, heads: bytes | None) -> Analyzer:
    row = next((row for row in ANALYZERS if row.key == name), None)
    if row is None:
        known = ", ".join(row.key for row in ANALYZERS)
        raise ConfigurationError(f"There is no analyzer “{name}”. Nothing was analysed. Choose one of: {known}.")
    load = import_module(row.module).load
    if heads is None:
        analyzer: Analyzer = load()
        return analyzer
    if not row.learns:
        raise ConfigurationError(
            f"The analyzer “{name}” does not learn from labels, so what was learnt for another cannot be used with it. "
            "Undo it, or choose the analyzer that it was learnt for."
        )
    learnt: Analyzer = load(heads=heads)
    return learnt
