"""Complaints and messages to rows of `gold.predictions`, and what cannot be scored to `bronze.dead_letters`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StringType, StructField, StructType

from solosolve.errors import ModelError, one_line
from solosolve.landing.requests import Requests, read_requests
from solosolve.names import DEAD_LETTERS, FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS
from solosolve.transforms.rules import EARLIEST_DATE

ScoreBatch = Callable[[pa.RecordBatch], "pa.Array"]
"""From a batch of raw complaint columns to one probability a row."""

POSITION = ("topic", "partition", "offset")
"""The columns of a message that say where it stands in its source."""

_OPENED = np.datetime64(EARLIEST_DATE, "us")
_CANNOT_SCORE = "the model cannot score:"
_FAILURE = re.compile(f"{_CANNOT_SCORE}(.*)")
_KEPT = ("company", "state", "product", "submitted_via")
_LETTER = (*POSITION, "key", "value", "failed_at")
_SCORED = StructType(
    [
        *(StructField(field.name, field.dataType) for field in SCHEMAS[PREDICTIONS].fields),
        StructField("reason", StringType()),
        *(StructField(name, SCHEMAS[DEAD_LETTERS][name].dataType) for name in _LETTER),
    ]
)


@dataclass(frozen=True)
class Scoring:
    """What scores, and what it is called on each row.

    Attributes:
        score: The scorer's function.
        threshold: From which probability on a resolution is predicted to be successful.
        model_name: The model's name in the registry.
        model_version: Its version.
        control: Raw complaint columns that it can score. Where given, a message that it fails on is refused, as long
            as it scores these; else the whole batch fails.
    """

    score: ScoreBatch
    threshold: float
    model_name: str
    model_version: int
    control: pa.RecordBatch | None = None


@dataclass(frozen=True)
class Stamp:
    """What the predictions of one batch have in common.

    Attributes:
        scored_at: When it was scored, in UTC.
        source: Where its messages come from.
        batch_id: The batch's number in its checkpoint, where it has one.
        position: From a batch with the columns of POSITION to each row's `source_position`.
    """

    scored_at: datetime
    source: str
    batch_id: int | None
    position: Callable[[pa.RecordBatch], pa.Array]


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


def score_messages(messages: DataFrame, scoring: Scoring, stamp: Stamp, max_bytes: int) -> DataFrame:
    """Reads and scores messages in one Arrow pass.

    What differs from batch to batch is filled in here and not by Spark's literals: they would be compiled into each
    batch's plan, and a stream would spend its time on compiling.

    Args:
        messages: `topic`, `partition`, `offset`, `key` and `value` BINARY, `timestamp`.
        scoring: The model.
        stamp: What the predictions have in common.
        max_bytes: What is longer is refused.

    Returns:
        One row a message: a row of `gold.predictions`, or the `reason` why it cannot be scored with its position,
        `key`, `value` and `failed_at`; the other columns are null.
    """

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _scored(batch, scoring, stamp, max_bytes)

    return messages.selectExpr(*POSITION, "key", "value", "timestamp").mapInArrow(score_batches, _SCORED)


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
    return (
        with_probability(chosen, scoring.score)
        .withColumns(
            {
                "prediction": (F.col("probability") >= scoring.threshold).cast("double"),
                "model_name": F.lit(scoring.model_name),
                "model_version": F.lit(scoring.model_version),
            }
        )
        .select(*SCHEMAS[PREDICTIONS].names)
    )


def select_predictions(scored: DataFrame) -> DataFrame:
    """Keeps what `score_messages` could score: rows of `gold.predictions`."""
    # As text: Python asks the JVM three times for each column that it names itself, and this is done in every batch.
    return scored.where("reason IS NULL").selectExpr(*SCHEMAS[PREDICTIONS].names)


def build_dead_letters(scored: DataFrame) -> DataFrame:
    """Makes dead letters of the messages that cannot be scored.

    Args:
        scored: What `score_messages` returned.

    Returns:
        Rows of `bronze.dead_letters`. `letter_id` is the position, the batch's time in microseconds, since what is
        made anew has the same positions again, and the place among the letters there, since a commit's rows have one.
    """
    place = F.row_number().over(Window.partitionBy(*POSITION).orderBy("key", "value"))
    letter_id = F.concat_ws("/", *POSITION, F.unix_micros("failed_at"), place)
    dead = scored.where("reason IS NOT NULL")
    return dead.withColumn("letter_id", letter_id).select(*SCHEMAS[DEAD_LETTERS].names)


def failure_of_model(error: Exception) -> str | None:
    """What `score_messages` says of a model that cannot score its messages; None where something else failed."""
    found = _FAILURE.search(str(error))
    return None if found is None else found[1].strip()


def _arrivals(batch: pa.RecordBatch, now: datetime) -> list[datetime]:
    """When each message came; a producer's clock may say what no calendar has, and then it came now."""
    found = batch.column("timestamp").cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    latest = np.datetime64(now, "us")
    is_possible = (found >= _OPENED) & (found <= latest + np.timedelta64(1, "D"))
    arrived: list[datetime] = np.where(is_possible, found, latest).tolist()
    return arrived


