"""Figures of the Model room: functions from rows to a Plotly figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from solosolve.dashboard.data.counted_scores import ReadShare
from solosolve.dashboard.data.model_roles import Event, Term
from solosolve.dashboard.views.elements import beginning
from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, SUCCESS, TEMPLATE
from solosolve.names import CHAMPION, SHADOW
from solosolve.storage.model_events import ModelEvent

_MARKS = {
    ModelEvent.TRAINED: ("trained", "circle-open", NEUTRAL),
    ModelEvent.VALIDATION_PASSED: ("passed validation", "triangle-up", SUCCESS),
    ModelEvent.VALIDATION_PROVISIONAL: ("passed provisionally", "triangle-up-open", SUCCESS),
    ModelEvent.VALIDATION_SHADOW: ("not certainly better", "diamond-open", NEUTRAL),
    ModelEvent.VALIDATION_REJECTED: ("rejected", "x", FAILURE),
    ModelEvent.LOAD_FAILED: ("could not be loaded", "star", FAILURE),
}
"""Events with a mark of their own: name, symbol, colour. A time as champion or in shadow is a line."""

_LINES = {CHAMPION: ("champion", SUCCESS, 10), SHADOW: ("in shadow", NEUTRAL, 4)}

_SHORTEST_TAIL = timedelta(minutes=10)

_GAP = 0.12
"""How far two versions' marks of one window lie apart, as a share of the window."""


def read_and_found(curve: Sequence[ReadShare], count: int, failures: int, chosen: tuple[int, int]) -> go.Figure:
    """Share of failures found against the share of complaints read, with the present threshold marked.

    Args:
        curve: What reading up to each probability finds.
        count: All complaints.
        failures: Those that failed.
        chosen: Complaints read and failures found at the present threshold.
    """
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": False})
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": NEUTRAL}, hoverinfo="skip")
    points = [(0, 0, 0.0), *((each.read, each.found, each.threshold) for each in curve)]
    figure.add_scatter(
        x=[read / count for read, _, _ in points], y=[found / failures for _, found, _ in points], mode="lines",
        line={"color": SUCCESS, "width": 2}, customdata=points,
        hovertemplate="below %{customdata[2]:.3f}: read %{customdata[0]:,}, find %{customdata[1]:,}<extra></extra>",
    )  # fmt: skip
    read, found = chosen
    figure.add_scatter(
        x=[read / count], y=[found / failures], mode="markers",
        marker={"size": 13, "color": FAILURE, "line": {"width": 2, "color": "white"}},
        hovertemplate=f"flag {read:,}, find {found:,}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], tickformat=".0%", title="share of complaints read")
    figure.update_yaxes(range=[0, 1.03], tickformat=".0%", title="share of failures found")
    return figure


def metric_by_window(
    versions: Mapping[str, Sequence[Mapping[str, Any]]], metric: str, *, in_per_cent: bool, expected: float | None
) -> go.Figure:
    """A metric of one or two versions in each window, with 95 % intervals.

    Args:
        versions: Name of a version to its windows, oldest first; see `performance_windows`.
        metric: The metric.
        in_per_cent: Whether it is a share.
        expected: Its value on the test split, drawn as a line; None for no line.
    """
    figure = go.Figure(layout={"template": TEMPLATE, "showlegend": len(versions) > 1})
    for place, (name, windows) in enumerate(versions.items()):
        measured = [(window, window["metrics"].get(metric)) for window in windows]
        shown = [(window, row) for window, row in measured if row is not None and row["value"] is not None]
        colour = (SUCCESS, FAILURE)[place]
        figure.add_scatter(
            x=[_middle(window, place * _GAP) for window, _ in shown], y=[row["value"] for _, row in shown], name=name,
            mode="lines+markers", line={"color": colour, "width": 1.5},
            marker={"size": 7, "color": colour, "symbol": ("circle", "diamond")[place]},
            error_y={
                "type": "data", "symmetric": False, "thickness": 1.2, "width": 3, "color": colour,
                "array": [row["value_high"] - row["value"] for _, row in shown],
                "arrayminus": [row["value"] - row["value_low"] for _, row in shown],
            },
            customdata=[
                (beginning(window["window_start"], window["window_end"]), row["label_count"]) for window, row in shown
            ],
            hovertemplate=f"window from %{{customdata[0]}}<br>%{{y:{'.1%' if in_per_cent else '.3f'}}}, "
            f"%{{customdata[1]:,}} labels<extra>{name}</extra>",
        )  # fmt: skip
    if expected is not None:
        figure.add_hline(y=expected, line={"dash": "dot", "color": NEUTRAL})
    figure.update_layout(margin={"l": 44, "r": 8, "t": 28, "b": 32})
    figure.update_yaxes(tickformat=".0%" if in_per_cent else ".2f", nticks=5)
    figure.update_xaxes(nticks=4)
    return figure


def _middle(window: Mapping[str, Any], shift: float) -> datetime:
    start: datetime = window["window_start"]
    length = window["window_end"] - start
    return start + length / 2 + shift * length


def versions_over_time(terms: Sequence[Term], events: Sequence[Event], versions: Sequence[int]) -> go.Figure:
    """Versions from bottom to top: lines while they were champion or in shadow, and marks for what happened to them.

    What lasts is drawn to the right edge, a little after the newest event.

    Args:
        terms: Times in a role.
        events: Events of the ledger.
        versions: The versions to show, the oldest first.
    """
    figure = go.Figure(layout={"template": TEMPLATE, "hovermode": "closest"})
    names = [f"v{version}" for version in versions]
    instants = [event["event_at"] for event in events]
    end = max(instants) + max((max(instants) - min(instants)) / 20, _SHORTEST_TAIL) if instants else None
    for role, (label, colour, width) in _LINES.items():
        at: list[Any] = []
        of: list[Any] = []
        for term in terms:
            if term.role == role and term.version in versions:
                at += [term.since, term.until or end, None]
                of += [f"v{term.version}"] * 2 + [None]
        if at:
            figure.add_scatter(
                x=at, y=of, name=label, mode="lines", line={"color": colour, "width": width}, opacity=0.6,
                hovertemplate="%{y} " + label + "<br>%{x|%Y-%m-%d %H:%M}<extra></extra>",
            )  # fmt: skip
    for kind, (label, symbol, colour) in _MARKS.items():
        chosen = [event for event in events if event["event"] == kind and event["model_version"] in versions]
        if chosen:
            figure.add_scatter(
                x=[event["event_at"] for event in chosen], y=[f"v{event['model_version']}" for event in chosen],
                mode="markers", name=label, marker={"size": 10, "symbol": symbol, "color": colour},
                hovertemplate="%{y} " + label + "<br>%{x|%Y-%m-%d %H:%M}<extra></extra>",
            )  # fmt: skip
    figure.update_yaxes(type="category", categoryorder="array", categoryarray=names, range=[-0.6, len(names) - 0.4])
    figure.update_layout(margin_l=44)
    return figure
