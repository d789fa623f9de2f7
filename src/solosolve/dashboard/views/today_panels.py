"""Panels of Today: what has come in, what will probably go wrong, and which complaints to read first."""

from __future__ import annotations

from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from solosolve.alerts.history import AlertRow
from solosolve.alerts.rules import Severity
from solosolve.dashboard.data.alerts import current_alerts
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.arrivals import SINCE, arrivals, failing_by, least_likely, waiting
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.elements import empty, filtering, instant, number, table, tile, tiles
from solosolve.dashboard.views.picture import NOT_GIVEN
from solosolve.dashboard.views.routes import path_of


def new_complaints(answers: Answers, filters: Filters) -> Component:
    """How many complaints have come in, how many are likely to fail, and how many of these wait for a person.

    Raises:
        NotYetError: There are no predictions.
    """
    found = arrivals(answers, filters)
    span = SINCE[filters.since][0]
    if not found["complaints"]:
        matching = "" if filters.is_empty else " that matches these filters"
        return empty(f"No complaint{matching} was scored in the last {span}.")
    share = found["failing"] / found["complaints"]
    return tiles(
        tile("Complaints", number(found["complaints"]), f"scored in the last {span}, {found['streamed']:,} live"),
        tile("Likely to fail", number(found["failing"]), f"{share:.0%} of them, by any version that scored them"),
        tile("Of these, unread", number(waiting(answers, filters)), "without a verdict or a reported outcome"),
    )


def failing_products(answers: Answers, filters: Filters) -> Component:
    """New complaints that are likely to fail, by product."""
    return _failing_by(answers, "product", filters)


def failing_companies(answers: Answers, filters: Filters) -> Component:
    """New complaints that are likely to fail, by company."""
    return _failing_by(answers, "company", filters)


def _failing_by(answers: Answers, column: str, filters: Filters) -> Component:
    rows = failing_by(answers, column, filters)
    if not any(row["failing"] for row in rows):
        return _none_fails(filters)
    largest = max(row["failing"] for row in rows)
    shown = [
        (filtering(column, row[column]) if row[column] else NOT_GIVEN,
         row["failing"], row["n"], f"{row['failing'] / row['n']:.0%}",
         _bar(row["failing"], largest))
        for row in rows if row["failing"]
    ]  # fmt: skip
    return table(
        (column.capitalize(), "Likely to fail", "New", "Share", "Compared"), shown, f"Likely to fail, by {column}"
    )


def _none_fails(filters: Filters) -> Component:
    return empty(f"No new complaint{'' if filters.is_empty else ' that matches these filters'} is likely to fail.")


def _bar(count: int, largest: int) -> Component:
    """A bar as long as the count's share of the largest one."""
    return html.Span(html.Span(style={"width": f"{count / largest:.0%}"}), className="share-bar")


def to_read(answers: Answers, filters: Filters) -> Component:
    """The complaints to read first: the ones least likely to be resolved successfully.

    Raises:
        NotYetError: There are no predictions.
    """
    rows = least_likely(answers, filters)
    if not rows:
        return _none_fails(filters)
    shown: list[tuple[Any, ...]] = [
        (
            dcc.Link(str(row["complaint_id"]), href=path_of(row["complaint_id"]) + filters.to_search()),
            f"{row['probability']:.1%}",
            row["product"] or NOT_GIVEN,
            row["company"] or NOT_GIVEN,
            row["state"] or NOT_GIVEN,
        )
        for row in rows
    ]
    return table(("Complaint", "Success", "Product", "Company", "State"), shown, "Least likely to succeed")


def wrong_now(answers: Answers, _: Filters) -> Component:
    """What needs a person now, and what to do about it.

    Raises:
        TableError: A table cannot be read.
    """
    found = () if answers.settings is None else current_alerts(answers, answers.settings)
    if not found:
        return html.P("Nothing needs a person now.", className="all-well")
    return html.Ul([_alert(each) for each in found], className="alerts")


def _alert(each: AlertRow) -> Component:
    word = {Severity.ACT: "Act", Severity.LOOK: "Look"}[Severity(each.severity)]
    head = html.P([html.Span(word, className=f"severity {each.severity}"), " ", each.summary, " Since ",
                   instant(each.opened_at), "."])  # fmt: skip
    return html.Li([head, html.P(_with_code(each.what_to_do), className="what-to-do")])


def _with_code(text: str) -> list[Any]:
    """A sentence whose commands are in backticks."""
    return [html.Code(part) if place % 2 else part for place, part in enumerate(text.split("`"))]
