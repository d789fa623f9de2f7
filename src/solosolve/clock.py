"""The time that the project's rows carry: the real one, or a virtual one while months are replayed in minutes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC) + _offset


@contextmanager
def virtual_time(start: datetime) -> Iterator[None]:
    """Lets the time of this process begin at another instant and go on from there, until the block ends."""
    global _offset
    before, _offset = _offset, start - datetime.now(UTC)
    try:
        yield
    finally:
        _offset = before
