"""Rows as multisets: equal rows count as often as they occur."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def subtract(rows: DataFrame, others: DataFrame, *key: str) -> DataFrame:
    """The difference of two multisets: each row of `others` cancels one row with the same key."""
    place = F.row_number().over(Window.partitionBy(*key).orderBy(*key))
    numbered, cancelling = (each.withColumn("_place", place) for each in (rows, others))
    return numbered.join(cancelling.select(*key, "_place"), on=[*key, "_place"], how="left_anti").drop("_place")
