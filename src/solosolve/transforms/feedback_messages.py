"""Turns feedback messages into rows of `silver.feedback`, each event once; the others become dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from solosolve.landing.feedback_events import EVENT_SCHEMA, read_events
from solosolve.names import DEAD_LETTERS, FEEDBACK, Verdict
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema

_LETTER = ("letter_id", "topic", "partition", "offset", "key", "value")
_CONTENT = ("complaint_id", "verdict", "source", "reviewer", "reason", "given_at")
"""What two messages with the same event id must agree on."""

_EVENT = tuple(name for name in EVENT_SCHEMA.names if name != "refusal")
_READ = StructType(
    [
        *(StructField(name, spark_schema(DEAD_LETTERS)[name].dataType) for name in (*_LETTER, "failed_at")),
        *(StructField(name, spark_schema(FEEDBACK)[name].dataType) for name in _EVENT),
        StructField("refusal", StringType()),
    ]
)
_NEW, _REPEATED, _REFUSED = "new", "repeated", "refused"
OUTCOMES = (_NEW, _REPEATED, _REFUSED)
"""The values of `outcome` after `with_outcome`: each message has one."""


def read_feedback(messages: DataFrame, now: datetime, max_bytes: int) -> DataFrame:
    """Reads messages in one Arrow pass.

    The time is filled in here, not as a Spark literal, which would be compiled into each batch's plan.

    Args:
        messages: `letter_id`, `topic`, `partition`, `offset`, `key` and `value` BINARY, and `refusal`: why the message
            cannot be read, if that is known already.
        now: The current time.
        max_bytes: Longer values are refused.

    Returns:
        One row per message: the columns of an event, null for a message that is none; `refusal`, null for an event;
        `letter_id`, the position, `key`, `value` and `failed_at`.
    """

    def read(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _with_events(batch, now, max_bytes)

    return messages.selectExpr(*_LETTER, "refusal").mapInArrow(read, _READ)


def with_outcome(read: DataFrame, recorded: DataFrame) -> DataFrame:
    """Compares events with those that are recorded, and with each other.

    An event and its withdrawal have the same id and are told apart by the verdict. The first of several messages with
    one id counts: an equal one is a repeat, and one with other content is refused.

    Args:
        read: The result of `read_feedback`.
        recorded: Rows of `silver.feedback`.

    Returns:
        The rows with `outcome`: new, repeated or refused; `refusal` says why.
    """
    events = read.where("refusal IS NULL")
    present = recorded.join(events.select("feedback_id").distinct(), on="feedback_id", how="left_semi")
    first = (
        events.select("feedback_id", _is_withdrawal(), _content(), _place())
        .unionByName(present.select("feedback_id", _is_withdrawal(), _content(), _place_of_recorded()))
        .groupBy("feedback_id", "_is_withdrawal")
        .agg(F.min("_place").alias("_first_place"), F.min_by("_content", "_place").alias("_first_content"))
    )
    is_event = F.col("refusal").isNull()
    is_other = is_event & ~F.col("_content").eqNullSafe(F.col("_first_content"))
    is_first = is_event & (F.col("_place") == F.col("_first_place"))
    explained = F.concat(F.lit("event_id: '"), "feedback_id", F.lit("' was already given with other content"))
    return (
        read.select("*", _is_withdrawal(), _content(), _place())
        .join(first, on=["feedback_id", "_is_withdrawal"], how="left")
        .withColumn("refusal", F.when(is_other, explained).otherwise(F.col("refusal")))
        .withColumn("outcome", F.when(F.col("refusal").isNotNull(), _REFUSED).when(is_first, _NEW).otherwise(_REPEATED))
        .select(*read.columns, "outcome")
    )


def build_feedback_rows(judged: DataFrame) -> DataFrame:
    """Keeps the new events, as rows of `silver.feedback`; what only a reviewer sees is null."""
    schema = spark_schema(FEEDBACK)
    missing = {
        field.name: F.lit(None).cast(field.dataType) for field in schema.fields if field.name not in judged.columns
    }
    return judged.where(F.col("outcome") == _NEW).withColumns(missing).select(*SCHEMAS[FEEDBACK].names)


def build_refused_letters(judged: DataFrame) -> DataFrame:
    """Keeps the refused messages, as rows of `bronze.dead_letters`."""
    refused = judged.where(F.col("outcome") == _REFUSED).withColumn("reason", F.col("refusal"))
    return refused.select(*SCHEMAS[DEAD_LETTERS].names)


def _with_events(batch: pa.RecordBatch, now: datetime, max_bytes: int) -> pa.RecordBatch:
    known = batch.column("refusal")
    # What is known to be unreadable is not read.
    values = pc.if_else(pc.is_null(known), batch.column("value"), None).to_pylist()
    events = read_events(values, now, max_bytes)
    columns = {name: batch.column(name) for name in _LETTER} | {name: events.column(name) for name in _EVENT}
    columns["failed_at"] = pa.repeat(pa.scalar(now, pa.timestamp("us", "UTC")), batch.num_rows)
    columns["refusal"] = pc.coalesce(known, events.column("refusal"))
    return pa.RecordBatch.from_pydict({name: columns[name] for name in _READ.names})


def _is_withdrawal() -> Column:
    return (F.col("verdict") == Verdict.WITHDRAWN).alias("_is_withdrawal")


def _content() -> Column:
    return F.struct(*_CONTENT).alias("_content")


def _place() -> Column:
    return F.struct(F.lit(1).alias("rank"), "topic", "partition", "offset").alias("_place")


def _place_of_recorded() -> Column:
    """The place of a recorded row: before every message."""
    return F.struct(
        F.lit(0).alias("rank"),
        F.lit("").alias("topic"),
        F.lit(0).alias("partition"),
        F.lit(0).cast("bigint").alias("offset"),
    ).alias("_place")
