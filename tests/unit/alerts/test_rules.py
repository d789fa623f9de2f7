from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from solosolve.alerts.facts import ChampionState, Facts, FailedRun, SetAside, StreamFacts
from solosolve.alerts.rules import Alert, Severity, find_alerts
from solosolve.loop_settings import LoopSettings

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
LIMITS = LoopSettings()
CHAMPION = ChampionState(2, NOW - timedelta(days=8))


def ago(**units: int) -> datetime:
    return NOW - timedelta(**units)


def judged(limits: LoopSettings = LIMITS, **facts: Any) -> list[Alert]:
    return list(find_alerts(Facts(**{"at": NOW, "has_complaints": True, "champion": CHAMPION} | facts), limits))


def summaries(found: list[Alert]) -> dict[str, str]:
    return {alert.name: json.loads(alert.evidence)["summary"] for alert in found}


def test_facts_without_a_fault_raise_no_alert() -> None:
    assert judged(streams=(StreamFacts("delta", ago(days=3)), StreamFacts("kafka", None))) == []
    assert judged(champion=None, has_complaints=False) == []


@pytest.mark.parametrize(
    ("last_batch", "waiting_since", "is_stale"),
    [(10, 10, True), (9, 30, False), (300, 9, False), (300, 10, True), (None, 10, True), (None, 9, False)],
)
def test_stream_is_stale_once_requests_have_waited_without_a_batch(
    last_batch: int | None, waiting_since: int, is_stale: bool
) -> None:
    last = None if last_batch is None else ago(minutes=last_batch)
    found = judged(streams=(StreamFacts("delta", last, 12, ago(minutes=waiting_since)),))
    assert [(alert.name, alert.severity) for alert in found] == [("stale_stream:delta", Severity.ACT)] * is_stale


def test_stale_stream_says_since_when_and_how_to_start_it() -> None:
    (found,) = judged(streams=(StreamFacts("kafka", ago(hours=2), 1, ago(hours=2)),))
    assert summaries([found]) == {
        "stale_stream:kafka": "The kafka stream has finished no batch since 2026-05-04 10:00 UTC, and 1 request waits."
    }
    assert found.what_to_do.startswith("Start it with `solosolve run score_stream --param source=kafka`;")


def test_what_was_set_aside_is_an_alert_from_its_threshold_on_with_the_most_frequent_reason() -> None:
    letters = SetAside(1_200, ago(hours=3), "state: missing", 1_000)
    records = SetAside(1, ago(hours=2), "too few fields", 1)
    events = SetAside(2, ago(hours=1), "outcome: missing", 2)
    assert summaries(judged(dead_letters=letters, refused_feedback=events, quarantined=records)) == {
        "dead_letters": "1,200 messages could not be read in the last 24 hours; most often (1,000): state: missing",
        "refused_feedback": "2 feedback events were refused in the last 24 hours; most often (2): outcome: missing",
        "quarantined_records": "1 record was quarantined in the last 24 hours; too few fields",
    }
    assert judged(LoopSettings(alert_dead_letters=1_201, alert_quarantined=2), dead_letters=letters,
                  refused_feedback=events, quarantined=records) == []  # fmt: skip


def test_refused_feedback_is_to_be_sent_again_because_no_replay_takes_it() -> None:
    (found,) = judged(refused_feedback=SetAside(1, ago(hours=1), "outcome: missing", 1))
    assert (found.name, found.severity, found.since) == ("refused_feedback", Severity.LOOK, ago(hours=1))
    assert "`solosolve feedback import FILE`" in found.what_to_do
    assert "replay" not in found.what_to_do


@pytest.mark.parametrize(("high", "is_fallen"), [(0.62, False), (0.61, True), (None, False)])
def test_performance_has_fallen_by_the_rule_of_retraining(high: float | None, is_fallen: bool) -> None:
    champion = ChampionState(2, NOW, auc_expected=0.65, auc_high=high, labels_until=ago(days=1))
    found = summaries(judged(champion=champion))
    assert list(found) == ["fall_of_performance"] * is_fallen
    if is_fallen:
        assert found["fall_of_performance"].endswith(": AUC at most 0.610, expected at least 0.620.")


def test_champion_that_is_missing_provisional_drifting_or_contradicted_is_an_alert() -> None:
    assert [alert.name for alert in judged(champion=None)] == ["no_champion"]
    state = ChampionState(2, ago(days=9), True, ("score", "state"), ago(days=2), contradicted_at=NOW, surprise=-4.23)
    assert summaries(judged(champion=state)) == {
        "contradicting_labels":
            "New labels suddenly contradict version 2: they are 4.2 standard errors from its probabilities.",
        "drift": "What version 2 scored until 2026-05-02 differs from what it was trained on: score, state.",
        "provisional_champion":
            "Version 2 is champion without reliably beating the prior, as there was no other.",
    }  # fmt: skip


def test_failed_run_names_task_and_error_and_how_to_go_on() -> None:
    (found,) = judged(failed_runs=(FailedRun("retrain", NOW, "train_model", "ModelError: no rows"),))
    assert summaries([found]) == {
        "failed_job:retrain": "The newest run of retrain failed in train_model: ModelError: no rows"
    }
    assert found.what_to_do == "Mend the cause, then run `solosolve run retrain --from train_model`."


def test_evidence_stays_the_same_while_the_facts_do() -> None:
    champion = ChampionState(2, ago(days=9), True, ("state",), ago(days=2), 0.7, 0.6, ago(days=2), ago(days=3), 4.0)
    facts: dict[str, Any] = {
        "champion": champion, "streams": (StreamFacts("delta", ago(hours=2), 5, ago(hours=1)),),
        "dead_letters": SetAside(2, ago(hours=4), "y", 2), "failed_runs": (FailedRun("retrain", NOW, None, "killed"),),
    }  # fmt: skip
    assert judged(**facts) == judged(**facts, at=NOW + timedelta(hours=7))
