"""What the listening page shows beside the indicators: volumes, ordinary verbatims, loud days.

Volumes and spikes come from the roll-ups, so that a year of a million mentions is read in milliseconds; only a filter by
store or product, which the roll-ups do not know, goes to the rows.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from statistics import fmean, median, stdev
from typing import Any

import sqlalchemy as sa

from store import schema
from store.indicators.facts import Condition, Facts, Frame, mention_facts, rollup_facts
from store.indicators.reading import names_of
from store.indicators.subjects import ONE, SPAM
from store.indicators.values import Scope, Spike, Verbatim, VolumeBy, VolumeRow

SPIKE_WINDOW = 7  # days
SPIKE_SIGMAS = 2.0
SPIKE_AT_LEAST = 5  # below, two messages instead of none would be a spike
VERBATIM_LENGTH = (25, 420)  # characters: a word alone says little, a page is not read
VERBATIM_CANDIDATES = 100


def _counted(frame: Frame, columns: Any, *where: Condition) -> Facts:
    # `columns` picks the table that `where` was written for.
    if columns is schema.mentions.c:
        return mention_facts(frame, where, ONE)
    return rollup_facts(frame, where, ONE)


def _columns(frame: Frame) -> Any:
    return schema.mentions.c if frame.by_rows_only else schema.rollup_mentions.c


def volume(connection: sa.Connection, frame: Frame, by: VolumeBy, split: VolumeBy | None) -> list[VolumeRow]:
    """How many mentions of others, one way or two."""
    facts = _counted(frame, _columns(frame))
    keys = [facts.columns[by]] + ([facts.columns[split]] if split else [])
    rows = connection.execute(facts.select(*keys, facts.count).group_by(*keys)).all()
    found = [VolumeRow(row[0], row[1] if split else "", int(row[-1])) for row in rows]
    totals, parts = Counter[str](), Counter[str]()
    for row in found:
        totals[row.label] += row.count
        parts[row.split] += row.count
    if by == "day":
        known = {(row.label, row.split): row for row in found}
        days = _run(totals)
        return [known.get((day, part)) or VolumeRow(day, part, 0) for day in days for part in _largest(parts)]
    rank = {label: place for place, label in enumerate(_largest(totals))}
    return sorted(found, key=lambda row: (rank[row.label], -row.count, row.split))


def _largest(counter: Counter[str]) -> list[str]:
    return sorted(counter, key=lambda key: (-counter[key], key))


def _run(days: Mapping[str, int]) -> list[str]:
    # Every day from the first to the last of which something is known.
    if not days:
        return []
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    return [day.isoformat() for day in Scope(first, last + timedelta(days=1)).days()]


def spikes(connection: sa.Connection, frame: Frame) -> list[Spike]:
    """Days louder than their week: count of the day > mean + 2 × standard deviation of the seven days before.

    Source: Socialmetrix help, Variation alerts, which compares 24-hour and 7-day means; here by the shop's calendar days.
    """
    columns = _columns(frame)
    with_week = replace(frame.scope, since=frame.scope.since - timedelta(days=SPIKE_WINDOW))
    facts = _counted(replace(frame, scope=with_week), columns, columns.intent != SPAM)
    keys = [facts.columns[name] for name in ("day", "network", "intent")]
    series: defaultdict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for day, network, intent, count in connection.execute(facts.select(*keys, facts.count).group_by(*keys)):
        series["", ""][day] += int(count)
        series[network, ""][day] += int(count)
        if intent:
            series["", intent][day] += int(count)
    r = schema.rollup_mentions.c
    first = connection.scalar(sa.select(r.day).where(r["count"] > 0).order_by(r.day).limit(1))
    if first is None:
        return []
    found = [
        spike
        for (network, intent), days in series.items()
        for spike in _loud(days, frame.scope, date.fromisoformat(first), network, intent)
    ]
    return sorted(found, key=lambda spike: (-(spike.value - spike.threshold), spike.day, spike.network, spike.intent))


def _loud(days: Mapping[str, int], scope: Scope, first: date, network: str, intent: str) -> Iterator[Spike]:
    for day in scope.days():
        week = [day - timedelta(days=back) for back in range(1, SPIKE_WINDOW + 1)]
        value = days.get(day.isoformat(), 0)
        if value < SPIKE_AT_LEAST or week[-1] < first:
            continue
        usual = [days.get(each.isoformat(), 0) for each in week]
        expected = fmean(usual)
        threshold = expected + SPIKE_SIGMAS * stdev(usual)
        if value > threshold:
            yield Spike(day, network, intent, value, expected, threshold)


def verbatims(connection: sa.Connection, frame: Frame, limit: int) -> list[Verbatim]:
    """Ordinary words: shared out over (sentiment, intent) as the mentions are, of ordinary length, newest of these."""
    columns = _columns(frame)
    facts = _counted(frame, columns, columns.sentiment != "", columns.intent != SPAM)
    keys = [facts.columns["sentiment"], facts.columns["intent"]]
    strata = {
        (sentiment, intent): int(count)
        for sentiment, intent, count in connection.execute(facts.select(*keys, facts.count).group_by(*keys))
    }
    chosen: list[Mapping[Any, Any]] = []
    for (sentiment, intent), seats in _seats(strata, limit).items():
        chosen += _ordinary(connection, frame, sentiment, intent, seats, {row["account_id"] for row in chosen})
    names = names_of(connection, chosen)
    return [
        Verbatim(
            row["id"],
            row["case_id"],
            row["created_at"],
            row["network"],
            names.get(row["account_id"], ""),
            row["text"],
            row["sentiment"],
            row["intent"],
        )
        for row in chosen
    ]


def _seats(strata: Mapping[tuple[str, str], int], limit: int) -> dict[tuple[str, str], int]:
    # Largest remainder, as seats are shared out after an election.
    total = sum(strata.values())
    quotas = {key: count * limit / total for key, count in strata.items()}
    seats = {key: int(quota) for key, quota in quotas.items()}
    by_rest = sorted(quotas, key=lambda key: (seats[key] - quotas[key], -strata[key], key))
    for key in by_rest[: limit - sum(seats.values())]:
        seats[key] += 1
    return {key: seats[key] for key in sorted(seats, key=lambda key: (-strata[key], key)) if seats[key]}


def _ordinary(
    connection: sa.Connection, frame: Frame, sentiment: str, intent: str, seats: int, heard: set[str | None]
) -> list[Mapping[Any, Any]]:
    # The newest of the kind that insult nobody; of these, the ones nearest to their middle length, a person once.
    m = schema.mentions.c
    shortest, longest = VERBATIM_LENGTH
    facts = mention_facts(frame, (m.sentiment == sentiment, m.intent == intent), ONE, newest=True)
    wanted = ("id", "case_id", "created_at", "network", "account_id", "sentiment", "intent")
    text = sa.func.substr(m.text, 1, longest + 1).label("text")
    query = facts.select(*(m[name] for name in wanted), text, sa.null().label("person_id"))
    query = query.order_by(m.created_at.desc(), m.id).limit(VERBATIM_CANDIDATES)
    found = connection.execute(query).mappings().all()
    insults = _toxic(connection, [row["id"] for row in found])
    candidates = [row for row in found if row["id"] not in insults and shortest <= len(row["text"]) <= longest]
    if not candidates:
        return []
    middle = median(len(row["text"]) for row in candidates)
    picked: list[Mapping[Any, Any]] = []
    for row in sorted(candidates, key=lambda row: abs(len(row["text"]) - middle)):  # stable: the newest of equals
        if len(picked) < seats and (row["account_id"] is None or row["account_id"] not in heard):
            heard = heard | {row["account_id"]}
            picked.append(row)
    return picked


def _toxic(connection: sa.Connection, mention_ids: list[str]) -> set[str]:
    m, a = schema.mentions, schema.analyses
    current = sa.and_(m.c.id == a.c.mention_id, m.c.model == a.c.model)
    query = sa.select(a.c.mention_id).join(m, current).where(a.c.mention_id.in_(mention_ids), a.c.toxic.is_(True))
    return set(connection.scalars(query))
