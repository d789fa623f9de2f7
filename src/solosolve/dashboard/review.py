"""The review queue: what needs a person now, and their verdict, which becomes a label."""

from __future__ import annotations

import logging
import re
import uuid
from datetime import UTC, datetime
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.adapters.feedback import Feedback, FeedbackLog, Verdict
from solosolve.dashboard import questions
from solosolve.dashboard.answers import Answers, NotYetError, Question
from solosolve.dashboard.details import complaint_details, predictions_of
from solosolve.dashboard.elements import attributes, empty, instant, table
from solosolve.dashboard.explaining import Explainer
from solosolve.dashboard.filters import Filters
from solosolve.dashboard.queue import review_queue
from solosolve.dashboard.security import who_asks
from solosolve.errors import SolosolveError, TableError, UsageError, one_line
from solosolve.names import FEEDBACK

logger = logging.getLogger("solosolve.dashboard")

REASONS = (
    "The narrative says so", "The company's answer says so", "A similar complaint ended so",
    "The narrative is unclear", "Other",
)  # fmt: skip

_LONGEST_NOTE = 2_000
_LARGEST_ID = 2**63 - 1
_SUBMISSION = re.compile(r"[0-9a-f]{32}")
_NAMES = {Verdict.SUCCESS: "Success", Verdict.FAILURE: "Failure", Verdict.UNSURE: "Unsure"}


def review_view() -> list[Component]:
    """The view: the queue, the complaint at its head, and the verdict."""
    return [
        html.H2("Review"),
        dcc.Store(id="review-item"),
        dcc.Store(id="review-done"),
        html.Div(
            [
                html.Div(
                    [html.H3("Next"), html.P("Least certain first; products with few verdicts get their turn.",
                                             className="about"), html.Div(id="queue")],
                    className="panel w4",
                ),
                html.Div(
                    [
                        html.Div(empty("Nothing to review."), id="review-detail"),
                        html.Div(_form(), id="review-form", hidden=True),
                    ],
                    className="panel w8",
                ),
                html.Div([html.H3("Given lately"), html.Div(id="given")], className="panel w12"),
            ],
            className="grid",
        ),
    ]  # fmt: skip


def _form() -> list[Component]:
    return [
        html.H4("Your verdict: will it be resolved successfully?"),
        html.Label("Reason", htmlFor="review-reason"),
        dcc.Dropdown(id="review-reason", options=list(REASONS), placeholder="Why"),
        html.Label("Note", htmlFor="review-note"),
        dcc.Textarea(id="review-note", maxLength=_LONGEST_NOTE, placeholder="What decided it (no personal data)"),
        html.Div(
            [
                html.Button(name, id=f"verdict-{verdict}", className=f"verdict {verdict}", n_clicks=0, type="button")
                for verdict, name in _NAMES.items()
            ],
            className="verdicts",
        ),
    ]


