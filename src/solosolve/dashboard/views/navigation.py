"""The header: links to the rooms, the freshness of the stream, the theme, and a notice when the server is silent.

Its callbacks run in the browser (`assets/page.js`), so that a room opens without waiting for the server.
"""

from __future__ import annotations

from collections.abc import Callable

import dash_mantine_components as dmc
from dash import ALL, ClientsideFunction, Dash, Input, Output, State, dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.filters import FILTER_NAMES
from solosolve.dashboard.views.elements import attributes
from solosolve.dashboard.views.routes import ROOMS

_ROOM_PATHS = dict(ROOMS)


def header(*, is_made_up: bool) -> Component:
    """Brand, links to the rooms, freshness badge and theme button; a badge, too, if all complaints are made up."""
    made_up = html.Span("Made-up complaints", className="badge", id="made-up")
    links = [
        dcc.Link(room.capitalize(), href=path, id=f"link-{room}", className="room-link") for path, room in ROOMS.items()
    ]
    return html.Header(
        [
            html.Div(
                [
                    html.Span("Solosolve", className="brand"),
                    html.H1("Complaint desk"),
                    *([made_up] if is_made_up else []),
                ]
            ),
            html.Nav(links, **attributes(aria_label="Rooms")),
            html.Div(html.Span("", id="freshness", className="freshness"), className="freshness-box"),
            dmc.Button("Dark", id="theme", variant="default", n_clicks=0),
        ],
        className="top",
    )


def lost_connection() -> Component:
    """The notice that the server does not answer; hidden while it does."""
    return html.Div(
        "The dashboard's server is not responding. What you see may be out of date.",
        id="connection-lost",
        role="alert",
        hidden=True,
    )


def stores() -> list[Component]:
    """What the browser's own callbacks need, and what tells callbacks that something has changed."""
    return [
        dcc.Store(id="rooms", data=_ROOM_PATHS),
        dcc.Store(id="filter-names", data=list(FILTER_NAMES)),
        dcc.Store(id="newest-batch"),
        dcc.Store(id="model-drawn"),
        dcc.Store(id="retry"),
        dcc.Store(id="chosen-theme", storage_type="local"),
    ]


def register_navigation(app: Dash) -> None:
    """Adds the callbacks that run in the browser."""
    in_browser: Callable[..., None] = app.clientside_callback
    in_browser(
        ClientsideFunction("page", "showRoom"),
        *(Output(f"room-{room}", "hidden") for room in ROOMS.values()),
        *(Output(f"link-{room}", "href") for room in ROOMS.values()),
        *(Output(f"link-{room}", "className") for room in ROOMS.values()),
        # Not the query string by itself: a room would not open before every callback that may change it has answered.
        Input("url", "href"),
        State("rooms", "data"),
        State("filter-names", "data"),
    )
    in_browser(
        ClientsideFunction("page", "filterByClick"),
        Output("url", "search", allow_duplicate=True),
        Input({"type": "filter", "column": ALL, "value": ALL}, "n_clicks"),
        Input({"type": "graph", "name": ALL}, "clickData"),
        State("url", "search"),
        prevent_initial_call=True,
    )
    in_browser(
        ClientsideFunction("page", "showFreshness"),
        Output("freshness", "children"),
        Output("freshness", "className"),
        Output("freshness", "title"),
        Output("connection-lost", "hidden"),
        Input("clock", "n_intervals"),
        Input("newest-batch", "data"),
    )
    in_browser(
        ClientsideFunction("page", "chooseTheme"),
        Output("chosen-theme", "data"),
        Input("theme", "n_clicks"),
        State("chosen-theme", "data"),
        prevent_initial_call=True,
    )
    in_browser(
        ClientsideFunction("page", "showTheme"),
        Output("mantine", "forceColorScheme"),
        Output("theme", "children"),
        Input("chosen-theme", "data"),
    )
