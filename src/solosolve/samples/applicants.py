"""Who complains: state, ZIP code in its published forms, and tags."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calibration import Conditional, Days, Ints, Steps, Texts, as_texts, read_figures

FULL, MASKED, HIDDEN, BLANK = range(4)
"""How a ZIP code is published: all five digits, `123XX`, `XXXXX`, or not at all."""


@dataclass(frozen=True)
class Applicants:
    """States and tags by era, and the ZIP codes that go with a state."""

    states: Texts
    tags: Texts
    eras: Steps
    state_by_era: Conditional
    tag_by_era: Conditional
    form_by_era: Conditional
    prefix_by_state: Conditional
    has_prefixes: Ints
    lost_zero: float

    def draw(self, rng: np.random.Generator, days: Days) -> tuple[Texts, Texts, Texts]:
        """Draws each complaint's state, ZIP code and tags."""
        era = self.eras.at(days)
        state = self.state_by_era.draw(rng, era)
        tag = self.tag_by_era.draw(rng, era)
        return self.states[state], self._zip_codes(rng, era, state), self.tags[tag]

    def _zip_codes(self, rng: np.random.Generator, era: Ints, state: Ints) -> Texts:
        form = np.where(self.has_prefixes[state] == 1, self.form_by_era.draw(rng, era), BLANK)
        known = form <= MASKED
        prefix = np.zeros(len(state), dtype=np.int64)
        prefix[known] = self.prefix_by_state.draw(rng, state[known])
        ending = rng.integers(1, 100, len(state))
        # Some of the oldest records went through a spreadsheet, where codes lose their leading zero.
        is_cut = (era == 0) & (form == FULL) & (rng.random(len(state)) < self.lost_zero)
        heads, tails = THREE_DIGITS[prefix], TWO_DIGITS[ending]
        zips = np.where(form == FULL, heads + tails, np.where(form == MASKED, heads + "XX", ""))
        zips[form == HIDDEN] = "XXXXX"
        zips[is_cut] = [text.lstrip("0") for text in zips[is_cut]]
        return zips


THREE_DIGITS = as_texts([f"{number:03d}" for number in range(1000)])
TWO_DIGITS = as_texts([f"{number:02d}" for number in range(100)])


@cache
def load_applicants() -> Applicants:
    """Reads `people.json`'s states, ZIP codes and tags."""
    figures = read_figures("people")
    prefixes = figures["zip_prefixes"]
    forms = [[form["full"], form["masked"], form["hidden"], form["blank"]] for form in figures["zip_forms"]]
    return Applicants(
        states=as_texts(figures["states"]),
        tags=as_texts(figures["tags"]),
        eras=Steps.of(figures["applicant_eras"]),
        state_by_era=Conditional.of_weights(figures["state_counts"]),
        tag_by_era=Conditional.of_weights(figures["tag_counts"]),
        form_by_era=Conditional.of_weights(forms),
        prefix_by_state=Conditional.of_pairs(prefixes),
        has_prefixes=np.array([len(row) > 0 for row in prefixes], dtype=np.int64),
        lost_zero=figures["zip_lost_zero"],
    )
