from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solosolve.landing.raw_messages import read_raw_messages
from solosolve.names import COMPLAINT_COLUMNS
from solosolve.schemas import PARSED_COLUMNS, PARSED_SCHEMA
from support.builders import API_HEADER, OFFICIAL_HEADER, record

SOME_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
LEAST = b'"date_received": "2016-03-01", "product": "Mortgage", "company": "Acme Bank"'
AS_READ = {"date_received": "2016-03-01", "product": "Mortgage", "company": "Acme Bank"}


def read(*values: bytes | None) -> list[dict[str, Any]]:
    """Reads messages with offsets from 100 on."""
    offsets = pa.array(range(100, 100 + len(values)), pa.int64())
    batch = pa.RecordBatch.from_pydict({"offset": offsets, "value": pa.array(values, pa.binary())})
    found = read_raw_messages(batch)
    assert found.schema.equals(PARSED_SCHEMA)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def row(**values: Any) -> dict[str, Any]:
    """A parsed message, null in all other columns."""
    return dict.fromkeys(PARSED_COLUMNS) | {"_source_line": 100} | values


def least(fields: bytes) -> bytes:
    """A message with the required columns except the id, and with other fields."""
    return b"{" + LEAST + b", " + fields + b"}"


@pytest.mark.parametrize("header", [COMPLAINT_COLUMNS, OFFICIAL_HEADER, API_HEADER], ids=["own", "official", "api"])
def test_message_may_use_any_of_the_publishers_column_names(header: tuple[str, ...]) -> None:
    complaint = {name: record(tags=None, sub_issue="")[name] for name in COMPLAINT_COLUMNS}
    value = json.dumps(dict(zip(header, complaint.values(), strict=True))).encode()
    assert read(value) == [row(**complaint)]


def test_text_is_kept_verbatim() -> None:
    odd = ' They said "no",\nand\r\nhung up. \u00e9\U0001f600 \\n\t '
    for is_ascii in (True, False):
        narrative = json.dumps(odd, ensure_ascii=is_ascii).encode()
        value = least(b'"complaint_id": "007", "consumer_complaint_narrative": ' + narrative)
        assert read(value) == [row(**AS_READ, complaint_id="007", consumer_complaint_narrative=odd)]


@pytest.mark.parametrize("number", ["7", "-0", "1.50", "1e3", "1E+3", "123456789012345678901234567890", "1e999"])
def test_number_is_kept_as_written(number: str) -> None:
    value = least(f'"complaint_id" : {number} , "zip_code": {number}'.encode())
    assert read(value) == [row(**AS_READ, complaint_id=number, zip_code=number)]


def test_null_is_kept_and_its_column_counts_as_present() -> None:
    value = least(b'"complaint_id": null, "tags": null')
    assert read(value) == [row(**AS_READ)]


def test_unknown_columns_are_rescued_as_json() -> None:
    rescued = {"Note": "\u00e9", "x": [1, {"a": None}], " y ": True, "z": 1.5}
    value = least(b'"complaint_id": 1, ' + json.dumps(rescued).encode()[1:-1])
    expected = {"Note": "\u00e9", "x": [1, {"a": None}], "y": True, "z": 1.5}
    (found,) = read(value)
    assert json.loads(found["_rescued"]) == expected
    assert "\u00e9" in found["_rescued"]
    assert found == row(**AS_READ, complaint_id="1", _rescued=found["_rescued"])


def test_unnamed_row_numbers_are_dropped() -> None:
    assert read(least(b'"complaint_id": 1, "": 5, "Unnamed: 0": 6')) == [row(**AS_READ, complaint_id="1")]


@pytest.mark.parametrize("second", [b"Complaint ID", b"COMPLAINT_ID", b"Complaint \\u0049D"])
def test_message_with_a_column_twice_is_refused(second: bytes) -> None:
    value = least(b'"complaint_id": 1, "' + second + b'": 2')
    assert read(value) == [row(_record=value.decode(), _reason="has complaint_id more than once")]


