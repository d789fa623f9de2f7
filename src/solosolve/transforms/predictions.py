"""Scores complaints to rows of `gold.predictions`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from solosolve.names import FILED_COLUMNS, PREDICTIONS
from solosolve.schemas import SCHEMAS

ScoreBatch = Callable[[pa.RecordBatch], "pa.Array"]
"""Takes a batch of raw complaint columns, returns one probability per row."""


@dataclass(frozen=True)
class Scoring:
    """A model and the name that its predictions carry.

    Attributes:
        score: The scorer's function.
        threshold: Probability from which a successful resolution is predicted.
        model_name: The model's name in the registry.
        model_version: Its version.
        control: Raw complaint columns that the model is known to score. With them, a message that the model fails on
            is refused if the model still scores the control; without them, the whole batch fails.
    """

    score: ScoreBatch
    threshold: float
    model_name: str
    model_version: int
    control: pa.RecordBatch | None = None


def with_probability(complaints: DataFrame, score: ScoreBatch) -> DataFrame:
    """Adds `probability` DOUBLE in one Arrow pass, in batches of bounded size.

    Args:
        complaints: Raw complaint columns, `date_received` DATE, and any others.
        score: The scorer's function.

    Returns:
        The rows with the new column; nothing else changes.
    """
    schema = StructType([*complaints.schema.fields, StructField("probability", DoubleType())])

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield batch.append_column("probability", pa.array(score(batch), pa.float64()))

    return complaints.mapInArrow(score_batches, schema)


def build_predictions(requests: DataFrame, scoring: Scoring, position: Mapping[str, Column]) -> DataFrame:
    """Scores complaints.

    Args:
        requests: `complaint_id` and the filed columns.
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
