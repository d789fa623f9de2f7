"""Scores messages to rows of `gold.predictions`; those that cannot be scored become `bronze.dead_letters`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from solosolve.errors import ModelError, one_line
from solosolve.landing.normalise import EARLIEST_DATE
from solosolve.landing.requests import Requests, read_requests
from solosolve.names import DEAD_LETTERS, FILED_COLUMNS, PREDICTIONS, REQUESTS
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.predictions import Scoring

POSITION = ("topic", "partition", "offset")
"""The columns that identify a message in its source."""

_OPENED = np.datetime64(EARLIEST_DATE, "us")
_CANNOT_SCORE = "the model cannot score:"
_FAILURE = re.compile(f"{_CANNOT_SCORE}(.*)")
_LETTER = (*POSITION, "key", "value", "failed_at")
_SCORED = StructType(
    [
        *(StructField(field.name, field.dataType) for field in spark_schema(PREDICTIONS).fields),
        StructField("reason", StringType()),
        *(StructField(name, spark_schema(DEAD_LETTERS)[name].dataType) for name in _LETTER),
    ]
)
_WITH_TEXT = StructType(
    [*_SCORED.fields, *(field for field in spark_schema(REQUESTS).fields if field.name not in _SCORED.names)]
)


@dataclass(frozen=True)
class Stamp:
    """The values that all predictions of one batch share.

    Attributes:
        scored_at: When the batch was scored, in UTC.
        source: Where its messages come from.
        batch_id: The batch's number in its checkpoint; None outside a stream.
        position: Takes a batch with the columns of POSITION, returns each row's `source_position`.
    """

    scored_at: datetime
    source: str
    batch_id: int | None
    position: Callable[[pa.RecordBatch], pa.Array]


def score_messages(
    messages: DataFrame, scoring: Scoring, stamp: Stamp, max_bytes: int, *, keeps_text: bool = False
) -> DataFrame:
    """Reads and scores messages in one Arrow pass.

    Values that differ between batches are filled in here, not as Spark literals: literals would be compiled into each
    batch's plan, and a stream would spend its time compiling.

    Args:
        messages: `topic`, `partition`, `offset`, `key` and `value` BINARY, `timestamp`.
        scoring: The model.
        stamp: The values that the predictions share.
        max_bytes: Longer values are refused.
        keeps_text: Whether to add the columns that `bronze.inference_requests` has and `gold.predictions` does not.

    Returns:
        One row per message. A scored message has the columns of `gold.predictions`; one that cannot be scored has the
        `reason`, its position, `key`, `value` and `failed_at`. The other columns are null.
    """
    schema = _WITH_TEXT if keeps_text else _SCORED

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield _scored(batch, scoring, stamp, max_bytes, schema.names)

    return messages.selectExpr(*POSITION, "key", "value", "timestamp").mapInArrow(score_batches, schema)


def select_predictions(scored: DataFrame) -> DataFrame:
    """Keeps the messages that `score_messages` could score, as rows of `gold.predictions`."""
    # Expressions as text: a Column for each name costs three calls to the JVM, in every batch.
    return scored.where("reason IS NULL").selectExpr(*SCHEMAS[PREDICTIONS].names)


def select_requests(scored: DataFrame) -> DataFrame:
    """Keeps the messages that `score_messages` scored with their text, as rows of `bronze.inference_requests`."""
    return scored.where("reason IS NULL").selectExpr(*SCHEMAS[REQUESTS].names)


def build_dead_letters(scored: DataFrame) -> DataFrame:
    """Keeps the messages that `score_messages` could not score, as rows of `bronze.dead_letters`.

    Args:
        scored: The result of `score_messages`.

    Returns:
        The dead letters. `letter_id` is the position, the batch's time in microseconds (a recreated topic or table
        has the same positions again), and a number within the position (all rows of a commit share one).
    """
    place = F.row_number().over(Window.partitionBy(*POSITION).orderBy("key", "value"))
    letter_id = F.concat_ws("/", *POSITION, F.unix_micros("failed_at"), place)
    dead = scored.where("reason IS NOT NULL")
    return dead.withColumn("letter_id", letter_id).select(*SCHEMAS[DEAD_LETTERS].names)


def failure_of_model(error: Exception) -> str | None:
    """Why the model could not score its messages; None if `score_messages` failed for another reason.

    Spark passes on an error of its Python workers as text only, so the reason is found by its mark in the text.
    """
    found = _FAILURE.search(str(error))
    return None if found is None else found[1].strip()


def _arrivals(batch: pa.RecordBatch, now: datetime) -> list[datetime]:
    """When each message arrived; now, if its producer's clock gave an impossible time."""
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
        raise ModelError(f"{_CANNOT_SCORE} its result is not a probability from 0 to 1")
    return pa.array(found, pa.float64())


def _score_or_refuse(read: Requests, scoring: Scoring) -> tuple[Requests, pa.Array]:
    """Returns the requests that the model can score, and their probabilities.

    Raises:
        ModelError: The model fails on a message, and has no control or fails on the control too.
    """
    try:
        return read, _probabilities(read.complaints, scoring)
    except ModelError:
        if scoring.control is None:
            raise
        _probabilities(scoring.control, scoring)
    alone = (read.complaints.slice(row, 1) for row in range(read.complaints.num_rows))
    read = read.refuse(pa.array([_why_refused(complaint, scoring) for complaint in alone], pa.string()))
    return read, _probabilities(read.complaints, scoring)


def _why_refused(complaint: pa.RecordBatch, scoring: Scoring) -> str | None:
    try:
        _probabilities(complaint, scoring)
    except ModelError as error:
        return str(error)
    return None


def _scored(
    batch: pa.RecordBatch, scoring: Scoring, stamp: Stamp, max_bytes: int, names: Sequence[str]
) -> pa.RecordBatch:
    now = stamp.scored_at.astimezone(UTC).replace(tzinfo=None)
    read, probability = _score_or_refuse(
        read_requests(batch.column("value").to_pylist(), _arrivals(batch, now), now, max_bytes), scoring
    )
    is_good = pc.is_null(read.reasons)
    # Each message's row among the good ones; taking row null gives null.
    good_row = pc.if_else(is_good, pc.subtract(pc.cumulative_sum(pc.cast(is_good, pa.int64())), 1), None)
    of_request = {
        "complaint_id": read.complaint_ids,
        "requested_at": read.requested_at,
        **{name: read.complaints.column(name) for name in FILED_COLUMNS if name in names},
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
        **{name: column.take(good_row) for name, column in of_request.items()},
        **{name: pc.if_else(is_good, value, None) for name, value in of_batch.items()},
        "reason": read.reasons,
        **{name: pc.if_else(is_good, None, value) for name, value in of_letter.items()},
    }
    return pa.RecordBatch.from_pydict({name: columns[name] for name in names})
