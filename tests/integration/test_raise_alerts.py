from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from pyspark.sql import SparkSession

from solosolve.alerts.history import AlertRow
from solosolve.dashboard.data.alerts import current_alerts
from solosolve.dashboard.data.answers import Answers
from solosolve.flows import raise_alerts
from solosolve.names import (
    ALERTS,
    COMPLAINTS,
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK_FILES,
    FEEDBACK_TOPIC,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REQUESTS,
    STREAM_PROGRESS,
)
from solosolve.settings import Settings
from solosolve.storage.alert_facts import gather_facts
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.job_runs import FAILED, JobRunRecord, failed_runs, newest_ended_runs
from solosolve.storage.table_facts import ask
from solosolve.storage.tables import Tables
from support.drills import LONG
from support.warehouses import (
    NOW,
    append,
    batch,
    complaint,
    dead_letter,
    drift,
    event,
    metric,
    performance,
    prediction,
    quarantined,
)

HOUR = timedelta(hours=1)


@pytest.fixture
def troubled(settings: Settings) -> Settings:
    """A home in which every rule has something to say."""
    warehouse = settings.warehouse
    append(warehouse, COMPLAINTS, [complaint(1)])
    append(warehouse, STREAM_PROGRESS, [batch(7, ended_at=NOW - 2 * HOUR, lag=0),
                                        batch(6, ended_at=NOW - 3 * HOUR, lag=4, source="kafka")])  # fmt: skip
    append(warehouse, REQUESTS, [{"complaint_id": number, "requested_at": NOW - number * HOUR} for number in (1, 3)])
    ahead = {"complaint_id": 2, "requested_at": NOW - HOUR}
    append(warehouse, REQUESTS, [ahead])
    append(warehouse, PREDICTIONS, [prediction(1, source="replay", source_position="a", scored_at=NOW),
                                    prediction(**ahead, scored_at=NOW - 2 * HOUR)])  # fmt: skip
    append(warehouse, DEAD_LETTERS, [
        dead_letter("a", "blank company"), dead_letter("b", "no state"), dead_letter("c", "no state"),
        dead_letter("d", "bad date"), dead_letter("e", "bad date", failed_at=NOW - 26 * HOUR),
        dead_letter("g", "outcome: missing", topic=FEEDBACK_TOPIC), dead_letter("h", "not JSON", topic=FEEDBACK_FILES),
        dead_letter("i", "not JSON", topic=FEEDBACK_FILES),
    ])  # fmt: skip
    append(warehouse, QUARANTINE, [quarantined("too few fields", _ingested_at=NOW - HOUR)])
    against_labels = {"name": "labels_as_expected", "is_passed": False, "found": 4.5, "required": ""}
    append(warehouse, MODEL_EVENTS, [event(2, "promoted_provisional", 0, "champion"),
                                     event(3, "validation_shadow", 1, checks=[against_labels])])  # fmt: skip
    append(warehouse, MODEL_METRICS, [metric(2, "test", "auc", 0.7)])
    append(warehouse, MODEL_PERFORMANCE, [performance("auc", 0, 0.55), performance("auc", 1, 0.7),
                                         performance("auc", -1, None)])  # fmt: skip
    append(warehouse, DRIFT_METRICS, [drift("state", -1, None), drift("state", 0, 0.3), drift("product", 0, 0.01),
                                      drift("tags", 1, 0.4)])  # fmt: skip
    JobRunRecord("medallion", NOW - HOUR, NOW, FAILED, "refine_complaints", "TableError: full disk").save(settings.runs)
    return settings


def recorded(settings: Settings) -> list[AlertRow]:
    sql = f"select * from {ALERTS} order by alert, opened_at"
    return [AlertRow(**row) for row in DeltaReader(settings.warehouse).query(sql).to_pylist()]


def commits(settings: Settings) -> int:
    return len(list((settings.table_folder(ALERTS) / "_delta_log").glob("*.json")))


def test_alerts_are_recorded_once_and_are_those_of_the_page(spark: SparkSession, troubled: Settings) -> None:
    answers = Answers(DeltaReader(troubled.warehouse))
    shown = current_alerts(answers, troubled, NOW)
    assert {row.alert: row.summary for row in shown} == {
        "stale_stream:delta":
            "The delta stream has finished no batch since 2026-05-04 10:00 UTC, and 1 request waits.",
        "stale_stream:kafka":
            "The kafka stream has finished no batch since 2026-05-04 09:00 UTC, and 4 requests wait.",
        "dead_letters": "3 messages could not be read in the last 24 hours; most often (2): no state",
        "refused_feedback": "3 feedback events were refused in the last 24 hours; most often (2): not JSON",
        "quarantined_records": "1 record was quarantined in the last 24 hours; too few fields",
        "drift": "What version 2 scored until 2026-05-04 differs from what it was trained on: state.",
        "fall_of_performance": "Version 2 is worse on the labels until 2026-05-04 than on its test split: "
            "AUC at most 0.600, expected at least 0.670.",
        "provisional_champion": "Version 2 is champion without reliably beating the prior, as there was no other.",
        "contradicting_labels":
            "New labels suddenly contradict version 2: they are 4.5 standard errors from its probabilities.",
        "failed_job:medallion": "The newest run of medallion failed in refine_complaints: TableError: full disk",
    }  # fmt: skip
    assert raise_alerts.run(spark, troubled, NOW).open == shown
    assert recorded(troubled) == sorted(shown, key=lambda row: row.alert)
    assert current_alerts(answers, troubled, NOW) == shown
    before = commits(troubled)
    assert raise_alerts.run(spark, troubled, NOW + timedelta(minutes=5)).changed == ()
    assert commits(troubled) == before
    append(troubled.warehouse, STREAM_PROGRESS, [batch(8, ended_at=NOW + HOUR, lag=0)])
    append(troubled.warehouse, DEAD_LETTERS, [dead_letter("f", "no state")])
    changed = raise_alerts.run(spark, troubled, NOW + HOUR).changed
    assert [(row.alert, row.closed_at) for row in changed] == [
        ("dead_letters", None),
        ("stale_stream:delta", NOW + HOUR),
    ]
    assert commits(troubled) == before + 1
    assert {row.alert for row in recorded(troubled) if row.closed_at} == {"stale_stream:delta"}
    assert len(recorded(troubled)) == len(shown)


@pytest.mark.skipif(not LONG, reason="make faults: tests/platform runs the same statements in Spark")
def test_facts_are_the_same_through_spark(spark: SparkSession, troubled: Settings) -> None:
    in_store = troubled.model_copy(update={"warehouse_url": f"file://{troubled.warehouse}"})
    failed = failed_runs(newest_ended_runs(troubled.runs))
    found = [
        gather_facts(partial(ask, Tables(spark, settings)), settings, failed, NOW) for settings in (troubled, in_store)
    ]
    assert found[0] == found[1]


def test_home_without_tables_has_no_alert_and_gets_no_table(spark: SparkSession, settings: Settings) -> None:
    assert raise_alerts.run(spark, settings).open == ()
    assert not Tables(spark, settings).exists(ALERTS)
