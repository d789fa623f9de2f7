from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from solosolve.errors import ModelError
from solosolve.model.evaluation import Estimate, Evaluation, evaluate
from solosolve.model.metrics import Floats
from solosolve.model.promotion import NOISE_BUDGET, SEGMENT_ROWS, Decision, EvaluationSlice, GateResult, decide
from solosolve.model.surprise import SURPRISE_LIMIT, surprise

ROUNDS = 50
GENERATOR = np.random.default_rng(3)
TRUTH = GENERATOR.uniform(0.05, 0.95, 1_500)
LABELS = (GENERATOR.uniform(size=1_500) < TRUTH).astype(float)
GOOD = TRUTH
FAIR = 0.5 + 0.6 * (np.clip(TRUTH + GENERATOR.normal(0, 0.25, 1_500), 0.01, 0.99) - 0.5)
USELESS = GENERATOR.uniform(0.45, 0.55, 1_500)


def decided(
    challenger: Floats,
    champion: Floats | None = None,
    prior: float = 0.5,
    metrics: Mapping[str, Estimate] | None = None,
) -> Decision:
    evaluation = evaluate(LABELS, challenger, ROUNDS)
    if metrics is not None:
        evaluation = replace(evaluation, metrics=metrics)
    return decide(evaluation, EvaluationSlice(LABELS, challenger, champion, prior), ROUNDS)


def failed(decision: Decision) -> list[str]:
    return [check.name for check in decision.checks if not check.is_passed]


def metrics_of(probabilities: Floats) -> dict[str, Estimate]:
    return dict(evaluate(LABELS, probabilities, ROUNDS).metrics)


def test_decide_passes_a_first_model_that_beats_the_prior() -> None:
    decision = decided(GOOD)
    assert (decision.result, failed(decision)) == (GateResult.PASSED, [])


def test_decide_makes_a_first_model_that_ranks_at_random_provisional() -> None:
    decision = decided(USELESS)
    assert (decision.result, "auc_beats_chance" in failed(decision)) == (GateResult.PROVISIONAL, True)


def test_decide_makes_a_first_model_with_bad_probabilities_provisional() -> None:
    overconfident = np.where(GOOD > 0.5, 1 - 1e-9, 1e-9)
    decision = decided(overconfident)
    assert (decision.result, failed(decision)) == (GateResult.PROVISIONAL, ["log_loss_beats_prior"])


def test_decide_compares_a_first_model_only_with_the_prior() -> None:
    assert [check.name for check in decided(GOOD).checks] == ["auc_beats_chance", "log_loss_beats_prior"]


def test_decide_passes_a_better_challenger() -> None:
    decision = decided(GOOD, champion=FAIR)
    assert (decision.result, failed(decision)) == (GateResult.PASSED, [])


def test_decide_sends_an_equal_challenger_into_shadow() -> None:
    decision = decided(GOOD, champion=GOOD.copy())
    assert (decision.result, failed(decision)) == (GateResult.SHADOW, ["log_loss_gain"])


def test_decide_rejects_a_worse_challenger() -> None:
    decision = decided(FAIR, champion=GOOD)
    assert (decision.result, failed(decision)) == (GateResult.REJECTED, ["auc_difference_interval", "log_loss_gain"])


def test_decide_rejects_a_challenger_that_ranks_as_well_but_has_worse_probabilities() -> None:
    overconfident = 1 / (1 + np.exp(-3 * np.log(GOOD / (1 - GOOD))))
    decision = decided(overconfident, champion=GOOD)
    assert (decision.result, failed(decision)) == (
        GateResult.REJECTED,
        ["log_loss_beats_prior", "calibration_error", "log_loss_gain"],
    )


