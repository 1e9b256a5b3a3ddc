"""Cached reads and figures of the quality page; see `reads.py` for how they are kept.

Figures are of the whole house: a model is one. The messages behind them are shown as far as the viewer may see them.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import streamlit as st

from dashboard.context import Context
from dashboard.reads import address, cached
from domain.drift import Shift, Window, compare
from domain.label import Field
from domain.mention import MentionId
from domain.quality import ENOUGH, HeadFigures, Pair, PeopleFigures, Report, agreement, measure
from domain.report import read_report
from store.quality import Correction, Reviewed, Reviews, Spoken
from store.windows import RECENT_DAYS, family

CORRECTION_DAYS = 90


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of the reviewed messages; empty means all."""

    lang: str = ""
    network: str = ""
    month: str = ""
    model: str = ""

    def of(self, pairs: Sequence[Pair]) -> list[Pair]:
        """The pairs in it."""
        return [
            pair
            for pair in pairs
            if self.lang in {"", pair.lang}
            and self.network in {"", pair.network}
            and self.month in {"", pair.month}
            and self.model in {"", pair.model}
        ]


@dataclass(frozen=True, slots=True)
class Drift:
    """What came in before and now, and how they compare."""

    reference: Window
    recent: Window
    shifts: tuple[Shift, ...]


def reviews(context: Context, field: Field) -> Reviews:
    """What people said of one question."""
    return cached(context, "quality_reviews", (field,), lambda: context.store.quality.reviews(field))


def figures(context: Context, field: Field, part: Slice) -> HeadFigures:
    """Figures of one question, measured here."""
    return cached(
        context,
        "quality_figures",
        (field, part),
        lambda: measure(part.of(reviews(context, field).pairs), field),
    )


def parts(context: Context, field: Field, part: Slice, by: str) -> list[tuple[str, HeadFigures]]:
    """Figures for each language, network or month; months by time, the others by how much was reviewed."""

    def read() -> list[tuple[str, HeadFigures]]:
        inside = part.of(reviews(context, field).pairs)
        groups: dict[str, list[Pair]] = {}
        for pair in inside:
            groups.setdefault(str(getattr(pair, by)), []).append(pair)
        ranked = sorted(groups.items(), key=lambda row: row[0] if by == "month" else (-len(row[1]), row[0]))
        return [(key, measure(group, field)) for key, group in ranked]

    return cached(context, "quality_parts", (field, part, by), read)


def people(context: Context, field: Field, report: Report) -> PeopleFigures:
    """How far two people agree: here where enough messages were read twice, else where the model was made."""
    here = agreement(field, reviews(context, field).doubles)
    return here if here.get("n", 0) >= ENOUGH else report.get("people", {}).get(field.value, here)


def models(context: Context) -> list[Spoken]:
    """Models that have spoken, the one that speaks now first."""
    return cached(context, "quality_models", (), context.store.quality.models)


def report_of(spoken: Sequence[Spoken], model: str) -> Report:
    """What was measured when a model was made; what its own report does not hold, from the model that it learnt on."""
    known = {row.model: row for row in spoken}
    names = (model, known[model].base if model in known else None, family(model))
    found: Report = {}
    for report in (read_report(known[name].report) for name in names if name in known):
        found = {**report, **found}
    return found


def corrections(context: Context) -> list[Correction]:
    """What the desk corrected and confirmed lately."""
    since = context.now - timedelta(days=CORRECTION_DAYS)
    day = since.date()
    return cached(context, "quality_corrections", (day,), lambda: context.store.quality.corrections(since))


def corrected(context: Context, correction: Correction) -> list[MentionId]:
    """The messages behind one of them."""
    return context.store.quality.corrected(correction, context.now - timedelta(days=CORRECTION_DAYS))


def unsure(context: Context) -> tuple[int, int]:
    """(messages that wait for a person, all) of the last days."""
    until = context.now.astimezone(context.zone).date() + timedelta(days=1)
    since = until - timedelta(days=RECENT_DAYS)
    return cached(context, "quality_unsure", (since,), lambda: context.store.quality.unsure(since, until))


def drift(context: Context, model: str) -> Drift:
    """What comes in, compared; without the sampled signals, which nobody shows.

    A month moves slowly and is long to read: kept for ten minutes whatever is written, unless twice as much came in.
    """
    today = context.now.astimezone(context.zone).date()

    def read() -> Drift:
        reference, recent = context.store.quality.windows(today, model)
        return Drift(replace(reference, seen=()), replace(recent, seen=()), compare(reference, recent))

    size = unsure(context)[1].bit_length()
    return _slow(read, (address(context.store), today, family(model), size))


@st.cache_data(ttl=600, max_entries=50, show_spinner=False)
def _slow(_read: Callable[[], Drift], key: tuple[Hashable, ...]) -> Drift:  # noqa: ARG001 - Streamlit reads the key
    return _read()


def messages(context: Context, ids: Sequence[MentionId], limit: int, offset: int) -> tuple[int, list[Reviewed]]:
    """(how many, a page) of the messages behind a figure, as far as the viewer may see them."""
    return context.store.quality.messages(ids, context.viewer.departments, limit=limit, offset=offset)
