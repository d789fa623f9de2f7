"""Silver to the stream's source: the newest complaints of unknown outcome, as if they arrived now."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.kafka.client import ensure_topics, read_present_messages, write_messages
from solosolve.names import CHAMPION, COMPLAINTS, LABEL, PREDICTIONS, REQUESTS, REQUESTS_TOPIC, TOPICS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.streaming.sources import bound_stream, source_of
from solosolve.transforms.messages import as_message, position_of_message

logger = logging.getLogger("solosolve.request_scores")

SHARE = 0.1


def run(spark: SparkSession, settings: Settings, source: Literal["delta", "kafka"], at_most: int) -> int:
    """Asks for scores of the newest tenth of the complaints without a known outcome.

    Changed is `bronze.inference_requests`, or the topic of requests. A complaint that the champion has scored, or
    whose request waits there, is not asked for again.

    Args:
        spark: The session.
        settings: Where tables, registry and brokers are.
        source: What the stream reads: delta or kafka.
        at_most: Requests at most.

    Returns:
        How many requests were made.

    Raises:
        TableError: There is no silver yet.
        BrokerError: The brokers cannot be reached.
    """
    tables = Tables(spark, settings)
    tables.create(PREDICTIONS)
    waiting = _waiting_in_table(tables) if source == "delta" else _waiting_in_topic(tables)
    asked = waiting.unionByName(_scored(tables)).distinct()
    chosen = _newest_open(tables, at_most).join(asked, on="complaint_id", how="left_anti")
    requests = chosen.withColumn("requested_at", F.lit(datetime.now(UTC))).select(*SCHEMAS[REQUESTS].names).cache()
    try:
        count = requests.count()
        if count and source == "delta":
            tables.append(REQUESTS, requests)
        elif count:
            write_messages(requests.select(*as_message(requests.columns)), settings, REQUESTS_TOPIC)
    finally:
        requests.unpersist()
    logger.info("%d complaints ask for their score", count)
    return count


def _newest_open(tables: Tables, at_most: int) -> DataFrame:
    unknown = tables.read(COMPLAINTS).where(F.col(LABEL).isNull())
    count = min(int(unknown.count() * SHARE), at_most)
    return unknown.orderBy(F.col("date_received").desc(), F.col("complaint_id").desc()).limit(count)


def _scored(tables: Tables) -> DataFrame:
    """The complaints that the champion has scored."""
    champion = Registry(tables.settings).find(CHAMPION)
    version = F.lit(None if champion is None else champion.version)
    return tables.read(PREDICTIONS).where(F.col("model_version") == version).select("complaint_id")


def _waiting_in_table(tables: Tables) -> DataFrame:
    """The complaints whose request has not been answered."""
    tables.create(REQUESTS)
    request = ["complaint_id", "requested_at"]
    answered = tables.read(PREDICTIONS).select(*request)
    return tables.read(REQUESTS).select(*request).join(answered, on=request, how="left_anti").select("complaint_id")


def _waiting_in_topic(tables: Tables) -> DataFrame:
    """The same of the topic, by key and position."""
    ensure_topics(tables.settings, TOPICS)
    messages = read_present_messages(tables.spark, tables.settings, REQUESTS_TOPIC)
    complaint_id = F.col("key").cast("string").try_cast("bigint").alias("complaint_id")
    asked = messages.select(complaint_id, position_of_message())
    source = source_of("kafka", tables)
    is_ours = (F.col("source") == source.name) & bound_stream(tables, source).is_ours("scored_at")
    answered = tables.read(PREDICTIONS).where(is_ours).select("source_position")
    return asked.join(answered, on="source_position", how="left_anti").select("complaint_id")
