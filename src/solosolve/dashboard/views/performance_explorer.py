"""Performance on the labels that arrive: window by window, for all complaints or for a segment that is picked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import current_champion, selected_version, trained_versions
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.model_roles import model_roles
from solosolve.dashboard.data.monitored import ALL_COMPLAINTS, measured_segments, performance_windows
from solosolve.dashboard.data.query_string import parameter, with_parameter
from solosolve.dashboard.views.elements import (
    SEARCHABLE,
    attributes,
    beginning,
    counted,
    empty,
    graph,
    loading,
    no_rows,
    not_yet,
    number,
    table,
)
from solosolve.dashboard.views.model_figures import metric_by_window
from solosolve.dashboard.views.picture import Picture
from solosolve.dashboard.views.quality import METRICS, SHARES, interval_of, value_of
from solosolve.dashboard.views.routes import MODEL, room_of
from solosolve.errors import NotYetError, TableError, UsageError
from solosolve.model.evaluation import Estimate
from solosolve.names import MODEL_PERFORMANCE, SHADOW

NAME = "segment"
"""The parameter of the address; its value is the segment's name, a colon, and the part of it."""

_WINDOWS = 12
"""Windows shown, the newest ones."""

_SHOWN = ("failure_recall", "auc", "accuracy", "log_loss")
_EVERYTHING = "all:all"

Window = Mapping[str, Any]


def performance_explorer() -> Component:
    """The panel with its picker; the first callback fills it."""
    return html.Article(
        [
            html.H3("Performance by window", id="title-performance"),
            html.P(
                "On the labels that became known in each window, with 95% intervals, as the monitor measured them; "
                "dotted: on the test split. Segment filters do not apply; pick a segment here.",
                className="description",
            ),
            dmc.Select(
                id="segment", label="Complaints", data=[{"value": _EVERYTHING, "label": "All complaints"}],
                value=_EVERYTHING, allowDeselect=False, className="segment-picker", **SEARCHABLE,
            ),
            html.Div(loading(), id="performance-results", className="body"),
        ],
        className="panel w12",
        **attributes(aria_labelledby="title-performance"),
    )  # fmt: skip


def register_performance_explorer(app: Dash, answers: Answers) -> None:
    """Adds the callback of the panel: the address holds the segment, and the picker follows it."""

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("segment", "data"),
        Output("segment", "value"),
        Output("performance-results", "children"),
        Input("url", "search"),
        Input("url", "pathname"),
        Input("model-drawn", "data"),
        Input("segment", "value"),
        prevent_initial_call="initial_duplicate",
    )
    def explore(search: object, path: object, _: object, chosen: object) -> list[Any]:
        if room_of(path) != MODEL:
            return [no_update] * 4
        if ctx.triggered_id == "model-drawn":
            return [no_update, offered_segments(answers, search)[0], no_update, results(answers, search)]
        if ctx.triggered_id != "segment" or not isinstance(chosen, str):
            options, value = offered_segments(answers, search)
            return [no_update, options, value, results(answers, search)]
        new = with_parameter(search, NAME, "" if chosen == _EVERYTHING else chosen)
        return [no_update if new == (search or "") else new, no_update, no_update, results(answers, new)]


def offered_segments(answers: Answers, search: object) -> tuple[list[Any], str]:
    """Returns the segments that a version's windows measured, in groups, and the one at the address."""
    chosen = parameter(search, NAME) or _EVERYTHING
    try:
        found = measured_segments(answers, selected_version(answers, Filters.parse(search)))
    except (UsageError, NotYetError, TableError):
        found = []
    groups: dict[str, list[dict[str, str]]] = {}
    for name, value in found:
        item = {"value": f"{name}:{value}", "label": value}
        groups.setdefault(name.replace("_", " ").capitalize(), []).append(item)
    known = {_EVERYTHING, *(f"{name}:{value}" for name, value in found)}
    if chosen not in known:
        # A picker drops a value that its options lack.
        groups.setdefault("Not measured", []).append({"value": chosen, "label": chosen.partition(":")[2] or chosen})
    everything = {"value": _EVERYTHING, "label": "All complaints"}
    return [everything, *({"group": group, "items": items} for group, items in groups.items())], chosen


