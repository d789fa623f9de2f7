"""The written files: layout, CSV format, ids, reproducibility, and the summary."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from solosolve.errors import UsageError
from solosolve.samples.batches import REPUBLISHED_SHARE
from solosolve.samples.writer import SampleSummary, write_sample

OFFICIAL_HEADER = (
    "Date received,Product,Sub-product,Issue,Sub-issue,Consumer complaint narrative,Company public response,Company,"
    "State,ZIP code,Tags,Consumer consent provided?,Submitted via,Date sent to company,Company response to consumer,"
    "Timely response?,Consumer disputed?,Complaint ID"
)


def strict_records(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        yield from csv.reader(stream, strict=True)


def test_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a.csv", rows=27_000, seed=3)
    second = write_sample(tmp_path / "b.csv", rows=27_000, seed=3)
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.truth_path.read_bytes() == second.truth_path.read_bytes()


def test_another_seed_gives_other_complaints(tmp_path: Path) -> None:
    first = write_sample(tmp_path / "a.csv", rows=500, seed=3)
    second = write_sample(tmp_path / "b.csv", rows=500, seed=4)
    assert first.path.read_bytes() != second.path.read_bytes()


def test_ids_are_greater_than_real_ones_and_unique_to_their_sample(tmp_path: Path) -> None:
    ids = [
        set(pd.read_csv(write_sample(tmp_path / f"{rows}_{seed}.csv", rows=rows, seed=seed).path)["Complaint ID"])
        for rows, seed in ((3000, 2), (3000, 3), (4000, 2))
    ]
    assert min(map(min, ids)) > 1_000_000_000
    assert max(map(max, ids)) < 2**53
    assert not (ids[0] & ids[1] or ids[0] & ids[2] or ids[1] & ids[2])


def test_writing_leaves_only_the_two_complete_files(tmp_path: Path) -> None:
    summary = write_sample(tmp_path / "new" / "complaints.csv", rows=50, seed=1)
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["complaints.csv", "complaints.truth.parquet"]
    assert summary.truth_path == tmp_path / "new" / "complaints.truth.parquet"


@pytest.mark.parametrize("rows", [1, 2, 30])
def test_small_samples_have_the_requested_number_of_rows(tmp_path: Path, rows: int) -> None:
    summary = write_sample(tmp_path / "complaints.csv", rows=rows, seed=5)
    assert len(list(strict_records(summary.path))) == rows + 1


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("rows", 0, "rows must be 1 or more, not 0"),
        ("seed", -1, "seed must be 0 or more, not -1"),
        ("layout", 17, "layout must be 18 .* or 16 .*, not 17"),
    ],
)
def test_value_out_of_range_is_refused_by_name(tmp_path: Path, name: str, value: int, message: str) -> None:
    arguments = {"rows": 10, "seed": 1, "layout": 18} | {name: value}
    with pytest.raises(UsageError, match=message):
        write_sample(tmp_path / "complaints.csv", **arguments)  # type: ignore[arg-type]


def test_progress_is_reported_up_to_the_number_of_rows(tmp_path: Path) -> None:
    seen: list[int] = []
    write_sample(tmp_path / "complaints.csv", rows=50_001, seed=1, progress=seen.append)
    assert seen == [25_000, 50_000, 50_001]


def test_csv_has_the_official_header_and_line_feeds(summary: SampleSummary) -> None:
    content = summary.path.read_bytes()
    assert content.split(b"\n", 1)[0].decode() == OFFICIAL_HEADER
    assert b"\r" not in content
    assert b"\0" not in content


def test_csv_follows_rfc_4180(summary: SampleSummary) -> None:
    rows = list(strict_records(summary.path))
    assert len(rows) == summary.rows + 1
    assert {len(row) for row in rows} == {18}
    assert sum(row[5].count("\n") for row in rows) > summary.rows / 4
    assert sum('"' in row[5] for row in rows) > 1000


def test_csv_survives_a_round_trip_through_the_csv_module(summary: SampleSummary) -> None:
    rewritten = io.StringIO(newline="")
    csv.writer(rewritten, lineterminator="\n").writerows(strict_records(summary.path))
    assert rewritten.getvalue().encode() == summary.path.read_bytes()


def test_layout_16_has_the_same_complaints_without_outcomes(tmp_path: Path) -> None:
    wide = write_sample(tmp_path / "wide.csv", rows=3000, seed=2)
    narrow = write_sample(tmp_path / "narrow.csv", rows=3000, seed=2, layout=16)
    withdrawn = ["Consumer consent provided?", "Consumer disputed?"]
    expected = pd.read_csv(wide.path, dtype=str, keep_default_na=False).drop(columns=withdrawn)
    pd.testing.assert_frame_equal(pd.read_csv(narrow.path, dtype=str, keep_default_na=False), expected)
    assert narrow.truth_path.read_bytes() == wide.truth_path.read_bytes()


def test_summary_has_the_number_of_rows(summary: SampleSummary) -> None:
    assert summary.rows == 60_000


def test_truth_file_has_each_complaint_once(summary: SampleSummary, records: pd.DataFrame) -> None:
    truth = pd.read_parquet(summary.truth_path)
    assert truth.dtypes.astype(str).to_dict() == {"complaint_id": "int64", "probability": "float64"}
    assert sorted(truth["complaint_id"]) == sorted(records["complaint_id"].astype("int64").unique())
    assert truth["probability"].between(0, 1, inclusive="neither").all()


def test_republished_complaints_end_with_their_final_record(summary: SampleSummary, records: pd.DataFrame) -> None:
    superseded = records[records.duplicated("complaint_id", keep="last")]
    assert len(superseded) == round(summary.rows * REPUBLISHED_SHARE)
    assert set(superseded["company_response_to_consumer"]) == {"In progress"}
    assert (superseded["consumer_complaint_narrative"] == "").all()
    final = records[records["complaint_id"].isin(superseded["complaint_id"])].drop_duplicates(
        "complaint_id", keep="last"
    )
    assert (final["company_response_to_consumer"] != "In progress").mean() > 0.8
    kept = ["complaint_id", "company", "issue", "date_received"]
    assert sorted(map(tuple, final[kept].to_numpy())) == sorted(map(tuple, superseded[kept].to_numpy()))
