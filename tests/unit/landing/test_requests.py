from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solosolve.landing import normalise
from solosolve.landing.requests import Requests, read_requests
from solosolve.model.encoder import FILED_TYPES
from solosolve.names import FILED_COLUMNS, NARRATIVE
from support.live import REQUESTED_AT, request
from support.normalisation_cases import (
    COMPLAINT_ID_CASES,
    ISO_DATE_CASES,
    TEXT_CASES,
    ZIP_CODE_CASES,
    Case,
    generated_texts,
)

ARRIVED_AT = datetime(2026, 1, 3, 12, 0, 0, 123456)
"""In UTC, without a zone."""
MAX_BYTES = 4_096
TEXTS = tuple(name for name in FILED_COLUMNS if name != "date_received")
REQUIRED_TEXTS = ("product", NARRATIVE, "company", "state", "submitted_via")
OPTIONAL_TEXTS = tuple(name for name in TEXTS if name not in REQUIRED_TEXTS)

SOME_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


def message(**overrides: Any) -> bytes:
    """A request as JSON, without the fields whose value is `...`."""
    fields = request(1) | overrides
    return json.dumps({name: value for name, value in fields.items() if value is not ...}).encode()


def raw(name: str, literal: bytes) -> bytes:
    """A request as JSON, with one value written exactly as given."""
    return message(**{name: "@"}).replace(b'"@"', literal)


def read(*values: bytes | None, now: datetime = ARRIVED_AT, max_bytes: int = MAX_BYTES) -> Requests:
    return read_requests(values, [ARRIVED_AT] * len(values), now, max_bytes)


def reason(value: bytes | None) -> str | None:
    (found,) = read(value).reasons.to_pylist()
    return found


def value_of(name: str, value: bytes) -> Any:
    """How one field of a good message is read."""
    found = read(value)
    assert found.reasons.to_pylist() == [None]
    return found.complaints.column(name).to_pylist()[0]


def case_name(case: Case) -> str:
    return case.name


def test_good_message_becomes_a_row_of_the_filed_columns() -> None:
    found = read(message(), message(complaint_id=2, tags="Servicemember", requested_at=None))
    row = request(1)
    expected = {name: row[name] for name in FILED_COLUMNS} | {"date_received": date.fromisoformat(row["date_received"])}
    assert found.complaints.to_pylist() == [expected, expected | {"tags": "Servicemember"}]
    assert {field.name: field.type for field in found.complaints.schema} == dict(FILED_TYPES)
    assert found.complaint_ids.equals(pa.array([1, 2], pa.int64()))
    assert found.requested_at.equals(
        pa.array([REQUESTED_AT, ARRIVED_AT.replace(tzinfo=UTC)], pa.timestamp("us", "UTC"))
    )
    assert found.reasons.equals(pa.array([None, None], pa.string()))


def test_reasons_are_in_the_order_of_the_messages() -> None:
    found = read(b"{", message(complaint_id=7), None, message(complaint_id=8), b"[]")
    assert found.complaint_ids.to_pylist() == [7, 8]
    assert found.reasons.to_pylist() == [
        "Input data was truncated", None, "the value is null", None, "Expected `object`, got `array`"
    ]  # fmt: skip
    assert [len(each) for each in (found.complaints, found.complaint_ids, found.requested_at)] == [2, 2, 2]


def test_no_messages_give_no_requests() -> None:
    found = read()
    assert [len(each) for each in (found.complaints, found.complaint_ids, found.requested_at, found.reasons)] == [0] * 4
    assert found.complaints.schema.names == list(FILED_COLUMNS)


def test_other_fields_are_ignored() -> None:
    assert reason(message(consumer_disputed="Yes", note={"a": [1, None]})) is None


@pytest.mark.parametrize("name", OPTIONAL_TEXTS)
@pytest.mark.parametrize("value", [..., None, "", " \t\r\n", "N/A", " N/A\n"])
def test_unknown_optional_text_becomes_null(name: str, value: Any) -> None:
    assert value_of(name, message(**{name: value})) is None


@pytest.mark.parametrize("name", [name for name in TEXTS if name != NARRATIVE])
@pytest.mark.parametrize(("value", "expected"), [(" A b\t\r\n", "A b"), ("N/a", "N/a"), ("\u00a0A", "A")])
def test_text_is_trimmed(name: str, value: str, expected: str) -> None:
    assert value_of(name, message(**{name: value})) == expected


