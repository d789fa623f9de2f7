"""The overview: its panels, their frames, and the callback that sends a browser the panels that changed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dash import Dash, Input, Output, State, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views import model_panels, monitor_panels, prediction_panels, record_panels, stream_panels
from solosolve.dashboard.views.drawing import Panel, PanelCache
from solosolve.dashboard.views.elements import attributes, empty, instant
from solosolve.dashboard.views.routes import OVERVIEW, view_of
from solosolve.dashboard.views.threshold_explorer import threshold_explorer
from solosolve.errors import TableError, UsageError
from solosolve.model.drift import LARGE_DRIFT, MODERATE_DRIFT
from solosolve.names import (
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    STREAM_PROGRESS,
    TEST_SCORES,
)

_MODEL = (MODEL_EVENTS, MODEL_METRICS, TEST_SCORES)
_SEGMENT_ONLY = "Test complaints in the selected segment and version. The period does not apply."
_PERIOD_ONLY = "Selected period and version. Segment filters do not apply."
_MODEL_QUALITY = "Model quality"

SECTIONS: dict[str, tuple[Panel, ...]] = {
    "Model": (
        Panel("cards", "Champion", _SEGMENT_ONLY, _MODEL, model_panels.champion_metrics, 9),
        Panel("training", "Last training", "Filters do not apply here.", _MODEL, model_panels.last_training, 3),
    ),
    "Stream": (
        Panel("stream", "Streaming", _PERIOD_ONLY, (STREAM_PROGRESS, PREDICTIONS), stream_panels.stream_figures, 5),
        Panel("batches", "Batch time", _PERIOD_ONLY, (STREAM_PROGRESS,), stream_panels.batch_times, 7),
    ),
    "Predictions": (
        Panel("time", "Predictions over time", "By scoring time.", (PREDICTIONS,),
              prediction_panels.over_time, 8),
        Panel("distribution", "Prediction distribution", "Orange: predicted not to succeed.", (PREDICTIONS,),
              prediction_panels.distribution, 4),
        Panel("states", "Predicted success by state", "Share of complaints predicted to succeed.", (PREDICTIONS,),
              prediction_panels.by_state, 6),
        Panel("companies", "Predictions by company", "Top ten by number of predictions.", (PREDICTIONS,),
              prediction_panels.by_company, 6),
    ),
    _MODEL_QUALITY: (
        Panel("confusion", "Confusion matrix", _SEGMENT_ONLY, _MODEL, model_panels.confusion_matrix),
        Panel("calibration", "Calibration", _SEGMENT_ONLY, _MODEL, model_panels.calibration),
        Panel("drift", "Feature drift",
              "The newest window compared with the training data. Segment filters do not apply. "
              f"Dotted lines: moderate ({MODERATE_DRIFT}) and large ({LARGE_DRIFT}) drift.",
              (MODEL_EVENTS, DRIFT_METRICS), monitor_panels.drift, 6),
        Panel("performance", "Performance by window",
              "On the labels that became known in each window, with 95% intervals. Segment filters do not apply.",
              (MODEL_EVENTS, MODEL_PERFORMANCE), monitor_panels.performance, 6),
        Panel("feedback", "Verdicts",
              "Compared with the predictions that reviewers saw. Most are on complaints that the model is unsure of: "
              "they do not measure it, performance by window does.",
              (FEEDBACK,), record_panels.verdicts, 12),
    ),
    "Records": (
        Panel("timeline", "Version history", _PERIOD_ONLY, (MODEL_EVENTS,), model_panels.version_history, 12),
        Panel("ledger", "Model ledger", _PERIOD_ONLY, (MODEL_EVENTS,), model_panels.ledger, 6),
        Panel("quality", "Data quality",
              "Records set aside in the selected period. Segment filters apply to rejected complaints only.",
              (QUARANTINE, REJECTED, DEAD_LETTERS), record_panels.set_aside, 6),
    ),
}  # fmt: skip
"""Section title to panels, in the order of the page."""

PANELS: tuple[Panel, ...] = tuple(panel for section in SECTIONS.values() for panel in section)


def overview_view() -> list[Component]:
    """The sections with empty panels; the first refresh fills them."""
    sections: list[Component] = []
    for title, panels in SECTIONS.items():
        frames = [_frame(panel) for panel in panels]
        if title == _MODEL_QUALITY:
            frames.insert(2, threshold_explorer())
        section_id = f"section-{title.lower().replace(' ', '-')}"
        sections.append(
            html.Section(
                [html.H2(title, id=section_id), html.Div(frames, className="grid")],
                **attributes(aria_labelledby=section_id),
            )
        )
    return sections


def _frame(panel: Panel) -> Component:
    return html.Article(
        [
            html.H3(panel.title, id=f"title-{panel.name}"),
            html.P(panel.description, className="description"),
            html.Div(html.Div("Loading…", className="loading"), id=f"panel-{panel.name}", className="body"),
        ],
        className=f"panel w{panel.width}",
        **attributes(aria_labelledby=f"title-{panel.name}"),
    )


def register_overview(app: Dash, answers: Answers, cache: PanelCache) -> None:
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
        return changes_since(answers, cache, search, path, seen)


def changes_since(answers: Answers, cache: PanelCache, search: object, path: object, seen: object) -> list[Any]:
    """Returns what changed since a browser's last refresh.

    Args:
        answers: Where the freshness badge gets its time.
        cache: Draws the panels.
        search: The address's query string.
        path: The address's path.
        seen: What the browser shows: panel name to digest, and `banner`, `freshness` and `search`.

    Returns:
        The content of each panel, the banner, the freshness badge and the new `seen`, in this order, with `no_update`
        for everything that has not changed.
    """
    known: Mapping[Any, Any] = seen if isinstance(seen, dict) else {}
    is_same_search = known.get("search") == search
    filters, errors = _filters_of(search)
    contents: list[Any] = [no_update] * len(PANELS)
    digests = {}
    if view_of(path) == OVERVIEW:
        for position, panel in enumerate(PANELS):
            drawn = cache.draw(panel, filters)
            if drawn.error:
                errors.append(drawn.error)
                # A panel drawn for the same filters may stay; one drawn for others would mislead.
                if not is_same_search or panel.name not in known:
                    contents[position] = empty("This panel could not be loaded; the message at the top says why.")
                continue
            digests[panel.name] = drawn.digest
            if known.get(panel.name) != drawn.digest:
                contents[position] = drawn.content
    freshness = _newest_batch(answers)
    now = {**known, **digests, "banner": errors, "freshness": freshness, "search": search}
    return [
        *contents,
        [html.P(error) for error in errors] if known.get("banner", []) != errors else no_update,
        _freshness_badge(freshness) if known.get("freshness", 0) != freshness else no_update,
        now if now != known else no_update,
    ]


def _filters_of(search: object) -> tuple[Filters, list[str]]:
    """The address's filters, or none and a message if the address is invalid."""
    try:
        return Filters.parse(search), []
    except UsageError as error:
        return Filters(), [f"No filters are applied, because the address has an invalid one: {error}"]


def _newest_batch(answers: Answers) -> str | None:
    """When the stream's newest batch ended; None before the first batch, or if the table cannot be read."""
    try:
        batches = answers.ask(questions.stream_batches(Filters()))
    except TableError:
        return None
    return batches.column("ended_at")[0].as_py().isoformat() if batches.num_rows else None


def _freshness_badge(newest: str | None) -> Component:
    if newest is None:
        return html.Span("No stream yet", className="freshness")
    at = datetime.fromisoformat(newest)
    return html.Span(["Stream updated ", instant(at)], className="freshness", **attributes(data_at=newest))
