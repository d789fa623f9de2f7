"""Distributions: drawing by condition, and values that change with the date."""

from __future__ import annotations

import numpy as np
import pytest

from solosolve.samples.distributions import ConditionalDistribution, DateBins, StepFunction

DATES = np.array(["2011-01-01", "2012-12-31", "2013-01-01", "2020-06-30"], dtype="datetime64[D]")


def test_conditional_distribution_draws_only_codes_of_the_given_condition() -> None:
    distribution = ConditionalDistribution.from_codes([([7, 8], [1.0, 3.0]), ([], []), ([9], [2.0])])
    drawn = distribution.draw(np.random.default_rng(1), np.repeat([0, 2], 4000))
    assert set(drawn[:4000]) == {7, 8}
    assert (drawn[:4000] == 8).mean() == pytest.approx(0.75, abs=0.03)
    assert set(drawn[4000:]) == {9}


def test_date_bins_start_on_their_date_and_include_earlier_dates_in_the_first() -> None:
    assert DateBins.from_starts(["2012-01-01", "2013-01-01"]).find(DATES).tolist() == [0, 0, 1, 1]


def test_step_function_keeps_its_value_until_the_next_date() -> None:
    assert StepFunction.from_rows([("2012-01-01", 0.2), ("2013-01-01", 0.7)]).at(DATES).tolist() == [0.2, 0.2, 0.7, 0.7]
