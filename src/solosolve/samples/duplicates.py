"""Duplicate narratives: form letters that many consumers file, mostly about credit reports and in later years."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import Dates, Ints, StepFunction, read_statistics

POPULARITY_EXPONENT = 4.0
"""Concentrates duplicates on few form letters: in the real file a single letter accounts for 64 of 6,980."""


@dataclass(frozen=True)
class Duplicates:
    """The share of narratives that duplicate another one, by date."""

    share: StepFunction

    def draw_originals(self, rng: np.random.Generator, dates: Dates, subject: Ints) -> Ints:
        """Draws whose text each narrative repeats.

        Args:
            rng: Source of all randomness.
            dates: Date of each narrative.
            subject: What each narrative is about; a duplicate and its original have the same subject.

        Returns:
            Per narrative, the position of its original: its own position unless it is a duplicate.
        """
        is_duplicate = rng.random(len(dates)) < self.share.at(dates)
        candidates = np.flatnonzero(~is_duplicate)
        candidates = candidates[np.argsort(subject[candidates], kind="stable")]
        candidate_subject = subject[candidates]
        duplicates = np.flatnonzero(is_duplicate)
        first = np.searchsorted(candidate_subject, subject[duplicates], side="left")
        count = np.searchsorted(candidate_subject, subject[duplicates], side="right") - first
        choice = first + (count * rng.random(len(duplicates)) ** POPULARITY_EXPONENT).astype(np.int64)
        originals = np.arange(len(dates))
        has_candidate = count > 0
        originals[duplicates[has_candidate]] = candidates[choice[has_candidate]]
        return originals


@cache
def load_duplicates() -> Duplicates:
    """Reads the share of duplicates by year from `narratives.json`."""
    return Duplicates(StepFunction.from_rows(read_statistics("narratives")["copies"]))
