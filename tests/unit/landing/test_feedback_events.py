from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from solosolve.landing.feedback_events import EVENT_SCHEMA, MAX_EVENT_ID_LENGTH, read_events
from support.feedback_events import encoded, event

NOW = datetime(2026, 6, 1, tzinfo=UTC)


def read(*values: bytes | None) -> list[dict[str, Any]]:
    found = read_events(values, NOW, 1_000)
    assert found.schema.equals(EVENT_SCHEMA)
    rows: list[dict[str, Any]] = found.to_pylist()
    return rows


def refusal(value: bytes | None) -> str:
    (row,) = read(value)
    assert {row[name] for name in EVENT_SCHEMA.names if name != "refusal"} == {None}
    return str(row["refusal"])


def test_event_becomes_a_row_of_feedback() -> None:
    given = event(
        " a ", 7, outcome="failure", source="review", reviewer=" ann ", reason="N/A",
        given_at="2026-01-02T05:04:05.000001+02:00", other=[1],
    )  # fmt: skip
    assert read(encoded(given)) == [
        {
            "feedback_id": "a", "complaint_id": 7, "verdict": "failure", "is_successful_resolution": 0.0,
            "source": "review", "reviewer": "ann", "reason": None,
            "given_at": datetime(2026, 1, 2, 3, 4, 5, 1, UTC), "refusal": None,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "label", "expected"),
    [
        ("success", None, ("success", 1.0)), (" Failure ", None, ("failure", 0.0)), ("unsure", None, ("unsure", None)),
        ("withdrawn", None, ("withdrawn", None)), (None, True, ("success", 1.0)), (None, False, ("failure", 0.0)),
        (None, 1, ("success", 1.0)), ("", 0, ("failure", 0.0)), (None, 1.0, ("success", 1.0)),
        (None, "0", ("failure", 0.0)), (None, "TRUE", ("success", 1.0)), ("success", 1, ("success", 1.0)),
    ],
)  # fmt: skip
def test_outcome_is_read_from_either_field(outcome: object, label: object, expected: tuple[str, float | None]) -> None:
    (row,) = read(encoded(event("a", outcome=outcome, is_successful_resolution=label)))
    assert (row["verdict"], row["is_successful_resolution"]) == expected


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "the value is null"),
        (b"{", "Input data was truncated"),
        (b"[1]", "Expected `object`, got `array`"),
        (b"{}", "Object missing required field `event_id`"),
        (b'{"event_id": "\xff"}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b" " * 1_001, "the value has 1001 bytes, more than the 1000 allowed"),
        (encoded(event("")), f"event_id: found 0 characters, expected 1 to {MAX_EVENT_ID_LENGTH} characters"),
        (encoded(event("x" * 201)), "event_id: found 201 characters"),
        (encoded(event("a", -1)), "complaint_id: found '-1', expected a positive whole number of up to 18 digits"),
        (encoded(event("a") | {"complaint_id": "A1"}), "complaint_id: found 'A1'"),
        (encoded(event("a") | {"complaint_id": 1.5}), "Expected `int | str`, got `float` - at `$.complaint_id`"),
        (encoded(event("a", outcome=None)), "has neither outcome nor is_successful_resolution"),
        (encoded(event("a", outcome="won")), "outcome: found 'won', expected one of success, failure, unsure"),
        (encoded(event("a", is_successful_resolution="maybe")), "is_successful_resolution: found 'maybe', expected"),
        (encoded(event("a", is_successful_resolution=2)), "is_successful_resolution: found '2', expected true, false"),
        (
            encoded(event("a", is_successful_resolution=False)),
            "outcome: found 'success', but is_successful_resolution says 'failure'",
        ),
        (encoded(event("a", outcome="unsure", is_successful_resolution=1)), "outcome: found 'unsure', but"),
        (encoded(event("a", source="published")), "source: found 'published', expected one of event, review"),
        (encoded(event("a", given_at="2026-01-02T03:04:05")), "given_at: found 2026-01-02T03:04:05, expected a time"),
        (encoded(event("a", given_at="2011-06-30T23:59:59Z")), "given_at: found 2011-06-30T23:59:59+00:00, expected"),
        (encoded(event("a", given_at="2026-06-02T00:00:01Z")), "given_at: found 2026-06-02T00:00:01+00:00, expected"),
        (encoded(event("a", given_at="yesterday")), "Invalid RFC3339"),
    ],
)  # fmt: skip
def test_message_that_is_no_event_is_refused_with_its_reason(value: bytes | None, reason: str) -> None:
    assert reason in refusal(value)


def test_clocks_may_be_a_day_ahead() -> None:
    assert read(encoded(event("a", given_at=(NOW + timedelta(days=1)).isoformat())))[0]["refusal"] is None


def test_order_of_the_messages_is_kept() -> None:
    rows = read(encoded(event("a")), None, encoded(event("b")))
    assert [(row["feedback_id"], row["refusal"]) for row in rows] == [
        ("a", None), (None, "the value is null"), ("b", None),
    ]  # fmt: skip
