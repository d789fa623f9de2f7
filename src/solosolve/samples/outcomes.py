"""How complaints end, drawn from a known probability of success.

Let x be everything known at filing, and `strength` its planted part (company and themes). Then

    P(success | x) = P(on time | x) * sum over the three successful responses r of P(r | x) * (1 - P(disputed | r, x))

Each factor is logistic in x. The effects of issue, channel and month are measured; the slopes of `strength` are
planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calendar import Calendar
from solosolve.samples.distributions import Bools, Dates, Floats, Ints, StepFunction, Texts, as_texts, read_statistics

SUCCESSFUL_COUNT = 3
"""The first three responses in `handling.json` can make a complaint successful under the label rule."""

DISPUTE_SLOPE = -1.0
LATE_SLOPE = -0.4
RESPONSE_SLOPES = (0.0, 0.25, 0.35, -0.5, 0.0, 0.0)
"""Planted: change in log-odds of a dispute, a late answer and each response, per unit of strength."""

LATE_TAIL_EFFECT = 0.7
"""Planted: companies in the tail answer late more often (log-odds)."""

UNTIMELY = "Untimely response"
IN_PROGRESS = "In progress"


@dataclass(frozen=True)
class Filings:
    """What is known about a batch of complaints at filing, as codes; `strength` has mean 0."""

    dates: Dates
    issue: Ints
    issue_product_family: Ints
    channel: Ints
    consent: Ints
    is_tail: Bools
    strength: Floats


@dataclass(frozen=True)
class Outcomes:
    """The drawn outcomes of a batch, and `probability`, the P(success | x) of each."""

    response: Texts
    is_timely: Bools
    is_disputed: Bools
    is_success: Bools
    probability: Floats


@dataclass(frozen=True)
class OutcomeModel:
    """Measured rates of late answers, responses and disputes, as log-odds or log-weights.

    `dispute_<factor>` is the factor's term in the log-odds of a dispute.
    """

    responses: Texts
    product_family_count: int
    response_log_weight: Floats
    issue_response: Floats
    late_log_odds: Floats
    untimely_share: Floats
    dispute_response: Floats
    dispute_time: StepFunction
    dispute_issue: Floats
    dispute_route: Floats

    def draw(self, rng: np.random.Generator, calendar: Calendar, filings: Filings) -> Outcomes:
        """Draws lateness, response and dispute, each from its probability given the filing."""
        period = calendar.periods.find(filings.dates)
        late = _expit(self.late_log_odds[period] + LATE_TAIL_EFFECT * filings.is_tail + LATE_SLOPE * filings.strength)
        responses = self._response_probabilities(period, filings)
        disputes = self._dispute_probabilities(filings)
        success_by_response = responses[:, :SUCCESSFUL_COUNT] * (1 - disputes[:, :SUCCESSFUL_COUNT])
        is_late = rng.random(len(late)) < late
        # In the real file, late answers that are not marked untimely are nearly always explanations: code 0.
        is_untimely = is_late & (rng.random(len(late)) < self.untimely_share[period])
        code = np.where(is_late, 0, _draw_column(rng, responses))
        is_disputed = ~is_untimely & (rng.random(len(late)) < disputes[np.arange(len(late)), code])
        return Outcomes(
            response=np.where(is_untimely, UNTIMELY, self.responses[code]),
            is_timely=~is_late,
            is_disputed=is_disputed,
            is_success=~is_late & (code < SUCCESSFUL_COUNT) & ~is_disputed,
            probability=(1 - late) * success_by_response.sum(axis=1),
        )

    def _response_probabilities(self, period: Ints, filings: Filings) -> Floats:
        log_weight = self.response_log_weight[period * self.product_family_count + filings.issue_product_family]
        tilted = log_weight + self.issue_response[filings.issue] + np.outer(filings.strength, RESPONSE_SLOPES)
        weight = np.exp(tilted)
        normalised: Floats = weight / weight.sum(axis=1, keepdims=True)
        return normalised

    def _dispute_probabilities(self, filings: Filings) -> Floats:
        log_odds = (
            self.dispute_time.at(filings.dates)
            + self.dispute_issue[filings.issue]
            + self.dispute_route[filings.channel, filings.consent]
            + DISPUTE_SLOPE * filings.strength
        )
        return _expit(log_odds[:, None] + self.dispute_response)


def _expit(log_odds: Floats) -> Floats:
    probability: Floats = 1 / (1 + np.exp(-log_odds))
    return probability


def _draw_column(rng: np.random.Generator, probabilities: Floats) -> Ints:
    cumulative = np.cumsum(probabilities, axis=1)[:, :-1]
    drawn: Ints = (rng.random((len(probabilities), 1)) > cumulative).sum(axis=1)
    return drawn


@cache
def load_outcome_model() -> OutcomeModel:
    """Reads response rates from `handling.json` and dispute coefficients from `disputes.json`.

    The coefficients come from a logistic regression of "disputed" on response, month (day in April 2017), issue, and
    channel with consent, over the 767,656 published complaints with a Yes or No. After the last label, the time effect
    of the second half of 2016 applies: what the outcome would have been if consumers had still been asked.
    """
    handling, disputes = read_statistics("handling"), read_statistics("disputes")
    responses = handling["responses"]
    cells = [cell for period in handling["response"] for cell in period]
    weight = np.full((len(cells), len(responses)), 1e-12)
    for row, cell in enumerate(cells):
        weight[row, [int(code) for code in cell[::2]]] = cell[1::2]
    issue_response = np.zeros((len(handling["issue_response"]), len(responses)))
    issue_response[:, : len(handling["issue_response"][0])] = handling["issue_response"]
    late = np.array(handling["late"])
    return OutcomeModel(
        responses=as_texts(responses),
        product_family_count=len(handling["response"][0]),
        response_log_weight=np.log(weight),
        issue_response=issue_response,
        late_log_odds=np.log(late / (1 - late)),
        untimely_share=np.array(handling["untimely"]) / late,
        dispute_response=np.array(disputes["response"]),
        dispute_time=StepFunction.from_rows(disputes["time"]),
        dispute_issue=np.array(disputes["issue"]),
        dispute_route=np.array(disputes["channel_consent"]),
    )
