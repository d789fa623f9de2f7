from __future__ import annotations

import gzip
import json
import tracemalloc
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.boundaries import DEFAULT_LIMITS, Limits
from solosolve.landing.csv_files import ENDLESS
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import LandingPlan
from solosolve.landing.planning import plan_landing, read_asides, read_chunks
from solosolve.names import COMPLAINT_COLUMNS
from support.builders import API_HEADER, OFFICIAL_HEADER, record


def complaint(**overrides: Any) -> dict[str, Any]:
    """A complaint under its columns' names."""
    return {name: value for name, value in record(**overrides).items() if name in COMPLAINT_COLUMNS}


def of_api(**overrides: Any) -> dict[str, Any]:
    """A complaint as the search API names its columns."""
    return dict(zip(API_HEADER, complaint(**overrides).values(), strict=True))


def plan(path: Path, content: str | bytes, limits: Limits = DEFAULT_LIMITS) -> LandingPlan:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return plan_landing(LandingFile.of(path), limits)


def rows_of(plan: LandingPlan) -> list[dict[str, Any]]:
    """All rows in order, each without its null columns."""
    batches = [*read_asides(plan), *read_chunks(plan, plan.chunks)]
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: row["_source_line"])
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


@pytest.mark.parametrize("chunk_bytes", [50, 1 << 20])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_json_lines_are_read_line_by_line(tmp_path: Path, pack: Any, chunk_bytes: int) -> None:
    good = [complaint(complaint_id="1"), complaint(complaint_id=2, company='A "B"\n'), complaint(complaint_id="3")]
    lines = [*map(json.dumps, good[:2]), "", '{"complaint_id": 4', json.dumps(good[2])]
    planned = plan(tmp_path / "a.jsonl", pack("\n".join(lines).encode()), Limits(chunk_bytes=chunk_bytes))
    first, second, bad, last = rows_of(planned)
    assert first == good[0] | {"_source_line": 1}
    assert second == good[1] | {"complaint_id": "2", "_source_line": 2}
    assert (bad["_source_line"], bad["_record"]) == (4, '{"complaint_id": 4')
    assert last == good[2] | {"_source_line": 5}
    assert planned.layout_name == "official 18 columns, JSON lines"


@pytest.mark.parametrize("chunk_bytes", [7, 50])
def test_json_line_longer_than_any_record_goes_to_quarantine_in_pieces(tmp_path: Path, chunk_bytes: int) -> None:
    first, last = (json.dumps(complaint(complaint_id=number)) + "\n" for number in ("1", "2"))
    limit = len(first)
    endless = ["x" * limit + "\n", "y" * (3 * limit + 5) + "\n"]
    content = first + endless[0] + last + "".join(endless) + last + "z" * (limit + 1)
    rows = rows_of(plan(tmp_path / "a.jsonl", content, Limits(chunk_bytes, limit)))
    assert [(row["_source_line"], row["complaint_id"]) for row in rows if "_reason" not in row] == [
        (1, "1"), (3, "2"), (6, "2")
    ]  # fmt: skip
    bad = [row for row in rows if "_reason" in row]
    texts = {line: "".join(row["_record"] for row in bad if row["_source_line"] == line) for line in (2, 4, 5, 7)}
    assert texts == {2: endless[0], 4: endless[0], 5: endless[1], 7: "z" * (limit + 1)}
    assert {row["_reason"] for row in bad} == {ENDLESS}


def test_json_line_without_end_takes_bounded_memory(tmp_path: Path) -> None:
    path, size, limits = tmp_path / "a.jsonl", 20_000_000, Limits(chunk_bytes=50_000, record_bytes=200_000)
    path.write_bytes(json.dumps(complaint()).encode() + b"\n" + b"x" * size)
    tracemalloc.start()
    planned = plan_landing(LandingFile.of(path), limits)
    read = sum(
        len(text)
        for batch in read_chunks(planned, planned.chunks)
        for text in batch.column("_record").to_pylist()
        if text is not None
    )
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert read == size
    assert peak < 10 * limits.record_bytes


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_search_api_response_is_read(tmp_path: Path, indent: int | None, encoding: str, pack: Any) -> None:
    complaints = [of_api(complaint_id="1", zip_code=None), of_api(complaint_id="2", has_narrative=True)]
    response = {
        "took": 1,
        "hits": {"total": {"value": 2}, "hits": [{"_id": "x", "_source": each} for each in complaints]},
    }
    content = json.dumps(response, indent=indent).encode(encoding)
    planned = plan(tmp_path / "a.json", pack(content))
    first, second = rows_of(planned)
    assert first == {k: v for k, v in complaint(complaint_id="1", zip_code=None).items() if v is not None} | {
        "_source_line": 1
    }
    assert second == complaint(complaint_id="2") | {"_source_line": 2}
    assert planned.layout_name == "official 18 columns, JSON"


