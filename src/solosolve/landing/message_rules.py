"""What requests and feedback events have in common: each rule refuses a message with the reason."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import TypeVar

import msgspec

from solosolve.errors import RefusedMessageError
from solosolve.landing.normalise import COMPLAINT_ID_DIGITS, EARLIEST_DATE, WHITE_SPACE, parse_complaint_id

Message = TypeVar("Message")

_EARLIEST = datetime.combine(date.fromisoformat(EARLIEST_DATE), time.min, UTC)


def decoded(value: bytes | None, max_bytes: int, decode: Callable[[bytes], Message]) -> Message:
    """Decodes the value of a message.

    Raises:
        RefusedMessageError: It is null, too long, or not what the decoder takes.
    """
    if value is None:
        raise RefusedMessageError("the value is null")
    if len(value) > max_bytes:
        raise RefusedMessageError(f"the value has {len(value)} bytes, more than the {max_bytes} allowed")
    try:
        return decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise RefusedMessageError(str(error)) from None


def require_complaint_id(found: int | str) -> int:
    """Reads a complaint's id.

    Raises:
        RefusedMessageError: It is not one.
    """
    complaint_id = parse_complaint_id(found)
    if complaint_id is None:
        text = str(found).strip(WHITE_SPACE)[:40]
        expected = f"a positive whole number of up to {COMPLAINT_ID_DIGITS} digits"
        raise RefusedMessageError(f"complaint_id: found {text!r}, expected {expected}")
    return complaint_id


def require_instant(name: str, found: datetime, latest: datetime) -> datetime:
    """Converts a time with a zone to UTC.

    Args:
        name: The field, for messages.
        found: The time.
        latest: The latest one to accept, with a zone.

    Raises:
        RefusedMessageError: It has no zone, or lies before EARLIEST_DATE or after `latest`.
    """
    if found.tzinfo is None:
        raise RefusedMessageError(f"{name}: found {found.isoformat()}, expected a time with a time zone")
    # Compared before it is converted: converting a time at either end of the calendar overflows.
    if not _EARLIEST <= found <= latest:
        expected = f"{EARLIEST_DATE} to {latest.date()}"
        raise RefusedMessageError(f"{name}: found {found.isoformat()}, expected {expected}")
    return found.astimezone(UTC)
