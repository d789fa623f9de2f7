"""The shared broker's topics for tests that count messages: emptied, filled, and read with positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from solosolve.kafka.client import ensure_topics, send_messages
from solosolve.kafka.login import client_options
from solosolve.names import TOPICS
from solosolve.settings import Settings


@dataclass(frozen=True)
class Message:
    """A message and its position."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def position(self) -> str:
        return f"{self.partition}:{self.offset}"


def empty_topics(settings: Settings) -> None:
    """Deletes all messages in the project's topics; offsets continue from where they were."""
    ensure_topics(settings, TOPICS)
    with KafkaAdminClient(**client_options(settings)) as admin:
        admin.delete_records(dict.fromkeys(_partitions(settings), -1))


def send(settings: Settings, topic: str, messages: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Sends keys and values, and waits until all are acknowledged."""
    send_messages(settings, topic, iter(messages))  # type: ignore[arg-type]


def read(settings: Settings, topic: str) -> list[Message]:
    """All messages that a topic holds now, ordered by partition and offset."""
    consumer = KafkaConsumer(**client_options(settings), auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        ends = consumer.end_offsets(partitions)
        found: list[Message] = []
        while any(consumer.position(each) < ends[each] for each in partitions):
            for batch in consumer.poll(timeout_ms=500).values():
                found += [Message(each.partition, each.offset, each.key, each.value) for each in batch]
        return sorted(found, key=lambda each: (each.partition, each.offset))
    finally:
        consumer.close()


def consume(settings: Settings, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """The keys and values of all messages that a topic holds now."""
    return [(each.key, each.value) for each in read(settings, topic)]


def _partitions(settings: Settings) -> list[TopicPartition]:
    consumer = KafkaConsumer(**client_options(settings))
    try:
        return [TopicPartition(topic, number) for topic in TOPICS for number in consumer.partitions_for_topic(topic)]
    finally:
        consumer.close()
