"""Complaints and messages to rows of `gold.predictions`, and what cannot be scored to `bronze.dead_letters`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from solosolve.names import DEAD_LETTERS, FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.requests import read_requests

ScoreBatch = Callable[[pa.RecordBatch], "pa.Array"]
"""From a batch of raw complaint columns to one probability a row."""

POSITION = ("topic", "partition", "offset")
"""The columns of a message that say where it stands in its source."""

_KEPT = ("company", "state", "product", "submitted_via")
_SCORED = StructType(
    [
        *(SCHEMAS[PREDICTIONS][name] for name in ("complaint_id", "requested_at", *_KEPT, "probability")),
        StructField("reason", StringType()),
        *(SCHEMAS[DEAD_LETTERS][name] for name in (*POSITION, "key", "value")),
    ]
)


@dataclass(frozen=True)
class Scoring:
    """What scores, and what it is called on each row."""

    score: ScoreBatch
    threshold: float
    model_name: str
    model_version: int


def with_probability(complaints: DataFrame, score: ScoreBatch) -> DataFrame:
    """Adds `probability` DOUBLE, in one Arrow pass over the complaints in bounded batches.

    Args:
        complaints: Raw complaint columns, `date_received` DATE, and any others.
        score: The scorer's function.

    Returns:
        The rows, unchanged but for the new column.
    """
    schema = StructType([*complaints.schema.fields, StructField("probability", DoubleType())])

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.append_column("probability", pa.array(score(batch), pa.float64()))

    return complaints.mapInArrow(score_batches, schema)


def score_messages(messages: DataFrame, score: ScoreBatch, max_bytes: int) -> DataFrame:
    """Reads and scores messages in one Arrow pass.

    Args:
        messages: `topic`, `partition`, `offset`, `key` and `value` BINARY, `timestamp`.
        score: The scorer's function.
        max_bytes: What is longer is refused.

    Returns:
        One row a message: its position, and either what `gold.predictions` keeps of it with `probability`, or the
        `reason` why it cannot be scored with its `key` and `value`.
    """
    schema = StructType([StructField(field.name, field.dataType) for field in _SCORED.fields])

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _scored(batch, score, max_bytes)

    return messages.select(*POSITION, "key", "value", "timestamp").mapInArrow(score_batches, schema)


def build_predictions(requests: DataFrame, scoring: Scoring, position: Mapping[str, Column]) -> DataFrame:
    """Scores complaints.

    Args:
        requests: `complaint_id`, the filed columns.
        scoring: The model.
        position: `requested_at`, `scored_at`, `source`, `source_position` and `batch_id` as columns.

    Returns:
        Rows of `gold.predictions`.
    """
    chosen = requests.withColumns(dict(position)).select("complaint_id", *FILED_COLUMNS, *position)
    return select_predictions(with_probability(chosen, scoring.score), scoring)


def build_stream_predictions(scored: DataFrame, scoring: Scoring, position: Mapping[str, Column]) -> DataFrame:
    """Makes predictions of the scored messages.

    Args:
        scored: What `score_messages` returned.
        scoring: The model that scored them.
        position: `scored_at`, `source`, `source_position` and `batch_id` as columns.

    Returns:
        Rows of `gold.predictions`.
    """
    return select_predictions(scored.where(F.col("reason").isNull()).withColumns(dict(position)), scoring)


def select_predictions(scored: DataFrame, scoring: Scoring) -> DataFrame:
    """Names the class and the model of rows that have a `probability` and a position: rows of `gold.predictions`."""
    return scored.withColumns(
        {
            "prediction": (F.col("probability") >= scoring.threshold).cast("double"),
            "model_name": F.lit(scoring.model_name),
            "model_version": F.lit(scoring.model_version),
        }
    ).select(*SCHEMAS[PREDICTIONS].fieldNames())


def build_dead_letters(scored: DataFrame, failed_at: Column) -> DataFrame:
    """Makes dead letters of the messages that cannot be scored.

    Args:
        scored: What `score_messages` returned.
        failed_at: When.

    Returns:
        Rows of `bronze.dead_letters`. `letter_id` is the position and, since all rows of a commit have one, the place
        among the dead letters there; it is the same however often the messages are read.
    """
    in_order = Window.partitionBy(*POSITION).orderBy("key", "value")
    place = F.row_number().over(in_order)
    letter_id = F.concat_ws("/", *POSITION, place)
    dead = scored.where(F.col("reason").isNotNull())
    return dead.withColumns({"letter_id": letter_id, "failed_at": failed_at}).select(*SCHEMAS[DEAD_LETTERS].names)


def _scored(batch: pa.RecordBatch, score: ScoreBatch, max_bytes: int) -> pa.RecordBatch:
    value, arrived = batch.column("value"), batch.column("timestamp").to_pylist()
    read = read_requests(value.to_pylist(), arrived, max_bytes)
    is_good = pc.is_null(read.reasons)
    # From a message to its place among the good ones; null takes null.
    good = pc.if_else(is_good, pc.subtract(pc.cumulative_sum(pc.cast(is_good, pa.int64())), 1), None)
    columns = {
        "complaint_id": read.complaint_ids,
        "requested_at": read.requested_at,
        **{name: read.complaints.column(name) for name in _KEPT},
        "probability": pa.array(score(read.complaints), pa.float64()),
    }
    return pa.RecordBatch.from_pydict(
        {
            **{name: column.take(good) for name, column in columns.items()},
            "reason": read.reasons,
            **{name: batch.column(name) for name in POSITION},
            "key": pc.if_else(is_good, None, batch.column("key")),
            "value": pc.if_else(is_good, None, value),
        }
    )
