"""The panels of the overview: what each is called, which tables it follows, and how it is drawn from them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views import panels_of_model, panels_of_predictions, panels_of_quality, panels_of_stream
from solosolve.names import (
    DEAD_LETTERS,
    FEEDBACK,
    MODEL_EVENTS,
    MODEL_METRICS,
    PREDICTIONS,
    QUARANTINE,
    REJECTED,
    STREAM_PROGRESS,
    TEST_SCORES,
    Table,
)


@dataclass(frozen=True)
class Panel:
    """One panel.

    Attributes:
        name: Its id.
        title: Its heading.
        about: What it shows, and which filters act on it, in a line.
        tables: It is drawn anew when one of these has a new commit.
        draw: Answers and filters to what it shows.
        width: Twelfths of the page.
    """

    name: str
    title: str
    about: str
    tables: tuple[Table, ...]
    draw: Callable[[Answers, Filters], Component]
    width: int = 4


_MODEL = (MODEL_EVENTS, MODEL_METRICS, TEST_SCORES)
_BY_SEGMENT = "Test complaints of the chosen segment and version; the period does not apply."
_BY_PERIOD = "Of the chosen period and version; segments do not apply."

SECTIONS: dict[str, tuple[Panel, ...]] = {
    "The model": (
        Panel("cards", "Champion", _BY_SEGMENT, _MODEL, panels_of_model.cards, 9),
        Panel("training", "Last training", "All filters leave it as it is.", _MODEL, panels_of_model.last_training, 3),
    ),
    "The stream": (
        Panel("stream", "Streaming", _BY_PERIOD, (STREAM_PROGRESS, PREDICTIONS), panels_of_stream.figures, 5),
        Panel("batches", "Batch time", _BY_PERIOD, (STREAM_PROGRESS,), panels_of_stream.batch_times, 7),
    ),
    "Predictions": (
        Panel("time", "Predictions over time", "By the time they were scored.", (PREDICTIONS,),
              panels_of_predictions.over_time, 8),
        Panel("distribution", "Prediction distribution", "Orange is predicted not to succeed.", (PREDICTIONS,),
              panels_of_predictions.distribution, 4),
        Panel("states", "Success rate by state", "Share that is predicted to succeed.", (PREDICTIONS,),
              panels_of_predictions.by_state, 6),
        Panel("companies", "Predictions by company", "The ten with most.", (PREDICTIONS,),
              panels_of_predictions.by_company, 6),
    ),
    "How far to trust it": (
        Panel("confusion", "Confusion matrix", _BY_SEGMENT, _MODEL, panels_of_model.confusion),
        Panel("calibration", "Calibration", _BY_SEGMENT, _MODEL, panels_of_model.calibration),
        Panel("drift", "Drift per feature", "Predictions beside test complaints; dotted: moved, moved much.",
              (*_MODEL, PREDICTIONS), panels_of_predictions.drift),
        Panel("feedback", "Performance on feedback", "What reviewers said of what the model had said.", (FEEDBACK,),
              panels_of_quality.on_feedback),
    ),
    "Records": (
        Panel("timeline", "Versions", _BY_PERIOD, (MODEL_EVENTS,), panels_of_model.timeline, 12),
        Panel("ledger", "Model ledger", _BY_PERIOD, (MODEL_EVENTS,), panels_of_model.ledger, 6),
        Panel("quality", "Data quality", "Set aside in the period; segments act on rejected complaints alone.",
              (QUARANTINE, REJECTED, DEAD_LETTERS), panels_of_quality.set_aside, 6),
    ),
}  # fmt: skip

PANELS: tuple[Panel, ...] = tuple(panel for section in SECTIONS.values() for panel in section)
