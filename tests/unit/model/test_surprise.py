from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kstest

from solosolve.model.surprise import SURPRISE_LIMIT, contradicts, surprise


def test_surprise_is_standard_normal_where_labels_follow_their_probabilities() -> None:
    generator = np.random.default_rng(5)
    found = []
    for _ in range(2_000):
        probabilities = generator.uniform(0.55, 0.95, 500)
        found.append(surprise((generator.uniform(size=500) < probabilities).astype(float), probabilities))
    assert kstest(found, "norm").pvalue > 0.01
    assert np.mean(np.abs(found) > SURPRISE_LIMIT) < 0.006


def test_surprise_is_the_published_statistic() -> None:
    """Two complaints, by hand: (1 - 0.8) (1 - 1.6) + (0 - 0.4) (1 - 0.8), over the root of 0.0576 + 0.0096."""
    assert surprise(np.array([1.0, 0.0]), np.array([0.8, 0.4])) == pytest.approx((-0.12 - 0.08) / 0.0672**0.5)


@pytest.mark.parametrize("probabilities", [np.full(9, 0.5), np.ones(9)], ids=["halves", "certain"])
def test_surprise_says_nothing_where_the_brier_score_is_constant(probabilities: np.ndarray) -> None:
    assert surprise(np.ones(9), probabilities) == 0


@pytest.mark.parametrize(("flipped", "expected"), [(0.0, False), (0.3, True)], ids=["as they are", "3 in 10 flipped"])
def test_labels_contradict_when_three_in_ten_are_flipped(flipped: float, expected: bool) -> None:
    generator = np.random.default_rng(6)
    probabilities = np.clip(generator.normal(0.8, 0.06, 500), 0.05, 0.95)
    labels = generator.uniform(size=500) < probabilities
    wrong = generator.uniform(size=500) < flipped
    assert contradicts((labels != wrong).astype(float), probabilities) == expected
