"""Replays dead letters: each corrected letter gets one prediction."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import BinaryType, StringType, StructField, StructType

from solosolve.clock import now
from solosolve.errors import UsageError
from solosolve.names import (
    DEAD_LETTERS,
    IS_FEEDBACK_LETTER,
    PREDICTIONS,
    REPLAY_SOURCE,
    REQUESTS,
    Table,
)
from solosolve.settings import Settings
from solosolve.storage.migrations import add_columns
from solosolve.storage.tables import Tables
from solosolve.streaming.champion_provider import ChampionProvider, with_control
from solosolve.streaming.kept_requests import KEPT_NOTE
from solosolve.transforms.scored_messages import Stamp, score_messages, select_predictions, select_requests

logger = logging.getLogger("solosolve.replay_dead_letters")

_SHOWN = 20
"""Letters that still cannot be scored are logged one by one, up to this many."""

_USER_METADATA = "spark.databricks.delta.commitInfo.userMetadata"

_CORRECTED = StructType([StructField("letter_id", StringType(), False), StructField("value", BinaryType())])


@dataclass(frozen=True)
class Replayed:
    """The outcome of a replay.

    Attributes:
        added: How many letters got their prediction.
        still_dead: The letters that still cannot be scored, by id, with the reason.
    """

    added: int
    still_dead: Mapping[str, str]


def run(spark: SparkSession, settings: Settings, corrected: Mapping[str, bytes] | None) -> Replayed:
    """Scores corrected letters with the champion and adds their predictions to `gold.predictions`, each once.

    `bronze.inference_requests` keeps what was scored, before the predictions: an interrupted replay is repeated, and
    then finds the letters without a prediction.

    The letters themselves do not change: a letter whose id is the position of a prediction has been replayed.

    Args:
        spark: The session.
        settings: Where tables and registry are; `max_request_bytes`.
        corrected: Letter id to its corrected message; None for all letters not replayed yet, as they are.

    Returns:
        The outcome.

    Raises:
        TableError: There are no dead letters.
        UsageError: No request has one of the ids.
        ModelError: There is no champion that can score.
    """
    tables = Tables(spark, settings)
    # A feedback event is corrected by sending it again.
    letters = tables.read(DEAD_LETTERS).where(~F.expr(IS_FEEDBACK_LETTER))
    for table in (PREDICTIONS, REQUESTS):
        tables.create(table)
        add_columns(tables, table)
    replayed = _replayed(tables, PREDICTIONS).select(F.col("source_position").alias("letter_id"))
    if corrected is not None:
        letters = _with_corrected_values(letters, corrected)
    pending = letters.join(replayed, on="letter_id", how="left_anti")
    already = letters.count() - pending.count()
    scoring = with_control(ChampionProvider.open(tables).current())
    # The letter's id takes the place of the topic, because several letters may share a position.
    messages = pending.select(
        F.col("letter_id").alias("topic"), "partition", "offset", "key", "value", F.col("failed_at").alias("timestamp")
    )
    stamp = Stamp(now(), REPLAY_SOURCE, None, _letter_id)
    scored = score_messages(messages, scoring, stamp, settings.max_request_bytes, keeps_text=True).persist()
    try:
        _insert(tables, REQUESTS, select_requests(scored))
        added = _insert(tables, PREDICTIONS, select_predictions(scored))
        refused = scored.where(F.col("reason").isNotNull()).select("topic", "reason").collect()
    finally:
        scored.unpersist()
    replay = Replayed(added, {row["topic"]: row["reason"] for row in refused})
    _log(replay, already)
    return replay


def _log(replay: Replayed, already: int) -> None:
    counts = (replay.added, already, len(replay.still_dead))
    logger.info("%d dead letters replayed, %d were replayed before, %d still cannot be scored", *counts)
    for letter_id, reason in islice(replay.still_dead.items(), _SHOWN):
        logger.warning("%s: %s", letter_id, reason)


def read_corrected(path: Path) -> dict[str, bytes]:
    """Reads corrected letters.

    Args:
        path: A JSON array, or a file with one object per line.

    Returns:
        Letter ids and messages.

    Raises:
        UsageError: The file has another form; the message names the place.
    """
    try:
        text = path.read_text(encoding="utf-8")
        is_array = text.lstrip().startswith("[")
        entries = json.loads(text) if is_array else [json.loads(line) for line in text.split("\n") if line.strip()]
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: expected a JSON array or JSON lines ({error})") from None
    corrected: dict[str, bytes] = {}
    for number, entry in enumerate(entries, start=1):
        letter, value = _entry(entry, f"{path}, letter {number}")
        if letter in corrected:
            raise UsageError(f"{path}, letter {number}: {letter} appears twice")
        corrected[letter] = value
    return corrected


def _entry(entry: Any, place: str) -> tuple[str, bytes]:
    if not isinstance(entry, dict) or not isinstance(entry.get("letter_id"), str) or "value" not in entry:
        raise UsageError(f"{place}: found {json.dumps(entry)[:80]}, expected an object with letter_id and value")
    value = entry["value"]
    try:
        return entry["letter_id"], (value if isinstance(value, str) else json.dumps(value)).encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{place}: the value is not valid text ({error})") from None


def _letter_id(messages: pa.RecordBatch) -> pa.Array:
    return messages.column("topic")


def _with_corrected_values(letters: DataFrame, corrected: Mapping[str, bytes]) -> DataFrame:
    values = letters.sparkSession.createDataFrame(list(corrected.items()), _CORRECTED)
    found = letters.drop("value").join(values, on="letter_id", how="inner")
    known = {row["letter_id"] for row in found.select("letter_id").collect()}
    if unknown := sorted(set(corrected) - known):
        raise UsageError(f"no dead letter has the letter_id '{unknown[0]}': see solosolve deadletters list")
    return found


def _insert(tables: Tables, table: Table, rows: DataFrame) -> int:
    """Inserts the replayed rows that the table does not have, in one commit, while another replay may do the same."""
    before = _replayed(tables, table).count()
    values = {name: f"new.{name}" for name in rows.columns}
    is_same = f"old.source = '{REPLAY_SOURCE}' AND new.source_position = old.source_position"
    with tables.writing(table):
        merge = tables.delta(table).alias("old").merge(rows.alias("new"), is_same)
        if table == REQUESTS:
            # Left by an interrupted replay, which may have had another correction.
            merge = merge.whenMatchedUpdate(None, values)
        with _noted(tables.spark, KEPT_NOTE) if table == REQUESTS else nullcontext():
            merge.whenNotMatchedInsert(None, values).execute()
    return _replayed(tables, table).count() - before


@contextmanager
def _noted(spark: SparkSession, note: str) -> Iterator[None]:
    """Gives the commits of the block a `userMetadata`; a merge takes it from the session only."""
    spark.conf.set(_USER_METADATA, note)
    try:
        yield
    finally:
        spark.conf.unset(_USER_METADATA)


def _replayed(tables: Tables, table: Table) -> DataFrame:
    return tables.read(table).where(F.col("source") == REPLAY_SOURCE)
