"""How certain a share of complaints is."""

from __future__ import annotations

import math

_Z = 1.959964
"""The normal distribution's quantile for an interval of 95 %."""


def wilson_interval(hits: float, count: float) -> tuple[float, float]:
    """Computes the 95 % score interval of a share (Wilson, 1927), which holds for small counts and shares near 0 or 1.

    Args:
        hits: How many of the complaints have the property.
        count: All complaints, at least 1.

    Returns:
        The interval's ends, from 0 to 1.
    """
    share = hits / count
    centre = share + _Z**2 / (2 * count)
    reach = _Z * math.sqrt(share * (1 - share) / count + _Z**2 / (4 * count**2))
    scale = 1 + _Z**2 / count
    return max(0.0, (centre - reach) / scale), min(1.0, (centre + reach) / scale)
