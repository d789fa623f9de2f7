from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2

from solosolve.model.drift import DriftState, DriftTest, compare_counts, population_stability

GENERATOR_SEED = 20
SHARES = np.array([0.3, 0.2, 0.15, 0.1, 0.08, 0.07, 0.05, 0.03, 0.01, 0.01])


def counts(*numbers: float) -> dict[str, float]:
    return {f"bin {number}": count for number, count in enumerate(numbers)}


def drawn(sizes: tuple[int, int], shares: np.ndarray, times: int) -> list[DriftTest]:
    """Tests of samples that come from one distribution."""
    generator = np.random.default_rng(GENERATOR_SEED)
    reference, window = (generator.multinomial(size, shares, times) for size in sizes)
    return [compare_counts(counts(*a), counts(*b)) for a, b in zip(reference, window, strict=True)]


def test_population_stability_is_the_textbook_sum() -> None:
    expected = (0.6 - 0.5) * np.log(0.6 / 0.5) + (0.4 - 0.5) * np.log(0.4 / 0.5)
    assert population_stability({"a": 50, "b": 50}, {"a": 600, "b": 400}) == pytest.approx(expected)
    assert population_stability({"a": 1, "b": 3}, {"a": 100, "b": 300}) == pytest.approx(0)


def test_population_stability_of_equal_shares_is_zero_whatever_the_counts() -> None:
    assert population_stability({"CA": 50, "Other": 0}, {"CA": 100_000, "Other": 0}) == 0


def test_population_stability_of_a_new_value_is_finite() -> None:
    assert 0.25 < population_stability({"a": 100}, {"a": 50, "new": 50}) < 10


def test_compare_counts_is_the_textbook_chi_squared_test() -> None:
    actual = compare_counts(counts(300, 500, 200), counts(130, 240, 130))
    # By hand: 1000 and 500 complaints; expected 430 * 2 / 3, 740 * 2 / 3, 330 * 2 / 3 and half of each.
    expected = sum(
        (found - whole) ** 2 / whole
        for a, b in ((300, 130), (500, 240), (200, 130))
        for found, whole in ((a, (a + b) * 2 / 3), (b, (a + b) / 3))
    )
    assert actual.statistic == pytest.approx(expected)
    # The survival function of two degrees of freedom is exp(-x / 2).
    assert actual.p_value == pytest.approx(np.exp(-expected / 2))
    assert (actual.degrees, actual.reference_count, actual.record_count) == (2, 1000, 500)


def test_statistic_is_to_first_order_the_scaled_population_stability() -> None:
    actual = compare_counts(counts(5_000, 3_000, 2_000), counts(2_550, 1_470, 980))
    assert actual.psi is not None
    assert actual.statistic == pytest.approx(10_000 * 5_000 / 15_000 * actual.psi, rel=0.01)


@pytest.mark.parametrize("sizes", [(5_000, 150), (5_000, 1_000), (300, 300)])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_p_values_without_a_change_are_as_often_small_as_they_say(sizes: tuple[int, int], alpha: float) -> None:
    times = 10_000
    alarms = sum(test.state(alpha) is DriftState.DRIFT for test in drawn(sizes, SHARES, times))
    assert alarms / times == pytest.approx(alpha, abs=4 * np.sqrt(alpha / times) + 0.1 * alpha)


def test_scaled_population_stability_of_small_bins_would_alarm_twice_as_often() -> None:
    times, alpha = 10_000, 0.004
    tests = drawn((5_000, 150), SHARES, times)
    assert sum(scaled_p_value(test) <= alpha for test in tests) > 2 * alpha * times
    assert sum(test.state(alpha) is DriftState.DRIFT for test in tests) < 1.5 * alpha * times


def scaled_p_value(test: DriftTest) -> float:
    """The p-value of nm / (n + m) PSI."""
    assert test.psi is not None
    assert test.degrees is not None
    n, m = test.reference_count, test.record_count
    return float(chi2.sf(n * m / (n + m) * test.psi, test.degrees))


@pytest.mark.parametrize("sizes", [(99, 10_000), (10_000, 99), (0, 0)])
def test_too_few_complaints_are_never_ok(sizes: tuple[int, int]) -> None:
    actual = compare_counts({"a": sizes[0]}, {"b": sizes[1]})
    assert actual.state(0.5) is DriftState.TOO_FEW
    assert (actual.psi, actual.statistic, actual.degrees, actual.p_value) == (None, None, None, None)
    assert (actual.reference_count, actual.record_count) == sizes


def test_bins_are_merged_until_each_has_five_expected_complaints() -> None:
    actual = compare_counts(counts(9_000, 900, 60, 30, 10), counts(90, 9, 1, 0, 0))
    assert actual.counts == {"bin 0": (9_000, 90), "all others": (1_000, 10)}
    shares = [(a + b) * 100 / 10_100 for a, b in actual.counts.values()]
    assert min(shares) >= 5
    assert sum(a for a, _ in actual.counts.values()) == 10_000


def test_value_that_the_reference_does_not_have_is_not_merged_away() -> None:
    actual = compare_counts({"Web": 10_000}, {"Web": 70, "Fax": 30})
    assert actual.degrees == 1
    assert actual.state(0.001) is DriftState.DRIFT


def test_one_bin_alone_cannot_drift() -> None:
    actual = compare_counts({"Web": 10_000}, {"Web": 200})
    assert (actual.psi, actual.degrees, actual.p_value, actual.state(0.1)) == (0.0, 0, 1.0, DriftState.OK)
