from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_records import BROKEN_QUOTES, MAX_FIELD_CHARACTERS, byte_length, read_record, split_lines
from solosolve.landing.files import LandingFile, find_landing_files
from solosolve.landing.plans import BEFORE_HEADER, DEFAULT_LIMITS, LandingPlan, Limits, plan_landing, read_part
from solosolve.names import COMPLAINT_COLUMNS
from support.builders import OFFICIAL_HEADER, landing_csv, record

HEADER = b"Date received,Product,Company,Complaint ID\n"
PIECES = [
    "1,2,3,4\n",
    '1,"2\n2",3,4\r\n',
    '1,"a,b,c,d\ne,f,g,h\n",3,4\n',
    '5,"',
    '"',
    "\n",
    "\r",
    ",",
    "é",
    "\0",
    "x,y\n",
]
CONTENTS = st.lists(st.sampled_from(PIECES), max_size=60).map(lambda pieces: "".join(pieces).encode())


def rows_of(plan: LandingPlan) -> list[dict[str, Any]]:
    """All rows of a planned file in order, each without its null columns."""
    batches = [batch for number in range(len(plan.parts)) for batch in read_part(plan, number)]
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: row["_source_line"])
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def landed(path: Path, content: bytes | str, limits: Limits = DEFAULT_LIMITS) -> list[dict[str, Any]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return rows_of(plan_landing(LandingFile(path), limits))


def verbatim(line: int, **overrides: str) -> dict[str, Any]:
    return {name: value for name, value in record(**overrides).items() if name in COMPLAINT_COLUMNS} | {
        "_source_line": line
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("landing")


# The text around the second stray quote looks like records. The chunk size must not change where it is cut.
LOOK_ALIKES = '5,"' + "1,2,3,4\n" * 3 + '1,"a,b,c,d\ne,f,g,h\n",3,4\n5,"' + '1,"a,b,c,d\ne,f,g,h\n",3,4\n' * 2


@settings(deadline=None)
@example(LOOK_ALIKES.encode(), 1, 30)
@given(CONTENTS, st.integers(1, 40), st.sampled_from([30, 1 << 20]))
def test_read_part_reads_the_same_rows_from_small_chunks(
    folder: Path, body: bytes, chunk: int, longest_bad: int
) -> None:
    longest_record = 100
    lines = split_lines(body)
    ends = [(place, found.end) for place in range(len(lines)) if (found := read_record(lines, place))]
    assume(all(byte_length(lines[start:end]) <= longest_record for start, end in ends))
    whole = landed(folder / "a.csv", HEADER + body, Limits(bad_characters=longest_bad))
    plan = plan_landing(LandingFile(folder / "a.csv"), Limits(chunk, longest_record, longest_bad))
    assert rows_of(plan) == whole
    assert plan.byte_count == len(HEADER + body)
    assert plan.sha256 == hashlib.sha256(HEADER + body).hexdigest()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_read_part_keeps_values_verbatim(tmp_path: Path, line_end: str) -> None:
    narrative = 'a "quote", a comma;\na line, a CR\r, CRLF\r\n and \U0001f600\t '
    rows = [{"consumer_complaint_narrative": narrative, "tags": ""}, {"tags": "N/A", "complaint_id": " 07"}]
    out = io.StringIO(newline="")
    fields = [[record(**row)[name] for name in COMPLAINT_COLUMNS] for row in rows]
    csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([OFFICIAL_HEADER, *fields])
    assert landed(tmp_path / "a.csv", out.getvalue()) == [verbatim(2, **rows[0]), verbatim(6, **rows[1])]


def test_read_part_fills_columns_that_the_file_lacks_with_null(tmp_path: Path) -> None:
    assert landed(tmp_path / "a.csv", HEADER + b"3/1/16,Mortgage,,7\n") == [
        {"date_received": "3/1/16", "product": "Mortgage", "company": "", "complaint_id": "7", "_source_line": 2}
    ]


def test_read_part_rescues_unknown_columns_and_drops_the_row_number(tmp_path: Path) -> None:
    content = "Unnamed: 0,Note,Date received,Product,Company,Complaint ID\n0,é,a,b,c,1\n1,,d,e,f,2\n"
    rows = landed(tmp_path / "a.csv", content)
    assert [json.loads(row.pop("_rescued")) for row in rows] == [{"Note": "é"}, {"Note": ""}]
    assert rows[1] == {
        "date_received": "d", "product": "e", "company": "f", "complaint_id": "2", "_source_line": 3
    }  # fmt: skip


def test_plan_landing_reads_a_file_with_a_byte_order_mark(tmp_path: Path) -> None:
    content = "\ufeff" + landing_csv({}).replace("Date received", '"Date received"')
    assert landed(tmp_path / "a.csv", content) == [verbatim(2)]


def test_plan_landing_refuses_lines_before_the_header(tmp_path: Path) -> None:
    rows = landed(tmp_path / "a.csv", b'Export of "2016\n\nall\xff,\n"open\n' + landing_csv({}).encode())
    assert [row for row in rows if "_reason" in row] == [
        {"_source_line": 1, "_record": 'Export of "2016\n', "_reason": BEFORE_HEADER},
        {"_source_line": 3, "_record": "all\\xff,\n", "_reason": BEFORE_HEADER},
        {"_source_line": 4, "_record": '"open\n', "_reason": BEFORE_HEADER},
    ]
    assert rows[3:] == [verbatim(6)]


def test_read_part_refuses_malformed_records_and_reads_the_others(tmp_path: Path) -> None:
    content = HEADER + b'1,2,3,4\n1,2\n"x" y,2,3,4\n1,2,\xff,4\n1,2,3,4,5\n5,6,7,8\n1,2,"cut in a quote\nand gone'
    rows = landed(tmp_path / "a.csv", content)
    assert [row["_source_line"] for row in rows if "_reason" not in row] == [2, 7]
    assert [(row["_source_line"], row["_record"]) for row in rows if "_reason" in row] == [
        (3, "1,2\n"),
        (4, '"x" y,2,3,4\n'),
        (5, "1,2,\\xff,4\n"),
        (6, "1,2,3,4,5\n"),
        (8, '1,2,"cut in a quote\nand gone'),
    ]


def test_read_part_reads_long_fields_whole_and_refuses_endless_ones(tmp_path: Path) -> None:
    long, endless = "long, " * 200_000, "x" * (MAX_FIELD_CHARACTERS + 1)
    rows = landed(tmp_path / "a.csv", HEADER + f'1,"{long}",3,4\n1,{endless},3,4\n5,6,7,8\n'.encode())
    assert [row.get("product") for row in rows] == [long, None, "6"]
    assert rows[1] == {"_source_line": 3, "_record": f"1,{endless},3,4\n", "_reason": BROKEN_QUOTES}


@pytest.mark.parametrize("content", [HEADER, HEADER.strip(), HEADER + b"\n\r\n"])
def test_plan_landing_accepts_a_file_with_only_a_header(tmp_path: Path, content: bytes) -> None:
    assert landed(tmp_path / "a.csv", content) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is missing date_received, product, company, complaint_id"),
        (b"a,b\n1,2\n", "is missing date_received, product, company, complaint_id"),
        (b"Date received,Product,Complaint ID\n", "the header is missing company; at least date_received, "),
        (HEADER.replace(b"\n", b",company\n"), "the header names company more than once"),
        (landing_csv({}).encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (gzip.compress(HEADER + b"1,2,3,4\n" * 9)[:-12], "cannot be read .*end-of-stream"),
        (gzip.compress(HEADER)[:-8] + bytes(8), "cannot be read .*CRC"),
        (b"PK\3\4 not an archive", "cannot be read .*not a zip file"),
    ],
    ids=["empty", "other columns", "missing column", "column twice", "utf-16", "cut gzip", "bad gzip", "bad zip"],
)
def test_plan_landing_refuses_a_file_that_is_not_a_complaint_file(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(NotAComplaintFileError, match=rf"a\.csv: .*{message}"):
        landed(tmp_path / "a.csv", content)


def test_plan_landing_gives_a_file_and_its_archives_the_same_hash(tmp_path: Path) -> None:
    content = landing_csv({"complaint_id": "1"}, {"complaint_id": "2"}).encode()
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(content))
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("below/c.csv", content)
    plans = [plan_landing(file) for file in find_landing_files(str(tmp_path))]
    assert [str(plan.file) for plan in plans] == [
        f"{tmp_path}/{name}" for name in ("a.csv", "b.csv.gz", "c.zip!below/c.csv")
    ]
    assert {plan.sha256 for plan in plans} == {hashlib.sha256(content).hexdigest()}
    assert {plan.byte_count for plan in plans} == {len(content)}
    assert [rows_of(plan) for plan in plans] == [[verbatim(2), verbatim(3, complaint_id="2")]] * 3


def test_read_part_refuses_a_file_that_changed_since_it_was_planned(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + b"1,2,3,4\n")
    plan = plan_landing(LandingFile(path))
    path.write_bytes(HEADER + b"1,2,3,5\n")
    with pytest.raises(OSError, match=r"a\.csv changed while it was being landed; run the task again"):
        rows_of(plan)


def test_plan_landing_reads_a_csv_that_begins_like_an_archive(tmp_path: Path) -> None:
    (tmp_path / "complaints.csv").write_bytes(b"PK,Date received,Product,Company,Complaint ID\n1,2,3,4,5\n")
    (file,) = find_landing_files(str(tmp_path))
    assert [row["complaint_id"] for row in rows_of(plan_landing(file))] == ["5"]


def test_plan_landing_refuses_an_archive_without_a_csv_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    (file,) = find_landing_files(str(tmp_path))
    with pytest.raises(NotAComplaintFileError, match=r"notes\.zip: cannot be read \(.*contains no CSV\)"):
        plan_landing(file)
