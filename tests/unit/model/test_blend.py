from __future__ import annotations

import numpy as np
import pytest

from solosolve.model.blend import EXPECTED_LINEAR, EXPECTED_TREES, Blend

GENERATOR = np.random.default_rng(3)
COUNT = 20_000
TRUTH = GENERATOR.normal(1, 1, COUNT)
LABELS = (GENERATOR.uniform(size=COUNT) < 1 / (1 + np.exp(-TRUTH))).astype(float)
NOISE = GENERATOR.normal(0, 1, COUNT)


def test_fit_finds_the_line_that_a_model_is_off_by() -> None:
    blend = Blend.fit(LABELS, None, 2 * TRUTH - 1, review_share=0.2)
    assert (blend.linear, blend.trees, blend.intercept) == (
        0,
        pytest.approx(0.5, abs=0.05),
        pytest.approx(0.5, abs=0.1),
    )


def test_fit_prefers_the_part_that_knows_more() -> None:
    blend = Blend.fit(LABELS, NOISE, TRUTH, review_share=0.2)
    assert (blend.linear, blend.trees) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))


def test_fit_on_a_handful_of_complaints_stays_at_the_expected_weights() -> None:
    blend = Blend.fit(LABELS[:5], NOISE[:5], TRUTH[:5], review_share=0.2)
    assert (blend.linear, blend.trees) == (
        pytest.approx(EXPECTED_LINEAR, abs=0.1),
        pytest.approx(EXPECTED_TREES, abs=0.1),
    )


def test_fit_never_turns_the_ranking_around() -> None:
    blend = Blend.fit(LABELS, None, -TRUTH, review_share=0.2)
    assert blend.trees >= 0


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_threshold_flags_the_share_that_people_can_read(share: float) -> None:
    blend = Blend.fit(LABELS, NOISE, TRUTH, review_share=share)
    assert (blend.probability(NOISE, TRUTH) < blend.threshold).mean() == pytest.approx(share, abs=5e-3)


@pytest.mark.parametrize(
    ("probabilities", "flagged"), [([0.5, 0.6, 0.7, 0.8, 0.9], 1), ([0.7974] * 3 + [0.8104] * 9 + [0.8212] * 3, 3)]
)
def test_threshold_parts_equal_probabilities_from_the_next(probabilities: list[float], flagged: int) -> None:
    log_odds = np.log(np.array(probabilities) / (1 - np.array(probabilities)))
    labels = (np.arange(len(log_odds)) % 4 > 0).astype(float)
    blend = Blend.fit(labels, None, log_odds, review_share=0.2)
    assert (blend.probability(None, log_odds) < blend.threshold).sum() == flagged


def test_probability_of_a_row_does_not_depend_on_the_others() -> None:
    blend = Blend(linear=0.7, trees=0.4, intercept=-0.1)
    together = blend.probability(NOISE, TRUTH)
    alone = np.concatenate([blend.probability(NOISE[place:][:1], TRUTH[place:][:1]) for place in range(1000)])
    assert together[:1000].tobytes() == alone.tobytes()
