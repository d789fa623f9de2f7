"""Which panels each room shows, and their frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.views import (
    data_panels,
    model_panels,
    monitor_panels,
    prediction_panels,
    record_panels,
    stream_panels,
    today_panels,
    version_panels,
)
from solosolve.dashboard.views.drawing import Panel
from solosolve.dashboard.views.elements import attributes, loading
from solosolve.dashboard.views.performance_explorer import performance_explorer
from solosolve.dashboard.views.routes import DATA, MODEL, TODAY
from solosolve.dashboard.views.since_control import since_control
from solosolve.dashboard.views.threshold_explorer import threshold_explorer
from solosolve.model.drift import LARGE_DRIFT, MODERATE_DRIFT
from solosolve.names import (
    ALERTS,
    DEAD_LETTERS,
    DRIFT_METRICS,
    FEEDBACK,
    LANDINGS,
    MADE_BY,
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
_ALERTING = (STREAM_PROGRESS, DEAD_LETTERS, QUARANTINE, DRIFT_METRICS, MODEL_PERFORMANCE, MODEL_EVENTS, ALERTS)
_SEGMENT_ONLY = "Test complaints in the selected segment and version. The period does not apply."
_PERIOD_ONLY = "Selected period and version. Segment filters do not apply."
_NEW = "New"
_QUALITY = "Quality"
_MONITOR = "On the complaints that arrive"

SECTIONS: Mapping[str, Mapping[str, tuple[Panel, ...]]] = MappingProxyType({
    TODAY: {
        "Wrong now": (
            Panel("wrong_now", "What needs a person", "Filters do not apply here.", _ALERTING,
                  today_panels.wrong_now, 12, 15),
        ),
        _NEW: (
            Panel("new", "Since then", "All filters apply.", (), today_panels.new_complaints, 12, 15),
            Panel("failing_products", "Likely to fail, by product", "New complaints. Click a name to filter.",
                  (), today_panels.failing_products, 6, 15),
            Panel("failing_companies", "Likely to fail, by company", "New complaints. Click a name to filter.",
                  (), today_panels.failing_companies, 6, 15),
            Panel("to_read", "Read these first", "Unread ones, the least likely to succeed first.",
                  (), today_panels.to_read, 12, 15),
        ),
        "All predictions": (
            Panel("time", "Predictions over time", "By scoring time.", (PREDICTIONS,),
                  prediction_panels.over_time, 8),
            Panel("distribution", "Prediction distribution", "Orange: predicted not to succeed.", (PREDICTIONS,),
                  prediction_panels.distribution, 4),
            Panel("states", "Predicted success by state", "Share of complaints predicted to succeed.", (PREDICTIONS,),
                  prediction_panels.by_state, 6),
            Panel("companies", "Predictions by company", "Top ten by number of predictions.", (PREDICTIONS,),
                  prediction_panels.by_company, 6),
        ),
    },
    MODEL: {
        "Champion": (
            Panel("cards", "What the model finds", _SEGMENT_ONLY, (*_MODEL, LANDINGS), model_panels.version_cards, 8),
            Panel("roles", "Who is what", "Filters do not apply here.",
                  (MODEL_EVENTS, MODEL_METRICS, MODEL_PERFORMANCE), version_panels.roles, 4),
        ),
        _QUALITY: (
            Panel("calibration", "Calibration", _SEGMENT_ONLY, _MODEL, model_panels.calibration, 5),
            Panel("feedback", "Verdicts",
                  "Compared with the predictions that reviewers saw. Most are on complaints that the model is unsure "
                  "of: they do not measure it, performance by window does.",
                  (FEEDBACK, MODEL_METRICS), record_panels.verdicts, 5),
        ),
        _MONITOR: (
            Panel("drift", "Drift by feature and window",
                  "Each window compared with the training data. Segment filters do not apply. "
                  f"Dotted lines: moderate ({MODERATE_DRIFT}) and large ({LARGE_DRIFT}) drift.",
                  (MODEL_EVENTS, DRIFT_METRICS), monitor_panels.drift, 12),
        ),
        "Versions": (
            Panel("versions", "Versions over time",
                  "Metrics of each version on its own test split. Filters do not apply here. A click on a version "
                  "selects it.",
                  (MODEL_EVENTS, MODEL_METRICS), version_panels.versions, 12),
            Panel("ledger", "Model ledger", _PERIOD_ONLY, (MODEL_EVENTS,), version_panels.ledger, 12),
        ),
    },
    DATA: {
        "Stream": (
            Panel("stream", "Streaming", _PERIOD_ONLY, (STREAM_PROGRESS, PREDICTIONS), stream_panels.stream_figures, 5),
            Panel("batches", "Batch time", _PERIOD_ONLY, (STREAM_PROGRESS,), stream_panels.batch_times, 7),
        ),
        "Landings": (
            Panel("landed", "Landings", "Selected period. Segment filters do not apply.", (LANDINGS,),
                  data_panels.landed, 12),
        ),
        "Records": (
            Panel("quality", "Data quality",
                  "Records set aside in the selected period. Segment filters apply to rejected complaints only.",
                  (QUARANTINE, REJECTED, DEAD_LETTERS), record_panels.set_aside, 12),
        ),
        "Jobs and tables": (
            Panel("job_runs", "Last run of each job", "Filters do not apply here.", (), data_panels.job_runs, 12, 5),
            Panel("sizes", "Tables", "Filters do not apply here.", tuple(MADE_BY), data_panels.sizes, 12),
        ),
    },
})  # fmt: skip
"""Room to section title to panels, in the order of the page. Complaints and Review have no panels."""

_EXPLORERS: Mapping[str, tuple[Callable[[], Component], ...]] = MappingProxyType(
    {_QUALITY: (threshold_explorer,), _MONITOR: (performance_explorer,)}
)
"""Section to the panels with controls of their own, which come before the others; their callbacks draw them."""

PANELS: tuple[Panel, ...] = tuple(
    panel for sections in SECTIONS.values() for panels in sections.values() for panel in panels
)


def panels_of(room: str) -> tuple[Panel, ...]:
    """Returns the panels of a room."""
    return tuple(panel for panels in SECTIONS.get(room, {}).values() for panel in panels)


def panel_room(room: str) -> list[Component]:
    """The sections of a room with empty panels; the first refresh fills them."""
    sections: list[Component] = []
    for title, panels in SECTIONS[room].items():
        frames = [*(make() for make in _EXPLORERS.get(title, ())), *(_frame(panel) for panel in panels)]
        section_id = f"section-{title.lower().replace(' ', '-')}"
        head: list[Component] = [html.H2(title, id=section_id)]
        if title == _NEW:
            head.append(since_control())
        sections.append(
            html.Section(
                [html.Div(head, className="section-head"), html.Div(frames, className="grid")],
                **attributes(aria_labelledby=section_id),
            )
        )
    return sections


def _frame(panel: Panel) -> Component:
    return html.Article(
        [
            html.H3(panel.title, id=f"title-{panel.name}"),
            html.P(panel.description, className="description"),
            html.Div(loading(), id=f"panel-{panel.name}", className="body"),
        ],
        className=f"panel w{panel.width}",
        **attributes(aria_labelledby=f"title-{panel.name}"),
    )
