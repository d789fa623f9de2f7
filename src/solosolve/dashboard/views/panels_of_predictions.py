"""Panels about predictions: how many, when, of whom, where, and how they differ from what the model was tested on."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.champion import shown_version
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.questions import SCORE_BINS, TEST_BINS
from solosolve.dashboard.data.test_scores import population_stability
from solosolve.dashboard.views.elements import empty, graph, nothing
from solosolve.dashboard.views.figures import (
    MAPPED_STATES,
    NOT_GIVEN,
    drift_bars,
    outcomes_by_name,
    outcomes_over_time,
    score_histogram,
    success_by_state,
    time_unit,
)
from solosolve.dashboard.views.panels_of_model import THRESHOLD
from solosolve.names import PREDICTIONS

_NONE = "No predictions of this choice."
_COMPARED = ("product", "company", "state", "submitted_via")


def over_time(answers: Answers, filters: Filters) -> Component:
    """Predictions by minute, hour, day or week."""
    span = answers.ask(questions.prediction_span(filters)).to_pylist()[0]
    if not span["n"]:
        return nothing(_NONE, filters, PREDICTIONS)
    unit = time_unit(span["first_at"], span["last_at"])
    rows = answers.ask(questions.predictions_over_time(unit, filters)).to_pylist()
    return graph(
        "time", outcomes_over_time(sorted(rows, key=lambda row: row["at"])), f"{span['n']:,} predictions by {unit}"
    )


def distribution(answers: Answers, filters: Filters) -> Component:
    """How sure the model is."""
    rows = answers.ask(questions.score_distribution(filters)).to_pylist()
    if not rows:
        return nothing(_NONE, filters, PREDICTIONS)
    total = sum(row["n"] for row in rows)
    return graph("distribution", score_histogram(rows, THRESHOLD), f"{total:,} predictions by probability")


def by_state(answers: Answers, filters: Filters) -> Component:
    """The map, and what is on no map of the states."""
    rows = answers.ask(questions.predictions_by("state", filters)).to_pylist()
    if not rows:
        return nothing(_NONE, filters, PREDICTIONS)
    elsewhere = sum(row["n"] for row in rows if row["state"] not in MAPPED_STATES)
    said = f"predicted success in {len({row['state'] for row in rows} & MAPPED_STATES)} states"
    note = html.P(f"{elsewhere:,} more from territories, military addresses or no state.", className="note")
    return html.Div([graph("states", success_by_state(rows), said, 340), *([note] if elsewhere else [])])


def by_company(answers: Answers, filters: Filters) -> Component:
    """The companies with most predictions, by outcome."""
    rows = answers.ask(questions.predictions_by("company", filters)).to_pylist()
    if not rows:
        return nothing(_NONE, filters, PREDICTIONS)
    return graph("companies", outcomes_by_name(rows, "company"), _said(rows), 340)


def _said(rows: list[dict[str, Any]]) -> str:
    counts = questions.totals(rows, "company")
    most = sorted(counts, key=lambda name: (-counts[name], name or NOT_GIVEN))[:3]
    return "companies with most predictions: " + ", ".join(f"{name or NOT_GIVEN} {counts[name]:,}" for name in most)


def drift(answers: Answers, filters: Filters) -> Component:
    """How far predictions are from the complaints that the champion was tested on, feature by feature."""
    version = shown_version(answers, filters)
    indexes = {}
    for column in _COMPARED:
        tested = _counts(answers.ask(questions.test_scores_by(column, version, filters)).to_pylist(), "value")
        found = _counts(answers.ask(questions.predictions_by(column, filters)).to_pylist(), column)
        if tested and found:
            indexes[column] = population_stability(*_grouped(tested, found))
    scores = answers.ask(questions.test_scores(version, filters)).to_pylist()
    predicted = answers.ask(questions.score_distribution(filters)).to_pylist()
    if scores and predicted:
        width = TEST_BINS // 10
        tested = _counts([{"value": row["bin"] // width, "n": row["n"]} for row in scores], "value")
        found = _counts([{"value": row["bin"] // (SCORE_BINS // 10), "n": row["n"]} for row in predicted], "value")
        indexes["probability"] = population_stability(tested, found)
    if not indexes:
        return empty("Nothing to compare: no predictions, or no test complaints, of this choice.")
    return graph("drift", drift_bars(indexes), "population stability of " + ", ".join(indexes))


def _counts(rows: list[dict[str, object]], column: str) -> dict[str, float]:
    counts: dict[str, float] = {}
    for row in rows:
        name = str(row[column])
        counts[name] = counts.get(name, 0) + float(str(row["n"]))
    return counts


def _grouped(tested: dict[str, float], found: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Keeps the fifteen values that were most frequent in the test, as the features do; the rest is Other."""
    kept = set(sorted(tested, key=lambda name: (-tested[name], name))[:15])

    def group(counts: dict[str, float]) -> dict[str, float]:
        grouped = {name: count for name, count in counts.items() if name in kept}
        rest = sum(count for name, count in counts.items() if name not in kept)
        # Other may be a value by itself.
        return {**grouped, "Other": grouped.get("Other", 0) + rest}

    return group(tested), group(found)
