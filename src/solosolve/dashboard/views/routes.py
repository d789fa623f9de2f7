"""The addresses of the rooms."""

from __future__ import annotations

from types import MappingProxyType

from solosolve.landing.normalise import parse_complaint_id

TODAY, COMPLAINTS, REVIEW, MODEL, DATA = "today", "complaints", "review", "model", "data"

ROOMS = MappingProxyType({"/": TODAY, "/complaints": COMPLAINTS, "/review": REVIEW, "/model": MODEL, "/data": DATA})
"""Address to room, in the order of the navigation."""

_COMPLAINT = "/complaints/"


def room_of(path: object) -> str:
    """Returns the room at an address, or the first room for an unknown address."""
    text = path.rstrip("/") if isinstance(path, str) else ""
    if text.startswith(_COMPLAINT):
        return COMPLAINTS
    return ROOMS.get(text or "/", TODAY)


def complaint_of(path: object) -> int | None:
    """Returns the complaint whose own page is at an address; None at any other address."""
    if not isinstance(path, str) or not path.startswith(_COMPLAINT):
        return None
    return parse_complaint_id(path.removeprefix(_COMPLAINT).rstrip("/"))


def path_of(complaint_id: int) -> str:
    """Returns the address of a complaint's own page."""
    return f"{_COMPLAINT}{complaint_id}"
