"""Where a stream's messages come from: a Delta table or a Kafka topic, in one shape."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import SourceProgress

from solosolve.kafka.client import ensure_topics, read_messages, topic_identity, write_messages
from solosolve.names import DEAD_LETTERS, PREDICTIONS, PREDICTIONS_TOPIC, REQUESTS, REQUESTS_TOPIC
from solosolve.schemas import SCHEMAS
from solosolve.storage.tables import Tables
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.transforms.messages import as_message

Starting = Literal["earliest", "latest"]


class Source(Protocol):
    """A source of messages: `topic`, `partition`, `offset`, `key`, `value` and `timestamp`."""

    @property
    def name(self) -> str:
        """What the source is called in `gold.predictions`."""
        ...

    @property
    def topic(self) -> str:
        """What a dead letter's topic is."""
        ...

    @property
    def has_unique_positions(self) -> bool:
        """Whether a position is one message's alone."""
        ...

    def identity(self) -> str:
        """What is read; another identity's positions say nothing about this one."""
        ...

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads the messages as a stream."""
        ...

    def position(self, messages: pa.RecordBatch) -> pa.Array:
        """Each message's position as `gold.predictions` keeps it."""
        ...

    def publish(self, predictions: DataFrame) -> None:
        """Tells the source's side of the predictions that the table has."""
        ...

    def lag(self, progress: SourceProgress) -> int | None:
        """How much waits behind a batch's end."""
        ...


@dataclass(frozen=True)
class DeltaSource:
    """`bronze.inference_requests`, from its first version or its next one on; a position is the table's version."""

    tables: Tables
    name: str = "delta"
    topic: str = str(REQUESTS)
    has_unique_positions: bool = False

    def identity(self) -> str:
        """The table, not one that was made in its place."""
        return f"{self.topic} ({self.tables.table_id(REQUESTS)})"

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads the rows that are added, as JSON; whole commits, or at most `max_per_trigger` files' worth at once."""
        self.tables.create(REQUESTS)
        rows = self.tables.read_changes(REQUESTS, starting, max_per_trigger)
        key, value = as_message(SCHEMAS[REQUESTS].names)
        return rows.where(F.col("_change_type") == "insert").select(
            F.lit(self.topic).alias("topic"),
            F.lit(0).alias("partition"),
            F.col("_commit_version").alias("offset"),
            F.encode(key, "UTF-8").alias("key"),
            F.encode(value, "UTF-8").alias("value"),
            F.col("_commit_timestamp").alias("timestamp"),
        )

    @staticmethod
    def position(messages: pa.RecordBatch) -> pa.Array:
        """The table's version."""
        return messages.column("offset").cast(pa.string())

    def publish(self, predictions: DataFrame) -> None:
        """Nobody waits: `gold.predictions` is the answer."""

    def lag(self, progress: SourceProgress) -> int | None:
        """Commits that are not read to their end."""
        return self.tables.commits_from(REQUESTS, json.loads(progress.endOffset)["reservoirVersion"])


@dataclass(frozen=True)
class KafkaSource:
    """The topic of requests; a position is `partition:offset`."""

    spark: SparkSession
    tables: Tables
    name: str = "kafka"
    topic: str = REQUESTS_TOPIC
    has_unique_positions: bool = True

    def identity(self) -> str:
        """The topic, made where it is missing, and its cluster; not a topic that was made in its place.

        Raises:
            BrokerError: The brokers cannot be reached.
        """
        ensure_topics(self.tables.settings, (self.topic, PREDICTIONS_TOPIC))
        return topic_identity(self.tables.settings, self.topic)

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads the topic; at most `max_per_trigger` messages at once."""
        settings = self.tables.settings
        return read_messages(self.spark, settings, self.topic, starting=starting, max_per_trigger=max_per_trigger)

    @staticmethod
    def position(messages: pa.RecordBatch) -> pa.Array:
        """Partition and offset."""
        places = [messages.column(name).cast(pa.string()) for name in ("partition", "offset")]
        return pc.binary_join_element_wise(*places, ":")

    def publish(self, predictions: DataFrame) -> None:
        """Writes the predictions to their topic as JSON, keyed by complaint; at least once each."""
        write_messages(predictions.select(*as_message(predictions.columns)), self.tables.settings, PREDICTIONS_TOPIC)

    def lag(self, progress: SourceProgress) -> int | None:
        """Messages that are there and not read yet, of all partitions."""
        newest, read = (
            json.loads(each or "{}").get(self.topic, {}) for each in (progress.latestOffset, progress.endOffset)
        )
        return sum(newest[partition] - read[partition] for partition in newest.keys() & read.keys()) if newest else None


def bound_stream(tables: Tables, source: Source) -> BoundStream:
    """The stream that scores what comes from a source."""
    return BoundStream(tables, f"score_stream_{source.name}", (PREDICTIONS, DEAD_LETTERS), source.identity())


def source_of(name: Literal["delta", "kafka"], tables: Tables) -> Source:
    """The source of that name."""
    return DeltaSource(tables) if name == "delta" else KafkaSource(tables.spark, tables)
