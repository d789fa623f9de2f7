"""The world of `solosolve live`: made-up complaints that arrive at a steady rate, and what becomes of them later."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from solosolve.samples.arrivals import Arrivals, MadeUp
from solosolve.samples.months import Change

DAY_SECONDS = 20
"""Seconds in which a day passes for the complaints: labels are split by the day received, which is never divided."""

TICK_SECONDS = 2.0
"""Seconds between two looks at what has arrived. After a longer pause, what it held up never arrives in a burst."""


@dataclass(frozen=True)
class LivePlan:
    """What happens in the world.

    Attributes:
        rate: Complaints a second.
        at_most: Complaints after which no more arrive, so that the disk does not fill up.
        delay: Seconds from a complaint to the report of its outcome.
        share: Share of complaints whose outcome is reported, from 0 to 1.
        shift_at: Seconds after which what a narrative mentions has the opposite effect; None for never.
        seed: Selects everything that is random.
    """

    rate: float
    at_most: int
    delay: float
    share: float
    shift_at: float | None
    seed: int


@dataclass(frozen=True)
class Arrival:
    """A complaint that arrives."""

    complaint_id: int
    received: date
    requested_at: datetime
    made_up: MadeUp


@dataclass(frozen=True)
class Outcome:
    """What became of a complaint, and when that was reported."""

    complaint_id: int
    is_success: bool
    given_at: datetime


class LiveWorld:
    """Complaints and outcomes as time passes."""

    def __init__(self, plan: LivePlan, first_id: int, first_day: date, begun_at: datetime) -> None:
        """Begins.

        Args:
            plan: What happens.
            first_id: The id of the first complaint; the others follow without gaps.
            first_day: The day on which it is received. No complaint is received later than today.
            begun_at: The present instant.
        """
        self._plan, self._next_id, self._first_day = plan, first_id, first_day
        self._begun_at = self._seen_at = begun_at
        self._arrivals = Arrivals((plan.seed, first_id))
        self._is_reported = np.random.default_rng((plan.seed, first_id, 1))
        self._due, self._left = 0.0, plan.at_most
        self._pending: deque[Outcome] = deque()

    @property
    def is_over(self) -> bool:
        """Whether no more complaints arrive."""
        return self._left == 0

    @property
    def expects_outcomes(self) -> bool:
        """Whether more complaints arrive, and outcomes of them are reported."""
        return not self.is_over and self._plan.share > 0

    def has_shifted(self, now: datetime) -> bool:
        """Whether the world has changed."""
        after = self._plan.shift_at
        return after is not None and now - self._begun_at >= timedelta(seconds=after)

    def arrive(self, now: datetime) -> list[Arrival]:
        """The complaints that have arrived since the last look."""
        elapsed = min((now - self._seen_at).total_seconds(), 2 * TICK_SECONDS)
        self._seen_at = now
        self._due += max(elapsed, 0.0) * self._plan.rate
        count = min(int(self._due), self._left)
        self._due -= int(self._due)
        self._left -= count
        changes = frozenset({Change.CONCEPT}) if self.has_shifted(now) else frozenset()
        received = min(self._first_day + (now - self._begun_at) // timedelta(seconds=DAY_SECONDS) * _DAY, now.date())
        found = [
            Arrival(self._next_id + number, received, now, made_up)
            for number, made_up in enumerate(self._arrivals.take(count, changes))
        ]
        self._next_id += count
        for each in found:
            if self._is_reported.random() < self._plan.share:
                given_at = now + timedelta(seconds=self._plan.delay)
                self._pending.append(Outcome(each.complaint_id, each.made_up.is_success, given_at))
        return found

    def report(self, now: datetime) -> list[Outcome]:
        """The outcomes that have become known since the last look."""
        found = []
        while self._pending and self._pending[0].given_at <= now:
            found.append(self._pending.popleft())
        return found


_DAY = timedelta(days=1)
