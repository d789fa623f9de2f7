from __future__ import annotations

import math

import pytest

from solosolve.model.drift import population_stability


def test_population_stability_is_the_textbook_sum() -> None:
    expected = (0.6 - 0.5) * math.log(0.6 / 0.5) + (0.4 - 0.5) * math.log(0.4 / 0.5)
    assert population_stability({"a": 50, "b": 50}, {"a": 600, "b": 400}) == pytest.approx(expected)
    assert population_stability({"a": 1, "b": 3}, {"a": 100, "b": 300}) == pytest.approx(0)


def test_population_stability_of_equal_shares_is_zero_whatever_the_counts() -> None:
    assert population_stability({"CA": 50, "Other": 0}, {"CA": 100_000, "Other": 0}) == 0


def test_population_stability_of_a_new_value_is_finite() -> None:
    assert 0.25 < population_stability({"a": 100}, {"a": 50, "new": 50}) < 10
