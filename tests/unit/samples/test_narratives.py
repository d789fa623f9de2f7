"""Narratives: length, contents and subject as published."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def narratives(complaints: pd.DataFrame) -> pd.Series:
    return complaints.loc[complaints["narrative"] != "", "narrative"]


@pytest.mark.parametrize(
    ("quantile", "expected", "tolerance"),
    [(0.25, 408, 0.12), (0.5, 776, 0.08), (0.75, 1333, 0.08), (0.95, 2877, 0.12)],
)
def test_narrative_length_is_as_published(
    narratives: pd.Series, quantile: float, expected: float, tolerance: float
) -> None:
    lengths = narratives.str.len()
    assert lengths.quantile(quantile) == pytest.approx(expected, rel=tolerance)
    assert 10_000 < lengths.max() < 26_000


@pytest.mark.parametrize(
    ("pattern", "expected", "tolerance"),
    [
        ("XXXX", 0.79, 0.02),
        ("XX/XX/", 0.36, 0.03),
        (r"\{\$\d+\.\d\d\}", 0.27, 0.03),
        ("\n", 0.443, 0.02),
        ('"', 0.093, 0.012),
        (r"^[=+\-@]", 0.0009, 0.0009),
    ],
    ids=["redaction", "redacted date", "amount", "line break", "quotation mark", "formula start"],
)
def test_narratives_contain_redactions_amounts_and_marks_as_published(
    narratives: pd.Series, pattern: str, expected: float, tolerance: float
) -> None:
    assert narratives.str.contains(pattern).mean() == pytest.approx(expected, abs=tolerance)


def test_tenth_of_narratives_are_exact_duplicates(narratives: pd.Series) -> None:
    assert 1 - narratives.nunique() / len(narratives) == pytest.approx(0.10, abs=0.02)
    assert narratives.value_counts().max() >= 20


def test_narratives_mention_the_product_of_their_complaint(complaints: pd.DataFrame) -> None:
    written = complaints[complaints["narrative"] != ""]
    is_mortgage = written["product"] == "Mortgage"
    mentions_mortgage = written["narrative"].str.lower().str.contains("mortgage|home loan")
    assert mentions_mortgage[is_mortgage].mean() > 0.6
    assert mentions_mortgage[~is_mortgage].mean() < 0.01
