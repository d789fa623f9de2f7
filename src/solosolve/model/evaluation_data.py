"""Labels and probabilities of a slice, scored where the rows are: only two numbers per complaint reach the driver."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.model.feature_kernel import block_of
from solosolve.model.metrics import Floats
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import LABEL, TEST, TRAIN, VALIDATE
from solosolve.transforms.fingerprints import data_hash
from solosolve.transforms.predictions import with_probability


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


def score_complaints(rows: DataFrame, scorer: ComplaintScorer) -> tuple[Floats, Floats]:
    """Scores raw complaints and collects the result.

    Args:
        rows: `complaint_id`, the filed columns and the label.
        scorer: The model.

    Returns:
        Labels and probabilities in the order of `complaint_id`, each of shape (rows,).
    """
    return _collect(with_probability(rows, scorer.score))


def _collect(scored: DataFrame) -> tuple[Floats, Floats]:
    table = scored.select("complaint_id", LABEL, "probability").toArrow().sort_by("complaint_id")
    return np.asarray(table.column(LABEL)), np.asarray(table.column("probability"))
