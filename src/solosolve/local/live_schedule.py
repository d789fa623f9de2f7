"""When a turn of the loop of `solosolve live` starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from solosolve.local.live_turn import FIRST_OUTCOMES


@dataclass
class Schedule:
    """Turns start some minutes apart, and only with something new to take in.

    Attributes:
        minutes: Minutes from the start of one turn to that of the next; 0 for no turns.
        next_at: When the next turn may start.
        outcome_count: Outcomes that have been reported since the last turn started.
        least_outcomes: How many a turn waits for as long as more are to come.
    """

    minutes: float
    next_at: datetime
    outcome_count: int = 0
    least_outcomes: int = FIRST_OUTCOMES

    def is_due(self, at: datetime, *, has_files: bool, expects_outcomes: bool) -> bool:
        """Whether a turn is to start, if none is running.

        Args:
            at: The present instant.
            has_files: Whether there are files to take in.
            expects_outcomes: Whether complaints go on to arrive, and outcomes of them are reported.
        """
        if not self.minutes or at < self.next_at:
            return False
        if expects_outcomes:
            return self.outcome_count >= self.least_outcomes
        return has_files or self.outcome_count > 0

    def begin(self, at: datetime) -> None:
        """Notes that a turn starts."""
        self.next_at = at + timedelta(minutes=self.minutes)
        self.outcome_count, self.least_outcomes = 0, 1
