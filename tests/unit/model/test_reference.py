from __future__ import annotations

from datetime import date

import numpy as np

from solosolve.model.families import FAMILIES
from solosolve.model.reference import (
    CATEGORIES,
    COMPANY_SIZE,
    MIN_TRAINED,
    NARRATIVE_LENGTH,
    SCORE,
    Reference,
    ValueCounts,
    build_reference,
)

DAY = date(2016, 12, 31)
TOTAL = 10_000


def reference(**overrides: ValueCounts) -> Reference:
    """A reference whose features have one value each, with overrides."""
    columns = (*CATEGORIES, "company", NARRATIVE_LENGTH)
    values: dict[str, ValueCounts] = {name: [("0", TOTAL)] for name in columns} | overrides
    probabilities = np.random.default_rng(1).uniform(size=1_000)
    return build_reference(values, dict.fromkeys(columns, TOTAL), probabilities, DAY)


def test_frequent_values_have_a_bin_and_all_others_share_one() -> None:
    issues = [("late fee", 6_000), (None, 3_000), ("escrow", MIN_TRAINED), ("rare", MIN_TRAINED - 1)]
    found = reference(issue=issues)
    rest = TOTAL - 6_000 - 3_000 - MIN_TRAINED
    assert found.counts["issue"] == {"late fee": 6_000, "not given": 3_000, "escrow": MIN_TRAINED, "Other": rest}
    assert found.bins_of("issue").bin_of.keys() == {"late fee", "escrow"}


def test_only_the_most_frequent_values_have_a_bin() -> None:
    size = CATEGORIES["product"]
    found = reference(product=[(f"product {number:02}", 100 - number) for number in range(size + 5)])
    assert len(found.counts["product"]) == size + 1
    assert sum(found.counts["product"].values()) == TOTAL


def test_names_that_a_product_has_had_share_a_bin() -> None:
    found = reference(product=[("Credit card", 20), ("Prepaid card", 20), ("Mortgage", 60)])
    assert found.counts["product"] == {"Card": 40, "Mortgage": 60, "Other": TOTAL - 100}
    bins = found.bins_of("product")
    # A name that came into use after the training.
    assert "Credit card or prepaid card" in FAMILIES["product"]
    assert bins.bin("Credit card or prepaid card") == "Card"  # type: ignore[arg-type]
    assert bins.bin("Student loan") == "Other"  # type: ignore[arg-type]


def test_names_that_an_issue_has_had_share_a_bin() -> None:
    former, present = "Incorrect information on credit report", "Incorrect information on your report"
    found = reference(issue=[(former, 40), ("Late fee", 60)])
    assert found.counts["issue"] == {present: 40, "Late fee": 60, "Other": TOTAL - 100}
    assert found.bins_of("issue").bin(present) == present  # type: ignore[arg-type]


def test_names_that_a_company_has_had_are_one_company() -> None:
    names = ("WELLS FARGO & COMPANY", "Wells Fargo & Company")
    found = reference(company=[(names[0], 60), (names[1], 40), ("Citibank", 100)])
    assert found.counts[COMPANY_SIZE] == {"large": 200, "small": TOTAL - 200}
    # A name that no complaint of the training had.
    assert found.bins_of(COMPANY_SIZE).bin("CITIBANK, N.A.") == "large"  # type: ignore[arg-type]


def test_companies_are_classed_by_their_share_of_the_complaints() -> None:
    found = reference(company=[("A", 5_000), ("B", 100), ("C", 99), ("D", MIN_TRAINED), ("E", MIN_TRAINED - 1)])
    assert found.counts[COMPANY_SIZE] == {"large": 5_100, "medium": 129, "small": TOTAL - 5_229}


def test_number_bins_are_deciles() -> None:
    found = reference(narrative_length=[(str(10 * number), 100) for number in range(100)])
    assert found.bins_of(NARRATIVE_LENGTH).edges == tuple(100.0 * number for number in range(1, 10))
    assert set(found.counts[NARRATIVE_LENGTH].values()) == {1_000}
    assert sum(found.counts[SCORE].values()) == 1_000
    assert len(found.counts[SCORE]) == 10


def test_number_bins_of_equal_values_are_one() -> None:
    found = reference(narrative_length=[("50", TOTAL)])
    assert found.counts[NARRATIVE_LENGTH] == {"0": TOTAL}


def test_reference_survives_its_file() -> None:
    found = reference(issue=[("late fee", 6_000)])
    assert Reference.model_validate_json(found.model_dump_json(indent=1)) == found
