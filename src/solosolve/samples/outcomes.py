"""How complaints end, and the true probability of success that the end was drawn with.

With x for everything known at filing and `strength` for its planted part (company and themes):

    P(success | x) = P(on time | x) * sum over the three successful responses r of P(r | x) * (1 - P(disputed | r, x))

Each factor is logistic in x. Base rates, issues, channels and months are measured; slopes of `strength` are planted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from solosolve.samples.calendar import Calendar
from solosolve.samples.calibration import Bools, Days, Floats, Ints, Steps, Texts, as_texts, read_figures

SUCCESSFUL = 3
"""The first three responses of `handling.json` satisfy the label's rule."""

DISPUTE_SLOPE = -1.0
LATE_SLOPE = -0.4
RESPONSE_SLOPES = (0.0, 0.25, 0.35, -0.5, 0.0, 0.0)
"""Planted: log-odds per unit of strength that a complaint is disputed, is answered late, and gets each response."""

LATE_TAIL_EFFECT = 0.7
"""Planted: small companies answer late more often."""

UNTIMELY = "Untimely response"
IN_PROGRESS = "In progress"


@dataclass(frozen=True)
class Filed:
    """What is known of a batch of complaints when they are filed, as codes, and `strength`, which is centred on 0."""

    days: Days
    issue: Ints
    issue_topic: Ints
    channel: Ints
    consent: Ints
    is_tail: Bools
    strength: Floats


@dataclass(frozen=True)
class Outcomes:
    """The drawn ends of a batch, and P(success | x) of each."""

    response: Texts
    is_timely: Bools
    is_disputed: Bools
    is_success: Bools
    probability: Floats


@dataclass(frozen=True)
class OutcomeModel:
    """Measured rates behind lateness, response and dispute."""

    responses: Texts
    topic_count: int
    response_log_weight: Floats
    issue_response: Floats
    late_log_odds: Floats
    untimely_share: Floats
    dispute_response: Floats
    dispute_steps: Steps
    dispute_time: Floats
    dispute_issue: Floats
    dispute_route: Floats

    def draw(self, rng: np.random.Generator, calendar: Calendar, filed: Filed) -> Outcomes:
        """Draws lateness, response and dispute, each from its probability given what was filed."""
        period = calendar.periods.at(filed.days)
        late = expit(self.late_log_odds[period] + LATE_TAIL_EFFECT * filed.is_tail + LATE_SLOPE * filed.strength)
        responses = self._response_probabilities(period, filed)
        disputes = self._dispute_probabilities(filed)
        kept = responses[:, :SUCCESSFUL] * (1 - disputes[:, :SUCCESSFUL])
        is_late = rng.random(len(late)) < late
        # A late answer that is not marked untimely is, in the real file, nearly always an explanation: code 0.
        is_untimely = is_late & (rng.random(len(late)) < self.untimely_share[period])
        code = np.where(is_late, 0, _draw_columns(rng, responses))
        is_disputed = ~is_untimely & (rng.random(len(late)) < disputes[np.arange(len(late)), code])
        return Outcomes(
            response=np.where(is_untimely, UNTIMELY, self.responses[code]),
            is_timely=~is_late,
            is_disputed=is_disputed,
            is_success=~is_late & (code < SUCCESSFUL) & ~is_disputed,
            probability=(1 - late) * kept.sum(axis=1),
        )

    def _response_probabilities(self, period: Ints, filed: Filed) -> Floats:
        log_weight = self.response_log_weight[period * self.topic_count + filed.issue_topic]
        tilted = log_weight + self.issue_response[filed.issue] + np.outer(filed.strength, RESPONSE_SLOPES)
        weight = np.exp(tilted)
        normalised: Floats = weight / weight.sum(axis=1, keepdims=True)
        return normalised

    def _dispute_probabilities(self, filed: Filed) -> Floats:
        log_odds = (
            self.dispute_time[self.dispute_steps.at(filed.days)]
            + self.dispute_issue[filed.issue]
            + self.dispute_route[filed.channel, filed.consent]
            + DISPUTE_SLOPE * filed.strength
        )
        return expit(log_odds[:, None] + self.dispute_response)


def expit(log_odds: Floats) -> Floats:
    """Returns the probability of each log-odds."""
    probability: Floats = 1 / (1 + np.exp(-log_odds))
    return probability


def _draw_columns(rng: np.random.Generator, probabilities: Floats) -> Ints:
    cumulative = np.cumsum(probabilities, axis=1)[:, :-1]
    drawn: Ints = (rng.random((len(probabilities), 1)) > cumulative).sum(axis=1)
    return drawn


@cache
def load_outcome_model() -> OutcomeModel:
    """Reads the responses of `handling.json` and the coefficients of `disputes.json`.

    The coefficients are those of a logistic regression of "disputed" on response, month (day in April 2017), issue, and
    channel with consent, over the 767,656 published complaints with a Yes or No. From the day after the last label
    the time effect is that of the second half of 2016: the outcome as it would be, had the question still been asked.
    """
    handling, disputes = read_figures("handling"), read_figures("disputes")
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
        topic_count=len(handling["response"][0]),
        response_log_weight=np.log(weight),
        issue_response=issue_response,
        late_log_odds=np.log(late / (1 - late)),
        untimely_share=np.array(handling["untimely"]) / late,
        dispute_response=np.array(disputes["response"]),
        dispute_steps=Steps.of([day for day, _ in disputes["time"]]),
        dispute_time=np.array([value for _, value in disputes["time"]]),
        dispute_issue=np.array(disputes["issue"]),
        dispute_route=np.array(disputes["channel_consent"]),
    )
