"""What a room keeps in the query string of its address, next to the filters: one value per name."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode


def parameter(search: object, name: str) -> str:
    """Returns a parameter's value in a query string; empty if it has none."""
    return dict(_pairs(search)).get(name, "")


def with_parameter(search: object, name: str, value: str) -> str:
    """Returns the query string with a parameter set, or without it if the value is empty."""
    pairs = [pair for pair in _pairs(search) if pair[0] != name]
    if value:
        pairs.append((name, value))
    return f"?{urlencode(pairs)}" if pairs else ""


def _pairs(search: object) -> list[tuple[str, str]]:
    return parse_qsl(search.removeprefix("?")) if isinstance(search, str) else []
