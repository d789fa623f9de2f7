"""The page: header, filter bar and the rooms."""

from __future__ import annotations

import dash_mantine_components as dmc
from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.views.complaint_table import complaints_view
from solosolve.dashboard.views.filter_bar import filter_bar
from solosolve.dashboard.views.navigation import header, lost_connection, stores
from solosolve.dashboard.views.review import review_view
from solosolve.dashboard.views.rooms import panel_room
from solosolve.dashboard.views.routes import COMPLAINTS, DATA, MODEL, REVIEW, ROOMS, TODAY
from solosolve.dashboard.views.theme import MANTINE_THEME

POLL_SECONDS = 5


def page(*, is_made_up: bool = False) -> Component:
    """The whole page, without data: callbacks fill it, and show the room at the address.

    Args:
        is_made_up: Whether all complaints are made up, which the header then says.
    """
    contents = {
        TODAY: panel_room(TODAY),
        COMPLAINTS: complaints_view(),
        REVIEW: review_view(),
        MODEL: panel_room(MODEL),
        DATA: panel_room(DATA),
    }
    rooms = [html.Div(contents[room], id=f"room-{room}", className="room", hidden=True) for room in ROOMS.values()]
    return dmc.MantineProvider(
        html.Div(
            [
                dcc.Location(id="url", refresh="callback-nav"),
                dcc.Interval(id="clock", interval=POLL_SECONDS * 1000),
                dcc.Store(id="seen", data={}),
                *stores(),
                html.A("Skip to content", href="#rooms-content", className="skip"),
                lost_connection(),
                header(is_made_up=is_made_up),
                html.Div(id="banner", role="alert"),
                html.Div(id="checklist"),
                dmc.NotificationContainer(id="notifications", position="top-center"),
                filter_bar(),
                html.Main(rooms, id="rooms-content", tabIndex="-1"),
                html.Footer(
                    "All times are UTC. Success means a timely response, closed with an explanation or relief, that "
                    "the consumer did not dispute."
                ),
            ],
            className="page",
        ),
        id="mantine",
        theme=MANTINE_THEME,
    )
