"""The verdict form of the review view, and the recent verdicts, which can be withdrawn."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers, Question
from solosolve.dashboard.data.verdicts import (
    MAX_NOTE_LENGTH,
    REASONS,
    build_feedback,
    is_recorded,
    is_showing,
    withdraw,
)
from solosolve.dashboard.views.elements import attributes, empty, instant, table
from solosolve.errors import NotYetError, SolosolveError, TableError, UsageError, one_line
from solosolve.names import FEEDBACK
from solosolve.storage.feedback import CURRENT_VERDICTS, FeedbackLog, Verdict

logger = logging.getLogger("solosolve.dashboard")

_LABELS = {Verdict.SUCCESS: "Success", Verdict.FAILURE: "Failure", Verdict.UNSURE: "Unsure"}
_RECENT = 10
_SHOWN_MS = 20_000


@dataclass(frozen=True)
class Submission:
    """A verdict as the browser sent it, not yet checked.

    Attributes:
        verdict: What the reviewer chose.
        item: The complaint under review.
        shown: What the page shows.
        reason: The reason, if any.
        note: The note, if any.
    """

    verdict: str
    item: object
    shown: object
    reason: object
    note: object


def verdict_form() -> list[Component]:
    """Reason, note and the verdict buttons."""
    reason = dcc.Dropdown(id="review-reason", options=list(REASONS), placeholder="Select a reason")
    note = dcc.Textarea(
        id="review-note", maxLength=MAX_NOTE_LENGTH, placeholder="What decided it? Do not enter personal data."
    )
    buttons = [
        html.Button(label, id=f"verdict-{verdict}", className=f"verdict {verdict}", n_clicks=0, type="button")
        for verdict, label in _LABELS.items()
    ]
    return [
        html.H4("Your verdict: will this complaint be resolved successfully?"),
        html.Div(
            [
                html.Div([html.Label("Reason", htmlFor="review-reason"), reason], className="control"),
                html.Div([html.Label("Note", htmlFor="review-note"), note], className="control wide"),
            ],
            className="reasons",
        ),
        html.Div(buttons, className="verdicts"),
    ]


def register_verdict_form(app: Dash, answers: Answers, log: FeedbackLog, current_user: Callable[[], str]) -> None:
    """Adds the callback that records and withdraws verdicts."""

    @app.callback(
        Output("review-done", "data"),
        Output("notifications", "sendNotifications"),
        *(Input(f"verdict-{verdict}", "n_clicks") for verdict in _LABELS),
        Input({"type": "undo", "place": ALL, "feedback": ALL}, "n_clicks"),
        State("review-item", "data"),
        State("review-shown", "data"),
        State("review-reason", "value"),
        State("review-note", "value"),
        prevent_initial_call=True,
    )
    def decide(*values: object) -> tuple[Any, Any]:
        undo_clicks, item, shown, reason, note = values[len(_LABELS) :]
        cause = ctx.triggered_id
        if isinstance(cause, dict):
            # Dash also calls this when an Undo button appears, before any click.
            if not any(undo_clicks if isinstance(undo_clicks, list) else []):
                return no_update, no_update
            return undo_verdict(answers, log, cause.get("feedback"), current_user())
        submission = Submission(str(cause).removeprefix("verdict-"), item, shown, reason, note)
        return record_verdict(answers, log, submission, current_user())


def record_verdict(answers: Answers, log: FeedbackLog, submission: Submission, reviewer: str) -> tuple[Any, Any]:
    """Records a submitted verdict.

    Args:
        answers: Where the prediction is read.
        log: Where the verdict is recorded.
        submission: The verdict.
        reviewer: Who submitted it.

    Returns:
        A new value that reloads the queue, or `no_update` if nothing was recorded; and the message to show.
    """
    shown = submission.shown
    try:
        verdict = next((each for each in _LABELS if each == submission.verdict), None)
        if verdict is None:
            raise UsageError(f"choose one of {', '.join(_LABELS.values())}")
        if not is_showing(shown, submission.item):
            raise UsageError("the complaint is still loading; try again")
        feedback = build_feedback(answers, shown, verdict, submission.reason, submission.note, reviewer)
        if not log.record(feedback) and not is_recorded(answers, feedback):
            # Someone else was faster, so the queue moves on.
            return uuid.uuid4().hex, _message(f"Complaint {feedback.complaint_id} already has a verdict.")
    except SolosolveError as error:
        return _refused("Verdict not recorded", error)
    undo = _undo_button("toast", feedback.feedback_id, feedback.complaint_id)
    return feedback.feedback_id, _message(
        [f"{_LABELS[verdict]} recorded for complaint {feedback.complaint_id}. ", undo]
    )


def undo_verdict(answers: Answers, log: FeedbackLog, feedback_id: object, reviewer: str) -> tuple[Any, Any]:
    """Withdraws a verdict; returns the same as `record_verdict`."""
    try:
        withdrawn = withdraw(answers, log, feedback_id, reviewer)
    except SolosolveError as error:
        return _refused("Verdict not withdrawn", error)
    return f"{withdrawn} withdrawn", _message("Verdict withdrawn.")


def _refused(what: str, error: Exception) -> tuple[Any, Any]:
    logger.warning("%s: %s", what, one_line(error))
    return no_update, _message(f"{what}: {error}", colour="orange")


def _message(content: Any, colour: str = "blue") -> list[dict[str, Any]]:
    """A notification; its own id shows the same text again."""
    return [
        {
            "action": "show",
            "id": uuid.uuid4().hex,
            "message": content,
            "color": colour,
            "autoClose": _SHOWN_MS,
        }
    ]


def recent_verdicts(answers: Answers) -> Component:
    """The newest verdicts that have not been withdrawn, each with an Undo button."""
    columns = "given_at, complaint_id, verdict, reviewer, reason, probability, feedback_id"
    sql = f"select {columns} from {CURRENT_VERDICTS} as verdicts order by given_at desc limit {_RECENT}"
    try:
        rows = answers.ask(Question(sql, (FEEDBACK,))).to_pylist()
    except NotYetError:
        rows = []
    except TableError as error:
        return empty(str(error))
    if not rows:
        return empty("No verdicts yet.")
    shown = [
        (
            instant(row["given_at"]),
            row["complaint_id"],
            row["verdict"],
            row["reviewer"],
            row["reason"],
            _undo_button("table", row["feedback_id"], row["complaint_id"]),
        )
        for row in rows
    ]
    return table(("Time", "Complaint", "Verdict", "Reviewer", "Reason", "Undo"), shown, "Recent verdicts")


def _undo_button(place: str, feedback_id: str, complaint_id: int) -> Component:
    return html.Button(
        "Undo",
        id={"type": "undo", "place": place, "feedback": feedback_id},
        n_clicks=0,
        type="button",
        **attributes(aria_label=f"Undo the verdict on complaint {complaint_id}"),
    )
