"""Kafka messages as Spark DataFrames: topics read as a stream or a batch, and rows written to a topic."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from solosolve.kafka.login import spark_options
from solosolve.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_LOST = re.compile(r"failOnDataLoss to false\.\s+Reason:(.*?)(?:\swith consumer group|\n\s*at |SQLSTATE|$)", re.DOTALL)
"""The end of Spark's advice to set `failOnDataLoss` to false, which would lose messages silently; then the reason."""

_LARGE_BATCHES = {"kafka.batch.size": str(128 * 1024), "kafka.linger.ms": "20"}
"""Fewer, larger requests. The linger delays no task: at its end Spark flushes what is left."""


def read_messages(
    spark: SparkSession, settings: Settings, topic: str, *, starting: str, max_per_trigger: int | None
) -> DataFrame:
    """Reads a topic as a stream.

    Args:
        spark: The session.
        settings: The brokers and the login.
        topic: The topic.
        starting: Where a stream without a checkpoint begins: `earliest` or `latest`.
        max_per_trigger: Maximum number of messages per micro-batch; None for no limit.

    Returns:
        Columns `topic`, `partition`, `offset`, `key`, `value`, `timestamp`, without messages of aborted transactions.
    """
    reader = (
        spark.readStream.format("kafka")
        .options(**spark_options(settings))
        .option("subscribe", topic)
        .option("startingOffsets", starting)
        .option("failOnDataLoss", "true")
        .option("kafka.isolation.level", "read_committed")
        .option("kafka.max.poll.records", "5000")
    )
    if max_per_trigger is not None:
        reader = reader.option("maxOffsetsPerTrigger", str(max_per_trigger))
    return reader.load().select("topic", "partition", "offset", "key", "value", "timestamp")


def read_present_messages(spark: SparkSession, settings: Settings, topic: str) -> DataFrame:
    """Reads the messages that a topic holds now.

    Returns:
        Columns `partition`, `offset`, `key`, `value`.
    """
    options = {**spark_options(settings), "subscribe": topic, "kafka.isolation.level": "read_committed"}
    return spark.read.format("kafka").options(**options).load().select("partition", "offset", "key", "value")


def lost_messages(error: Exception) -> str | None:
    """Spark's explanation of which messages were gone before the stream read them; None for any other failure."""
    found = _LOST.search(str(error))
    return None if found is None else " ".join(found[1].split()).removesuffix(".")


def write_messages(rows: DataFrame, settings: Settings, topic: str) -> None:
    """Writes every row of a batch DataFrame to a topic.

    Args:
        rows: Columns `key` and `value`, text or bytes.
        settings: The brokers and the login.
        topic: The topic.
    """
    options = {**spark_options(settings), **_LARGE_BATCHES, "topic": topic}
    rows.select("key", "value").write.format("kafka").options(**options).save()
