"""What a mention says: the table ANALYZERS and `build`, which makes one of them ready.

Each analyzer is a module with `load() -> Analyzer`; listing them imports none. To add one, write the module and one row
below: the contract suite in tests/contracts then runs over it by itself.
"""

from dataclasses import dataclass
from importlib import import_module

from domain.contracts import Analyzer
from domain.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class AnalyzerRow:
    """One analyzer, as data.

    Attributes:
        module: path of the module that holds `load() -> Analyzer`.
    """

    key: str
    title: str
    module: str


ANALYZERS: tuple[AnalyzerRow, ...] = (AnalyzerRow("lexicon", "Word lists, French and English", "nlp.lexicon"),)


def build(name: str = "lexicon") -> Analyzer:
    """The analyzer called `name`, ready to work.

    Raises:
        ConfigurationError: there is no such analyzer.
    """
    for row in ANALYZERS:
        if row.key == name:
            analyzer: Analyzer = import_module(row.module).load()
            return analyzer
    known = ", ".join(row.key for row in ANALYZERS)
    raise ConfigurationError(f"There is no analyzer “{name}”. Nothing was analysed. Choose one of: {known}.")
