"""Small components shared by the views."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.picture import Picture
from solosolve.dashboard.views.theme import CONFIG
from solosolve.errors import NotYetError
from solosolve.names import MADE_BY, OUTCOME_NAMES, Table
from solosolve.where import command_here

_TABLE_ROWS = 100
"""Rows of a picture's table that a page is sent, because a refresh sends them again."""


def attributes(**named: str) -> dict[str, Any]:
    """Returns HTML attributes, with underscores in their names turned into hyphens."""
    return {name.replace("_", "-"): value for name, value in named.items()}


SEARCHABLE = MappingProxyType(
    {"searchable": True, "selectFirstOptionOnChange": True, "nothingFoundMessage": "Nothing matches"}
)
"""What lists have in which one can type: Enter takes the first match."""


def loading() -> Component:
    """What stands where the first answer of a callback will; a room is shown once it has no such place any more."""
    return html.Div("Loading…", className="loading")


def graph(name: str, picture: Picture, height: int = 260) -> Component:
    """A figure with its alternative text, and the same numbers as a table to open below it; height in pixels."""
    drawn = html.Div(
        dcc.Graph(
            id={"type": "graph", "name": name}, figure=picture.figure, config=CONFIG, style={"height": f"{height}px"}
        ),
        id=f"graph-{name}",
        role="img",
        # Until Plotly is there, the graph itself has no height.
        style={"minHeight": f"{height}px"},
        **attributes(aria_label=picture.alt_text),
    )
    count, shown = len(picture.rows), picture.rows[:_TABLE_ROWS]
    summary = "Show as a table" if count == len(shown) else f"Show as a table: first {len(shown)} of {count:,} rows"
    rows = table(picture.headings, shown, f"{picture.alt_text}, as a table")
    return html.Div([drawn, html.Details([html.Summary(summary), rows], className="as-table")])


def tile(label: str, value: str, detail: str | Component | Sequence[Any] = "", *, tone: str = "") -> Component:
    """A large number with its label and a line of detail."""
    return html.Div(
        [
            html.Div(label, className="tile-label"),
            html.Div(value, className="tile-value"),
            html.Div(detail, className="tile-detail"),
        ],
        className=f"tile {tone}".strip(),
    )


def tiles(*each: Component) -> Component:
    """A row of tiles."""
    return html.Div(list(each), className="tiles")


def filtering(column: str, value: str, text: str = "") -> Component:
    """A name that filters the page when it is clicked, and no longer when it is clicked again; the address keeps it.

    Args:
        column: Name of the filter in the address.
        value: Its value.
        text: What the button says; the value when empty.
    """
    return html.Button(
        text or value, id={"type": "filter", "column": column, "value": value}, className="link", n_clicks=0,
        type="button", title=f"Show only this {'version' if column == 'model' else column}",
    )  # fmt: skip


def empty(message: str, command: str = "") -> Component:
    """An empty state: what is missing, and the command to run, if one helps."""
    hint = [html.P(["Run ", html.Code(command_here(command))])] if command else []
    return html.Div([html.P(message), *hint], className="empty")


def not_yet(error: NotYetError) -> Component:
    """The empty state for something that has not been made yet, with the command that makes it."""
    return empty(f"Nothing to show: {error.found}.", error.command)


def no_rows(what: str, filters: Filters, table: Table) -> Component:
    """The empty state of a table without rows: blames the filters if any are set, else names the command to run.

    Args:
        what: What the rows are, in the plural.
        filters: The filters in force.
        table: The table that has no such rows.
    """
    if filters.is_empty:
        return empty(f"No {what} yet.", MADE_BY[table])
    return empty(f"No {what} match these filters. Clear or widen them.")


def confusion_table(cells: tuple[tuple[int, int], tuple[int, int]]) -> Component:
    """A confusion matrix: actual outcomes down, predicted outcomes across, shaded by each cell's share of its row."""
    names = [OUTCOME_NAMES[outcome] for outcome in (0.0, 1.0)]

    def cell(count: int, row_total: int) -> Component:
        share = count / max(row_total, 1)
        tone = f"share-{round(10 * share)}"
        return html.Td([html.Strong(f"{count:,}"), html.Span(f"{share:.0%}")], className=f"cell {tone}")

    rows = [
        html.Tr([html.Th(f"Actual: {name}", scope="row"), *(cell(count, sum(row)) for count in row)])
        for name, row in zip(names, cells, strict=True)
    ]
    headings = html.Tr([html.Td(), *(html.Th(f"Predicted: {name}", scope="col") for name in names)])
    return html.Table([html.Thead(headings), html.Tbody(rows)], className="confusion")


def table(headings: Sequence[str], rows: Sequence[Sequence[Any]], caption: str) -> Component:
    """A small table with right-aligned numbers; screen readers announce its caption."""
    return html.Div(
        html.Table(
            [
                html.Caption(caption, className="visually-hidden"),
                html.Thead(html.Tr([_heading(heading, rows, place) for place, heading in enumerate(headings)])),
                html.Tbody([html.Tr([_cell(value) for value in row]) for row in rows]),
            ]
        ),
        className="scrolled",
        # Keyboard users must be able to reach whatever scrolls.
        tabIndex="0",
        role="region",
        **attributes(aria_label=caption),
    )


def instant(at: datetime) -> Component:
    """A UTC time."""
    iso = at.isoformat().replace("+00:00", "Z")
    return html.Time(f"{at:%Y-%m-%d %H:%M:%S} UTC", dateTime=iso, className="ago", title=f"{at:%Y-%m-%d %H:%M:%S} UTC")


def is_within_a_day(start: datetime, end: datetime) -> bool:
    """Whether a window is shorter than a day, as those of the living demo are; its time then tells it from others."""
    return end - start < timedelta(days=1)


def beginning(start: datetime, end: datetime) -> str:
    """The day on which a window begins, with the time if it is shorter than a day."""
    return f"{start:%Y-%m-%d %H:%M}" if is_within_a_day(start, end) else f"{start:%Y-%m-%d}"


def number(value: float | None, digits: int = 0, unit: str = "") -> str:
    """Formats a number with thousands separators; None becomes a dash."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def counted(count: int, noun: str) -> str:
    """Formats a count with its noun, in the plural unless the count is 1."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _heading(text: str, rows: Sequence[Sequence[Any]], place: int) -> Component:
    is_of_numbers = bool(rows) and isinstance(rows[0][place], int | float)
    return html.Th(text, scope="col", className="number" if is_of_numbers else "")


def _cell(value: Any) -> Component:
    is_number = isinstance(value, int | float)
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.3f}" if isinstance(value, float) else value
    return html.Td(text, className="number" if is_number else "")
