"""What moved a prediction, as a table of percentage points and as marks in the complaint's text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.views.elements import attributes, empty
from solosolve.model.effects import Effect, logistic, percentage_points
from solosolve.storage.model_explainer import Explanation

_SHOWN = 12
_SMALLEST_POINTS = 0.05
_WORD = re.compile("[A-Za-z']+")
"""What the features read as a word."""


def shown_effects(explanation: Explanation) -> list[tuple[Effect, float]]:
    """Returns the largest effects that are not zero when written down, with their points of probability."""
    moved = percentage_points(explanation.effects, explanation.log_odds)
    return [(effect, points) for effect, points in moved if abs(points) >= _SMALLEST_POINTS][:_SHOWN]


def effect_table(explanation: Explanation) -> Component:
    """Shows the largest effects with bars."""
    effects = shown_effects(explanation)
    if not effects:
        return empty("No feature moved this prediction.")
    largest = max(abs(points) for _, points in effects)
    rows = [
        html.Tr(
            [
                html.Th(effect.name, scope="row"),
                html.Td(html.Div(className=f"bar {_direction(points)}", style=_length(points, largest))),
                html.Td(_written(points), className="number"),
            ]
        )
        for effect, points in effects
    ]
    explained = (
        f"The average complaint has a probability of {logistic(explanation.base):.0%}. Percentage points: without this "
        "word or fact, the probability would be so much lower (+) or higher (−)."
    )
    return html.Div(
        [
            html.P(explained, className="description"),
            html.Table(
                [
                    html.Caption("What moved the prediction", className="visually-hidden"),
                    html.Thead(
                        html.Tr([html.Th("What", scope="col"), html.Td(), html.Th("Points", scope="col")]),
                        className="visually-hidden",
                    ),
                    html.Tbody(rows),
                ],
                className="effects",
            ),
        ]
    )


def marked(text: str, effects: Sequence[tuple[Effect, float]]) -> list[str | Component]:
    """Returns a text as children of a component: the words among the effects are marked, and markup stays text."""
    points_of = {effect.word: points for effect, points in effects if effect.word}
    parts: list[str | Component] = []
    end = 0
    for found in _WORD.finditer(text):
        points = points_of.get(found[0].lower())
        if points is not None:
            title = f"{_written(points)} percentage points"
            mark = html.Mark(found[0], className=_direction(points), title=title, **attributes(data_points=title))
            parts += [text[end : found.start()], mark]
            end = found.end()
    return [*parts, text[end:]]


def _direction(points: float) -> str:
    return "raises" if points > 0 else "lowers"


def _written(points: float) -> str:
    return f"{points:+.1f}".replace("-", "−")


def _length(points: float, largest: float) -> dict[str, str]:
    return {"width": f"{100 * abs(points) / largest:.0f}%"}
