"""Mended dead letters to predictions, each once."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from solosolve.errors import UsageError
from solosolve.names import DEAD_LETTERS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.streaming.champion_provider import LiveChampion, refusing
from solosolve.transforms.predictions import Stamp, score_messages, select_predictions

logger = logging.getLogger("solosolve.replay_dead_letters")

SOURCE = "replay"
"""The source of a replayed letter's prediction; its source position is the letter's id."""

_MENDED = StructType([StructField("letter_id", StringType(), False), StructField("value", BinaryType())])


@dataclass(frozen=True)
class Replayed:
    """What became of the letters.

    Attributes:
        added: Letters that now have their prediction.
        already: Letters that had it before.
        still_dead: Letter to the reason why it still is one.
    """

    added: int
    already: int
    still_dead: Mapping[str, str]


def run(spark: SparkSession, settings: Settings, mended: Mapping[str, bytes] | None) -> Replayed:
    """Scores mended letters with the champion and adds each to `gold.predictions`, unless it is there.

    The letters themselves stay as they are: a letter whose id is the position of a prediction has been replayed.

    Args:
        spark: The session.
        settings: Where tables and registry are; `max_request_bytes`.
        mended: Letter id to its mended message; None for all letters that have not been replayed, as they are.

    Returns:
        What became of them.

    Raises:
        TableError: There are no dead letters.
        UsageError: An id is no letter's.
        ModelError: There is no champion that can score.
    """
    tables = Tables(spark, settings)
    letters = tables.read(DEAD_LETTERS)
    tables.create(PREDICTIONS)
    replayed = (
        tables.read(PREDICTIONS).where(F.col("source") == SOURCE).select(F.col("source_position").alias("letter_id"))
    )
    if mended is not None:
        letters = _with_mended_values(letters, mended)
    pending = letters.join(replayed, on="letter_id", how="left_anti")
    already = letters.count() - pending.count()
    scoring = refusing(LiveChampion(tables, Registry(settings)).current())
    # A letter's id goes the way of a message's topic: the position is not one letter's alone.
    messages = pending.select(
        F.col("letter_id").alias("topic"), "partition", "offset", "key", "value", F.col("failed_at").alias("timestamp")
    )
    stamp = Stamp(datetime.now(UTC), SOURCE, None, _letter_id)
    scored = score_messages(messages, scoring, stamp, settings.max_request_bytes).persist()
    try:
        added = _insert(tables, select_predictions(scored))
        refused = scored.where(F.col("reason").isNotNull()).select("topic", "reason").collect()
    finally:
        scored.unpersist()
    logger.info("%d letters replayed, %d had been before, %d still cannot be read", added, already, len(refused))
    return Replayed(added, already, {row["topic"]: row["reason"] for row in refused})


def _letter_id(messages: pa.RecordBatch) -> pa.Array:
    return messages.column("topic")


def _with_mended_values(letters: DataFrame, mended: Mapping[str, bytes]) -> DataFrame:
    values = letters.sparkSession.createDataFrame(list(mended.items()), _MENDED)
    found = letters.drop("value").join(values, on="letter_id", how="inner")
    known = {row["letter_id"] for row in found.select("letter_id").collect()}
    if unknown := sorted(set(mended) - known):
        raise UsageError(f"letter_id: found '{unknown[0]}', which is no dead letter's: see solosolve deadletters list")
    return found


def _insert(tables: Tables, predictions: DataFrame) -> int:
    """Inserts those that are not there, in one commit; safe beside another that does the same."""
    before = _replayed_count(tables)
    values = {name: f"new.{name}" for name in predictions.columns}
    is_same = f"old.source = '{SOURCE}' AND new.source_position = old.source_position"
    with tables.writing(PREDICTIONS):
        (
            tables.delta(PREDICTIONS)
            .alias("old")
            .merge(predictions.alias("new"), is_same)
            .whenNotMatchedInsert(None, values)
            .execute()
        )
    return _replayed_count(tables) - before


def _replayed_count(tables: Tables) -> int:
    return tables.read(PREDICTIONS).where(F.col("source") == SOURCE).count()
