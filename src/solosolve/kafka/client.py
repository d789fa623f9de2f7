"""Kafka without Spark: topics created and counted, and messages sent from Python."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, TopicAlreadyExistsError

from solosolve.errors import BrokerError
from solosolve.kafka.login import DEFAULT_TIMEOUTS, Timeouts, broker_errors, check_login, client_options, reason_of
from solosolve.settings import Settings


@contextmanager
def admin_client(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> Iterator[KafkaAdminClient]:
    """An admin client, closed at the end of the block.

    Raises:
        BrokerError: No broker answers, every broker refuses the login, or a request in the block fails.
    """
    with broker_errors(settings):
        check_login(settings, timeouts)
        with KafkaAdminClient(**client_options(settings, timeouts)) as admin:
            yield admin


def cluster_id(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> str:
    """The id that the cluster has had since its storage was formatted.

    Raises:
        BrokerError: No broker answers, or every broker refuses the login.
    """
    with admin_client(settings, timeouts) as admin:
        return str(admin.describe_cluster()["cluster_id"])


def topic_identity(settings: Settings, topic: str) -> str:
    """Distinguishes a topic from one of the same name in another cluster, or from one that has since replaced it.

    Raises:
        BrokerError: No broker answers, or every broker refuses the login.
    """
    with admin_client(settings) as admin:
        # Brokers before 2.8 give topics no id.
        found = admin.describe_topics([topic])[0].get("topic_id")
        return f"{topic} ({found or 'no id'}) of cluster {admin.describe_cluster()['cluster_id']}"


def ensure_topics(
    settings: Settings,
    topics: Sequence[str],
    partitions: int = 2,
    *,
    open_admin: Callable[[Settings], AbstractContextManager[KafkaAdminClient]] = admin_client,
) -> list[str]:
    """Creates the topics that do not exist, and waits until they accept messages.

    Args:
        settings: The brokers and the login.
        topics: Names of topics.
        partitions: How many partitions a new topic gets.
        open_admin: Opens the admin client.

    Returns:
        The topics that this call created.

    Raises:
        BrokerError: No broker answers, every broker refuses the login, or a topic cannot be created.
    """
    with open_admin(settings) as admin:
        existing = set(admin.list_topics())
        missing = [topic for topic in dict.fromkeys(topics) if topic not in existing]
        if not missing:
            return []
        answers = admin.create_topics({topic: {"num_partitions": partitions} for topic in missing}, raise_errors=False)[
            "topics"
        ]
        # Another process may have created a topic since they were listed.
        refused = [each for each in answers if each["error_code"] not in (0, TopicAlreadyExistsError.errno)]
        if refused:
            reasons = "; ".join(f"{each['name']}: {each['error_message']}" for each in refused)
            raise BrokerError(f"Kafka at {settings.kafka_bootstrap} refused to create topics ({reasons})")
        admin.wait_for_topics(missing)
        return [each["name"] for each in answers if each["error_code"] == 0]


def message_counts(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """Counts the messages in topics: end offset minus beginning offset, summed over the partitions.

    Returns:
        Topic to count, without the topics that do not exist.

    Raises:
        BrokerError: No broker answers, or every broker refuses the login.
    """
    with admin_client(settings) as admin:
        found = {each["name"]: each["partitions"] for each in admin.describe_topics() if each["name"] in topics}
        partitions = [TopicPartition(topic, each["partition_index"]) for topic in found for each in found[topic]]
        first = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.EARLIEST))
        end = admin.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
    counts = {topic: 0 for topic in topics if topic in found}
    for partition in partitions:
        counts[partition.topic] += end[partition].offset - first[partition].offset
    return counts


@contextmanager
def producer(settings: Settings, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> Iterator[KafkaProducer]:
    """A producer that neither loses nor repeats a message, closed at the end of the block.

    It is idempotent and waits for every in-sync replica. Closing it gives up on messages that the brokers do not
    acknowledge within `request_ms`.

    Raises:
        BrokerError: No broker answers, or every broker refuses the login.
    """
    with broker_errors(settings):
        check_login(settings, timeouts)
        opened = KafkaProducer(
            **client_options(settings, timeouts),
            acks="all",
            enable_idempotence=True,
            # kafka-python computes checksums in Python, byte by byte, so compressed batches are sent twice as fast.
            compression_type="gzip",
            batch_size=128 * 1024,
            linger_ms=20,
            delivery_timeout_ms=timeouts.delivery_ms,
            max_block_ms=timeouts.request_ms,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
    try:
        yield opened
    finally:
        with suppress(KafkaError):
            opened.flush(timeout=timeouts.request_ms / 1000)
        # Without brokers `close` alone never returns: no message expires while the sender asks for a producer id.
        opened._sender.force_close()
        opened._sender.join()
        opened.close()


def send_messages(
    settings: Settings,
    topic: str,
    messages: Iterable[tuple[bytes | None, bytes]],
    progress: Callable[[int], None] | None = None,
    *,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    max_in_flight: int = 4_000,
    open_producer: Callable[[Settings, Timeouts], AbstractContextManager[KafkaProducer]] = producer,
) -> int:
    """Sends messages as they come, and waits until every one is acknowledged.

    Args:
        settings: The brokers and the login.
        topic: An existing topic.
        messages: Keys and values, consumed no faster than the brokers acknowledge them.
        progress: Called with the number of messages acknowledged so far.
        timeouts: Timeouts of the client.
        max_in_flight: Maximum number of messages sent but not acknowledged; kafka-python's own buffer has no limit.
        open_producer: Opens the producer.

    Returns:
        The number of messages.

    Raises:
        BrokerError: No broker answers, or a message was not delivered; the error says how many were.
    """
    delivery = _Delivery(progress or (lambda acknowledged: None), timeouts)
    try:
        with open_producer(settings, timeouts) as opened:
            for key, value in messages:
                delivery.in_flight.append(opened.send(topic, value=value, key=key))
                delivery.settle(at_most=max_in_flight)
            delivery.settle(at_most=0)
    except KafkaError as error:
        # The producer is closed by now, so each message in flight has either arrived or been given up.
        raise BrokerError(
            f"{topic}: Kafka at {settings.kafka_bootstrap} acknowledged {delivery.arrived:,} of {delivery.sent:,} "
            f"messages, then sending failed: {reason_of(error, settings)}"
        ) from error
    return delivery.acknowledged


@dataclass
class _Delivery:
    """The messages in flight, in the order they were sent, and the number acknowledged before them."""

    progress: Callable[[int], None]
    timeouts: Timeouts
    in_flight: deque[Any] = field(default_factory=deque)
    acknowledged: int = 0

    def settle(self, at_most: int) -> None:
        """Removes acknowledged messages, waiting while more than `at_most` are in flight; raises any refusal."""
        before = self.acknowledged
        while self.in_flight and (self.in_flight[0].is_done or len(self.in_flight) > at_most):
            self.in_flight[0].get(timeout=(self.timeouts.delivery_ms + self.timeouts.request_ms) / 1000)
            self.in_flight.popleft()
            self.acknowledged += 1
        if self.acknowledged > before:
            self.progress(self.acknowledged)

    @property
    def sent(self) -> int:
        return self.acknowledged + len(self.in_flight)

    @property
    def arrived(self) -> int:
        return self.acknowledged + sum(future.succeeded() for future in self.in_flight)
