"""Panels on predictions: how many, when, where, and for which companies."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import selected_version, threshold_of
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import counted, graph, no_rows
from solosolve.dashboard.views.figures import outcomes_by_name, score_histogram
from solosolve.dashboard.views.tile_map import MAPPED_STATES, success_by_state
from solosolve.dashboard.views.time_figures import Series, outcomes_over_time, time_unit
from solosolve.errors import NotYetError
from solosolve.names import PREDICTIONS, THRESHOLD


def over_time(answers: Answers, filters: Filters) -> Component:
    """Arrivals and backfill over time, each in bars that suit its own span.

    What a stream scores trickles in, and a batch scores everything else within minutes: on one scale, nobody would see
    the arrivals.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    spans = answers.ask(questions.prediction_spans(filters)).to_pylist()
    if not spans:
        return no_rows("predictions", filters, PREDICTIONS)
    series = [_series(answers, filters, span) for span in sorted(spans, key=lambda span: not span["is_arrival"])]
    return graph("time", outcomes_over_time(series), 260 if len(series) == 1 else 360)


def _series(answers: Answers, filters: Filters, span: dict[str, Any]) -> Series:
    unit = time_unit(span["first_at"], span["last_at"])
    question = questions.predictions_over_time(unit, filters, is_arrival=span["is_arrival"])
    rows = sorted(answers.ask(question).to_pylist(), key=lambda row: row["at"])
    return Series("arrivals" if span["is_arrival"] else "backfill", unit, rows)


def distribution(answers: Answers, filters: Filters) -> Component:
    """Predictions by probability: how certain the model is.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    rows = answers.ask(questions.score_distribution(filters)).to_pylist()
    if not rows:
        return no_rows("predictions", filters, PREDICTIONS)
    return graph("distribution", score_histogram(rows, _threshold(answers, filters)))


def _threshold(answers: Answers, filters: Filters) -> float:
    """That of the version in the filters or else of the champion."""
    try:
        return threshold_of(answers, selected_version(answers, filters))
    except NotYetError:
        return THRESHOLD


def by_state(answers: Answers, filters: Filters) -> Component:
    """The map, and how many predictions it cannot show.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    rows = answers.ask(questions.predictions_by("state", filters)).to_pylist()
    if not rows:
        return no_rows("predictions", filters, PREDICTIONS)
    figure = graph("states", success_by_state(rows), 340)
    unmapped_count = sum(row["n"] for row in rows if row["state"] not in MAPPED_STATES)
    if not unmapped_count:
        return html.Div([figure])
    note = f"Not on the map: {counted(unmapped_count, 'prediction')} for territories, military addresses or no state."
    return html.Div([figure, html.P(note, className="note")])


def by_company(answers: Answers, filters: Filters) -> Component:
    """The companies with the most predictions, by outcome.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    rows = answers.ask(questions.predictions_by("company", filters)).to_pylist()
    if not rows:
        return no_rows("predictions", filters, PREDICTIONS)
    return graph("companies", outcomes_by_name(rows, "company"), 340)
