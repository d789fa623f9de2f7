"""How good a model is on counted test scores: any threshold, any segment, without the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from solosolve.dashboard.data.questions import TEST_BINS

Counts = NDArray[np.float64]

_ROUNDS, _SEED = 300, 42
CURVE_POINTS = 10


@dataclass(frozen=True)
class Interval:
    """A value and its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Scores:
    """Test complaints counted by thousandth of probability.

    Attributes:
        failures: Complaints without success, shape (TEST_BINS,).
        successes: Those with success, shape (TEST_BINS,).
    """

    failures: Counts
    successes: Counts

    @classmethod
    def of(cls, rows: pa.Table) -> Self:
        """Reads the answer to `questions.test_scores`."""
        counts = np.zeros((2, TEST_BINS))
        labels = np.asarray(rows.column("label")).astype(int)
        np.add.at(counts, (labels, np.asarray(rows.column("bin"))), np.asarray(rows.column("n")))
        return cls(counts[0], counts[1])

    @property
    def count(self) -> int:
        """Complaints."""
        return int(self.failures.sum() + self.successes.sum())

    @property
    def has_both(self) -> bool:
        """Whether there are complaints of both outcomes, without which nothing can be measured."""
        return bool(self.failures.sum() and self.successes.sum())

    def confusion(self, threshold: float) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows: not successful, successful; columns: said not successful, said successful, from the threshold on."""
        edge = round(threshold * TEST_BINS)
        failed, succeeded = self.failures, self.successes
        return (
            (int(failed[:edge].sum()), int(failed[edge:].sum())),
            (int(succeeded[:edge].sum()), int(succeeded[edge:].sum())),
        )

    def measure(self, threshold: float) -> dict[str, Interval]:
        """Accuracy, weighted precision, F1 and AUC with bootstrap intervals (Efron, 1979), drawn from the counts.

        AUC takes complaints within a thousandth for equal.
        """
        cells = np.concatenate([self.failures, self.successes])
        generator = np.random.default_rng(_SEED)
        drawn = generator.multinomial(self.count, cells / cells.sum(), size=_ROUNDS)
        resampled = [_metrics(np.asarray(row, dtype=float), threshold) for row in drawn]
        found = {}
        for name, value in _metrics(cells, threshold).items():
            low, high = np.nanpercentile([each[name] for each in resampled], [2.5, 97.5])
            found[name] = Interval(value, float(low), float(high))
        return found

    def calibration(self) -> list[tuple[float, float, int]]:
        """Mean probability, success rate and count of ten parts of about equal count."""
        both = self.failures + self.successes
        middles = (np.arange(TEST_BINS) + 0.5) / TEST_BINS
        part = np.minimum((np.cumsum(both) - both / 2) / max(self.count, 1) * CURVE_POINTS, CURVE_POINTS - 1).astype(
            int
        )
        count = np.bincount(part, both, CURVE_POINTS)
        said = np.bincount(part, both * middles, CURVE_POINTS)
        happened = np.bincount(part, self.successes, CURVE_POINTS)
        return [(said[i] / count[i], happened[i] / count[i], int(count[i])) for i in range(CURVE_POINTS) if count[i]]


def _metrics(cells: Counts, threshold: float) -> dict[str, float]:
    failures, successes = cells[:TEST_BINS], cells[TEST_BINS:]
    edge = round(threshold * TEST_BINS)
    total, failed, succeeded = cells.sum(), failures.sum(), successes.sum()
    hit_negative, hit_positive = failures[:edge].sum(), successes[edge:].sum()
    said_negative, said_positive = hit_negative + successes[:edge].sum(), hit_positive + failures[edge:].sum()
    classes = ((hit_negative, said_negative, failed), (hit_positive, said_positive, succeeded))
    below = np.cumsum(failures) - failures
    return {
        "accuracy": float((hit_negative + hit_positive) / total),
        "weighted_precision": float(sum(actual * hit / said for hit, said, actual in classes if said) / total),
        "f1": float(sum(actual * 2 * hit / (said + actual) for hit, said, actual in classes if said + actual) / total),
        "auc": float(successes @ (below + failures / 2) / (failed * succeeded)) if failed and succeeded else np.nan,
    }


def population_stability(expected: dict[str, float], found: dict[str, float]) -> float:
    """The population stability index of counts by value: the sum of (q - p) ln(q / p) over the values' shares.

    A value that one side lacks counts half a complaint there (Siddiqi, Credit Risk Scorecards, 2006, for the index).
    """
    values = sorted(name for name in set(expected) | set(found) if expected.get(name) or found.get(name))
    p = np.array([expected.get(value, 0) for value in values], dtype=float)
    q = np.array([found.get(value, 0) for value in values], dtype=float)
    p, q = np.maximum(p, 0.5) / p.sum(), np.maximum(q, 0.5) / q.sum()
    return float(((q - p) * np.log(q / p)).sum())
