from __future__ import annotations

import bz2
import csv
import gzip
import hashlib
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.boundaries import DEFAULT_LIMITS, Limits
from solosolve.landing.csv_files import CUT, ENDLESS
from solosolve.landing.csv_records import BROKEN_QUOTES, MAX_FIELD_CHARACTERS, byte_length, read_record, split_lines
from solosolve.landing.cutting import BEFORE_HEADER, REPEATED_HEADER
from solosolve.landing.files import LandingFile, find_landing_files
from solosolve.landing.landing_plan import LandingPlan
from solosolve.landing.planning import plan_landing, read_asides, read_chunks
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
    batches = [*read_asides(plan), *read_chunks(plan, plan.chunks)]
    rows = sorted((row for batch in batches for row in batch.to_pylist()), key=lambda row: row["_source_line"])
    return [{name: value for name, value in row.items() if value is not None} for row in rows]


def landed(path: Path, content: bytes | str, limits: Limits = DEFAULT_LIMITS) -> list[dict[str, Any]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return rows_of(plan_landing(LandingFile.of(path), limits))


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
def test_read_chunks_reads_the_same_rows_from_small_chunks(
    folder: Path, body: bytes, chunk: int, longest_bad: int
) -> None:
    longest_record = 100
    lines = split_lines(body)
    ends = [(place, found.end) for place in range(len(lines)) if (found := read_record(lines, place))]
    assume(all(byte_length(lines[start:end]) <= longest_record for start, end in ends))
    whole = landed(folder / "a.csv", HEADER + body, Limits(bad_characters=longest_bad))
    plan = plan_landing(LandingFile.of(folder / "a.csv"), Limits(chunk, longest_record, longest_bad))
    assert rows_of(plan) == whole
    assert plan.byte_count == len(HEADER + body)
    assert plan.sha256 == hashlib.sha256(HEADER + body).hexdigest()


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_read_chunks_keeps_values_verbatim(tmp_path: Path, line_end: str) -> None:
    narrative = 'a "quote", a comma;\na line, a CR\r, CRLF\r\n and \U0001f600\t '
    rows = [{"consumer_complaint_narrative": narrative, "tags": ""}, {"tags": "N/A", "complaint_id": " 07"}]
    out = io.StringIO(newline="")
    fields = [[record(**row)[name] for name in COMPLAINT_COLUMNS] for row in rows]
    csv.writer(out, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerows([OFFICIAL_HEADER, *fields])
    assert landed(tmp_path / "a.csv", out.getvalue()) == [verbatim(2, **rows[0]), verbatim(6, **rows[1])]


def test_read_chunks_fills_columns_that_the_file_lacks_with_null(tmp_path: Path) -> None:
    assert landed(tmp_path / "a.csv", HEADER + b"3/1/16,Mortgage,,7\n") == [
        {"date_received": "3/1/16", "product": "Mortgage", "company": "", "complaint_id": "7", "_source_line": 2}
    ]


def test_read_chunks_rescues_unknown_columns_and_drops_the_row_number(tmp_path: Path) -> None:
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


def test_read_chunks_refuses_malformed_records_and_reads_the_others(tmp_path: Path) -> None:
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


def test_read_chunks_reads_long_fields_whole_and_refuses_endless_ones(tmp_path: Path) -> None:
    long, endless = "long, " * 150_000, "x" * (MAX_FIELD_CHARACTERS + 1)
    rows = landed(tmp_path / "a.csv", HEADER + f'1,"{long}",3,4\n1,{endless},3,4\n5,6,7,8\n'.encode())
    assert [row.get("product") for row in rows] == [long, None, "6"]
    assert rows[1] == {"_source_line": 3, "_record": f"1,{endless},3,4\n", "_reason": BROKEN_QUOTES}


@pytest.mark.parametrize("content", [HEADER, HEADER.strip(), HEADER + b"\n\r\n"])
def test_plan_landing_accepts_a_file_with_only_a_header(tmp_path: Path, content: bytes) -> None:
    assert landed(tmp_path / "a.csv", content) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n", "is missing date_received, product, company, complaint_id"),
        (b"Date received,Product,Complaint ID\n", "the header is missing company; at least date_received, "),
        (HEADER.replace(b"\n", b",company\n"), "the header names company more than once"),
        (gzip.compress(HEADER + b"1,2,3,4\n" * 9)[:-12], "cannot be read .*end-of-stream"),
        (gzip.compress(HEADER)[:-8] + bytes(8), "cannot be read .*CRC"),
        (b"PK\3\4 not an archive", "cannot be read .*not a zip file"),
    ],
    ids=["empty", "other columns", "missing column", "column twice", "cut gzip", "bad gzip", "bad zip"],
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
    plans = [plan_landing(file) for file in find_landing_files(str(tmp_path)).files]
    assert [str(plan.file) for plan in plans] == [
        f"{tmp_path}/{name}" for name in ("a.csv", "b.csv.gz", "c.zip!below/c.csv")
    ]
    assert {plan.sha256 for plan in plans} == {hashlib.sha256(content).hexdigest()}
    assert {plan.byte_count for plan in plans} == {len(content)}
    assert [rows_of(plan) for plan in plans] == [[verbatim(2), verbatim(3, complaint_id="2")]] * 3


def test_read_chunks_refuses_a_file_that_changed_since_it_was_planned(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(HEADER + b"1,2,3,4\n")
    plan = plan_landing(LandingFile.of(path))
    path.write_bytes(HEADER + b"1,2,3,5\n")
    with pytest.raises(OSError, match=r"a\.csv changed while it was being landed; run the task again"):
        rows_of(plan)


def test_plan_landing_reads_a_csv_that_begins_like_an_archive(tmp_path: Path) -> None:
    (tmp_path / "complaints.csv").write_bytes(b"PK,Date received,Product,Company,Complaint ID\n1,2,3,4,5\n")
    (file,) = find_landing_files(str(tmp_path)).files
    assert [row["complaint_id"] for row in rows_of(plan_landing(file))] == ["5"]


def test_plan_landing_refuses_an_archive_without_a_csv_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.writestr("notes.txt", "nothing")
    file = LandingFile.of(tmp_path / "notes.zip")
    with pytest.raises(NotAComplaintFileError, match=r"notes\.zip: cannot be read \(.*no member that could"):
        plan_landing(file)


PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "a.csv.gz": gzip.compress,
    "a.csv.bz2": bz2.compress,
    "a.csv.xz": lzma.compress,
    "a.csv.zst": lambda content: pa.Codec("zstd").compress(content, asbytes=True),
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.csv", *PACKINGS])
def test_plan_landing_reads_each_packing_and_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    rows = [{"complaint_id": str(number), "company": "\u00e9\U0001f600"} for number in range(300)]
    content = landing_csv(*rows).encode(encoding)
    pack = PACKINGS.get(name, bytes)
    expected = [verbatim(line, **row) for line, row in enumerate(rows, start=2)]
    assert landed(tmp_path / name, pack(content), Limits(chunk_bytes=999)) == expected


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_plan_landing_reads_other_delimiters(tmp_path: Path, delimiter: str) -> None:
    rows = [{"company": 'A, "B"; C|D\tE'}, {"complaint_id": "2"}]
    out = io.StringIO(newline="")
    fields = [[record(**row)[name] for name in COMPLAINT_COLUMNS] for row in rows]
    csv.writer(out, delimiter=delimiter).writerows([OFFICIAL_HEADER, *fields, ["too", "few"]])
    (first, second, bad) = landed(tmp_path / "a.csv", out.getvalue())
    assert [first, second] == [verbatim(2, **rows[0]), verbatim(3, **rows[1])]
    assert bad["_reason"] == "has 2 fields, but the header has 18"


def test_read_chunks_refuses_a_last_record_without_a_line_end(tmp_path: Path) -> None:
    content = landing_csv({"complaint_id": "1"}, {"complaint_id": "910004202"})[:-6]
    good, bad = landed(tmp_path / "a.csv", content)
    assert good == verbatim(2, complaint_id="1")
    assert bad["_record"] == content.splitlines()[-1]
    assert bad["_record"].endswith(",9100")
    assert (bad["_source_line"], bad["_reason"]) == (3, CUT)


def test_plan_landing_takes_a_last_record_without_a_line_end_if_the_file_is_complete(tmp_path: Path) -> None:
    content = landing_csv({"complaint_id": "1"}, {"complaint_id": "2"})
    (tmp_path / "a.csv").write_text(content.rstrip("\n"))
    plan = plan_landing(LandingFile.of(tmp_path / "a.csv"), is_complete=True)
    assert rows_of(plan) == [verbatim(2, complaint_id="1"), verbatim(3, complaint_id="2")]
    assert plan.sha256 == hashlib.sha256(content.encode()).hexdigest()
    assert plan.sha256 != plan_landing(LandingFile.of(tmp_path / "a.csv")).sha256


@pytest.mark.parametrize("chunk_bytes", [60, 1 << 20])
def test_read_chunks_follows_a_second_header_with_another_order(tmp_path: Path, chunk_bytes: int) -> None:
    turned = landing_csv({"complaint_id": "2"}, header=OFFICIAL_HEADER[::-1], columns=COMPLAINT_COLUMNS[::-1])
    same = landing_csv({"complaint_id": "3"})
    content = landing_csv({"complaint_id": "1"}) + turned + "\ufeff" + same
    rows = landed(tmp_path / "a.csv", content, Limits(chunk_bytes=chunk_bytes))
    headers = [row for row in rows if "_reason" in row]
    assert [row for row in rows if "_reason" not in row] == [
        verbatim(2, complaint_id="1"), verbatim(4, complaint_id="2"), verbatim(6, complaint_id="3")
    ]  # fmt: skip
    assert [(row["_source_line"], row["_reason"]) for row in headers] == [(3, REPEATED_HEADER), (5, REPEATED_HEADER)]


def test_read_chunks_keeps_a_header_inside_a_narrative(tmp_path: Path) -> None:
    text = "They pasted\n" + ",".join(OFFICIAL_HEADER) + "\nhere"
    rows = landed(tmp_path / "a.csv", landing_csv({"consumer_complaint_narrative": text}))
    assert rows == [verbatim(2, consumer_complaint_narrative=text)]


def test_read_chunks_passes_an_endless_line_on_in_pieces(tmp_path: Path) -> None:
    limits = Limits(chunk_bytes=100_000, record_bytes=200_000)
    line = "x" * 3_000_000 + "\r\n"
    rows = landed(tmp_path / "a.csv", HEADER.decode() + "1,2,3,4\n" + line + "5,6,7,8\n" + line + "9,9,9,9\n", limits)
    pieces = [row for row in rows if "_reason" in row]
    assert "".join(row["_record"] for row in pieces) == line * 2
    assert {row["_reason"] for row in pieces} == {ENDLESS}
    good = [(row["_source_line"], row["complaint_id"]) for row in rows if "_reason" not in row]
    assert good == [(2, "4"), (4, "8"), (6, "9")]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"<!DOCTYPE html><html>", "an HTML page"),
        (b"\n  <?xml version='1.0'?>", "an XML document"),
        (b"%PDF-1.7", "a PDF document"),
        (gzip.compress(gzip.compress(HEADER)), "packed twice: a gzip file inside"),
        (gzip.compress(bytes(257) + b"ustar" + bytes(300)), "a tar archive"),
    ],
    ids=["html", "xml", "pdf", "twice", "tar"],
)
def test_plan_landing_names_what_is_not_a_complaint_file(tmp_path: Path, content: bytes, kind: str) -> None:
    with pytest.raises(NotAComplaintFileError, match=rf"a\.csv: not a complaint file: it is {kind}$"):
        landed(tmp_path / "a.csv", content)


def test_plan_landing_refuses_a_corrupt_member_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("c.csv", landing_csv(*[{"complaint_id": str(number)} for number in range(200)]))
    content = bytearray((tmp_path / "a.zip").read_bytes())
    content[60:200] = bytes(range(140))
    (tmp_path / "a.zip").write_bytes(content)
    (file,) = find_landing_files(str(tmp_path)).files
    with pytest.raises(NotAComplaintFileError, match=r"a\.zip!c\.csv: cannot be read \("):
        plan_landing(file)
