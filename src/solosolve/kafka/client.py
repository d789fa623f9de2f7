"""All traffic with Kafka: messages as Spark's frames, and topics, counts and producers where there is no Spark."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaProducer, TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import KafkaError, KafkaTimeoutError, SaslAuthenticationFailedError, TopicAlreadyExistsError
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

from solosolve.errors import BrokerError, SettingsError
from solosolve.kafka.login import CONNECT_MS, DELIVERY_MS, REQUEST_MS, client_options, reason_of, spark_options
from solosolve.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_UNREADY = (KafkaError, OSError, RuntimeError, ValueError)
"""What kafka-python raises where a broker is away, refuses the login or speaks another protocol."""

_LOST = re.compile(r"failOnDataLoss to false\.\s+Reason:(.*?)(?:\swith consumer group|\n\s*at |SQLSTATE|$)", re.DOTALL)
"""Spark's advice, which would lose messages in silence, and what happened."""

_LARGE = {"kafka.batch.size": str(128 * 1024), "kafka.linger.ms": "20"}
"""Fewer and larger requests of a Java producer; the end of a task sends what is left without waiting."""


def read_messages(
    spark: SparkSession, settings: Settings, topic: str, *, starting: str, max_per_trigger: int | None
) -> DataFrame:
    """Reads a topic as a stream.

    Args:
        spark: The session.
        settings: Where the brokers are.
        topic: The topic.
        starting: Where a stream without a checkpoint begins: `earliest` or `latest`.
        max_per_trigger: Messages of one micro-batch at most; None for all that there are.

    Returns:
        Columns `topic`, `partition`, `offset`, `key`, `value`, `timestamp`; messages of transactions that were
        aborted left out.
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
    """Reads the messages that a topic has now.

    Returns:
        Columns `partition`, `offset`, `key`, `value`.
    """
    options = {**spark_options(settings), "subscribe": topic, "kafka.isolation.level": "read_committed"}
    return spark.read.format("kafka").options(**options).load().select("partition", "offset", "key", "value")


def lost_messages(error: Exception) -> str | None:
    """What Spark says of messages that were gone before they were read; None where something else failed."""
    found = _LOST.search(str(error))
    return None if found is None else " ".join(found[1].split()).removesuffix(".")


def write_messages(rows: DataFrame, settings: Settings, topic: str) -> None:
    """Writes all rows of a batch frame to a topic.

    Args:
        rows: Columns `key` and `value`, text or bytes.
        settings: Where the brokers are.
        topic: The topic.
    """
    writer = rows.select("key", "value").write.format("kafka").options(**spark_options(settings), **_LARGE)
    writer.option("topic", topic).save()


def cluster_id(settings: Settings) -> str:
    """The id that the cluster gave itself when it was made.

    Raises:
        BrokerError: No broker answers, or none lets us in.
    """
    with _admin(settings) as admin:
        return str(admin.describe_cluster()["cluster_id"])


def topic_identity(settings: Settings, topic: str) -> str:
    """What tells a topic from one of its name in another cluster, or made in its place.

    Raises:
        BrokerError: No broker answers, or none lets us in.
    """
    with _admin(settings) as admin:
        # Brokers before 2.8 give topics no id.
        found = admin.describe_topics([topic])[0].get("topic_id")
        return f"{topic} ({found or 'no id'}) of cluster {admin.describe_cluster()['cluster_id']}"


def ensure_topics(settings: Settings, topics: Sequence[str], partitions: int = 2) -> list[str]:
    """Makes the topics that are not there yet, and waits until they can be written.

    Args:
        settings: Where the brokers are.
        topics: Names of topics.
        partitions: Partitions of a new topic.

    Returns:
        The topics that this call made.

    Raises:
        BrokerError: No broker answers, or a topic cannot be made.
    """
    with _admin(settings) as admin:
        there = set(admin.list_topics())
        missing = [topic for topic in dict.fromkeys(topics) if topic not in there]
        if not missing:
            return []
        wanted = {topic: {"num_partitions": partitions} for topic in missing}
        answers = admin.create_topics(wanted, raise_errors=False)["topics"]
        # Another process may have made one in between.
        refused = [each for each in answers if each["error_code"] not in (0, TopicAlreadyExistsError.errno)]
        if refused:
            reasons = "; ".join(f"{each['name']}: {each['error_message']}" for each in refused)
            raise BrokerError(f"topics cannot be made at {settings.kafka_bootstrap} ({reasons})")
        admin.wait_for_topics(missing)
        return [each["name"] for each in answers if each["error_code"] == 0]


def message_counts(settings: Settings, topics: Sequence[str]) -> dict[str, int]:
    """Messages in topics: their end offsets minus their beginnings.

    Returns:
        Topic to count; topics that are not there are left out.

    Raises:
        BrokerError: No broker answers, or none lets us in.
    """
    with _admin(settings) as admin:
        found = {each["name"]: each["partitions"] for each in admin.describe_topics() if each["name"] in topics}
        places = [TopicPartition(topic, each["partition_index"]) for topic in found for each in found[topic]]
        first = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.EARLIEST))
        end = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.LATEST))
    counts = {topic: 0 for topic in topics if topic in found}
    for place in places:
        counts[place.topic] += end[place].offset - first[place].offset
    return counts


def producer(settings: Settings) -> KafkaProducer:
    """A producer that loses and repeats nothing: idempotent, acknowledged by all replicas in sync.

    End it with `close_producer`.

    Raises:
        BrokerError: No broker answers, or none lets us in.
    """
    with _broker_errors(settings):
        _knock(settings)
        return KafkaProducer(
            **client_options(settings),
            acks="all",
            enable_idempotence=True,
            # kafka-python checks sums in Python, byte by byte: packed batches are sent twice as fast, even to loopback.
            compression_type="gzip",
            batch_size=128 * 1024,
            linger_ms=20,
            delivery_timeout_ms=DELIVERY_MS,
            max_block_ms=REQUEST_MS,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )


def close_producer(client: KafkaProducer) -> None:
    """Ends a producer; what the brokers have not acknowledged within some seconds is given up.

    Its own `close` waits for ever where they are gone: while it asks for a new producer id, nothing expires.
    """
    with suppress(KafkaError):
        client.flush(timeout=REQUEST_MS / 1000)
    client._sender.force_close()
    client._sender.join()
    client.close()


@contextmanager
def _admin(settings: Settings) -> Iterator[Any]:
    with _broker_errors(settings):
        _knock(settings)
        with KafkaAdminClient(**client_options(settings)) as admin:
            yield admin


@contextmanager
def _broker_errors(settings: Settings) -> Iterator[None]:
    try:
        yield
    except _UNREADY as error:
        where = f"{settings.kafka_bootstrap} ({settings.kafka_security_protocol})"
        is_startable = settings.kafka_port_here is not None and "ECONNREFUSED" in str(error)
        remedy = "; start one: solosolve kafka start" if is_startable else ""
        raise BrokerError(f"no Kafka broker serves us at {where}: {reason_of(error, settings)}{remedy}") from error


def _knock(settings: Settings) -> None:
    """Connects and logs in once: kafka-python's clients repeat what cannot succeed, and then say that time is up."""
    if settings.kafka_ca_file is not None and not settings.kafka_ca_file.is_file():
        raise SettingsError(f"kafka_ca_file: found '{settings.kafka_ca_file}', there is no such file")
    options = client_options(settings)
    network = NetworkSelector(**options)
    manager = KafkaConnectionManager(network, **options)
    failure: Exception | None = None
    try:
        for broker in manager.cluster.bootstrap_brokers():
            connection = manager.get_connection(broker.node_id, timeout_ms=CONNECT_MS, refresh_metadata_on_err=False)
            network.poll(timeout_ms=CONNECT_MS, future=connection.init_future)
            if connection.init_future.succeeded():
                return
            failure = connection.init_future.exception or KafkaTimeoutError(f"no answer within {CONNECT_MS // 1000} s")
            if connection.broker_version is not None:
                # It answered first. A broker that refuses a login hangs up, and its reason may be lost on the way.
                failure = SaslAuthenticationFailedError(f"{settings.kafka_username} was not let in ({failure})")
    finally:
        manager.close()
        network.close()
    if failure is not None:
        raise failure
