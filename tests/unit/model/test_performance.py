from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest

from solosolve.errors import ModelError
from solosolve.model.metrics import Floats, measure
from solosolve.model.performance import PERFORMANCE_METRICS, estimate_performance, measuring_weights

POPULATION = 20_000
ROUNDS = 200


@dataclass
class Reviewed:
    """Complaints that a model has scored, of which a queue showed some to reviewers.

    Attributes:
        probabilities: The model's.
        labels: The outcomes; the queue learns those of the reviewed complaints.
        uncertain: The complaints picked because the model is unsure of them.
        audit: Those picked at random from the others.
    """

    probabilities: Floats
    labels: Floats
    uncertain: Floats
    audit: Floats

    @classmethod
    def by(cls, generator: np.random.Generator, uncertain: int = 600, audit: int = 400) -> Reviewed:
        probabilities = generator.beta(2.0, 1.0, POPULATION)
        # The model is a little too sure.
        true = np.clip(0.5 + 0.8 * (probabilities - 0.5), 0, 1)
        labels = (generator.uniform(size=POPULATION) < true).astype(float)
        order = np.argsort(np.abs(probabilities - 0.5))
        return cls(probabilities, labels, order[:uncertain], generator.choice(order[uncertain:], audit, replace=False))

    @property
    def shown(self) -> Floats:
        return np.concatenate([self.uncertain, self.audit])

    def weights(self) -> Floats:
        picked = ["uncertain"] * len(self.uncertain) + ["audit"] * len(self.audit)
        odds = [None if each == "uncertain" else 3 / POPULATION for each in picked]
        return measuring_weights(["review"] * len(picked), picked, odds)


def test_biased_queue_misleads_the_naive_estimate_and_not_the_weighted_one() -> None:
    of = Reviewed.by(np.random.default_rng(7))
    truth = measure(of.labels, of.probabilities)
    naive = measure(of.labels[of.shown], of.probabilities[of.shown])
    found = estimate_performance(of.labels[of.shown], of.probabilities[of.shown], of.weights(), ROUNDS)
    figures = {
        name: (round(truth[name], 2), round(naive[name], 2), round(found[name].value, 2))
        for name in ("accuracy", "auc", "log_loss")
    }
    assert figures == FIGURES
    for name in figures:
        assert found[name].low <= truth[name] <= found[name].high, name
        assert not found[name].low <= naive[name] <= found[name].high, name


FIGURES = {"accuracy": (0.7, 0.58, 0.73), "auc": (0.73, 0.64, 0.75), "log_loss": (0.6, 0.65, 0.57)}
"""Metric to the truth, the naive estimate and the weighted one."""


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    hits, calibrated = dict.fromkeys(("accuracy", "auc", "log_loss", "failure_precision", "failure_f1"), 0), 0
    for seed in range(100):
        of = Reviewed.by(np.random.default_rng(seed), uncertain=200)
        found = estimate_performance(of.labels[of.shown], of.probabilities[of.shown], of.weights(), ROUNDS)
        everything = estimate_performance(of.labels, of.probabilities, np.ones(POPULATION), 1)
        for name in hits:
            hits[name] += found[name].low <= everything[name].value <= found[name].high
        error = measure(of.labels, of.probabilities)["calibration_error"]
        calibrated += found["calibration_error"].low <= error <= found["calibration_error"].high
    assert min(hits.values()) >= 89, hits
    # The percentile interval covers the truth in 29 of the 100.
    assert calibrated >= 85


