"""Exact copies: form letters that several people file, mostly about credit reports and mostly in later years."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Days, Floats, Ints, Steps, read_figures

FAVOURITE_EXPONENT = 4.0
"""The larger, the more copies fall on the first letters: one letter of the real file has 64 of 6,980."""


@dataclass(frozen=True)
class Copies:
    """Share of narratives that copy another one, by day."""

    steps: Steps
    shares: Floats

    def draw_sources(self, rng: np.random.Generator, days: Days, subject: Ints) -> Ints:
        """Says whose text each narrative has.

        Args:
            rng: Source of every choice.
            days: Day of each narrative.
            subject: What each narrative is about; copies stay within a subject.

        Returns:
            Per narrative the position of the original, which is its own position unless it is a copy.
        """
        is_copy = rng.random(len(days)) < self.shares[self.steps.at(days)]
        originals = np.flatnonzero(~is_copy)
        originals = originals[np.argsort(subject[originals], kind="stable")]
        known = subject[originals]
        copies = np.flatnonzero(is_copy)
        first = np.searchsorted(known, subject[copies], side="left")
        count = np.searchsorted(known, subject[copies], side="right") - first
        choice = first + (count * rng.random(len(copies)) ** FAVOURITE_EXPONENT).astype(np.int64)
        sources = np.arange(len(days))
        has_original = count > 0
        sources[copies[has_original]] = originals[choice[has_original]]
        return sources


@cache
def load_copies() -> Copies:
    """Reads the share of copies by year from `narratives.json`."""
    steps = read_figures("narratives")["copies"]
    return Copies(Steps.of([day for day, _ in steps]), np.array([share for _, share in steps]))
