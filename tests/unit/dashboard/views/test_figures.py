from __future__ import annotations

from typing import Any

from solosolve.dashboard.views.figures import (
    calibration_curve,
    drift_bars,
    outcomes_by_name,
    score_histogram,
)
from solosolve.dashboard.views.picture import NOT_GIVEN, click
from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, SUCCESS


def counts(column: str, *rows: tuple[Any, float, int]) -> list[dict[str, Any]]:
    return [{column: value, "prediction": prediction, "n": count} for value, prediction, count in rows]


def test_click_is_the_query_of_an_address() -> None:
    assert click(company="A & B, Inc.") == "company=A+%26+B%2C+Inc."
    assert click(from_="2026-05-04", to="2026-05-05") == "from=2026-05-04&to=2026-05-05"
    assert click(company="") == ""


def test_outcomes_by_name_show_the_largest_names_at_the_top() -> None:
    rows = counts("company", ("Small", 1.0, 1), ("Large", 1.0, 5), ("Large", 0.0, 4), (None, 0.0, 6), ("Tiny", 0.0, 1))
    picture = outcomes_by_name(rows, "company", limit=3)
    bars = picture.figure.data
    # Plotly draws the last name at the top.
    assert list(bars[0].y) == ["Small", NOT_GIVEN, "Large"]
    assert {trace.name: list(trace.x) for trace in bars} == {"Successful": [1, 0, 5], "Not successful": [0, 6, 4]}
    assert [query for query, _ in bars[0].customdata] == ["company=Small", "", "company=Large"]
    assert picture.headings == ("Company", "Successful", "Not successful")
    assert picture.rows == [("Large", 5, 4), (NOT_GIVEN, 0, 6), ("Small", 1, 0)]
    assert picture.alt_text == f"Company with the most predictions: Large 9, {NOT_GIVEN} 6, Small 1"


def test_two_long_names_that_begin_alike_have_bars_of_their_own() -> None:
    long = "The First National Bank of Springfield"
    bars = outcomes_by_name(counts("company", (long, 1.0, 2), (f"{long} East", 1.0, 1)), "company").figure
    assert len(set(bars.data[0].y)) == 2
    assert max(len(text) for text in bars.layout.yaxis.ticktext) == 26


def test_score_histogram_merges_bins_and_is_coloured_by_the_threshold() -> None:
    picture = score_histogram([{"bin": 0, "n": 1}, {"bin": 4, "n": 2}, {"bin": 99, "n": 3}], 0.6)
    bars = picture.figure.data[0]
    assert (bars.y[0], bars.y[19], sum(bars.y)) == (3, 3, 6)
    assert list(bars.marker.color) == [FAILURE] * 12 + [SUCCESS] * 8
    assert picture.rows[0] == ("0.00 to 0.05", 3)


def test_calibration_points_have_intervals_and_no_line_joins_them() -> None:
    picture = calibration_curve([(0.2, 0.25, 100), (0.8, 0.7, 120)], 2)
    points = picture.figure.data[1]
    assert (list(points.x), list(points.y), points.mode) == ([0.2, 0.8], [0.25, 0.7], "markers")
    assert points.error_y.array[0] > points.error_y.array[1] > 0
    assert picture.rows[0] == ("20.0%", "25.0%", "17.5% to 34.3%", 100)


def test_calibration_point_of_few_complaints_is_grey() -> None:
    _, enough, few = calibration_curve([(0.2, 0.25, 49), (0.8, 0.7, 50)], 2).figure.data
    assert (list(enough.x), enough.marker.color) == ([0.8], SUCCESS)
    assert (list(few.x), few.marker.color) == ([0.2], NEUTRAL)


def test_drift_bars_highlight_alarms_and_put_the_largest_index_at_the_top() -> None:
    picture = drift_bars({"state": 0.3, "submitted_via": 0.2, "product": 0.01}, ["state"])
    bars = picture.figure.data[0]
    assert list(bars.y) == ["product", "submitted via", "state"]
    assert list(bars.marker.color) == [NEUTRAL, NEUTRAL, FAILURE]
    assert picture.rows[0] == ("state", 0.3, "yes")
    assert picture.alt_text.endswith("1 alarm")
