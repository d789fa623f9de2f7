"""The threshold explorer: a version's metrics at any threshold, measured on its test complaints."""

from __future__ import annotations

from typing import Any, TypeGuard

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import (
    SHOWN_METRICS,
    current_champion,
    scores_on_test_split,
    threshold_of,
    trained_versions,
)
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import attributes, confusion_table, empty, not_yet, tile, tiles
from solosolve.errors import NotYetError, TableError, UsageError
from solosolve.names import MADE_BY, TEST_SCORES, THRESHOLD

_LOWEST, _HIGHEST = 0.05, 0.95


def threshold_explorer() -> Component:
    """The panel with its two controls."""
    return html.Article(
        [
            html.H3("Threshold explorer", id="title-threshold"),
            html.P("Another version or threshold, on its test complaints in the selected segment.",
                   className="description"),
            html.Div(
                [html.Label("Version", htmlFor="threshold-version"),
                 dcc.Dropdown(id="threshold-version", options=[], clearable=False)],
                className="control",
            ),
            html.Div(
                [html.Label("Threshold", htmlFor="threshold-slider"),
                 dcc.Slider(
                     id="threshold-slider", min=_LOWEST, max=_HIGHEST, step=0.001, value=THRESHOLD,
                     marks={value: str(value) for value in (_LOWEST, 0.25, 0.5, 0.75, _HIGHEST)}, updatemode="mouseup",
                 )],
                className="control",
            ),
            html.Div(id="threshold-results", className="body"),
        ],
        className="panel w4 tall",
        **attributes(aria_labelledby="title-threshold"),
    )  # fmt: skip


def register_threshold_explorer(app: Dash, answers: Answers) -> None:
    """Adds the callbacks of the panel."""

    @app.callback(
        Output("threshold-version", "options"),
        Output("threshold-version", "value"),
        Input("seen", "data"),
        Input("threshold-version", "value"),
    )
    def offer(_: object, chosen: object) -> tuple[list[str], Any]:
        return offered_versions(answers, chosen)

    @app.callback(Output("threshold-slider", "value"), Input("threshold-version", "value"))
    def start(version: object) -> float:
        return threshold_of(answers, int(version)) if _is_version(version) else THRESHOLD

    @app.callback(
        Output("threshold-results", "children"),
        Input("threshold-version", "value"),
        Input("threshold-slider", "value"),
        Input("url", "search"),
    )
    def show(version: object, threshold: object, search: object) -> Component:
        return results(answers, version, threshold, search)


def offered_versions(answers: Answers, chosen: object) -> tuple[list[str], Any]:
    """Returns the trained versions, newest first, and the one to select: as chosen, else the champion or the newest."""
    try:
        versions = [str(version) for version in trained_versions(answers)]
    except TableError:
        return [], None
    try:
        default: str | None = str(current_champion(answers).version)
    except (NotYetError, TableError):
        default = versions[0] if versions else None
    return versions, chosen if chosen in versions else default


def _is_version(text: object) -> TypeGuard[str]:
    return isinstance(text, str) and text.isascii() and text.isdigit() and len(text) < 10


def results(answers: Answers, version: object, threshold: object, search: object) -> Component:
    """Metrics and confusion matrix of a version at a threshold, as the browser sent them."""
    try:
        filters = Filters.parse(search)
    except UsageError as error:
        return empty(str(error))
    if not _is_version(version):
        return empty("No model version to explore yet.", MADE_BY[TEST_SCORES])
    if not isinstance(threshold, int | float) or not 0 < threshold < 1:
        return empty(f"The threshold {str(threshold)[:20]} is not a number between 0 and 1. Move the slider.")
    try:
        scores = scores_on_test_split(answers, int(version), filters)
    except NotYetError as error:
        return not_yet(error)
    except TableError as error:
        return empty(f"{error}.")
    if not scores.has_both:
        return empty("The selected segment does not have test complaints of both outcomes. Select a wider segment.")
    measured = scores.measure(threshold)
    # The AUC does not depend on the threshold.
    shown = [
        tile(label, f"{measured[name].value:.3f}", f"{measured[name].low:.3f} to {measured[name].high:.3f}")
        for name, label in SHOWN_METRICS.items()
        if name != "auc"
    ]
    cells = scores.confusion(threshold)
    predicted = cells[0][1] + cells[1][1]
    note = f"Success predicted: {predicted:,} of {scores.count:,} at threshold {threshold:g}."
    return html.Div([tiles(*shown), confusion_table(cells), html.P(note, className="note")])
