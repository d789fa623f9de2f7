"""From training complaints and scores to a version's reference."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.model.reference import CATEGORIES, LENGTH_STEP, LONGEST, NARRATIVE_LENGTH, Reference, build_reference
from solosolve.names import TEST, TRAIN, VALIDATE
from solosolve.transforms.monitoring import count_values

_MOST_VALUES = 2_000
"""Values per feature that are collected: as many as there are steps of length."""


def fit_reference(features: DataFrame, complaints: DataFrame, scored: pa.Table) -> Reference:
    """Counts the complaints that a version was trained on, in one pass over them.

    Args:
        features: Rows of `gold.complaint_features` that train, validate or test.
        complaints: Rows of `silver.complaints`.
        scored: `split` and `probability` of the same rows.

    Returns:
        The reference.
    """
    trained = features.where(F.col("split") == TRAIN).select("complaint_id")
    stepped = F.least(F.floor(F.col("narrative_length") / LENGTH_STEP) * LENGTH_STEP, F.lit(LONGEST))
    columns = {name: F.col(name) for name in (*CATEGORIES, "company")} | {NARRATIVE_LENGTH: stepped.cast("string")}
    counted = count_values(complaints.join(trained, on="complaint_id", how="left_semi"), columns, _MOST_VALUES)
    values: dict[str, list[tuple[str | None, int]]] = {name: [] for name in columns}
    totals = {}
    for row in counted.collect():
        values[row["feature"]].append((row["value"], row["record_count"]))
        totals[row["feature"]] = row["total"]
    later = scored.filter(pc.is_in(scored.column("split"), pa.array([VALIDATE, TEST])))
    newest = features.agg(F.max("date_received").alias("day")).collect()[0]["day"]
    return build_reference(values, totals, np.asarray(later.column("probability")), newest)
