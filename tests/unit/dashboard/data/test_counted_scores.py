from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    log_loss,
    precision_score,
    recall_score,
    roc_auc_score,
)

from solosolve.dashboard.data.counted_scores import Scores
from solosolve.model.evaluation import evaluate
from solosolve.model.metrics import Floats

GENERATOR = np.random.default_rng(5)
LABELS = (GENERATOR.uniform(size=3_000) < 0.7).astype(float)
# Multiples of a thousandth: counting by thousandths loses no order.
PROBABILITIES = np.round(np.clip(GENERATOR.normal(0.5 + 0.1 * (LABELS - 0.5), 0.2), 0.001, 0.999), 3)


def counted(labels: Floats, probabilities: Floats) -> Scores:
    bins = np.floor(probabilities * 1_000).clip(max=999).astype(int)
    cells, counts = np.unique(np.column_stack([labels, bins]), axis=0, return_counts=True)
    return Scores.of(pa.table({"label": cells[:, 0], "bin": cells[:, 1].astype(np.int32), "n": counts}))


@pytest.mark.parametrize("threshold", [0.05, 0.3, 0.5, 0.501, 0.95])
def test_measure_equals_scikit_learn_at_every_threshold(threshold: float) -> None:
    predicted = threshold <= PROBABILITIES
    scores = counted(LABELS, PROBABILITIES)
    actual = {name: found.value for name, found in scores.measure(threshold).items()}
    expected = {
        "failure_recall": recall_score(LABELS, predicted, pos_label=0),
        "review_share": 1 - predicted.mean(),
        "accuracy": accuracy_score(LABELS, predicted),
        "weighted_precision": precision_score(LABELS, predicted, average="weighted", zero_division=0),
        "f1": f1_score(LABELS, predicted, average="weighted"),
        "auc": roc_auc_score(LABELS, np.floor(PROBABILITIES * 1_000)),
    }
    assert {name: actual[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert actual["log_loss"] == pytest.approx(log_loss(LABELS, PROBABILITIES), abs=0.01)
    assert np.array_equal(scores.confusion(threshold), confusion_matrix(LABELS, predicted))


def test_confusion_predicts_success_from_the_bin_that_begins_at_the_threshold() -> None:
    scores = Scores(np.zeros(1_000), np.ones(1_000))
    actual = {percent: scores.confusion(percent / 100) for percent in range(1, 100)}
    assert actual == {percent: ((0, 0), (10 * percent, 1_000 - 10 * percent)) for percent in range(1, 100)}


def test_measure_has_nearly_the_intervals_of_the_rows() -> None:
    actual = counted(LABELS, PROBABILITIES).measure(0.5)
    expected = evaluate(LABELS, PROBABILITIES, 300).metrics
    for name, found in actual.items():
        assert found.low == pytest.approx(expected[name].low, abs=0.01)
        assert found.high == pytest.approx(expected[name].high, abs=0.01)


def test_calibration_bands_hold_every_complaint_and_their_rates() -> None:
    bands = counted(LABELS, PROBABILITIES).calibration()
    assert sum(band.count for band in bands) == 3_000
    assert sum(band.success_rate * band.count for band in bands) == pytest.approx(LABELS.sum())
    assert sum(band.mean_probability * band.count for band in bands) == pytest.approx(PROBABILITIES.sum(), rel=0.002)
    sixties = (PROBABILITIES >= 0.6) & (PROBABILITIES < 0.7)
    found = next(band for band in bands if band.low == 0.6)
    assert (found.count, found.success_rate) == (sixties.sum(), pytest.approx(LABELS[sixties].mean()))


def test_calibration_leaves_out_bands_without_complaints() -> None:
    assert [band.low for band in counted(np.ones(3), np.array([0.05, 0.55, 1.0])).calibration()] == [0.0, 0.5, 0.9]


def test_reading_below_each_probability_finds_its_failures() -> None:
    for each in counted(LABELS, PROBABILITIES).reading()[::50]:
        # The last bin also holds 1.0.
        is_below = each.threshold - 1e-9 > PROBABILITIES
        assert (each.read, each.found) == (is_below.sum(), (is_below & (LABELS == 0)).sum())


def test_constant_probability_predicts_the_commoner_outcome() -> None:
    found = counted(LABELS, PROBABILITIES).measure_constant(0.7)
    rate = LABELS.mean()
    assert found["accuracy"] == pytest.approx(rate)
    assert found["auc"] == 0.5
    assert found["log_loss"] == pytest.approx(-rate * np.log(0.7) - (1 - rate) * np.log(0.3))


def test_scores_of_one_outcome_cannot_be_measured_but_counted() -> None:
    assert not counted(np.ones(5), np.full(5, 0.4)).has_both
    assert counted(np.ones(5), np.full(5, 1.0)).confusion(0.5) == ((0, 0), (0, 5))
