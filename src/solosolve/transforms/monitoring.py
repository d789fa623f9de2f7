"""Counts for the monitor: values of training complaints, bins of scored complaints, and labels with their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.transforms.bins import NOT_GIVEN_BIN, CategoryBins, NumberBins
from solosolve.transforms.lookups import looked_up


def count_values(complaints: DataFrame, values: Mapping[str, Column], limit: int) -> DataFrame:
    """Counts the values of several features in one pass.

    Args:
        complaints: Rows of `silver.complaints`.
        values: Feature to its value, STRING.
        limit: Values per feature to keep, the most frequent ones.

    Returns:
        `feature`, `value`, `record_count` and `total` (rows of the feature with any value); ties go alphabetically.
    """
    counted = _count(complaints, values)
    of_feature = Window.partitionBy("feature")
    ranked = counted.withColumns(
        {
            "rank": F.row_number().over(of_feature.orderBy(F.desc("record_count"), "value")),
            "total": F.sum("record_count").over(of_feature),
        }
    )
    return ranked.where(F.col("rank") <= limit).select("feature", "value", "record_count", "total")


def count_bins(scored: DataFrame, bins: Sequence[CategoryBins | NumberBins]) -> DataFrame:
    """Counts several features by window and bin in one pass.

    Args:
        scored: `window_start` and the bins' columns.
        bins: The bins of each feature, at most one set per name.

    Returns:
        `window_start`, `feature`, `value` (the bin's name) and `record_count`.
    """
    return _count(scored, {each.name: bin_column(each) for each in bins}, "window_start")


def bin_column(bins: CategoryBins | NumberBins) -> Column:
    """The name of the bin of each row."""
    column = F.col(bins.column)
    if isinstance(bins, NumberBins):
        above = [(column >= F.lit(edge)).cast("int") for edge in bins.edges]
        return sum(above, F.lit(0)).cast("string")
    other = column if bins.other is None else F.lit(bins.other)
    if bins.bin_of:
        other = F.coalesce(looked_up(bins.bin_of, column), other)
    return F.when(column.isNull(), F.lit(NOT_GIVEN_BIN)).otherwise(other)


def select_scored(predictions: DataFrame, version: int, start: datetime, end: datetime, length: timedelta) -> DataFrame:
    """Selects the complaints that a model version scored in some windows, each once per window.

    The time is that of scoring, not of the request: when a window has ended, no more rows fall into it.

    Args:
        predictions: Rows of `gold.predictions`.
        version: The model version.
        start: The start of the first window.
        end: The end of the last one.
        length: Length of a window, in whole seconds; whole windows are counted from 1970-01-01.

    Returns:
        `window_start`, `complaint_id` and, from the first prediction in the window, `scored_at`, `probability`,
        `product`, `state` and `company`.
    """
    of_version = F.col("model_version") == version
    in_period = (F.col("scored_at") >= F.lit(start)) & (F.col("scored_at") < F.lit(end))
    # Spark counts its windows from 1970-01-01 too.
    window = F.window("scored_at", f"{length // timedelta(seconds=1)} seconds").getField("start")
    return _first_scores(predictions.where(of_version & in_period).withColumn("window_start", window), "window_start")


def select_arrivals(scored: DataFrame, complaints: DataFrame, received_after: date) -> DataFrame:
    """Joins scored complaints with what they say, without those of the training period.

    Args:
        scored: `window_start`, `complaint_id` and `probability`.
        complaints: Rows of `silver.complaints`.
        received_after: The newest day of the complaints that the model was trained or tested on. A new champion scores
            those again, and they are not arrivals.

    Returns:
        The columns of `silver.complaints`, `window_start` and `probability`. A complaint that silver does not have is
        left out.
    """
    arrived = complaints.where(F.col("date_received") > F.lit(received_after))
    return arrived.join(scored.select("window_start", "complaint_id", "probability"), on="complaint_id", how="inner")


def select_judged(
    predictions: DataFrame, labels: DataFrame, counted: DataFrame, version: int, end: datetime
) -> DataFrame:
    """Selects the complaints whose label became known after the model version had scored them, and has not counted yet.

    A prediction made when the label was known already proves nothing: so a complaint of the training data never counts.

    Args:
        predictions: Rows of `gold.predictions`.
        labels: `complaint_id`, `label` (0.0 or 1.0), `label_at`, and more columns to keep.
        counted: `complaint_id` of the complaints that have counted.
        version: The model version.
        end: The first instant after the period.

    Returns:
        The columns of `labels`, `label_delay_days` (from the first score to the label), and from `gold.predictions`
        `probability`, `product`, `state` and `company`.
    """
    of_version = predictions.where((F.col("model_version") == version) & (F.col("scored_at") < F.lit(end)))
    new = labels.join(counted, on="complaint_id", how="left_anti")
    scores = _first_scores(of_version.join(new, on="complaint_id", how="left_semi"))
    judged = scores.join(new, on="complaint_id", how="inner").where(F.col("scored_at") < F.col("label_at"))
    seconds = F.col("label_at").cast("double") - F.col("scored_at").cast("double")
    return judged.select(
        *labels.columns, (seconds / 86_400).alias("label_delay_days"), "probability", *_SEGMENT_COLUMNS
    )


def select_waiting(
    predictions: DataFrame, labels: DataFrame, counted: DataFrame, version: int, end: datetime
) -> DataFrame:
    """Selects the complaints that a random pick may stand for: scored by a model version, without a label before.

    Args:
        predictions: Rows of `gold.predictions`.
        labels: `complaint_id` and `label_at`.
        counted: `complaint_id` of the complaints whose labels have counted.
        version: The model version.
        end: The first instant after the period.

    Returns:
        `complaint_id`, with the complaints of `select_judged` among them.
    """
    of_version = predictions.where((F.col("model_version") == version) & (F.col("scored_at") < F.lit(end)))
    scored = of_version.groupBy("complaint_id").agg(F.min("scored_at").alias("scored_at"))
    was_unknown = F.col("label_at").isNull() | (F.col("scored_at") < F.col("label_at"))
    return (
        scored.join(counted, on="complaint_id", how="left_anti")
        .join(labels.select("complaint_id", "label_at"), on="complaint_id", how="left")
        .where(was_unknown)
        .select("complaint_id")
    )


_SEGMENT_COLUMNS = ("product", "state", "company")


def _first_scores(predictions: DataFrame, *by: str) -> DataFrame:
    """The first prediction of each complaint; of several at one instant, that of the lowest probability."""
    fields = ("scored_at", "probability", *_SEGMENT_COLUMNS)
    first = predictions.groupBy(*by, "complaint_id").agg(F.min(F.struct(*fields)).alias("first"))
    return first.select(*by, "complaint_id", *(F.col(f"first.{name}") for name in fields))


def _count(rows: DataFrame, values: Mapping[str, Column], *by: str) -> DataFrame:
    cells = (F.struct(F.lit(name).alias("feature"), value.alias("value")) for name, value in values.items())
    return (
        rows.select(*by, F.explode(F.array(*cells)).alias("cell"))
        .groupBy(*by, "cell.feature", "cell.value")
        .agg(F.count("*").alias("record_count"))
    )
