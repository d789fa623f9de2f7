"""The complaints view: a search, a table that is paged on the server, and the selected complaint."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import complaint_id_from_json
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.search import (
    ALL_PROBABILITIES,
    COLUMNS,
    MAX_ROWS,
    Search,
    count_found,
    parse_commit,
    parse_count,
    parse_order,
    parse_range,
    read_page,
)
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.elements import attributes, counted, empty, not_yet
from solosolve.dashboard.views.routes import COMPLAINTS, room_of
from solosolve.errors import NotYetError, SolosolveError, one_line
from solosolve.names import PREDICTIONS

logger = logging.getLogger("solosolve.dashboard")

_PAGE_ROWS = 50
_EXPORT = "/export.csv"
_WIDTHS = {"complaint_id": 170, "company": 220, "product": 200, "scored_at": 170, "state": 90}
_DEFAULT_WIDTH = 120
_NUMBERS = ("complaint_id", "probability", "model_version")


def complaints_view() -> list[Component]:
    """The view without data: search controls, table, export and the selected complaint."""
    complaint_id = dcc.Input(id="search-id", type="text", debounce=True, placeholder="Any", maxLength=19)
    probability = dcc.RangeSlider(
        id="search-probability", min=0, max=1, step=0.01, value=list(ALL_PROBABILITIES),
        marks={0: "0", 0.5: "0.5", 1: "1"},
    )  # fmt: skip
    return [
        html.H2("Complaints"),
        html.Div(
            [
                html.Div([html.Label("Complaint id", htmlFor="search-id"), complaint_id], className="control"),
                html.Div(
                    [html.Label("Probability of success", htmlFor="search-probability"), probability],
                    className="control wide",
                ),
                html.A("Export CSV", id="export", href=_EXPORT, className="button", download="predictions.csv"),
                html.Span(id="result-count", className="note", role="status"),
            ],
            className="filters inline",
        ),
        html.Div(
            [
                html.Div(id="table", className="panel w8"),
                html.Div(
                    empty("Select a complaint to see its details."),
                    id="detail",
                    className="panel w4",
                    **attributes(aria_live="polite"),
                ),
            ],
            className="grid",
        ),
    ]


def register_complaints(app: Dash, answers: Answers, explainer: Explainer) -> None:
    """Adds the callbacks of the view."""

    @app.callback(
        Output("table", "children"),
        Output("result-count", "children"),
        Output("export", "href"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("search-id", "value"),
        Input("search-probability", "value"),
    )
    def search(path: object, filters: object, complaint_id: object, probability: object) -> tuple[Any, Any, Any]:
        if room_of(path) != COMPLAINTS:
            return no_update, no_update, no_update
        return search_results(answers, filters, complaint_id, probability)

    @app.callback(
        Output({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "getRowsResponse"),
        Input({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "getRowsRequest"),
        State({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "id"),
    )
    def page_rows(request: object, table_id: object) -> Any:
        if not isinstance(request, dict) or not isinstance(table_id, dict):
            return no_update
        return rows_response(answers, request, table_id)

    @app.callback(
        Output("detail", "children"),
        Input({"type": "rows", "search": ALL, "commit": ALL, "count": ALL}, "selectedRows"),
        prevent_initial_call=True,
    )
    def detail(selected: object) -> Any:
        tables = selected if isinstance(selected, list) else []
        picked = [row for rows in tables if isinstance(rows, list) for row in rows if isinstance(row, dict)]
        if not picked or not ctx.triggered_id:
            return no_update
        complaint_id = complaint_id_from_json(picked[0].get("complaint_id"))
        return no_update if complaint_id is None else complaint_details(answers, explainer, complaint_id)


def search_results(
    answers: Answers, filters: object, complaint_id: object, probability: object
) -> tuple[Component, str, str]:
    """Returns the table, the result count and the export link of a search, from what the browser sent."""
    try:
        search = Search.from_controls(filters, complaint_id, probability)
        count = count_found(answers, search)
    except NotYetError as error:
        return not_yet(error), "", _EXPORT
    except SolosolveError as error:
        return empty(str(error)), "", _EXPORT
    limit = f"; only the first {MAX_ROWS:,} can be browsed and exported" if count > MAX_ROWS else ""
    link = f"{_EXPORT}?{urlencode({'search': search.to_text()})}"
    return _grid(answers, search, count), f"{counted(count, 'prediction')}{limit}", link


def rows_response(answers: Answers, request: dict[str, Any], table_id: dict[str, Any]) -> dict[str, Any] | None:
    """Returns the rows that the table asks for, or None, which makes the table show that they failed to load."""
    try:
        search, commit = Search.from_text(table_id.get("search")), parse_commit(table_id)
        start, end = parse_range(request)
        rows = read_page(answers, search, parse_order(request.get("sortModel")), end - start, start, commit)
    except SolosolveError as error:
        logger.warning("cannot read the rows that a table asks for: %s", one_line(error))
        return None
    return {"rowData": rows, "rowCount": min(parse_count(table_id), MAX_ROWS)}


def _grid(answers: Answers, search: Search, count: int) -> Component:
    version = answers.reader.version(PREDICTIONS)
    return dag.AgGrid(
        # A new id for each search makes it a new table, which starts on its first page.
        id={"type": "rows", "search": search.to_text(), "commit": version.number if version else 0, "count": count},
        rowModelType="infinite",
        columnDefs=[
            {
                "field": name,
                "headerName": title,
                "sortable": True,
                "minWidth": 90,
                "width": _WIDTHS.get(name, _DEFAULT_WIDTH),
                "type": "rightAligned" if name in _NUMBERS else None,
            }
            for name, title in COLUMNS.items()
        ],
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "pagination": True,
            "paginationPageSize": _PAGE_ROWS,
            "cacheBlockSize": _PAGE_ROWS,
            "paginationPageSizeSelector": False,
            "maxBlocksInCache": 10,
            "suppressCellFocus": False,
        },
        style={"height": "560px"},
        dangerously_allow_code=False,
    )
