from __future__ import annotations

import csv
import io
import json
import random
import re
from collections.abc import Sequence

import pytest

from solosolve.errors import NotAComplaintFileError
from solosolve.landing.csv_layout import REQUIRED_COLUMNS, Layout, column_of, find_layout
from solosolve.landing.csv_records import split_lines
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


def lines(*rows: Sequence[str], delimiter: str = ",") -> list[str]:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return split_lines(out.getvalue().encode("utf-8", "surrogateescape"))


def layout_of(*header: str, delimiter: str = ",") -> Layout:
    return find_layout(lines(header, delimiter=delimiter), "a.csv")[1]


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


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("subproduct", "sub_product"),
        ("Sub product", "sub_product"),
        ("SubIssue", "sub_issue"),
        ("Complaint", "consumer_complaint_narrative"),
        ("ComplaintID", "complaint_id"),
        ("zipcode", "zip_code"),
        ("Date Sent To Company", "date_sent_to_company"),
    ],
)
def test_column_of_ignores_separators(header: str, column: str) -> None:
    assert column_of(header) == column


@pytest.mark.parametrize("header", ["Has Narrative", "Complaint type", "Product line", "id"])
def test_column_of_keeps_an_unknown_name(header: str) -> None:
    assert column_of(f" {header} ") == header


@pytest.mark.parametrize(
    ("delimiter", "name"),
    [
        (";", "official 18 columns, separated by ';'"),
        ("\t", "official 18 columns, separated by tabs"),
        ("|", "official 18 columns, separated by '|'"),
    ],
)
def test_find_layout_reads_other_delimiters(delimiter: str, name: str) -> None:
    layout = layout_of(*OFFICIAL_HEADER, delimiter=delimiter)
    assert (layout.fields, layout.delimiter, layout.name) == (COMPLAINT_COLUMNS, delimiter, name)


def test_find_layout_keeps_a_name_that_is_not_utf_8_legible() -> None:
    assert layout_of(*OFFICIAL_HEADER, "Montant pay\udce9").unknown == ("Montant pay\\xe9",)


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
    rows = lines(["Complaints, all"], ["Date received", "Product"], OFFICIAL_HEADER, REQUIRED_COLUMNS)
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
        find_layout(lines(["a", "b"], ["Date received", "Product", "Firm"], ["Product"]), "a.csv")


def test_find_layout_names_all_required_columns_for_an_empty_file() -> None:
    with pytest.raises(
        NotAComplaintFileError, match=r"a\.csv: .* is missing date_received, product, company, complaint_id"
    ):
        find_layout([], "a.csv")
