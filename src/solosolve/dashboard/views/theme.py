"""One palette and one figure template; ink, lines and grounds are the style sheet's, in light and dark."""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go

SUCCESS, FAILURE, NEUTRAL = "#2f80c8", "#d8702a", "#8a94a3"
"""Blue and orange, which colour-blind readers tell apart (Okabe and Ito, 2008), 3:1 or more on both grounds."""

OUTCOMES = {1.0: ("Successful", SUCCESS), 0.0: ("Not successful", FAILURE)}
"""A prediction or label, what it is called, and its colour."""

RATE_SCALE = [[0.0, "#cfe0f0"], [1.0, "#12497d"]]
"""One hue, so that a low rate is not painted as failure."""

_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_AXIS = {
    "gridcolor": NEUTRAL, "zeroline": False, "linecolor": NEUTRAL, "automargin": False,
    "title": {"font": {"size": 12}, "standoff": 8}, "fixedrange": True,
}  # fmt: skip

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

CONFIG: Any = {"displayModeBar": False, "responsive": True, "topojsonURL": "/assets/topojson/", "scrollZoom": False}
"""Of every graph: the map's outlines are the dashboard's own file."""
