from __future__ import annotations

from unittest.mock import MagicMock

import pytest

from solosolve.kafka.frames import lost_messages, read_messages
from solosolve.kafka.login import spark_options
from solosolve.settings import Settings

DATA_LOSS = (
    "[KAFKA_DATA_LOSS.{subclass}] Some data may have been lost because they are not available in Kafka any more; "
    "either the data was aged out by Kafka or the topic may have been deleted before all the data in the topic was "
    "processed. If you don't want your streaming query to fail on such cases, set the source option failOnDataLoss to "
    "false.\nReason: {reason} SQLSTATE: 22000\n\tat org.apache.spark.sql.kafka010.KafkaExceptions$.x(y.scala:1)"
)
"""Spark's message, after `kafka-error-conditions.json` in spark-sql-kafka-0-10."""


@pytest.mark.parametrize(("limit", "limits"), [(None, {}), (500, {"maxOffsetsPerTrigger": "500"})], ids=["all", "some"])
def test_read_messages_states_where_it_begins_and_fails_on_data_loss(limit: int | None, limits: dict[str, str]) -> None:
    spark = MagicMock()
    reader = spark.readStream.format.return_value
    reader.options.return_value = reader.option.return_value = reader
    rows = read_messages(spark, Settings(), "t", starting="earliest", max_per_trigger=limit)
    assert {call.args[0]: call.args[1] for call in reader.option.call_args_list} == {
        "subscribe": "t",
        "startingOffsets": "earliest",
        "failOnDataLoss": "true",
        "kafka.isolation.level": "read_committed",
        "kafka.max.poll.records": "5000",
        **limits,
    }
    reader.options.assert_called_once_with(**spark_options(Settings()))
    assert rows is reader.load.return_value.select.return_value
    reader.load.return_value.select.assert_called_once_with("topic", "partition", "offset", "key", "value", "timestamp")


@pytest.mark.parametrize(
    ("subclass", "reason", "expected"),
    [
        ("PARTITIONS_DELETED", "Partitions t-0 have been deleted.", "Partitions t-0 have been deleted"),
        (
            "COULD_NOT_READ_OFFSET_RANGE",
            "Could not read records in offset [0, 5) for topic partition t-0 with consumer group spark-kafka-source-1.",
            "Could not read records in offset [0, 5) for topic partition t-0",
        ),
    ],
)
def test_lost_messages_gives_the_reason_without_sparks_advice(subclass: str, reason: str, expected: str) -> None:
    assert lost_messages(RuntimeError(DATA_LOSS.format(subclass=subclass, reason=reason))) == expected


def test_lost_messages_gives_none_for_another_failure() -> None:
    assert lost_messages(RuntimeError("[UNKNOWN_TOPIC_OR_PARTITION] This server does not host this topic")) is None
