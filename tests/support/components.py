"""Dash components as text, for tests that look for what a browser would be sent."""

from __future__ import annotations

import json
from typing import Any

from plotly.utils import PlotlyJSONEncoder


def as_json(component: Any) -> str:
    """The JSON that a browser is sent for a component."""
    return json.dumps(component, cls=PlotlyJSONEncoder, ensure_ascii=False)


def text_of(component: Any) -> str:
    """All the text in a component, in order and joined by spaces."""
    return " ".join(_texts(json.loads(as_json(component))))


def _texts(node: Any) -> list[str]:
    if node is None:
        return []
    if isinstance(node, list):
        return [text for each in node for text in _texts(each)]
    if isinstance(node, dict):
        return _texts(node["props"].get("children")) if "props" in node else []
    return [str(node)]
