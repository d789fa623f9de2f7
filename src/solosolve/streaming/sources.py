"""The sources of a stream's messages: a Delta table and a Kafka topic, with the same columns."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.listener import SourceProgress

from solosolve.kafka.client import ensure_topics, topic_identity
from solosolve.kafka.frames import read_messages, write_messages
from solosolve.names import (
    DEAD_LETTERS,
    DELTA_SOURCE,
    IS_TO_BE_SCORED,
    KAFKA_SOURCE,
    PREDICTIONS,
    PREDICTIONS_TOPIC,
    REQUEST_COLUMNS,
    REQUESTS,
    REQUESTS_TOPIC,
    SCORE_STREAM_PREFIX,
    SourceName,
)
from solosolve.storage.tables import Tables
from solosolve.storage.waiting_rows import WaitingRows
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.kept_requests import KEPT_NOTE
from solosolve.transforms.messages import as_message

Starting = Literal["earliest", "latest"]


class Source(Protocol):
    """A source of messages with the columns `topic`, `partition`, `offset`, `key`, `value` and `timestamp`."""

    @property
    def name(self) -> str:
        """The `source` of its rows in `gold.predictions`."""
        ...

    @property
    def topic(self) -> str:
        """The `topic` of its rows in `bronze.dead_letters`."""
        ...

    @property
    def has_unique_positions(self) -> bool:
        """Whether no two messages share a position."""
        ...

    @property
    def keeps_requests(self) -> bool:
        """Whether `bronze.inference_requests` gets its requests from the stream."""
        ...

    def identity(self) -> str:
        """Identifies what is read: positions are comparable only within one identity."""
        ...

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads the messages as a stream."""
        ...

    def position(self, messages: pa.RecordBatch) -> pa.Array:
        """Returns each message's `source_position` in `gold.predictions`."""
        ...

    def publish(self, predictions: DataFrame) -> None:
        """Publishes predictions to those who sent the requests."""
        ...

    def lag(self, progress: SourceProgress) -> int | None:
        """Returns how many messages a batch left unread; None if unknown."""
        ...


@dataclass(frozen=True)
class DeltaSource:
    """Rows appended to `bronze.inference_requests`; a position is the table's version."""

    tables: Tables
    name: str = DELTA_SOURCE
    topic: str = str(REQUESTS)
    has_unique_positions: bool = False
    keeps_requests: bool = False

    def identity(self) -> str:
        """Identifies the table; one recreated in its place has another identity."""
        return f"{self.topic} ({self.tables.table_id(REQUESTS)})"

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads appended rows as JSON messages: whole commits, or at most `max_per_trigger` files per batch."""
        self.tables.create(REQUESTS)
        rows = self.tables.read_changes(REQUESTS, starting, max_per_trigger)
        key, value = as_message(REQUEST_COLUMNS)
        return rows.where((F.col("_change_type") == "insert") & F.expr(IS_TO_BE_SCORED)).select(
            F.lit(self.topic).alias("topic"),
            F.lit(0).alias("partition"),
            F.col("_commit_version").alias("offset"),
            F.encode(key, "UTF-8").alias("key"),
            F.encode(value, "UTF-8").alias("value"),
            F.col("_commit_timestamp").alias("timestamp"),
        )

    @staticmethod
    def position(messages: pa.RecordBatch) -> pa.Array:
        """Returns the table's version."""
        return messages.column("offset").cast(pa.string())

    def publish(self, predictions: DataFrame) -> None:
        """Does nothing: those who append requests read `gold.predictions`."""

    def lag(self, progress: SourceProgress) -> int | None:
        """Returns the number of unread requests.

        None while the table's log cannot tell (see `WaitingRows`), and on the platform, where only Spark sees the log:
        each look would cost a query.
        """
        end = json.loads(progress.endOffset)
        return None if self._waiting is None else self._waiting.from_position(end["reservoirVersion"], end["index"])

    @cached_property
    def _waiting(self) -> WaitingRows | None:
        settings = self.tables.settings
        return WaitingRows(settings.table_folder(REQUESTS), KEPT_NOTE) if settings.has_table_folders else None


@dataclass(frozen=True)
class KafkaSource:
    """Messages of the requests topic; a position is `partition:offset`."""

    spark: SparkSession
    tables: Tables
    name: str = KAFKA_SOURCE
    topic: str = REQUESTS_TOPIC
    has_unique_positions: bool = True
    keeps_requests: bool = True

    def identity(self) -> str:
        """Identifies the topic and its cluster, creating the topic if needed; a recreated topic has another identity.

        Raises:
            BrokerError: The brokers cannot be reached.
        """
        ensure_topics(self.tables.settings, (self.topic, PREDICTIONS_TOPIC))
        return topic_identity(self.tables.settings, self.topic)

    def read(self, starting: Starting, max_per_trigger: int | None) -> DataFrame:
        """Reads the topic: at most `max_per_trigger` messages per batch."""
        settings = self.tables.settings
        return read_messages(self.spark, settings, self.topic, starting=starting, max_per_trigger=max_per_trigger)

    @staticmethod
    def position(messages: pa.RecordBatch) -> pa.Array:
        """Returns the partition and the offset."""
        places = [messages.column(name).cast(pa.string()) for name in ("partition", "offset")]
        return pc.binary_join_element_wise(*places, ":")

    def publish(self, predictions: DataFrame) -> None:
        """Sends predictions to their topic as JSON, keyed by complaint, at least once each."""
        write_messages(predictions.select(*as_message(predictions.columns)), self.tables.settings, PREDICTIONS_TOPIC)

    def lag(self, progress: SourceProgress) -> int | None:
        """Returns the number of unread messages in all partitions."""
        newest, read = (
            json.loads(each or "{}").get(self.topic, {}) for each in (progress.latestOffset, progress.endOffset)
        )
        return sum(newest[partition] - read[partition] for partition in newest.keys() & read.keys()) if newest else None


def bound_stream(tables: Tables, source: Source) -> BoundStream:
    """Opens the stream that scores a source's messages."""
    return BoundStream.open(
        tables, f"{SCORE_STREAM_PREFIX}{source.name}", (PREDICTIONS, DEAD_LETTERS), source.identity()
    )


def source_of(name: SourceName, tables: Tables) -> Source:
    """Returns the source with that name."""
    return DeltaSource(tables) if name == DELTA_SOURCE else KafkaSource(tables.spark, tables)