@pytest.mark.parametrize("missing", ["date_received", "product", "company", "complaint_id"])
def test_message_without_a_required_column_is_refused(missing: str) -> None:
    value = json.dumps({name: record()[name] for name in COMPLAINT_COLUMNS if name != missing})
    assert read(value.encode()) == [row(_record=value, _reason=f"is missing {missing}")]


def test_message_without_columns_is_refused_naming_all_required_ones() -> None:
    assert read(b"{}") == [row(_record="{}", _reason="is missing date_received, product, company, complaint_id")]


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("[1]", "[1]"),
        ('{"id": 1}', '{"id": 1}'),
        ("true", "true"),
        ("false", "false"),
        (f'["{"x" * 60}"]', f'["{"x" * 38}'),
        (f'["{"x" * 37}\u00e9"]', f'["{"x" * 37}\ufffd'),
    ],
)
def test_value_that_is_neither_text_nor_a_number_is_refused(literal: str, found: str) -> None:
    value = least(f'"complaint_id": 1, "tags": {literal}'.encode())
    assert read(value) == [row(_record=value.decode(), _reason=f"tags: found {found}, expected text or a number")]


@pytest.mark.parametrize(
    ("value", "text", "reason"),
    [
        (None, "", "the value is null"),
        (b"", "", "Input data was truncated"),
        (b"[1]", "[1]", "Expected `object`, got `array`"),
        (b"null", "null", "Expected `object`, got `null`"),
        (b"{'a': 1}", "{'a': 1}", "JSON is malformed: object keys must be strings (byte 1)"),
        (b"\xff{}", "\\xff{}", "JSON is malformed: invalid character (byte 0)"),
        (b'{"a": 1} x', '{"a": 1} x', "JSON is malformed: trailing characters (byte 10)"),
        (b'{"\xff": 1}', '{"\\xff": 1}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"x": "\xc0"}', '{"x": "\\xc0"}', "'utf-8' codec can't decode byte 0xc0 in position 0: invalid start byte"),
        (b'{"tags": "\\ud800"}', '{"tags": "\\ud800"}', None),
    ],
)  # fmt: skip
def test_message_that_is_not_a_complaint_is_kept_as_text(value: bytes | None, text: str, reason: str | None) -> None:
    (found,) = read(value)
    assert found["_reason"]
    assert found == row(_record=text, _reason=reason or found["_reason"])


def test_bad_messages_do_not_affect_good_ones() -> None:
    good = least(b'"complaint_id": 1')
    found = read(b"{", good, None, good)
    assert [each["_source_line"] for each in found] == [100, 101, 102, 103]
    assert [each["complaint_id"] for each in found] == [None, "1", None, "1"]
    assert [each["_reason"] for each in found] == ["Input data was truncated", None, "the value is null", None]


def test_no_messages_give_no_rows() -> None:
    assert read() == []


@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_endlessly_nested_message_is_refused(bracket: bytes) -> None:
    closing = b"]" if bracket == b"[" else b"}"
    value = least(b'"complaint_id": 1, "x": ' + bracket * 40_000 + b"1" + closing * 40_000)
    (found,) = read(value)
    assert "recursion" in found["_reason"]
    assert found["_record"] == value.decode()


@given(st.lists(st.binary(max_size=80) | SOME_JSON.map(lambda value: json.dumps(value).encode()) | st.none()))
def test_any_message_becomes_one_row(values: list[bytes | None]) -> None:
    found = read(*values)
    assert [each["_source_line"] for each in found] == list(range(100, 100 + len(values)))
    assert all((each["_reason"] is None) == (each["_record"] is None) for each in found)


@given(st.dictionaries(st.sampled_from([*COMPLAINT_COLUMNS, *OFFICIAL_HEADER, *API_HEADER]) | st.text(), SOME_JSON))
def test_any_field_values_become_a_row_or_have_a_reason(fields: dict[str, Any]) -> None:
    value = json.dumps({name: record()[name] for name in COMPLAINT_COLUMNS[:9]} | {"complaint_id": "1"} | fields)
    (found,) = read(value.encode())
    if found["_reason"] is None:
        texts = {name: found[name] for name in fields if isinstance(fields[name], str) and name in COMPLAINT_COLUMNS}
        assert texts == {name: fields[name] for name in texts}
    else:
        assert found["_record"] == value
