"""Figures over time."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import plotly.graph_objects as go

from solosolve.dashboard.views.picture import Picture, blank_figure, click
from solosolve.dashboard.views.theme import NEUTRAL, OUTCOMES, SUCCESS

Row = Mapping[str, Any]

_UNITS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_MOST_BARS = 180
_FEWEST_BARS = 12
"""A shorter series keeps bars of the width that it would have with so many."""

_BAR_SHARE = 0.9
_ROW_GAP = 0.28
"""Share of the figure's height between two rows of bars, for the labels of the upper one."""

_SHORTEST_GAP = timedelta(minutes=5)
_GAP_INTERVALS = 10

_BATCH_LINES = (
    ("batch_seconds", "batch time", NEUTRAL),
    ("latency_p99_seconds", "request to prediction, p99", SUCCESS),
)
_DASHES = ("solid", "dot", "dash", "dashdot")


@dataclass(frozen=True)
class Series:
    """Predictions of one kind, counted over time.

    Attributes:
        name: What they are, such as `arrivals`.
        unit: Width of a bar: `second`, `minute`, `hour`, `day` or `week`.
        rows: `at` (the start of a bar), `prediction` and `n`, in order of time.
    """

    name: str
    unit: str
    rows: Sequence[Row]

    @property
    def count(self) -> int:
        """All predictions."""
        return sum(row["n"] for row in self.rows)


def time_unit(first: datetime, last: datetime) -> str:
    """Returns the smallest unit of time that splits a span into a readable number of bars."""
    return next((unit for unit, width in _UNITS.items() if last - first <= _MOST_BARS * width), "week")


def outcomes_over_time(series: Sequence[Series]) -> Picture:
    """Stacked bars of predictions over time, one row of bars per series with its own span and scale.

    Returns:
        The bars. Custom data: the query of the days that a bar covers.
    """
    figure = blank_figure(barmode="stack")
    height = (1 - _ROW_GAP * (len(series) - 1)) / len(series)
    for place, each in enumerate(series):
        number = "" if place == 0 else str(place + 1)
        _add_bars(figure, each, number)
        top = 1 - place * (height + _ROW_GAP)
        figure.layout[f"xaxis{number}"] = {"anchor": f"y{number}", "range": _range(each), "tickangle": 0}
        figure.layout[f"yaxis{number}"] = {
            "anchor": f"x{number}", "domain": [max(top - height, 0), top], "tickformat": "~s", "title": each.name,
        }  # fmt: skip
    return Picture(
        figure,
        "Predictions over time: " + "; ".join(f"{each.count:,} {each.name} by {each.unit}" for each in series),
        ("From", "Kind", *(name for name, _ in OUTCOMES.values())),
        [row for each in series for row in _table_rows(each)],
    )


def _add_bars(figure: go.Figure, series: Series, number: str) -> None:
    for outcome, (name, colour) in OUTCOMES.items():
        chosen = [row for row in series.rows if row["prediction"] == outcome]
        figure.add_bar(
            x=[row["at"] for row in chosen], y=[row["n"] for row in chosen], name=name, marker_color=colour,
            offset=0, width=_BAR_SHARE * (_UNITS[series.unit] / timedelta(milliseconds=1)),
            customdata=[_days(row, series) for row in chosen], xaxis=f"x{number}", yaxis=f"y{number}",
            legendgroup=name, showlegend=not number,
            hovertemplate="%{x}<br>%{y:,} " + series.name + "<extra>" + name + "</extra>",
        )  # fmt: skip


def _days(row: Row, series: Series) -> list[str]:
    last = row["at"] + _UNITS[series.unit] - timedelta(seconds=1)
    return [click(from_=f"{row['at']:%Y-%m-%d}", to=f"{last:%Y-%m-%d}")]


def _range(series: Series) -> list[datetime]:
    unit = _UNITS[series.unit]
    first, last = series.rows[0]["at"], series.rows[-1]["at"] + unit
    return [min(first, last - _FEWEST_BARS * unit), last]


def _table_rows(series: Series) -> Iterator[tuple[Any, ...]]:
    counts = {(row["at"], row["prediction"]): row["n"] for row in series.rows}
    for at in sorted({row["at"] for row in series.rows}, reverse=True):
        yield f"{at:%Y-%m-%d %H:%M:%S}", series.name, *(counts.get((at, outcome), 0) for outcome in OUTCOMES)


def batch_lines(rows: Sequence[Row]) -> Picture:
    """Lines of each batch's duration and of its p99 latency: one of each per source, broken where batches pause.

    Args:
        rows: `ended_at`, `source`, `batch_seconds` and `latency_p99_seconds`, in order of time.

    Returns:
        The lines. Custom data: the query of the batch's day.
    """
    figure = blank_figure(hovermode="closest")
    sources = sorted({row["source"] for row in rows})
    for place, source in enumerate(sources):
        of_source = list(_with_gaps([row for row in rows if row["source"] == source]))
        for column, name, colour in _BATCH_LINES:
            label = name if len(sources) == 1 else f"{name}, {source}"
            figure.add_scatter(
                x=[row["ended_at"] for row in of_source], y=[row.get(column) for row in of_source], name=label,
                mode="lines+markers", marker={"size": 4}, connectgaps=False,
                line={"color": colour, "width": 1.5, "dash": _DASHES[place % len(_DASHES)]},
                customdata=[[click(from_=day, to=day)] for day in (f"{row['ended_at']:%Y-%m-%d}" for row in of_source)],
                hovertemplate="%{x}<br>%{y:.2f} s<extra>" + label + "</extra>",
            )  # fmt: skip
    figure.update_yaxes(title="seconds", rangemode="tozero")
    first, last = rows[0]["ended_at"], rows[-1]["ended_at"]
    if first == last:
        figure.update_xaxes(range=[first - timedelta(minutes=1), last + timedelta(minutes=1)])
    return Picture(
        figure,
        f"Seconds per batch, {'last batch' if len(rows) == 1 else f'last {len(rows)} batches'}",
        ("Ended", "Source", "Batch time, s", "Request to prediction, p99, s"),
        [
            (f"{row['ended_at']:%Y-%m-%d %H:%M:%S}", row["source"], row["batch_seconds"], row["latency_p99_seconds"])
            for row in reversed(rows)
        ],
    )


def _with_gaps(rows: Sequence[Row]) -> Iterator[Row]:
    """Adds a row without values, which breaks the line, where a source had no batch for much longer than usual."""
    pauses = [later["ended_at"] - earlier["ended_at"] for earlier, later in pairwise(rows)]
    longest = max(_SHORTEST_GAP, _GAP_INTERVALS * statistics.median(pauses)) if pauses else _SHORTEST_GAP
    for row, pause in zip(rows, [*pauses, timedelta()], strict=True):
        yield row
        if pause > longest:
            yield {"ended_at": row["ended_at"] + pause / 2}
