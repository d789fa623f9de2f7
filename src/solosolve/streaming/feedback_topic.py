"""Brings the feedback topic into `silver.feedback`."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.kafka.client import ensure_topics, topic_identity
from solosolve.kafka.frames import read_messages
from solosolve.names import DEAD_LETTERS, FEEDBACK, FEEDBACK_TOPIC
from solosolve.storage.feedback_events import Recorded, record_events
from solosolve.storage.tables import Tables
from solosolve.streaming.checkpoint_binding import BoundStream
from solosolve.streaming.query import StreamQuery

STREAM = "ingest_feedback_kafka"
MESSAGES_PER_BATCH = 100_000


def record_feedback_topic(tables: Tables, *, recover: bool) -> list[Recorded]:
    """Records the events that the feedback topic has now.

    The ids of events and dead letters are the same whenever a message is read, so a message counts once even if a
    checkpoint is lost. The binding still refuses a checkpoint whose positions are those of another topic.

    Args:
        tables: The tables; their settings locate the brokers.
        recover: Read the topic again from its earliest position.

    Returns:
        The counts of each batch.

    Raises:
        CheckpointError: The checkpoint is not the one that the tables are written from.
        BrokerError: The brokers cannot be reached.
        StoppedError: The task was stopped.
    """
    settings = tables.settings
    ensure_topics(settings, (FEEDBACK_TOPIC,))
    bound = BoundStream.open(tables, STREAM, (FEEDBACK, DEAD_LETTERS), topic_identity(settings, FEEDBACK_TOPIC))
    # Rows do not show where they came from, and reading the topic again adds none twice.
    bound.claim(has_rows=lambda: False, recover=recover)
    recorded: list[Recorded] = []

    def record(messages: DataFrame, batch_id: int) -> None:
        bound.bind(batch_id)
        recorded.append(record_events(tables, _with_letter_id(messages)))

    messages = read_messages(
        tables.spark, settings, FEEDBACK_TOPIC, starting="earliest", max_per_trigger=MESSAGES_PER_BATCH
    )
    writer = messages.writeStream.queryName(STREAM).option("checkpointLocation", str(bound.checkpoint))
    stream = StreamQuery(record)
    stream.run(writer.trigger(availableNow=True))
    stream.require_not_stopped()
    bound.end_recovery()
    return recorded


def _with_letter_id(messages: DataFrame) -> DataFrame:
    """Adds the id of a message that becomes a dead letter: its position, and its time, as topics are recreated."""
    letter_id = F.concat_ws("/", "topic", "partition", "offset", F.unix_micros("timestamp"))
    return messages.withColumns({"letter_id": letter_id, "refusal": F.lit(None).cast("string")})
