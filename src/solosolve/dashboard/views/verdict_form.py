"""The verdict form of the review room: reason, note, the verdict buttons, and what they record."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, ctx, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json
from solosolve.dashboard.data.review_desk import ReviewDesk
from solosolve.dashboard.data.verdicts import (
    MAX_NOTE_LENGTH,
    REASONS,
    build_feedback,
    is_recorded,
    is_showing,
    withdraw,
)
from solosolve.dashboard.views.elements import attributes
from solosolve.dashboard.views.recent_verdicts import undo_button_of_message
from solosolve.errors import SolosolveError, UsageError, one_line
from solosolve.names import PICKED_SECOND, SECOND_READING
from solosolve.storage.feedback import Feedback, Verdict

logger = logging.getLogger("solosolve.dashboard")

_LABELS = {Verdict.SUCCESS: "Success", Verdict.FAILURE: "Failure", Verdict.UNSURE: "Unsure"}
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
        is_hidden: Whether the page hides the probability.
    """

    verdict: str
    item: object
    shown: object
    reason: object
    note: object
    is_hidden: object = False


def verdict_form() -> list[Component]:
    """Reason, note and the verdict buttons, each with its key."""
    chips = [
        dmc.Chip(
            html.Span([html.Kbd(str(number)), reason]),
            value=reason,
            size="sm",
            variant="outline",
            className="reason",
        )
        for number, reason in enumerate(REASONS, start=1)
    ]
    buttons = [
        html.Button(
            [label, html.Kbd(label[0])],
            id=f"verdict-{verdict}", className=f"verdict {verdict}", n_clicks=0, type="button",
        )
        for verdict, label in _LABELS.items()
    ]  # fmt: skip
    return [
        html.H4("Your verdict: will this complaint be resolved successfully?"),
        html.P("A verdict needs a reason or a note.", className="description"),
        html.Div(
            dmc.ChipGroup(chips, id="review-reason", multiple=False, deselectable=True, value=None),
            className="reasons",
            role="radiogroup",
            **attributes(aria_label="Reason"),
        ),
        dmc.Textarea(
            id="review-note", label="Note", placeholder="What decided it? Do not enter personal data.", autosize=True,
            minRows=1, maxRows=5, value="", attributes={"input": {"maxLength": MAX_NOTE_LENGTH}},
        ),
        html.Div(
            [
                *buttons,
                html.Button(["Next", html.Kbd("N")], id="review-next", className="quiet", n_clicks=0, type="button"),
                html.Button(["Keys", html.Kbd("?")], id="review-keys", className="quiet", n_clicks=0, type="button"),
            ],
            className="verdicts",
        ),
    ]  # fmt: skip


def register_verdict_form(app: Dash, desk: ReviewDesk, current_user: Callable[[], str]) -> None:
    """Adds the callback that records and withdraws verdicts."""

    @app.callback(
        Output("review-done", "data"),
        Output("notifications", "sendNotifications"),
        *(Input(f"verdict-{verdict}", "n_clicks") for verdict in _LABELS),
        Input({"type": "undo", "feedback": ALL}, "n_clicks"),
        State("review-item", "data"),
        State("review-shown", "data"),
        State("review-reason", "value"),
        State("review-note", "value"),
        State("review-hidden", "checked"),
        prevent_initial_call=True,
    )
    def decide(*values: object) -> tuple[Any, Any]:
        undo_clicks, *sent = values[len(_LABELS) :]
        cause = ctx.triggered_id
        if isinstance(cause, dict):
            # Dash also calls this when an Undo button appears, before any click.
            if not any(undo_clicks if isinstance(undo_clicks, list) else []):
                return no_update, no_update
            return undo_verdict(desk, cause.get("feedback"), current_user())
        return record_verdict(desk, Submission(str(cause).removeprefix("verdict-"), *sent), current_user())


