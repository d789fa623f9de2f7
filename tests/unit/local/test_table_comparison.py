from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from solosolve.errors import MissingTableError
from solosolve.local.table_comparison import Comparison, compare
from solosolve.names import PREDICTIONS
from solosolve.storage.delta_reader import DeltaReader
from support.warehouses import NOW, append, prediction


def test_compare_counts_each_row_as_often_as_it_occurs(tmp_path: Path) -> None:
    append(tmp_path / "a", PREDICTIONS, [prediction(1), prediction(2), prediction(2)])
    append(tmp_path / "b", PREDICTIONS, [prediction(2), prediction(1)])
    found = compare(DeltaReader(tmp_path / "a"), DeltaReader(tmp_path / "b"), [PREDICTIONS])
    assert found == [Comparison(PREDICTIONS, row_count=3, only_first=1, only_second=0)]
    assert [str(each) for each in found] == ["gold.predictions: 1 rows only in the first, 0 only in the second"]


def test_compare_ignores_times_and_the_ids_of_a_run(tmp_path: Path) -> None:
    append(tmp_path / "a", PREDICTIONS, [prediction(1)])
    append(tmp_path / "b", PREDICTIONS, [prediction(1, scored_at=NOW + timedelta(days=1), batch_id=7)])
    assert [str(each) for each in compare(DeltaReader(tmp_path / "a"), DeltaReader(tmp_path / "b"), [PREDICTIONS])] == [
        "gold.predictions: 1 rows, equal"
    ]


def test_compare_sees_the_last_bit_of_a_number(tmp_path: Path) -> None:
    append(tmp_path / "a", PREDICTIONS, [prediction(1, probability=0.3)])
    append(tmp_path / "b", PREDICTIONS, [prediction(1, probability=0.1 + 0.2)])
    assert compare(DeltaReader(tmp_path / "a"), DeltaReader(tmp_path / "b"), [PREDICTIONS])[0].only_first == 1


def test_compare_needs_both_tables(tmp_path: Path) -> None:
    append(tmp_path / "a", PREDICTIONS, [prediction(1)])
    with pytest.raises(MissingTableError):
        compare(DeltaReader(tmp_path / "a"), DeltaReader(tmp_path / "b"), [PREDICTIONS])
