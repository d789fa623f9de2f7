"""What if another threshold, or another version: a slider over the test scores."""

from __future__ import annotations

from typing import Any

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import SHOWN_METRICS, standing, tested, trained
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import attributes, confusion_table, empty, tile, tiles
from solosolve.dashboard.views.panels_of_model import THRESHOLD
from solosolve.errors import TableError, UsageError


def what_if_panel() -> Component:
    """The panel with its two controls."""
    return html.Article(
        [
            html.H3("What if", id="title-what-if"),
            html.P("Another version or threshold, on its test complaints of the chosen segment.", className="about"),
            html.Div(
                [html.Label("Version", htmlFor="what-if-version"),
                 dcc.Dropdown(id="what-if-version", options=[], clearable=False)],
                className="control",
            ),
            html.Div(
                [html.Label("Threshold", htmlFor="what-if-threshold"),
                 dcc.Slider(
                     id="what-if-threshold", min=0.05, max=0.95, step=0.01, value=THRESHOLD,
                     marks={0.05: "0.05", 0.25: "0.25", 0.5: "0.5", 0.75: "0.75", 0.95: "0.95"}, updatemode="mouseup",
                 )],
                className="control",
            ),
            html.Div(id="what-if", className="body"),
        ],
        className="panel w4 tall",
        **attributes(aria_labelledby="title-what-if"),
    )  # fmt: skip


def register_what_if(app: Dash, answers: Answers) -> None:
    """Adds the callbacks of the panel."""

    @app.callback(
        Output("what-if-version", "options"),
        Output("what-if-version", "value"),
        Input("seen", "data"),
        Input("what-if-version", "value"),
    )
    def offer(_: object, chosen: object) -> tuple[Any, Any]:
        try:
            versions = [str(version) for version in trained(answers)]
        except TableError:
            return [], None
        try:
            first: str | None = str(standing(answers).version)
        except TableError:
            first = versions[0] if versions else None
        return versions, chosen if chosen in versions else first

    @app.callback(
        Output("what-if", "children"),
        Input("what-if-version", "value"),
        Input("what-if-threshold", "value"),
        Input("url", "search"),
    )
    def show(version: object, threshold: object, search: object) -> Component:
        try:
            filters = Filters.parse(search)
        except UsageError as error:
            return empty(str(error))
        is_version = isinstance(version, str) and version.isascii() and version.isdigit() and len(version) < 10
        if not is_version or not isinstance(threshold, int | float) or not 0 < threshold < 1:
            return empty("No version to try yet.", "solosolve run train_model")
        try:
            scores = tested(answers, int(str(version)), filters)
        except TableError as error:
            message, _, command = str(error).partition("; run: ")
            return empty(f"{message}.", command)
        if not scores.has_both:
            return empty("No test complaints of both outcomes in this segment.")
        measured = scores.measure(threshold)
        shown = [
            tile(label, f"{measured[name].value:.3f}", f"{measured[name].low:.3f} to {measured[name].high:.3f}")
            for name, label in SHOWN_METRICS.items()
            if name != "auc"
        ]
        cells = scores.confusion(threshold)
        said = cells[0][1] + cells[1][1]
        words = f"{said:,} of {scores.count:,} said to succeed at {threshold:.2f}"
        return html.Div([tiles(*shown), confusion_table(cells), html.P(words, className="note")])
