"""Days: the period that a person chose, one value a day, the loud days and their runs. Pure; no Streamlit runs here."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date

from dashboard.i18n import language, t, title_of
from dashboard.views import network_title
from domain.analysis import Sentiment
from domain.taxonomy import INTENT_BY_KEY
from store.indicators import Indicator, Reading, Scope, Spike, VolumeRow

PERIODS = (7, 30, 40)
SMOOTHING = 7  # days; a rate of few orders a day says nothing, a week's does


def scope_of(choice: str, custom: Sequence[date], today: date) -> tuple[date, date]:
    """(since, until) of what the person chose: a number of days up to today, or the two dates of `custom`, both included.

    Half a choice (one date, an unknown word) is the first period of the list: a page always shows something true.
    """
    if choice == "custom" and len(custom) == 2:
        first, last = sorted(custom)
        return first, min(last, today) + timedelta(days=1)
    days = int(choice) if choice.isdigit() and int(choice) in PERIODS else PERIODS[0]
    return today - timedelta(days=days - 1), today + timedelta(days=1)


def day_title(day: date, *, weekday: bool = False) -> str:
    """`3 nov.`, or `mardi 3 novembre`."""
    pattern = "EEEE d MMMM" if weekday else "d MMM"
    return str(format_date(day, pattern, locale="fr_FR" if language() == "fr" else "en_GB"))


def days_title(first: date, last: date) -> str:
    """A run of days: `3 nov.`, `3–7 nov.`, `28 oct.–3 nov.`."""
    if first == last:
        return day_title(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{day_title(last)}"
    return f"{day_title(first)}–{day_title(last)}"


def smoothed(indicator: Indicator, reading: Reading) -> list[tuple[date, float | None]]:
    """One value a day. Means and rates over two weeks or more are of the seven days before, weighted by their samples."""
    rows = reading.series
    if indicator.how not in {"mean", "per_1000"} or len(rows) < 2 * SMOOTHING:
        return [(day, value) for day, value, _ in rows]
    found: list[tuple[date, float | None]] = []
    for index, (day, _, _) in enumerate(rows):
        window = [(v, n) for _, v, n in rows[max(0, index - SMOOTHING + 1) : index + 1] if v is not None and n]
        weight = sum(n for _, n in window)
        found.append((day, sum(v * n for v, n in window) / weight if weight else None))
    return found


@dataclass(frozen=True, slots=True)
class Episode:
    """Loud days in a row; `peak` is the loudest."""

    first: date
    last: date
    peak: Spike

    @property
    def title(self) -> str:
        """`23–27 nov.`"""
        return days_title(self.first, self.last)


def counts_by_day(rows: Sequence[VolumeRow], scope: Scope, today: date) -> tuple[list[date], dict[str, list[int]]]:
    """Days in a row and, for each sentiment ("" for not analysed yet), its messages a day.

    From the first day of which anything is known: what lies before is no data, not zero. No days where nothing is known.
    """
    counted = {(row.label, row.split): row.count for row in rows}
    first = min((row.label for row in rows if row.count), default=None)
    if first is None:
        return [], {}
    days = [day for day in scope.days() if date.fromisoformat(first) <= day <= today]
    kinds = [sentiment.value for sentiment in Sentiment]
    kinds += [""] if any(row.split == "" and row.count for row in rows) else []
    return days, {kind: [counted.get((day.isoformat(), kind), 0) for day in days] for kind in kinds}


def episodes(spikes: Sequence[Spike], most: int = 4) -> list[Episode]:
    """Loud days of the same subject in a row, the loudest `most` of them, by time; what a louder one covers is left out."""
    by_subject: dict[tuple[str, str], list[Spike]] = {}
    for spike in spikes:
        by_subject.setdefault((spike.network, spike.intent), []).append(spike)
    runs = [run for found in by_subject.values() for run in _runs(sorted(found, key=lambda s: s.day))]
    chosen: list[Episode] = []
    for run in sorted(runs, key=lambda r: (-sum(map(_excess, r)), r[0].day, r[0].network, r[0].intent)):
        episode = Episode(run[0].day, run[-1].day, max(run, key=_excess))
        if len(chosen) < most and all(episode.last < e.first or episode.first > e.last for e in chosen):
            chosen.append(episode)
    return sorted(chosen, key=lambda e: e.first)


def _excess(spike: Spike) -> float:
    return spike.value - spike.expected


def _runs(spikes: Sequence[Spike]) -> list[list[Spike]]:
    runs: list[list[Spike]] = []
    for spike in spikes:
        if runs and spike.day - runs[-1][-1].day == timedelta(days=1):
            runs[-1].append(spike)
        else:
            runs.append([spike])
    return runs


def spike_subject(spike: Spike) -> str:
    """What was louder: a network, an intent, or everything together."""
    if spike.intent:
        return title_of(INTENT_BY_KEY[spike.intent])
    return network_title(spike.network) if spike.network else t("tous réseaux")