def test_decide_asks_for_more_certainty_the_more_challengers_there_were() -> None:
    slightly_better = 1 / (1 + np.exp(-(0.95 * np.log(FAIR / (1 - FAIR)) + 0.05 * np.log(GOOD / (1 - GOOD)))))
    slice_of = EvaluationSlice(LABELS, slightly_better, FAIR, 0.5)
    evaluation = evaluate(LABELS, slightly_better, ROUNDS)
    results = [decide(evaluation, replace(slice_of, tries=tries), ROUNDS) for tries in (0, 1, 20, 10**9)]
    found = [decision.checks[-1].found for decision in results]
    assert found == sorted(found, reverse=True)
    assert (results[0].result, results[-1].result) == (GateResult.PASSED, GateResult.SHADOW)
    assert "at level 0.01 " in results[0].checks[-1].required
    assert sum(NOISE_BUDGET / (k * (k + 1)) for k in range(1, 10_000)) <= NOISE_BUDGET


def test_decide_promotes_noise_no_more_often_than_it_says() -> None:
    """A hundred challengers that are the champion plus noise, all of them tries on one slice."""
    noisy = [np.clip(FAIR + GENERATOR.normal(0, 0.03, len(FAIR)), 0.01, 0.99) for _ in range(100)]
    results = [
        decide(evaluate(LABELS, each, ROUNDS), EvaluationSlice(LABELS, each, FAIR, 0.5, tries=number), ROUNDS).result
        for number, each in enumerate(noisy)
    ]
    assert GateResult.PASSED not in results


def test_decide_rejects_a_challenger_that_harms_a_segment() -> None:
    segment = np.arange(len(LABELS)) < 300
    harmful = np.where(segment, 1 - GOOD, GOOD)
    slice_of = EvaluationSlice(LABELS, harmful, FAIR, 0.5, {"product=A": segment, "product=B": ~segment})
    decision = decide(evaluate(LABELS, harmful, ROUNDS), slice_of, ROUNDS)
    assert (decision.result, "segment product=A" in failed(decision)) == (GateResult.REJECTED, True)
    assert "segment product=B" not in failed(decision)


FLIPPED = np.where((TRUTH > 0.5) & (GENERATOR.uniform(size=1_500) < 0.5), 0.0, LABELS)
"""Half the labels of likely successes say failure."""
LEARNED = np.clip(np.where(TRUTH > 0.5, TRUTH / 2, TRUTH), 0.01, 0.99)
"""What a challenger predicts that has learned from such labels."""


@pytest.mark.parametrize(
    ("earlier", "result"),
    [
        (None, GateResult.SHADOW),
        ((LABELS, GOOD), GateResult.SHADOW),
        ((FLIPPED, GOOD), GateResult.PASSED),
    ],
    ids=["unknown before", "as expected before", "as far off before"],
)
def test_decide_waits_until_labels_that_contradict_the_champion_last(
    earlier: tuple[Floats, Floats] | None, result: GateResult
) -> None:
    slice_of = EvaluationSlice(FLIPPED, LEARNED, GOOD, 0.5, earlier=earlier)
    decision = decide(evaluate(FLIPPED, LEARNED, ROUNDS), slice_of, ROUNDS)
    assert decision.result == result
    assert failed(decision) == ([] if result == GateResult.PASSED else ["labels_as_expected"])


def test_decide_does_not_take_a_contradiction_in_the_other_direction_for_a_lasting_one() -> None:
    certain = (np.ones(500), np.where(np.arange(500) < 400, 0.9, 0.85))
    slice_of = EvaluationSlice(FLIPPED, LEARNED, GOOD, 0.5, earlier=certain)
    assert surprise(*certain) < -SURPRISE_LIMIT < SURPRISE_LIMIT < surprise(FLIPPED, GOOD)
    assert decide(evaluate(FLIPPED, LEARNED, ROUNDS), slice_of, ROUNDS).result == GateResult.SHADOW


def test_decide_does_not_measure_a_small_segment() -> None:
    segment = np.arange(len(LABELS)) < SEGMENT_ROWS - 1
    slice_of = EvaluationSlice(LABELS, GOOD, FAIR, 0.5, {"product=A": segment})
    assert [check.name for check in decide(evaluate(LABELS, GOOD, ROUNDS), slice_of, ROUNDS).checks] == [
        "auc_beats_chance", "log_loss_beats_prior", "auc_difference_interval", "calibration_error",
        "labels_as_expected", "log_loss_gain",
    ]  # fmt: skip