@pytest.mark.parametrize("wrap", [lambda each: each, lambda each: {"_index": "c", "_source": each}])
def test_array_of_complaints_is_read(tmp_path: Path, wrap: Any) -> None:
    complaints = [of_api(complaint_id=str(number)) for number in range(3)]
    planned = plan(tmp_path / "a.json", "\ufeff " + json.dumps([wrap(each) for each in complaints]))
    assert rows_of(planned) == [complaint(complaint_id=str(n)) | {"_source_line": n + 1} for n in range(3)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"complaint_id": 1}]', "the header is missing date_received, product, company"),
        ("[]", "the header is missing date_received, product, company, complaint_id"),
        ('{"hits": {"hits": []}}', "the header is missing date_received, "),
        ('{"a": 1}\n{"a": 2}\n', "the header is missing date_received, "),
        (json.dumps([of_api()] * 2)[:-30], r"cannot be read \("),
        (json.dumps([of_api()]) + "]", r"cannot be read \("),
    ],
    ids=["other objects", "empty array", "no hits", "other lines", "cut", "garbage after the end"],
)
def test_json_without_complaints_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(NotAComplaintFileError, match=rf"a\.json: .*{message}"):
        plan(tmp_path / "a.json", content)


def test_json_document_with_an_object_longer_than_any_record_is_refused(tmp_path: Path) -> None:
    limits, objects = Limits(record_bytes=200_000), [of_api()] * 1_000
    content = json.dumps([*objects, of_api(tags="x" * 2_000_000)])
    assert len(rows_of(plan(tmp_path / "a.json", json.dumps(objects), limits))) == 1_000
    with pytest.raises(NotAComplaintFileError, match=r"a\.json: cannot be read \(.* longer than any record\)"):
        plan(tmp_path / "a.json", content, limits)


def test_parquet_is_read_as_text(tmp_path: Path) -> None:
    rows = [complaint(complaint_id=number, company=None if number == 3 else "Acme") for number in range(1, 6)]
    table = pa.Table.from_pylist(rows).rename_columns(list(OFFICIAL_HEADER))
    table = table.set_column(0, "Date received", pa.array([date(2016, 3, number) for number in range(1, 6)]))
    table = table.set_column(9, "ZIP code", pa.array([2127.0, None, 90001.0, 501.0, 7.0]))
    table = table.append_column("Score", pa.array([0.5] * 5))
    table = table.append_column("Seen", pa.array([datetime(2016, 1, 2, 3, 4, 5)] * 5))
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=2)
    planned = plan_landing(LandingFile.of(tmp_path / "a.parquet"))
    read = rows_of(planned)
    expected = [
        {name: value for name, value in row.items() if value is not None and name != "zip_code"}
        | {"complaint_id": str(number), "date_received": f"2016-03-0{number}", "_source_line": number}
        for number, row in enumerate(rows, 1)
    ]
    assert [row.pop("zip_code", None) for row in read] == ["2127", None, "90001", "501", "7"]
    assert {row.pop("_rescued") for row in read} == {'{"Score": "0.5", "Seen": "2016-01-02 03:04:05.000000"}'}
    assert read == expected
    assert (planned.layout_name, len(planned.chunks)) == ("official 18 columns, Parquet", 3)


def test_parquet_without_the_columns_or_packed_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "a.parquet")
    with pytest.raises(NotAComplaintFileError, match=r"a\.parquet: not a complaint file: the header is missing"):
        plan_landing(LandingFile.of(tmp_path / "a.parquet"))
    content = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(NotAComplaintFileError, match=r"b\.parquet\.gz: a packed Parquet file; unpack it first"):
        plan(tmp_path / "b.parquet.gz", gzip.compress(content))
    with pytest.raises(NotAComplaintFileError, match=r"c\.parquet: cannot be read \("):
        plan(tmp_path / "c.parquet", content[:-20])


def test_parquet_that_changed_since_it_was_planned_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.Table.from_pylist([complaint()]), path)
    planned = plan_landing(LandingFile.of(path))
    pq.write_table(pa.Table.from_pylist([complaint(), complaint()]), path)
    with pytest.raises(OSError, match="changed while it was being landed"):
        rows_of(planned)
