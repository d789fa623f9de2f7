"""The query string of an address: its pairs of name and value, and what a room keeps in it under one name."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode


def pairs_of(search: object) -> list[tuple[str, str]]:
    """Returns the pairs of a query string in their order, without those that have no value; none if it is no text."""
    return parse_qsl(search.removeprefix("?")) if isinstance(search, str) else []


def query_string(pairs: Sequence[tuple[str, str]]) -> str:
    """Writes pairs as a query string with its question mark; without any, it is empty."""
    return f"?{urlencode(pairs)}" if pairs else ""


def parameter(search: object, name: str) -> str:
    """Returns a parameter's value in a query string; empty if it has none."""
    return dict(pairs_of(search)).get(name, "")


def with_parameter(search: object, name: str, value: str) -> str:
    """Returns the query string with a parameter set, or without it if the value is empty."""
    pairs = [pair for pair in pairs_of(search) if pair[0] != name]
    return query_string([*pairs, (name, value)] if value else pairs)
