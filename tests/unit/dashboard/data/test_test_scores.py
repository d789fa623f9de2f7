from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, precision_score, roc_auc_score

from solosolve.dashboard.data.test_scores import Scores, population_stability
from solosolve.model.metrics import evaluate

GENERATOR = np.random.default_rng(5)
LABELS = (GENERATOR.uniform(size=3_000) < 0.7).astype(float)
# Apart by more than a thousandth, or equal: counting loses no order.
PROBABILITIES = np.round(np.clip(GENERATOR.normal(0.5 + 0.1 * (LABELS - 0.5), 0.2), 0, 0.999), 3)


def counted(labels: NDArray[np.float64], probabilities: NDArray[np.float64]) -> Scores:
    bins = np.floor(probabilities * 1_000).clip(max=999).astype(int)
    cells, counts = np.unique(np.column_stack([labels, bins]), axis=0, return_counts=True)
    return Scores.of(pa.table({"label": cells[:, 0], "bin": cells[:, 1].astype(np.int32), "n": counts}))


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.501, 0.95])
def test_measure_equals_scikit_learn_at_every_threshold(threshold: float) -> None:
    said = threshold <= PROBABILITIES
    scores = counted(LABELS, PROBABILITIES)
    actual = {name: found.value for name, found in scores.measure(threshold).items()}
    expected = {
        "accuracy": accuracy_score(LABELS, said),
        "weighted_precision": precision_score(LABELS, said, average="weighted", zero_division=0),
        "f1": f1_score(LABELS, said, average="weighted"),
        "auc": roc_auc_score(LABELS, np.floor(PROBABILITIES * 1_000)),
    }
    assert actual == pytest.approx(expected, abs=1e-12)
    assert np.array_equal(scores.confusion(threshold), confusion_matrix(LABELS, said))


def test_interval_is_about_that_of_the_rows() -> None:
    actual = counted(LABELS, PROBABILITIES).measure(0.5)
    expected = evaluate(LABELS, PROBABILITIES, 300).metrics
    for name, found in actual.items():
        assert found.low == pytest.approx(expected[name].low, abs=0.006)
        assert found.high == pytest.approx(expected[name].high, abs=0.006)


def test_calibration_parts_hold_every_complaint_and_their_rates() -> None:
    parts = counted(LABELS, PROBABILITIES).calibration()
    assert sum(count for _, _, count in parts) == 3_000
    assert sum(happened * count for _, happened, count in parts) == pytest.approx(LABELS.sum())
    assert sum(said * count for said, _, count in parts) == pytest.approx(PROBABILITIES.sum(), rel=0.002)
    assert [said for said, _, _ in parts] == sorted(said for said, _, _ in parts)


def test_scores_of_one_outcome_have_no_measure() -> None:
    assert not counted(np.ones(5), np.full(5, 0.4)).has_both
    assert counted(np.ones(5), np.full(5, 1.0)).confusion(0.5) == ((0, 0), (0, 5))


def test_population_stability_is_the_textbook_sum() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert population_stability({"a": 50, "b": 50}, {"a": 600, "b": 400}) == pytest.approx(expected)
    assert population_stability({"a": 1, "b": 3}, {"a": 100, "b": 300}) == pytest.approx(0)


def test_population_stability_of_equal_shares_is_nothing_whatever_their_sizes() -> None:
    assert population_stability({"CA": 50, "Other": 0}, {"CA": 100_000, "Other": 0}) == 0


def test_population_stability_of_a_value_that_is_new_is_finite() -> None:
    assert 0.25 < population_stability({"a": 100}, {"a": 50, "new": 50}) < 10
