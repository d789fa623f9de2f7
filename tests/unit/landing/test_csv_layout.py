from __future__ import annotations

import json
import random
import re

import pytest

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_layout import REQUIRED_COLUMNS, Layout, find_layout
from solosolve.landing.csv_records import Record
from solosolve.names import COMPLAINT_COLUMNS
from support.builders import API_HEADER, OFFICIAL_HEADER

OF_2012 = (
    "Complaint ID,Product,Sub-product,Issue,Sub-issue,State,ZIP code,Submitted via,Date received,"
    "Date sent to company,Company,Company response,Timely response?,Consumer disputed?"
)
OLD_LAYOUTS = {
    14: OF_2012.split(","),
    13: [name for name in OF_2012.split(",") if name != "Sub-issue"],
}


def records(*rows: list[str]) -> list[Record]:
    return [Record(line, line + 1, fields) for line, fields in enumerate(rows)]


def layout_of(*header: str) -> Layout:
    return find_layout(records(list(header)), "a.csv")[1]


@pytest.mark.parametrize("header", [OFFICIAL_HEADER, API_HEADER, COMPLAINT_COLUMNS])
def test_find_layout_reads_the_18_columns_in_each_published_spelling(header: tuple[str, ...]) -> None:
    layout = layout_of(*header)
    assert (layout.fields, layout.name, layout.unknown) == (COMPLAINT_COLUMNS, "official 18 columns", ())


def test_find_layout_reads_columns_in_any_order() -> None:
    places = random.Random(1).sample(range(18), 18)
    layout = layout_of(*(OFFICIAL_HEADER[place] for place in places))
    assert layout.fields == tuple(COMPLAINT_COLUMNS[place] for place in places)
    assert layout.name == "official 18 columns"


def test_find_layout_ignores_spacing_and_case() -> None:
    layout = layout_of("\ufeffDATE RECEIVED", " Product ", "company", "Complaint_ID", "Timely  response?", "zip-code")
    assert layout.fields == ("date_received", "product", "company", "complaint_id", "timely_response", "zip_code")


def test_find_layout_reads_the_16_columns_published_since_2026() -> None:
    withdrawn = ("Consumer consent provided?", "Consumer disputed?")
    layout = layout_of(*(name for name in OFFICIAL_HEADER if name not in withdrawn))
    assert layout.name == "published 16 columns"
    assert "consumer_disputed" not in layout.fields


@pytest.mark.parametrize("count", OLD_LAYOUTS)
def test_find_layout_reads_old_layouts(count: int) -> None:
    layout = layout_of(*OLD_LAYOUTS[count])
    assert layout.name == f"{count} known columns"
    assert set(layout.fields) <= set(COMPLAINT_COLUMNS)
    assert "company_response_to_consumer" in layout.fields


@pytest.mark.parametrize("index", ["", " ", "Unnamed: 0", "Unnamed: 17"])
def test_find_layout_drops_an_unnamed_row_number(index: str) -> None:
    layout = layout_of(index, *OFFICIAL_HEADER)
    assert layout.fields == (None, *COMPLAINT_COLUMNS)
    assert (layout.name, layout.unknown) == ("official 18 columns", ())


def test_layout_rescues_unknown_columns_as_json() -> None:
    layout = layout_of("", "Score, %", *OFFICIAL_HEADER, "Größe")
    assert layout.unknown == ("Score, %", "Größe")
    rescued = layout.rescued(['say "hi"\n', ""])
    assert rescued is not None and "Größe" in rescued
    assert json.loads(rescued) == {"Score, %": 'say "hi"\n', "Größe": ""}


def test_layout_rescues_nothing_without_unknown_columns() -> None:
    assert layout_of(*OFFICIAL_HEADER).rescued([]) is None


def test_find_layout_skips_records_before_the_header() -> None:
    rows = records(["Complaints, all"], ["Date received", "Product"], list(OFFICIAL_HEADER), list(REQUIRED_COLUMNS))
    header, layout = find_layout(rows, "a.csv")
    assert (header.line, layout.name) == (2, "official 18 columns")


@pytest.mark.parametrize(
    "twice", [("State", "state"), ("Company response", "Company response to consumer"), ("Note", "Note")]
)
def test_find_layout_refuses_a_column_named_twice(twice: tuple[str, str]) -> None:
    with pytest.raises(NotAComplaintFileError, match=r"a\.csv: the header names \w+ more than once"):
        layout_of(*(name for name in OFFICIAL_HEADER if name not in ("State", twice[1])), *twice)


def test_find_layout_names_the_columns_that_the_closest_header_lacks() -> None:
    expected = (
        "a.csv: not a complaint file: the header is missing company, complaint_id; "
        "at least date_received, product, company, complaint_id are needed"
    )
    with pytest.raises(NotAComplaintFileError, match=f"^{re.escape(expected)}$"):
        find_layout(records(["a", "b"], ["Date received", "Product", "Firm"], ["Product"]), "a.csv")


def test_find_layout_names_all_required_columns_for_an_empty_file() -> None:
    with pytest.raises(
        NotAComplaintFileError, match=r"a\.csv: .* is missing date_received, product, company, complaint_id"
    ):
        find_layout([], "a.csv")
