"""Reads the messages of the raw topic, JSON objects with a complaint's columns, by the same rules as files."""

from __future__ import annotations

import json

import msgspec
import pyarrow as pa

from solosolve.errors import RefusedMessageError
from solosolve.landing.csv_layout import REQUIRED_COLUMNS, column_of
from solosolve.landing.csv_records import legible
from solosolve.names import COMPLAINT_COLUMNS
from solosolve.schemas import PARSED_COLUMNS, PARSED_SCHEMA

_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read_raw_messages(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Reads a batch of messages.

    Args:
        batch: `offset` int64, `value` binary.

    Returns:
        PARSED_COLUMNS, one row per message. A complaint has its values verbatim and numbers as written; columns may
        have any of the publisher's names, and unknown ones go to `_rescued`. Any other message has its text and the
        reason why it is not a complaint. `_source_line` is the offset.
    """
    rows = [_read(value) for value in batch.column("value").to_pylist()]
    columns = {name: [row.get(name) for row in rows] for name in PARSED_COLUMNS if name != "_source_line"}
    return pa.RecordBatch.from_pydict({**columns, "_source_line": batch.column("offset")}, PARSED_SCHEMA)


def _read(value: bytes | None) -> dict[str, str | None]:
    try:
        return _complaint(value)
    except (RefusedMessageError, msgspec.MsgspecError, UnicodeError, RecursionError) as refused:
        return {"_record": legible((value or b"").decode("utf-8", "surrogateescape")), "_reason": str(refused)}


def _complaint(value: bytes | None) -> dict[str, str | None]:
    if value is None:
        raise RefusedMessageError("the value is null")
    complaint: dict[str, str | None] = {}
    rescued: dict[str, object] = {}
    for name, raw in _decode(value).items():
        column = column_of(name)
        if column in complaint:
            raise RefusedMessageError(f"has {column} more than once")
        if column in COMPLAINT_COLUMNS:
            complaint[column] = _text(column, bytes(raw))
        elif column is not None:
            rescued[column] = msgspec.json.decode(raw)
    if missing := [name for name in REQUIRED_COLUMNS if name not in complaint]:
        raise RefusedMessageError(f"is missing {', '.join(missing)}")
    if rescued:
        complaint["_rescued"] = json.dumps(rescued, ensure_ascii=False)
    return complaint


def _text(column: str, raw: bytes) -> str | None:
    """Returns a string's text, a number as written, or None for null."""
    if raw == b"null":
        return None
    if raw.startswith(b'"'):
        return str(msgspec.json.decode(raw))
    if raw[:1].isdigit() or raw.startswith(b"-"):
        return raw.decode()
    raise RefusedMessageError(f"{column}: found {raw[:40].decode('utf-8', 'replace')}, expected text or a number")
