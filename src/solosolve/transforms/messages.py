"""Rows as Kafka messages, and where a message stands."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F


def as_message(columns: Sequence[str]) -> tuple[Column, Column]:
    """`key` and `value` of a row's message, as text: its `complaint_id`, and a JSON object of the columns."""
    # Six digits, or an instant would come out changed.
    as_json = F.to_json(F.expr(f"struct({', '.join(columns)})"), {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"})
    return F.col("complaint_id").cast("string").alias("key"), as_json.alias("value")


def position_of_message() -> Column:
    """`partition:offset`, which is one message's alone in its topic."""
    return F.concat_ws(":", "partition", "offset").alias("source_position")
