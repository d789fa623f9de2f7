from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from solosolve.errors import ModelError
from solosolve.model.evaluation import Estimate, Evaluation, bootstrap, estimate, evaluate
from solosolve.model.metrics import METRICS, Floats, measure


def rows_with_signal(count: int = 2_000, seed: int = 1) -> tuple[Floats, Floats]:
    """Labels, and the true probabilities that they are drawn with."""
    generator = np.random.default_rng(seed)
    probabilities = generator.uniform(0.05, 0.95, count)
    return (generator.uniform(size=count) < probabilities).astype(float), probabilities


def evaluated(labels: list[float], probabilities: list[float]) -> Evaluation:
    return evaluate(np.array(labels), np.array(probabilities), rounds=20)


@pytest.mark.parametrize(
    ("labels", "probabilities", "message"),
    [
        ([], [], "the slice has no complaints"),
        ([1.0, 1.0], [0.2, 0.3], "all 2 complaints have the label 1.0"),
        ([0.0], [0.2], "all 1 complaints have the label 0.0"),
        ([0.0, 1.0], [0.2, math.nan], "not a probability"),
        ([0.0, 1.0], [0.2, math.inf], "not a probability"),
        ([0.0, 1.0], [-0.01, 0.3], "not a probability"),
        ([0.0, 1.0], [0.2, 1.01], "not a probability"),
        ([0.0, 1.0], [0.2], "found 2 labels but 1 probabilities"),
        ([0.0, 1.0, math.nan], [0.2, 0.3, 0.4], "a label is neither 0 nor 1"),
        ([0.0, 1.0, 2.0], [0.2, 0.3, 0.4], "a label is neither 0 nor 1"),
    ],
)
def test_evaluate_refuses_rows_that_cannot_be_measured(
    labels: list[float], probabilities: list[float], message: str
) -> None:
    with pytest.raises(ModelError, match=f"cannot evaluate the model: .*{message}"):
        evaluated(labels, probabilities)


def test_evaluate_accepts_certain_probabilities() -> None:
    assert evaluated([0.0, 1.0, 1.0], [0.0, 1.0, 1.0]).metrics["auc"].value == 1


def test_evaluate_intervals_contain_their_values() -> None:
    labels, probabilities = rows_with_signal()
    actual = evaluate(labels, probabilities, rounds=200)
    measured = measure(labels, probabilities)
    # Calibration error is never negative, so resamples of a calibrated model lie above its value.
    checked = [name for name in METRICS if name != "calibration_error"]
    assert {name: estimate.value for name, estimate in actual.metrics.items()} == measured
    assert [name for name in checked if not actual.metrics[name].low < measured[name] < actual.metrics[name].high] == []


def test_evaluate_intervals_narrow_with_more_complaints() -> None:
    def width(count: int) -> float:
        auc = evaluate(*rows_with_signal(count), rounds=100).metrics["auc"]
        return auc.high - auc.low

    assert width(4_000) == pytest.approx(width(1_000) / 2, rel=0.5)


def test_evaluate_is_deterministic() -> None:
    first, second = (evaluate(*rows_with_signal(300), rounds=30) for _ in range(2))
    assert (first.metrics, first.confusion, first.calibration) == (second.metrics, second.confusion, second.calibration)


def test_evaluate_draws_the_same_intervals_as_earlier_releases() -> None:
    actual = evaluate(*rows_with_signal(300), rounds=50).metrics
    expected = {
        "accuracy": Estimate(0.7333333333333333, 0.70075, 0.7736666666666666),
        "auc": Estimate(0.8189942643724156, 0.7678493959850596, 0.8542773093000973),
        "log_loss": Estimate(0.5199544660093482, 0.47744929486873705, 0.571310156601401),
    }
    for name, of_earlier in expected.items():
        found = actual[name]
        assert (found.value, found.low, found.high) == pytest.approx(
            (of_earlier.value, of_earlier.low, of_earlier.high), abs=1e-12
        )


def test_evaluate_counts_rows_classes_and_the_confusion_matrix() -> None:
    actual = evaluated([0.0, 0.0, 1.0, 1.0, 1.0], [0.4, 0.6, 0.4, 0.5, 0.9])
    assert (actual.record_count, actual.confusion) == (5, ((1, 1), (1, 2)))


