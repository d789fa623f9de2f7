from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.monitor_panels import drift
from solosolve.dashboard.views.performance_explorer import offered_segments, results
from solosolve.errors import NotYetError
from solosolve.names import DRIFT_METRICS, MODEL_EVENTS, MODEL_PERFORMANCE
from solosolve.storage.delta_reader import DeltaReader
from support.components import as_json, text_of
from support.warehouses import PERFORMANCE, append, event, folder
from support.warehouses import drift as drift_row
from support.warehouses import performance as performance_row


def read(answers: Answers, filters: Filters | None = None) -> str:
    return text_of(drift(answers, filters or Filters()))


def shadowed(warehouse: Path) -> Answers:
    """Version 3 scores in shadow, and the monitor measured it in the newest windows."""
    append(warehouse, MODEL_EVENTS, [event(3, "shadowed", 0, "shadow")])
    append(warehouse, MODEL_PERFORMANCE, [
        performance_row(name, window, value - 0.1, model_version=3)
        for window in (1, 9) for name, value in PERFORMANCE.items()
    ])  # fmt: skip
    return Answers(DeltaReader(warehouse))


def test_heat_table_has_a_row_per_feature_and_a_column_per_window(answers: Answers) -> None:
    shown = read(answers)
    assert shown.startswith(
        "Drift of version 2: index by feature and window Feature 09 Mar 2026 06 Apr 2026 issue 0.30"
    )
    assert "alarm since 2026-03-09: index 0.310, p-value below 0.001, 500 complaints" in shown
    assert "as in training: index 0.010, p-value 0.400, 500 complaints" in shown
    assert "too few complaints: index –, p-value –, 500 complaints" in shown


def test_heat_table_lets_the_keyboard_reach_what_has_moved(answers: Answers) -> None:
    assert as_json(drift(answers, Filters())).count('"tabIndex": "0"') == 2 + 4


def test_drift_as_a_table_has_every_window_and_feature(answers: Answers) -> None:
    shown = read(answers)
    assert "2026-04-06 issue alarm since 2026-03-09 0.310 below 0.001 500" in shown
    assert "2026-03-09 score too few complaints – – 500" in shown
    assert "2 alarms" in as_json(drift(answers, Filters()))


def test_drift_of_an_earlier_period_shows_its_windows(answers: Answers) -> None:
    shown = read(answers, Filters(last_day=date(2026, 4, 1)))
    assert "06 Apr" not in shown
    assert "match these filters" in read(answers, Filters(last_day=date(2026, 1, 1)))


def test_drift_of_a_version_without_a_reference_says_so(warehouse: Path) -> None:
    append(warehouse, DRIFT_METRICS, [drift_row("score", 0, None, model_version=9, state="no_reference")])
    shown = read(Answers(DeltaReader(warehouse)), Filters(model_version=9))
    assert "Version 9 was registered without a reference" in shown


def test_small_drift_is_no_alarm(warehouse: Path) -> None:
    append(warehouse, DRIFT_METRICS, [drift_row("tags", 0, 0.05, state="drift", p_value=0.0001)])
    assert "tags moved, but little 0.050 below 0.001" in read(Answers(DeltaReader(warehouse)))


def test_performance_has_a_row_per_window(answers: Answers) -> None:
    shown = text_of(results(answers, "")).partition("Performance by window")[2]
    assert "2026-04-06 version 2 20 500 2.5 days too few too few too few too few" in shown
    assert "2026-03-09 version 2 120 500 2.5 days 40.0% (35.0 to 45.0%) 0.660 (0.610 to 0.710)" in shown
    assert shown.index("2026-04-06") < shown.index("2026-03-09") < shown.index("2026-02-09")


def test_shadow_stands_next_to_the_champion_on_the_same_windows(warehouse: Path) -> None:
    shown = text_of(results(shadowed(warehouse), "")).partition("Performance by window")[2]
    assert "2026-03-09 version 3, in shadow 120 500 2.5 days 30.0% (25.0 to 35.0%) 0.560 (0.510 to 0.610)" in shown
    assert shown.count("in shadow") == 1


def test_shadow_is_not_compared_with_another_version_than_the_champion(warehouse: Path) -> None:
    assert "in shadow" not in text_of(results(shadowed(warehouse), "?model=1"))


def test_performance_of_a_segment_that_is_picked(warehouse: Path) -> None:
    part = {"segment": "company_size", "segment_value": "large", "label_count": 77}
    append(warehouse, MODEL_PERFORMANCE, [performance_row("auc", 1, 0.7, **part)])
    answers = Answers(DeltaReader(warehouse))
    options, chosen = offered_segments(answers, "?segment=company_size:large")
    assert chosen == "company_size:large"
    assert options[1] == {"group": "Company size", "items": [{"value": "company_size:large", "label": "large"}]}
    assert "77 500 2.5 days too few 0.700 (0.650 to 0.750)" in text_of(results(answers, "?segment=company_size:large"))


def test_segment_that_no_window_measured_is_offered_and_explained(answers: Answers) -> None:
    options, chosen = offered_segments(answers, "?segment=state:ZZ")
    assert (chosen, options[-1]["items"]) == ("state:ZZ", [{"value": "state:ZZ", "label": "ZZ"}])
    assert "No window has measured this segment" in text_of(results(answers, "?segment=state:ZZ"))


def test_panels_of_the_monitor_name_the_command_that_runs_it(warehouse: Path) -> None:
    for table in (DRIFT_METRICS, MODEL_PERFORMANCE):
        shutil.rmtree(folder(warehouse, table))
    answers = Answers(DeltaReader(warehouse))
    assert "solosolve run retrain" in text_of(results(answers, ""))
    with pytest.raises(NotYetError) as raised:
        drift(answers, Filters())
    assert raised.value.command == "solosolve run retrain"
