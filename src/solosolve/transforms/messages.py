"""Rows as Kafka messages, and a message's position in its topic."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F


def as_message(columns: Sequence[str]) -> tuple[Column, Column]:
    """A row as a message: `key`, its `complaint_id` as text, and `value`, the given columns as a JSON object."""
    # Spark's default format drops the microseconds.
    as_json = F.to_json(F.expr(f"struct({', '.join(columns)})"), {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"})
    return F.col("complaint_id").cast("string").alias("key"), as_json.alias("value")


def position_of_message() -> Column:
    """`source_position` as `partition:offset`, which is unique in a topic."""
    return F.concat_ws(":", "partition", "offset").alias("source_position")