def test_evaluate_calibrates_in_bins_of_equal_count_ordered_by_probability() -> None:
    labels, probabilities = rows_with_signal(1_000)
    actual = evaluate(labels, probabilities, rounds=20).calibration
    ordered = sorted(zip(probabilities.tolist(), labels.tolist(), strict=True))
    tenths = [ordered[start : start + 100] for start in range(0, 1_000, 100)]
    assert [part.count for part in actual] == [100] * 10
    assert [part.mean_probability for part in actual] == pytest.approx([sum(p for p, _ in t) / 100 for t in tenths])
    assert [part.success_rate for part in actual] == pytest.approx([sum(y for _, y in t) / 100 for t in tenths])


def test_evaluate_calibration_of_few_complaints_has_no_empty_bin() -> None:
    assert [part.count for part in evaluated([0.0, 1.0, 1.0], [0.2, 0.6, 0.7]).calibration] == [1, 1, 1]


def test_bootstrap_gives_equal_models_equal_values() -> None:
    labels, probabilities = rows_with_signal(200)
    both = bootstrap(labels, {"a": probabilities, "b": probabilities.copy()}, rounds=25)
    assert all(np.array_equal(both["a"][name], both["b"][name]) for name in METRICS)


def test_bootstrap_draws_the_same_rows_for_one_model_as_for_two() -> None:
    labels, probabilities = rows_with_signal(200)
    alone = bootstrap(labels, {"a": probabilities}, rounds=25)
    with_another = bootstrap(labels, {"b": 1 - probabilities, "a": probabilities}, rounds=25)
    assert all(np.array_equal(alone["a"][name], with_another["a"][name]) for name in METRICS)


def test_bootstrap_pairs_the_differences_of_two_models() -> None:
    labels, probabilities = rows_with_signal(400)
    nearly_equal = np.clip(probabilities + np.linspace(0, 1e-3, 400), 0, 1)
    both = bootstrap(labels, {"a": probabilities, "b": nearly_equal}, rounds=50)
    assert np.std(both["a"]["auc"] - both["b"]["auc"]) < np.std(both["a"]["auc"]) / 20


@pytest.mark.parametrize("weights", [None, np.ones(30)], ids=["rows", "counted"])
def test_bootstrap_of_rare_labels_draws_both_classes_each_time(weights: Floats | None) -> None:
    labels = np.array([1.0, *[0.0] * 29])
    values = bootstrap(labels, {"a": np.linspace(0.9, 0.1, 30)}, rounds=40, weights=weights)["a"]
    assert values["auc"].shape == (40,)
    assert np.isfinite(values["auc"]).all()


def test_bootstrap_of_counted_rows_spreads_like_that_of_the_rows() -> None:
    labels, probabilities = rows_with_signal(1_000)
    cells, counts = np.unique(np.column_stack([labels, probabilities.round(1)]), axis=0, return_counts=True)
    counted = bootstrap(cells[:, 0], {"a": cells[:, 1]}, 300, counts.astype(float))["a"]
    of_rows = bootstrap(labels, {"a": probabilities.round(1)}, 300)["a"]
    for name in METRICS:
        assert np.mean(counted[name]) == pytest.approx(np.mean(of_rows[name]), abs=0.005)
        assert np.std(counted[name]) == pytest.approx(np.std(of_rows[name]), rel=0.2)


def test_estimate_measures_at_the_given_threshold() -> None:
    labels, probabilities = rows_with_signal(500)
    actual = estimate(labels, probabilities, rounds=50, threshold=0.8)
    expected = measure(labels, probabilities, threshold=0.8)
    assert {name: found.value for name, found in actual.items()} == expected
    assert actual["accuracy"].low < expected["accuracy"] < actual["accuracy"].high


def test_evaluation_imports_neither_spark_nor_a_machine_learning_library() -> None:
    program = (
        "import sys, solosolve.dashboard.data.counted_scores, solosolve.model.drift\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'sklearn', 'pyspark', 'xgboost', 'matplotlib'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
