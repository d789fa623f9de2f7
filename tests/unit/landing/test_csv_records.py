from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solosolve.landing.csv_records import (
    BROKEN_QUOTES,
    HAS_NUL,
    MAX_FIELD_CHARACTERS,
    NOT_UTF8,
    Record,
    byte_length,
    legible,
    read_record,
    read_records,
    split_lines,
    well_formed_prefix,
)

TEXTS = st.text(st.sampled_from(',"\r\n \té') | st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
TABLES = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(TEXTS, min_size=width, max_size=width), min_size=1))
PIECES = [
    b'"',
    b'""',
    b",",
    b"\n",
    b"\r",
    b"\r\n",
    b"\0",
    b"\xff",
    b" ",
    b"a",
    "é\u2028".encode(),
    b"a,b,c\n",
    b'"a\nb"',
]
SOUPS = st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join) | st.binary(max_size=60)


def written(table: list[list[str]], **dialect: object) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, **dialect).writerows(table)  # type: ignore[arg-type]
    return out.getvalue().encode()


def read(data: bytes, field_count: int) -> list[Record]:
    return list(read_records(split_lines(data), field_count))


def fields_until_error(data: bytes) -> list[list[str]]:
    """Records as Python's strict reader reads them, without blank lines, up to the first that it refuses."""
    found = []
    try:
        for fields in csv.reader(io.StringIO(data.decode("utf-8", "surrogateescape"), newline=""), strict=True):
            found += [fields] if fields else []
    except csv.Error:
        pass
    return found


def is_good(fields: list[str], field_count: int) -> bool:
    text = "".join(fields)
    return len(fields) == field_count and "\0" not in text and legible(text) == text


