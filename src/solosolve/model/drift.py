"""How far one distribution has moved from another, and whether that is more than chance.

The population stability index (PSI) says how far. Whether that is chance is decided by Pearson's test of homogeneity on
the same bins. Without a change, nm / (n + m) PSI follows the same chi-squared distribution (Yurdakul and Naranjo,
Statistical properties of the population stability index, Journal of Risk Model Validation 14(4), 2020), but only if the
bins are large: with five complaints expected in a bin, the index has a p-value below 0.4 % more than twice as often as
it should, and Pearson's statistic does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

MODERATE_DRIFT, LARGE_DRIFT = 0.1, 0.25
"""Population stability indexes above which drift is moderate, and large (Siddiqi, Credit Risk Scorecards, 2006)."""

MIN_ROWS = 100
"""Complaints that the reference and the window must each have for a test."""

MIN_EXPECTED = 5.0
"""Complaints that a bin must be expected to have in the smaller sample (Cochran, Biometrics 10, 1954)."""

MIN_FOUND = 20.0
"""Complaints in the smaller sample that make a bin count although fewer than MIN_EXPECTED are expected.

A new value is such a bin. Chance alone brings twenty where five are expected less than once in a million times.
"""

_REST = "all others"


class DriftState(StrEnum):
    """What a test says of one feature in one window.

    Attributes:
        OK: A change as large as the one found may well be chance.
        DRIFT: It is not chance.
        TOO_FEW: There are too few complaints to say.
        NO_REFERENCE: The model version was registered without a reference.
    """

    OK = "ok"
    DRIFT = "drift"
    TOO_FEW = "too_few"
    NO_REFERENCE = "no_reference"


@dataclass(frozen=True)
class DriftTest:
    """The counts of one feature in two samples, compared.

    Attributes:
        psi: The population stability index over the merged bins; None with too few complaints, as are the next three.
        statistic: Pearson's chi-squared statistic.
        degrees: Its degrees of freedom, one less than there are merged bins.
        p_value: Probability of a statistic as large as this without a change.
        counts: Merged bin to its count in the reference and in the window.
        reference_count: Complaints in the reference.
        record_count: Complaints in the window.
    """

    psi: float | None
    statistic: float | None
    degrees: int | None
    p_value: float | None
    counts: Mapping[str, tuple[float, float]]
    reference_count: int
    record_count: int

    def state(self, alpha: float) -> DriftState:
        """What the test says at a significance level."""
        if self.p_value is None:
            return DriftState.TOO_FEW
        return DriftState.DRIFT if self.p_value <= alpha else DriftState.OK


def population_stability(expected: Mapping[str, float], found: Mapping[str, float]) -> float:
    """The population stability index: the sum of (q - p) ln(q / p) over the values' shares.

    A value missing on one side counts as half a complaint there, so that the index stays finite.
    The index: Siddiqi, Credit Risk Scorecards, 2006.

    Args:
        expected: Value to count in the reference; p is a value's share of all.
        found: Value to count in what is compared with it; q.

    Returns:
        The index; 0 for equal shares.
    """
    values = sorted(name for name in set(expected) | set(found) if expected.get(name) or found.get(name))
    p = np.array([expected.get(value, 0) for value in values], dtype=float)
    q = np.array([found.get(value, 0) for value in values], dtype=float)
    p, q = np.maximum(p, 0.5) / p.sum(), np.maximum(q, 0.5) / q.sum()
    return float(((q - p) * np.log(q / p)).sum())


def compare_counts(expected: Mapping[str, float], found: Mapping[str, float]) -> DriftTest:
    """Tests whether two samples come from one distribution.

    Args:
        expected: Bin to count in the reference.
        found: Bin to count in the window.

    Returns:
        The test; with fewer than MIN_ROWS complaints in either sample it has no result.
    """
    n, m = sum(expected.values()), sum(found.values())
    if min(n, m) < MIN_ROWS:
        return DriftTest(None, None, None, None, {}, int(n), int(m))
    counts = _merged(expected, found)
    pairs = np.array(list(counts.values()))
    statistic, degrees = _pearson(pairs), len(counts) - 1
    return DriftTest(
        psi=population_stability(
            {name: a for name, (a, _) in counts.items()}, {name: b for name, (_, b) in counts.items()}
        ),
        statistic=statistic,
        degrees=degrees,
        p_value=float(chdtrc(degrees, statistic)) if degrees else 1.0,
        counts=counts,
        reference_count=int(n),
        record_count=int(m),
    )


def _merged(expected: Mapping[str, float], found: Mapping[str, float]) -> dict[str, tuple[float, float]]:
    """Puts bins that are too small to be tested together, smallest first.

    Expected counts come from both samples together, which do not show in which of them a complaint is.
    """
    is_window_smaller = sum(found.values()) <= sum(expected.values())
    smaller = found if is_window_smaller else expected
    share = sum(smaller.values()) / (sum(expected.values()) + sum(found.values()))
    pairs = {name: (expected.get(name, 0.0), found.get(name, 0.0)) for name in sorted(set(expected) | set(found))}
    pairs = {name: pair for name, pair in pairs.items() if sum(pair)}
    ordered = sorted(pairs, key=lambda name: sum(pairs[name]), reverse=True)
    large = [name for name in ordered if sum(pairs[name]) * share >= MIN_EXPECTED or smaller.get(name, 0) >= MIN_FOUND]
    small = [name for name in ordered if name not in large]
    if small and large and sum(map(sum, (pairs[name] for name in small))) * share < MIN_EXPECTED:
        small.append(large.pop())
    merged = {name: pairs[name] for name in large}
    if small:
        merged[_REST if len(small) > 1 else small[0]] = _sum([pairs[name] for name in small])
    return merged


def _sum(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return sum(a for a, _ in pairs), sum(b for _, b in pairs)


def _pearson(pairs: NDArray[np.float64]) -> float:
    """Pearson's chi-squared statistic of a table with one row per bin and one column per sample."""
    expected = np.outer(pairs.sum(axis=1), pairs.sum(axis=0)) / pairs.sum()
    return float(((pairs - expected) ** 2 / expected).sum())
