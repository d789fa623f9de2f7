from __future__ import annotations

import csv
from collections.abc import Set
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from solosolve.names import WITHDRAWN_COLUMNS
from solosolve.samples.months import NEW_CHANNEL, NEW_CHANNEL_SHARE, NEW_PRODUCT, NEW_PRODUCT_SHARE, Change, write_month
from solosolve.samples.writer import OFFICIAL_HEADERS

COMPLAINTS = 1_500


def month(
    folder: Path, *, changes: Set[Change] = frozenset(), seed: int = 4, number: int = 3, has_outcomes: bool = True
) -> tuple[list[dict[str, str]], dict[str, np.ndarray]]:
    """The rows of the CSV, and the columns of the truth."""
    written = write_month(
        folder / f"{len(list(folder.iterdir()))}.csv", first_day=date(2018, 2, 1), complaints=COMPLAINTS, seed=seed,
        number=number, changes=changes, has_outcomes=has_outcomes,
    )  # fmt: skip
    with written.path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    truth = pq.read_table(written.truth_path)
    columns: dict[str, Any] = {name: truth.column(name).to_numpy() for name in truth.column_names}
    return rows, columns


def test_month_has_the_wanted_complaints_on_its_own_days(tmp_path: Path) -> None:
    rows, truth = month(tmp_path)
    days = {row["Date received"] for row in rows}
    assert len(rows) == len(truth["complaint_id"]) == COMPLAINTS
    assert (min(days), max(days)) == ("2018-02-01", "2018-02-28")
    assert [int(row["Complaint ID"]) for row in rows] == truth["complaint_id"].tolist()


def test_month_is_the_same_for_the_same_seed_and_number_only(tmp_path: Path) -> None:
    first, again, other = month(tmp_path), month(tmp_path), month(tmp_path, number=4)
    assert first[0] == again[0]
    assert first[0] != other[0]
    assert set(first[1]["complaint_id"]).isdisjoint(other[1]["complaint_id"])


def test_month_without_outcomes_has_only_what_is_known_at_filing(tmp_path: Path) -> None:
    rows, _ = month(tmp_path, has_outcomes=False)
    assert set(rows[0]) == set(OFFICIAL_HEADERS.values()) - {OFFICIAL_HEADERS[name] for name in WITHDRAWN_COLUMNS}


def test_outcomes_follow_the_true_probabilities(tmp_path: Path) -> None:
    _, truth = month(tmp_path)
    probability = truth["probability"].astype(float)
    spread = np.sqrt((probability * (1 - probability)).sum())
    assert abs(truth["is_success"].sum() - probability.sum()) < 4 * spread


def test_change_of_concept_turns_the_effect_of_texts_and_leaves_the_texts_alone(tmp_path: Path) -> None:
    (before, old), (after, new) = month(tmp_path), month(tmp_path, changes={Change.CONCEPT})
    texts = [[row["Consumer complaint narrative"] for row in rows] for rows in (before, after)]
    assert texts[0] == texts[1]
    assert np.corrcoef(old["probability"].astype(float), new["probability"].astype(float))[0, 1] < 0


def test_change_of_inputs_brings_a_new_channel_and_a_new_product(tmp_path: Path) -> None:
    rows, truth = month(tmp_path, changes={Change.INPUTS})
    shares = [
        np.mean([row[column] == value for row in rows])
        for column, value in (("Submitted via", NEW_CHANNEL), ("Product", NEW_PRODUCT))
    ]
    assert shares == pytest.approx([NEW_CHANNEL_SHARE, NEW_PRODUCT_SHARE], abs=0.05)
    assert truth["probability"].tolist() == month(tmp_path)[1]["probability"].tolist()
