"""The control of Today's span, kept in sync with the address."""

from __future__ import annotations

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, Input, Output, ctx, no_update
from dash.development.base_component import Component

from solosolve.dashboard.data.arrivals import SINCE
from solosolve.dashboard.data.filters import DEFAULT_SPAN, SPANS, Filters
from solosolve.dashboard.data.query_string import with_parameter
from solosolve.errors import UsageError


def since_control() -> Component:
    """The spans on offer, side by side."""
    spans = [{"value": name, "label": f"Last {text}"} for name, (text, _) in SINCE.items()]
    return dmc.SegmentedControl(id="since", data=spans, value=DEFAULT_SPAN, **{"aria-label": "New since"})


def register_since_control(app: Dash) -> None:
    """Adds the callback that keeps control and address in sync."""

    @app.callback(
        Output("url", "search", allow_duplicate=True),
        Output("since", "value"),
        Input("since", "value"),
        Input("url", "search"),
        prevent_initial_call="initial_duplicate",
    )
    def sync(value: object, search: object) -> tuple[Any, Any]:
        if ctx.triggered_id == "since" and isinstance(value, str) and value in SPANS:
            new = with_parameter(search, "since", "" if value == DEFAULT_SPAN else value)
            return (no_update if new == (search or "") else new), no_update
        try:
            return no_update, Filters.parse(search).since
        except UsageError:
            return no_update, DEFAULT_SPAN