@settings(deadline=None)
@given(TABLES, st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
def test_read_records_returns_the_table_that_was_written(table: list[list[str]], quoting: int) -> None:
    data = written(table, quoting=quoting)
    assert [record.fields for record in read(data, len(table[0]))] == table == fields_until_error(data)


@settings(deadline=None)
@given(TABLES, st.sampled_from(["\n", "\r", "\r\n"]))
def test_read_records_agrees_with_python_for_each_line_end(table: list[list[str]], line_end: str) -> None:
    data = written(table, lineterminator=line_end)
    width = len(table[0])
    expected = [fields if is_good(fields, width) else [] for fields in fields_until_error(data)]
    assert [record.fields for record in read(data, width)][: len(expected)] == expected


@settings(deadline=None)
@given(SOUPS, st.integers(1, 4))
def test_read_records_loses_no_line(data: bytes, field_count: int) -> None:
    lines = split_lines(data)
    assert "".join(lines).encode("utf-8", "surrogateescape") == data
    end = 0
    for found in read_records(lines, field_count):
        assert "".join(lines[end : found.line]).strip("\r\n") == ""
        assert found.end > found.line
        own = "".join(lines[found.line : found.end])
        if found.reason is None:
            assert [found.fields] == fields_until_error(own.encode())
        else:
            assert (found.fields, found.text) == ([], legible(own))
        end = found.end
    assert "".join(lines[end:]).strip("\r\n") == ""


@settings(deadline=None)
@given(SOUPS, st.integers(1, 4))
def test_read_records_agrees_with_python_up_to_the_first_error(data: bytes, field_count: int) -> None:
    expected = [fields if is_good(fields, field_count) else [] for fields in fields_until_error(data)]
    assert [record.fields for record in read(data, field_count)][: len(expected)] == expected


@settings(deadline=None)
@given(SOUPS, st.lists(st.sampled_from(["x", "y,z", 'q"r', "é"]), min_size=3, max_size=3).map(tuple))
def test_read_records_reads_good_records_after_a_stray_quote(soup: bytes, fields: tuple[str, ...]) -> None:
    bad = b'a,"b" c,d\n' + soup.replace(b'"', b"").replace(b",", b"") + b"\n"
    data = bad + written([list(fields)] * 2, quoting=csv.QUOTE_ALL)
    assert [record.fields for record in read(data, 3)][-2:] == [list(fields)] * 2


def test_read_records_ends_bad_text_where_the_next_good_record_begins() -> None:
    data = b'1,good,x\n2,"never closed,x\nmore of it\n3,good,x\n4,"quoted,\n""good""",x\n'
    assert read(data, 3) == [
        Record(0, 1, ["1", "good", "x"]),
        Record(1, 3, [], '2,"never closed,x\nmore of it\n', BROKEN_QUOTES),
        Record(3, 4, ["3", "good", "x"]),
        Record(4, 6, ["4", 'quoted,\n"good"', "x"]),
    ]


def test_read_records_refuses_each_malformed_record_with_its_reason() -> None:
    data = b'1,a\n2\n3,a,b\n4,n\0ul\n5,\xff\xfe\n6,"cut'
    assert [(record.text, record.reason) for record in read(data, 2) if record.reason] == [
        ("2\n", "has 1 field, but the header has 2"),
        ("3,a,b\n", "has 3 fields, but the header has 2"),
        ("4,n\0ul\n", HAS_NUL),
        ("5,\\xff\\xfe\n", NOT_UTF8),
        ('6,"cut', BROKEN_QUOTES),
    ]


def test_read_records_skips_blank_lines() -> None:
    assert [record.line for record in read(b"\n1,a\n\r\n\r2,b\n\n", 2)] == [1, 4]


def test_read_records_cuts_endless_bad_text() -> None:
    data = b'1,"' + b"no record\n" * 10
    found = list(read_records(split_lines(data), 2, max_bad_characters=20))
    assert [(record.line, record.end) for record in found[:2]] == [(0, 2), (2, 3)]
    assert sum(record.end - record.line for record in found) == 10


@pytest.mark.parametrize(("excess", "reason"), [(0, None), (1, BROKEN_QUOTES)])
def test_read_records_reads_fields_up_to_the_longest_allowed(excess: int, reason: str | None) -> None:
    narrative = b"x" * (MAX_FIELD_CHARACTERS + excess)
    found = read(b'1,"' + narrative + b'"\n2,b\n', 2)
    assert [record.reason for record in found] == [reason, None]
    assert found[1].fields == ["2", "b"]


@settings(deadline=None)
@given(SOUPS | TABLES.map(written))
def test_well_formed_prefix_ends_after_records_that_python_reads(data: bytes) -> None:
    prefix = data[: well_formed_prefix(data)]
    # Python reads the prefix to its end in strict mode, and what follows is a separate record.
    found = fields_until_error(prefix)
    assert fields_until_error(prefix + b'next,"one"') == [*found, ["next", "one"]]
    assert found == fields_until_error(data)[: len(found)]


@settings(deadline=None)
@given(TABLES)
def test_well_formed_prefix_covers_a_written_table(table: list[list[str]]) -> None:
    data = written(table)
    assert well_formed_prefix(data) == len(data)


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"", 0), (b"a,b", 0), (b"a,b\r", 0), (b'a,b\n"c', 4), (b'a\n"b" c\n', 2), (b'"a\nb', 0), (b"\n\n", 2)],
)
def test_well_formed_prefix_stops_at_an_unfinished_record(data: bytes, expected: int) -> None:
    assert well_formed_prefix(data) == expected


def test_read_record_reads_the_record_that_begins_at_a_line() -> None:
    lines = split_lines(b'a,b\n"c\nd",e\n"f" g\n')
    assert read_record(lines, 1) == Record(1, 3, ["c\nd", "e"])
    assert read_record(lines, 3) is None


@settings(deadline=None)
@given(SOUPS)
def test_byte_length_counts_the_bytes_that_were_split(data: bytes) -> None:
    assert byte_length(split_lines(data)) == len(data)
