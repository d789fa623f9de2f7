"""Small pieces that pages are put together from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import plotly.graph_objects as go
from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import NotYetError
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.theme import CONFIG, OUTCOMES
from solosolve.names import MADE_BY, Table


def attributes(**named: str) -> dict[str, Any]:
    """HTML attributes whose names have hyphens, written with underscores."""
    return {name.replace("_", "-"): value for name, value in named.items()}


def graph(name: str, figure: go.Figure, said: str, height: int = 260) -> Component:
    """A figure; `said` is what a screen reader says of it."""
    return html.Div(
        dcc.Graph(id=f"graph-{name}", figure=figure, config=CONFIG, style={"height": f"{height}px"}),
        role="img",
        **attributes(aria_label=said),
    )


def tile(label: str, value: str, detail: str | Component | Sequence[Any] = "", *, tone: str = "") -> Component:
    """A figure that is read from afar, and what it is."""
    return html.Div(
        [
            html.Div(label, className="tile-label"),
            html.Div(value, className="tile-value"),
            html.Div(detail, className="tile-detail"),
        ],
        className=f"tile {tone}".strip(),
    )


def tiles(*each: Component) -> Component:
    """Tiles side by side."""
    return html.Div(list(each), className="tiles")


def empty(message: str, command: str = "") -> Component:
    """What stands where there is nothing to show, and what to run next."""
    return html.Div([html.P(message), *([html.Code(command)] if command else [])], className="empty")


def not_yet(error: NotYetError) -> Component:
    """What stands where a table is missing, and what makes it."""
    message, _, command = str(error).partition("; run: ")
    return empty(f"Nothing here yet: {message}.", command)


def confusion_table(cells: tuple[tuple[int, int], tuple[int, int]]) -> Component:
    """A confusion matrix, the darker the larger a cell's share of its row: what happened against what was said."""
    names = [OUTCOMES[0.0][0], OUTCOMES[1.0][0]]

    def cell(count: int, of: int) -> Component:
        share = count / max(of, 1)
        tone = f"share-{round(10 * share)}"
        return html.Td([html.Strong(f"{count:,}"), html.Span(f"{share:.0%}")], className=f"cell {tone}")

    rows = [
        html.Tr([html.Th(["happened: ", name], scope="row"), *(cell(count, sum(row)) for count in row)])
        for name, row in zip(names, cells, strict=True)
    ]
    heads = html.Tr([html.Td(), *(html.Th(["said: ", name], scope="col") for name in names)])
    return html.Table([html.Thead(heads), html.Tbody(rows)], className="confusion")


def nothing(message: str, filters: Filters, table: Table) -> Component:
    """What stands where a table has nothing to show: what fills it, unless the choice is what leaves nothing."""
    return empty(message, MADE_BY[table] if filters == Filters() else "")


def table(heads: Sequence[str], rows: Sequence[Sequence[Any]], said: str) -> Component:
    """A small table; numbers are set to the right."""
    return html.Div(
        html.Table(
            [
                html.Caption(said, className="unseen"),
                html.Thead(html.Tr([html.Th(head, scope="col") for head in heads])),
                html.Tbody([html.Tr([_cell(value) for value in row]) for row in rows]),
            ]
        ),
        className="scrolled",
        # What scrolls must be reachable by keyboard.
        tabIndex="0",
        role="region",
        **attributes(aria_label=said),
    )


def instant(at: datetime) -> Component:
    """A UTC time, and how long ago, which the browser keeps right."""
    iso = at.isoformat().replace("+00:00", "Z")
    return html.Time(f"{at:%Y-%m-%d %H:%M:%S} UTC", dateTime=iso, className="ago", title=f"{at:%Y-%m-%d %H:%M:%S} UTC")


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """A number with thousands set apart; a dash where there is none."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def _cell(value: Any) -> Component:
    is_number = isinstance(value, int | float)
    shown = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}" if isinstance(value, float) else value
    return html.Td(shown, className="number" if is_number else "")
