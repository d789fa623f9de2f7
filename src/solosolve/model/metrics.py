"""How good probabilities are: metrics with bootstrap intervals, confusion, calibration, ROC."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import confusion_matrix

from solosolve.errors import ModelError
from solosolve.model.scorer import THRESHOLD

Floats = NDArray[np.float64]

CALIBRATION_BINS = 10
_BOOTSTRAP_SEED = 42
_EPSILON = 1e-15
"""Probabilities of 0 and 1 are moved by this, so that log loss stays finite."""


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


class _Resampled:
    """A model's metrics on resamples of one slice; what does not depend on the resample is computed once.

    A resample is how often each row was drawn. Ordering by probability once makes each AUC a cumulative sum, so a
    thousand resamples cost what a few calls of a general library would.
    """

    def __init__(self, labels: Floats, probabilities: Floats) -> None:
        order = np.argsort(probabilities, kind="stable")
        self._order = order
        self._labels = labels[order]
        self._probabilities = probabilities[order]
        self._is_positive = self._probabilities >= THRESHOLD
        is_new_value = np.diff(self._probabilities, prepend=-1.0) > 0
        self._tie = np.cumsum(is_new_value) - 1
        clipped = np.clip(self._probabilities, _EPSILON, 1 - _EPSILON)
        self._loss = -np.where(self._labels == 1, np.log(clipped), np.log1p(-clipped))
        self._bin = np.minimum((self._probabilities * CALIBRATION_BINS).astype(int), CALIBRATION_BINS - 1)
        self._gap = self._probabilities - self._labels

    def metrics(self, drawn: Floats) -> dict[str, float]:
        """All metrics on the resample in which row i stands drawn[i] times."""
        weight = drawn[self._order]
        total = weight.sum()
        hit_positive = float(weight[self._is_positive] @ self._labels[self._is_positive])
        predicted_positive = float(weight[self._is_positive].sum())
        actual_positive = float(weight @ self._labels)
        cells = _Cells(hit_positive, predicted_positive, actual_positive, float(total))
        gaps = np.bincount(self._bin, weights=weight * self._gap, minlength=CALIBRATION_BINS)
        return {
            "accuracy": cells.accuracy,
            "weighted_precision": cells.weighted_precision,
            "f1": cells.weighted_f1,
            "auc": self._auc(weight),
            "log_loss": float(weight @ self._loss / total),
            "calibration_error": float(np.abs(gaps).sum() / total),
        }

    def _auc(self, weight: Floats) -> float:
        """The share of pairs that are ordered rightly, ties counting half (Mann-Whitney U)."""
        successes = np.bincount(self._tie, weights=weight * self._labels)
        failures = np.bincount(self._tie, weights=weight * (1 - self._labels))
        below = np.cumsum(failures) - failures
        pairs = successes.sum() * failures.sum()
        return float(successes @ (below + failures / 2) / pairs) if pairs else math.nan


@dataclass(frozen=True)
class _Cells:
    """The confusion matrix of a resample, by its margins."""

    hit_positive: float
    predicted_positive: float
    actual_positive: float
    total: float

    @property
    def _by_class(self) -> tuple[tuple[float, float, float], ...]:
        """Hits, predicted and actual rows of the negative and of the positive class."""
        predicted_negative = self.total - self.predicted_positive
        actual_negative = self.total - self.actual_positive
        hit_negative = predicted_negative - (self.actual_positive - self.hit_positive)
        return (
            (hit_negative, predicted_negative, actual_negative),
            (self.hit_positive, self.predicted_positive, self.actual_positive),
        )

    @property
    def accuracy(self) -> float:
        return sum(hits for hits, _, _ in self._by_class) / self.total

    @property
    def weighted_precision(self) -> float:
        """Precision of each class, weighted by its rows; 0 for a class that is never predicted."""
        return sum(actual * hits / predicted for hits, predicted, actual in self._by_class if predicted) / self.total

    @property
    def weighted_f1(self) -> float:
        return (
            sum(
                actual * 2 * hits / (predicted + actual)
                for hits, predicted, actual in self._by_class
                if predicted + actual
            )
            / self.total
        )


METRICS = ("accuracy", "weighted_precision", "f1", "auc", "log_loss", "calibration_error")
"""What is measured of a model; precision and F1 are weighted by class, calibration error is over ten bins of equal
width (Naeini et al., 2015)."""


def measure(labels: Floats, probabilities: Floats) -> dict[str, float]:
    """All METRICS of probabilities, shape (rows,), against labels 0.0 and 1.0; AUC is NaN where a class is missing."""
    return _Resampled(labels, probabilities).metrics(np.ones(len(labels)))


def evaluate(labels: Floats, probabilities: Floats, rounds: int) -> Evaluation:
    """Measures probabilities against what happened.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        rounds: Bootstrap resamples behind each interval.

    Returns:
        All METRICS with percentile intervals (Efron, 1979), and the pictures' numbers.

    Raises:
        ModelError: There are no rows, only one class, an unknown label, or a value that is no probability.
    """
    require_measurable(labels, probabilities)
    resampled = bootstrap(labels, {"model": probabilities}, rounds)["model"]
    metrics = {}
    for name, value in measure(labels, probabilities).items():
        low, high = np.percentile(resampled[name], [2.5, 97.5])
        metrics[name] = Estimate(value, float(low), float(high))
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

    Returns:
        Model to metric to values, shape (rounds,). A resample with one class only is drawn again.
    """
    generator = np.random.default_rng(_BOOTSTRAP_SEED)
    slices = {model: _Resampled(labels, probabilities) for model, probabilities in models.items()}
    values = {model: {name: np.empty(rounds) for name in METRICS} for model in models}
    for number in range(rounds):
        drawn = _draw_both_classes(generator, labels)
        for model, resampled in slices.items():
            for name, value in resampled.metrics(drawn).items():
                values[model][name][number] = value
    return values


def _draw_both_classes(generator: np.random.Generator, labels: Floats) -> Floats:
    """How often each row is drawn into a resample of as many rows."""
    while True:
        drawn = np.bincount(generator.integers(0, len(labels), len(labels)), minlength=len(labels)).astype(np.float64)
        if 0 < drawn @ labels < len(labels):
            return drawn


def require_measurable(labels: Floats, probabilities: Floats) -> None:
    """Raises ModelError unless there are labels of both classes, all known, and a probability for each."""
    if len(labels) == 0:
        raise ModelError("the slice to evaluate on has no complaints")
    if len(labels) != len(probabilities):
        raise ModelError(f"{len(labels)} labels, but {len(probabilities)} probabilities")
    if not np.isin(labels, (0.0, 1.0)).all():
        raise ModelError("a label of the slice is neither 0 nor 1")
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
