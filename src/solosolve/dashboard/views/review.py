"""The review queue: what needs a person now, and their verdict, which becomes a label."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data import questions
from solosolve.dashboard.data.answers import Answers, NotYetError, Question
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.review_queue import review_queue
from solosolve.dashboard.data.verdicts import (
    LONGEST_NOTE,
    REASONS,
    complaint_id_of,
    is_recorded,
    is_shown,
    item_of,
    verdict_of,
    withdraw,
)
from solosolve.dashboard.views.complaint_details import complaint_details, predictions_of
from solosolve.dashboard.views.elements import attributes, empty, instant, not_yet, table
from solosolve.dashboard.views.routes import REVIEW, view_of
from solosolve.errors import SolosolveError, TableError, UsageError, one_line
from solosolve.names import FEEDBACK
from solosolve.storage.feedback import FeedbackLog, Verdict

logger = logging.getLogger("solosolve.dashboard")

_NAMES = {Verdict.SUCCESS: "Success", Verdict.FAILURE: "Failure", Verdict.UNSURE: "Unsure"}


def review_view() -> list[Component]:
    """The view: the queue, the complaint at its head, and the verdict."""
    return [
        html.H2("Review"),
        dcc.Store(id="review-item"),
        dcc.Store(id="review-shown"),
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
        html.Div(
            [
                html.Div([html.Label("Reason", htmlFor="review-reason"),
                          dcc.Dropdown(id="review-reason", options=list(REASONS), placeholder="Why")],
                         className="control"),
                html.Div([html.Label("Note", htmlFor="review-note"),
                          dcc.Textarea(id="review-note", maxLength=LONGEST_NOTE,
                                       placeholder="What decided it (no personal data)")],
                         className="control wide"),
            ],
            className="reasons",
        ),
        html.Div(
            [
                html.Button(name, id=f"verdict-{verdict}", className=f"verdict {verdict}", n_clicks=0, type="button")
                for verdict, name in _NAMES.items()
            ],
            className="verdicts",
        ),
    ]  # fmt: skip


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
        if view_of(path) != REVIEW:
            return no_update, no_update, no_update
        cause = ctx.triggered_id
        if isinstance(cause, dict):
            number = complaint_id_of(cause.get("complaint"))
            if number is None or not any(clicks if isinstance(clicks, list) else []):
                return no_update, no_update, no_update
            return no_update, no_update, item_of(number)
        try:
            waiting = review_queue(answers, Filters.parse(search))
        except NotYetError as error:
            return not_yet(error), "", None
        except SolosolveError as error:
            return empty(str(error)), no_update, None
        if not waiting:
            return empty("Every candidate of this choice has a verdict."), _given(answers), None
        return (
            html.Ol([_waiting(row) for row in waiting], className="queue"),
            _given(answers),
            item_of(waiting[0]["complaint_id"]),
        )

    @app.callback(
        Output("review-detail", "children"),
        Output("review-form", "hidden"),
        Output("review-reason", "value"),
        Output("review-note", "value"),
        Output("review-shown", "data"),
        Input("review-item", "data"),
    )
    def show(item: object) -> tuple[Any, bool, None, str, Any]:
        number = complaint_id_of(item.get("complaint_id")) if isinstance(item, dict) else None
        if number is None:
            return empty("Nothing to review."), True, None, "", None
        try:
            found = predictions_of(answers, number)
        except TableError as error:
            return empty(str(error)), True, None, "", None
        seen = {"model_version": found[0]["model_version"], "scored_at": str(found[0]["scored_at"])} if found else {}
        shown = {**item, **seen} if isinstance(item, dict) else None
        return complaint_details(answers, explainer, number, found), False, None, "", shown

    @app.callback(
        Output("review-done", "data"),
        Output("toast", "children"),
        *(Input(f"verdict-{verdict}", "n_clicks") for verdict in _NAMES),
        Input({"type": "undo", "place": ALL, "feedback": ALL}, "n_clicks"),
        State("review-item", "data"),
        State("review-shown", "data"),
        State("review-reason", "value"),
        State("review-note", "value"),
        prevent_initial_call=True,
    )
    def decide(*given: object) -> tuple[Any, Any]:
        undone, item, shown, reason, note = given[len(_NAMES) :]
        cause = ctx.triggered_id
        try:
            if isinstance(cause, dict):
                if not any(undone if isinstance(undone, list) else []):
                    return no_update, no_update
                taken_back = withdraw(answers, log, cause.get("feedback"))
                return f"{taken_back} withdrawn", _said("Taken back.")
            verdict = Verdict(str(cause).removeprefix("verdict-"))
            if not is_shown(shown, item):
                raise UsageError("the complaint is still being fetched")
            feedback = verdict_of(answers, shown, verdict, reason, note)
            if not log.record(feedback) and not is_recorded(answers, feedback):
                # The queue moves on: somebody else has said it.
                return uuid.uuid4().hex, _said(f"Complaint {feedback.complaint_id} has a verdict already.")
        except (SolosolveError, ValueError) as error:
            logger.warning("a verdict was not taken: %s", one_line(error))
            return no_update, _said(f"Not recorded: {error}", className="worse")
        undo = _undo("toast", feedback.feedback_id, feedback.complaint_id)
        said = f"{_NAMES[verdict]} recorded for complaint {feedback.complaint_id}. "
        return feedback.feedback_id, _said([said, undo])


def _waiting(row: dict[str, Any]) -> Component:
    words = " · ".join(str(part) for part in (row["company"], row["state"], row["complaint_id"]) if part)
    return html.Li(
        html.Button(
            [
                html.Span(f"{row['probability']:.1%}", className="odds"),
                html.Span([html.Strong(row["product"] or "no product"), html.Br(), words], className="what"),
            ],
            id={"type": "queue", "complaint": row["complaint_id"]},
            n_clicks=0,
            type="button",
            **attributes(data_complaint=str(row["complaint_id"])),
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
         _undo("table", row["feedback_id"], row["complaint_id"]))
        for row in rows
    ]  # fmt: skip
    return table(("when", "complaint", "verdict", "by", "reason", "undo"), shown, "Verdicts given lately")


def _undo(place: str, feedback_id: str, complaint_id: int) -> Component:
    return html.Button(
        "Undo", id={"type": "undo", "place": place, "feedback": feedback_id}, n_clicks=0, type="button",
        className="quiet", **attributes(aria_label=f"Undo the verdict on complaint {complaint_id}"),
    )  # fmt: skip


def _said(words: Any, className: str = "") -> Component:  # noqa: N803 - Dash's name
    """A message; equal ones in a row are told apart, so that each is shown."""
    return html.P(words, className=className, **attributes(data_said=uuid.uuid4().hex))
