from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.references import is_made_up
from solosolve.dashboard.views.model_panels import calibration, version_cards
from solosolve.dashboard.views.threshold_explorer import results
from solosolve.errors import NoChampionError, NotYetError
from solosolve.names import LANDINGS, MODEL_EVENTS, MODEL_METRICS, TEST_SCORES
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import NOW, append, delete, event, metric, scored_test_complaint

SEGMENT = Filters(product=("Mortgage",), state=("CA",))
FOUND = (
    "select count(*) filter (where probability < 0.5) as read, count(*) as n, "
    "count(*) filter (where probability < 0.5 and is_successful_resolution = 0.0) as found, "
    "count(*) filter (where is_successful_resolution = 0.0) as failures from gold.test_scores where model_version = 2"
)


def row(answers: Answers, sql: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = answers.reader.query(sql).to_pylist()[0]
    return found


def recorded(answers: Answers, name: str, version: int = 2) -> float:
    sql = (
        f"select value from gold.model_metrics where model_version = {version} and split = 'test' and metric = '{name}'"
    )
    return float(row(answers, sql)["value"])


def land(warehouse: Path, *names: str) -> None:
    """The files that were landed are these."""
    delete(warehouse, LANDINGS, "true")
    counts = dict.fromkeys(("byte_count", "record_count", "bronze_count", "quarantine_count"), 1)
    append(warehouse, LANDINGS, [
        {"source_file": str(warehouse / name), "source_sha256": "0", "layout": "18", "landed_at": NOW, **counts}
        for name in names
    ])  # fmt: skip


def write_truth(warehouse: Path, ids: range) -> None:
    truth = {"complaint_id": list(ids), "probability": [(number % 100) / 100 for number in ids]}
    pq.write_table(pa.table(truth), warehouse / "sample.truth.parquet")


def test_cards_begin_with_the_failures_found_for_the_complaints_read(answers: Answers) -> None:
    read, total, found, failures = row(answers, FOUND).values()
    said = f"Reading {read} of {total} complaints finds {found} of {failures} failures."
    assert text_of(version_cards(answers, Filters())).startswith(f"{said} Failures found")


def test_accuracy_stands_next_to_that_of_always_predicting_the_commoner_outcome(answers: Answers) -> None:
    share = row(answers, "select avg(is_successful_resolution) as s from gold.test_scores where model_version = 2")["s"]
    shown = text_of(version_cards(answers, Filters()))
    assert f"Accuracy {recorded(answers, 'accuracy'):.3f}" in shown
    assert f"prior {share:.3f}" in shown


def test_weighted_metrics_have_names_that_say_so(answers: Answers) -> None:
    shown = text_of(version_cards(answers, Filters()))
    assert "Precision (weighted)" in shown
    assert "F1 (weighted)" in shown


@pytest.mark.parametrize("metric_name", ["failure_recall", "review_share", "accuracy"])
def test_cards_and_threshold_explorer_show_one_value_and_one_interval(answers: Answers, metric_name: str) -> None:
    def tile(component: Any, place: str) -> str:
        found = [
            text_of(each) for each in component._traverse() if getattr(each, "id", None) == f"{place}-{metric_name}"
        ]
        return found[0]

    explorer = tile(results(answers, ""), "threshold")
    assert tile(version_cards(answers, Filters()), "card").startswith(explorer)
    segment = tile(results(answers, SEGMENT.to_search()), "threshold")
    assert tile(version_cards(answers, SEGMENT), "card").startswith(segment)


def test_champion_is_compared_with_its_predecessor_on_its_own_test_split(answers: Answers) -> None:
    change = recorded(answers, "accuracy") - recorded(answers, "accuracy", 1)
    shown = text_of(version_cards(answers, Filters()))
    assert f"{change:+.3f} vs version 1" in shown
    assert "Version 1: on its own 400 test complaints." in shown


def test_lower_log_loss_is_better(warehouse: Path) -> None:
    append(warehouse, MODEL_METRICS, [metric(3, "test", "log_loss", 0.1), metric(3, "test", "auc", 0.6)])
    append(warehouse, TEST_SCORES, [scored_test_complaint(number, 3) for number in range(1, 50)])
    append(warehouse, MODEL_EVENTS, [event(3, "promoted", 2, "champion")])
    shown = as_json(version_cards(Answers(DeltaReader(warehouse)), Filters()))
    changes = [part for part in shown.split('"className"') if "vs version 2" in part]
    assert any("▼" in part for part in changes)
    assert shown.count('"better"') >= 1


def test_cards_of_a_segment_are_measured_on_its_test_complaints(answers: Answers) -> None:
    count = row(
        answers,
        "select count(*) as n, "
        "avg(case when (probability >= 0.5) = (is_successful_resolution = 1.0) then 1.0 else 0.0 end) as accuracy "
        "from gold.test_scores where model_version = 2 and product = 'Mortgage' and state = 'CA'",
    )
    shown = text_of(version_cards(answers, SEGMENT))
    assert f"on {count['n']} test complaints" in shown
    assert f"Accuracy {count['accuracy']:.3f}" in shown


def test_cards_of_a_version_without_metrics_say_so(answers: Answers) -> None:
    shown = text_of(version_cards(answers, Filters(model_version=9)))
    assert "Version 9 cannot be measured: its training recorded no metrics." in shown


def test_champion_that_does_not_beat_the_prior_is_shown_as_provisional(warehouse: Path) -> None:
    append(warehouse, MODEL_EVENTS, [event(2, "promoted_provisional", 9_000, "champion")])
    shown = text_of(version_cards(Answers(DeltaReader(warehouse)), Filters()))
    assert "provisional  It does not beat the overall success rate." in shown


@pytest.mark.parametrize("panel", [version_cards, calibration])
def test_panels_before_the_first_promotion_name_the_command_that_makes_one(no_answers: Answers, panel: Any) -> None:
    with pytest.raises(NotYetError) as raised:
        panel(no_answers, Filters())
    assert raised.value.command == NoChampionError().command


def test_oracle_is_shown_on_made_up_complaints(warehouse: Path) -> None:
    land(warehouse, "sample.csv")
    write_truth(warehouse, range(1, 401))
    answers = Answers(DeltaReader(warehouse))
    assert is_made_up(answers)
    shown = text_of(version_cards(answers, Filters()))
    assert "oracle" in shown
    assert "Oracle: knows the true probabilities" in shown


def test_oracle_is_never_shown_on_real_complaints(warehouse: Path) -> None:
    land(warehouse, "sample.csv", "complaints.csv")
    write_truth(warehouse, range(1, 401))
    answers = Answers(DeltaReader(warehouse))
    assert not is_made_up(answers)
    assert "racle" not in text_of(version_cards(answers, Filters()))


def test_oracle_is_not_shown_if_a_test_complaint_is_not_made_up(warehouse: Path) -> None:
    land(warehouse, "sample.csv")
    write_truth(warehouse, range(1, 400))
    assert "racle" not in text_of(version_cards(Answers(DeltaReader(warehouse)), Filters()))


def test_calibration_says_in_words_and_as_a_table_what_came_true(answers: Answers) -> None:
    counts = row(
        answers,
        "select count(*) as n, avg(is_successful_resolution) as rate, avg(probability) as mean from gold.test_scores "
        "where model_version = 2 and probability >= 0.6 and probability < 0.7",
    )
    shown = text_of(calibration(answers, Filters()))
    assert f"Of complaints given 60–70%, {counts['rate']:.0%} succeeded (n = {counts['n']})." in shown
    assert f"60–70% {counts['mean']:.1%} {counts['rate']:.1%} {counts['n']}" in shown


def test_calibration_of_days_without_test_complaints_blames_the_filters(answers: Answers) -> None:
    shown = text_of(calibration(answers, Filters(last_received=date(2001, 1, 1))))
    assert "match these filters" in shown
