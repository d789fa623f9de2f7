from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Panel
from solosolve.dashboard.views.rooms import PANELS
from solosolve.errors import NoChampionError, NotYetError
from solosolve.names import (
    DRIFT_METRICS,
    FEEDBACK,
    MODEL_EVENTS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    REJECTED,
    STREAM_PROGRESS,
)
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import Verdict
from support.components import as_json, text_of
from support.warehouses import NOW, append, batch, drift, event, feedback, folder, prediction

BY_NAME = {panel.name: panel for panel in PANELS}
SEGMENT = Filters(product=("Mortgage",), state=("CA",))
NO_SEGMENT = Filters(product=("Spaceships",))


def draw(answers: Answers, name: str, filters: Filters | None = None) -> str:
    """The JSON of a panel."""
    return as_json(BY_NAME[name].draw(answers, filters or Filters()))


def read(answers: Answers, name: str, filters: Filters | None = None) -> str:
    """The text on a panel."""
    return text_of(BY_NAME[name].draw(answers, filters or Filters()))


def test_cards_compare_the_champion_with_its_predecessor(answers: Answers) -> None:
    shown = read(answers, "cards")
    assert "Accuracy 0.760" in shown
    assert "+0.010 vs version 1" in shown
    assert "0.740 to 0.780" in shown
    assert "Version 2, measured on 400 test complaints" in shown


def test_cards_compare_another_version_with_the_champion(answers: Answers) -> None:
    shown = read(answers, "cards", Filters(model_version=1))
    assert "Accuracy 0.750" in shown
    assert "-0.010 vs version 2" in shown


def test_cards_of_a_segment_are_measured_on_its_test_complaints(answers: Answers) -> None:
    count = answers.reader.query(
        "select count(*) as n, "
        "avg(case when (probability >= 0.5) = (is_successful_resolution = 1.0) then 1.0 else 0.0 end) as accuracy "
        "from gold.test_scores where model_version = 2 and product = 'Mortgage' and state = 'CA'"
    ).to_pylist()[0]  # fmt: skip
    shown = read(answers, "cards", SEGMENT)
    assert f"on {count['n']} test complaints" in shown
    assert f"Accuracy {count['accuracy']:.3f}" in shown


def test_cards_of_a_version_without_metrics_say_so(answers: Answers) -> None:
    assert "Version 9 cannot be measured: its training recorded no metrics." in read(
        answers, "cards", Filters(model_version=9)
    )


def test_champion_that_does_not_beat_the_prior_is_shown_as_provisional(warehouse: Path) -> None:
    append(warehouse, MODEL_EVENTS, [event(2, "promoted_provisional", 9_000, "champion")])
    shown = read(Answers(DeltaReader(warehouse)), "cards")
    assert "provisional" in shown
    assert "It does not beat the overall success rate." in shown


def test_champion_without_test_complaints_cannot_be_measured(warehouse: Path) -> None:
    append(warehouse, MODEL_EVENTS, [event(3, "promoted_provisional", 2, "champion")])
    answers = Answers(DeltaReader(warehouse))
    shown = read(answers, "cards", SEGMENT)
    assert "Version 3 cannot be measured: the selected segment does not have test complaints" in shown
    assert "provisional" in draw(answers, "timeline")


@pytest.mark.parametrize("name", ["cards", "confusion", "calibration"])
def test_model_panels_before_the_first_promotion_name_the_command_that_makes_one(
    no_answers: Answers, name: str
) -> None:
    with pytest.raises(NotYetError) as raised:
        draw(no_answers, name)
    assert raised.value.command == NoChampionError().command


def test_panels_change_with_the_segment_or_say_that_they_ignore_it(answers: Answers) -> None:
    changed = {name for name in BY_NAME if draw(answers, name) != draw(answers, name, SEGMENT)}
    acted_on = {"cards", "time", "distribution", "states", "companies", "confusion", "calibration", "quality"}
    # Without any verdict, this panel says so, or that none matches the filters.
    assert changed - {"feedback"} == acted_on

    def ignores_segments(panel: Panel) -> bool:
        return any(words in panel.description for words in ("Segment filters do not apply", "Filters do not apply"))

    assert all(ignores_segments(BY_NAME[name]) for name in BY_NAME.keys() - acted_on - {"feedback"})