def _probabilities(complaints: pa.RecordBatch, scoring: Scoring) -> pa.Array:
    try:
        found = np.asarray(scoring.score(complaints), dtype=np.float64)
    except Exception as error:
        raise ModelError(f"{_CANNOT_SCORE} {one_line(error)}") from error
    if not ((found >= 0) & (found <= 1)).all():
        raise ModelError(f"{_CANNOT_SCORE} it gives what is no probability")
    return pa.array(found, pa.float64())


def _score_what_can_be(read: Requests, scoring: Scoring) -> tuple[Requests, pa.Array]:
    """The requests that the model can score, and their probabilities.

    Raises:
        ModelError: It fails on a message and was given no control, or fails on that one too.
    """
    try:
        return read, _probabilities(read.complaints, scoring)
    except ModelError:
        if scoring.control is None:
            raise
        _probabilities(scoring.control, scoring)
    alone = (read.complaints.slice(row, 1) for row in range(read.complaints.num_rows))
    read = read.refuse(pa.array([_failure_on(complaint, scoring) for complaint in alone], pa.string()))
    return read, _probabilities(read.complaints, scoring)


def _failure_on(complaint: pa.RecordBatch, scoring: Scoring) -> str | None:
    try:
        _probabilities(complaint, scoring)
    except ModelError as error:
        return str(error)
    return None


def _scored(batch: pa.RecordBatch, scoring: Scoring, stamp: Stamp, max_bytes: int) -> pa.RecordBatch:
    now = stamp.scored_at.astimezone(UTC).replace(tzinfo=None)
    read, probability = _score_what_can_be(
        read_requests(batch.column("value").to_pylist(), _arrivals(batch, now), now, max_bytes), scoring
    )
    is_good = pc.is_null(read.reasons)
    # From a message to its place among the good ones; null takes null.
    good = pc.if_else(is_good, pc.subtract(pc.cumulative_sum(pc.cast(is_good, pa.int64())), 1), None)
    of_request = {
        "complaint_id": read.complaint_ids,
        "requested_at": read.requested_at,
        **{name: read.complaints.column(name) for name in _KEPT},
        "probability": probability,
        "prediction": pc.cast(pc.greater_equal(probability, scoring.threshold), pa.float64()),
    }
    of_batch = {
        "scored_at": pa.scalar(stamp.scored_at, pa.timestamp("us", "UTC")),
        "model_name": scoring.model_name,
        "model_version": pa.scalar(scoring.model_version, pa.int32()),
        "source": stamp.source,
        "batch_id": pa.scalar(stamp.batch_id, pa.int64()),
        "source_position": stamp.position(batch),
    }
    of_letter = {
        **{name: batch.column(name) for name in (*POSITION, "key", "value")},
        "failed_at": pa.scalar(stamp.scored_at, pa.timestamp("us", "UTC")),
    }
    columns = {
        **{name: column.take(good) for name, column in of_request.items()},
        **{name: pc.if_else(is_good, value, None) for name, value in of_batch.items()},
        "reason": read.reasons,
        **{name: pc.if_else(is_good, None, value) for name, value in of_letter.items()},
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in _SCORED.names})
