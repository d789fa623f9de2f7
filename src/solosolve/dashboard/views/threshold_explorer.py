"""The threshold explorer: what a version finds at any threshold, measured on its test complaints."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import MeasuredVersion, measure_version, selected_version, threshold_of
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.query_string import parameter, with_parameter
from solosolve.dashboard.views.elements import attributes, confusion_table, empty, graph, loading, not_yet, tiles
from solosolve.dashboard.views.model_figures import read_and_found
from solosolve.dashboard.views.picture import Picture
from solosolve.dashboard.views.quality import metric_tile, value_of
from solosolve.dashboard.views.routes import MODEL, room_of
from solosolve.errors import NotYetError, TableError, UsageError
from solosolve.names import THRESHOLD

NAME = "threshold"
"""The parameter of the address."""

_LOWEST, _HIGHEST, _STEP = 0.05, 0.95, 0.001
_TILES = ("failure_recall", "review_share", "accuracy")
_TABLE_SHARES = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0)


def threshold_explorer() -> Component:
    """The panel with its two controls, which hold the same number."""
    return html.Article(
        [
            html.H3("Threshold explorer", id="title-threshold"),
            html.P("What another threshold would flag and find among the test complaints in the selected segment.",
                   className="description"),
            html.Div(
                [
                    dmc.Slider(
                        id="threshold-slider", min=_LOWEST, max=_HIGHEST, step=_STEP, precision=3, value=THRESHOLD,
                        marks=[{"value": value, "label": f"{value:g}"} for value in (0.25, 0.5, 0.75)],
                        thumbLabel="Threshold", className="threshold-slider",
                    ),
                    dmc.NumberInput(
                        id="threshold-number", min=_LOWEST, max=_HIGHEST, step=0.01, decimalScale=3, value=THRESHOLD,
                        label="Threshold", debounce=400, clampBehavior="blur", className="threshold-number",
                    ),
                ],
                className="threshold-controls",
            ),
            html.Div(loading(), id="threshold-results", className="body"),
        ],
        className="panel w7 tall",
        **attributes(aria_labelledby="title-threshold"),
    )  # fmt: skip


def register_threshold_explorer(app: Dash, answers: Answers) -> None:
    """Adds the callback of the panel: the address holds the threshold, and both controls follow it."""

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("threshold-slider", "value"),
        Output("threshold-number", "value"),
        Output("threshold-results", "children"),
        Input("url", "search"),
        Input("url", "pathname"),
        Input("model-drawn", "data"),
        Input("threshold-slider", "value"),
        Input("threshold-number", "value"),
        prevent_initial_call="initial_duplicate",
    )
    def explore(search: object, path: object, _: object, slider: object, number: object) -> list[Any]:
        if room_of(path) != MODEL:
            return [no_update] * 4
        if ctx.triggered_id == "model-drawn":
            # A control that is being moved stays where it is.
            return [no_update, no_update, no_update, results(answers, search)]
        chosen = {"threshold-slider": slider, "threshold-number": number}.get(str(ctx.triggered_id))
        new = search if chosen is None else at_threshold(answers, search, chosen)
        shown = shown_threshold(answers, new)
        changed = no_update if new == (search or "") or chosen is None else new
        same = no_update if shown is None else shown
        return [
            changed,
            no_update if shown == slider else same,
            no_update if shown == number else same,
            results(answers, new),
        ]


def at_threshold(answers: Answers, search: object, chosen: object) -> str:
    """Returns the query string for a threshold that a control sent; the version's own leaves no trace in it."""
    if isinstance(chosen, bool) or not isinstance(chosen, int | float) or not _LOWEST <= chosen <= _HIGHEST:
        return search if isinstance(search, str) else ""
    is_own = round(chosen, 3) == _own_threshold(answers, search)
    return with_parameter(search, NAME, "" if is_own else f"{chosen:.3f}")


def shown_threshold(answers: Answers, search: object) -> float | None:
    """Returns the threshold at an address: the one that it names, or else the version's own; None if it is invalid."""
    try:
        named = parse_threshold(search)
    except UsageError:
        return None
    return _own_threshold(answers, search) if named is None else named


def parse_threshold(search: object) -> float | None:
    """Reads the threshold of an address; None if it has none.

    Raises:
        UsageError: It is not a number that the controls can have.
    """
    text = parameter(search, NAME)
    if not text:
        return None
    try:
        found = round(float(text), 3)
    except ValueError:
        found = 0.0
    if not _LOWEST <= found <= _HIGHEST:
        raise UsageError(f"threshold: expected a number from {_LOWEST} to {_HIGHEST}, found {text[:20]!r}")
    return found


def _own_threshold(answers: Answers, search: object) -> float:
    try:
        return threshold_of(answers, selected_version(answers, Filters.parse(search)))
    except (UsageError, TableError, NotYetError):
        return THRESHOLD


def results(answers: Answers, search: object) -> Component:
    """What the version at an address flags and finds at the address's threshold."""
    try:
        filters, threshold = Filters.parse(search), parse_threshold(search)
        version = selected_version(answers, filters)
        measured = measure_version(answers, version, filters, threshold)
    except UsageError as error:
        return empty(str(error))
    except NotYetError as error:
        return not_yet(error)
    except TableError as error:
        return empty(f"{error}.")
    if not measured.scores.has_both:
        return empty("The selected segment does not have test complaints of both outcomes. Select a wider segment.")
    return html.Div([_numbers(measured, threshold_of(answers, version), search), _curve(measured)], className="halves")


def _numbers(measured: MeasuredVersion, own: float, search: object) -> Component:
    cells = measured.scores.confusion(measured.threshold)
    (found, missed), (in_vain, _) = cells
    work = (
        f"Flag {found + in_vain:,} of {measured.scores.count:,}, find {found:,} of {found + missed:,} failures, "
        f"{in_vain:,} {'flag' if in_vain == 1 else 'flags'} in vain."
    )
    note: list[Any] = [f"Version {measured.version} predicts a failure below {own:g} by itself. "]
    if measured.threshold != own:
        note.append(dcc.Link("Back to that", href=f"/model{with_parameter(search, NAME, '')}", id="threshold-own"))
    return html.Div(
        [
            html.P(work, className="work", id="threshold-work"),
            tiles(
                *(metric_tile(NAME, name, measured.estimates[name]) for name in _TILES if name in measured.estimates)
            ),
            confusion_table(cells),
            html.P(note, className="note"),
        ]
    )


def _curve(measured: MeasuredVersion) -> Component:
    """How many failures are found by reading ever more complaints, with the threshold's place marked."""
    scores, curve = measured.scores, measured.scores.reading()
    (found, missed), (in_vain, _) = scores.confusion(measured.threshold)
    failures = found + missed
    figure = read_and_found(curve, scores.count, failures, (found + in_vain, found))
    text = (
        f"Failures found by reading ever more complaints; marked: {found:,} of {failures:,} at {measured.threshold:g}"
    )
    rows = []
    for share in _TABLE_SHARES:
        point = next((each for each in curve if each.read >= share * scores.count), curve[-1])
        part = value_of("failure_recall", point.found / failures)
        rows.append((f"{point.threshold:.3f}", point.read, f"{point.read / scores.count:.1%}", point.found, part))
    headings = ("Below", "Read", "Share read", "Found", "Share found")
    return graph("reading", Picture(figure, text, headings, rows), 330)