def test_decide_rejects_a_challenger_that_does_not_beat_the_prior() -> None:
    decision = decided(USELESS, champion=USELESS.copy())
    assert (decision.result, "auc_beats_chance" in failed(decision)) == (GateResult.REJECTED, True)


def test_decide_measures_the_prior_on_the_slice() -> None:
    # The slice's own success rate is the best constant, and harder to beat than a rate that is far off.
    overconfident = np.clip(GOOD + 0.45 * np.sign(GOOD - 0.5), 1e-4, 1 - 1e-4)
    assert failed(decided(overconfident, prior=0.5)) == ["log_loss_beats_prior"]
    assert failed(decided(overconfident, prior=0.001)) == []


@pytest.mark.parametrize("name", ["auc", "log_loss"])
@pytest.mark.parametrize("champion", [None, FAIR], ids=["first", "with a champion"])
def test_decide_refuses_a_missing_metric(name: str, champion: Floats | None) -> None:
    metrics = metrics_of(GOOD)
    del metrics[name]
    with pytest.raises(ModelError, match=f"metric {name} is missing, found accuracy"):
        decided(GOOD, champion, metrics=metrics)


def test_decide_refuses_an_evaluation_without_metrics() -> None:
    with pytest.raises(ModelError, match="metric auc is missing, found none"):
        decided(GOOD, metrics={})


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("name", "part"), [("auc", "low"), ("log_loss", "value")])
def test_decide_refuses_a_metric_that_is_not_finite(name: str, part: str, value: float) -> None:
    metrics = metrics_of(GOOD)
    metrics[name] = replace(metrics[name], **{part: value})
    with pytest.raises(ModelError, match=f"metric {name} is {value}"):
        decided(GOOD, metrics=metrics)


def test_decide_refuses_an_auc_that_is_not_finite_with_a_champion() -> None:
    metrics = metrics_of(GOOD)
    metrics["auc"] = replace(metrics["auc"], value=math.nan)
    with pytest.raises(ModelError, match="metric auc is nan"):
        decided(GOOD, FAIR, metrics=metrics)


@pytest.mark.parametrize("prior", [0.0, 1.0, math.nan, -0.1, 1.1])
def test_decide_refuses_a_prior_outside_0_and_1(prior: float) -> None:
    with pytest.raises(ModelError, match="training success rate is"):
        decided(GOOD, prior=prior)


@pytest.mark.parametrize("broken", [math.nan, math.inf, -0.5, 1.5])
def test_decide_refuses_a_champion_with_an_invalid_probability(broken: float) -> None:
    champion = FAIR.copy()
    champion[7] = broken
    with pytest.raises(ModelError, match="a score is not a probability"):
        decided(GOOD, champion)


def test_decide_refuses_a_champion_of_another_length() -> None:
    with pytest.raises(ModelError, match="found 1500 labels but 1499 probabilities"):
        decided(GOOD, FAIR[1:])


def test_decide_is_deterministic() -> None:
    assert decided(FAIR, GOOD) == decided(FAIR, GOOD)


def test_decision_becomes_json_evidence() -> None:
    evidence = json.loads(decided(FAIR, GOOD).to_json())
    first = evidence["checks"][0]
    assert evidence["verdict"] == "rejected"
    assert (first["name"], first["is_passed"], first["required"]) == (
        "auc_beats_chance",
        True,
        "95 % interval above 0.5",
    )
    assert 0.5 < first["found"] < 1


def evaluation_with(metrics: Mapping[str, Estimate]) -> Evaluation:
    return replace(evaluate(LABELS, GOOD, ROUNDS), metrics=metrics)


@pytest.mark.parametrize(("low", "is_passed"), [(0.5, False), (math.nextafter(0.5, 1), True)])
def test_decide_needs_an_auc_interval_strictly_above_one_half(low: float, is_passed: bool) -> None:
    metrics = metrics_of(GOOD)
    metrics["auc"] = replace(metrics["auc"], low=low)
    decision = decide(evaluation_with(metrics), EvaluationSlice(LABELS, GOOD, None, 0.5), ROUNDS)
    assert decision.checks[0].is_passed is is_passed
