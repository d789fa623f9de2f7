"""The page of one complaint, which can be sent to someone: `/complaints/<id>`."""

from __future__ import annotations

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.complaint_lookup import predictions_of
from solosolve.dashboard.data.explainer import Explainer
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.query_string import with_parameter
from solosolve.dashboard.views.complaint_details import complaint_details
from solosolve.dashboard.views.elements import attributes, empty
from solosolve.dashboard.views.routes import COMPLAINTS, complaint_of, path_of, room_of
from solosolve.errors import TableError, UsageError
from solosolve.landing.normalise import parse_complaint_id

_TABLE = "/complaints"


def is_complaint_page(path: object) -> bool:
    """Whether an address is below that of the table."""
    return room_of(path) == COMPLAINTS and isinstance(path, str) and path.rstrip("/") != _TABLE


def complaint_page(answers: Answers, explainer: Explainer, path: object, search: object, ids: object) -> Component:
    """Shows the complaint at an address.

    Args:
        answers: Where the complaint is read.
        explainer: Explains its prediction.
        path: The address's path.
        search: The address's query string, which the way back to the table keeps.
        ids: The complaints on the page of the table that the browser has shown.
    """
    query = search if isinstance(search, str) else ""
    complaint_id = complaint_of(path)
    links: list[Component] = [dcc.Link("← Back to the table", href=f"{_TABLE}{query}", id="back-to-table")]
    if complaint_id is None:
        shown = empty("This address names no complaint. Its last part is a complaint number, such as /complaints/8535.")
        return html.Div([_navigation(links), shown])
    listed = [each for each in ids if parse_complaint_id(each)] if isinstance(ids, list) else []
    links += _neighbours(listed, str(complaint_id), query)
    try:
        predictions = predictions_of(answers, complaint_id)
    except TableError as error:
        return html.Div([_navigation(links), empty(str(error))])
    if predictions:
        links.append(dcc.Link("Review this complaint", href=_review_address(query, complaint_id), className="button"))
    details = complaint_details(answers, explainer, complaint_id, predictions, is_alone=True)
    return html.Div([_navigation(links), html.Article(details, className="panel")])


def _navigation(links: list[Component]) -> Component:
    return html.Nav(links, className="complaint-links", **attributes(aria_label="Complaint"))


def _review_address(query: str, complaint_id: int) -> str:
    """The address at which Review opens the complaint; the filters stay."""
    try:
        filters = Filters.parse(query).to_search()
    except UsageError:
        filters = ""
    return "/review" + with_parameter(filters, "complaint", str(complaint_id))


def _neighbours(listed: list[str], complaint_id: str, query: str) -> list[Component]:
    """Links to the complaints before and after this one on the table's page."""
    if complaint_id not in listed:
        return []
    place = listed.index(complaint_id)
    found: list[Component] = []
    for text, other in (("Previous", place - 1), ("Next", place + 1)):
        if 0 <= other < len(listed):
            link = dcc.Link(text, href=f"{path_of(int(listed[other]))}{query}", className="button")
            found.append(link)
    return found
