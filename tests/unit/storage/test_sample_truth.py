from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from solosolve.storage.sample_truth import true_probabilities, truth_files

IDS = pa.chunked_array([[3], [1]])


def write_truth(path: Path, probabilities: dict[int, float]) -> None:
    pq.write_table(pa.table({"complaint_id": [*probabilities], "probability": [*probabilities.values()]}), path)


def test_probabilities_come_in_the_order_of_the_complaints_from_all_samples(tmp_path: Path) -> None:
    files = truth_files([str(tmp_path / "one.csv"), str(tmp_path / "two.csv")])
    write_truth(files[0], {1: 0.25, 2: 0.5})
    write_truth(files[1], {3: 0.75})
    found = true_probabilities(files, IDS)
    assert found is not None
    assert found.tolist() == [0.75, 0.25]


def test_complaint_that_is_not_made_up_has_no_truth(tmp_path: Path) -> None:
    files = truth_files([str(tmp_path / "one.csv")])
    assert true_probabilities(files, IDS) is None
    write_truth(files[0], {1: 0.25})
    assert true_probabilities(files, IDS) is None
