"""Figures: functions from rows to a Plotly figure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, OUTCOMES, RATE_SCALE, SUCCESS, TEMPLATE
from solosolve.model.drift import LARGE_DRIFT, MODERATE_DRIFT
from solosolve.storage.model_events import ModelEvent

Row = Mapping[str, Any]
NOT_GIVEN = "not given"
_SPANS = (("minute", 3), ("hour", 120), ("day", 24 * 150))
"""Unit of time and the longest span, in hours, that it splits into a readable number of bars."""

_EVENT_COLOURS = {
    ModelEvent.VALIDATION_REJECTED: FAILURE,
    ModelEvent.PROMOTED: SUCCESS,
    ModelEvent.PROMOTED_PROVISIONAL: SUCCESS,
}
"""Colours of the events that are not neutral."""

MAPPED_STATES = frozenset(
    {
        *("AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS"),
        *("KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC"),
        *("ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY"),
    }
)
"""States outlined on the map."""


def outcomes_over_time(rows: Sequence[Row]) -> go.Figure:
    """Stacked bars of predictions over time.

    Args:
        rows: `at`, `prediction` and `n`, in order of time.
    """
    figure = _figure(barmode="stack", bargap=0.1)
    for outcome, (name, colour) in OUTCOMES.items():
        chosen = [row for row in rows if row["prediction"] == outcome]
        figure.add_bar(
            x=[row["at"] for row in chosen], y=[row["n"] for row in chosen], name=name, marker_color=colour,
            hovertemplate="%{x}<br>%{y:,}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(tickformat="~s", title="predictions")
    return figure


def outcomes_by_name(rows: Sequence[Row], column: str, limit: int = 10) -> go.Figure:
    """Stacked bars of the names with the most predictions.

    Args:
        rows: The column, `prediction` and `n`.
        column: The column that has the names.
        limit: How many names to show.
    """
    totals: dict[str, int] = {}
    for row in rows:
        totals[_name(row[column])] = totals.get(_name(row[column]), 0) + row["n"]
    names = sorted(totals, key=lambda name: (-totals[name], name))[:limit][::-1]
    counts = {(_name(row[column]), row["prediction"]): row["n"] for row in rows}
    figure = _figure(barmode="stack")
    for outcome, (label, colour) in OUTCOMES.items():
        figure.add_bar(
            y=[_shortened(name) for name in names], x=[counts.get((name, outcome), 0) for name in names],
            orientation="h", name=label, marker_color=colour, customdata=names,
            hovertemplate="%{customdata}<br>%{x:,}<extra>" + label + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat="~s", title="predictions")
    return _with_names(figure)


def score_histogram(rows: Sequence[Row], threshold: float) -> go.Figure:
    """Histogram of probabilities in steps of 0.05, coloured by the predicted outcome.

    Args:
        rows: `bin` (hundredths of probability) and `n`.
        threshold: Probability from which success is predicted.
    """
    counts = [0] * 20
    for row in rows:
        counts[row["bin"] // 5] += row["n"]
    edges = [(5 * step) / 100 for step in range(20)]
    colours = [SUCCESS if edge >= threshold else FAILURE for edge in edges]
    figure = _figure(bargap=0.06, showlegend=False)
    figure.add_bar(
        x=[edge + 0.025 for edge in edges], y=counts, marker_color=colours,
        customdata=[f"{edge:.2f} to {edge + 0.05:.2f}" for edge in edges],
        hovertemplate="probability %{customdata}<br>%{y:,} predictions<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], tickformat=".1f", title="probability of success")
    figure.update_yaxes(tickformat="~s", title="predictions")
    return figure


def success_by_state(rows: Sequence[Row]) -> go.Figure:
    """Map of the share of each state's complaints that is predicted to succeed.

    Args:
        rows: `state`, `prediction` and `n`; states without an outline are left out.
    """
    totals: dict[str, list[int]] = {}
    for row in rows:
        if row["state"] in MAPPED_STATES:
            counts = totals.setdefault(row["state"], [0, 0])
            counts[0] += row["n"]
            counts[1] += row["n"] if row["prediction"] == 1.0 else 0
    states = sorted(totals)
    shares = [totals[state][1] / totals[state][0] for state in states]
    # The scale covers the shares found, rounded out to 0.05: from 0 to 1, most states would look the same.
    low, high = math.floor(20 * min(shares, default=0)) / 20, math.ceil(20 * max(shares, default=1)) / 20
    figure = _figure()
    figure.add_choropleth(
        locations=states, z=shares, locationmode="USA-states", zmin=low, zmax=max(high, low + 0.05),
        colorscale=RATE_SCALE,
        marker_line_width=0.5, marker_line_color="rgba(255,255,255,0.6)",
        customdata=[totals[state][0] for state in states],
        hovertemplate="%{location}<br>%{z:.1%} of %{customdata:,} predicted to succeed<extra></extra>",
        colorbar={"tickformat": ".0%", "thickness": 10, "len": 0.8, "outlinewidth": 0},
    )  # fmt: skip
    figure.update_layout(margin={"l": 0, "r": 0, "t": 0, "b": 0})
    figure.update_geos(
        scope="usa", projection_type="albers usa", bgcolor="rgba(0,0,0,0)", showlakes=False, showcoastlines=False,
        showland=True,
        landcolor="rgba(138,148,163,0.18)", subunitcolor="rgba(138,148,163,0.5)", showframe=False,
    )  # fmt: skip
    return figure


def calibration_curve(parts: Sequence[tuple[float, float, int]]) -> go.Figure:
    """Actual success rate against predicted probability; a perfectly calibrated model lies on the diagonal.

    Args:
        parts: Mean probability, success rate and count of groups of complaints.
    """
    figure = _figure(showlegend=False)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": NEUTRAL}, hoverinfo="skip")
    figure.add_scatter(
        x=[predicted for predicted, _, _ in parts], y=[actual for _, actual, _ in parts], mode="lines+markers",
        line={"color": SUCCESS}, marker={"size": 8, "color": SUCCESS}, customdata=[count for _, _, count in parts],
        hovertemplate="predicted %{x:.2f}<br>actual %{y:.2f}<br>%{customdata:,} complaints<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], title="mean predicted probability")
    figure.update_yaxes(range=[0, 1], title="actual success rate")
    return figure


def drift_bars(indexes: Mapping[str, float], alarms: Collection[str]) -> go.Figure:
    """Population stability index by feature, those with an alarm highlighted, and lines at the usual two levels."""
    names = sorted(indexes, key=lambda name: indexes[name])
    figure = _figure(showlegend=False)
    figure.add_bar(
        y=[name.replace("_", " ") for name in names], x=[indexes[name] for name in names], orientation="h",
        marker_color=[FAILURE if name in alarms else NEUTRAL for name in names],
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    for limit in (MODERATE_DRIFT, LARGE_DRIFT):
        figure.add_vline(x=limit, line={"dash": "dot", "color": NEUTRAL})
    figure.update_xaxes(title="population stability index", range=[0, max(0.3, *indexes.values(), 0) * 1.1])
    return _with_names(figure)


def batch_lines(rows: Sequence[Row]) -> go.Figure:
    """Lines of each batch's duration and of its p99 latency.

    Args:
        rows: `ended_at`, `batch_seconds` and `latency_p99_seconds`, in order of time.
    """
    figure = _figure(hovermode="x unified")
    at = [row["ended_at"] for row in rows]
    for column, name, colour in (
        ("batch_seconds", "batch time", NEUTRAL),
        ("latency_p99_seconds", "request to prediction, p99", SUCCESS),
    ):
        figure.add_scatter(
            x=at, y=[row[column] for row in rows], name=name, mode="lines+markers", marker={"size": 4},
            line={"color": colour, "width": 1.5}, hovertemplate="%{y:.2f} s",
        )  # fmt: skip
    figure.update_yaxes(title="seconds", rangemode="tozero")
    if len(set(at)) == 1:
        figure.update_xaxes(range=[at[0] - timedelta(minutes=1), at[0] + timedelta(minutes=1)])
    return figure


def version_timeline(events: Sequence[Row]) -> go.Figure:
    """Marks for the events of each version, over time.

    Args:
        events: `event_at`, `model_version` and `event`.
    """
    figure = _figure(hovermode="closest")
    kinds = sorted({row["event"] for row in events})
    symbols = ["circle", "diamond", "square", "triangle-up", "x", "cross", "star"]
    for position, kind in enumerate(kinds):
        chosen = [row for row in events if row["event"] == kind]
        colour = _EVENT_COLOURS.get(kind, NEUTRAL)
        figure.add_scatter(
            x=[row["event_at"] for row in chosen], y=[f"v{row['model_version']}" for row in chosen], mode="markers",
            name=kind.replace("_", " "),
            marker={"size": 11, "symbol": symbols[position % len(symbols)], "color": colour},
            hovertemplate="%{x}<br>version %{y}<extra>" + kind.replace("_", " ") + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(type="category", title="version")
    return figure


def effect_bars(effects: Sequence[tuple[str, float]]) -> go.Figure:
    """Bars of the effects that raised or lowered a probability, largest at the top.

    Args:
        effects: Feature and effect in log-odds, largest first.
    """
    shown = list(effects)[::-1]
    figure = _figure(showlegend=False)
    figure.add_bar(
        y=[_shortened(name, 40) for name, _ in shown], x=[value for _, value in shown], orientation="h",
        marker_color=[SUCCESS if value > 0 else FAILURE for _, value in shown],
        customdata=[name for name, _ in shown], hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="effect on log-odds (right: towards success)", zeroline=True, zerolinecolor=NEUTRAL)
    return _with_names(figure)


def time_unit(first: datetime, last: datetime) -> str:
    """Returns the unit of time that splits a span into a readable number of bars."""
    hours = (last - first).total_seconds() / 3600
    return next((unit for unit, longest in _SPANS if hours <= longest), "week")


def _figure(**layout: Any) -> go.Figure:
    return go.Figure(layout={"template": TEMPLATE, **layout})


def _with_names(figure: go.Figure) -> go.Figure:
    """Fits the left margin to the names. Plotly then draws the figure twice, so other figures keep a fixed margin."""
    return figure.update_layout(margin_l=8).update_yaxes(automargin=True)


def _name(value: str | None) -> str:
    return value or NOT_GIVEN


def _shortened(name: str, length: int = 26) -> str:
    return name if len(name) <= length else f"{name[: length - 1]}…"
