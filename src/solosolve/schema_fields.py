"""What the schemas of tables are made of."""

from __future__ import annotations

import pyarrow as pa

STRING, LONG, INT, DOUBLE = pa.string(), pa.int64(), pa.int32(), pa.float64()
DATE, INSTANT, BYTES = pa.date32(), pa.timestamp("us", tz="UTC"), pa.binary()


def required(name: str, kind: pa.DataType) -> pa.Field:
    """A column without nulls."""
    return pa.field(name, kind, nullable=False)


def optional(name: str, kind: pa.DataType) -> pa.Field:
    """A column that may be null."""
    return pa.field(name, kind)


def list_of(kind: pa.DataType) -> pa.DataType:
    """A list without nulls."""
    return pa.list_(pa.field("element", kind, nullable=False))
