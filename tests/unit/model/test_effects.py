from __future__ import annotations

import math

import pytest

from solosolve.model.effects import ABSENT_WORDS, Effect, logistic, percentage_points, readable_effects

CONTRIBUTIONS = {
    "term_3": -0.6, "topic_1": 0.2, "term_275": 0.05, "topic_9": -0.02, "product=Mortgage": 0.3, "company=Other": -0.1,
    "tags=Other": 0.04, "redaction_count": 0.01,
}  # fmt: skip
SHARES = {"term_3": {"lost": 1.0}, "topic_1": {"lost": 0.25, "payment": 0.75}}
COMPLAINT = {"company": "Tiny Bank", "tags": None}


def test_features_that_read_words_are_divided_among_the_words_of_the_text() -> None:
    effects = readable_effects(CONTRIBUTIONS, SHARES, COMPLAINT)
    assert [(effect.name, round(effect.log_odds, 6)) for effect in effects] == [
        ("“lost”", -0.55),
        ("product: Mortgage", 0.3),
        ("“payment”", 0.15),
        ("company: Tiny Bank (rarer ones together)", -0.1),
        ("tags: none", 0.04),
        (ABSENT_WORDS, 0.03),
        ("redactions (XXXX)", 0.01),
    ]
    assert {effect.name: effect.word for effect in effects if effect.word} == {"“lost”": "lost", "“payment”": "payment"}


def test_effects_add_up_to_the_contributions() -> None:
    effects = readable_effects(CONTRIBUTIONS, SHARES, COMPLAINT)
    assert math.fsum(effect.log_odds for effect in effects) == pytest.approx(math.fsum(CONTRIBUTIONS.values()))


def test_points_are_what_the_probability_would_lose_without_the_effect() -> None:
    effects = [Effect("up", 0.8), Effect("down", -1.1)]
    (up, down) = (points for _, points in percentage_points(effects, 0.4))
    assert up == pytest.approx(100 * (logistic(0.4) - logistic(-0.4)))
    assert down == pytest.approx(100 * (logistic(0.4) - logistic(1.5)))
    assert up > 0 > down


@pytest.mark.parametrize(("log_odds", "probability"), [(0, 0.5), (2.0, 1 / (1 + math.exp(-2))), (1e6, 1), (-1e6, 0)])
def test_logistic_does_not_overflow(log_odds: float, probability: float) -> None:
    assert logistic(log_odds) == pytest.approx(probability)
