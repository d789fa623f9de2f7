from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from pydantic import ValidationError
from pyspark.sql import DataFrame, SparkSession
from sklearn.linear_model import LogisticRegression

from solosolve.model.encoder import FeatureEncoder
from solosolve.model.kernels import MonthOfYear, TopCategories
from solosolve.model.linear import LinearScore
from solosolve.model.linear_fit import PENALTIES, fit_linear
from solosolve.names import LABEL

STATE = TopCategories(column="state", categories=("CA", "NY"))
COMPANY = TopCategories(column="company", categories=("A", "B", "C"))
MONTH = MonthOfYear(column="date_received")
ENCODER = FeatureEncoder(kernels=(MONTH, STATE, COMPANY))
PLACES = (4, 5, 6, 7)
"""The columns of COMPANY; the linear score leaves months and states to the trees."""

GENERATOR = np.random.default_rng(8)
COUNT = 600
FEATURES = np.zeros((COUNT, 8), np.float32)
FEATURES[:, 0] = GENERATOR.integers(1, 13, COUNT)
FEATURES[np.arange(COUNT), 1 + GENERATOR.integers(0, 3, COUNT)] = 1
FEATURES[np.arange(COUNT), 4 + GENERATOR.integers(0, 4, COUNT)] = 1
LABELS = (GENERATOR.uniform(size=COUNT) < 0.3 + 0.4 * FEATURES[:, 5]).astype(float)


def frame_of(spark: SparkSession, rows: slice) -> DataFrame:
    data = [(number, FEATURES[number].astype(float).tolist(), float(LABELS[number])) for number in range(COUNT)[rows]]
    return spark.createDataFrame(data, f"complaint_id bigint, features array<float>, {LABEL} double")


@pytest.fixture(scope="module")
def train(spark: SparkSession) -> Iterator[DataFrame]:
    cached = frame_of(spark, slice(0, 400)).cache()
    yield cached
    cached.unpersist()


@pytest.fixture(scope="module")
def validate(spark: SparkSession) -> Iterator[DataFrame]:
    cached = frame_of(spark, slice(400, COUNT)).cache()
    yield cached
    cached.unpersist()


def test_fit_is_the_regression_whose_penalty_gives_the_lowest_log_loss_on_validation(
    train: DataFrame, validate: DataFrame
) -> None:
    block = FEATURES[:, PLACES]

    def log_loss(model: LogisticRegression) -> float:
        probability = model.predict_proba(block[400:])[:, 1]
        return float(-np.log(np.where(LABELS[400:] == 1, probability, 1 - probability)).mean())

    tried = [LogisticRegression(C=penalty, max_iter=1000).fit(block[:400], LABELS[:400]) for penalty in PENALTIES]
    best = min(tried, key=log_loss)
    fitted = fit_linear(train, validate, ENCODER)
    assert fitted is not None
    assert fitted.places == PLACES
    np.testing.assert_allclose(fitted.weights, best.coef_[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(fitted.means, block[:400].mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(fitted.log_odds(FEATURES), best.decision_function(block), rtol=1e-3, atol=1e-3)


def test_fit_without_topics_or_categories_is_none(train: DataFrame, validate: DataFrame) -> None:
    assert fit_linear(train, validate, FeatureEncoder(kernels=(MONTH, STATE))) is None


def test_contributions_are_relative_to_the_mean_and_add_up() -> None:
    score = LinearScore(places=(1, 4), weights=(0.5, -2.0), means=(0.25, 0.5), intercept=0.1)
    added, base = score.contributions(FEATURES)
    assert base == pytest.approx(0.1 + 0.125 - 1.0)
    np.testing.assert_allclose(added.sum(axis=1) + base, score.log_odds(FEATURES))
    assert set(np.flatnonzero(added.any(axis=0))) == {1, 4}


@pytest.mark.parametrize("weights", [(), (1.0,), (1.0, 2.0, 3.0)])
def test_score_with_another_number_of_weights_is_refused(weights: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match="places, weights and means are not equally many"):
        LinearScore(places=(1, 2), weights=weights, means=(0.0, 0.0), intercept=0.0)
