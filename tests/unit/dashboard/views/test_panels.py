from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Panel
from solosolve.dashboard.views.rooms import PANELS
from solosolve.names import (
    PREDICTIONS,
    REJECTED,
    STREAM_PROGRESS,
)
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import NOW, append, batch, prediction

BY_NAME = {panel.name: panel for panel in PANELS}
SEGMENT = Filters(product=("Mortgage",), state=("CA",))
NO_SEGMENT = Filters(product=("Spaceships",))


def draw(answers: Answers, name: str, filters: Filters | None = None) -> str:
    """The JSON of a panel."""
    return as_json(BY_NAME[name].draw(answers, filters or Filters()))


def read(answers: Answers, name: str, filters: Filters | None = None) -> str:
    """The text on a panel."""
    return text_of(BY_NAME[name].draw(answers, filters or Filters()))


def test_panels_change_with_the_segment_or_say_that_they_ignore_it(answers: Answers) -> None:
    changed = {name for name in BY_NAME if draw(answers, name) != draw(answers, name, SEGMENT)}
    of_today = {"new", "failing_products", "failing_companies", "to_read"}
    acted_on = {"cards", "time", "distribution", "states", "companies", "calibration", "quality", *of_today}
    # The links of the versions keep the filters of the address.
    assert changed - {"versions"} == acted_on

    def ignores_segments(panel: Panel) -> bool:
        return any(words in panel.description for words in ("Segment filters do not apply", "Filters do not apply"))

    assert all(ignores_segments(BY_NAME[name]) for name in BY_NAME.keys() - acted_on - {"feedback"})


@pytest.mark.parametrize("name", ["time", "distribution", "states", "companies", "calibration"])
def test_panels_of_a_segment_without_rows_blame_the_filters(answers: Answers, name: str) -> None:
    assert "match these filters" in read(answers, name, NO_SEGMENT)


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
    "name", ["batches", "time", "distribution", "states", "companies", "calibration", "drift", "versions"]
)
def test_every_picture_can_be_read_as_a_table(answers: Answers, name: str) -> None:
    assert "Show as a table" in read(answers, name)


def test_map_note_counts_predictions_outside_the_states(answers: Answers) -> None:
    # Predictions go round eight states, and Puerto Rico is not on the map.
    assert "Not on the map: 25 predictions" in read(answers, "states")


def test_companies_are_read_out_with_their_counts(answers: Answers) -> None:
    assert "Company with the most predictions: Birch Bank 19, Cedar Bank 19, " in draw(answers, "companies")


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
