"""The page: header, filter bar and the three views."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.views.complaint_table import complaints_view
from solosolve.dashboard.views.elements import attributes
from solosolve.dashboard.views.filter_bar import filter_bar
from solosolve.dashboard.views.overview import overview_view
from solosolve.dashboard.views.review import review_view
from solosolve.dashboard.views.routes import COMPLAINTS, OVERVIEW, REVIEW, VIEWS

POLL_SECONDS = 5


def page() -> Component:
    """The whole page, without data: callbacks fill it, and page.js shows the view at the address."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Interval(id="clock", interval=POLL_SECONDS * 1000),
            dcc.Store(id="seen", data={}),
            html.A("Skip to content", href="#views", className="skip"),
            _header(),
            html.Div(id="banner", role="alert"),
            html.Div(id="toast", role="status"),
            filter_bar(),
            html.Main(
                [
                    html.Div(overview_view(), id=f"view-{OVERVIEW}", className="view"),
                    html.Div(complaints_view(), id=f"view-{COMPLAINTS}", className="view"),
                    html.Div(review_view(), id=f"view-{REVIEW}", className="view"),
                ],
                id="views",
                tabIndex="-1",
            ),
            html.Footer(
                "All times are UTC. Success means a timely response, closed with an explanation or relief, that the "
                "consumer did not dispute."
            ),
        ],
        className="page",
    )


def _header() -> Component:
    links = [
        dcc.Link(view.capitalize(), href=path, id=f"link-{view}", className="view-link") for path, view in VIEWS.items()
    ]
    return html.Header(
        [
            html.Div([html.Span("Solosolve", className="brand"), html.H1("Live complaint outcome predictions")]),
            html.Nav(links, **attributes(aria_label="Views")),
            html.Div(id="freshness", className="freshness-box"),
            html.Button("Dark", id="theme", n_clicks=0, type="button"),
        ],
        className="top",
    )
