"""The panel on drift: how far each feature has moved in each window from what the version was trained on."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import selected_version
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.monitored import DriftWindow, FeatureRow, drift_windows
from solosolve.dashboard.views.elements import (
    attributes,
    beginning,
    counted,
    empty,
    graph,
    is_within_a_day,
    no_rows,
    number,
)
from solosolve.dashboard.views.figures import drift_bars
from solosolve.dashboard.views.quality import as_table
from solosolve.model.drift import DriftState
from solosolve.names import DRIFT_METRICS

_WINDOWS = 12
"""Windows shown, the newest ones."""

_WORDS = {
    DriftState.OK: "as in training",
    DriftState.DRIFT: "moved, but little",
    DriftState.TOO_FEW: "too few complaints",
}
_LEGEND = (("ok", "as in training"), ("moved", "moved, but little"), ("alarm", "alarm"), ("few", "too few complaints"))


def drift(answers: Answers, filters: Filters) -> Component:
    """How far each feature has moved, window by window, and in the newest measured window as bars.

    Raises:
        NotYetError: `gold.drift_metrics` does not exist, or the filters name no version and there is no champion.
    """
    version = selected_version(answers, filters)
    windows = drift_windows(answers, version, filters)[:_WINDOWS]
    if not windows:
        return no_rows("monitored windows", filters.without_segment(), DRIFT_METRICS)
    if any(each.state == DriftState.NO_REFERENCE for each in windows[0].features):
        return empty(
            f"Version {version} was registered without a reference to compare with. Its successor will have one."
        )
    rows = [
        (beginning(window.start, window.end), each.feature.replace("_", " "), _state(each), number(each.psi, 3),
         _p_value(each), each.record_count)
        for window in windows for each in window.features
    ]  # fmt: skip
    newest = next((window for window in windows if window.is_measured), None)
    picture = html.Div([_heat_table(windows, version), _bars(newest)], className="halves")
    headings = ("Window from", "Feature", "State", "Index", "p-value", "Complaints")
    return html.Div([picture, as_table(headings, rows, "Drift by window and feature")])


def _heat_table(windows: Sequence[DriftWindow], version: int) -> Component:
    """One row per feature, as they are ordered in the newest window; one column per window, the newest at the right."""
    oldest_first = list(reversed(windows))
    found = {(window.start, each.feature): each for window in windows for each in window.features}
    features = list(dict.fromkeys(each.feature for window in windows for each in window.features))
    headings = [html.Th("Feature", scope="col"), *(_window_heading(window) for window in oldest_first)]
    body = [
        html.Tr(
            [
                html.Th(feature.replace("_", " "), scope="row"),
                *(_cell(found.get((window.start, feature))) for window in oldest_first),
            ]
        )
        for feature in features
    ]
    caption = f"Drift of version {version}: index by feature and window"
    grid = html.Table(
        [html.Caption(caption, className="visually-hidden"), html.Thead(html.Tr(headings)), html.Tbody(body)],
        className="heat",
    )
    scrolled = html.Div(
        grid, className="scrolled heat-frame", tabIndex="0", role="region", **attributes(aria_label=caption)
    )
    key = html.P([html.Span(words, className=f"key drift-{state}") for state, words in _LEGEND], className="note keys")
    return html.Div([scrolled, key])


def _window_heading(window: DriftWindow) -> Component:
    below = f"{window.start:%H:%M}" if is_within_a_day(window.start, window.end) else f"{window.start:%Y}"
    return html.Th([f"{window.start:%d %b}", html.Span(below)], scope="col")


def _cell(row: FeatureRow | None) -> Component:
    if row is None:
        return html.Td("")
    kind = "alarm" if row.alarm_since else {DriftState.OK: "ok", DriftState.DRIFT: "moved"}.get(
        DriftState(row.state), "few"
    )  # fmt: skip
    tip = (
        f"{_state(row)}: index {number(row.psi, 3)}, p-value {_p_value(row)}, {counted(row.record_count, 'complaint')}"
    )
    shown = html.Div([number(row.psi, 2), html.Span(tip, className="tip")])
    # The keyboard stops at what has moved; the table below has the rest.
    has_moved = kind in ("alarm", "moved")
    return html.Td(shown, className=f"drift-{kind}", **(attributes(tabIndex="0") if has_moved else {}))


def _bars(newest: DriftWindow | None) -> Component:
    indexes = {each.feature: each.psi for each in newest.features if each.psi is not None} if newest else {}
    if newest is None or not indexes:
        return empty("No window has enough complaints yet.")
    alarms = [each.feature for each in newest.features if each.alarm_since is not None]
    begin = beginning(newest.start, newest.end)
    end = f"{newest.end:%H:%M}" if is_within_a_day(newest.start, newest.end) else f"{newest.end:%Y-%m-%d}"
    period = f"{begin} to {end}, the newest window with enough complaints"
    return html.Figure([html.Figcaption(period), graph("drift", drift_bars(indexes, alarms), 280)])


def _state(row: FeatureRow) -> str:
    if row.alarm_since is not None:
        return f"alarm since {row.alarm_since:%Y-%m-%d}"
    return _WORDS[DriftState(row.state)]


def _p_value(row: FeatureRow) -> str:
    if row.p_value is None:
        return number(None)
    return "below 0.001" if row.p_value < 0.001 else number(row.p_value, 3)
