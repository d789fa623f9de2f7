"""The complaint view: search, a table that is paged where the rows are, and one complaint in full."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import dash_ag_grid as dag
from dash import ALL, MATCH, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from solosolve.adapters.reader import Value
from solosolve.dashboard.answers import Answers, NotYetError, ask_where
from solosolve.dashboard.details import complaint_details
from solosolve.dashboard.elements import attributes, empty
from solosolve.dashboard.explaining import Explainer
from solosolve.dashboard.filters import Condition, Filters
from solosolve.dashboard.questions import chosen_predictions
from solosolve.errors import SolosolveError, UsageError
from solosolve.names import PREDICTIONS

COLUMNS = {
    "complaint_id": "Complaint", "probability": "Probability", "prediction": "Predicted", "company": "Company",
    "product": "Product", "state": "State", "scored_at": "Scored", "model_version": "Version", "source": "Source",
}  # fmt: skip
"""Columns of the table and of an export, by the names of `gold.predictions`."""

REACHED_ROWS = 100_000
"""Rows of an order that pages and exports reach; what lies behind them a narrower search finds, or `solosolve sql`.

The engine sorts as many rows as an offset skips, and millions would take gigabytes."""

_PAGE_ROWS = 50
_MOST_ROWS_AT_ONCE = 500
_LARGEST_ID = 2**63 - 1
_ALL = (0.0, 1.0)


@dataclass(frozen=True)
class Search:
    """What the table shows.

    Attributes:
        filters: As the address says.
        complaint_id: This complaint only.
        lowest: Probabilities from here.
        highest: To here.
    """

    filters: Filters
    complaint_id: int | None = None
    lowest: float = 0.0
    highest: float = 1.0

    @classmethod
    def of(cls, search: object, complaint_id: object, probability: object) -> Search:
        """Reads what a browser sent.

        Raises:
            UsageError: It is not what the controls can say.
        """
        text = complaint_id.strip() if isinstance(complaint_id, str) else ""
        if text and not (text.isascii() and text.isdigit() and int(text[:20]) <= _LARGEST_ID):
            raise UsageError("a complaint's id is a number")
        bounds = probability if isinstance(probability, list) else list(_ALL)
        if len(bounds) != 2 or not all(isinstance(b, int | float) and 0 <= b <= 1 for b in bounds):
            raise UsageError("a probability lies between 0 and 1")
        return cls(Filters.parse(search), int(text) if text else None, float(bounds[0]), float(bounds[1]))

    @classmethod
    def from_text(cls, text: object) -> Search:
        """Reads what `to_text` wrote.

        Raises:
            UsageError: It did not.
        """
        try:
            search, complaint_id, lowest, highest = json.loads(str(text))
        except (ValueError, TypeError, RecursionError):
            raise UsageError("not a search") from None
        return cls.of(search, complaint_id, [lowest, highest])

    def to_text(self) -> str:
        """The search in one text, which an address can hold."""
        shown = str(self.complaint_id) if self.complaint_id is not None else ""
        return json.dumps([self.filters.to_search(), shown, self.lowest, self.highest])

    @property
    def condition(self) -> Condition:
        """Which rows of `gold.predictions` are meant."""
        condition = chosen_predictions(self.filters)
        if self.complaint_id is not None:
            condition &= Condition("complaint_id = :complaint_id", (("complaint_id", self.complaint_id),))
        if (self.lowest, self.highest) != _ALL:
            bounds: tuple[tuple[str, Value], ...] = (("lowest", self.lowest), ("highest", self.highest))
            condition &= Condition("probability >= :lowest and probability <= :highest", bounds)
        return condition


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
                          dcc.RangeSlider(id="search-probability", min=0, max=1, step=0.01, value=list(_ALL),
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
        if path != "/complaints":
            return no_update, no_update, no_update
        try:
            chosen = Search.of(text, complaint_id, probability)
            count = count_rows(answers, chosen)
        except NotYetError as error:
            message, _, command = str(error).partition("; run: ")
            return empty(f"Nothing here yet: {message}.", command), "", "/export.csv"
        except SolosolveError as error:
            return empty(str(error)), "", "/export.csv"
        reach = f"; the first {REACHED_ROWS:,} of an order can be paged and exported" if count > REACHED_ROWS else ""
        words = f"{count:,} predictions{reach}"
        return _grid(chosen), words, _export_link(chosen)

    @app.callback(
        Output({"type": "rows", "search": MATCH}, "getRowsResponse"),
        Input({"type": "rows", "search": MATCH}, "getRowsRequest"),
        State({"type": "rows", "search": MATCH}, "id"),
    )
    def rows(request: object, name: object) -> Any:
        if not isinstance(request, dict) or not isinstance(name, dict):
            return no_update
        try:
            chosen = Search.from_text(name.get("search"))
            start, end = _range(request)
            found = rows_of(answers, chosen, _order(request.get("sortModel")), end - start, start)
            return {"rowData": found, "rowCount": min(count_rows(answers, chosen), REACHED_ROWS)}
        except SolosolveError:
            return {"rowData": [], "rowCount": 0}

    @app.callback(
        Output("detail", "children"),
        Input({"type": "rows", "search": ALL}, "selectedRows"),
        prevent_initial_call=True,
    )
    def detail(selected: object) -> Any:
        tables = selected if isinstance(selected, list) else []
        picked = [row for rows in tables if isinstance(rows, list) for row in rows if isinstance(row, dict)]
        if not picked or not ctx.triggered_id:
            return no_update
        number = picked[0].get("complaint_id")
        if not isinstance(number, int) or not 0 < number <= _LARGEST_ID:
            return no_update
        return complaint_details(answers, explainer, number)


def count_rows(answers: Answers, search: Search) -> int:
    """How many predictions a search finds."""
    question = ask_where("count(*) as n", PREDICTIONS, search.condition, sums=("n",))
    return int(answers.ask(question).column("n")[0].as_py())


def rows_of(answers: Answers, search: Search, order: str, limit: int, offset: int) -> list[Mapping[str, Any]]:
    """Some of the predictions that a search finds."""
    columns = ", ".join(COLUMNS)
    where = f"where {search.condition.sql} order by {order} limit {limit} offset {offset}"
    sql = f"select {columns} from {PREDICTIONS} {where}"
    found: list[dict[str, Any]] = answers.reader.query(sql, dict(search.condition.parameters)).to_pylist()
    for row in found:
        row["scored_at"] = f"{row['scored_at']:%Y-%m-%d %H:%M:%S}"
        row["probability"] = round(row["probability"], 4)
        row["prediction"] = "success" if row["prediction"] == 1.0 else "no success"
    return list(found)


def newest_first() -> str:
    """The order of an export, and of the table until a column is chosen."""
    return "scored_at desc, complaint_id"


def _range(request: Mapping[str, object]) -> tuple[int, int]:
    start, end = request.get("startRow"), request.get("endRow")
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start < end <= start + _MOST_ROWS_AT_ONCE:
        raise UsageError("not a range of rows")
    if end > REACHED_ROWS + _MOST_ROWS_AT_ONCE:
        raise UsageError("not a range of rows")
    return start, end


def _order(sorting: object) -> str:
    """The order that a browser asks for, in the table's own column names."""
    parts = []
    for item in sorting[:3] if isinstance(sorting, list) else []:
        if isinstance(item, dict) and item.get("colId") in COLUMNS and item.get("sort") in ("asc", "desc"):
            parts.append(f"{item['colId']} {item['sort']}")
    return ", ".join([*parts, "complaint_id"]) if parts else newest_first()


def _export_link(search: Search) -> str:
    return f"/export.csv?{urlencode({'search': search.to_text()})}"


def _grid(search: Search) -> Component:
    widths = {"complaint_id": 150, "company": 220, "product": 200, "scored_at": 170, "state": 90}
    return dag.AgGrid(
        # Another search is another table, which begins on its first page.
        id={"type": "rows", "search": search.to_text()},
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
