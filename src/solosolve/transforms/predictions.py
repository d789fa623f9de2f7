"""Scored complaints to rows of `gold.predictions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from solosolve.names import FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS

ScoreBatch = Callable[[pa.RecordBatch], "pa.Array"]
"""From a batch of raw complaint columns to one probability a row."""


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


def build_predictions(requests: DataFrame, scoring: Scoring, position: dict[str, Column]) -> DataFrame:
    """Scores requests.

    Args:
        requests: `complaint_id`, the filed columns.
        scoring: The model.
        position: `requested_at`, `scored_at`, `source`, `source_position` and `batch_id` as columns.

    Returns:
        Rows of `gold.predictions`.
    """
    scored = with_probability(
        requests.withColumns(position).select("complaint_id", *FILED_COLUMNS, *position), scoring.score
    )
    return scored.withColumns(
        {
            "prediction": (F.col("probability") >= scoring.threshold).cast("double"),
            "model_name": F.lit(scoring.model_name),
            "model_version": F.lit(scoring.model_version),
        }
    ).select(*SCHEMAS[PREDICTIONS].fieldNames())