@pytest.mark.parametrize("name", ["time", "distribution", "states", "companies", "confusion", "calibration"])
def test_panels_of_a_segment_without_rows_blame_the_filters(answers: Answers, name: str) -> None:
    assert "match these filters" in read(answers, name, NO_SEGMENT)


def test_confusion_matrix_says_how_many_failures_are_found_by_reading_how_many_complaints(answers: Answers) -> None:
    counts = answers.reader.query(
        "select count(*) filter (where probability < 0.5) as flagged, "
        "count(*) filter (where is_successful_resolution = 0.0) as failures, "
        "count(*) filter (where probability < 0.5 and is_successful_resolution = 0.0) as found "
        "from gold.test_scores where model_version = 2"
    ).to_pylist()[0]
    said = (
        f"reading those {counts['flagged']} of 400 complaints finds {counts['found']} of {counts['failures']} failures"
    )
    assert f"Below 0.5, version 2 predicts a failure: {said}." in read(answers, "confusion")


def test_stream_figures_count_what_streams_scored(answers: Answers) -> None:
    shown = read(answers, "stream")
    assert "Records processed 200 delta 200" in shown
    # 120 batches, each with two dead letters.
    assert "Dead letters 240 last 120 batches" in shown
    assert "scored by version 2" in shown


def test_stream_lag_sums_the_newest_lag_of_each_source(warehouse: Path) -> None:
    append(warehouse, STREAM_PROGRESS, [batch(900, source="kafka", lag=40), batch(901, source="kafka", lag=None)])
    assert "Lag 43 requests waiting" in read(Answers(DeltaReader(warehouse)), "stream")


def test_backfill_is_drawn_apart_from_the_arrivals(warehouse: Path) -> None:
    rows = [prediction(number, batch_id=None, scored_at=NOW - timedelta(days=40)) for number in range(1_000, 1_900)]
    append(warehouse, PREDICTIONS, rows)
    shown = draw(Answers(DeltaReader(warehouse)), "time")
    assert "Predictions over time: 200 arrivals by minute; 900 backfill by second" in shown
    assert "backfill" not in draw(Answers(DeltaReader(warehouse)), "time", Filters(first_day=NOW.date()))


@pytest.mark.parametrize(
    "name", ["batches", "time", "distribution", "states", "companies", "calibration", "drift", "timeline"]
)
def test_every_picture_can_be_read_as_a_table(answers: Answers, name: str) -> None:
    assert "Show as a table" in read(answers, name)


def test_map_note_counts_predictions_outside_the_states(answers: Answers) -> None:
    # Predictions go round eight states, and Puerto Rico is not on the map.
    assert "Not on the map: 25 predictions" in read(answers, "states")


def test_companies_are_read_out_with_their_counts(answers: Answers) -> None:
    assert "Company with the most predictions: Birch Bank 19, Cedar Bank 19, " in draw(answers, "companies")


def test_drift_panel_names_each_feature_of_the_newest_window(answers: Answers) -> None:
    shown = read(answers, "drift")
    assert "issue alarm since 2026-03-09 0.310 below 0.001" in shown
    assert "state alarm since 2026-04-06 0.140 below 0.001" in shown
    assert "product as in training 0.010 0.400" in shown
    assert "Version 2, 2026-04-06 to 2026-05-04." in shown
    assert "2 alarms" in draw(answers, "drift")


def test_drift_panel_of_an_earlier_period_shows_its_newest_window(answers: Answers) -> None:
    shown = read(answers, "drift", Filters(last_day=date(2026, 4, 1)))
    assert "issue alarm since 2026-03-09" in shown
    assert "score too few complaints – –" in shown
    assert "match these filters" in read(answers, "drift", Filters(last_day=date(2026, 1, 1)))


