"""Cached reads of the store, keyed by its address, its revision and the arguments.

A write anywhere grows the revision, so nobody sees old numbers; until then, all viewers share one answer. What a viewer may
see must be among the arguments (`departments`), never decided after the cache. Reads by id are quick and stay uncached.
To add a read, write a function that hands `cached` its name, its arguments and the read itself.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

import streamlit as st

from dashboard.context import Context
from store import Store
from store.queue import QueueFilter, QueueRow, View

T = TypeVar("T")


def address(store: Store) -> str:
    """What tells two stores apart in a cache shared by the whole process."""
    return store.database.engine.url.render_as_string(hide_password=True)


def minute(now: datetime) -> str:
    """The minute of a moment: lateness depends on the clock, so a cached answer may be a minute old, not more."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def cached(context: Context, name: str, key: tuple[Any, ...], read: Callable[[], T]) -> T:
    """The answer of `read`, kept until the store changes.

    Args:
        name: name of the read, one per kind of answer.
        key: everything that the answer depends on, besides the store: hashable values, the viewer's departments included.
    """
    store = context.store
    return cast(T, _kept(read, (address(store), store.revision(), name, *key)))


@st.cache_data(ttl=120, max_entries=500, show_spinner=False)
def _kept(_read: Callable[[], Any], key: tuple[Any, ...]) -> Any:  # noqa: ARG001 - Streamlit reads the key
    return _read()


def queue_page(context: Context, f: QueueFilter, page: int) -> list[QueueRow]:
    """At most 50 rows of the queue."""
    me, now = context.viewer.name, context.now
    return cached(
        context,
        "queue_page",
        (f, me, minute(now), page),
        lambda: context.store.queue.page(f, me=me, now=now, page=page),
    )


def queue_counts(context: Context, f: QueueFilter) -> dict[View, int]:
    """How many cases each tab holds under the filter."""
    me, now = context.viewer.name, context.now
    return cached(context, "queue_counts", (f, me, minute(now)), lambda: context.store.queue.counts(f, me=me, now=now))


def filter_values(context: Context, column: str) -> list[str]:
    """What the filter bar offers for a column."""
    return cached(context, "filter_values", (column,), lambda: context.store.queue.values(column))


def mood(context: Context, person_id: str) -> list[tuple[datetime, str]]:
    """What a person felt each time, oldest first; the caller has checked that the viewer may see a case of that person."""
    return cached(context, "mood", (person_id,), lambda: context.store.queue.mood(person_id))
