"""One page of predictions as a table: headings that sort, and rows that are links to their complaints."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.search import COLUMNS, Search
from solosolve.dashboard.views.elements import attributes, empty
from solosolve.dashboard.views.routes import path_of
from solosolve.names import OUTCOME_NAMES

_NUMBERS = ("probability", "model_version")


def predictions_table(search: Search, columns: list[str], rows: list[dict[str, Any]]) -> Component:
    """Shows rows of `gold.predictions`.

    Args:
        search: The search that found them; the links keep it.
        columns: Keys of COLUMNS.
        rows: The rows, with these columns.
    """
    if not rows:
        return empty("No predictions match this search and these filters. Clear or widen them.")
    link = search.to_search()
    return html.Div(
        html.Table(
            [
                html.Caption("Predictions", className="visually-hidden"),
                html.Thead(html.Tr([_heading(search, name) for name in columns])),
                html.Tbody([html.Tr([_cell(name, row, link) for name in columns]) for row in rows]),
            ],
            className="predictions",
        ),
        className="table-box",
    )


def _heading(search: Search, name: str) -> Component:
    order = {name: "ascending", f"-{name}": "descending"}.get(search.sort, "none")
    link = dcc.Link(COLUMNS[name], href=f"/complaints{search.sorted_by(name).to_search()}")
    return html.Th(link, scope="col", className=_class(name), **attributes(aria_sort=order))


def _cell(name: str, row: dict[str, Any], link: str) -> Component:
    value = row[name]
    if name == "complaint_id":
        # Its link covers the whole row.
        content: Any = dcc.Link(str(value), href=f"{path_of(value)}{link}", className="row-link")
        return html.Th(content, scope="row", className=_class(name))
    if name == "prediction":
        content = html.Span(OUTCOME_NAMES[value], className="outcome success" if value else "outcome failure")
    elif name == "probability":
        content = f"{value:.1%}"
    elif name == "scored_at":
        content = f"{value:%Y-%m-%d %H:%M}"
    else:
        content = "" if value is None else str(value)
    return html.Td(content, className=_class(name))


def _class(name: str) -> str:
    return f"{name.replace('_', '-')}{' number' if name in _NUMBERS else ''}"
