"""Figures: rows and column names in, a Plotly figure out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import plotly.graph_objects as go

from solosolve.dashboard.views.theme import FAILURE, NEUTRAL, OUTCOMES, RATE_SCALE, SUCCESS, TEMPLATE

Row = Mapping[str, Any]
NOT_GIVEN = "not given"
_SPANS = (("minute", 3), ("hour", 120), ("day", 24 * 150))
"""A unit of time, and the hours up to which it divides a span into no more bars than an eye tells apart."""

MAPPED_STATES = frozenset(
    {
        *("AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA", "KS"),
        *("KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM", "NY", "NC"),
        *("ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA", "WV", "WI", "WY"),
    }
)
"""States that the map has an outline of."""


def outcomes_over_time(rows: Sequence[Row]) -> go.Figure:
    """Stacked bars of predictions: `at`, `prediction`, `n`."""
    figure = _figure(barmode="stack", bargap=0.1)
    for outcome, (name, colour) in OUTCOMES.items():
        chosen = [row for row in rows if row["prediction"] == outcome]
        figure.add_bar(
            x=[row["at"] for row in chosen], y=[row["n"] for row in chosen], name=name, marker_color=colour,
            hovertemplate="%{x}<br>%{y:,}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(tickformat="~s", title="predictions")
    return figure


def outcomes_by_name(rows: Sequence[Row], column: str, most: int = 10) -> go.Figure:
    """Stacked bars of the names with most predictions: the column, `prediction`, `n`."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[_name(row[column])] = totals.get(_name(row[column]), 0) + row["n"]
    names = sorted(totals, key=lambda name: (-totals[name], name))[:most][::-1]
    counts = {(_name(row[column]), row["prediction"]): row["n"] for row in rows}
    figure = _figure(barmode="stack")
    for outcome, (label, colour) in OUTCOMES.items():
        figure.add_bar(
            y=[_cut(name) for name in names], x=[counts.get((name, outcome), 0) for name in names], orientation="h",
            name=label, marker_color=colour, customdata=names,
            hovertemplate="%{customdata}<br>%{x:,}<extra>" + label + "</extra>",
        )  # fmt: skip
    figure.update_xaxes(tickformat="~s", title="predictions")
    return _with_names(figure)


def score_histogram(rows: Sequence[Row], threshold: float) -> go.Figure:
    """Predictions by probability: `bin` (hundredths) and `n`, shown in twentieths."""
    counts = [0] * 20
    for row in rows:
        counts[row["bin"] // 5] += row["n"]
    edges = [(5 * place) / 100 for place in range(20)]
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
    """Map of the share predicted to succeed: `state`, `prediction`, `n`; the outlines are the dashboard's own."""
    totals: dict[str, list[int]] = {}
    for row in rows:
        if row["state"] in MAPPED_STATES:
            counts = totals.setdefault(row["state"], [0, 0])
            counts[0] += row["n"]
            counts[1] += row["n"] if row["prediction"] == 1.0 else 0
    states = sorted(totals)
    shares = [totals[state][1] / totals[state][0] for state in states]
    # The colours span what there is, to the next twentieth: nine states in ten are alike on a scale from 0 to 1.
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
    """What happened against what was said, ten parts of about equal count; on the line is right."""
    figure = _figure(showlegend=False)
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line={"dash": "dot", "color": NEUTRAL}, hoverinfo="skip")
    figure.add_scatter(
        x=[said for said, _, _ in parts], y=[happened for _, happened, _ in parts], mode="lines+markers",
        line={"color": SUCCESS}, marker={"size": 8, "color": SUCCESS}, customdata=[count for _, _, count in parts],
        hovertemplate="said %{x:.2f}<br>happened %{y:.2f}<br>%{customdata:,} complaints<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(range=[0, 1], title="mean probability")
    figure.update_yaxes(range=[0, 1], title="success rate")
    return figure


def drift_bars(indexes: Mapping[str, float]) -> go.Figure:
    """Population stability of each feature; above 0.1 it has moved, above 0.25 much (Siddiqi, 2006)."""
    names = sorted(indexes, key=lambda name: indexes[name])
    figure = _figure(showlegend=False)
    figure.add_bar(
        y=[name.replace("_", " ") for name in names], x=[indexes[name] for name in names], orientation="h",
        marker_color=[FAILURE if indexes[name] > 0.25 else NEUTRAL for name in names],
        hovertemplate="%{y}: %{x:.3f}<extra></extra>",
    )  # fmt: skip
    for limit in (0.1, 0.25):
        figure.add_vline(x=limit, line={"dash": "dot", "color": NEUTRAL})
    figure.update_xaxes(title="population stability index", range=[0, max(0.3, *indexes.values(), 0) * 1.1])
    return _with_names(figure)


def batch_lines(rows: Sequence[Row]) -> go.Figure:
    """Seconds of each batch and of its slowest requests: `ended_at`, `batch_seconds`, `latency_p99_seconds`."""
    figure = _figure(hovermode="x unified")
    at = [row["ended_at"] for row in rows]
    for column, name, colour in (
        ("batch_seconds", "batch", NEUTRAL),
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
    """Ledger events as marks: `event_at`, `model_version`, `event`; a line where a version was champion."""
    figure = _figure(hovermode="closest")
    kinds = sorted({row["event"] for row in events})
    symbols = ["circle", "diamond", "square", "triangle-up", "x", "cross", "star"]
    for place, kind in enumerate(kinds):
        chosen = [row for row in events if row["event"] == kind]
        colour = FAILURE if "reject" in kind else SUCCESS if "promot" in kind else NEUTRAL
        figure.add_scatter(
            x=[row["event_at"] for row in chosen], y=[f"v{row['model_version']}" for row in chosen], mode="markers",
            name=kind.replace("_", " "), marker={"size": 11, "symbol": symbols[place % len(symbols)], "color": colour},
            hovertemplate="%{x}<br>version %{y}<extra>" + kind.replace("_", " ") + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(type="category", title="version")
    return figure


def effect_bars(effects: Sequence[tuple[str, float]]) -> go.Figure:
    """Which features moved a probability up or down, in log-odds, largest on top."""
    shown = list(effects)[::-1]
    figure = _figure(showlegend=False)
    figure.add_bar(
        y=[_cut(name, 40) for name, _ in shown], x=[value for _, value in shown], orientation="h",
        marker_color=[SUCCESS if value > 0 else FAILURE for _, value in shown],
        customdata=[name for name, _ in shown], hovertemplate="%{customdata}: %{x:+.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="log-odds (left: towards failure)", zeroline=True, zerolinecolor=NEUTRAL)
    return _with_names(figure)


def time_unit(first: datetime, last: datetime) -> str:
    """The unit that divides a span into some tens of bars."""
    hours = (last - first).total_seconds() / 3600
    return next((unit for unit, most in _SPANS if hours <= most), "week")


def _figure(**layout: Any) -> go.Figure:
    return go.Figure(layout={"template": TEMPLATE, **layout})


def _with_names(figure: go.Figure) -> go.Figure:
    """Room for names on the left; measuring it draws the figure twice, so others have a margin of one width."""
    return figure.update_layout(margin_l=8).update_yaxes(automargin=True)


def _name(value: str | None) -> str:
    return value or NOT_GIVEN


def _cut(name: str, most: int = 26) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
