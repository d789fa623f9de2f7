"""A model's performance on complaints whose labels were not collected at random, estimated without their bias.

Reviewers mostly see complaints that the model is unsure of, where it is worse than elsewhere. A share of their queue is
picked at random, with a known probability; each of those labels counts for as many complaints as it was picked from
(Horvitz and Thompson, 1952), and labels of uncertain picks do not count.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from solosolve.errors import ModelError
from solosolve.model.evaluation import Estimate, require_measurable
from solosolve.model.metrics import Floats, RankedRows
from solosolve.names import PICKED_AUDIT, REVIEW_LABEL, THRESHOLD

PERFORMANCE_METRICS = (
    "accuracy", "failure_precision", "failure_recall", "failure_f1", "auc", "log_loss", "calibration_error",
)  # fmt: skip
"""The metrics that are estimated."""

_CALIBRATION_ERROR = "calibration_error"

_SEED = 42


def measuring_weights(
    sources: Sequence[str],
    picked_by: Sequence[str | None],
    pick_probabilities: Sequence[float | None],
    population: int | None = None,
) -> Floats:
    """Returns how many complaints each label stands for.

    A published outcome or an event stands for its own complaint: whether it is known does not depend on the queue. A
    verdict on a random pick stands for one divided by the probability of the pick. All other verdicts stand for none.

    Args:
        sources: The source of each label.
        picked_by: How the queue picked each complaint; null for one that it did not pick.
        pick_probabilities: The probability of each random pick.
        population: The number of complaints that are measured, if known. Random picks then stand, together, for those
            without an outcome: a pick's own probability is right relative to other picks, but it grows with the number
            of verdicts, so picks and outcomes must be put in proportion.

    Returns:
        The weights, shape (rows,).

    Raises:
        ModelError: A random pick has no probability from 0 (not itself) to 1.
    """
    is_verdict = np.array([source == REVIEW_LABEL for source in sources], bool)
    is_random = is_verdict & np.array([each == PICKED_AUDIT for each in picked_by], bool)
    probabilities = np.array([math.nan if each is None else each for each in pick_probabilities], np.float64)
    if not ((probabilities[is_random] > 0) & (probabilities[is_random] <= 1)).all():
        raise ModelError("cannot estimate performance: a random pick has no probability above 0 and up to 1")
    weights = np.where(is_verdict, 0.0, 1.0)
    weights[is_random] = 1 / probabilities[is_random]
    if population is not None and is_random.any():
        unknown = max(population - int((~is_verdict).sum()), 0)
        weights[is_random] *= unknown / weights[is_random].sum()
    return weights


def estimate_performance(
    labels: Floats, probabilities: Floats, weights: Floats, rounds: int, threshold: float = THRESHOLD
) -> dict[str, Estimate]:
    """Estimates all PERFORMANCE_METRICS with 95 % bootstrap intervals.

    The intervals come from resampling rows, each with its weight: a label that stands for many complaints is still one
    observation. They are percentile intervals, but for calibration error: its bins differ by chance, which makes it too
    high, and in resamples higher still. So the excess of the resamples is subtracted from its value, and its interval
    is the basic one (Davison and Hinkley, 1997). What remains is still too high for a model that is well calibrated.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        weights: From `measuring_weights`, shape (rows,).
        rounds: Bootstrap resamples. A resample without both classes is drawn again.
        threshold: Probability from which success is predicted.

    Returns:
        Metric to value and interval; precision is NaN if no failure is predicted.

    Raises:
        ModelError: The rows with a weight lack one class, or a label, a probability or a weight is not valid.
    """
    if not (np.isfinite(weights).all() and (weights >= 0).all()):
        raise ModelError("cannot estimate performance: a weight is negative or not finite")
    counts = weights > 0
    labels, probabilities, weights = labels[counts], probabilities[counts], weights[counts]
    require_measurable(labels, probabilities)
    ranked = RankedRows(labels, probabilities, threshold)
    generator = np.random.default_rng(_SEED)
    drawn = [_metrics(ranked, _resampled(generator, labels, weights)) for _ in range(rounds)]
    return {
        name: _estimate(name, value, np.array([each[name] for each in drawn]))
        for name, value in _metrics(ranked, weights).items()
    }


def _estimate(name: str, value: float, drawn: Floats) -> Estimate:
    """The value and its interval from the values of resamples, some of which may be NaN."""
    if not np.isfinite(drawn).any():
        return Estimate(value, math.nan, math.nan)
    low, high = map(float, np.nanpercentile(drawn, [2.5, 97.5]))
    if name == _CALIBRATION_ERROR:
        corrected, low, high = (max(0.0, 2 * value - each) for each in (float(drawn.mean()), high, low))
        return Estimate(corrected, low, high)
    return Estimate(value, low, high)


def _metrics(ranked: RankedRows, weights: Floats) -> dict[str, float]:
    cells = ranked.cells(weights)
    found = ranked.metrics(weights) | {"failure_precision": cells.failure_precision, "failure_f1": cells.failure_f1}
    return {name: found[name] for name in PERFORMANCE_METRICS}


def _resampled(generator: np.random.Generator, labels: Floats, weights: Floats) -> Floats:
    """The weights of a resample of as many rows, drawn with replacement."""
    while True:
        times = np.bincount(generator.integers(0, len(labels), len(labels)), minlength=len(labels))
        if 0 < times @ labels < times.sum():
            resampled: Floats = times * weights
            return resampled
