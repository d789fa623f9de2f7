"""Requests scores for the newest silver complaints of unknown outcome, as if they had just arrived."""

from __future__ import annotations

import logging

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.kafka.client import ensure_topics
from solosolve.kafka.frames import read_present_messages, write_messages
from solosolve.names import (
    CHAMPION,
    COMPLAINTS,
    DELTA_SOURCE,
    IS_TO_BE_SCORED,
    KAFKA_SOURCE,
    LABEL,
    PREDICTIONS,
    REQUEST_COLUMNS,
    REQUESTS,
    REQUESTS_TOPIC,
    TOPICS,
    SourceName,
)
from solosolve.settings import Settings
from solosolve.storage.migrations import add_columns
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.streaming.binding_store import is_within
from solosolve.streaming.sources import bound_stream, source_of
from solosolve.transforms.messages import as_message, position_of_message

logger = logging.getLogger("solosolve.request_scores")

SHARE = 0.1
"""The share of complaints without a known outcome for which a score is requested."""


def run(spark: SparkSession, settings: Settings, source: SourceName, at_most: int, *, share: float = SHARE) -> int:
    """Requests scores for the newest complaints without a known outcome.

    Appends to `bronze.inference_requests`, or sends to the requests topic. A complaint that the champion has scored,
    or whose request is still waiting there, is not requested again.

    Args:
        spark: The session.
        settings: Where tables, registry and brokers are.
        source: What the stream reads.
        at_most: Maximum number of requests.
        share: Maximum share of those complaints.

    Returns:
        The number of requests made.

    Raises:
        TableError: There is no `silver.complaints` yet.
        BrokerError: The brokers cannot be reached.
    """
    tables = Tables(spark, settings)
    tables.create(PREDICTIONS)
    waiting = _waiting_in_table(tables) if source == DELTA_SOURCE else _waiting_in_topic(tables)
    excluded = waiting.unionByName(_scored(tables)).distinct()
    chosen = _newest_open(tables, share, at_most).join(excluded, on="complaint_id", how="left_anti")
    requests = chosen.withColumn("requested_at", F.lit(now())).select(*REQUEST_COLUMNS).cache()
    try:
        count = requests.count()
        if count and source == DELTA_SOURCE:
            of_table = {"source": F.lit(DELTA_SOURCE), "source_position": F.lit(None).cast("string")}
            tables.append(REQUESTS, requests.withColumns(of_table))
        elif count:
            write_messages(requests.select(*as_message(requests.columns)), settings, REQUESTS_TOPIC)
    finally:
        requests.unpersist()
    logger.info("requested scores for %d complaints", count)
    return count


def _newest_open(tables: Tables, share: float, at_most: int) -> DataFrame:
    unknown = tables.read(COMPLAINTS).where(F.col(LABEL).isNull())
    count = min(int(unknown.count() * share), at_most)
    return unknown.orderBy(F.col("date_received").desc(), F.col("complaint_id").desc()).limit(count)


def _scored(tables: Tables) -> DataFrame:
    """The complaints that the champion has scored."""
    champion = Registry(tables.settings).find(CHAMPION)
    version = F.lit(None if champion is None else champion.version)
    return tables.read(PREDICTIONS).where(F.col("model_version") == version).select("complaint_id")


def _waiting_in_table(tables: Tables) -> DataFrame:
    """The complaints whose request in the table has no prediction yet."""
    tables.create(REQUESTS)
    add_columns(tables, REQUESTS)
    request = ["complaint_id", "requested_at"]
    answered = tables.read(PREDICTIONS).select(*request)
    asked = tables.read(REQUESTS).where(IS_TO_BE_SCORED).select(*request)
    return asked.join(answered, on=request, how="left_anti").select("complaint_id")


def _waiting_in_topic(tables: Tables) -> DataFrame:
    """The complaints whose request in the topic has no prediction yet, by key and position."""
    ensure_topics(tables.settings, TOPICS)
    messages = read_present_messages(tables.spark, tables.settings, REQUESTS_TOPIC)
    complaint_id = F.col("key").cast("string").try_cast("bigint").alias("complaint_id")
    asked = messages.select(complaint_id, position_of_message())
    source = source_of(KAFKA_SOURCE, tables)
    periods = bound_stream(tables, source).own_periods
    is_of_source = (F.col("source") == source.name) & is_within(periods, "scored_at")
    answered = tables.read(PREDICTIONS).where(is_of_source).select("source_position")
    return asked.join(answered, on="source_position", how="left_anti").select("complaint_id")
