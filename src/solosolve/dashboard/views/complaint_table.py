"""The Complaints room: a search, a table that is paged on the server, and the page of one complaint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_conditions import words_searched_since
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.found_predictions import (
    MAX_ROWS,
    Shown,
    columns_of,
    count_newer,
    on_a_page,
    page_count,
    read_page,
    show,
)
from solosolve.dashboard.data.search import Search, merged
from solosolve.dashboard.views.complaint_page import complaint_page, is_complaint_page
from solosolve.dashboard.views.elements import counted, empty, loading, not_yet
from solosolve.dashboard.views.predictions_table import predictions_table
from solosolve.dashboard.views.routes import COMPLAINTS, room_of
from solosolve.dashboard.views.search_form import register_search_form, search_form
from solosolve.errors import NotYetError, SolosolveError

_EXPORT = "/export.csv"
_ADDRESS = "address"


def complaints_view() -> list[Component]:
    """The room without data: the search with its table, and the page of a complaint."""
    return [
        html.H2("Complaints"),
        dcc.Store(id="table-shown"),
        dcc.Store(id="table-ids"),
        html.Div(
            [
                search_form(),
                html.Div(
                    [
                        html.Span(id="result-count", role="status"),
                        dmc.Button(id="show-new", n_clicks=0, size="compact-sm", style={"display": "none"}),
                        html.A(
                            "Export CSV",
                            id="export",
                            href=_EXPORT,
                            className="button",
                            download="predictions.csv",
                            title="What the search finds now, newer predictions included",
                        ),
                    ],
                    className="results",
                ),
                html.Div(loading(), id="table", className="panel"),
                dmc.Pagination(id="pages", total=1, value=1, withControls=False, hideWithOnePage=True, boundaries=1),
            ],
            id="complaint-list",
        ),
        html.Div(id="complaint-page", hidden=True, tabIndex="-1"),
    ]


def register_complaints(app: Dash, answers: Answers, explainer: Explainer) -> None:
    """Adds the callbacks of the room."""
    register_search_form(app, answers)
    _register_table(app, answers)
    _register_new_rows(app, answers)
    _register_page(app, answers, explainer)


def _register_table(app: Dash, answers: Answers) -> None:
    @app.callback(
        Output("table", "children"),
        Output("result-count", "children"),
        Output("export", "href"),
        Output("pages", "total"),
        Output("pages", "value"),
        Output("table-ids", "data"),
        Output("table-shown", "data"),
        Output("url", "search", allow_duplicate=True),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("show-new", "n_clicks"),
        Input("retry", "data"),
        State("table-shown", "data"),
        prevent_initial_call="initial_duplicate",
    )
    def table(path: object, search: object, _: object, __: object, shown: object) -> list[Any]:
        if room_of(path) != COMPLAINTS or is_complaint_page(path):
            return [no_update] * 8
        if ctx.triggered_id == "show-new":
            first = merged(search, {})
            return [*search_results(answers, first, None), first]
        return [no_update] * 8 if is_shown(search, shown) else [*search_results(answers, search, shown), no_update]

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Input("pages", "value"),
        State("url", "search"),
        State("url", "pathname"),
        prevent_initial_call=True,
    )
    def turn(page: object, search: object, path: object) -> Any:
        if room_of(path) != COMPLAINTS or is_complaint_page(path):
            return no_update
        return turned(search, page)


def _register_new_rows(app: Dash, answers: Answers) -> None:
    @app.callback(
        Output("show-new", "children"),
        Output("show-new", "style"),
        Input("clock", "n_intervals"),
        Input("table-shown", "data"),
        State("url", "pathname"),
        State("url", "search"),
        State("show-new", "children"),
    )
    def offer_new(_: object, shown: object, path: object, search: object, present: object) -> tuple[Any, Any]:
        if room_of(path) != COMPLAINTS or is_complaint_page(path):
            return no_update, no_update
        text = new_rows(answers, search, shown)
        return (no_update, no_update) if text == (present or "") else (text, {} if text else {"display": "none"})


def _register_page(app: Dash, answers: Answers, explainer: Explainer) -> None:
    in_browser: Callable[..., None] = app.clientside_callback
    in_browser(
        ClientsideFunction("complaints", "showPage"),
        Output("complaint-list", "hidden"),
        Output("complaint-page", "hidden"),
        Input("url", "pathname"),
    )
    in_browser(
        ClientsideFunction("complaints", "goOn"),
        Input("complaint-page", "children"),
        State("url", "pathname"),
    )

    @app.callback(
        Output("complaint-page", "children"),
        Input("url", "pathname"),
        State("url", "search"),
        State("table-ids", "data"),
    )
    def page(path: object, search: object, ids: object) -> Any:
        return complaint_page(answers, explainer, path, search, ids) if is_complaint_page(path) else []


def search_results(answers: Answers, search: object, before: object) -> list[Any]:
    """Returns what the room shows of a search.

    Args:
        answers: Where it is read.
        search: The query string of the address.
        before: What the browser's table shows.

    Returns:
        The table, the result count, the export link, the number of pages, the page, the ids of its complaints and
        what the table then shows.
    """
    try:
        wanted = Search.parse(search)
        shown = show(answers, wanted, Shown.from_json(before))
        wanted = on_a_page(wanted, shown.count)
        rows = read_page(answers, wanted, shown)
        note = _limits(answers, wanted, shown)
        table = predictions_table(wanted, columns_of(answers), rows)
    except NotYetError as error:
        return [not_yet(error), "", _EXPORT, 1, 1, [], None]
    except SolosolveError as error:
        return [empty(str(error)), "", _EXPORT, 1, 1, [], None]
    # Ids go to the browser as text: its numbers have 53 bits.
    ids = list(dict.fromkeys(str(row["complaint_id"]) for row in rows))
    count = f"{counted(shown.count, 'prediction')}{note}"
    link = f"{_EXPORT}{replace(wanted, page=1).to_search()}"
    kept = shown.to_json() | {_ADDRESS: search or ""}
    return [table, count, link, page_count(shown.count), wanted.page, ids, kept]


def is_shown(search: object, kept: object) -> bool:
    """Whether a browser's table is that of an address, as after a look at one of its complaints."""
    return isinstance(kept, dict) and kept.get(_ADDRESS) == (search or "")


def turned(search: object, page: object) -> Any:
    """Returns the query string of another page of a search, or `no_update` if it is the present one."""
    try:
        found = Search.parse(search)
    except SolosolveError:
        return no_update
    if not isinstance(page, int) or page < 1 or page == found.page:
        return no_update
    return replace(found, page=page).to_search()


def new_rows(answers: Answers, search: object, shown: object) -> str:
    """Returns the text of the button that shows predictions newer than the table's; empty if there are none."""
    before = Shown.from_json(shown)
    try:
        count = count_newer(answers, Search.parse(search), before) if before is not None else 0
    except SolosolveError:
        return ""
    if count is None:
        return "Newer predictions, search again"
    return f"{count:,} new, show" if count else ""


def _limits(answers: Answers, search: Search, shown: Shown) -> str:
    limits = ""
    if shown.count > MAX_ROWS:
        limits = f"; only the first {MAX_ROWS:,} can be browsed and exported"
    since = words_searched_since(answers) if search.words else None
    return f"{limits}; words are searched in complaints received since {since}" if since else limits
