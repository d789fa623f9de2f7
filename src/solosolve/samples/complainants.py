"""Who complains: state, ZIP code as published, and tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.distributions import (
    ConditionalDistribution,
    DateBins,
    Dates,
    Ints,
    Texts,
    as_texts,
    read_statistics,
)

FULL, MASKED, HIDDEN, BLANK = range(4)
"""How a ZIP code is published: all five digits, `123XX`, `XXXXX`, or not at all."""

THREE_DIGITS = as_texts([f"{number:03d}" for number in range(1000)])
TWO_DIGITS = as_texts([f"{number:02d}" for number in range(100)])


@dataclass(frozen=True)
class Complainants:
    """Distributions of states and tags by era, and of ZIP codes by state.

    `has_prefixes` is 1 for states with known ZIP codes; `lost_zero_share` is the share of full ZIP codes in the first
    era whose leading zeros are missing.
    """

    states: Texts
    tags: Texts
    eras: DateBins
    state_by_era: ConditionalDistribution
    tag_by_era: ConditionalDistribution
    zip_form_by_era: ConditionalDistribution
    zip_prefix_by_state: ConditionalDistribution
    has_prefixes: Ints
    lost_zero_share: float

    def draw(self, rng: np.random.Generator, dates: Dates) -> tuple[Texts, Texts, Texts]:
        """Draws each complaint's state, ZIP code and tags."""
        era = self.eras.find(dates)
        state = self.state_by_era.draw(rng, era)
        tag = self.tag_by_era.draw(rng, era)
        return self.states[state], self._zip_codes(rng, era, state), self.tags[tag]

    def _zip_codes(self, rng: np.random.Generator, era: Ints, state: Ints) -> Texts:
        form = np.where(self.has_prefixes[state] == 1, self.zip_form_by_era.draw(rng, era), BLANK)
        has_digits = form <= MASKED
        prefix = np.zeros(len(state), dtype=np.int64)
        prefix[has_digits] = self.zip_prefix_by_state.draw(rng, state[has_digits])
        ending = rng.integers(1, 100, len(state))
        # Some of the oldest records passed through a spreadsheet, which drops leading zeros.
        lost_zero = (era == 0) & (form == FULL) & (rng.random(len(state)) < self.lost_zero_share)
        heads, tails = THREE_DIGITS[prefix], TWO_DIGITS[ending]
        zips = np.where(form == FULL, heads + tails, np.where(form == MASKED, heads + "XX", ""))
        zips[form == HIDDEN] = "XXXXX"
        zips[lost_zero] = [text.lstrip("0") for text in zips[lost_zero]]
        return zips


@cache
def load_complainants() -> Complainants:
    """Reads states, ZIP codes and tags from `people.json`."""
    statistics = read_statistics("people")
    prefixes = statistics["zip_prefixes"]
    zip_forms = [[form["full"], form["masked"], form["hidden"], form["blank"]] for form in statistics["zip_forms"]]
    return Complainants(
        states=as_texts(statistics["states"]),
        tags=as_texts(statistics["tags"]),
        eras=DateBins.from_starts(statistics["applicant_eras"]),
        state_by_era=ConditionalDistribution.from_weights(statistics["state_counts"]),
        tag_by_era=ConditionalDistribution.from_weights(statistics["tag_counts"]),
        zip_form_by_era=ConditionalDistribution.from_weights(zip_forms),
        zip_prefix_by_state=ConditionalDistribution.from_pairs(prefixes),
        has_prefixes=np.array([len(row) > 0 for row in prefixes], dtype=np.int64),
        lost_zero_share=statistics["zip_lost_zero"],
    )
