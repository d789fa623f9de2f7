"""One complaint in full: its text, its facts, what moved its newest prediction, and where that comes from."""

from __future__ import annotations

from typing import Any

from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import filed_complaint, outcome_of, verdicts_on
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.views.effects import effect_table, marked, shown_effects
from solosolve.dashboard.views.elements import empty, instant, table
from solosolve.errors import SolosolveError, TableError
from solosolve.names import MADE_BY, NARRATIVE, PREDICTIONS
from solosolve.storage.passport import Passport, passport_of


def complaint_details(
    answers: Answers,
    explainer: Explainer,
    complaint_id: int,
    predictions: list[dict[str, Any]],
    *,
    is_alone: bool = False,
    is_hidden: bool = False,
) -> Component:
    """Shows a complaint.

    Args:
        answers: Where the complaint is read.
        explainer: Explains the newest prediction.
        complaint_id: The complaint.
        predictions: Its predictions, newest first.
        is_alone: Whether to show also what a reviewer should not see: the outcome, and others' verdicts.
        is_hidden: Whether to leave out what the model says, so that it does not sway a reviewer.
    """
    try:
        complaint = filed_complaint(answers, complaint_id)
        known_later = _known_later(answers, complaint_id) if is_alone else []
    except TableError as error:
        return empty(str(error))
    if not predictions:
        return empty(f"Complaint {complaint_id} has no predictions yet.", MADE_BY[PREDICTIONS])
    filed = {name: value for name, value in (complaint or {}).items() if name != NARRATIVE}
    if is_hidden:
        hidden = html.P("What the model says is hidden until you give your verdict.", className="lead")
        text = html.Div([html.H4("Text"), _narrative(complaint, [])])
        facts = html.Div([html.H4("As filed"), _facts(filed)])
        return html.Div([html.H3(f"Complaint {complaint_id}"), hidden, html.Div([text, facts], className="complaint")])
    passport, problem = _passport_of(answers, explainer, complaint_id)
    effects = shown_effects(passport.explanation) if passport and passport.explanation else []
    read = [
        html.H4("Text"), _narrative(complaint, effects), html.H4("What moved the prediction"),
        _effects(passport, problem), html.H4("Predictions"), _predictions(predictions, complaint_id),
    ]  # fmt: skip
    known = [html.H4("As filed"), _facts(filed), *known_later, html.H4("Passport"), _passport(passport, problem)]
    return html.Div(
        [
            html.H3(f"Complaint {complaint_id}"),
            _verdict_of_the_model(predictions[0]),
            html.Div([html.Div(read), html.Div(known)], className="complaint"),
        ]
    )


def _verdict_of_the_model(newest: dict[str, Any]) -> Component:
    shown = html.Strong(f"{newest['probability']:.0%}")
    version = newest["model_version"]
    return html.P([shown, f" predicted probability of success (model version {version})"], className="lead")


def _narrative(complaint: dict[str, Any] | None, effects: list[Any]) -> Component:
    if complaint is None:
        return empty("The text of this complaint is in no table. Its prediction is stored, but its text is not.")
    text = complaint[NARRATIVE]
    return html.Blockquote(marked(text, effects) if text else "No narrative.", tabIndex="0", className="narrative")


def _facts(values: dict[str, Any]) -> Component:
    shown = [(name, value) for name, value in values.items() if value]
    if not shown:
        return empty("Nothing is known.")
    parts = [part for name, value in shown for part in (html.Dt(name.replace("_", " ")), html.Dd(str(value)))]
    return html.Dl(parts, className="facts")


def _known_later(answers: Answers, complaint_id: int) -> list[Component]:
    """The outcome that the Bureau published, and the verdicts that reviewers gave."""
    outcome = {name: value for name, value in outcome_of(answers, complaint_id).items() if value}
    shown: list[Component] = [html.H4("Published outcome"), _facts(outcome) if outcome else empty("None yet.")]
    verdicts = verdicts_on(answers, complaint_id)
    rows = [(instant(row["given_at"]), row["verdict"], row["reviewer"], row["reason"] or "") for row in verdicts]
    headings = ("Given", "Verdict", "Reviewer", "Reason")
    shown += [html.H4("Verdicts"), table(headings, rows, "Verdicts") if rows else empty("No verdicts yet.")]
    return shown


def _predictions(predictions: list[dict[str, Any]], complaint_id: int) -> Component:
    rows = [
        (instant(row["scored_at"]), str(row["model_version"]), f"{row['probability']:.3f}", row["source"])
        for row in predictions
    ]
    return table(("Scored", "Version", "Probability", "Source"), rows, f"Predictions of complaint {complaint_id}")


def _passport_of(answers: Answers, explainer: Explainer, complaint_id: int) -> tuple[Passport | None, str]:
    """Where the newest prediction comes from and what moved it, or why that cannot be said."""
    try:
        return passport_of(answers.reader, explainer, complaint_id), ""
    except SolosolveError as error:
        return None, str(error)


def _effects(passport: Passport | None, problem: str) -> Component:
    if passport is None:
        return empty(problem)
    if passport.explanation is None:
        return empty("A prediction cannot be explained without the complaint's text.")
    return effect_table(passport.explanation)


def _passport(passport: Passport | None, problem: str) -> Component:
    """Where the newest prediction comes from, and whether the model gives it again."""
    if passport is None:
        return empty(problem)
    shown = [*passport.facts[1:]]
    if passport.explanation is not None:
        explanation = passport.explanation
        total = f"{explanation.base:+.3f}, in all {explanation.log_odds:+.3f} log-odds"
        shown.append(("average + contributions", total))
    shown.append(("scored again", passport.scored_again))
    parts = [part for name, value in shown for part in (html.Dt(name), html.Dd(value))]
    return html.Dl(parts, className="facts")
