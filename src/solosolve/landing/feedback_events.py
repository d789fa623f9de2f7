"""Reads feedback events strictly: each message becomes a row of `silver.feedback` or is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import msgspec
import pyarrow as pa

from solosolve.errors import RefusedMessageError
from solosolve.landing.message_rules import decoded, require_complaint_id, require_instant
from solosolve.landing.normalise import MAX_DAYS_AHEAD, WHITE_SPACE, known
from solosolve.names import EVENT_LABEL, REVIEW_LABEL, Verdict

EVENT_FIELDS = (
    "event_id", "complaint_id", "outcome", "is_successful_resolution", "source", "reviewer", "reason", "given_at",
)  # fmt: skip
"""The fields of an event; a file may write their names with other separators and in other cases."""

MAX_EVENT_ID_LENGTH = 200

EVENT_SCHEMA = pa.schema(
    [
        ("feedback_id", pa.string()),
        ("complaint_id", pa.int64()),
        ("verdict", pa.string()),
        ("is_successful_resolution", pa.float64()),
        ("source", pa.string()),
        ("reviewer", pa.string()),
        ("reason", pa.string()),
        ("given_at", pa.timestamp("us", "UTC")),
        ("refusal", pa.string()),
    ]
)
"""The columns of `silver.feedback` that an event has, and `refusal`: why a message is not an event."""

_SOURCES = (EVENT_LABEL, REVIEW_LABEL)
_SUCCESS: Mapping[str, Verdict] = MappingProxyType(
    {"true": Verdict.SUCCESS, "1": Verdict.SUCCESS, "1.0": Verdict.SUCCESS}
    | {"false": Verdict.FAILURE, "0": Verdict.FAILURE, "0.0": Verdict.FAILURE}
)


class _Event(msgspec.Struct):
    event_id: str
    complaint_id: int | str
    source: str
    given_at: datetime
    outcome: str | None = None
    is_successful_resolution: bool | int | float | str | None = None
    reviewer: str | None = None
    reason: str | None = None


_decode: Callable[[bytes], _Event] = msgspec.json.Decoder(_Event).decode


def read_events(values: Iterable[bytes | None], now: datetime, max_bytes: int) -> pa.RecordBatch:
    """Reads messages, each a JSON object with EVENT_FIELDS.

    The outcome is in `outcome` or in `is_successful_resolution`, or in both if they agree. Blank texts are unknown, and
    other fields are ignored.

    Args:
        values: The messages.
        now: The current time; an event may be given up to MAX_DAYS_AHEAD days later, because clocks differ.
        max_bytes: Size of the longest message to accept, in bytes.

    Returns:
        EVENT_SCHEMA, one row per message: an event, or a `refusal` and nulls.
    """
    latest = now + timedelta(days=MAX_DAYS_AHEAD)
    rows: list[dict[str, object]] = []
    for value in values:
        try:
            rows.append(_read(value, latest, max_bytes))
        except RefusedMessageError as refused:
            rows.append({"refusal": str(refused)})
    return pa.RecordBatch.from_pylist(rows, EVENT_SCHEMA)


def _read(value: bytes | None, latest: datetime, max_bytes: int) -> dict[str, object]:
    event = decoded(value, max_bytes, _decode)
    verdict = _verdict(event)
    return {
        "feedback_id": _event_id(event.event_id),
        "complaint_id": require_complaint_id(event.complaint_id),
        "verdict": str(verdict),
        "is_successful_resolution": verdict.label,
        "source": _one_of("source", known(event.source), _SOURCES),
        "reviewer": known(event.reviewer),
        "reason": known(event.reason),
        "given_at": require_instant("given_at", event.given_at, latest),
    }


def _event_id(found: str) -> str:
    event_id = found.strip(WHITE_SPACE)
    if not 0 < len(event_id) <= MAX_EVENT_ID_LENGTH:
        expected = f"1 to {MAX_EVENT_ID_LENGTH} characters"
        raise RefusedMessageError(f"event_id: found {len(event_id)} characters, expected {expected}")
    return event_id


def _verdict(event: _Event) -> Verdict:
    outcome, label = known(event.outcome), _label(event.is_successful_resolution)
    if outcome is None:
        if label is None:
            raise RefusedMessageError("has neither outcome nor is_successful_resolution")
        return label
    verdict = Verdict(_one_of("outcome", outcome, tuple(Verdict)))
    if label is not None and verdict != label:
        raise RefusedMessageError(f"outcome: found '{verdict}', but is_successful_resolution says '{label}'")
    return verdict


def _label(found: bool | float | str | None) -> Verdict | None:
    text = known(str(found)) if found is not None else None
    if text is None:
        return None
    verdict = _SUCCESS.get(text.lower())
    if verdict is None:
        raise RefusedMessageError(f"is_successful_resolution: found {text[:40]!r}, expected true, false, 1 or 0")
    return verdict


def _one_of(name: str, found: str | None, allowed: tuple[Any, ...]) -> str:
    text = (found or "").lower()
    if text not in allowed:
        raise RefusedMessageError(f"{name}: found {(found or '')[:40]!r}, expected one of {', '.join(allowed)}")
    return text
