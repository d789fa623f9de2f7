"""Whether labels contradict the probabilities that a model gave."""

from __future__ import annotations

import math

from solosolve.model.metrics import Floats

SURPRISE_LIMIT = 3.0
"""Standard errors from which on labels contradict a model; 0.3 % of slices do so by chance."""


def surprise(labels: Floats, probabilities: Floats) -> float:
    """How far the Brier score lies above what the probabilities themselves make expected, in standard errors.

    About standard normal if each label is 1 with its probability (Spiegelhalter, Probabilistic prediction in patient
    management and clinical trials, Statistics in Medicine 5, 1986).

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: From 0 to 1, shape (rows,).

    Returns:
        The statistic; below 0 if the labels fit better than expected, 0 if every probability is a half or certain.
    """
    spread = 1 - 2 * probabilities
    variance = float((spread**2 * probabilities * (1 - probabilities)).sum())
    return float(((labels - probabilities) * spread).sum()) / math.sqrt(variance) if variance > 0 else 0.0


def contradicts(labels: Floats, probabilities: Floats) -> bool:
    """Whether the labels differ from the probabilities by more than chance, in either direction."""
    return abs(surprise(labels, probabilities)) > SURPRISE_LIMIT
