from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sk

from solosolve.errors import ModelError
from solosolve.model.metrics import METRICS, Evaluation, Floats, _Resampled, bootstrap, evaluate, measure

# scikit-learn and measure() move probabilities of 0 and 1 by different amounts, so log loss is compared inside.
PROBABILITIES = st.one_of(st.floats(1e-9, 1 - 1e-9), st.sampled_from([0.1, 0.25, 0.3, 0.5, 0.7, 0.9]), st.just(0.5))


@dataclass(frozen=True)
class Rows:
    labels: Floats
    probabilities: Floats


@st.composite
def rows_of_both_classes(draw: st.DrawFn) -> Rows:
    labels = draw(st.permutations([0.0, 1.0, *draw(st.lists(st.sampled_from([0.0, 1.0]), max_size=60))]))
    constant = draw(st.none() | PROBABILITIES)
    size = len(labels)
    chosen = [constant] * size if constant else draw(st.lists(PROBABILITIES, min_size=size, max_size=size))
    return Rows(np.array(labels), np.array(chosen))


def by_scikit_learn(rows: Rows, drawn: Floats | None = None) -> dict[str, float]:
    predicted = (rows.probabilities >= 0.5).astype(float)
    weighted = {"average": "weighted", "zero_division": 0.0, "sample_weight": drawn}
    return {
        "accuracy": sk.accuracy_score(rows.labels, predicted, sample_weight=drawn),
        "weighted_precision": sk.precision_score(rows.labels, predicted, **weighted),
        "f1": sk.f1_score(rows.labels, predicted, **weighted),
        "auc": sk.roc_auc_score(rows.labels, rows.probabilities, sample_weight=drawn),
        "log_loss": sk.log_loss(rows.labels, rows.probabilities, labels=[0.0, 1.0], sample_weight=drawn),
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


def rows_with_signal(count: int = 2_000, seed: int = 1) -> Rows:
    generator = np.random.default_rng(seed)
    probabilities = generator.uniform(0.05, 0.95, count)
    return Rows((generator.uniform(size=count) < probabilities).astype(float), probabilities)


def evaluated(labels: list[float], probabilities: list[float]) -> Evaluation:
    return evaluate(np.array(labels), np.array(probabilities), rounds=20)


@given(rows_of_both_classes())
@settings(deadline=None)
def test_measure_equals_scikit_learn(rows: Rows) -> None:
    actual = measure(rows.labels, rows.probabilities)
    assert actual == pytest.approx(by_scikit_learn(rows) | {"calibration_error": calibration_error(rows)}, abs=1e-9)


@given(rows_of_both_classes(), st.integers(0, 2**32 - 1))
@settings(deadline=None)
def test_resampled_metrics_equal_scikit_learn_weighted_by_the_counts_of_the_draw(rows: Rows, seed: int) -> None:
    generator = np.random.default_rng(seed)
    of_each_class = rows.labels.argsort()[[0, -1]]
    drawn_rows = np.concatenate([generator.integers(0, len(rows.labels), len(rows.labels)), of_each_class])
    drawn = np.bincount(drawn_rows, minlength=len(rows.labels)).astype(float)
    repeated = Rows(rows.labels[drawn_rows], rows.probabilities[drawn_rows])
    actual = _Resampled(rows.labels, rows.probabilities).metrics(drawn)
    expected = by_scikit_learn(rows, drawn) | {"calibration_error": calibration_error(repeated)}
    assert actual == pytest.approx(expected, abs=1e-9)


def test_measure_of_a_perfect_model() -> None:
    actual = measure(np.array([0.0, 0.0, 1.0]), np.array([0.0, 0.0, 1.0]))
    perfect = {"accuracy": 1, "weighted_precision": 1, "f1": 1, "auc": 1, "log_loss": 0, "calibration_error": 0}
    assert actual == pytest.approx(perfect, abs=1e-12)


def test_measure_of_a_surely_wrong_model_stays_finite() -> None:
    actual = measure(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert actual["log_loss"] == pytest.approx(-math.log(1e-15), rel=1e-3)


def test_measure_counts_ties_half_in_the_auc() -> None:
    assert measure(np.array([0.0, 1.0, 1.0]), np.array([0.3, 0.3, 0.8]))["auc"] == 0.75


def test_measure_gives_no_auc_where_one_class_is_missing() -> None:
    assert math.isnan(measure(np.ones(3), np.array([0.2, 0.5, 0.9]))["auc"])


def test_measure_predicts_success_from_one_half_on() -> None:
    assert measure(np.array([1.0, 0.0]), np.array([0.5, math.nextafter(0.5, 0)]))["accuracy"] == 1


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "no complaints"),
        ([1.0, 1.0], [0.2, 0.3], "all 2 complaints of the slice have the label 1.0"),
        ([0.0], [0.2], "all 1 complaints of the slice have the label 0.0"),
        ([0.0, 1.0], [0.2, math.nan], "not a probability"),
        ([0.0, 1.0], [0.2, math.inf], "not a probability"),
        ([0.0, 1.0], [-0.01, 0.3], "not a probability"),
        ([0.0, 1.0], [0.2, 1.01], "not a probability"),
        ([0.0, 1.0], [0.2], "2 labels, but 1 probabilities"),
        ([0.0, 1.0, math.nan], [0.2, 0.3, 0.4], "label"),
        ([0.0, 1.0, 2.0], [0.2, 0.3, 0.4], "label"),
    ],
)
def test_evaluate_refuses_what_cannot_be_measured(
    labels: list[float], probabilities: list[float], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        evaluated(labels, probabilities)


def test_evaluate_takes_certain_probabilities() -> None:
    assert evaluated([0.0, 1.0, 1.0], [0.0, 1.0, 1.0]).metrics["auc"].value == 1


def test_evaluate_intervals_contain_their_values() -> None:
    rows = rows_with_signal()
    actual = evaluate(rows.labels, rows.probabilities, rounds=200)
    measured = measure(rows.labels, rows.probabilities)
    # Calibration error is never negative, so resamples of a calibrated model lie above its value.
    checked = [name for name in METRICS if name != "calibration_error"]
    assert {name: estimate.value for name, estimate in actual.metrics.items()} == measured
    assert [name for name in checked if not actual.metrics[name].low < measured[name] < actual.metrics[name].high] == []


def test_evaluate_intervals_narrow_with_more_complaints() -> None:
    def width(count: int) -> float:
        rows = rows_with_signal(count)
        auc = evaluate(rows.labels, rows.probabilities, rounds=100).metrics["auc"]
        return auc.high - auc.low

    assert width(4_000) == pytest.approx(width(1_000) / 2, rel=0.5)


def test_evaluate_is_deterministic() -> None:
    rows = rows_with_signal(300)
    first, second = (evaluate(rows.labels, rows.probabilities, rounds=30) for _ in range(2))
    assert (first.metrics, first.confusion, first.calibration) == (second.metrics, second.confusion, second.calibration)


def test_evaluate_counts_rows_classes_and_the_confusion_matrix() -> None:
    actual = evaluated([0.0, 0.0, 1.0, 1.0, 1.0], [0.4, 0.6, 0.4, 0.5, 0.9])
    assert (actual.record_count, actual.positive_count, actual.confusion) == (5, 3, ((1, 1), (1, 2)))


def test_evaluate_calibration_has_bins_of_equal_count_in_order_of_probability() -> None:
    rows = rows_with_signal(1_000)
    actual = evaluate(rows.labels, rows.probabilities, rounds=20).calibration
    ordered = sorted(zip(rows.probabilities.tolist(), rows.labels.tolist(), strict=True))
    tenths = [ordered[start : start + 100] for start in range(0, 1_000, 100)]
    assert [part.count for part in actual] == [100] * 10
    assert [part.mean_probability for part in actual] == pytest.approx([sum(p for p, _ in t) / 100 for t in tenths])
    assert [part.success_rate for part in actual] == pytest.approx([sum(y for _, y in t) / 100 for t in tenths])


def test_evaluate_calibration_of_few_complaints_has_no_empty_bin() -> None:
    assert [part.count for part in evaluated([0.0, 1.0, 1.0], [0.2, 0.6, 0.7]).calibration] == [1, 1, 1]


def test_bootstrap_gives_equal_models_equal_values() -> None:
    rows = rows_with_signal(200)
    both = bootstrap(rows.labels, {"a": rows.probabilities, "b": rows.probabilities.copy()}, rounds=25)
    assert all(np.array_equal(both["a"][name], both["b"][name]) for name in METRICS)


def test_bootstrap_draws_the_same_rows_for_one_model_as_for_two() -> None:
    rows = rows_with_signal(200)
    alone = bootstrap(rows.labels, {"a": rows.probabilities}, rounds=25)
    beside = bootstrap(rows.labels, {"b": 1 - rows.probabilities, "a": rows.probabilities}, rounds=25)
    assert all(np.array_equal(alone["a"][name], beside["a"][name]) for name in METRICS)


def test_bootstrap_pairs_the_differences_of_two_models() -> None:
    rows = rows_with_signal(400)
    nearly_equal = np.clip(rows.probabilities + np.linspace(0, 1e-3, 400), 0, 1)
    both = bootstrap(rows.labels, {"a": rows.probabilities, "b": nearly_equal}, rounds=50)
    assert np.std(both["a"]["auc"] - both["b"]["auc"]) < np.std(both["a"]["auc"]) / 20


def test_bootstrap_of_rare_labels_draws_both_classes_each_time() -> None:
    labels = np.array([1.0, *[0.0] * 29])
    values = bootstrap(labels, {"a": np.linspace(0.9, 0.1, 30)}, rounds=40)["a"]
    assert values["auc"].shape == (40,)
    assert np.isfinite(values["auc"]).all()
