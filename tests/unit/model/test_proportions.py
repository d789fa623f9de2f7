from __future__ import annotations

import pytest

from solosolve.model.proportions import wilson_interval


@pytest.mark.parametrize(
    ("hits", "count", "expected"),
    # From scipy.stats.binomtest(hits, count).proportion_ci(method="wilson").
    [(0, 10, (0.0, 0.2775)), (10, 10, (0.7225, 1.0)), (40, 50, (0.6696, 0.8876)), (1, 2, (0.0945, 0.9055))],
)
def test_wilson_interval_is_that_of_scipy(hits: int, count: int, expected: tuple[float, float]) -> None:
    assert wilson_interval(hits, count) == pytest.approx(expected, abs=5e-5)