def test_narrative_is_kept_as_written() -> None:
    assert value_of(NARRATIVE, message(**{NARRATIVE: " \n They lied. \u00e9\0 "})) == " \n They lied. \u00e9\0 "


@pytest.mark.parametrize(
    ("value", "expected"),
    [("501", "00501"), (" 2134 ", "02134"), ("90001", "90001"), ("12", "12"), ("123X", "123X"), ("\u0661" * 3,) * 2],
)  # fmt: skip
def test_zip_code_gets_its_leading_zeros_back(value: str, expected: str) -> None:
    assert value_of("zip_code", message(zip_code=value)) == expected


@pytest.mark.parametrize(
    "value",
    [b"12", b'"12"', b'" 12 "', b'"\\t12\\r\\n"', b'"0012"', b'"000000000000000012"'],
    ids=lambda value: value.decode(),
)
def test_complaint_id_may_be_a_number_or_text(value: bytes) -> None:
    assert read(raw("complaint_id", value)).complaint_ids.to_pylist() == [12]


def test_complaint_id_may_have_18_digits() -> None:
    assert read(raw("complaint_id", b"9" * 18)).complaint_ids.to_pylist() == [10**18 - 1]


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        (b"0", "'0'"), (b"-1", "'-1'"), (b'"000"', "'000'"), (b'""', "''"), (b'"1.0"', "'1.0'"), (b'"12x"', "'12x'"),
        (b'"\\b12"', "'\\x0812'"), (b'"+1"', "'+1'"), (b'"1_0"', "'1_0'"), (b'"\xd9\xa1"', "'\u0661'"),
        (b"1" + b"0" * 18, "'1000000000000000000'"), (b'"' + b"9" * 60 + b'"', repr("9" * 40)),
    ],
)  # fmt: skip
def test_complaint_id_that_is_not_a_positive_number_is_refused(literal: bytes, found: str) -> None:
    expected = f"complaint_id: found {found}, expected a positive whole number of up to 18 digits"
    assert reason(raw("complaint_id", literal)) == expected


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (b"1.5", "Expected `int | str`, got `float` - at `$.complaint_id`"),
        (b"true", "Expected `int | str`, got `bool` - at `$.complaint_id`"),
        (b"null", "Expected `int | str`, got `null` - at `$.complaint_id`"),
        (b"1e999", "Number out of range - at `$.complaint_id`"),
        (b"9" * 4_000, None),
    ],
)
def test_complaint_id_of_another_type_is_refused(literal: bytes, expected: str | None) -> None:
    found = read_requests([raw("complaint_id", literal)], [ARRIVED_AT], ARRIVED_AT, 10_000).reasons.to_pylist()[0]
    assert found is not None
    assert expected in (None, found)


@pytest.mark.parametrize("name", ["complaint_id", "date_received", *REQUIRED_TEXTS])
def test_missing_required_field_is_refused(name: str) -> None:
    assert reason(message(**{name: ...})) == f"Object missing required field `{name}`"


@pytest.mark.parametrize("name", REQUIRED_TEXTS)
@pytest.mark.parametrize(("value", "found"), [("", "''"), (" \t\r\n", "''"), ("N/A", "'N/A'"), ("\nN/A ", "'N/A'")])
def test_unknown_required_text_is_refused(name: str, value: str, found: str) -> None:
    assert reason(message(**{name: value})) == f"{name}: found {found}, expected a value"


@pytest.mark.parametrize("name", TEXTS)
def test_text_of_another_type_is_refused(name: str) -> None:
    kind = "str" if name in REQUIRED_TEXTS else "str | null"
    assert reason(message(**{name: 90001})) == f"Expected `{kind}`, got `int` - at `$.{name}`"


@pytest.mark.parametrize("name", REQUIRED_TEXTS)
def test_required_text_that_is_null_is_refused(name: str) -> None:
    assert reason(message(**{name: None})) == f"Expected `str`, got `null` - at `$.{name}`"


@pytest.mark.parametrize("received", ["2011-07-01", "2026-01-03", "2026-01-04"])
def test_date_received_is_read_from_the_bureaus_opening_to_tomorrow(received: str) -> None:
    assert value_of("date_received", message(date_received=received)) == date.fromisoformat(received)


