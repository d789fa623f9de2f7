"""Panels on what the monitor measured: which features have drifted, and how the model did window by window."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import selected_version
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.monitored import FeatureRow, newest_drift, performance_windows
from solosolve.dashboard.views.elements import empty, graph, no_rows, number, table
from solosolve.dashboard.views.figures import drift_bars
from solosolve.model.drift import DriftState
from solosolve.names import DRIFT_METRICS, MODEL_PERFORMANCE

_WINDOWS = 12
"""Windows listed, the newest ones."""

_METRICS = {"auc": "AUC", "accuracy": "Accuracy", "failure_recall": "Failures found", "log_loss": "Log loss"}
_WORDS = {
    DriftState.OK: "as in training",
    DriftState.DRIFT: "moved, but little",
    DriftState.TOO_FEW: "too few complaints",
}


def drift(answers: Answers, filters: Filters) -> Component:
    """How far each feature has moved in the newest window from what the version was trained on.

    Raises:
        NotYetError: `gold.drift_metrics` does not exist, or the filters name no version and there is no champion.
    """
    version = selected_version(answers, filters)
    found = newest_drift(answers, version, filters)
    if found is None:
        return no_rows("monitored windows", filters.without_segment(), DRIFT_METRICS)
    if any(each.state == DriftState.NO_REFERENCE for each in found.features):
        return empty(
            f"Version {version} was registered without a reference to compare with. Its successor will have one."
        )
    indexes = {each.feature: each.psi for each in found.features if each.psi is not None}
    alarms = [each.feature for each in found.features if each.alarm_since is not None]
    rows = [
        (each.feature.replace("_", " "), _state(each), number(each.psi, 3), _p_value(each)) for each in found.features
    ]
    shown = table(("Feature", "State", "Index", "p-value"), rows, "Drift by feature")
    note = html.P(f"Version {version}, {found.start:%Y-%m-%d} to {found.end:%Y-%m-%d}.", className="note")
    if not indexes:
        return html.Div([shown, note])
    return html.Div([graph("drift", drift_bars(indexes, alarms)), shown, note])


def _state(row: FeatureRow) -> str:
    if row.alarm_since is not None:
        return f"alarm since {row.alarm_since:%Y-%m-%d}"
    return _WORDS[DriftState(row.state)]


def _p_value(row: FeatureRow) -> str:
    if row.p_value is None:
        return number(None)
    return "below 0.001" if row.p_value < 0.001 else number(row.p_value, 3)


def performance(answers: Answers, filters: Filters) -> Component:
    """A version's metrics on the labels that became known in each window.

    Raises:
        NotYetError: `gold.model_performance` does not exist, or the filters name no version and there is no champion.
    """
    version = selected_version(answers, filters)
    windows = performance_windows(answers, version, filters)[:_WINDOWS]
    if not windows:
        return no_rows("monitored windows", filters.without_segment(), MODEL_PERFORMANCE)
    rows = [
        (
            f"{window['window_start']:%Y-%m-%d}", f"{window['label_count']:,} of {window['record_count']:,}",
            number(window["label_delay_days"], 1, " days"), *(_estimate(window, metric) for metric in _METRICS),
        )
        for window in windows
    ]  # fmt: skip
    return table(
        ("Window from", "Labels", "Delay", *_METRICS.values()), rows, f"Performance of version {version} by window"
    )


def _estimate(window: dict[str, Any], metric: str) -> str:
    row = window["metrics"].get(metric)
    if row is None or row["value"] is None:
        return "too few"
    return f"{row['value']:.3f} ({row['value_low']:.3f} to {row['value_high']:.3f})"
