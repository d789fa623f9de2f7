from __future__ import annotations

import csv
import io
import json
import time
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from solosolve.cli.render import SHOWN_ROWS, Format, render
from solosolve.errors import TableError

AT = datetime(2026, 3, 1, 23, 30, 0, 250_000, tzinfo=UTC)


def rendered(table: pa.Table, fmt: Format, width: int = 80) -> str:
    stream = io.StringIO(newline="")
    render(table, fmt, Console(file=stream, width=width))
    return stream.getvalue()


def answer() -> pa.Table:
    return pa.table(
        {
            "complaint_id": [7, 12_345_678],
            "probability": [0.123456789, None],
            "company": ['The "Best", Bank', None],
            "narrative": ["First line\nsecond line", "=1+1"],
            "scored_at": pa.array([AT, None], pa.timestamp("us", tz="UTC")),
            "day": [date(2026, 3, 1), None],
            "is_new": [True, None],
            "rules": [["a", "b"], None],
        }
    )


def test_table_aligns_numbers_to_the_right_and_text_to_the_left() -> None:
    lines = rendered(pa.table({"n": [5, 12_345], "name": ["ab", "abcde"]}), "table").splitlines()
    assert lines[3:5] == ["│     5 │ ab    │", "│ 12345 │ abcde │"]


def test_table_shows_nulls_dim() -> None:
    stream = io.StringIO()
    render(pa.table({"name": pa.array([None], pa.string())}), "table", Console(file=stream, force_terminal=True))
    assert "\x1b[2mnull" in stream.getvalue()


@pytest.mark.parametrize(("count", "line"), [(0, "0 rows"), (1, "1 row"), (3, "3 rows")])
def test_table_counts_its_rows(count: int, line: str) -> None:
    assert rendered(pa.table({"n": pa.array(range(count), pa.int64())}), "table").splitlines()[-1] == line


def test_table_cuts_long_text_but_never_a_number() -> None:
    printed = rendered(pa.table({"id": [123_456_789_012], "text": ["word " * 40], "p": [0.123456]}), "table", width=60)
    assert "123456789012" in printed
    assert "0.123456" in printed
    assert "…" in printed
    assert max(len(line) for line in printed.splitlines()) == 60


def test_table_gives_a_short_column_its_width_before_a_long_one() -> None:
    printed = rendered(pa.table({"text": ["word " * 40], "company": ["Twenty letters, Inc."]}), "table", width=60)
    assert "Twenty letters, Inc." in printed


def test_table_that_does_not_fit_becomes_records() -> None:
    columns = {f"column_{number}": ["some words", None] for number in range(20)} | {"long": ["word " * 40, "x"]}
    lines = rendered(pa.table(columns), "table", width=60).splitlines()
    assert lines[0].startswith("row 1 ─")
    assert lines[1] == "column_0   some words"
    assert lines[21].endswith("…")
    assert lines[22].startswith("row 2 ─")
    assert lines[-1] == "2 rows"
    assert max(len(line) for line in lines) == 60


def test_table_prints_hostile_text_harmlessly_on_one_line() -> None:
    printed = rendered(pa.table({"text": ["a\nb\tc\x1b[31md\x07[bold]e[/bold]"]}), "table")
    assert "a b c [31md [bold]e[/bold]" in printed
    assert "\x1b" not in printed


def test_table_keeps_wide_characters_within_the_width() -> None:
    printed = rendered(pa.table({"text": ["漢字" * 60], "n": [42]}), "table", width=50)
    assert "42" in printed
    assert "…" in printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [(0.0, "0.0"), (1.0, "1.0"), (0.1234567, "0.123457"), (1.5e-7, "1.5e-07"), (1234567.25, "1234567.25")],
)
def test_table_rounds_fractions_for_reading(value: float, printed: str) -> None:
    assert rendered(pa.table({"p": [value]}), "table").splitlines()[3].strip("│ ") == printed


def test_table_of_many_rows_quickly_shows_the_first_and_says_so() -> None:
    many = pa.table({"n": range(100_000), "text": ["words that a person wrote"] * 100_000})
    start = time.monotonic()
    lines = rendered(many, "table").splitlines()
    assert time.monotonic() - start < 5
    assert lines[-1] == "100,000 rows, the first 1,000 shown; --format csv or json prints all"
    assert len(lines) == SHOWN_ROWS + 5


def test_csv_prints_values_and_makes_formulas_harmless() -> None:
    assert rendered(answer(), "csv").split("\r\n") == [
        "complaint_id,probability,company,narrative,scored_at,day,is_new,rules",
        '7,0.123456789,"The ""Best"", Bank","First line\nsecond line",'
        '2026-03-01T23:30:00.250000Z,2026-03-01,true,"[""a"", ""b""]"',
        "12345678,,,'=1+1,,,,",
        "",
    ]


@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=2, max_size=2), min_size=1))
def test_csv_round_trips_everything_except_formulas(rows: list[list[str]]) -> None:
    printed = rendered(pa.table({"a": [row[0] for row in rows], "b": [row[1] for row in rows]}), "csv")
    harmless = [
        [f"'{text}" if text[:1] in {*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20"} else text for text in row] for row in rows
    ]
    assert list(csv.reader(io.StringIO(printed, newline=""))) == [["a", "b"], *harmless]


def test_csv_prints_every_row() -> None:
    assert rendered(pa.table({"n": range(25_001)}), "csv").count("\r\n") == 25_002


def test_json_is_one_array_with_iso_dates() -> None:
    first, second = json.loads(rendered(answer(), "json"))
    assert first == {
        "complaint_id": 7,
        "probability": 0.123456789,
        "company": 'The "Best", Bank',
        "narrative": "First line\nsecond line",
        "scored_at": "2026-03-01T23:30:00.250000Z",
        "day": "2026-03-01",
        "is_new": True,
        "rules": ["a", "b"],
    }
    assert second == dict.fromkeys(first) | {"complaint_id": 12_345_678, "narrative": "=1+1"}


def test_json_of_no_rows_is_an_empty_array() -> None:
    assert json.loads(rendered(pa.table({"n": pa.array([], pa.int64())}), "json")) == []


def test_json_prints_nan_as_null_and_special_types_as_plain_json() -> None:
    table = pa.table(
        {
            "p": [float("nan")],
            "ps": [[float("inf"), 1.0]],
            "amount": pa.array([Decimal("1.50")]),
            "raw": [b"\x00\xff"],
            "part": [{"day": date(2026, 3, 1)}],
        }
    )
    assert json.loads(rendered(table, "json")) == [
        {"p": None, "ps": [None, 1.0], "amount": "1.50", "raw": "00ff", "part": {"day": "2026-03-01"}}
    ]


def test_json_of_repeated_column_names_is_refused() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["complaint_id", "complaint_id"])
    with pytest.raises(TableError, match="complaint_id appears twice: rename columns with AS"):
        rendered(table, "json")
    assert rendered(table, "csv").splitlines() == ["complaint_id,complaint_id", "1,2"]
