from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import NoChampionError
from solosolve.flows import monitor_model
from solosolve.model.metrics import measure
from solosolve.model.performance import PERFORMANCE_METRICS
from solosolve.names import (
    COMPLAINTS,
    DRIFT_METRICS,
    FEEDBACK,
    MEASURED_LABELS,
    MODEL_PERFORMANCE,
    PICKED_AUDIT,
    PICKED_UNCERTAIN,
    PREDICTIONS,
    Table,
)
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from solosolve.storage.measured_labels import known_labels
from solosolve.storage.tables import Tables
from support.arrivals import FIRST, WINDOW, Arrivals
from support.builders import settings_in
from support.warehouses import append, feedback

TRAINED, ARRIVED = 5_000, 400
RENAMED_2017 = {"Credit reporting": "Credit reporting, credit repair services, or other personal consumer reports",
                "Credit card": "Credit card or prepaid card",
                "Bank account or service": "Checking or savings account"}  # fmt: skip
RENAMED_2023 = RENAMED_2017 | {"Credit reporting": "Credit reporting or other personal consumer reports",
                               "Credit card": "Credit card"}  # fmt: skip


@pytest.fixture(scope="module")
def trained_home(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home whose champion has a reference."""
    home = tmp_path_factory.mktemp("trained") / "home"
    Arrivals(spark, settings_in(home)).train(TRAINED)
    return home


@pytest.fixture
def arrivals(spark: SparkSession, trained_home: Path, tmp_path: Path) -> Arrivals:
    shutil.copytree(trained_home, tmp_path / "home")
    return Arrivals(spark, settings_in(tmp_path / "home"), np.random.default_rng(5), count=TRAINED)


def rows(arrivals: Arrivals, table: Table) -> list[dict[str, Any]]:
    reader = DeltaReader(arrivals.settings.warehouse)
    found: list[dict[str, Any]] = reader.query(f"select * from {table}").to_pylist()
    for row in found:
        row.pop("measured_at", None)
    return sorted(found, key=str)


def commits(arrivals: Arrivals, table: Table) -> int:
    return len(list((arrivals.settings.table_folder(table) / "_delta_log").glob("*.json")))


def judge(arrivals: Arrivals, complaints: pa.Table, days: int, verdict: Verdict = Verdict.SUCCESS) -> None:
    """Reviewers give each complaint, picked at random, the verdict, some days after the first window's start."""
    ids = complaints.column("complaint_id").to_pylist()
    give(arrivals, ids, [verdict] * len(ids), days, picked_by=PICKED_AUDIT, pick_probability=0.01)


def give(arrivals: Arrivals, ids: Sequence[int], verdicts: Sequence[Verdict], days: int, **how: Any) -> None:
    at = FIRST + timedelta(days=days)
    given = [
        feedback(f"{number} {days}", complaint_id=number, given_at=at, verdict=verdict, **how).as_row()
        for number, verdict in zip(ids, verdicts, strict=True)
    ]
    append(arrivals.settings.warehouse, FEEDBACK, given)


def test_window_without_a_change_is_ok_in_every_feature(arrivals: Arrivals) -> None:
    arrivals.arrive(0, ARRIVED)
    found = arrivals.monitor(1)
    assert (len(found.windows), found.has_reference, found.alarms) == (1, True, ())
    assert {row["feature"]: row["state"] for row in rows(arrivals, DRIFT_METRICS)} == dict.fromkeys(
        (
            "product",
            "issue",
            "sub_issue",
            "state",
            "submitted_via",
            "tags",
            "company_size",
            "narrative_length",
            "score",
        ),
        "ok",
    )
    assert {row["record_count"] for row in rows(arrivals, DRIFT_METRICS)} == {ARRIVED}


def test_real_change_is_an_alarm_and_new_only_once(arrivals: Arrivals) -> None:
    for window in range(3):
        arrivals.arrive(window, ARRIVED, **({"state": ["state 0"] * ARRIVED} if window else {}))
    found = arrivals.monitor(3)
    assert [(each.feature, each.window_start) for each in found.alarms] == [
        ("state", FIRST + WINDOW),
        ("state", FIRST + 2 * WINDOW),
    ]
    assert [each.window_start for each in found.new_alarms] == [FIRST + WINDOW]


def test_products_that_the_bureau_renamed_raise_no_alarm(arrivals: Arrivals) -> None:
    for window, names in enumerate((RENAMED_2017, RENAMED_2023)):
        drawn = arrivals.draw(ARRIVED, FIRST.date(), FIRST).column("product").to_pylist()
        renamed = [names.get(name, name) for name in drawn]
        assert sum(old != new for old, new in zip(drawn, renamed, strict=True)) > ARRIVED / 10
        arrivals.arrive(window, ARRIVED, product=renamed)
    assert arrivals.monitor(2).alarms == ()
    products = [row for row in rows(arrivals, DRIFT_METRICS) if row["feature"] == "product"]
    assert [row["state"] for row in products] == ["ok", "ok"]


def test_each_complete_window_is_measured_once(arrivals: Arrivals) -> None:
    for window in range(3):
        judge(arrivals, arrivals.arrive(window, ARRIVED).slice(0, 5), window * WINDOW.days + 3)
    assert len(arrivals.monitor(1).windows) == 1
    assert [window.start for window in arrivals.monitor(2).windows] == [FIRST + WINDOW]
    # All rows of a run are one commit, after the one that created the table.
    tables = (DRIFT_METRICS, MEASURED_LABELS, MODEL_PERFORMANCE)
    before = {table: (commits(arrivals, table), rows(arrivals, table)) for table in tables}
    assert [count for count, _ in before.values()] == [3, 3, 3]
    assert arrivals.monitor(2).windows == ()
    assert {table: (commits(arrivals, table), rows(arrivals, table)) for table in tables} == before


def test_run_that_is_cut_off_between_the_tables_leaves_what_a_run_for_each_window_does(
    arrivals: Arrivals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = (arrivals.arrive(window, ARRIVED) for window in range(2))
    judge(arrivals, first.slice(0, 60), 3)
    judge(arrivals, first.slice(0, 20), 32, Verdict.FAILURE)
    judge(arrivals, first.slice(60, 40), 31)
    give(arrivals, first.column("complaint_id").to_pylist()[100:160], [Verdict.FAILURE] * 60, 29, source="event")
    shutil.copytree(arrivals.settings.home, tmp_path / "other")
    undisturbed = Arrivals(arrivals.spark, settings_in(tmp_path / "other"))
    undisturbed.monitor(1)
    undisturbed.monitor(2)
    overwrite = Tables.overwrite

    def cut_off(tables: Tables, table: Table, frame: DataFrame, where: str | None = None) -> None:
        if table == MODEL_PERFORMANCE:
            raise RuntimeError("cut off")
        overwrite(tables, table, frame, where)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="cut off"):
        patch.setattr(Tables, "overwrite", cut_off)
        arrivals.monitor(2)
    assert rows(arrivals, DRIFT_METRICS)
    assert len(arrivals.monitor(2).windows) == 2
    for table in (DRIFT_METRICS, MEASURED_LABELS, MODEL_PERFORMANCE):
        assert rows(arrivals, table) == rows(undisturbed, table)


def test_rescored_training_complaints_are_no_arrivals(arrivals: Arrivals) -> None:
    old = arrivals.draw(ARRIVED, FIRST.date().replace(year=2016), FIRST, state=["state 0"] * ARRIVED)
    arrivals.append(COMPLAINTS, old)
    arrivals.score(old, FIRST + timedelta(days=1), np.full(ARRIVED, 0.5))
    assert arrivals.monitor(1).alarms == ()
    assert {row["state"] for row in rows(arrivals, DRIFT_METRICS)} == {"too_few"}


def test_version_without_a_reference_is_measured_on_labels_only(arrivals: Arrivals) -> None:
    version = arrivals.promote(None).version
    judge(arrivals, arrivals.arrive(0, ARRIVED, version), 3)
    found = arrivals.monitor(1)
    assert (found.model_version, found.has_reference, found.alarms) == (version, False, ())
    (row,) = rows(arrivals, DRIFT_METRICS)
    assert (row["feature"], row["state"], row["record_count"]) == ("score", "no_reference", ARRIVED)
    assert found.performance is not None
    assert found.performance.label_count == ARRIVED


def test_performance_is_measured_on_the_labels_of_the_window(arrivals: Arrivals) -> None:
    first = arrivals.arrive(0, ARRIVED)
    shadow = arrivals.shadow(first, FIRST + timedelta(days=2))
    judge(arrivals, first.slice(0, 60), 3)
    judge(arrivals, first.slice(60, 40), 5, Verdict.FAILURE)
    judge(arrivals, first.slice(100, 30), 29)
    arrivals.monitor(2)
    of_all = [row for row in rows(arrivals, MODEL_PERFORMANCE) if row["segment"] == "all"]
    overall = [row for row in of_all if row["model_version"] == 1]
    measured, later = (
        [row for row in overall if row["window_start"] == FIRST + window * WINDOW] for window in range(2)
    )
    assert {row["metric"] for row in measured} == set(PERFORMANCE_METRICS)
    assert {(row["state"], row["label_count"], row["record_count"]) for row in measured} == {("ok", 100, ARRIVED)}
    assert {row["label_delay_days"] for row in measured} == {2.0}
    assert all(row["value_low"] <= row["value"] <= row["value_high"] for row in measured)
    # Thirty labels arrive after the first window, of complaints that it scored.
    assert {(row["state"], row["label_count"], row["value"]) for row in later} == {("too_few", 30, None)}
    # The challenger in shadow, on the same labels.
    beside = [row for row in of_all if row["model_version"] == shadow]
    assert Counter(row["label_count"] for row in beside) == Counter(row["label_count"] for row in overall)
    assert {row["label_delay_days"] for row in beside if row["state"] == "ok"} == {1.0}
    assert {row["model_version"] for row in rows(arrivals, DRIFT_METRICS)} == {1}


def test_biased_queue_does_not_mislead_the_monitor(arrivals: Arrivals) -> None:
    count, generator = 4_000, np.random.default_rng(2)
    arrivals.arrive(0, count)
    sql = f"select complaint_id, probability from {PREDICTIONS} order by 1"
    scored = DeltaReader(arrivals.settings.warehouse).query(sql)
    ids, probabilities = (scored.column(name).to_numpy() for name in ("complaint_id", "probability"))
    # The model is a little too sure.
    labels = (generator.uniform(size=count) < 0.5 + 0.8 * (probabilities - 0.5)).astype(float)
    verdicts = [Verdict.SUCCESS if label else Verdict.FAILURE for label in labels]
    # Failures are reported by events, successes rarely; reviewers see the least certain of the others, and random ones.
    is_event = generator.uniform(size=count) < np.where(labels == 0, 0.4, 0.02)
    waiting = np.flatnonzero(~is_event)
    uncertain = waiting[np.argsort(np.abs(probabilities[waiting] - 0.5))][:100]
    audit = generator.choice(np.setdiff1d(waiting, uncertain), 500, replace=False)
    odds = 3 / len(waiting)
    ways = {
        "event": (np.flatnonzero(is_event), {"source": "event"}),
        "uncertain": (uncertain, {"picked_by": PICKED_UNCERTAIN}),
        "audit": (audit, {"picked_by": PICKED_AUDIT, "pick_probability": odds}),
    }
    for chosen, how in ways.values():
        give(arrivals, ids[chosen].tolist(), [verdicts[place] for place in chosen], 3, **how)

    found = arrivals.monitor(1).performance
    assert found is not None and found.metrics is not None
    assert found.label_count == int(is_event.sum()) + len(audit)
    truth = measure(labels, probabilities)
    known = np.concatenate([chosen for chosen, _ in ways.values()])
    naive = measure(labels[known], probabilities[known])
    for name in ("accuracy", "auc", "log_loss"):
        assert found.metrics[name].low <= truth[name] <= found.metrics[name].high, name
    for name in ("accuracy", "log_loss"):
        assert not found.metrics[name].low <= naive[name] <= found.metrics[name].high, name
    weights = [row["weight"] for row in rows(arrivals, MEASURED_LABELS)]
    # Random picks stand, together, for all complaints without an event.
    assert sum(weights) == pytest.approx(count)
    assert Counter(weights)[1.0] == int(is_event.sum())


def test_label_that_arrives_after_its_window_counts_in_the_next_one(arrivals: Arrivals) -> None:
    first = arrivals.arrive(0, ARRIVED)
    judge(arrivals, first.slice(0, 60), 3)
    arrivals.monitor(1)
    judge(arrivals, first.slice(60, 60), 4)
    judge(arrivals, first.slice(120, 60), 30)
    # A change of mind does not make a complaint count again.
    judge(arrivals, first.slice(0, 10), 40, Verdict.FAILURE)
    arrivals.monitor(2)
    ids, counted = first.column("complaint_id").to_pylist(), rows(arrivals, MEASURED_LABELS)
    windows = {row["complaint_id"]: (row["window_start"] - FIRST) // WINDOW for row in counted}
    expected = [(0, ids[:60]), (1, ids[60:180])]
    assert windows == {number: window for window, of_window in expected for number in of_window}
    assert len(counted) == len(windows)


def test_segments_divide_the_labels_and_one_class_is_too_few(arrivals: Arrivals) -> None:
    judge(arrivals, arrivals.arrive(0, ARRIVED), 3)
    overall = arrivals.monitor(1).performance
    assert overall is not None
    assert (overall.state, overall.label_count) == ("too_few", ARRIVED)
    found = {(row["segment"], row["segment_value"]): row for row in rows(arrivals, MODEL_PERFORMANCE)}
    for segment in ("product", "state", "company_size"):
        parts = [row for (name, _), row in found.items() if name == segment]
        assert sum(row["label_count"] for row in parts) == sum(row["record_count"] for row in parts) == ARRIVED
    assert ("product", "Card") in found
    assert ("product", "Credit card") not in found


def test_withdrawn_verdicts_and_later_changes_of_mind(arrivals: Arrivals) -> None:
    scored = arrivals.arrive(0, 3)
    judge(arrivals, scored, 3)
    judge(arrivals, scored.slice(0, 1), 4, Verdict.FAILURE)
    taken_back = feedback(
        f"{scored.column('complaint_id')[1]} 3", verdict=Verdict.WITHDRAWN, given_at=FIRST + WINDOW / 2
    )
    append(arrivals.settings.warehouse, FEEDBACK, [taken_back.as_row()])
    known = known_labels(Tables(arrivals.spark, arrivals.settings), FIRST + WINDOW)
    ids = scored.column("complaint_id").to_pylist()
    assert {row["complaint_id"]: row["label"] for row in known.collect()} == {ids[0]: 0.0, ids[2]: 1.0}


def test_monitor_without_a_champion_says_so(spark: SparkSession, tmp_path: Path) -> None:
    with pytest.raises(NoChampionError):
        monitor_model.run(spark, settings_in(tmp_path / "empty"))
