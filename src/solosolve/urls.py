"""URLs that name files on this machine."""

from __future__ import annotations


def as_path(place: str) -> str:
    """The path of a URL that names a file on this machine: `file:` anywhere, `dbfs:` on the platform."""
    if place.startswith("file:/"):
        return "/" + place.removeprefix("file:").lstrip("/")
    if place.startswith("dbfs:/"):
        path = "/" + place.removeprefix("dbfs:").lstrip("/")
        return path if path.startswith("/Volumes/") else f"/dbfs{path}"
    return place