def test_events_and_random_picks_are_put_in_proportion() -> None:
    generator = np.random.default_rng(3)
    of = Reviewed.by(generator)
    # Failures of every kind are reported by events, successes rarely.
    is_event = generator.uniform(size=POPULATION) < np.where(of.labels == 0, 0.6, 0.05)
    audit = generator.choice(np.flatnonzero(~is_event), 500, replace=False)
    rows = np.concatenate([np.flatnonzero(is_event), audit])
    sources = ["event"] * int(is_event.sum()) + ["review"] * 500
    picked = [None] * int(is_event.sum()) + ["audit"] * 500
    odds = [None if each is None else 3 / POPULATION for each in picked]
    truth = measure(of.labels, of.probabilities)
    weights = measuring_weights(sources, picked, odds, POPULATION)
    assert weights.sum() == pytest.approx(POPULATION)
    found = estimate_performance(of.labels[rows], of.probabilities[rows], weights, ROUNDS)
    for name in ("accuracy", "failure_recall", "auc", "log_loss"):
        assert found[name].low <= truth[name] <= found[name].high, name
    naive = measure(of.labels[rows], of.probabilities[rows])
    assert abs(naive["accuracy"] - truth["accuracy"]) > 0.1


def test_weight_says_how_many_complaints_a_label_stands_for() -> None:
    weights = measuring_weights(
        ["published", "event", "review", "review", "review"], [None, None, "audit", "uncertain", None],
        [None, None, 0.01, None, None],
    )  # fmt: skip
    assert weights.tolist() == [1, 1, 100, 0, 0]
    scaled = measuring_weights(["event", "review", "review"], [None, "audit", "audit"], [None, 0.5, 0.25], 13)
    assert scaled.tolist() == [1, 4, 8]


def test_metrics_of_equal_weights_are_the_plain_ones() -> None:
    generator = np.random.default_rng(1)
    probabilities = generator.uniform(size=300)
    labels = (generator.uniform(size=300) < probabilities).astype(float)
    found = estimate_performance(labels, probabilities, np.full(300, 7.0), 20, threshold=0.4)
    expected = measure(labels, probabilities, threshold=0.4)
    assert tuple(found) == PERFORMANCE_METRICS
    for name in ("accuracy", "failure_recall", "auc", "log_loss"):
        assert found[name].value == pytest.approx(expected[name])
    is_failure, is_predicted = labels == 0, probabilities < 0.4
    precision, recall = is_failure[is_predicted].mean(), is_predicted[is_failure].mean()
    assert found["failure_precision"].value == pytest.approx(precision)
    assert found["failure_f1"].value == pytest.approx(2 * precision * recall / (precision + recall))


def test_calibration_error_is_rid_of_most_of_its_excess() -> None:
    errors = []
    for seed in range(30):
        generator = np.random.default_rng(seed)
        probabilities = generator.beta(2.0, 1.0, 400)
        labels = (generator.uniform(size=400) < 0.5 + 0.5 * (probabilities - 0.5)).astype(float)
        found = estimate_performance(labels, probabilities, np.ones(400), 50)["calibration_error"]
        plain = measure(labels, probabilities)["calibration_error"]
        errors.append((plain, found.value))
    plain, corrected = np.mean(errors, axis=0)
    # In a large sample it is 0.125.
    assert abs(corrected - 0.125) < 0.005 < plain - 0.125


def test_precision_is_unknown_if_no_failure_is_predicted() -> None:
    found = estimate_performance(np.array([0.0, 1.0]), np.array([0.6, 0.9]), np.ones(2), 20)
    assert math.isnan(found["failure_precision"].value)
    assert math.isnan(found["failure_precision"].low)


@pytest.mark.parametrize(
    ("labels", "weights"),
    [([1.0, 1.0], [1, 1]), ([0.0, 1.0], [1, 0]), ([], []), ([0.0, 1.0], [1, -1]), ([0.0, 1.0], [1, math.inf])],
)
def test_labels_that_cannot_be_measured_are_refused(labels: list[float], weights: list[float]) -> None:
    with pytest.raises(ModelError, match="cannot e"):
        estimate_performance(np.array(labels), np.full(len(labels), 0.5), np.array(weights, float), 20)


@pytest.mark.parametrize("probability", [None, 0.0, 1.5, math.nan])
def test_random_pick_without_a_probability_is_refused(probability: float | None) -> None:
    with pytest.raises(ModelError, match="a random pick has no probability"):
        measuring_weights(["review"], ["audit"], [probability])
