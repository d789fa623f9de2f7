from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from plotly.utils import PlotlyJSONEncoder

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Drawing
from solosolve.dashboard.views.panels import PANELS
from solosolve.names import MODEL_EVENTS, PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import append, event, folder, prediction, write_everything

SEGMENT = Filters(product=("Mortgage",), state=("CA",))


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    write_everything(tmp_path, predictions=200)
    return tmp_path


def panel(name: str) -> Any:
    return next(panel for panel in PANELS if panel.name == name)


def words(warehouse: Path, name: str, filters: Filters | None = None) -> str:
    drawn = panel(name).draw(Answers(DeltaReader(warehouse)), filters or Filters())
    return json.dumps(drawn, cls=PlotlyJSONEncoder)


def test_cards_are_the_champions_metrics_beside_its_predecessors(warehouse: Path) -> None:
    shown = words(warehouse, "cards")
    assert '"0.760"' in shown  # accuracy of version 2
    assert "+0.010 to version 1" in shown
    assert "0.740 to 0.780" in shown
    assert "on 400 test complaints" in shown


def test_cards_of_a_segment_are_measured_on_its_test_complaints(warehouse: Path) -> None:
    count = DeltaReader(warehouse).query(
        "select count(*) as n, "
        "avg(case when (probability >= 0.5) = (is_successful_resolution = 1.0) then 1.0 else 0.0 end) as accuracy "
        "from gold.test_scores where model_version = 2 and product = 'Mortgage' and state = 'CA'"
    ).to_pylist()[0]  # fmt: skip
    shown = words(warehouse, "cards", SEGMENT)
    assert f"on {count['n']} test complaints" in shown
    assert f'"{count["accuracy"]:.3f}"' in shown


def test_champion_that_does_not_beat_the_prior_is_provisional_on_screen(warehouse: Path) -> None:
    append(warehouse, MODEL_EVENTS, [event(3, "promoted_provisional", 2, "champion")])
    shown = words(warehouse, "cards", SEGMENT)
    assert "Version 3 was tested on no complaints" in shown
    assert "provisional" in words(warehouse, "timeline")


def test_panels_that_segments_act_on_change_with_them(warehouse: Path) -> None:
    changed = {each.name for each in PANELS if words(warehouse, each.name) != words(warehouse, each.name, SEGMENT)}
    acted_on = {"cards", "time", "distribution", "states", "companies", "confusion", "calibration", "drift", "quality"}
    assert changed == acted_on
    unchanged = [each for each in PANELS if each.name not in acted_on | {"feedback"}]
    assert all("segments do not apply" in each.about or "as it is" in each.about for each in unchanged)


def test_data_quality_counts_each_reason(warehouse: Path) -> None:
    shown = words(warehouse, "quality")
    for reason in ("2 fields, 18 wanted", "has_narrative", "not JSON"):
        assert reason in shown


def test_drawing_sends_equal_content_with_an_equal_digest(warehouse: Path) -> None:
    drawing = Drawing(Answers(DeltaReader(warehouse)))
    first = drawing.draw(panel("companies"), Filters())
    assert drawing.draw(panel("companies"), Filters()) is first
    append(warehouse, PREDICTIONS, [prediction(1_000)])
    second = drawing.draw(panel("companies"), Filters())
    assert second.digest != first.digest
    again = Drawing(Answers(DeltaReader(warehouse))).draw(panel("companies"), Filters())
    assert again.content == second.content


def test_panel_that_cannot_be_read_says_so_and_is_drawn_again_when_it_can(warehouse: Path) -> None:
    drawing = Drawing(Answers(DeltaReader(warehouse)))
    log = folder(warehouse, MODEL_EVENTS) / "_delta_log" / f"{0:020}.json"
    kept = log.read_text(encoding="utf-8")
    log.write_text("broken", encoding="utf-8")
    failed = drawing.draw(panel("ledger"), Filters())
    assert failed.error.startswith("Model ledger: ")
    log.write_text(kept, encoding="utf-8")
    assert drawing.draw(panel("ledger"), Filters()).error == ""


def test_panel_before_its_table_says_what_to_run(tmp_path: Path) -> None:
    drawn = Drawing(Answers(DeltaReader(tmp_path))).draw(panel("time"), Filters())
    assert drawn.error == ""
    assert "solosolve run score_batch" in json.dumps(drawn.content)
