"""Feedback events as messages carry them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from solosolve.landing.feedback_events import EVENT_FIELDS

GIVEN_AT = "2026-01-02T03:04:05.678901+00:00"


def event(event_id: str, complaint_id: int = 1, **overrides: Any) -> dict[str, Any]:
    """An observed success, with overrides."""
    return {
        "event_id": event_id,
        "complaint_id": complaint_id,
        "outcome": "success",
        "source": "event",
        "given_at": GIVEN_AT,
    } | overrides


def encoded(event: dict[str, Any]) -> bytes:
    return json.dumps(event).encode()


def as_messages(events: Iterable[dict[str, Any]]) -> list[tuple[bytes, bytes]]:
    """Events as keys and values of Kafka messages."""
    return [(str(each["complaint_id"]).encode(), encoded(each)) for each in events]


def as_json_lines(events: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(encoded(each) + b"\n" for each in events)


def as_csv(
    events: Iterable[dict[str, Any]], header: Sequence[str] = EVENT_FIELDS, delimiter: str = ",", end: str = "\r\n"
) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end)
    writer.writerows([header, *([each.get(name, "") for name in EVENT_FIELDS] for each in events)])
    return out.getvalue()
