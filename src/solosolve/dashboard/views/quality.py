"""A version's quality in words, tiles and tables: what the cards and the threshold explorer both show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.champion import MeasuredVersion
from solosolve.dashboard.views.elements import table
from solosolve.model.evaluation import Estimate

METRICS = {
    "failure_recall": "Failures found",
    "review_share": "To review",
    "accuracy": "Accuracy",
    "auc": "AUC",
    "log_loss": "Log loss",
    "calibration_error": "Calibration error",
    "weighted_precision": "Precision (weighted)",
    "f1": "F1 (weighted)",
}
"""Metrics and their labels on screen; the last two are in tables only."""

SHARES = ("failure_recall", "review_share")
"""Metrics that are shares of complaints, and are shown in per cent."""

LOWER_IS_BETTER = frozenset({"log_loss", "calibration_error"})

NEITHER_IS_BETTER = frozenset({"review_share"})


def value_of(metric: str, value: float) -> str:
    """A metric's value as it is shown everywhere."""
    return f"{value:.1%}" if metric in SHARES else f"{value:.3f}"


def interval_of(metric: str, estimate: Estimate) -> str:
    """A metric's 95 % interval as it is shown everywhere."""
    low, high = value_of(metric, estimate.low), value_of(metric, estimate.high)
    return f"{low.removesuffix('%')} to {high}"


def as_table(headings: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> Component:
    """A picture's numbers as a table, folded away until somebody opens it."""
    return html.Details([html.Summary("As a table"), table(headings, rows, caption)], className="twin")


def work_sentence(measured: MeasuredVersion) -> str:
    """What the version does for the people who read complaints, in numbers of complaints."""
    (found, missed), (in_vain, _) = measured.scores.confusion(measured.threshold)
    return (
        f"Reading {found + in_vain:,} of {measured.scores.count:,} complaints finds {found:,} of {found + missed:,} "
        "failures."
    )


def metric_tile(
    place: str, metric: str, estimate: Estimate, references: Mapping[str, float] | None = None,
    change: Component | None = None,
) -> Component:  # fmt: skip
    """A metric with its interval, the values it is held against, and its change.

    Args:
        place: Beginning of the tile's id; the metric's name follows.
        metric: A key of METRICS.
        estimate: Its value.
        references: Name of a reference, such as the prior, to its value of the metric.
        change: A line on how it differs from another version's.
    """
    held = [f"{name} {value_of(metric, value)}" for name, value in (references or {}).items()]
    details = [
        html.Div(interval_of(metric, estimate), className="interval", title="95% interval"),
        *([html.Div(" · ".join(held), className="references")] if held else []),
        *([change] if change is not None else []),
    ]
    return html.Div(
        [
            html.Div(METRICS[metric], className="tile-label"),
            html.Div(value_of(metric, estimate.value), className="tile-value"),
            html.Div(details, className="tile-detail"),
        ],
        id=f"{place}-{metric}",
        className="tile",
    )


def change_between(metric: str, current: Estimate, baseline: Estimate, other: int) -> Component:
    """By how much a metric differs from another version's, and whether that is better."""
    change = current.value - baseline.value
    shown = f"{100 * change:+.1f} points" if metric in SHARES else f"{change:+.3f}"
    mark = "▲" if change > 0 else "▼" if change < 0 else "="
    is_better = (change < 0) == (metric in LOWER_IS_BETTER)
    has_tone = change != 0 and metric not in NEITHER_IS_BETTER
    tone = ("better" if is_better else "worse") if has_tone else ""
    return html.Div(f"{mark} {shown} vs version {other}", className=tone)
