"""The three views, and which one an address names."""

from __future__ import annotations

OVERVIEW, COMPLAINTS, REVIEW = "overview", "complaints", "review"

VIEWS = {"/": OVERVIEW, "/complaints": COMPLAINTS, "/review": REVIEW}
"""Address to view."""


def view_of(path: object) -> str:
    """The view that an address names; the overview for any other."""
    return VIEWS.get(path.rstrip("/") if isinstance(path, str) else "/", OVERVIEW)