def test_drift_panel_of_a_version_without_a_reference_says_so(warehouse: Path) -> None:
    append(warehouse, DRIFT_METRICS, [drift("score", 0, None, model_version=9, state="no_reference")])
    shown = read(Answers(DeltaReader(warehouse)), "drift", Filters(model_version=9))
    assert "Version 9 was registered without a reference" in shown


def test_small_drift_is_no_alarm(warehouse: Path) -> None:
    append(warehouse, DRIFT_METRICS, [drift("tags", 0, 0.05, state="drift", p_value=0.0001)])
    assert "tags moved, but little 0.050 below 0.001" in read(Answers(DeltaReader(warehouse)), "drift")


def test_performance_panel_has_a_row_per_window(answers: Answers) -> None:
    shown = read(answers, "performance")
    assert "2026-04-06 20 of 500 2.5 days too few too few too few too few" in shown
    assert "2026-03-09 120 of 500 2.5 days 0.660 (0.610 to 0.710)" in shown
    assert shown.index("2026-04-06") < shown.index("2026-03-09") < shown.index("2026-02-09")


@pytest.mark.parametrize("name", ["drift", "performance"])
def test_panels_of_the_monitor_name_the_command_that_runs_it(warehouse: Path, name: str) -> None:
    for table in (DRIFT_METRICS, MODEL_PERFORMANCE):
        shutil.rmtree(folder(warehouse, table))
    with pytest.raises(NotYetError) as raised:
        draw(Answers(DeltaReader(warehouse)), name)
    assert raised.value.command == "solosolve run retrain"


def test_feedback_panel_compares_verdicts_with_predictions(warehouse: Path) -> None:
    rows = [
        feedback("a", probability=0.9),
        feedback("b", complaint_id=8, probability=0.8, verdict=Verdict.FAILURE),
        feedback("c", complaint_id=9, verdict=Verdict.UNSURE),
    ]
    append(warehouse, FEEDBACK, [row.as_row() for row in rows])
    assert "v2 2 50%" in read(Answers(DeltaReader(warehouse)), "feedback")


def test_feedback_panel_without_verdicts_says_where_to_give_one(answers: Answers) -> None:
    assert read(answers, "feedback") == "No verdicts yet. Give one under Review."
    assert read(answers, "feedback", SEGMENT) == "No verdicts match these filters."


def test_data_quality_counts_each_reason(answers: Answers) -> None:
    shown = read(answers, "quality")
    for row in (
        "unreadable record has 2 fields, but the header has 18 3",
        "rejected complaint no narrative 40",
        "dead letter not JSON 5",
    ):
        assert row in shown


def test_data_quality_sums_the_reasons_that_it_does_not_list(warehouse: Path) -> None:
    rows = [{"_record_key": f"x{number}", "failed_rules": [f"rule_{number}"]} for number in range(20)]
    provenance = {"_source_file": "complaints.csv", "_source_sha256": "0" * 64, "_source_line": 1}
    times = {"_ingested_at": batch(1)["ended_at"]}
    append(warehouse, REJECTED, [{**row, **provenance, **times} for row in rows])
    # Twelve reasons are listed, one of them that of the 40 older rejections.
    assert "rejected complaint other reasons 9" in read(Answers(DeltaReader(warehouse)), "quality")


def test_ledger_evidence_is_summarised(warehouse: Path) -> None:
    failed = {"name": "auc_beats_chance", "is_passed": False}
    append(warehouse, MODEL_EVENTS, [event(2, "validation_failed", 9_000, checks=[failed])])
    shown = read(Answers(DeltaReader(warehouse)), "ledger")
    assert "failed: auc_beats_chance" in shown
    assert "1 check passed" in shown
    assert "engine xgboost" in shown


def test_last_training_is_that_of_the_newest_version(answers: Answers) -> None:
    shown = read(answers, "training")
    assert "Version 2 Trained" in shown
    assert "Records 2,650" in shown
