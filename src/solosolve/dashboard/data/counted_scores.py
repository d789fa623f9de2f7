"""How good a model is on counted test scores: at any threshold, on any segment, without the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from solosolve.dashboard.data.questions import TEST_BINS
from solosolve.model.evaluation import Estimate, estimate
from solosolve.model.metrics import ConfusionMatrix, Floats, confusion_matrix, measure

BANDS = 10
"""Bands of probability of the calibration curve; calibration error has the same ten."""

_ROUNDS = 300
_MIDDLES = (np.arange(TEST_BINS) + 0.5) / TEST_BINS
# Each bin is two rows, one for its failures and one for its successes.
_LABELS = np.repeat([0.0, 1.0], TEST_BINS)
_PROBABILITIES = np.tile(_MIDDLES, 2)


@dataclass(frozen=True)
class CalibrationBand:
    """The complaints with a probability in one band.

    Attributes:
        low: The lowest probability of the band.
        high: The first probability above it.
        count: Complaints in it.
        mean_probability: Their mean predicted probability, from 0 to 1.
        success_rate: The share of them that succeeded, from 0 to 1.
    """

    low: float
    high: float
    count: int
    mean_probability: float
    success_rate: float


@dataclass(frozen=True)
class ReadShare:
    """What reading all complaints below a probability finds.

    Attributes:
        threshold: The probability, from 0 to 1.
        read: Complaints below it.
        found: Those of them that failed.
    """

    threshold: float
    read: int
    found: int


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
        """Computes all METRICS with 95 % intervals; there must be complaints of both outcomes.

        Probabilities count as the middle of their thousandth, so the AUC treats those in the same one as ties.

        Args:
            threshold: Probability from which success is predicted.

        Returns:
            Metric to value and interval.
        """
        return estimate(_LABELS, _PROBABILITIES, _ROUNDS, self._weights, threshold)

    def measure_constant(self, probability: float) -> dict[str, float]:
        """Computes all METRICS of a model that gives every complaint the same probability, and predicts accordingly."""
        return measure(_LABELS, np.full(len(_LABELS), probability), self._weights)

    def reading(self) -> list[ReadShare]:
        """What is found by reading ever more complaints, those likeliest to fail first.

        Returns:
            One entry for every thousandth of probability that has complaints, lowest first.
        """
        counts = self.failures + self.successes
        read, found = np.cumsum(counts).astype(int), np.cumsum(self.failures).astype(int)
        return [
            ReadShare((place + 1) / TEST_BINS, int(read[place]), int(found[place]))
            for place in range(TEST_BINS)
            if counts[place]
        ]

    def calibration(self) -> list[CalibrationBand]:
        """What became of the complaints in each tenth of probability; bands without complaints are left out."""
        counts = (self.failures + self.successes).reshape(BANDS, -1)
        successes = self.successes.reshape(BANDS, -1)
        middles = _MIDDLES.reshape(BANDS, -1)
        return [
            CalibrationBand(
                low=place / BANDS,
                high=(place + 1) / BANDS,
                count=int(counts[place].sum()),
                mean_probability=float(counts[place] @ middles[place] / counts[place].sum()),
                success_rate=float(successes[place].sum() / counts[place].sum()),
            )
            for place in range(BANDS)
            if counts[place].any()
        ]

    @property
    def _weights(self) -> Floats:
        """Failures, then successes, shape (2 * TEST_BINS,)."""
        return np.concatenate([self.failures, self.successes])
