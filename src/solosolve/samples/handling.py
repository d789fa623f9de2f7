"""How complaints are handled: channel, consent, days until the company receives them, public response, blanks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calendar import Calendar
from solosolve.samples.distributions import (
    Bools,
    ConditionalDistribution,
    DateBins,
    Dates,
    Floats,
    Ints,
    StepFunction,
    Texts,
    as_texts,
    read_statistics,
)

NOT_APPLICABLE = "N/A"
CONSENT_PROVIDED = "Consent provided"


@dataclass(frozen=True)
class Handling:
    """Distributions of everything about a complaint's handling except its outcome.

    A route is a channel and a consent in one code: `channel * number of consents + consent`.

    Attributes:
        channels: Values of `Submitted via`.
        consents: Values of `Consumer consent provided?`.
        public_responses: Values of `Company public response`.
        product_family_count: Number of product families.
        route: Distribution of routes by quarter and product family.
        open_ages: Days between receipt and publication at which the share of open complaints changes, ascending.
        open_shares: Share of complaints still in progress from each of those ages on.
        open_consent: Distribution of consents of open complaints filed on the web.
        public_response_bins: Spans of time with one distribution of public responses each.
        public_response: Those distributions.
        consent_blank_share: Share of `N/A` consents published as blank.
        disputed_blank_share: Share of unknown `Consumer disputed?` published as blank.
        lag_bins: Spans of time with one distribution of lags each.
        lag_edges: Bounds of the buckets of lags, in days.
        lag: Distribution of those buckets by span and by channel (web or other).
    """

    channels: Texts
    consents: Texts
    public_responses: Texts
    product_family_count: int
    route: ConditionalDistribution
    open_ages: Ints
    open_shares: Floats
    open_consent: ConditionalDistribution
    public_response_bins: DateBins
    public_response: ConditionalDistribution
    consent_blank_share: StepFunction
    disputed_blank_share: StepFunction
    lag_bins: DateBins
    lag_edges: Ints
    lag: ConditionalDistribution

    @property
    def web(self) -> int:
        """Code of `Web`, the only channel that asks for consent to publish."""
        return int(np.flatnonzero(self.channels == "Web")[0])

    def consent_code(self, value: str) -> int:
        """Returns the code of a value of `Consumer consent provided?`."""
        return int(np.flatnonzero(self.consents == value)[0])

    def draw_open(self, rng: np.random.Generator, calendar: Calendar, dates: Dates) -> Bools:
        """Draws which complaints were still in progress when the file was published."""
        age = (calendar.end - np.timedelta64(1, "D") - dates).astype(np.int64)
        bracket = np.searchsorted(self.open_ages, age, side="right") - 1
        is_open: Bools = rng.random(len(dates)) < self.open_shares[bracket]
        return is_open

    def draw_route(
        self, rng: np.random.Generator, calendar: Calendar, dates: Dates, issue_product_family: Ints, is_open: Bools
    ) -> tuple[Ints, Ints]:
        """Draws each complaint's channel and consent together; before `consent_start` the consent is N/A."""
        route = self.route.draw(rng, calendar.periods.find(dates) * self.product_family_count + issue_product_family)
        channel, consent = np.divmod(route, len(self.consents))
        while_open = self.open_consent.draw(rng, np.zeros(len(dates), dtype=np.int64))
        consent = np.where(is_open & (channel == self.web), while_open, consent)
        return channel, np.where(dates < calendar.consent_start, self.consent_code(NOT_APPLICABLE), consent)

    def draw_lag_days(self, rng: np.random.Generator, dates: Dates, channel: Ints) -> Ints:
        """Draws how many days after receipt each complaint is sent to the company."""
        bucket = self.lag.draw(rng, self.lag_bins.find(dates) * 2 + (channel != self.web))
        return rng.integers(self.lag_edges[bucket], self.lag_edges[bucket + 1])

    def draw_public_response(self, rng: np.random.Generator, dates: Dates, is_closed: Bools) -> Texts:
        """Draws the company's public response, which is blank unless the complaint is closed."""
        response = self.public_responses[self.public_response.draw(rng, self.public_response_bins.find(dates))]
        response[~is_closed] = ""
        return response

    def draw_consent_text(self, rng: np.random.Generator, dates: Dates, consent: Ints) -> Texts:
        """Draws how each consent is published: extracts of the file differ in whether 'not asked' is N/A or blank."""
        texts = self.consents[consent]
        is_blank = rng.random(len(dates)) < self.consent_blank_share.at(dates)
        texts[is_blank & (consent == self.consent_code(NOT_APPLICABLE))] = ""
        return texts

    def draw_unknown_dispute_text(self, rng: np.random.Generator, dates: Dates) -> Texts:
        """Draws how an unknown `Consumer disputed?` is published: N/A or blank, by year."""
        is_blank = rng.random(len(dates)) < self.disputed_blank_share.at(dates)
        return np.where(is_blank, "", NOT_APPLICABLE).astype(object)


@cache
def load_handling() -> Handling:
    """Reads `handling.json`."""
    statistics = read_statistics("handling")
    cells = statistics["channel_consent"]
    lags = statistics["lag"]
    return Handling(
        channels=as_texts(statistics["channels"]),
        consents=as_texts(statistics["consents"]),
        public_responses=as_texts(statistics["public_responses"]),
        product_family_count=len(cells[0]),
        route=ConditionalDistribution.from_pairs(cell for period in cells for cell in period),
        open_ages=np.array([age for age, _ in statistics["in_progress"]], dtype=np.int64),
        open_shares=np.array([share for _, share in statistics["in_progress"]], dtype=np.float64),
        open_consent=ConditionalDistribution.from_weights([statistics["in_progress_consent"]]),
        public_response_bins=DateBins.from_starts([row[0] for row in statistics["public_response"]]),
        public_response=ConditionalDistribution.from_weights(row[1:] for row in statistics["public_response"]),
        consent_blank_share=StepFunction.from_rows(statistics["consent_blank"]),
        disputed_blank_share=StepFunction.from_rows(statistics["disputed_blank"]),
        lag_bins=DateBins.from_starts([row[0] for row in lags]),
        lag_edges=np.array(statistics["lag_edges"], dtype=np.int64),
        lag=ConditionalDistribution.from_weights(histogram for _, web, other in lags for histogram in (web, other)),
    )
