"""The addresses of the three views."""

from __future__ import annotations

OVERVIEW, COMPLAINTS, REVIEW = "overview", "complaints", "review"

VIEWS = {"/": OVERVIEW, "/complaints": COMPLAINTS, "/review": REVIEW}
"""Address to view. The navigation links carry it to page.js."""


def view_of(path: object) -> str:
    """Returns the view at an address, or the overview for an unknown address."""
    return VIEWS.get(path.rstrip("/") if isinstance(path, str) else "/", OVERVIEW)
