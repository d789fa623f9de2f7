from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.flows import check_retrain
from solosolve.names import DRIFT_METRICS, FEEDBACK, MODEL_METRICS
from solosolve.settings import Settings
from solosolve.storage.feedback import Verdict
from solosolve.storage.table_facts import complaints_labelled_since, rows_where
from solosolve.storage.tables import Tables
from support.live import Live
from support.loop_home import COMPLAINT_COUNT, loop_home
from support.warehouses import append, drift, feedback

LABELLED = COMPLAINT_COUNT - 20


@pytest.fixture
def live(spark: SparkSession, settings: Settings, first_registry: Path) -> Live:
    return loop_home(spark, settings, first_registry)


def with_limits(live: Live, **limits: Any) -> Settings:
    return live.settings.model_copy(update={"retrain_labels": 10_000, "retrain_days": 10_000, **limits})


def checks(live: Live) -> list[dict[str, Any]]:
    rows = live.query("select evidence from gold.model_events where event = 'retrain_checked' order by event_at")
    return [json.loads(row["evidence"]) for row in rows]


def test_each_reason_is_found_in_the_tables(spark: SparkSession, live: Live) -> None:
    found = check_retrain.run(spark, with_limits(live, retrain_labels=LABELLED))
    assert (found.is_due, found.reasons) == (True, (f"{LABELLED} new labels, due from {LABELLED}",))
    found = check_retrain.run(spark, with_limits(live, retrain_days=1))
    assert found.is_due and found.reasons[0].endswith("days old, due from 1")
    append(
        live.settings.warehouse,
        DRIFT_METRICS,
        [drift(name, 0, psi, model_version=1) for name, psi in (("state", 0.3), ("product", 0.0))],
    )
    assert check_retrain.run(spark, with_limits(live)).reasons == ("drift of state",)
    assert check_retrain.run(spark, with_limits(live), is_forced=True).reasons == ("asked for by hand",)


def test_decision_that_stays_the_same_is_recorded_once_until_it_is_due(spark: SparkSession, live: Live) -> None:
    quiet, due = with_limits(live), with_limits(live, retrain_labels=LABELLED)
    for settings in (quiet, quiet, due, due, quiet):
        check_retrain.run(spark, settings)
    assert [check["is_due"] for check in checks(live)] == [False, True, True, False]


def test_label_counts_once_whatever_it_comes_from_and_only_if_it_is_new(spark: SparkSession, live: Live) -> None:
    tables = Tables(spark, live.settings)
    before = complaints_labelled_since(tables, now() - timedelta(days=1_000))
    again = feedback("again", complaint_id=100, given_at=now(), verdict=Verdict.SUCCESS)
    unsure = feedback("unsure", complaint_id=5, given_at=now(), verdict=Verdict.UNSURE)
    append(live.settings.warehouse, FEEDBACK, [again.as_row(), unsure.as_row()])
    assert before == complaints_labelled_since(tables, now() - timedelta(days=1_000)) == LABELLED
    assert complaints_labelled_since(tables, now() - timedelta(hours=1)) == 1


def test_champion_that_was_trained_elsewhere_has_no_age_and_all_labels_are_new_to_it(
    spark: SparkSession, live: Live
) -> None:
    tables = Tables(spark, live.settings)
    live.settings.table_folder(MODEL_METRICS).rename(live.settings.home / "elsewhere")
    assert rows_where(tables, MODEL_METRICS, "model_version", 1) == []
    found = check_retrain.run(spark, with_limits(live, retrain_labels=1, retrain_days=1))
    assert (found.is_due, found.reasons) == (True, (f"{LABELLED} new labels, due from 1",))