def record_verdict(desk: ReviewDesk, submission: Submission, reviewer: str) -> tuple[Any, Any]:
    """Records a submitted verdict.

    Args:
        desk: Where the prediction is read and the verdict recorded.
        submission: The verdict.
        reviewer: Who submitted it.

    Returns:
        What has happened, which redraws the queue: `what` ("recorded" or "refused", because another verdict came
        first), `complaint_id` and an id; `no_update` if nothing has. And the message to show.
    """
    shown = submission.shown
    try:
        verdict = next((each for each in _LABELS if each == submission.verdict), None)
        if verdict is None:
            raise UsageError(f"choose one of {', '.join(_LABELS.values())}")
        if not is_showing(shown, submission.item):
            raise UsageError("the complaint is still loading; try again")
        _check_claim(desk, complaint_id_from_json(shown.get("complaint_id")), reviewer)
        feedback = build_feedback(desk.answers, shown, verdict, submission.reason, submission.note, reviewer)
        if not desk.log.record(feedback) and not is_recorded(desk.answers, feedback):
            # Another dashboard process does not know of the claim.
            text = (
                f"Complaint {feedback.complaint_id} already has a verdict. Yours is not recorded; your note stays here."
            )
            return _done("refused", feedback), _message(text, "orange")
    except SolosolveError as error:
        return _refused("Verdict not recorded", error)
    desk.claims.release(feedback.complaint_id, reviewer)
    is_told = submission.is_hidden and feedback.probability is not None
    said = f" The model said {feedback.probability:.0%}." if is_told else ""
    what = f"{_LABELS[verdict]} recorded for complaint {feedback.complaint_id}."
    undo = undo_button_of_message(feedback.feedback_id, feedback.complaint_id)
    return _done("recorded", feedback), _message([f"{what}{said} ", undo], name=feedback.feedback_id)


def undo_verdict(desk: ReviewDesk, feedback_id: object, reviewer: str) -> tuple[Any, Any]:
    """Withdraws a verdict.

    Returns:
        The same as `record_verdict`, with "withdrawn" and how the complaint was picked, so that it can be judged again.
    """
    try:
        withdrawal = withdraw(desk.answers, desk.log, feedback_id, reviewer)
    except SolosolveError as error:
        return _refused("Verdict not withdrawn", error)
    return _done("withdrawn", withdrawal), _message(f"Verdict on complaint {withdrawal.complaint_id} withdrawn.")


def _check_claim(desk: ReviewDesk, complaint_id: int | None, reviewer: str) -> None:
    """Refuses a verdict on a complaint that has gone to someone else, because its claim had expired.

    Raises:
        UsageError: Another reviewer is reading it.
    """
    claim = desk.claims.of_others(reviewer).get(complaint_id or 0)
    if claim is not None:
        raise UsageError(
            f"your {desk.rules.claim_minutes:g} minutes for complaint {complaint_id} are over, and {claim.reviewer} is "
            "reading it now; your note stays here"
        )


def _done(what: str, feedback: Feedback) -> dict[str, Any]:
    """What has happened, with a new id, so that the same event twice redraws the queue twice."""
    picked_by = PICKED_SECOND if feedback.source == SECOND_READING else feedback.picked_by
    return {
        "what": what,
        "complaint_id": feedback.complaint_id,
        "feedback_id": feedback.feedback_id,
        "pick": {"picked_by": picked_by, "pick_probability": feedback.pick_probability},
        "event": uuid.uuid4().hex,
    }


def _refused(what: str, error: Exception) -> tuple[Any, Any]:
    logger.warning("%s: %s", what, one_line(error))
    return no_update, _message(f"{what}: {error}", colour="orange")


def _message(content: Any, colour: str = "blue", name: str = "") -> list[dict[str, Any]]:
    """A notification; one with a name is shown once while it is on the page, one without as often as it comes."""
    return [
        {
            "action": "show",
            "id": name or uuid.uuid4().hex,
            "message": content,
            "color": colour,
            "autoClose": _SHOWN_MS,
            "closeButtonProps": attributes(aria_label="Close"),
        }
    ]
