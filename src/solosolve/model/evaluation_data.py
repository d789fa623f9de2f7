"""Labels and probabilities of a slice, scored where the rows are: only two numbers per complaint reach the driver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DoubleType, StructField, StructType

from solosolve.model.feature_kernel import block_of
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import LABEL, TEST, TRAIN, VALIDATE
from solosolve.transforms.fingerprints import data_hash
from solosolve.transforms.predictions import ScoreBatch


def trainable_features(features: DataFrame) -> DataFrame:
    """Keeps the rows of `gold.complaint_features` that train, validate or test."""
    return features.where(F.col("split").isin(TRAIN, VALIDATE, TEST))


def gold_hash(features: DataFrame) -> str:
    """Hashes rows of `gold.complaint_features`: ids, splits, features and labels."""
    return data_hash(features, ["complaint_id", "split", "features", LABEL])


def collect_log_odds(rows: DataFrame, scorer: ComplaintScorer) -> pa.Table:
    """Scores encoded features in Spark's workers, before the parts are blended, and collects the result.

    Args:
        rows: Rows of `gold.complaint_features`, labels not null.
        scorer: The model.

    Returns:
        `complaint_id`, `split`, the label, `linear` and `trees` (log-odds DOUBLE; `linear` is null for a model without
        one), in the order of `complaint_id`.
    """

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            linear, trees = scorer.log_odds(block_of(batch.column("features")))
            parts = batch.drop_columns("features").append_column("trees", pa.array(trees))
            yield parts.append_column(
                "linear", pa.nulls(len(trees), pa.float64()) if linear is None else pa.array(linear)
            )

    schema = f"complaint_id bigint, split string, {LABEL} double, trees double, linear double"
    chosen = rows.select("complaint_id", "split", LABEL, "features")
    return chosen.mapInArrow(score_batches, schema).toArrow().sort_by("complaint_id")


SEGMENT_COLUMNS = ("product", "state")
"""The columns whose values are the segments that the gate looks at one by one."""


def score_slice(rows: DataFrame, scores: Mapping[str, ScoreBatch]) -> pa.Table:
    """Scores raw complaints with several models in one pass and collects the result.

    Args:
        rows: `complaint_id`, the filed columns and the label.
        scores: Name to the scorer's function.

    Returns:
        `complaint_id`, SEGMENT_COLUMNS, the label and one column of probabilities per name, in the order of
        `complaint_id`.
    """
    kept = ("complaint_id", *SEGMENT_COLUMNS, LABEL)

    def score_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            found = batch.select(kept)
            for name, score in scores.items():
                found = found.append_column(name, pa.array(score(batch), pa.float64()))
            yield found

    fields = [rows.schema[name] for name in kept] + [StructField(name, DoubleType()) for name in scores]
    return rows.mapInArrow(score_batches, StructType(fields)).toArrow().sort_by("complaint_id")
