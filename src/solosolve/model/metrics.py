"""Metrics of probabilities against known outcomes, on single complaints or on counts of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from solosolve.names import THRESHOLD

Floats = NDArray[np.float64]
ConfusionMatrix = tuple[tuple[int, int], tuple[int, int]]
"""Counts of complaints. Rows: actual failure, actual success; columns: predicted failure, predicted success."""

METRICS = (
    "accuracy",
    "weighted_precision",
    "f1",
    "failure_recall",
    "review_share",
    "auc",
    "log_loss",
    "calibration_error",
)
"""The metrics that `measure` computes. Precision and F1 are averages over both classes, weighted by class size;
failure recall is the share of failures that are predicted, and review share the share of all complaints that are
predicted to fail; calibration error has ten bins of equal width (Naeini et al., 2015)."""

_CALIBRATION_ERROR_BINS = 10
_EPSILON = 1e-15
"""Probabilities are clipped to this distance from 0 and 1, so that log loss stays finite."""


def measure(
    labels: Floats, probabilities: Floats, weights: Floats | None = None, threshold: float = THRESHOLD
) -> dict[str, float]:
    """Computes all METRICS.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        weights: How many complaints each row represents, shape (rows,); 1 each when None.
        threshold: Probability from which success is predicted.

    Returns:
        Metric to value; AUC is NaN unless both classes have rows.
    """
    return RankedRows(labels, probabilities, threshold).metrics(_weights_or_ones(weights, labels))


def auc(failures: Floats, successes: Floats) -> float:
    """The share of (failure, success) pairs that are ranked correctly, ties counting half (Mann-Whitney U).

    Args:
        failures: Failures at each distinct probability, lowest probability first.
        successes: Successes at the same probabilities.

    Returns:
        The AUC; NaN if there are no pairs.
    """
    failures_below = np.cumsum(failures) - failures
    pairs = successes.sum() * failures.sum()
    return float(successes @ (failures_below + failures / 2) / pairs) if pairs else math.nan


def confusion_matrix(
    labels: Floats, probabilities: Floats, weights: Floats | None = None, threshold: float = THRESHOLD
) -> ConfusionMatrix:
    """Counts actual against predicted outcomes.

    Args:
        labels: 0.0 or 1.0, shape (rows,).
        probabilities: Shape (rows,).
        weights: How many complaints each row represents, shape (rows,); 1 each when None.
        threshold: Probability from which success is predicted.

    Returns:
        Counts of complaints, 2 x 2: actual outcomes in rows, predicted ones in columns, failure first.
    """
    return RankedRows(labels, probabilities, threshold).cells(_weights_or_ones(weights, labels)).matrix


class RankedRows:
    """Rows in order of probability; whatever does not depend on the weights is computed once.

    The fixed order makes each AUC a cumulative sum, so a thousand sets of weights (a bootstrap) cost about as much as
    a few calls of a general-purpose library.
    """

    def __init__(self, labels: Floats, probabilities: Floats, threshold: float) -> None:
        """Orders the rows.

        Args:
            labels: 0.0 or 1.0, shape (rows,).
            probabilities: Shape (rows,).
            threshold: Probability from which success is predicted.
        """
        self._order = np.argsort(probabilities, kind="stable")
        self._labels = labels[self._order]
        ranked = probabilities[self._order]
        self._is_predicted = ranked >= threshold
        self._distinct = np.cumsum(np.diff(ranked, prepend=-1.0) > 0) - 1
        clipped = np.clip(ranked, _EPSILON, 1 - _EPSILON)
        self._loss = -np.where(self._labels == 1, np.log(clipped), np.log1p(-clipped))
        self._bin = np.minimum((ranked * _CALIBRATION_ERROR_BINS).astype(int), _CALIBRATION_ERROR_BINS - 1)
        self._gap = ranked - self._labels

    def metrics(self, weights: Floats) -> dict[str, float]:
        """All METRICS, with row i counted weights[i] times; weights have the shape (rows,)."""
        ranked = weights[self._order]
        cells = self._cells(ranked)
        gaps = np.bincount(self._bin, weights=ranked * self._gap, minlength=_CALIBRATION_ERROR_BINS)
        successes = self._by_probability(ranked * self._labels)
        failures = self._by_probability(ranked * (1 - self._labels))
        return {
            "accuracy": cells.accuracy,
            "weighted_precision": cells.weighted_precision,
            "f1": cells.weighted_f1,
            "failure_recall": cells.failure_recall,
            "review_share": 1 - cells.predicted_positive / cells.total,
            "auc": auc(failures, successes),
            "log_loss": float(ranked @ self._loss / cells.total),
            "calibration_error": float(np.abs(gaps).sum() / cells.total),
        }

    def cells(self, weights: Floats) -> Cells:
        """The confusion matrix, with row i counted weights[i] times; weights have the shape (rows,)."""
        return self._cells(weights[self._order])

    def _by_probability(self, ranked_weights: Floats) -> Floats:
        """The weights summed over rows of equal probability."""
        return np.bincount(self._distinct, weights=ranked_weights).astype(np.float64, copy=False)

    def _cells(self, ranked_weights: Floats) -> Cells:
        predicted = ranked_weights[self._is_predicted]
        return Cells(
            true_positive=float(predicted @ self._labels[self._is_predicted]),
            predicted_positive=float(predicted.sum()),
            actual_positive=float(ranked_weights @ self._labels),
            total=float(ranked_weights.sum()),
        )


@dataclass(frozen=True)
class Cells:
    """A confusion matrix, by its margins; all attributes are counts of complaints.

    Attributes:
        true_positive: Successes that were predicted to succeed.
        predicted_positive: Complaints that were predicted to succeed.
        actual_positive: Complaints that succeeded.
        total: All complaints.
    """

    true_positive: float
    predicted_positive: float
    actual_positive: float
    total: float

    @property
    def true_negative(self) -> float:
        """Failures that were predicted to fail."""
        return self.total - self.predicted_positive - (self.actual_positive - self.true_positive)

    @property
    def matrix(self) -> ConfusionMatrix:
        """The four counts, failure before success: actual outcomes in rows, predicted ones in columns."""
        false_negative = int(self.actual_positive - self.true_positive)
        false_positive = int(self.predicted_positive - self.true_positive)
        return (int(self.true_negative), false_positive), (false_negative, int(self.true_positive))

    @property
    def accuracy(self) -> float:
        """The share of correct predictions."""
        return (self.true_negative + self.true_positive) / self.total

    @property
    def weighted_precision(self) -> float:
        """Precision of each class, weighted by its size; 0 for a class that is never predicted."""
        parts = (actual * correct / predicted for correct, predicted, actual in self._by_class if predicted)
        return sum(parts) / self.total

    @property
    def weighted_f1(self) -> float:
        """F1 of each class, weighted by its size."""
        parts = (
            actual * 2 * correct / (predicted + actual)
            for correct, predicted, actual in self._by_class
            if predicted + actual
        )
        return sum(parts) / self.total

    @property
    def failure_recall(self) -> float:
        """The share of failures that were predicted to fail; NaN without failures."""
        failures = self.total - self.actual_positive
        return self.true_negative / failures if failures else math.nan

    @property
    def failure_precision(self) -> float:
        """The share of predicted failures that failed; NaN if none is predicted."""
        predicted = self.total - self.predicted_positive
        return self.true_negative / predicted if predicted else math.nan

    @property
    def failure_f1(self) -> float:
        """The harmonic mean of precision and recall of failures; NaN if there are none, predicted or actual."""
        both = (self.total - self.predicted_positive) + (self.total - self.actual_positive)
        return 2 * self.true_negative / both if both else math.nan

    @property
    def _by_class(self) -> tuple[tuple[float, float, float], ...]:
        """Correct, predicted and actual rows of the negative class, then of the positive class."""
        return (
            (self.true_negative, self.total - self.predicted_positive, self.total - self.actual_positive),
            (self.true_positive, self.predicted_positive, self.actual_positive),
        )


def _weights_or_ones(weights: Floats | None, labels: Floats) -> Floats:
    return np.ones(len(labels)) if weights is None else weights
