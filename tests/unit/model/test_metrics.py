from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from solosolve.model.metrics import METRICS, Floats, auc, confusion_matrix, measure

# scikit-learn and measure() clip probabilities of 0 and 1 to different values, so log loss is compared away from both.
PROBABILITIES = st.one_of(st.floats(1e-9, 1 - 1e-9), st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.7, 0.9]), st.just(0.5))


@dataclass(frozen=True)
class Rows:
    labels: Floats
    probabilities: Floats

    def repeated(self, weights: Floats) -> Rows:
        """Row i, weights[i] times."""
        counts = weights.astype(int)
        return Rows(np.repeat(self.labels, counts), np.repeat(self.probabilities, counts))


@st.composite
def rows_of_both_classes(draw: st.DrawFn) -> Rows:
    labels = draw(st.permutations([0.0, 1.0, *draw(st.lists(st.sampled_from([0.0, 1.0]), max_size=60))]))
    constant = draw(st.none() | PROBABILITIES)
    size = len(labels)
    chosen = [constant] * size if constant else draw(st.lists(PROBABILITIES, min_size=size, max_size=size))
    return Rows(np.array(labels), np.array(chosen))


def weights_of(rows: Rows, seed: int) -> Floats:
    """Whole numbers, some of them 0, that leave rows of both classes."""
    weights = np.random.default_rng(seed).integers(0, 4, len(rows.labels)).astype(float)
    weights[rows.labels.argsort()[[0, -1]]] += 1
    return weights


def by_scikit_learn(rows: Rows, weights: Floats | None = None, threshold: float = 0.5) -> dict[str, float]:
    predicted = (rows.probabilities >= threshold).astype(float)
    weighted = {"average": "weighted", "zero_division": 0.0, "sample_weight": weights}
    return {
        "accuracy": sk.accuracy_score(rows.labels, predicted, sample_weight=weights),
        "weighted_precision": sk.precision_score(rows.labels, predicted, **weighted),
        "f1": sk.f1_score(rows.labels, predicted, **weighted),
        "failure_recall": sk.recall_score(rows.labels, predicted, pos_label=0.0, sample_weight=weights),
        "review_share": 1 - np.average(predicted, weights=weights),
        "auc": sk.roc_auc_score(rows.labels, rows.probabilities, sample_weight=weights),
        "log_loss": sk.log_loss(rows.labels, rows.probabilities, labels=[0.0, 1.0], sample_weight=weights),
    }


def calibration_error(rows: Rows) -> float:
    total = 0.0
    for number in range(10):
        in_bin = [
            (label, probability)
            for label, probability in zip(rows.labels.tolist(), rows.probabilities.tolist(), strict=True)
            if min(int(probability * 10), 9) == number
        ]
        if in_bin:
            success_rate = sum(label for label, _ in in_bin) / len(in_bin)
            mean_probability = sum(probability for _, probability in in_bin) / len(in_bin)
            total += len(in_bin) * abs(success_rate - mean_probability)
    return total / len(rows.labels)


@given(rows_of_both_classes())
@settings(deadline=None)
def test_measure_equals_scikit_learn(rows: Rows) -> None:
    actual = measure(rows.labels, rows.probabilities)
    assert actual == pytest.approx(by_scikit_learn(rows) | {"calibration_error": calibration_error(rows)}, abs=1e-9)


@given(rows_of_both_classes(), st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.3, 0.5, 0.7, 0.95]))
@settings(deadline=None)
def test_measure_with_weights_equals_scikit_learn_with_sample_weights(rows: Rows, seed: int, threshold: float) -> None:
    weights = weights_of(rows, seed)
    actual = measure(rows.labels, rows.probabilities, weights, threshold)
    expected = by_scikit_learn(rows, weights, threshold)
    expected["calibration_error"] = calibration_error(rows.repeated(weights))
    assert actual == pytest.approx(expected, abs=1e-9)


@given(rows_of_both_classes(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_measure_with_weights_equals_measure_of_repeated_rows(rows: Rows, seed: int) -> None:
    weights = weights_of(rows, seed)
    repeated = rows.repeated(weights)
    expected = measure(repeated.labels, repeated.probabilities)
    assert measure(rows.labels, rows.probabilities, weights) == pytest.approx(expected, abs=1e-12)


def test_measure_of_a_perfect_model() -> None:
    actual = measure(np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    perfect = dict.fromkeys(METRICS, 1) | {"log_loss": 0, "calibration_error": 0, "review_share": 2 / 3}
    assert actual == pytest.approx(perfect, abs=1e-12)


def test_measure_gives_a_finite_log_loss_for_a_certain_and_wrong_model() -> None:
    actual = measure(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert actual["log_loss"] == pytest.approx(-math.log(1e-15), rel=1e-3)


def test_measure_counts_ties_half_in_the_auc() -> None:
    assert measure(np.array([0.0, 1.0, 1.0]), np.array([0.3, 0.3, 0.8]))["auc"] == 0.75


def test_measure_gives_no_auc_if_one_class_is_missing() -> None:
    assert math.isnan(measure(np.ones(3), np.array([0.2, 0.5, 0.9]))["auc"])


def test_measure_predicts_success_from_one_half_on() -> None:
    assert measure(np.array([1.0, 0.0]), np.array([0.5, math.nextafter(0.5, 0)]))["accuracy"] == 1


@given(rows_of_both_classes())
@settings(deadline=None)
def test_auc_of_counts_equals_scikit_learn_on_the_rows(rows: Rows) -> None:
    _, place = np.unique(rows.probabilities, return_inverse=True)
    actual = auc(np.bincount(place, 1 - rows.labels), np.bincount(place, rows.labels))
    assert actual == pytest.approx(sk.roc_auc_score(rows.labels, rows.probabilities), abs=1e-12)


def test_auc_is_not_changed_by_empty_bins() -> None:
    with_gaps = auc(np.array([0.0, 2.0, 0.0, 1.0, 0.0]), np.array([0.0, 1.0, 0.0, 3.0, 0.0]))
    assert with_gaps == auc(np.array([2.0, 1.0]), np.array([1.0, 3.0]))


@pytest.mark.parametrize(
    "counts", [([], []), ([0.0, 0.0], [1.0, 2.0]), ([3.0], [0.0])], ids=["empty", "no failures", "no successes"]
)
def test_auc_without_pairs_is_not_a_number(counts: tuple[list[float], list[float]]) -> None:
    failures, successes = counts
    assert math.isnan(auc(np.array(failures), np.array(successes)))


@given(rows_of_both_classes(), st.integers(0, 2**32 - 1), st.sampled_from([0.05, 0.5, 0.95]))
@settings(deadline=None)
def test_confusion_matrix_equals_scikit_learn(rows: Rows, seed: int, threshold: float) -> None:
    weights = weights_of(rows, seed)
    predicted = rows.probabilities >= threshold
    plain = confusion_matrix(rows.labels, rows.probabilities, threshold=threshold)
    weighted = confusion_matrix(rows.labels, rows.probabilities, weights, threshold)
    assert np.array_equal(plain, sk.confusion_matrix(rows.labels, predicted))
    assert np.array_equal(weighted, sk.confusion_matrix(rows.labels, predicted, sample_weight=weights))


def test_confusion_matrix_of_one_class_has_an_empty_row() -> None:
    assert confusion_matrix(np.ones(3), np.array([0.2, 0.5, 0.9])) == ((0, 0), (1, 2))
