"""Callbacks of the overview: a poll sends the panels that changed, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, html, no_update

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.drawing import Drawing
from solosolve.dashboard.views.elements import attributes, empty, instant
from solosolve.dashboard.views.panels import PANELS
from solosolve.dashboard.views.routes import OVERVIEW, view_of
from solosolve.errors import TableError, UsageError


def register_overview(app: Dash, answers: Answers, drawing: Drawing) -> None:
    """Adds the callback that keeps the overview up to date."""

    @app.callback(
        *(Output(f"panel-{panel.name}", "children") for panel in PANELS),
        Output("banner", "children"),
        Output("freshness", "children"),
        Output("seen", "data"),
        Input("clock", "n_intervals"),
        Input("url", "search"),
        Input("url", "pathname"),
        State("seen", "data"),
    )
    def refresh(_: object, search: object, path: object, seen: object) -> list[Any]:
        known: Mapping[Any, Any] = seen if isinstance(seen, dict) else {}
        # What was drawn for another choice is not shown for this one.
        drawn_for = known if known.get("search") == search else {}
        errors: list[str] = []
        try:
            filters = Filters.parse(search)
        except UsageError as error:
            filters = Filters()
            errors.append(f"The address is not understood, and everything is shown: {error}")
        contents: list[Any] = [no_update] * len(PANELS)
        digests = {}
        if view_of(path) == OVERVIEW:
            for place, panel in enumerate(PANELS):
                drawn = drawing.draw(panel, filters)
                if drawn.error:
                    errors.append(drawn.error)
                    if panel.name not in drawn_for:
                        contents[place] = empty("It cannot be read now.")
                    continue
                digests[panel.name] = drawn.digest
                if known.get(panel.name) != drawn.digest:
                    contents[place] = drawn.content
        banner = [html.P(error) for error in errors]
        said = {"banner": errors, "freshness": _newest_batch(answers), "search": search}
        now = {**known, **digests, **said}
        return [
            *contents,
            banner if known.get("banner", []) != errors else no_update,
            _freshness(said["freshness"]) if known.get("freshness", 0) != said["freshness"] else no_update,
            now if now != known else no_update,
        ]


def _newest_batch(answers: Answers) -> str | None:
    """When the stream's newest batch ended; None where there was none, or it cannot be told."""
    try:
        batches = answers.ask(questions.stream_batches(Filters()))
    except TableError:
        return None
    return batches.column("ended_at")[0].as_py().isoformat() if batches.num_rows else None


def _freshness(newest: object) -> Any:
    if not isinstance(newest, str):
        return html.Span("no stream yet", className="freshness none")
    at = datetime.fromisoformat(newest)
    return html.Span(["Stream ", instant(at)], className="freshness", **attributes(data_at=newest))
