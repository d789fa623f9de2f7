"""One complaint in full: its text, its predictions, and the features that moved the newest one."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import filed_complaint, predictions_of
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.views.elements import empty, graph, instant, table
from solosolve.dashboard.views.figures import effect_bars
from solosolve.errors import SolosolveError, TableError
from solosolve.names import FILED_COLUMNS, MADE_BY, NARRATIVE, PREDICTIONS
from solosolve.storage.passport import passport_of

_SHOWN_EFFECTS = 10


def complaint_details(
    answers: Answers, explainer: Explainer, complaint_id: int, predictions: list[dict[str, Any]] | None = None
) -> Component:
    """Shows a complaint.

    Args:
        answers: Where the complaint is read.
        explainer: Explains the newest prediction.
        complaint_id: The complaint.
        predictions: Its predictions, newest first; None to read them.
    """
    try:
        predictions = predictions_of(answers, complaint_id) if predictions is None else predictions
        complaint = filed_complaint(answers, complaint_id)
    except TableError as error:
        return empty(str(error))
    if not predictions:
        return empty(f"Complaint {complaint_id} has no predictions yet.", MADE_BY[PREDICTIONS])
    newest = predictions[0]
    rows = [
        (instant(row["scored_at"]), row["model_version"], f"{row['probability']:.3f}", row["source"])
        for row in predictions
    ]
    return html.Div(
        [
            html.H3(f"Complaint {complaint_id}"),
            html.P(
                [
                    html.Strong(f"{newest['probability']:.0%}"),
                    f" predicted probability of success (model version {newest['model_version']})",
                ],
                className="lead",
            ),
            *_filed(complaint),
            html.H4("What moved the prediction"),
            _effects(explainer, complaint, newest),
            html.H4("Predictions"),
            table(("Scored", "Version", "Probability", "Source"), rows, f"Predictions of complaint {complaint_id}"),
            html.H4("Passport"),
            _passport(answers, explainer, complaint_id),
        ]
    )


def _passport(answers: Answers, explainer: Explainer, complaint_id: int) -> Component:
    """Where the newest prediction comes from, and whether the model gives it again."""
    try:
        passport = passport_of(answers.reader, explainer, complaint_id)
    except SolosolveError as error:
        return empty(str(error))
    shown = [*passport.facts[1:]]
    if passport.explanation is not None:
        shown.append(
            ("average + contributions", f"{passport.explanation.base:+.3f}, in all {passport.sum:+.3f} log-odds")
        )
    shown.append(("scored again", passport.scored_again))
    parts = [part for name, value in shown for part in (html.Dt(name), html.Dd(value))]
    return html.Dl(parts, className="facts")


def _filed(complaint: dict[str, Any] | None) -> list[Component]:
    if complaint is None:
        return [empty("This complaint came through Kafka. Its prediction is stored, but its text is not.")]
    shown = [name for name in FILED_COLUMNS if name != NARRATIVE and complaint[name]]
    facts = [part for name in shown for part in (html.Dt(name.replace("_", " ")), html.Dd(str(complaint[name])))]
    # As plain text: a narrative may contain markup.
    narrative = html.Blockquote(complaint[NARRATIVE] or "No narrative.", tabIndex="0", className="narrative")
    return [html.Dl(facts, className="facts"), narrative]


def _effects(explainer: Explainer, complaint: dict[str, Any] | None, prediction: dict[str, Any]) -> Component:
    if complaint is None:
        return empty("A prediction cannot be explained without the complaint's text.")
    try:
        effects = explainer.explain(complaint, prediction["model_version"])
    except SolosolveError as error:
        return empty(str(error))
    moving = [(name, effect) for name, effect in effects if effect]
    if not moving:
        return empty("No feature moved this prediction.")
    return graph("effects", effect_bars(moving[:_SHOWN_EFFECTS]), 280)
