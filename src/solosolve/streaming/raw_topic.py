"""Lands the raw topic in bronze: each batch of messages is one landing."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from solosolve.kafka.client import ensure_topics, topic_identity
from solosolve.kafka.frames import read_messages
from solosolve.landing.raw_messages import read_raw_messages
from solosolve.names import COMPLAINTS_RAW, QUARANTINE, RAW_TOPIC
from solosolve.storage.landed import Landed
from solosolve.storage.landings import Landings, Origin
from solosolve.storage.staging import Parse, Piece
from solosolve.storage.tables import Tables
from solosolve.streaming.binding_store import is_within
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.query import StreamQuery

STREAM = "ingest_complaints_kafka"
MESSAGES_PER_BATCH = 100_000
LAYOUT = "messages"


def land_raw_topic(tables: Tables, *, recover: bool) -> list[Landed]:
    """Lands the messages that the raw topic has now and bronze does not.

    Args:
        tables: The tables; their settings locate the brokers.
        recover: Read the topic again from its earliest position, and skip the messages that bronze has.

    Returns:
        One value for each batch with new messages.

    Raises:
        CheckpointError: The checkpoint is not the one that bronze is written from.
        BrokerError: The brokers cannot be reached.
        StoppedError: The task was stopped.
    """
    settings = tables.settings
    ensure_topics(settings, (RAW_TOPIC,))
    bound = BoundStream.open(tables, STREAM, (COMPLAINTS_RAW,), topic_identity(settings, RAW_TOPIC))
    bound.claim(has_rows=lambda: _has_rows(tables), recover=recover)
    # The tasks that follow read the table, even if there is no message yet.
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
            done = landings.land(_positions_and_values(new), _parser(digest), [origin])
            landed.extend(done.landed)

    messages = read_messages(tables.spark, settings, RAW_TOPIC, starting="earliest", max_per_trigger=MESSAGES_PER_BATCH)
    writer = messages.writeStream.queryName(STREAM).option("checkpointLocation", str(bound.checkpoint))
    stream = StreamQuery(land)
    stream.run(writer.trigger(availableNow=True))
    stream.require_not_stopped()
    if bound.is_recovering:
        landings.record_unfinished(RAW_TOPIC, LAYOUT)
        bound.end_recovery()
    return landed


def _digest(bound: BoundStream, batch_id: int) -> str:
    return hashlib.sha256(f"{bound.checkpoint_id}/{batch_id}".encode()).hexdigest()


def _positions_and_values(messages: DataFrame) -> DataFrame:
    """The messages' `_source_file` (`topic/partition`), `offset` and `value`."""
    return messages.select(_source_file().alias("_source_file"), "offset", "value")


def _parser(digest: str) -> Parse:
    """Reads messages by the same rules as files; `_source_line` is a message's offset."""

    def parse(batch: pa.RecordBatch) -> Iterator[Piece]:
        yield Piece(digest, batch.column("_source_file"), read_raw_messages(batch))

    return parse


def _source_file() -> Column:
    return F.concat_ws("/", "topic", "partition")


def _has_rows(tables: Tables) -> bool:
    if not tables.exists(COMPLAINTS_RAW):
        return False
    return not tables.read(COMPLAINTS_RAW).where(F.startswith("_source_file", F.lit(f"{RAW_TOPIC}/"))).isEmpty()


def _without_landed(tables: Tables, messages: DataFrame, bound: BoundStream, digest: str) -> DataFrame:
    """Leaves out messages that other batches landed; `Landings` completes an interrupted landing of this batch."""
    is_of_other_batch = is_within(bound.own_periods, "_ingested_at") & (F.col("_source_sha256") != digest)
    for table in (COMPLAINTS_RAW, QUARANTINE):
        if not tables.exists(table):
            continue
        landed = tables.read(table).where(is_of_other_batch)
        positions = landed.select("_source_file", F.col("_source_line").alias("offset"))
        messages = messages.withColumn("_source_file", _source_file()).join(
            positions, on=["_source_file", "offset"], how="left_anti"
        )
    return messages
