"""The shared broker's topics, as a test that counts messages needs them: empty, filled, read with their positions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from solosolve.kafka.client import ensure_topics
from solosolve.kafka.delivery import send_messages
from solosolve.kafka.login import client_options
from solosolve.names import TOPICS
from solosolve.settings import Settings


@dataclass(frozen=True)
class Message:
    """A message where it stands."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None

    @property
    def position(self) -> str:
        return f"{self.partition}:{self.offset}"


def empty_topics(settings: Settings) -> None:
    """Removes all messages from the project's topics; positions go on counting."""
    ensure_topics(settings, TOPICS)
    with KafkaAdminClient(**client_options(settings)) as admin:
        admin.delete_records(dict.fromkeys(_places(settings), -1))


def send(settings: Settings, topic: str, messages: Iterable[tuple[bytes | None, bytes | None]]) -> None:
    """Sends keys and values, and waits until all are there."""
    send_messages(settings, topic, iter(messages))  # type: ignore[arg-type]


def read(settings: Settings, topic: str) -> list[Message]:
    """All messages that a topic holds now, in order of partition and offset."""
    consumer = KafkaConsumer(**client_options(settings), auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        found: list[Message] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for batch in consumer.poll(timeout_ms=500).values():
                found += [Message(each.partition, each.offset, each.key, each.value) for each in batch]
        return sorted(found, key=lambda each: (each.partition, each.offset))
    finally:
        consumer.close()


def consume(settings: Settings, topic: str) -> list[tuple[bytes | None, bytes | None]]:
    """Keys and values of all messages that a topic holds now."""
    return [(each.key, each.value) for each in read(settings, topic)]


def _places(settings: Settings) -> list[TopicPartition]:
    consumer = KafkaConsumer(**client_options(settings))
    try:
        return [TopicPartition(topic, number) for topic in TOPICS for number in consumer.partitions_for_topic(topic)]
    finally:
        consumer.close()
