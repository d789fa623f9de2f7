"""A clock that a test moves on by hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class ManualClock:
    """Stands in for `time.monotonic`; it shows the same time until the test changes it.

    Attributes:
        seconds: What it shows.
    """

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds
