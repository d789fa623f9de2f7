"""Made-up complaints one after another, without end, as they arrive at a desk."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from solosolve.names import FILED_COLUMNS
from solosolve.samples.months import Change, draw_complaints
from solosolve.samples.writer import FIRST_ID, ID_RANGES, IDS_PER_SAMPLE

FIRST_ARRIVAL_ID = FIRST_ID + ID_RANGES * IDS_PER_SAMPLE
"""Arriving complaints have this id or a greater one; those of samples, months and the Bureau are all smaller."""

_DRAWN = 120
"""Complaints per draw: as few as possible, because a change discards the rest."""


@dataclass(frozen=True)
class MadeUp:
    """A made-up complaint.

    Attributes:
        filed: FILED_COLUMNS as texts, None for a blank, without `date_received`.
        probability: The true probability of success.
        is_success: What becomes of it.
    """

    filed: dict[str, str | None]
    probability: float
    is_success: bool


class Arrivals:
    """An endless sequence of made-up complaints, in a world that may change on the way."""

    def __init__(self, seed: Sequence[int]) -> None:
        """The same seed gives the same complaints."""
        self._rng = np.random.default_rng(seed)
        self._changes: Set[Change] = frozenset()
        self._drawn: deque[MadeUp] = deque()

    def take(self, count: int, changes: Set[Change]) -> list[MadeUp]:
        """Takes the next complaints.

        Args:
            count: How many.
            changes: How the world has changed by now.
        """
        if changes != self._changes:
            self._drawn.clear()
            self._changes = changes
        while len(self._drawn) < count:
            self._draw()
        return [self._drawn.popleft() for _ in range(count)]

    def _draw(self) -> None:
        drawn = draw_complaints(self._rng, _DRAWN, self._changes)
        names = [name for name in FILED_COLUMNS if name != "date_received"]
        rows = zip(*(drawn.columns[name].tolist() for name in names), strict=True)
        truths = zip(drawn.probability.tolist(), drawn.is_success.tolist(), strict=True)
        for row, (probability, is_success) in zip(rows, truths, strict=True):
            filed = {name: text or None for name, text in zip(names, row, strict=True)}
            self._drawn.append(MadeUp(filed, probability, is_success))
