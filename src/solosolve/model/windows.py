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

    @property
    def length(self) -> timedelta:
        """From its start to its end."""
        return self.end - self.start


def complete_windows(first: datetime, until: datetime, days: float, at_most: int | None = None) -> list[MonitorWindow]:
    """The windows from the one that contains an instant to the last one that has ended, in order.

    Args:
        first: The instant.
        until: The present.
        days: Length of a window, rounded to seconds; whole windows are counted from 1970-01-01.
        at_most: How many windows, the newest ones; all when None.
    """
    length = timedelta(seconds=round(days * 86_400))
    start = _EPOCH + (first - _EPOCH) // length * length
    count = max(0, (until - start) // length)
    skipped = 0 if at_most is None else max(0, count - at_most)
    return [MonitorWindow(start + number * length, start + (number + 1) * length) for number in range(skipped, count)]