@pytest.mark.parametrize("received", ["2011-06-30", "2026-01-05", "0001-01-01", "9999-12-31"])
def test_date_received_out_of_range_is_refused(received: str) -> None:
    expected = f"date_received: found {received}, expected 2011-07-01 to 2026-01-04"
    assert reason(message(date_received=received)) == expected


@pytest.mark.parametrize("received", ["03/04/2016", "2016-02-30", "2016-03-04T00:00:00Z", "", "N/A"])
def test_date_received_that_is_not_an_iso_date_is_refused(received: str) -> None:
    expected = f"date_received: found {received!r}, expected a date as YYYY-MM-DD"
    assert reason(message(date_received=received)) == expected


@pytest.mark.parametrize(("received", "kind"), [(None, "null"), (20160304, "int")])
def test_date_received_of_another_type_is_refused(received: int | None, kind: str) -> None:
    assert reason(message(date_received=received)) == f"Expected `str`, got `{kind}` - at `$.date_received`"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-03T12:00:00Z", datetime(2026, 1, 3, 12, tzinfo=UTC)),
        ("2026-01-03T12:00:00.654321+05:30", datetime(2026, 1, 3, 6, 30, 0, 654321, UTC)),
        ("2026-01-03t12:00:00-00:00", datetime(2026, 1, 3, 12, tzinfo=UTC)),
        ("2011-07-01T00:00:00Z", datetime(2011, 7, 1, tzinfo=UTC)),
        # A sender's clock may be ahead by a day.
        ("2026-01-04T12:00:00.123456Z", (ARRIVED_AT + timedelta(days=1)).replace(tzinfo=UTC)),
    ],
)
def test_requested_at_is_converted_to_utc(text: str, expected: datetime) -> None:
    assert read(message(requested_at=text)).requested_at.to_pylist() == [expected]


def test_times_may_be_later_than_the_arrival_of_the_message() -> None:
    # The producer's clock is slow, or the topic was copied with its old timestamps.
    later = {"date_received": "2026-02-02", "requested_at": "2026-02-01T23:00:00Z"}
    found = read(message(**later), now=datetime(2026, 2, 1, 12))
    assert found.reasons.to_pylist() == [None]


@pytest.mark.parametrize("value", [..., None])
def test_message_without_requested_at_counts_as_requested_on_arrival(value: Any) -> None:
    found = read(message(requested_at=value)).requested_at
    assert found.equals(pa.array([ARRIVED_AT.replace(tzinfo=UTC)], pa.timestamp("us", "UTC")))


def test_requested_at_without_a_zone_is_refused() -> None:
    expected = "requested_at: found 2026-01-03T12:00:00, expected a time with a time zone"
    assert reason(message(requested_at="2026-01-03T12:00:00")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-04T12:00:00.123457+00:00",
        "2011-06-30T23:59:59.999999+00:00",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_requested_at_out_of_range_is_refused(text: str) -> None:
    assert reason(message(requested_at=text)) == f"requested_at: found {text}, expected 2011-07-01 to 2026-01-04"


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        (b'"yesterday"', "Invalid RFC3339 encoded datetime - at `$.requested_at`"),
        (b'""', "Invalid RFC3339 encoded datetime - at `$.requested_at`"),
        (b"1767441600", "Expected `datetime | null`, got `int` - at `$.requested_at`"),
    ],
)
def test_requested_at_that_is_not_a_time_is_refused(literal: bytes, expected: str) -> None:
    assert reason(raw("requested_at", literal)) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "the value is null"),
        (b"", "Input data was truncated"),
        (b"null", "Expected `object`, got `null`"),
        (b"[1]", "Expected `object`, got `array`"),
        (b'"text"', "Expected `object`, got `str`"),
        (b"{}", "Object missing required field `complaint_id`"),
        (b"\xff\xfe", "JSON is malformed: invalid character (byte 0)"),
        (message() + b"x", f"JSON is malformed: trailing characters (byte {len(message()) + 1})"),
        (raw("company", b'"\xff"'), "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (message(company="\ud800"), None),
    ],
)  # fmt: skip
def test_value_that_is_not_a_request_is_refused(value: bytes | None, expected: str | None) -> None:
    found = reason(value)
    assert found is not None
    assert expected in (None, found)


