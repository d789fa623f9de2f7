"""The raw topic to bronze: each batch of messages is a landing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from solosolve.kafka.client import ensure_topics, read_messages, topic_identity
from solosolve.landing.files import PARSED_DDL
from solosolve.landing.raw_messages import read_raw_messages
from solosolve.names import COMPLAINTS_RAW, QUARANTINE, RAW_TOPIC
from solosolve.storage.landings import Landed, Landings, Origin
from solosolve.storage.tables import Tables
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.query import StreamRun

STREAM = "ingest_complaints_kafka"
MESSAGES_A_BATCH = 100_000
LAYOUT = "messages"


def run(tables: Tables, *, recover: bool) -> list[Landed]:
    """Lands the messages that the raw topic has now and bronze has not.

    Args:
        tables: The tables; their settings say where the brokers are.
        recover: Read the topic from its earliest position again, and skip what bronze has.

    Returns:
        One value a batch.

    Raises:
        CheckpointError: The topic's position is not the one that bronze was written from.
        BrokerError: The brokers cannot be reached.
        StoppedError: It was told to stop.
    """
    settings = tables.settings
    ensure_topics(settings, (RAW_TOPIC,))
    bound = BoundStream(tables, STREAM, (COMPLAINTS_RAW,), topic_identity(settings, RAW_TOPIC))
    bound.claim(has_rows=lambda: _has_rows(tables), recover=recover)
    # Even where no message is there yet: what comes behind reads it.
    tables.create(COMPLAINTS_RAW)
    landings = Landings(tables)
    unfinished, next_batch = bound.checkpoint.unfinished_batch, bound.checkpoint.planned_batch + 1
    if bound.has_checkpoint and landings.has(_digest(bound, next_batch)):
        raise bound.refuse_older_copy(next_batch)
    landed: list[Landed] = []

    def land(messages: DataFrame, batch_id: int) -> None:
        bound.bind(batch_id)
        digest = _digest(bound, batch_id)
        if landings.has(digest):
            if batch_id != unfinished:
                raise bound.refuse_older_copy(batch_id)
            return
        new = _without_landed(tables, messages, bound, digest) if bound.is_recovering else messages
        size = new.agg(F.sum(F.length("value")).alias("bytes"), F.count("*").alias("messages")).collect()[0]
        if size["messages"]:
            origin = Origin(RAW_TOPIC, digest, LAYOUT, int(size["bytes"] or 0))
            landed.append(landings.land(parse_messages(new), origin, F.col("_source_file")))

    messages = read_messages(tables.spark, settings, RAW_TOPIC, starting="earliest", max_per_trigger=MESSAGES_A_BATCH)
    writer = messages.writeStream.queryName(STREAM).option("checkpointLocation", str(bound.checkpoint))
    stream = StreamRun(land)
    stream.run(writer.trigger(availableNow=True))
    stream.require_not_stopped()
    if bound.is_recovering:
        landings.adopt(RAW_TOPIC, LAYOUT)
        bound.end_recovery()
    return landed


def _digest(bound: BoundStream, batch_id: int) -> str:
    return hashlib.sha256(f"{bound.checkpoint_id}/{batch_id}".encode()).hexdigest()


def parse_messages(messages: DataFrame) -> DataFrame:
    """Reads messages by the rules that files are read by.

    Args:
        messages: `topic`, `partition`, `offset`, `value`.

    Returns:
        PARSED_COLUMNS and `_source_file` (`topic/partition`), one row a message, good or bad; `_source_line` is its
        offset.
    """

    def parse(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield read_raw_messages(batch).append_column("_source_file", batch.column("_source_file"))

    return messages.select(_source_file().alias("_source_file"), "offset", "value").mapInArrow(
        parse, f"{PARSED_DDL}, _source_file string"
    )


def _source_file() -> Column:
    return F.concat_ws("/", "topic", "partition")


def _has_rows(tables: Tables) -> bool:
    if not tables.exists(COMPLAINTS_RAW):
        return False
    return not tables.read(COMPLAINTS_RAW).where(F.startswith("_source_file", F.lit(f"{RAW_TOPIC}/"))).isEmpty()


def _without_landed(tables: Tables, messages: DataFrame, bound: BoundStream, digest: str) -> DataFrame:
    """Leaves out what other batches landed; what this one landed before it was cut off is for `Landings` to know."""
    is_others = bound.is_ours("_ingested_at") & (F.col("_source_sha256") != digest)
    for table in (COMPLAINTS_RAW, QUARANTINE):
        if not tables.exists(table):
            continue
        positions = tables.read(table).where(is_others).select("_source_file", F.col("_source_line").alias("offset"))
        messages = messages.withColumn("_source_file", _source_file()).join(
            positions, on=["_source_file", "offset"], how="left_anti"
        )
    return messages
