from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from solosolve.dashboard.views.figures import (
    NOT_GIVEN,
    batch_lines,
    calibration_curve,
    drift_bars,
    effect_bars,
    outcomes_by_name,
    outcomes_over_time,
    score_histogram,
    success_by_state,
    time_unit,
    version_timeline,
)
from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, SUCCESS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def counts(column: str, *rows: tuple[Any, float, int]) -> list[dict[str, Any]]:
    return [{column: value, "prediction": prediction, "n": count} for value, prediction, count in rows]


@pytest.mark.parametrize(
    ("span", "unit"),
    [
        (timedelta(0), "minute"),
        (timedelta(hours=3), "minute"),
        (timedelta(hours=4), "hour"),
        (timedelta(days=6), "day"),
        (timedelta(days=400), "week"),
    ],
    ids=str,
)
def test_time_unit_grows_with_the_span(span: timedelta, unit: str) -> None:
    assert time_unit(NOON, NOON + span) == unit


def test_outcomes_over_time_stack_one_trace_per_outcome() -> None:
    figure = outcomes_over_time(counts("at", (NOON, 1.0, 3), (NOON, 0.0, 2)))
    assert {trace.name: list(trace.y) for trace in figure.data} == {"Successful": [3], "Not successful": [2]}
    assert figure.layout.barmode == "stack"


def test_outcomes_by_name_show_the_largest_names_at_the_top() -> None:
    rows = counts("company", ("Small", 1.0, 1), ("Large", 1.0, 5), ("Large", 0.0, 4), (None, 0.0, 6), ("Tiny", 0.0, 1))
    figure = outcomes_by_name(rows, "company", limit=3)
    # Plotly draws the last name at the top.
    assert list(figure.data[0].y) == ["Small", NOT_GIVEN, "Large"]
    assert {trace.name: list(trace.x) for trace in figure.data} == {
        "Successful": [1, 0, 5],
        "Not successful": [0, 6, 4],
    }


def test_score_histogram_merges_bins_and_is_coloured_by_the_threshold() -> None:
    figure = score_histogram([{"bin": 0, "n": 1}, {"bin": 4, "n": 2}, {"bin": 99, "n": 3}], 0.6)
    bars = figure.data[0]
    assert (bars.y[0], bars.y[19], sum(bars.y)) == (3, 3, 6)
    assert list(bars.marker.color) == [FAILURE] * 12 + [SUCCESS] * 8


def test_map_shows_shares_of_outlined_states_only() -> None:
    figure = success_by_state(counts("state", ("CA", 1.0, 3), ("CA", 0.0, 1), ("TX", 0.0, 2), ("PR", 1.0, 9)))
    chart = figure.data[0]
    assert list(chart.locations) == ["CA", "TX"]
    assert list(chart.z) == [0.75, 0.0]


def test_map_scale_spans_the_shares_found() -> None:
    chart = success_by_state(counts("state", ("CA", 1.0, 62), ("CA", 0.0, 38))).data[0]
    assert (chart.zmin, chart.zmax) == pytest.approx((0.6, 0.65))


def test_map_without_an_outlined_state_is_empty() -> None:
    assert list(success_by_state(counts("state", ("PR", 1.0, 9))).data[0].z) == []


def test_calibration_curve_plots_actual_against_predicted() -> None:
    figure = calibration_curve([(0.2, 0.25, 10), (0.8, 0.7, 12)])
    curve = figure.data[1]
    assert (list(curve.x), list(curve.y)) == ([0.2, 0.8], [0.25, 0.7])


def test_drift_bars_highlight_alarms_and_put_the_largest_index_at_the_top() -> None:
    bars = drift_bars({"state": 0.3, "submitted_via": 0.2, "product": 0.01}, ["state"]).data[0]
    assert list(bars.y) == ["product", "submitted via", "state"]
    assert list(bars.marker.color) == [NEUTRAL, NEUTRAL, FAILURE]


def test_single_batch_gets_a_time_axis_around_it() -> None:
    row = {"ended_at": NOON, "batch_seconds": 0.5, "latency_p99_seconds": None}
    figure = batch_lines([row])
    assert figure.layout.xaxis.range == (NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))


def test_version_timeline_colours_promotions_and_rejections() -> None:
    events = [
        {"event_at": NOON, "model_version": 1, "event": name} for name in ("promoted", "validation_rejected", "trained")
    ]
    figure = version_timeline(events)
    assert {trace.name: trace.marker.color for trace in figure.data} == {
        "promoted": SUCCESS,
        "validation rejected": FAILURE,
        "trained": NEUTRAL,
    }


def test_effect_bars_put_the_largest_effect_at_the_top_and_shorten_names() -> None:
    bars = effect_bars([("x" * 60, -0.4), ("product: Mortgage", 0.2)]).data[0]
    assert list(bars.y) == ["product: Mortgage", "x" * 39 + "…"]
    assert list(bars.marker.color) == [SUCCESS, FAILURE]
