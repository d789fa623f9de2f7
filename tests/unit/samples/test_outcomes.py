"""Outcomes: a calibrated truth, a signal that can be learned, and the published dispute rates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from solosolve.names import NARRATIVE
from solosolve.samples.batches import build_batch
from solosolve.samples.calendar import load_calendar


@pytest.fixture(scope="module")
def many_outcomes() -> tuple[np.ndarray, np.ndarray]:
    """True probabilities and outcomes of about 40,000 trainable complaints, without writing a file."""
    probability, is_success = [], []
    for seed in range(4):
        rng = np.random.default_rng(seed)
        batch = build_batch(rng, np.sort(rng.uniform(0.13, 0.26, 25_000)), 0)
        is_labelled = np.isin(batch.columns["consumer_disputed"].astype(str), ["Yes", "No"])
        kept = is_labelled & (batch.columns[NARRATIVE] != "")
        probability.append(batch.probability[kept])
        is_success.append(batch.is_success[kept])
    return np.concatenate(probability), np.concatenate(is_success)


def test_true_probability_is_calibrated_in_every_decile(many_outcomes: tuple[np.ndarray, np.ndarray]) -> None:
    probability, is_success = many_outcomes
    for decile in np.array_split(np.argsort(probability), 10):
        expected = probability[decile]
        standard_error = np.sqrt((expected * (1 - expected)).sum())
        assert abs(is_success[decile].sum() - expected.sum()) < 4 * standard_error


def test_true_probability_has_a_realistic_auc(many_outcomes: tuple[np.ndarray, np.ndarray]) -> None:
    probability, is_success = many_outcomes
    assert roc_auc_score(is_success, probability) == pytest.approx(0.66, abs=0.02)
    assert is_success.mean() == pytest.approx(0.75, abs=0.012)


def test_signal_can_be_learned_from_token_counts(trainable: pd.DataFrame) -> None:
    is_past = trainable["received"] < "2016-09-01"
    vectorizer = CountVectorizer(min_df=5)
    tokens = vectorizer.fit_transform(trainable.loc[is_past, "narrative"])
    model = LogisticRegression(C=0.01, max_iter=300).fit(tokens, trainable.loc[is_past, "is_success"])
    later = trainable[~is_past]
    scores = model.predict_proba(vectorizer.transform(later["narrative"]))[:, 1]
    assert np.corrcoef(scores, later["probability"])[0, 1] > 0.3


def test_signal_is_present_in_complaints_without_a_narrative(complaints: pd.DataFrame) -> None:
    unwritten = complaints[complaints["is_labelled"] & (complaints["narrative"] == "")]
    assert roc_auc_score(unwritten["is_success"], unwritten["probability"]) > 0.6
    assert unwritten.groupby("issue")["probability"].mean().std() > 0.02


@pytest.mark.parametrize(
    ("response", "expected", "tolerance"),
    [
        ("Closed with explanation", 0.212, 0.017),
        ("Closed with non-monetary relief", 0.116, 0.033),
        ("Closed with monetary relief", 0.106, 0.045),
        ("Untimely response", 0.0, 0.0),
    ],
)
def test_dispute_rate_depends_on_the_response_as_published(
    complaints: pd.DataFrame, response: str, expected: float, tolerance: float
) -> None:
    labelled = complaints[complaints["is_labelled"] & (complaints["company_response_to_consumer"] == response)]
    assert (labelled["consumer_disputed"] == "Yes").mean() == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(
    ("first", "last", "expected", "tolerance"),
    [
        ("2012-01-01", "2013-12-31", 0.215, 0.03),
        ("2015-04-01", "2015-06-30", 0.217, 0.06),
        ("2016-01-01", "2016-12-31", 0.181, 0.027),
        ("2017-03-01", "2017-03-31", 0.137, 0.07),
        ("2017-04-01", "2017-04-22", 0.063, 0.07),
        ("2017-04-18", "2017-04-22", 0.010, 0.06),
    ],
)
def test_dispute_rate_decays_before_the_last_labels(
    complaints: pd.DataFrame, first: str, last: str, expected: float, tolerance: float
) -> None:
    labelled = complaints[complaints["is_labelled"] & complaints["received"].between(first, last)]
    assert (labelled["consumer_disputed"] == "Yes").mean() == pytest.approx(expected, abs=tolerance)


def test_labels_end_in_april_2017(complaints: pd.DataFrame) -> None:
    label_end = load_calendar().label_end
    assert complaints.loc[complaints["is_labelled"], "received"].max() < label_end
    later = complaints[complaints["received"] >= label_end]
    assert set(later["consumer_disputed"]) == {"N/A", ""}
    assert complaints[complaints["received"] < label_end]["is_labelled"].all()


def test_newest_complaints_are_in_progress(complaints: pd.DataFrame) -> None:
    is_open = complaints["company_response_to_consumer"] == "In progress"
    newest = complaints["received"] >= "2023-09-10"
    assert is_open[newest].mean() > 0.85
    assert is_open[complaints["received"] < "2022-01-01"].sum() == 0
