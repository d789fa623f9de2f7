"""How complaints travel: channel, consent, days until the company gets them, public response, kinds of blank."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calendar import Calendar
from solosolve.samples.calibration import Bools, Conditional, Days, Floats, Ints, Steps, Texts, as_texts, read_figures

NOT_ASKED = "N/A"


@dataclass(frozen=True)
class Handling:
    """Distributions of what happens around a complaint, apart from its outcome."""

    channels: Texts
    consents: Texts
    public_responses: Texts
    topic_count: int
    route_by_period: Conditional
    open_ages: Ints
    open_shares: Floats
    open_consent: Conditional
    public_response_steps: Steps
    public_response: Conditional
    consent_blank_steps: Steps
    consent_blank: Floats
    disputed_blank_steps: Steps
    disputed_blank: Floats
    lag_steps: Steps
    lag_edges: Ints
    lag: Conditional

    @property
    def web(self) -> int:
        """Code of the only channel that asks for consent to publish."""
        return int(np.flatnonzero(self.channels == "Web")[0])

    def consent(self, name: str) -> int:
        """Code of a spelling of `Consumer consent provided?`."""
        return int(np.flatnonzero(self.consents == name)[0])

    def draw_open(self, rng: np.random.Generator, calendar: Calendar, days: Days) -> Bools:
        """Draws which complaints the company was still working on when the file was published."""
        age = (calendar.end - np.timedelta64(1, "D") - days).astype(np.int64)
        step = np.searchsorted(self.open_ages, age, side="right") - 1
        is_open: Bools = rng.random(len(days)) < self.open_shares[step]
        return is_open

    def draw_route(
        self, rng: np.random.Generator, calendar: Calendar, days: Days, issue_topic: Ints, is_open: Bools
    ) -> tuple[Ints, Ints]:
        """Draws each complaint's channel and consent together; before consent was asked for, it is N/A."""
        route = self.route_by_period.draw(rng, calendar.periods.at(days) * self.topic_count + issue_topic)
        channel, consent = np.divmod(route, len(self.consents))
        while_open = self.open_consent.draw(rng, np.zeros(len(days), dtype=np.int64))
        consent = np.where(is_open & (channel == self.web), while_open, consent)
        return channel, np.where(days < calendar.consent_start, self.consent(NOT_ASKED), consent)

    def draw_lag_days(self, rng: np.random.Generator, days: Days, channel: Ints) -> Ints:
        """Draws the days between receipt and the day on which the company was sent the complaint."""
        bucket = self.lag.draw(rng, self.lag_steps.at(days) * 2 + (channel != self.web))
        return rng.integers(self.lag_edges[bucket], self.lag_edges[bucket + 1])

    def draw_public_response(self, rng: np.random.Generator, days: Days, is_closed: Bools) -> Texts:
        """Draws the company's public response; only a closed complaint has one."""
        response = self.public_responses[self.public_response.draw(rng, self.public_response_steps.at(days))]
        response[~is_closed] = ""
        return response

    def spell_consent(self, rng: np.random.Generator, days: Days, consent: Ints) -> Texts:
        """Spells the consent; the file's extracts disagree on whether 'not asked' is N/A or blank."""
        texts = self.consents[consent]
        is_blank = rng.random(len(days)) < self.consent_blank[self.consent_blank_steps.at(days)]
        texts[is_blank & (consent == self.consent(NOT_ASKED))] = ""
        return texts

    def spell_unknown_dispute(self, rng: np.random.Generator, days: Days) -> Texts:
        """Spells an unknown `Consumer disputed?`: N/A or blank, by year."""
        is_blank = rng.random(len(days)) < self.disputed_blank[self.disputed_blank_steps.at(days)]
        return np.where(is_blank, "", NOT_ASKED).astype(object)


@cache
def load_handling() -> Handling:
    """Reads `handling.json`; a route is `channel * number of consents + consent`."""
    figures = read_figures("handling")
    cells = figures["channel_consent"]
    lags = figures["lag"]
    return Handling(
        channels=as_texts(figures["channels"]),
        consents=as_texts(figures["consents"]),
        public_responses=as_texts(figures["public_responses"]),
        topic_count=len(cells[0]),
        route_by_period=Conditional.of_pairs(cell for period in cells for cell in period),
        open_ages=np.array([age for age, _ in figures["in_progress"]], dtype=np.int64),
        open_shares=np.array([share for _, share in figures["in_progress"]], dtype=np.float64),
        open_consent=Conditional.of_weights([figures["in_progress_consent"]]),
        public_response_steps=Steps.of([row[0] for row in figures["public_response"]]),
        public_response=Conditional.of_weights(row[1:] for row in figures["public_response"]),
        consent_blank_steps=Steps.of([day for day, _ in figures["consent_blank"]]),
        consent_blank=np.array([share for _, share in figures["consent_blank"]], dtype=np.float64),
        disputed_blank_steps=Steps.of([day for day, _ in figures["disputed_blank"]]),
        disputed_blank=np.array([share for _, share in figures["disputed_blank"]], dtype=np.float64),
        lag_steps=Steps.of([row[0] for row in lags]),
        lag_edges=np.array(figures["lag_edges"], dtype=np.int64),
        lag=Conditional.of_weights(histogram for _, web, other in lags for histogram in (web, other)),
    )