def register_review(app: Dash, answers: Answers, explainer: Explainer, log: FeedbackLog) -> None:
    """Adds the callbacks of the view."""

    @app.callback(
        Output("queue", "children"),
        Output("given", "children"),
        Output("review-item", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("review-done", "data"),
        Input({"type": "queue", "complaint": ALL}, "n_clicks"),
    )
    def queue(path: object, search: object, _: object, clicks: object) -> tuple[Any, Any, Any]:
        if path != "/review":
            return no_update, no_update, no_update
        cause = ctx.triggered_id
        if isinstance(cause, dict):
            number = _complaint_id(cause.get("complaint"))
            if number is None or not any(clicks if isinstance(clicks, list) else []):
                return no_update, no_update, no_update
            return no_update, no_update, _item(number)
        try:
            waiting = review_queue(answers, Filters.parse(search))
        except NotYetError as error:
            message, _, command = str(error).partition("; run: ")
            return empty(f"Nothing here yet: {message}.", command), "", None
        except SolosolveError as error:
            return empty(str(error)), no_update, None
        if not waiting:
            return empty("Every candidate of this choice has a verdict."), _given(answers), None
        return (
            html.Ol([_waiting(row) for row in waiting], className="queue"),
            _given(answers),
            _item(waiting[0]["complaint_id"]),
        )

    @app.callback(
        Output("review-detail", "children"),
        Output("review-form", "hidden"),
        Output("review-reason", "value"),
        Output("review-note", "value"),
        Input("review-item", "data"),
    )
    def show(item: object) -> tuple[Any, bool, None, str]:
        number = _complaint_id(item.get("complaint_id")) if isinstance(item, dict) else None
        if number is None:
            return empty("Nothing to review."), True, None, ""
        return complaint_details(answers, explainer, number), False, None, ""

    @app.callback(
        Output("review-done", "data"),
        Output("toast", "children"),
        *(Input(f"verdict-{verdict}", "n_clicks") for verdict in _NAMES),
        Input({"type": "undo", "feedback": ALL}, "n_clicks"),
        State("review-item", "data"),
        State("review-reason", "value"),
        State("review-note", "value"),
        prevent_initial_call=True,
    )
    def decide(*given: object) -> tuple[Any, Any]:
        undone, item, reason, note = given[len(_NAMES) :]
        cause = ctx.triggered_id
        try:
            if isinstance(cause, dict):
                if not any(undone if isinstance(undone, list) else []):
                    return no_update, no_update
                taken_back = withdraw(answers, log, cause.get("feedback"))
                return f"{taken_back} withdrawn", html.P("Taken back.")
            verdict = Verdict(str(cause).removeprefix("verdict-"))
            feedback = verdict_of(answers, item, verdict, reason, note)
            log.record(feedback)
        except (SolosolveError, ValueError) as error:
            logger.warning("a verdict was not taken: %s", one_line(error))
            return no_update, html.P(f"Not recorded: {error}", className="worse")
        undo = html.Button("Undo", id={"type": "undo", "feedback": feedback.feedback_id}, n_clicks=0, type="button")
        said = f"{_NAMES[verdict]} recorded for complaint {feedback.complaint_id}. "
        return feedback.feedback_id, html.P([said, undo])


def verdict_of(answers: Answers, item: object, verdict: Verdict, reason: object, note: object) -> Feedback:
    """The row that a browser's submission amounts to; what is known of the complaint is looked up, not believed.

    Raises:
        UsageError: It is not a submission, or the complaint has no prediction.
        TableError: The prediction cannot be read.
    """
    number = _complaint_id(item.get("complaint_id")) if isinstance(item, dict) else None
    submission = item.get("submission") if isinstance(item, dict) else None
    if number is None or not isinstance(submission, str) or not _SUBMISSION.fullmatch(submission):
        raise UsageError("choose a complaint first")
    if reason is not None and reason not in REASONS:
        raise UsageError("choose a reason of the list")
    if note is not None and (not isinstance(note, str) or len(note) > _LONGEST_NOTE):
        raise UsageError(f"a note has at most {_LONGEST_NOTE:,} characters")
    words = [text for text in (reason, note and note.strip()) if text]
    if not words:
        raise UsageError("give a reason, or a note")
    found = predictions_of(answers, number)
    if not found:
        raise UsageError(f"complaint {number} has no prediction")
    seen = found[0]
    return Feedback(
        feedback_id=submission,
        complaint_id=number,
        verdict=verdict,
        reviewer=who_asks(),
        reason=": ".join(str(word) for word in words),
        given_at=datetime.now(UTC),
        model_version=seen["model_version"],
        probability=seen["probability"],
        company=seen["company"],
        state=seen["state"],
        product=seen["product"],
    )


def withdraw(answers: Answers, log: FeedbackLog, submission: object) -> str:
    """Takes a verdict back, by a row of its own.

    Raises:
        UsageError: There is no such verdict.
        TableError: The table cannot be read or written.
    """
    if not isinstance(submission, str) or not _SUBMISSION.fullmatch(submission):
        raise UsageError("not a verdict")
    sql = f"select * from {FEEDBACK} where feedback_id = :feedback_id and verdict <> 'withdrawn'"
    found = answers.reader.query(sql, {"feedback_id": submission}).to_pylist()
    if not found:
        raise UsageError("there is no such verdict")
    given = found[0]
    taken = Feedback(
        feedback_id=submission,
        complaint_id=given["complaint_id"],
        verdict=Verdict.WITHDRAWN,
        reviewer=who_asks(),
        reason=None,
        given_at=datetime.now(UTC),
        **{name: given[name] for name in ("model_version", "probability", "company", "state", "product")},
    )
    log.record(taken)
    return submission


def _item(complaint_id: int) -> dict[str, object]:
    """What is being reviewed, and the id of the submission to come: sent twice, it is one row."""
    return {"complaint_id": complaint_id, "submission": uuid.uuid4().hex}


def _complaint_id(value: object) -> int | None:
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST_ID
    return value if is_number and isinstance(value, int) else None


def _waiting(row: dict[str, Any]) -> Component:
    words = " · ".join(str(part) for part in (row["company"], row["state"]) if part)
    return html.Li(
        html.Button(
            [
                html.Span(f"{row['probability']:.0%}", className="odds"),
                html.Span([html.Strong(row["product"] or "no product"), html.Br(), words], className="what"),
            ],
            id={"type": "queue", "complaint": row["complaint_id"]},
            n_clicks=0,
            type="button",
        )
    )


def _given(answers: Answers) -> Component:
    columns = "given_at, complaint_id, verdict, reviewer, reason, probability, feedback_id"
    sql = f"select {columns} from {questions.CURRENT_VERDICTS} as verdicts order by given_at desc limit 10"
    try:
        rows = answers.ask(Question(sql, (FEEDBACK,))).to_pylist()
    except NotYetError:
        rows = []
    except TableError as error:
        return empty(str(error))
    if not rows:
        return empty("No verdicts yet.")
    shown = [
        (instant(row["given_at"]), row["complaint_id"], row["verdict"], row["reviewer"], row["reason"],
         html.Button("Undo", id={"type": "undo", "feedback": row["feedback_id"]}, n_clicks=0, type="button",
                     className="quiet", **attributes(aria_label=f"Undo verdict on {row['complaint_id']}")))
        for row in rows
    ]  # fmt: skip
    return table(("when", "complaint", "verdict", "by", "reason", ""), shown, "Verdicts given lately")
