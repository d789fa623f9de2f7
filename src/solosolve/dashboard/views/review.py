"""The review view: the queue of complaints that need a verdict, and the complaint under review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json, predictions_of
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.review_queue import review_queue
from solosolve.dashboard.data.verdicts import new_review_item
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.elements import attributes, empty, not_yet
from solosolve.dashboard.views.routes import REVIEW, room_of
from solosolve.dashboard.views.verdict_form import recent_verdicts, register_verdict_form, verdict_form
from solosolve.errors import NotYetError, SolosolveError, TableError
from solosolve.storage.feedback import FeedbackLog

_PICK = ("picked_by", "pick_probability")


def review_view() -> list[Component]:
    """The view without data: the queue, the complaint under review with the verdict form, and recent verdicts."""
    return [
        html.H2("Review"),
        dcc.Store(id="review-item"),
        dcc.Store(id="review-picks"),
        dcc.Store(id="review-shown"),
        dcc.Store(id="review-done"),
        html.Div(
            [
                html.Div(
                    [
                        html.H3("Up next"),
                        html.P(
                            "Least certain predictions first, balanced across products, and some picked at random.",
                            className="description",
                        ),
                        html.Div(id="queue"),
                    ],
                    className="panel w4",
                ),
                html.Div(
                    [
                        html.Div(empty("Nothing to review."), id="review-detail"),
                        html.Div(verdict_form(), id="review-form", hidden=True),
                    ],
                    className="panel w8",
                ),
                html.Div([html.H3("Recent verdicts"), html.Div(id="recent-verdicts")], className="panel w12"),
            ],
            className="grid",
        ),
    ]


def register_review(
    app: Dash,
    answers: Answers,
    explainer: Explainer,
    log: FeedbackLog,
    current_user: Callable[[], str],
    *,
    audit_share: float,
) -> None:
    """Adds the callbacks of the view.

    Args:
        app: The app.
        answers: Where the queue and the complaints are read.
        explainer: Explains predictions.
        log: Where verdicts are recorded.
        current_user: Returns the user of the current request.
        audit_share: Share of the queue that is picked at random.
    """
    _register_queue(app, answers, audit_share)
    _register_complaint(app, answers, explainer)
    register_verdict_form(app, answers, log, current_user)


def _register_queue(app: Dash, answers: Answers, audit_share: float) -> None:
    @app.callback(
        Output("queue", "children"),
        Output("recent-verdicts", "children"),
        Output("review-item", "data"),
        Output("review-picks", "data"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("review-done", "data"),
        Input({"type": "queue", "complaint": ALL}, "n_clicks"),
        State("review-picks", "data"),
    )
    def queue(path: object, search: object, _: object, clicks: object, picks: object) -> tuple[Any, Any, Any, Any]:
        if room_of(path) != REVIEW:
            return no_update, no_update, no_update, no_update
        cause = ctx.triggered_id
        if not isinstance(cause, dict):
            return queue_contents(answers, search, audit_share)
        complaint_id = complaint_id_from_json(cause.get("complaint"))
        # Dash also calls this when the buttons appear, before any click.
        if complaint_id is None or not any(clicks if isinstance(clicks, list) else []):
            return no_update, no_update, no_update, no_update
        pick = picks.get(str(complaint_id)) if isinstance(picks, dict) else None
        return no_update, no_update, new_review_item(complaint_id, pick), no_update


def _register_complaint(app: Dash, answers: Answers, explainer: Explainer) -> None:
    @app.callback(
        Output("review-detail", "children"),
        Output("review-form", "hidden"),
        Output("review-reason", "value"),
        Output("review-note", "value"),
        Output("review-shown", "data"),
        Input("review-item", "data"),
    )
    def show(item: object) -> tuple[Any, bool, None, str, Any]:
        details, shown = complaint_under_review(answers, explainer, item)
        return details, shown is None, None, "", shown


def queue_contents(answers: Answers, search: object, audit_share: float) -> tuple[Any, Any, Any, Any]:
    """Returns the queue, the recent verdicts, the first complaint to review, and how each complaint was picked.

    Args:
        answers: Where they are read.
        search: The query string of the address.
        audit_share: Share of the queue that is picked at random.
    """
    try:
        filters = Filters.parse(search)
        waiting = review_queue(answers, filters, audit_share)
    except NotYetError as error:
        return not_yet(error), "", None, None
    except SolosolveError as error:
        return empty(str(error)), no_update, None, None
    if not waiting:
        is_filtered = filters != Filters()
        message = "No complaints to review match these filters." if is_filtered else "No complaints left to review."
        return empty(message), recent_verdicts(answers), None, None
    entries = html.Ol([_queue_entry(row) for row in waiting], className="queue")
    picks = {str(row["complaint_id"]): {name: row[name] for name in _PICK} for row in waiting}
    first = new_review_item(waiting[0]["complaint_id"], waiting[0])
    return entries, recent_verdicts(answers), first, picks


def complaint_under_review(
    answers: Answers, explainer: Explainer, item: object
) -> tuple[Component, dict[str, Any] | None]:
    """Returns the complaint to show, and what the page then shows: the item with its newest prediction.

    The second value is None if there is no complaint, and then no verdict can be given.
    """
    complaint_id = complaint_id_from_json(item.get("complaint_id")) if isinstance(item, dict) else None
    if not isinstance(item, dict) or complaint_id is None:
        return empty("Nothing to review."), None
    try:
        predictions = predictions_of(answers, complaint_id)
    except TableError as error:
        return empty(str(error)), None
    shown = dict(item)
    if predictions:
        newest = predictions[0]
        shown |= {"model_version": newest["model_version"], "scored_at": str(newest["scored_at"])}
    return complaint_details(answers, explainer, complaint_id, predictions), shown


def _queue_entry(row: dict[str, Any]) -> Component:
    details = " · ".join(str(part) for part in (row["company"], row["state"], row["complaint_id"]) if part)
    return html.Li(
        html.Button(
            [
                html.Span(f"{row['probability']:.1%}", className="probability"),
                html.Span([html.Strong(row["product"] or "no product"), html.Br(), details], className="complaint"),
            ],
            id={"type": "queue", "complaint": row["complaint_id"]},
            n_clicks=0,
            type="button",
            **attributes(data_complaint=str(row["complaint_id"])),
        )
    )
