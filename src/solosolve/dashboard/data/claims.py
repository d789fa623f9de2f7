"""Who is reading which complaint: claims that keep two reviewers from judging the same one, and that expire."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cachetools import TTLCache

from solosolve.clock import now

_MAX_CLAIMS = 10_000
"""Claims in memory; when there are more, the oldest one is dropped."""


@dataclass(frozen=True)
class Claim:
    """A complaint that a reviewer is reading.

    Attributes:
        complaint_id: The complaint.
        reviewer: Who is reading it.
        until: When the claim expires.
    """

    complaint_id: int
    reviewer: str
    until: datetime


class Claims:
    """The claims of all reviewers; each has at most one.

    They live in the memory of this process, so several dashboards over the same tables do not see each other's claims.
    Two reviewers can then read the same complaint, and the second verdict is refused when it is recorded.
    """

    def __init__(self, minutes: float, timer: Callable[[], float] = time.monotonic) -> None:
        """Keeps each claim for some minutes.

        Args:
            minutes: How long a claim holds unless it is renewed or released.
            timer: The seconds that it is measured in.
        """
        self._duration = timedelta(minutes=minutes)
        self._claims: TTLCache[int, Claim] = TTLCache(_MAX_CLAIMS, self._duration.total_seconds(), timer)
        self._lock = threading.Lock()

    def claim(self, complaint_id: int, reviewer: str) -> Claim:
        """Claims a complaint, or renews the claim, and releases the reviewer's other one.

        Returns:
            The claim in force: another reviewer's if that one came first, and then nothing has changed.
        """
        with self._lock:
            held = self._claims.get(complaint_id)
            if held is not None and held.reviewer != reviewer:
                return held
            for other in [each for each in self._claims.values() if each.reviewer == reviewer]:
                self._claims.pop(other.complaint_id, None)
            claim = Claim(complaint_id, reviewer, now() + self._duration)
            self._claims[complaint_id] = claim
            return claim

    def release(self, complaint_id: int, reviewer: str) -> None:
        """Releases a complaint if the reviewer has claimed it."""
        with self._lock:
            held = self._claims.get(complaint_id)
            if held is not None and held.reviewer == reviewer:
                self._claims.pop(complaint_id, None)

    def of(self, reviewer: str) -> Claim | None:
        """Returns the reviewer's claim."""
        with self._lock:
            return next((each for each in self._claims.values() if each.reviewer == reviewer), None)

    def of_others(self, reviewer: str) -> dict[int, Claim]:
        """Returns the claims of all other reviewers, by complaint."""
        with self._lock:
            return {each.complaint_id: each for each in self._claims.values() if each.reviewer != reviewer}
