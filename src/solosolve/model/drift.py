"""How far one distribution has moved from another."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

MODERATE_DRIFT, LARGE_DRIFT = 0.1, 0.25
"""Population stability indexes above which drift is moderate, and large (Siddiqi, Credit Risk Scorecards, 2006)."""


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
