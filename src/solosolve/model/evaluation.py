"""A model's evaluation on one slice: metrics with bootstrap intervals, confusion matrix, calibration curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from solosolve.errors import ModelError
from solosolve.model.metrics import METRICS, ConfusionMatrix, Floats, RankedRows, confusion_matrix, measure
from solosolve.names import THRESHOLD

CALIBRATION_POINTS = 10
_BOOTSTRAP_SEED = 42


@dataclass(frozen=True)
class Estimate:
    """A metric and its 95 % interval, in the metric's own unit.

    Attributes:
        value: The metric on all complaints.
        low: The 2.5th percentile of its bootstrap values.
        high: The 97.5th percentile.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationBin:
    """Complaints of similar probability.

    Attributes:
        count: Number of complaints.
        mean_probability: Mean predicted probability, from 0 to 1.
        success_rate: Share of them that succeeded, from 0 to 1.
    """

    count: int
    mean_probability: float
    success_rate: float


@dataclass(frozen=True)
class Evaluation:
    """One model's quality on one slice.

    Attributes:
        record_count: Complaints in the slice.
        threshold: Probability from which success is predicted.
        metrics: Name to value and interval, for all METRICS.
        confusion: Counts of actual (rows) and predicted (columns) outcomes, 2 x 2.
        calibration: Up to CALIBRATION_POINTS bins, lowest probability first.
    """

    record_count: int
    threshold: float
    metrics: Mapping[str, Estimate]
    confusion: ConfusionMatrix
    calibration: tuple[CalibrationBin, ...]


def evaluate(labels: Floats, probabilities: Floats, rounds: int, threshold: float = THRESHOLD) -> Evaluation:
    """Measures probabilities against the actual outcomes.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        rounds: Bootstrap resamples per interval.
        threshold: Probability from which success is predicted.

    Returns:
        All METRICS with their intervals, the confusion matrix and the calibration curve.

    Raises:
        ModelError: There are no rows or only one class, or a label or a probability is not valid.
    """
    require_measurable(labels, probabilities)
    return Evaluation(
        record_count=len(labels),
        threshold=threshold,
        metrics=MappingProxyType(estimate(labels, probabilities, rounds, threshold=threshold)),
        confusion=confusion_matrix(labels, probabilities, threshold=threshold),
        calibration=_calibration(labels, probabilities),
    )


def estimate(
    labels: Floats, probabilities: Floats, rounds: int, weights: Floats | None = None, threshold: float = THRESHOLD
) -> dict[str, Estimate]:
    """Computes all METRICS with 95 % percentile bootstrap intervals (Efron, 1979).

    Args:
        labels: 0.0 or 1.0, shape (rows,); there must be rows of both classes.
        probabilities: Shape (rows,).
        rounds: Bootstrap resamples per interval.
        weights: How many complaints each row represents, shape (rows,); 1 each when None.
        threshold: Probability from which success is predicted.

    Returns:
        Metric to value and interval.
    """
    resampled = bootstrap(labels, {"model": probabilities}, rounds, weights, threshold)["model"]
    estimates = {}
    for name, value in measure(labels, probabilities, weights, threshold).items():
        low, high = np.percentile(resampled[name], [2.5, 97.5])
        estimates[name] = Estimate(value, float(low), float(high))
    return estimates


def bootstrap(
    labels: Floats,
    models: Mapping[str, Floats],
    rounds: int,
    weights: Floats | None = None,
    threshold: float = THRESHOLD,
) -> dict[str, dict[str, Floats]]:
    """Computes all METRICS of all models on the same resamples, so that differences between models are paired.

    Args:
        labels: 0.0 or 1.0, shape (rows,); there must be rows of both classes.
        models: Model to its probabilities, shape (rows,).
        rounds: Resamples to draw. A resample without both classes is drawn again.
        weights: How many complaints each row represents, shape (rows,); 1 each when None.
        threshold: Probability from which success is predicted.

    Returns:
        Model to metric to values, shape (rounds,).
    """
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    ranked = {model: RankedRows(labels, probabilities, threshold) for model, probabilities in models.items()}
    values = {model: {name: np.empty(rounds) for name in METRICS} for model in models}
    for number in range(rounds):
        drawn = _draw_both_classes(generator, labels, weights)
        for model, rows in ranked.items():
            for name, value in rows.metrics(drawn).items():
                values[model][name][number] = value
    return values


def require_measurable(labels: Floats, probabilities: Floats) -> None:
    """Raises ModelError unless there are labels of both classes, all known, and a probability for each."""
    if len(labels) == 0:
        raise ModelError("cannot evaluate the model: the slice has no complaints")
    if len(labels) != len(probabilities):
        raise ModelError(
            f"cannot evaluate the model: found {len(labels)} labels but {len(probabilities)} probabilities"
        )
    if not np.isin(labels, (0.0, 1.0)).all():
        raise ModelError("cannot evaluate the model: a label is neither 0 nor 1")
    if len(np.unique(labels)) < 2:
        raise ModelError(
            f"cannot evaluate the model: all {len(labels)} complaints have the label {labels[0]}, but AUC needs both "
            "outcomes"
        )
    if not (np.isfinite(probabilities).all() and (probabilities >= 0).all() and (probabilities <= 1).all()):
        raise ModelError("cannot evaluate the model: a score is not a probability from 0 to 1")


def _draw_both_classes(generator: np.random.Generator, labels: Floats, weights: Floats | None) -> Floats:
    """How often each row is drawn into a resample of as many complaints."""
    while True:
        if weights is None:
            drawn = np.bincount(generator.integers(0, len(labels), len(labels)), minlength=len(labels))
        else:
            drawn = generator.multinomial(int(weights.sum()), weights / weights.sum())
        counts = drawn.astype(np.float64)
        if 0 < counts @ labels < counts.sum():
            return counts


def _calibration(labels: Floats, probabilities: Floats) -> tuple[CalibrationBin, ...]:
    """The calibration curve, in bins of equal count, so that no bin is too small to be read."""
    order = np.argsort(probabilities, kind="stable")
    bins = [part for part in np.array_split(order, CALIBRATION_POINTS) if len(part)]
    return tuple(
        CalibrationBin(len(part), float(probabilities[part].mean()), float(labels[part].mean())) for part in bins
    )
