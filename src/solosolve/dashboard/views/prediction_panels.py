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
from solosolve.dashboard.views.figures import (
    MAPPED_STATES,
    NOT_GIVEN,
    outcomes_by_name,
    outcomes_over_time,
    score_histogram,
    success_by_state,
    time_unit,
)
from solosolve.errors import NotYetError
from solosolve.names import PREDICTIONS, THRESHOLD


def over_time(answers: Answers, filters: Filters) -> Component:
    """Predictions per minute, hour, day or week.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    span = answers.ask(questions.prediction_span(filters)).to_pylist()[0]
    if not span["n"]:
        return no_rows("predictions", filters, PREDICTIONS)
    unit = time_unit(span["first_at"], span["last_at"])
    rows = answers.ask(questions.predictions_over_time(unit, filters)).to_pylist()
    figure = outcomes_over_time(sorted(rows, key=lambda row: row["at"]))
    return graph("time", figure, f"{counted(span['n'], 'prediction')} by {unit}")


def distribution(answers: Answers, filters: Filters) -> Component:
    """Predictions by probability: how certain the model is.

    Raises:
        NotYetError: `gold.predictions` does not exist.
    """
    rows = answers.ask(questions.score_distribution(filters)).to_pylist()
    if not rows:
        return no_rows("predictions", filters, PREDICTIONS)
    total = sum(row["n"] for row in rows)
    figure = score_histogram(rows, _threshold(answers, filters))
    return graph("distribution", figure, f"{counted(total, 'prediction')} by probability of success")


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
    mapped = {row["state"] for row in rows} & MAPPED_STATES
    figure = graph("states", success_by_state(rows), f"Predicted success in {counted(len(mapped), 'state')}", 340)
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
    return graph("companies", outcomes_by_name(rows, "company"), _top_three(rows), 340)


def _top_three(rows: list[dict[str, Any]]) -> str:
    counts = questions.totals(rows, "company")
    top = sorted(counts, key=lambda name: (-counts[name], name or NOT_GIVEN))[:3]
    return "Companies with the most predictions: " + ", ".join(f"{name or NOT_GIVEN} {counts[name]:,}" for name in top)
