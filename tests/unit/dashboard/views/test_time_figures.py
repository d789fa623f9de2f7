from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from solosolve.dashboard.views.time_figures import (
    Series,
    batch_lines,
    outcomes_over_time,
    time_unit,
)

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def counts(*rows: tuple[datetime, float, int]) -> list[dict[str, Any]]:
    return [{"at": at, "prediction": prediction, "n": count} for at, prediction, count in rows]


def batches(*seconds: float, source: str = "delta") -> list[dict[str, Any]]:
    return [
        {"ended_at": NOON + each * SECOND, "source": source, "batch_seconds": 0.5, "latency_p99_seconds": None}
        for each in seconds
    ]


@pytest.mark.parametrize(
    ("span", "unit"),
    [
        (timedelta(0), "second"),
        (timedelta(seconds=90), "second"),
        (timedelta(hours=3), "minute"),
        (timedelta(hours=4), "hour"),
        (timedelta(days=9), "day"),
        (timedelta(days=400), "week"),
        (timedelta(days=4_000), "week"),
    ],
    ids=str,
)
def test_time_unit_grows_with_the_span(span: timedelta, unit: str) -> None:
    assert time_unit(NOON, NOON + span) == unit


def test_outcomes_over_time_stack_one_trace_per_outcome() -> None:
    picture = outcomes_over_time([Series("arrivals", "minute", counts((NOON, 1.0, 3), (NOON, 0.0, 2)))])
    assert {trace.name: list(trace.y) for trace in picture.figure.data} == {"Successful": [3], "Not successful": [2]}
    assert picture.figure.layout.barmode == "stack"
    assert picture.rows == [("2026-05-04 12:00:00", "arrivals", 3, 2)]
    assert picture.alt_text == "Predictions over time: 5 arrivals by minute"


def test_arrivals_keep_a_scale_and_a_span_of_their_own_next_to_a_backfill() -> None:
    arrivals = Series("arrivals", "second", counts((NOON, 1.0, 3), (NOON + SECOND, 0.0, 2)))
    backfill = Series("backfill", "day", counts((NOON - timedelta(days=30), 1.0, 50_000)))
    figure = outcomes_over_time([arrivals, backfill]).figure
    axes = {trace.yaxis: (trace.xaxis, sum(trace.y or ())) for trace in figure.data if sum(trace.y or ())}
    assert set(axes) == {"y", "y2"}
    assert axes["y2"] == ("x2", 50_000)
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]
    assert figure.layout.xaxis.range[0] > NOON - timedelta(minutes=1)
    assert figure.layout.yaxis.title.text == "arrivals"


def test_single_bar_is_a_bar_and_not_a_slab() -> None:
    figure = outcomes_over_time([Series("arrivals", "second", counts((NOON, 1.0, 3)))]).figure
    first, last = figure.layout.xaxis.range
    assert (last - first) / timedelta(milliseconds=figure.data[0].width) > 10


def test_bar_filters_by_the_days_that_it_covers() -> None:
    week = Series("arrivals", "week", counts((NOON, 1.0, 3)))
    assert outcomes_over_time([week]).figure.data[0].customdata[0] == ["from=2026-05-04&to=2026-05-11"]
    minute = Series("arrivals", "minute", counts((NOON, 1.0, 3)))
    assert outcomes_over_time([minute]).figure.data[0].customdata[0] == ["from=2026-05-04&to=2026-05-04"]


def test_batch_line_is_broken_where_batches_pause() -> None:
    line = batch_lines(batches(0, 1, 2, 1_800, 1_801)).figure.data[0]
    assert list(line.y) == [0.5, 0.5, 0.5, None, 0.5, 0.5]
    assert not line.connectgaps


def test_batch_line_holds_across_a_pause_that_is_usual() -> None:
    line = batch_lines(batches(0, 600, 1_200, 1_900)).figure.data[0]
    assert None not in line.y


def test_each_source_has_a_batch_line_of_its_own() -> None:
    rows = sorted([*batches(0, 2, 4), *batches(1, 3, source="kafka")], key=lambda row: row["ended_at"])
    picture = batch_lines(rows)
    times = {trace.name: len(trace.x) for trace in picture.figure.data if trace.name.startswith("batch time")}
    assert times == {"batch time, delta": 3, "batch time, kafka": 2}
    assert picture.rows[0][:2] == ("2026-05-04 12:00:04", "delta")


def test_single_batch_gets_a_time_axis_around_it() -> None:
    picture = batch_lines(batches(0))
    assert picture.figure.layout.xaxis.range == (NOON - timedelta(minutes=1), NOON + timedelta(minutes=1))
    assert picture.alt_text == "Seconds per batch, last batch"
