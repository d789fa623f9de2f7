"""Whole complaints: shares of their values as published, and dates and ids that agree."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest

from support.real_data import REAL_DATA, needs_real_data


# Expected: shares of all 2.96 million published complaints. Tolerances are about four standard errors at this size.
@pytest.mark.parametrize(
    ("is_counted", "expected", "tolerance"),
    [
        (lambda c: c["is_labelled"], 0.2590, 0.003),
        (lambda c: c["is_labelled"] & (c["narrative"] != ""), 0.0555, 0.004),
        (lambda c: c["narrative"] != "", 0.358, 0.012),
        (lambda c: c["submitted_via"] == "Web", 0.834, 0.02),
        (lambda c: c["submitted_via"] == "Referral", 0.080, 0.01),
        (lambda c: c["timely_response"] == "No", 0.012, 0.004),
        (lambda c: c["tags"].str.contains("Servicemember"), 0.056, 0.008),
        (lambda c: c["state"] == "CA", 0.12, 0.015),
        (lambda c: c["issue"] == "Incorrect information on your report", 0.244, 0.012),
        (lambda c: c["issue"] == "Loan modification,collection,foreclosure", 0.0378, 0.003),
        (lambda c: c["zip_code"].str.fullmatch(r"\d{3}XX"), 0.17, 0.02),
    ],
    ids=[
        "labelled",
        "labelled with narrative",
        "with narrative",
        "by web",
        "by referral",
        "late",
        "servicemembers",
        "from California",
        "incorrect information",
        "loan modification",
        "masked ZIP code",
    ],
)
def test_share_of_all_complaints_is_as_published(
    complaints: pd.DataFrame, is_counted: Callable[[pd.DataFrame], pd.Series], expected: float, tolerance: float
) -> None:
    assert is_counted(complaints).mean() == pytest.approx(expected, abs=tolerance)


@needs_real_data
def test_labelled_complaints_follow_the_published_quarters_and_issues(complaints: pd.DataFrame) -> None:
    counts = pd.read_csv(REAL_DATA / "outcome_counts_by_month.csv.gz", parse_dates=["m"], keep_default_na=False)
    counts = counts[counts["consumer_disputed"].isin(["Yes", "No"])]
    labelled = complaints[complaints["is_labelled"]]
    real = counts.groupby(counts["m"].dt.to_period("Q"))["n"].sum() / counts["n"].sum()
    generated = labelled["received"].dt.to_period("Q").value_counts(normalize=True)
    assert (real - generated.reindex(real.index, fill_value=0)).abs().max() < 0.001
    real_issue = counts.groupby("issue")["n"].sum() / counts["n"].sum()
    generated_issue = labelled["issue"].value_counts(normalize=True).reindex(real_issue.index, fill_value=0)
    assert (real_issue - generated_issue).abs().sum() < 0.1


def test_dates_and_ids_ascend_together(records: pd.DataFrame, complaints: pd.DataFrame) -> None:
    ordered = complaints.sort_values("complaint_id")
    assert ordered["received"].is_monotonic_increasing
    assert records["date_received"].str.fullmatch(r"\d{4}-\d\d-\d\d").all()
    assert (complaints["date_sent_to_company"] >= complaints["date_received"]).all()


def test_narratives_are_published_only_with_consent_which_was_first_asked_for_in_march_2015(
    complaints: pd.DataFrame,
) -> None:
    written = complaints[complaints["narrative"] != ""]
    assert written["received"].min() >= pd.Timestamp("2015-03-19")
    assert set(written["consumer_consent_provided"]) == {"Consent provided"}
    assert set(written["submitted_via"]) == {"Web"}