def test_value_is_read_up_to_the_longest_allowed() -> None:
    value = message()
    fits, too_long = (read(value, max_bytes=len(value) - less) for less in (0, 1))
    assert fits.reasons.to_pylist() == [None]
    assert too_long.reasons.to_pylist() == [f"the value has {len(value)} bytes, more than the {len(value) - 1} allowed"]


@pytest.mark.parametrize("opened", [b'{"x":', message()[:-1] + b', "x":'])
@pytest.mark.parametrize("bracket", [b"[", b'{"a":'])
def test_endlessly_nested_value_is_refused(opened: bytes, bracket: bytes) -> None:
    values = [opened + bracket * 40_000, message()]
    found = read_requests(values, [ARRIVED_AT] * 2, ARRIVED_AT, 300_000).reasons.to_pylist()
    assert "recursion" in found[0]
    assert found[1] is None


@given(st.lists(st.binary(max_size=60) | SOME_JSON.map(lambda value: json.dumps(value).encode()) | st.none()))
def test_any_bytes_are_a_request_or_have_a_reason(values: list[bytes | None]) -> None:
    found = read(*values)
    assert len(found.reasons) == len(values)
    assert len(found.complaints) == len(found.complaint_ids) == len(found.requested_at) == found.reasons.null_count


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                name: SOME_JSON | st.just(value) | st.text() | st.datetimes().map(str) | st.dates().map(str)
                for name, value in request(1).items()
            },
        ),
        max_size=4,
    ),
    st.datetimes(datetime(2012, 1, 1), datetime(2100, 1, 1)),
)
def test_any_field_values_are_a_request_or_have_a_reason(fields: list[dict[str, Any]], now: datetime) -> None:
    values = [json.dumps(request(1) | each).encode() for each in fields]
    found = read(*values, now=now)
    assert len(found.complaints) == len(found.complaint_ids) == len(found.requested_at) == found.reasons.null_count
    assert not [each for each in found.reasons.to_pylist() if each == ""]
    assert found.complaints.schema.types == [FILED_TYPES[name] for name in FILED_COLUMNS]


def has_text(case: Case) -> bool:
    """Whether a case can be sent in a required field."""
    return case.text is not None


@pytest.mark.parametrize("case", TEXT_CASES, ids=case_name)
def test_text_is_read_by_the_shared_rules(case: Case) -> None:
    assert value_of("tags", message(tags=case.text)) == case.expected


@pytest.mark.parametrize("case", ZIP_CODE_CASES, ids=case_name)
def test_zip_code_is_read_by_the_shared_rules(case: Case) -> None:
    assert value_of("zip_code", message(zip_code=case.text)) == case.expected


@pytest.mark.parametrize("case", filter(has_text, COMPLAINT_ID_CASES), ids=case_name)
def test_complaint_id_is_read_by_the_shared_rules(case: Case) -> None:
    found = read(message(complaint_id=case.text))
    assert found.complaint_ids.to_pylist() == ([] if case.expected is None else [case.expected])


@pytest.mark.parametrize("case", filter(has_text, ISO_DATE_CASES), ids=case_name)
def test_date_received_is_read_by_the_shared_rules(case: Case) -> None:
    found = read(message(date_received=case.text))
    is_in_range = case.expected is not None and date(2011, 7, 1) <= case.expected <= date(2026, 1, 4)
    assert found.complaints.column("date_received").to_pylist() == ([case.expected] if is_in_range else [])


def test_generated_texts_are_read_by_the_shared_rules() -> None:
    texts = generated_texts(4_000)
    as_company = read(*(message(company=text) for text in texts))
    companies = iter(as_company.complaints.column("company").to_pylist())
    found = [next(companies) if refused is None else None for refused in as_company.reasons.to_pylist()]
    assert found == [normalise.known(text) for text in texts]
    as_zip_code = read(*(message(zip_code=text) for text in texts))
    assert as_zip_code.reasons.null_count == len(texts)
    zip_codes = as_zip_code.complaints.column("zip_code").to_pylist()
    assert zip_codes == [normalise.restored_zip_code(text) for text in texts]
    as_id = read(*(message(complaint_id=text) for text in texts))
    numbers = iter(as_id.complaint_ids.to_pylist())
    ids = [next(numbers) if refused is None else None for refused in as_id.reasons.to_pylist()]
    assert ids == [normalise.parse_complaint_id(text) for text in texts]
