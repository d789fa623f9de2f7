"""The page: header, filters, and three views that the address chooses between."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.views.complaint_table import complaints_view
from solosolve.dashboard.views.elements import attributes
from solosolve.dashboard.views.filter_bar import filter_bar
from solosolve.dashboard.views.panels import SECTIONS, Panel
from solosolve.dashboard.views.review import review_view
from solosolve.dashboard.views.routes import VIEWS
from solosolve.dashboard.views.threshold_explorer import what_if_panel

POLL_SECONDS = 5


def page() -> Component:
    """The whole page, empty: callbacks fill it."""
    return html.Div(
        [
            dcc.Location(id="url", refresh=False),
            dcc.Interval(id="clock", interval=POLL_SECONDS * 1000),
            dcc.Store(id="seen", data={}),
            html.A("Skip to the content", href="#views", className="skip"),
            _header(),
            html.Div(id="banner", role="alert"),
            html.Div(id="toast", role="status"),
            filter_bar(),
            html.Main(
                [
                    html.Div(_overview(), id="view-overview", className="view"),
                    html.Div(complaints_view(), id="view-complaints", className="view"),
                    html.Div(review_view(), id="view-review", className="view"),
                ],
                id="views",
                tabIndex="-1",
            ),
            html.Footer(
                "Times are UTC. Predictions are of success: undisputed, in time, closed with explanation or relief."
            ),
        ],
        className="page",
    )


def _header() -> Component:
    links = [
        dcc.Link(name.capitalize(), href=path, id=f"link-{name}", className="view-link") for path, name in VIEWS.items()
    ]
    return html.Header(
        [
            html.Div([html.Span("Solosolve", className="brand"), html.H1("Complaint outcomes, live")]),
            html.Nav(links, **attributes(aria_label="Views")),
            html.Div(id="freshness", className="freshness-box"),
            html.Button("Dark", id="theme", className="quiet", n_clicks=0, type="button"),
        ],
        className="top",
    )


def _overview() -> list[Component]:
    sections: list[Component] = []
    for title, panels in SECTIONS.items():
        shown = [panel_frame(panel) for panel in panels]
        if title == "How far to trust it":
            shown.insert(2, what_if_panel())
        name = title.lower().replace(" ", "-")
        sections.append(
            html.Section(
                [html.H2(title, id=f"section-{name}"), html.Div(shown, className="grid")],
                **attributes(aria_labelledby=f"section-{name}"),
            )
        )
    return sections


def panel_frame(panel: Panel) -> Component:
    """A panel's frame; what it shows comes with the first refresh."""
    return html.Article(
        [
            html.H3(panel.title, id=f"title-{panel.name}"),
            html.P(panel.about, className="about"),
            html.Div(html.Div("Reading the tables…", className="loading"), id=f"panel-{panel.name}", className="body"),
        ],
        className=f"panel w{panel.width}",
        **attributes(aria_labelledby=f"title-{panel.name}"),
    )
