"""The palette and the figure template. The style sheet sets text, line and background colours for light and dark."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

from solosolve.names import OUTCOME_NAMES

SUCCESS, FAILURE, NEUTRAL = "#2f80c8", "#d8702a", "#8a94a3"
"""Colour-blind readers can distinguish this blue and orange (Okabe and Ito, 2008); contrast is at least 3:1."""

OUTCOMES = {
    outcome: (OUTCOME_NAMES[outcome].capitalize(), colour) for outcome, colour in ((1.0, SUCCESS), (0.0, FAILURE))
}
"""Prediction or label to its name and colour."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_AXIS = {
    "gridcolor": NEUTRAL, "zeroline": False, "linecolor": NEUTRAL, "automargin": False,
    "title": {"font": {"size": 12}, "standoff": 8}, "fixedrange": True,
}  # fmt: skip

MANTINE_THEME: dict[str, Any] = {"fontFamily": _FONT, "primaryColor": "blue", "defaultRadius": "sm"}
"""The theme of Mantine's components; the style sheet gives them the page's colours."""

TEMPLATE = go.layout.Template(
    layout={
        "font": {"family": _FONT, "size": 12, "color": NEUTRAL},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 12, "t": 28, "b": 44},
        "xaxis": _AXIS,
        "yaxis": _AXIS,
        "bargap": 0.25,
        "hovermode": "closest",
        "hoverlabel": {"font": {"family": _FONT, "size": 12}},
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "xanchor": "left"},
        "dragmode": False,
        "separators": ".,",
    }
)

CONFIG: Any = {"displayModeBar": False, "responsive": True, "scrollZoom": False}
"""Plotly settings of every graph."""
