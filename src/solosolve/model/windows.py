"""The monitor's windows: periods of equal length whose borders do not depend on when somebody looks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, order=True)
class MonitorWindow:
    """A period.

    Attributes:
        start: Its first instant.
        end: The first instant after it.
    """

    start: datetime
    end: datetime


def complete_windows(first: datetime, until: datetime, days: int) -> list[MonitorWindow]:
    """The windows from the one that contains an instant to the last one that has ended, in order.

    Args:
        first: The instant.
        until: The present.
        days: Length of a window; whole windows are counted from 1970-01-01.
    """
    length = timedelta(days=days)
    start = _EPOCH + (first - _EPOCH) // length * length
    count = max(0, (until - start) // length)
    return [MonitorWindow(start + number * length, start + (number + 1) * length) for number in range(count)]
