"""nlp.ANALYZERS and build: the table names what exists, and imports nothing before it is asked."""

import subprocess
import sys

import pytest

from domain.errors import ConfigurationError
from nlp import ANALYZERS, build


def test_keys_are_unique_and_each_row_can_be_built() -> None:
    keys = [row.key for row in ANALYZERS]
    assert len(set(keys)) == len(keys)
    assert all(row.title for row in ANALYZERS)
    assert build("lexicon").model.name == "lexicon"


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"“oracle”.*lexicon"):
        build("oracle")


def test_listing_analyzers_imports_none() -> None:
    code = "import sys, nlp; print(sorted(m for m in sys.modules if m.startswith('nlp.') or m in {'numpy', 'torch'}))"
    listed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == "[]"
