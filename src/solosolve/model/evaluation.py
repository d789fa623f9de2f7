"""How good probabilities are: metrics with bootstrap intervals, confusion, calibration, ROC."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    roc_auc_score,
)

from solosolve.errors import ModelError
from solosolve.model.scorer import THRESHOLD

Floats = NDArray[np.float64]

CALIBRATION_BINS = 10
_BOOTSTRAP_SEED = 42
_BOOTSTRAP_ROWS = 20_000


@dataclass(frozen=True)
class Estimate:
    """A metric and its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationBin:
    """Complaints of like probability: how many, what was said, what happened."""

    count: int
    mean_probability: float
    success_rate: float


@dataclass(frozen=True)
class Evaluation:
    """One model's quality on one slice."""

    record_count: int
    positive_count: int
    metrics: Mapping[str, Estimate]
    confusion: tuple[tuple[int, int], tuple[int, int]]
    calibration: tuple[CalibrationBin, ...]


def _calibration_error(labels: Floats, probabilities: Floats) -> float:
    """Expected calibration error over equal-width bins (Naeini et al., 2015)."""
    bins = np.minimum((probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=probabilities - labels, minlength=CALIBRATION_BINS)
    return float(np.abs(gaps).sum() / len(labels))


def _auc(labels: Floats, probabilities: Floats) -> float:
    return float(roc_auc_score(labels, probabilities))


def _log_loss(labels: Floats, probabilities: Floats) -> float:
    return float(log_loss(labels, probabilities, labels=[0, 1]))


def _accuracy(labels: Floats, probabilities: Floats) -> float:
    return float(accuracy_score(labels, probabilities >= THRESHOLD))


def _precision(labels: Floats, probabilities: Floats) -> float:
    return float(precision_score(labels, probabilities >= THRESHOLD, average="weighted", zero_division=0))


def _f1(labels: Floats, probabilities: Floats) -> float:
    return float(f1_score(labels, probabilities >= THRESHOLD, average="weighted", zero_division=0))


METRICS: Mapping[str, Callable[[Floats, Floats], float]] = MappingProxyType(
    {
        "accuracy": _accuracy,
        "weighted_precision": _precision,
        "f1": _f1,
        "auc": _auc,
        "log_loss": _log_loss,
        "calibration_error": _calibration_error,
    }
)
"""Metric name to a function of labels (0.0, 1.0) and probabilities; precision and F1 are weighted by class."""


def evaluate(labels: Floats, probabilities: Floats, rounds: int) -> Evaluation:
    """Measures probabilities against what happened.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        rounds: Bootstrap resamples behind each interval.

    Returns:
        All METRICS with percentile intervals (Efron, 1979), and the pictures' numbers.

    Raises:
        ModelError: There are no rows, only one class, or a value that is no probability.
    """
    _check(labels, probabilities)
    resampled = bootstrap(labels, {"model": probabilities}, rounds)["model"]
    metrics = {}
    for name, metric in METRICS.items():
        low, high = np.percentile(resampled[name], [2.5, 97.5])
        metrics[name] = Estimate(metric(labels, probabilities), float(low), float(high))
    matrix = confusion_matrix(labels, probabilities >= THRESHOLD, labels=[0, 1])
    return Evaluation(
        record_count=len(labels),
        positive_count=int(labels.sum()),
        metrics=MappingProxyType(metrics),
        confusion=((int(matrix[0, 0]), int(matrix[0, 1])), (int(matrix[1, 0]), int(matrix[1, 1]))),
        calibration=_calibration(labels, probabilities),
    )


def bootstrap(labels: Floats, models: Mapping[str, Floats], rounds: int) -> dict[str, dict[str, Floats]]:
    """Recomputes all metrics of all models on the same resamples, so that their differences are paired.

    Above 20,000 rows each resample has 20,000, and its spread is scaled to the whole (the m-out-of-n bootstrap, Bickel
    et al., 1997): the cost stays bounded.

    Returns:
        Model to metric to values, shape (rounds,). A resample with one class only is drawn again.
    """
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    size = min(len(labels), _BOOTSTRAP_ROWS)
    shrink = np.sqrt(size / len(labels))
    values: dict[str, dict[str, Floats]] = {
        model: {name: np.empty(rounds) for name in METRICS} for model in models
    }
    whole = {
        model: {name: metric(labels, probabilities) for name, metric in METRICS.items()}
        for model, probabilities in models.items()
    }
    for number in range(rounds):
        drawn = _draw_both_classes(generator, labels, size)
        for model, probabilities in models.items():
            for name, metric in METRICS.items():
                found = metric(labels[drawn], probabilities[drawn])
                values[model][name][number] = whole[model][name] + shrink * (found - whole[model][name])
    return values


def _draw_both_classes(generator: np.random.Generator, labels: Floats, size: int) -> NDArray[np.int64]:
    while True:
        drawn = generator.integers(0, len(labels), size)
        if 0 < labels[drawn].sum() < size:
            return drawn


def _check(labels: Floats, probabilities: Floats) -> None:
    if len(labels) == 0:
        raise ModelError("the slice to evaluate on has no complaints")
    if len(labels) != len(probabilities):
        raise ModelError(f"{len(labels)} labels, but {len(probabilities)} probabilities")
    if len(np.unique(labels)) < 2:
        raise ModelError(f"all {len(labels)} complaints of the slice have the label {labels[0]}: AUC is undefined")
    if not (np.isfinite(probabilities).all() and (probabilities >= 0).all() and (probabilities <= 1).all()):
        raise ModelError("a score is not a probability between 0 and 1")


def _calibration(labels: Floats, probabilities: Floats) -> tuple[CalibrationBin, ...]:
    """Bins of equal count, so that each says something."""
    order = np.argsort(probabilities, kind="stable")
    parts = [part for part in np.array_split(order, CALIBRATION_BINS) if len(part)]
    return tuple(
        CalibrationBin(len(part), float(probabilities[part].mean()), float(labels[part].mean())) for part in parts
    )
