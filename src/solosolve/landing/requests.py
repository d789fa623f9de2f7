"""Reads scoring requests strictly: each message becomes a request or is refused with a reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from solosolve.errors import RefusedMessageError
from solosolve.landing.message_rules import decoded, require_complaint_id, require_instant
from solosolve.landing.normalise import (
    EARLIEST_DATE,
    MAX_DAYS_AHEAD,
    WHITE_SPACE,
    known,
    parse_iso_date,
    restored_zip_code,
)
from solosolve.names import COMPLAINTS, FILED_COLUMNS, NARRATIVE, REQUESTS
from solosolve.schemas import SCHEMAS

_DATE_RECEIVED = "date_received"
_REQUIRED = tuple(name for name in FILED_COLUMNS if not SCHEMAS[COMPLAINTS].field(name).nullable)
_OPTIONAL = tuple(name for name in FILED_COLUMNS if name not in _REQUIRED)
_TEXTS = tuple(name for name in FILED_COLUMNS if name != _DATE_RECEIVED)
_FILED_SCHEMA = pa.schema([SCHEMAS[REQUESTS].field(name) for name in FILED_COLUMNS])
_EARLIEST_DATE = date.fromisoformat(EARLIEST_DATE)

_Request = msgspec.defstruct(
    "Request",
    [
        ("complaint_id", int | str),
        *((name, str) for name in _REQUIRED),
        *((name, str | None, None) for name in _OPTIONAL),
        ("requested_at", datetime | None, None),
    ],
)
_decode: Callable[[bytes], Any] = msgspec.json.Decoder(_Request).decode


@dataclass(frozen=True)
class Requests:
    """A batch of messages after reading. The first three attributes have one row per good message.

    Attributes:
        complaints: The filed columns: `date_received` as date32, the others as strings.
        complaint_ids: int64.
        requested_at: timestamp[us, UTC].
        reasons: One per message, in order: why it was refused, null if it is good.
    """

    complaints: pa.RecordBatch
    complaint_ids: pa.Array
    requested_at: pa.Array
    reasons: pa.Array

    def refuse(self, reasons: pa.Array) -> Requests:
        """Refuses some of the good messages.

        Args:
            reasons: One per good message: why it is refused, null to keep it.

        Returns:
            The kept messages, with the new reasons added to the old ones.
        """
        is_kept = pc.is_null(reasons)
        return Requests(
            self.complaints.filter(is_kept),
            self.complaint_ids.filter(is_kept),
            self.requested_at.filter(is_kept),
            pc.replace_with_mask(self.reasons, pc.is_null(self.reasons), reasons),
        )


def read_requests(
    values: Iterable[bytes | None], arrived_at: Iterable[datetime], now: datetime, max_bytes: int
) -> Requests:
    """Reads messages, each a JSON object with a complaint's id and filed columns.

    Text is normalised as in `silver.complaints`: blank and `N/A` are unknown, and the narrative is kept as written.
    Other fields are ignored. A message without `requested_at` was requested when it arrived. Dates and times may be up
    to MAX_DAYS_AHEAD days after `now`.

    Args:
        values: The messages.
        arrived_at: When each message reached its source: UTC, as naive datetimes, because attaching a zone in Python
            costs more than all other work here.
        now: The current time, also naive UTC.
        max_bytes: Size of the longest message to accept, in bytes.

    Returns:
        The good messages, one row each in their order, and for every message its reason or null.
    """
    latest = now + timedelta(days=MAX_DAYS_AHEAD)
    good: list[Any] = []
    reasons: list[str | None] = []
    for value, arrived in zip(values, arrived_at, strict=True):
        try:
            good.append(_read(value, arrived, latest, max_bytes))
            reasons.append(None)
        except RefusedMessageError as refused:
            reasons.append(str(refused))
    return Requests(
        pa.RecordBatch.from_pydict(
            {name: [getattr(each, name) for each in good] for name in FILED_COLUMNS}, _FILED_SCHEMA
        ),
        pa.array([each.complaint_id for each in good], pa.int64()),
        pa.array([each.requested_at for each in good], pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
        pa.array(reasons, pa.string()),
    )


def _read(value: bytes | None, arrived: datetime, latest: datetime, max_bytes: int) -> Any:
    request = decoded(value, max_bytes, _decode)
    request.complaint_id = require_complaint_id(request.complaint_id)
    for name in _TEXTS:
        setattr(request, name, _text(name, getattr(request, name)))
    request.date_received = _date_received(request.date_received, latest.date())
    request.requested_at = arrived if request.requested_at is None else _requested_at(request.requested_at, latest)
    return request


def _text(name: str, found: str | None) -> str | None:
    text = restored_zip_code(found) if name == "zip_code" else known(found)
    if text is None and name in _REQUIRED:
        raise RefusedMessageError(f"{name}: found {(found or '').strip(WHITE_SPACE)!r}, expected a value")
    return found if name == NARRATIVE else text


def _date_received(found: str, latest: date) -> date:
    received = parse_iso_date(found)
    if received is None:
        text = found.strip(WHITE_SPACE)[:40]
        raise RefusedMessageError(f"date_received: found {text!r}, expected a date as YYYY-MM-DD")
    if not _EARLIEST_DATE <= received <= latest:
        raise RefusedMessageError(f"date_received: found {received}, expected {_EARLIEST_DATE} to {latest}")
    return received


def _requested_at(found: datetime, latest: datetime) -> datetime:
    """Converts a time with a zone to naive UTC."""
    return require_instant("requested_at", found, latest.replace(tzinfo=UTC)).replace(tzinfo=None)
