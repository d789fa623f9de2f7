from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from solosolve.model.retraining import ChampionFacts, RetrainLimits, decide_retraining

NOW = datetime(2018, 6, 1, tzinfo=UTC)
LIMITS = RetrainLimits(new_labels=500, age_days=180, auc_fall=0.03, cooldown_days=7)
QUIET = ChampionFacts(trained_at=NOW - timedelta(days=30), new_label_count=100, auc_expected=0.64, auc_high=0.66)


@pytest.mark.parametrize(
    ("changes", "is_due", "reasons"),
    [
        ({}, False, ("100 new labels, nothing else has changed",)),
        ({"new_label_count": 0}, False, ("no new labels",)),
        ({"new_label_count": 500}, True, ("500 new labels, due from 500",)),
        ({"trained_at": NOW - timedelta(days=180)}, True, ("180 days old, due from 180",)),
        ({"drifted": ("issue", "score")}, True, ("drift of issue, score",)),
        ({"auc_high": 0.60}, True, ("AUC at most 0.600, expected at least 0.610",)),
        ({"auc_high": 0.61}, False, ("100 new labels, nothing else has changed",)),
        ({"auc_high": None, "auc_expected": None}, False, ("100 new labels, nothing else has changed",)),
        (
            {"new_label_count": 700, "drifted": ("issue",)},
            True,
            ("700 new labels, due from 500", "drift of issue"),
        ),
    ],
)  # fmt: skip
def test_retraining_is_due_for_reasons(changes: dict[str, object], is_due: bool, reasons: tuple[str, ...]) -> None:
    decision = decide_retraining(replace(QUIET, **changes), LIMITS, NOW)  # type: ignore[arg-type]
    assert (decision.is_due, decision.reasons) == (is_due, reasons)


def test_retraining_is_due_by_hand_even_without_labels_and_within_the_cooldown() -> None:
    facts = replace(QUIET, new_label_count=0, tried_at=NOW, is_forced=True)
    assert decide_retraining(facts, LIMITS, NOW).reasons == ("asked for by hand",)


@pytest.mark.parametrize(("days", "is_due"), [(0, False), (6, False), (7, True)])
def test_retraining_waits_for_the_cooldown_after_the_last_training(days: int, is_due: bool) -> None:
    facts = replace(QUIET, new_label_count=900, tried_at=NOW - timedelta(days=days))
    decision = decide_retraining(facts, LIMITS, NOW)
    assert decision.is_due is is_due
    if not is_due:
        assert "cooling down until" in decision.reasons[0]


def test_drift_alone_without_a_new_label_is_not_enough() -> None:
    facts = replace(QUIET, new_label_count=0, drifted=("issue",))
    assert not decide_retraining(facts, LIMITS, NOW).is_due
