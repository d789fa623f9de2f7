"""Messages to requests: what a stream is asked to score, read strictly, or refused with the reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from solosolve.names import COMPLAINTS, FILED_COLUMNS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.rules import EARLIEST_DATE, MISSING, WHITE_SPACE

_TYPES: dict[str, Any] = {"date_received": date}
_REQUIRED = tuple(name for name in FILED_COLUMNS if not SCHEMAS[COMPLAINTS][name].nullable)
_OPTIONAL = tuple(name for name in FILED_COLUMNS if name not in _REQUIRED)
_TEXTS = tuple(name for name in FILED_COLUMNS if name not in _TYPES)
_NARRATIVE = "consumer_complaint_narrative"
_COMPLAINT_ID = re.compile(r"[0-9]{1,18}")
_EARLIEST = date.fromisoformat(EARLIEST_DATE)
_DAY = timedelta(days=1)
_OPENED = datetime.combine(_EARLIEST, time.min, UTC)

_Request = msgspec.defstruct(
    "Request",
    [
        ("complaint_id", int | str),
        *((name, _TYPES.get(name, str)) for name in _REQUIRED),
        *((name, _TYPES.get(name, str) | None, None) for name in _OPTIONAL),
        ("requested_at", datetime | None, None),
    ],
)
_decode: Callable[[bytes], Any] = msgspec.json.Decoder(_Request).decode


class _RefusedError(Exception):
    """Why a message is no request."""


@dataclass(frozen=True)
class Requests:
    """A batch of messages, read.

    Attributes:
        complaints: The filed columns of the good ones, `date_received` date32, the others string.
        complaint_ids: Of the good ones, int64.
        requested_at: Of the good ones, timestamp[us, UTC].
        reasons: One a message: null where it is good.
    """

    complaints: pa.RecordBatch
    complaint_ids: pa.Array
    requested_at: pa.Array
    reasons: pa.Array

    def refuse(self, reasons: pa.Array) -> Requests:
        """Leaves good ones out.

        Args:
            reasons: One a good one: why it is none, or null where it is.
        """
        stays = pc.is_null(reasons)
        return Requests(
            self.complaints.filter(stays),
            self.complaint_ids.filter(stays),
            self.requested_at.filter(stays),
            pc.replace_with_mask(self.reasons, pc.is_null(self.reasons), reasons),
        )


def read_requests(
    values: Iterable[bytes | None], arrived_at: Iterable[datetime], now: datetime, max_bytes: int
) -> Requests:
    """Reads messages, each a JSON object with a complaint's number and filed columns.

    Text is normalised as silver's is: blanks and `N/A` are unknown, the narrative stays as written. Further fields
    are ignored. A message without `requested_at` was requested when it arrived. Its times may lie a day behind now, for
    clocks and time zones.

    Args:
        values: The messages.
        arrived_at: When each came to its source, in UTC, without a zone: Python's zones cost more than all the rest.
        now: The present, in the same way.
        max_bytes: What is longer is refused.
    """
    latest = now + _DAY
    good: list[Any] = []
    reasons: list[str | None] = []
    for value, arrived in zip(values, arrived_at, strict=True):
        try:
            good.append(_read(value, arrived, latest, max_bytes))
            reasons.append(None)
        except _RefusedError as refused:
            reasons.append(str(refused))
    return Requests(
        pa.RecordBatch.from_pydict(
            {name: pa.array([getattr(each, name) for each in good], _arrow_type(name)) for name in FILED_COLUMNS}
        ),
        pa.array([each.complaint_id for each in good], pa.int64()),
        pa.array([each.requested_at for each in good], pa.timestamp("us")).cast(pa.timestamp("us", "UTC")),
        pa.array(reasons, pa.string()),
    )


def _read(value: bytes | None, arrived: datetime, latest: datetime, max_bytes: int) -> Any:
    if value is None:
        raise _RefusedError("the value is null")
    if len(value) > max_bytes:
        raise _RefusedError(f"the value has {len(value)} bytes, at most {max_bytes} are read")
    try:
        request = _decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise _RefusedError(str(error)) from None
    request.complaint_id = _complaint_id(request.complaint_id)
    for name in _TEXTS:
        setattr(request, name, _known(name, getattr(request, name)))
    if not _EARLIEST <= request.date_received <= latest.date():
        raise _RefusedError(f"date_received: found {request.date_received}, expected {_EARLIEST} to {latest.date()}")
    request.requested_at = arrived if request.requested_at is None else _requested_at(request.requested_at, latest)
    return request


def _complaint_id(found: int | str) -> int:
    """The number that silver reads from the same text."""
    text = str(found).strip(WHITE_SPACE)
    if not _COMPLAINT_ID.fullmatch(text) or int(text) == 0:
        raise _RefusedError(f"complaint_id: found {text[:40]!r}, expected a positive whole number of up to 18 digits")
    return int(text)


def _known(name: str, text: str | None) -> str | None:
    """What `rules.known` makes of the text; a narrative stays as written."""
    if text is None:
        return None
    known = text.strip(WHITE_SPACE)
    if known in MISSING:
        if name in _REQUIRED:
            raise _RefusedError(f"{name}: found {known!r}, expected a value")
        return None
    if name == "zip_code" and len(known) in (3, 4) and known.isascii() and known.isdigit():
        return known.rjust(5, "0")
    return text if name == _NARRATIVE else known


def _requested_at(found: datetime, latest: datetime) -> datetime:
    """The instant, in UTC and, as all times here, without saying so."""
    if found.tzinfo is None:
        raise _RefusedError(f"requested_at: found {found.isoformat()}, expected a time with its zone")
    # Compared with its zone: what lies at the ends of the calendar cannot be converted.
    if not _OPENED <= found <= latest.replace(tzinfo=UTC):
        raise _RefusedError(f"requested_at: found {found.isoformat()}, expected {_EARLIEST} to {latest.date()}")
    return found.astimezone(UTC).replace(tzinfo=None)


def _arrow_type(name: str) -> pa.DataType:
    return pa.date32() if name in _TYPES else pa.string()
