"""A picture: a figure, what it says in words, and the same numbers as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import plotly.graph_objects as go

from solosolve.dashboard.views.theme import TEMPLATE

MIN_COMPLAINTS = 50
"""A share of fewer complaints is drawn in grey: its 95 % interval can be wider than 0.27."""

NOT_GIVEN = "not given"


@dataclass(frozen=True)
class Picture:
    """A figure and the two ways to read it without seeing it.

    If a click on a point can narrow the page, the point's custom data begins with the query that does so (`click`).

    Attributes:
        figure: The figure.
        alt_text: Its alternative text.
        headings: The table's headings.
        rows: The table's rows: one per point or per bar, as wide as the headings.
    """

    figure: go.Figure
    alt_text: str
    headings: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]


def click(**filters: str | None) -> str:
    """Returns the part of an address that narrows a page to what was clicked, such as `state=CA`.

    Args:
        filters: Names that `Filters.parse` reads, with their values; `from_` stands for `from`. One without a value
            makes the result empty, because no filter selects what is missing.
    """
    if not all(filters.values()):
        return ""
    return urlencode({name.rstrip("_"): value for name, value in filters.items()})


def blank_figure(**layout: Any) -> go.Figure:
    """A figure without traces, in the dashboard's style."""
    return go.Figure(layout={"template": TEMPLATE, **layout})


def with_names(figure: go.Figure) -> go.Figure:
    """Fits the left margin to the names. Plotly then draws the figure twice, so other figures keep a fixed margin."""
    return figure.update_layout(margin_l=8).update_yaxes(automargin=True)


def shortened(name: str, length: int = 26) -> str:
    """Cuts a name that is longer than `length` characters."""
    return name if len(name) <= length else f"{name[: length - 1]}…"


def percent(share: float) -> str:
    """Formats a share from 0 to 1 with one decimal."""
    return f"{share:.1%}"


def interval(low: float, high: float) -> str:
    """Formats an interval of shares."""
    return f"{low:.1%} to {high:.1%}"
