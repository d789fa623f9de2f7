"""The complaint view: search, a table that is paged where the rows are, and one complaint in full."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers, NotYetError
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.search import (
    ALL_PROBABILITIES,
    COLUMNS,
    REACHED_ROWS,
    Search,
    commit_of,
    count_of,
    count_rows,
    order_of,
    range_of,
    rows_of,
)
from solosolve.dashboard.data.verdicts import complaint_id_of
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.elements import attributes, empty, not_yet
from solosolve.dashboard.views.routes import COMPLAINTS, view_of
from solosolve.errors import SolosolveError, one_line
from solosolve.names import PREDICTIONS

logger = logging.getLogger("solosolve.dashboard")

_PAGE_ROWS = 50


def complaints_view() -> list[Component]:
    """The view: search controls, table, export, and room for one complaint."""
    return [
        html.H2("Complaints"),
        html.Div(
            [
                html.Div([html.Label("Complaint id", htmlFor="search-id"),
                          dcc.Input(id="search-id", type="text", debounce=True, placeholder="any", maxLength=19)],
                         className="control"),
                html.Div([html.Label("Probability of success", htmlFor="search-probability"),
                          dcc.RangeSlider(id="search-probability", min=0, max=1, step=0.01,
                                          value=list(ALL_PROBABILITIES),
                                          marks={0: "0", 0.5: "0.5", 1: "1"})],
                         className="control wide"),
                html.A("Export CSV", id="export", href="/export.csv", className="button", download="predictions.csv"),
                html.Span(id="found", className="note", role="status"),
            ],
            className="filters inline",
        ),
        html.Div(
            [
                html.Div(id="table", className="panel w8"),
                html.Div(empty("Choose a complaint in the table to read it."), id="detail", className="panel w4",
                         **attributes(aria_live="polite")),
            ],
            className="grid",
        ),
    ]  # fmt: skip


def register_complaints(app: Dash, answers: Answers, explainer: Explainer) -> None:
    """Adds the callbacks of the view."""

    @app.callback(
        Output("table", "children"),
        Output("found", "children"),
        Output("export", "href"),
        Input("url", "pathname"),
        Input("url", "search"),
        Input("search-id", "value"),
        Input("search-probability", "value"),
    )
    def search(path: object, text: object, complaint_id: object, probability: object) -> tuple[Any, Any, Any]:
        if view_of(path) != COMPLAINTS:
            return no_update, no_update, no_update
        try:
            chosen = Search.of(text, complaint_id, probability)
            count = count_rows(answers, chosen)
        except NotYetError as error:
            return not_yet(error), "", "/export.csv"
        except SolosolveError as error:
            return empty(str(error)), "", "/export.csv"
        reach = f"; the first {REACHED_ROWS:,} of an order can be paged and exported" if count > REACHED_ROWS else ""
        words = f"{count:,} predictions{reach}"
        return _grid(answers, chosen, count), words, _export_link(chosen)

    @app.callback(
        Output({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "getRowsResponse"),
        Input({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "getRowsRequest"),
        State({"type": "rows", "search": MATCH, "commit": MATCH, "count": MATCH}, "id"),
    )
    def rows(request: object, name: object) -> Any:
        if not isinstance(request, dict) or not isinstance(name, dict):
            return no_update
        try:
            chosen, version = Search.from_text(name.get("search")), commit_of(name)
            start, end = range_of(request)
            found = rows_of(answers, chosen, order_of(request.get("sortModel")), end - start, start, version)
            return {"rowData": found, "rowCount": min(count_of(name), REACHED_ROWS)}
        except SolosolveError as error:
            # The table says that these rows could not be had.
            logger.warning("rows of complaints cannot be read: %s", one_line(error))
            return None

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
        number = complaint_id_of(picked[0].get("complaint_id"))
        return no_update if number is None else complaint_details(answers, explainer, number)


def _export_link(search: Search) -> str:
    return f"/export.csv?{urlencode({'search': search.to_text()})}"


def _grid(answers: Answers, search: Search, count: int) -> Component:
    version = answers.reader.version(PREDICTIONS)
    widths = {"complaint_id": 170, "company": 220, "product": 200, "scored_at": 170, "state": 90}
    return dag.AgGrid(
        # Another search is another table, which begins on its first page.
        id={"type": "rows", "search": search.to_text(), "commit": version.number if version else 0, "count": count},
        rowModelType="infinite",
        columnDefs=[
            {"field": name, "headerName": title, "sortable": True, "minWidth": 90, "width": widths.get(name, 120),
             "type": "rightAligned" if name in ("complaint_id", "probability", "model_version") else None}
            for name, title in COLUMNS.items()
        ],
        dashGridOptions={
            "rowSelection": {"mode": "singleRow", "checkboxes": False, "enableClickSelection": True},
            "pagination": True, "paginationPageSize": _PAGE_ROWS, "cacheBlockSize": _PAGE_ROWS,
            "paginationPageSizeSelector": False, "maxBlocksInCache": 10, "suppressCellFocus": False,
        },
        style={"height": "560px"},
        dangerously_allow_code=False,
    )  # fmt: skip
