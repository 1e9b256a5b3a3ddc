"""May a change be chance? One question, 95 % level, the test that fits the kind of number.

Shares: two-proportion z, Fisher's exact test where fewer than five are expected somewhere. Counts and rates: the exact
conditional (binomial) test of two Poisson counts, its normal approximation above 1,000. Other sums: compound Poisson, z.
Means: Welch's z. Medians: Mann-Whitney with ties. All take rows as independent, which people who talk to each other are
not quite: "not chance" is a hint to look, never a proof.
"""

from collections.abc import Sequence
from math import exp, inf, lgamma, log, sqrt

import numpy as np

Z95 = 1.959964
LEVEL = 0.05


def shares(hits: float, n: int, hits_before: float, n_before: int) -> bool:
    """Two shares; True where their difference may be chance."""
    if not n or not n_before:
        return True
    pooled = (hits + hits_before) / (n + n_before)
    if pooled in {0.0, 1.0}:
        return True
    if min(n, n_before) * min(pooled, 1 - pooled) < 5:
        return _fisher(round(hits), n, round(hits_before), n_before) >= LEVEL
    error = sqrt(pooled * (1 - pooled) * (1 / n + 1 / n_before))
    return abs(hits / n - hits_before / n_before) / error < Z95


def counts(count: int, before: int, exposure: float = 1.0, exposure_before: float = 1.0) -> bool:
    """Two counts of events over two exposures (days, orders); True where their rates may be the same."""
    total = count + before
    if not total or exposure <= 0 or exposure_before <= 0:
        return True
    share = exposure / (exposure + exposure_before)
    if total > 1000:
        return abs(count - total * share) / sqrt(total * share * (1 - share)) < Z95
    weights = [_log_choose(total, k) + k * log(share) + (total - k) * log(1 - share) for k in range(total + 1)]
    return _as_rare(weights, count) >= LEVEL


def sums(total: float, squares: float, before: float, squares_before: float, exposure: float = 1.0) -> bool:
    """Two sums over events that come at random; `exposure` is the current time over the previous one."""
    spread = squares + exposure**2 * squares_before
    return spread <= 0 or abs(total - exposure * before) / sqrt(spread) < Z95


def means(total: float, squares: float, n: int, before: float, squares_before: float, n_before: int) -> bool:
    """Two means; True where their difference may be chance, or where one rests on a single row."""
    if min(n, n_before) < 2:
        return True
    mean, mean_before = total / n, before / n_before
    variance = max(squares / n - mean**2, 0.0) / (n - 1)
    variance_before = max(squares_before / n_before - mean_before**2, 0.0) / (n_before - 1)
    difference, error = abs(mean - mean_before), sqrt(variance + variance_before)
    return (difference / error if error else (inf if difference else 0.0)) < Z95


def medians(values: Sequence[float], before: Sequence[float]) -> bool:
    """Two samples; True where neither can be said to lie higher."""
    n, n_before = len(values), len(before)
    if min(n, n_before) < 2:
        return True
    _, rank_of, ties = np.unique(np.array([*values, *before]), return_inverse=True, return_counts=True)
    middle = np.cumsum(ties) - (ties - 1) / 2
    u = float(middle[rank_of[:n]].sum()) - n * (n + 1) / 2
    size = n + n_before
    tied = float((ties.astype(float) ** 3 - ties).sum())
    variance = n * n_before / 12 * (size + 1 - tied / (size * (size - 1)))
    return variance <= 0 or abs(u - n * n_before / 2) / sqrt(variance) < Z95


def _log_choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def _as_rare(weights: Sequence[float], seen: int) -> float:
    # Two-sided p: everything as unlikely as what was seen, or more (a hair of tolerance for rounding).
    return sum(exp(weight) for weight in weights if weight <= weights[seen] + 1e-9)


def _fisher(hits: int, n: int, hits_before: int, n_before: int) -> float:
    total = hits + hits_before
    low, high = max(0, total - n_before), min(total, n)
    whole = _log_choose(n + n_before, total)
    weights = [_log_choose(n, k) + _log_choose(n_before, total - k) - whole for k in range(low, high + 1)]
    return _as_rare(weights, hits - low)
