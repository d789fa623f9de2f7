"""How good a model is on counted test scores: at any threshold, on any segment, without the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from solosolve.dashboard.data.questions import TEST_BINS
from solosolve.model.evaluation import CALIBRATION_POINTS, Estimate, estimate
from solosolve.model.metrics import ConfusionMatrix, Floats, confusion_matrix

COUNTED_METRICS = {
    "failure_recall": "Failures found",
    "review_share": "To review",
    "accuracy": "Accuracy",
    "weighted_precision": "Precision",
    "f1": "F1",
    "auc": "AUC",
}
"""The metrics that are computed from counts, and their labels on screen.

AUC treats probabilities in the same thousandth as ties."""

MIN_BIN_COUNT = 50
"""Complaints that a bin of the calibration curve has on average, or more."""

_ROUNDS = 300
_MIDDLES = (np.arange(TEST_BINS) + 0.5) / TEST_BINS
# Each bin is two rows, one for its failures and one for its successes.
_LABELS = np.repeat([0.0, 1.0], TEST_BINS)
_PROBABILITIES = np.tile(_MIDDLES, 2)


@dataclass(frozen=True)
class Scores:
    """Test complaints counted by thousandth of probability.

    Attributes:
        failures: Unsuccessful complaints in each bin, shape (TEST_BINS,).
        successes: Successful complaints in each bin, shape (TEST_BINS,).
    """

    failures: Floats
    successes: Floats

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        """Reads the answer to `questions.test_split_scores`.

        Args:
            rows: `label` 0 or 1, `bin` from 0 to TEST_BINS - 1, and `n`, the number of complaints.
        """
        counts = np.zeros((2, TEST_BINS))
        labels = np.asarray(rows.column("label")).astype(int)
        np.add.at(counts, (labels, np.asarray(rows.column("bin"))), np.asarray(rows.column("n")))
        return cls(counts[0], counts[1])

    @property
    def count(self) -> int:
        """All complaints."""
        return int(self._weights.sum())

    @property
    def has_both(self) -> bool:
        """Whether there are complaints of both outcomes; without both, nothing can be measured."""
        return bool(self.failures.sum() and self.successes.sum())

    def confusion(self, threshold: float) -> ConfusionMatrix:
        """Counts actual outcomes against those predicted with the threshold.

        Args:
            threshold: Probability from which success is predicted.

        Returns:
            Counts of complaints, 2 x 2: actual outcomes in rows, predicted ones in columns, failure first.
        """
        return confusion_matrix(_LABELS, _PROBABILITIES, self._weights, threshold)

    def measure(self, threshold: float) -> dict[str, Estimate]:
        """Computes COUNTED_METRICS with 95 % intervals; there must be complaints of both outcomes.

        Args:
            threshold: Probability from which success is predicted.

        Returns:
            Metric to value and interval.
        """
        estimates = estimate(_LABELS, _PROBABILITIES, _ROUNDS, self._weights, threshold)
        return {name: estimates[name] for name in COUNTED_METRICS}

    def calibration(self) -> list[tuple[float, float, int]]:
        """Computes the calibration curve in bins of roughly equal count: ten, or fewer if ten would be too small.

        Returns:
            Mean probability, success rate (both from 0 to 1) and number of complaints of each bin that has any, lowest
            probability first.
        """
        counts = self.failures + self.successes
        bins = min(max(self.count // MIN_BIN_COUNT, 1), CALIBRATION_POINTS)
        shares_below = (np.cumsum(counts) - counts / 2) / max(self.count, 1)
        part = np.minimum(shares_below * bins, bins - 1).astype(int)
        count = np.bincount(part, counts, bins)
        probability = np.bincount(part, counts * _MIDDLES, bins)
        success = np.bincount(part, self.successes, bins)
        return [
            (probability[place] / count[place], success[place] / count[place], int(count[place]))
            for place in range(bins)
            if count[place]
        ]

    @property
    def _weights(self) -> Floats:
        """Failures, then successes, shape (2 * TEST_BINS,)."""
        return np.concatenate([self.failures, self.successes])
