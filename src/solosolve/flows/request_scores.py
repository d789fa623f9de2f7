"""Silver to the stream's source: the newest complaints of unknown outcome, as if they arrived now."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.adapters.kafka import ensure_topics, write_messages
from solosolve.adapters.registry import Registry
from solosolve.adapters.tables import Tables
from solosolve.names import CHAMPION, COMPLAINTS, LABEL, PREDICTIONS, REQUESTS, REQUESTS_TOPIC, TOPICS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings

logger = logging.getLogger("solosolve.request_scores")

SHARE = 0.1


def run(spark: SparkSession, settings: Settings, source: Literal["delta", "kafka"], at_most: int) -> int:
    """Asks for scores of the newest tenth of the complaints without a known outcome.

    Changed is `bronze.inference_requests`, or the topic of requests. A complaint that the champion has scored, or
    that waits in the table, is not asked for again.

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
    chosen = _newest_open(tables, at_most).join(_asked(tables, settings), on="complaint_id", how="left_anti")
    requests = chosen.withColumn("requested_at", F.lit(datetime.now(UTC))).select(*SCHEMAS[REQUESTS].names).cache()
    try:
        count = requests.count()
        if count and source == "delta":
            tables.append(REQUESTS, requests)
        elif count:
            ensure_topics(settings, TOPICS)
            # An instant's six digits would be cut to three.
            value = F.to_json(F.struct(*requests.columns), {"timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX"})
            key = F.col("complaint_id").cast("string").alias("key")
            write_messages(requests.select(key, value.alias("value")), settings, REQUESTS_TOPIC)
    finally:
        requests.unpersist()
    logger.info("%d complaints ask for their score", count)
    return count


def _newest_open(tables: Tables, at_most: int) -> DataFrame:
    unknown = tables.read(COMPLAINTS).where(F.col(LABEL).isNull())
    count = min(int(unknown.count() * SHARE), at_most)
    return unknown.orderBy(F.col("date_received").desc(), F.col("complaint_id").desc()).limit(count)


def _asked(tables: Tables, settings: Settings) -> DataFrame:
    """The complaints that the champion has scored, and those whose request waits to be read."""
    champion = Registry(settings).find(CHAMPION)
    tables.create(PREDICTIONS)
    tables.create(REQUESTS)
    predictions, waiting = tables.read(PREDICTIONS), tables.read(REQUESTS).select("complaint_id", "requested_at")
    answered = predictions.select("complaint_id", "requested_at")
    unanswered = waiting.join(answered, on=["complaint_id", "requested_at"], how="left_anti").select("complaint_id")
    version = F.lit(None if champion is None else champion.version)
    scored = predictions.where(F.col("model_version") == version).select("complaint_id")
    return scored.unionByName(unanswered).distinct()
