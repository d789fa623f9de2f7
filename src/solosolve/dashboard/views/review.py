"""The review room: the queue of complaints that need a verdict, and the complaint under review."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import ALL, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.claims import Claims
from solosolve.dashboard.data.complaint_lookup import predictions_of
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.query_string import parameter
from solosolve.dashboard.data.review_desk import ReviewDesk, ReviewRules
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.elements import empty, loading
from solosolve.dashboard.views.queue_panel import PICK_NAMES, queue_panel
from solosolve.dashboard.views.review_keys import key_list, register_review_keys
from solosolve.dashboard.views.review_turns import ReviewState, number_of, open_complaint, queue_contents
from solosolve.dashboard.views.routes import REVIEW, room_of
from solosolve.dashboard.views.verdict_form import register_verdict_form, verdict_form
from solosolve.errors import TableError
from solosolve.landing.normalise import parse_complaint_id
from solosolve.storage.feedback import FeedbackLog

_OUTPUTS = (
    Output("queue", "children"),
    Output("review-claims", "children"),
    Output("recent-verdicts", "children"),
    Output("review-progress", "children"),
    Output("review-item", "data"),
    Output("review-queue", "data"),
)


def review_view() -> list[Component]:
    """The view without data: progress, the queue, the complaint with the verdict form, and recent verdicts."""
    stores = ("review-item", "review-queue", "review-shown", "review-done")
    return [
        html.H2("Review"),
        *(dcc.Store(id=name) for name in stores),
        html.Div(loading(), id="review-progress", className="panel review-progress"),
        html.Div(
            [
                html.Div(queue_panel(), className="panel review-queue"),
                html.Div(
                    [
                        html.Div(empty("Nothing to review."), id="review-detail"),
                        html.Div(verdict_form(), id="review-form", hidden=True),
                    ],
                    className="panel review-complaint",
                ),
            ],
            className="review",
        ),
        html.Div(
            [
                html.H3("Your recent verdicts"),
                html.P("Filters do not apply here.", className="description"),
                html.Div(id="recent-verdicts"),
            ],
            className="panel review-verdicts",
        ),
        key_list(),
    ]


def register_review(
    app: Dash,
    answers: Answers,
    explainer: Explainer,
    log: FeedbackLog,
    current_user: Callable[[], str],
    *,
    rules: ReviewRules,
) -> None:
    """Adds the callbacks of the view.

    Args:
        app: The app.
        answers: Where the queue and the complaints are read.
        explainer: Explains predictions.
        log: Where verdicts are recorded.
        current_user: Returns the user of the current request.
        rules: How complaints are chosen for review.
    """
    desk = ReviewDesk(answers, log, Claims(rules.claim_minutes), rules)
    _register_queue(app, desk, current_user)
    _register_complaint(app, answers, explainer)
    register_verdict_form(app, desk, current_user)
    register_review_keys(app)


def _register_queue(app: Dash, desk: ReviewDesk, current_user: Callable[[], str]) -> None:
    @app.callback(
        *_OUTPUTS,
        Input("url", "pathname"),
        Input("url", "search"),
        Input("review-done", "data"),
        Input("review-group", "value"),
        Input("review-hidden", "checked"),
        Input("review-next", "n_clicks"),
        Input("retry", "data"),
        Input({"type": "queue", "complaint": ALL}, "n_clicks"),
        State("review-queue", "data"),
        State("review-item", "data"),
    )
    def queue(
        path: object, search: object, done: object, group: object, is_hidden: object, _: object, __: object,
        clicks: object, picks: object, item: object,
    ) -> tuple[Any, ...]:  # fmt: skip
        cause = ctx.triggered_id
        if room_of(path) != REVIEW or (cause == "retry" and picks):
            return (no_update,) * len(_OUTPUTS)
        wanted = parse_complaint_id(parameter(search, "complaint")) if cause in (None, "url") else None
        state = ReviewState(search, group, bool(is_hidden), item, done if cause == "review-done" else None, wanted)
        if isinstance(cause, dict):
            # Dash also calls this when the buttons appear, before any click.
            if not any(clicks if isinstance(clicks, list) else []):
                return (no_update,) * len(_OUTPUTS)
            return open_complaint(desk, state, picks, cause.get("complaint"), current_user())
        if cause == "review-next":
            return open_complaint(desk, state, picks, None, current_user())
        return queue_contents(desk, state, current_user())


def _register_complaint(app: Dash, answers: Answers, explainer: Explainer) -> None:
    @app.callback(
        Output("review-detail", "children"),
        Output("review-form", "hidden"),
        Output("review-shown", "data"),
        Input("review-item", "data"),
        Input("review-hidden", "checked"),
    )
    def show(item: object, is_hidden: object) -> tuple[Any, bool, Any]:
        details, shown = complaint_under_review(answers, explainer, item, is_hidden=bool(is_hidden))
        return details, shown is None, shown


def complaint_under_review(
    answers: Answers, explainer: Explainer, item: object, *, is_hidden: bool = False
) -> tuple[Component, dict[str, Any] | None]:
    """Returns the complaint to show, and what the page then shows: the item with its newest prediction.

    The second value is None if there is no complaint, and then no verdict can be given.
    """
    complaint_id = number_of(item)
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
    facts = [f"Kept for you until {item.get('until')}", PICK_NAMES.get(str(item.get("picked_by")))]
    line = html.P(" · ".join(filter(None, facts)), className="description", id="review-kept")
    details = complaint_details(answers, explainer, complaint_id, predictions, is_hidden=is_hidden)
    return html.Div([line, details]), shown
