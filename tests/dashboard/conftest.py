"""Fixtures of the dashboard's tests: a filled store and an empty one, caches that no test leaves to the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from dashboard.i18n import set_language
from domain.clock import Calendar
from store import Store
from tests.dashboard import counter


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    set_language("fr")
    yield
    st.cache_data.clear()
    st.cache_resource.clear()
    set_language("fr")


@pytest.fixture
def empty(tmp_path: Path, calendar: Calendar) -> Iterator[Store]:
    """A store that holds nothing."""
    store = counter.open_store(tmp_path, calendar)
    yield store
    store.close()


@pytest.fixture
def filled(empty: Store) -> Store:
    """A store with the people of `counter.SAID`."""
    counter.fill(empty)
    return empty