def results(answers: Answers, search: object) -> Component:
    """The windows of the version and the segment at an address: one graph per metric, and a table."""
    try:
        filters = Filters.parse(search)
        version = selected_version(answers, filters)
        segment = _segment_of(search)
        windows = performance_windows(answers, version, filters, segment)[:_WINDOWS]
        shadow, shadowed = _shadow(answers, version, filters, segment)
        trained = trained_versions(answers).get(version)
    except UsageError as error:
        return empty(str(error))
    except NotYetError as error:
        return not_yet(error)
    except TableError as error:
        return empty(f"{error}.")
    if not windows:
        is_all = segment == ALL_COMPLAINTS
        return (
            no_rows("monitored windows", filters.without_segment(), MODEL_PERFORMANCE)
            if is_all
            else empty("No window has measured this segment of this version. Pick another one.")
        )
    starts = {window["window_start"] for window in windows}
    by_version = {f"version {version}": windows}
    if shadow is not None:
        same = [window for window in shadowed if window["window_start"] in starts]
        by_version |= {f"version {shadow}, in shadow": same} if same else {}
    expected = trained.metrics if trained and segment == ALL_COMPLAINTS else {}
    return html.Div([_graphs(by_version, expected), _table(by_version)])


def _segment_of(search: object) -> tuple[str, str]:
    name, _, value = (parameter(search, NAME) or _EVERYTHING).partition(":")
    return name, value


def _shadow(
    answers: Answers, version: int, filters: Filters, segment: tuple[str, str]
) -> tuple[int | None, list[dict[str, Any]]]:
    """The version in shadow and its windows, if the page shows the champion."""
    try:
        term = model_roles(answers).now(SHADOW)
        if term is None or version != current_champion(answers).version:
            return None, []
    except NotYetError:
        return None, []
    return term.version, performance_windows(answers, term.version, filters, segment)


def _graphs(by_version: Mapping[str, Sequence[Window]], expected: Mapping[str, Estimate]) -> Component:
    oldest_first = {name: list(reversed(windows)) for name, windows in by_version.items()}
    shown = []
    for metric in _SHOWN:
        reference = expected[metric].value if metric in expected else None
        figure = metric_by_window(oldest_first, metric, in_per_cent=metric in SHARES, expected=reference)
        count = counted(max(map(len, oldest_first.values())), "window")
        rows = [
            (name, beginning(window["window_start"], window["window_end"]), _estimate(window, metric))
            for name, windows in oldest_first.items() for window in windows
        ]  # fmt: skip
        headings = ("Version", "Window from", METRICS[metric])
        drawn = graph(f"performance-{metric}", Picture(figure, f"{METRICS[metric]} in {count}", headings, rows), 220)
        shown.append(html.Figure([html.Figcaption(METRICS[metric]), drawn]))
    return html.Div(shown, className="small-multiples")


def _table(by_version: Mapping[str, Sequence[Window]]) -> Component:
    rows = sorted(
        ((window, name) for name, windows in by_version.items() for window in windows),
        key=lambda each: (each[0]["window_start"], each[1]), reverse=True,
    )  # fmt: skip
    shown = [
        (
            beginning(window["window_start"], window["window_end"]), name, window["label_count"],
            window["record_count"], number(window["label_delay_days"], 1, " days"),
            *(_estimate(window, metric) for metric in _SHOWN),
        )
        for window, name in rows
    ]  # fmt: skip
    headings = ("Window from", "Version", "Labels", "Scored", "Label delay", *(METRICS[metric] for metric in _SHOWN))
    return table(headings, shown, "Performance by window")


def _estimate(window: Window, metric: str) -> str:
    row = window["metrics"].get(metric)
    if row is None or row["value"] is None:
        return "too few"
    found = Estimate(row["value"], row["value_low"], row["value_high"])
    return f"{value_of(metric, found.value)} ({interval_of(metric, found)})"
