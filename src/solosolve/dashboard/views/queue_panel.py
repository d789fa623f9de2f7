"""The queue of the review room: what to review next, how each complaint was picked, and who has which one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from solosolve.dashboard.data.claims import Claim
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.data.review_desk import ReviewDesk
from solosolve.dashboard.data.review_queue import review_queue
from solosolve.dashboard.data.second_readings import with_second_readings
from solosolve.dashboard.views.elements import attributes, counted, empty, loading, not_yet
from solosolve.errors import NotYetError, SolosolveError
from solosolve.names import PICKED_AUDIT, PICKED_SECOND, PICKED_UNCERTAIN

EVERYTHING = "all"
PICK_NAMES = {PICKED_UNCERTAIN: "uncertain", PICKED_AUDIT: "random", PICKED_SECOND: "second reading"}
"""How a complaint was picked, in the words of the page."""

_GROUPS = {EVERYTHING: "All", PICKED_UNCERTAIN: "Uncertain", PICKED_AUDIT: "Random"}
_DESCRIPTION = (
    "Uncertain: nearest to the threshold, balanced across products. Random: picked to measure the model, whatever it "
    "says. Now and then a complaint that someone else has judged, for a second reading."
)


@dataclass(frozen=True)
class QueueView:
    """The queue as a reviewer sees it.

    Attributes:
        rows: The complaints that can be opened, in order.
        content: What the panel shows.
        waiting: Complaints in all that wait for a verdict; None if that cannot be told.
    """

    rows: list[dict[str, Any]]
    content: Component
    waiting: int | None


def queue_panel() -> list[Component]:
    """The panel without data."""
    return [
        html.H3("Up next"),
        html.P(_DESCRIPTION, className="description"),
        html.Div(
            [
                dmc.SegmentedControl(
                    id="review-group", data=[{"value": value, "label": label} for value, label in _GROUPS.items()],
                    value=EVERYTHING, size="xs", persistence=True, persistence_type="local",
                    attributes={"root": {"aria-label": "Which complaints"}},
                ),
                dmc.Switch(
                    id="review-hidden", label="Hide probability", checked=False, size="xs", persistence=True,
                    persistence_type="local",
                ),
            ],
            className="queue-options",
        ),
        html.Div(loading(), id="queue"),
        html.Div(id="review-claims", className="note", role="status"),
    ]  # fmt: skip


def queue_view(desk: ReviewDesk, search: object, group: object, *, is_hidden: bool, reviewer: str) -> QueueView:
    """Draws the queue of a reviewer.

    Args:
        desk: Where complaints and claims are read.
        search: The query string of the address.
        group: EVERYTHING, or how the complaints to show were picked; second readings are always shown. The groups are
            parts of the one queue, so a choice changes neither which complaints are picked nor how likely they were.
        is_hidden: Whether to leave out the probabilities.
        reviewer: Whose queue it is.
    """
    claimed = desk.claims.of_others(reviewer).keys()
    chosen = group if isinstance(group, str) and group in _GROUPS else EVERYTHING
    try:
        filters = Filters.parse(search)
        queue = review_queue(desk.answers, filters, desk.rules.audit_share, claimed=claimed)
        share = desk.rules.second_reading_share
        rows = with_second_readings(desk.answers, queue.rows, filters, reviewer, share, claimed)
    except NotYetError as error:
        return QueueView([], not_yet(error), None)
    except SolosolveError as error:
        return QueueView([], empty(str(error)), None)
    shown = [row for row in rows if chosen == EVERYTHING or row["picked_by"] in (chosen, PICKED_SECOND)]
    if not shown:
        return QueueView([], empty(_why_empty(filters, queue.waiting, bool(rows))), queue.waiting)
    entries = html.Ol([_entry(row, is_hidden=is_hidden) for row in shown], className="queue")
    return QueueView(shown, entries, queue.waiting)


def claims_of_others(claims: list[Claim]) -> str:
    """Says who is reading what; the empty string if nobody is."""
    if not claims:
        return ""
    each = (f"{claim.complaint_id} ({claim.reviewer})" for claim in sorted(claims, key=lambda claim: claim.until))
    return f"Being read by others: {', '.join(each)}"


def _why_empty(filters: Filters, waiting: int, has_other_groups: bool) -> str:
    if has_other_groups:
        return "None of the next complaints was picked like this. Choose All to see them."
    if waiting:
        return f"{counted(waiting, 'complaint')} left, and other reviewers are reading what is left."
    return "No complaints left to review." if filters.is_empty else "No complaints to review match these filters."


def _entry(row: dict[str, Any], *, is_hidden: bool) -> Component:
    details = " · ".join(str(part) for part in (row["company"], row["state"], row["complaint_id"]) if part)
    pick = row["picked_by"]
    probability = [] if is_hidden else [html.Span(f"{row['probability']:.1%}", className="probability")]
    return html.Li(
        html.Button(
            [
                *probability,
                html.Span([html.Strong(row["product"] or "no product"), html.Br(), details], className="complaint"),
                html.Span(PICK_NAMES[pick], className=f"pick {pick}"),
            ],
            id={"type": "queue", "complaint": row["complaint_id"]},
            n_clicks=0,
            type="button",
            **attributes(data_complaint=str(row["complaint_id"])),
        )
    )
