"""Resolves each complaint's label, as of a time, from its published outcome and its feedback."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.names import LABEL, LABEL_SOURCES, PUBLISHED_LABEL, Verdict
from solosolve.transforms.lookups import looked_up

PUBLISHED = "published_label"
"""The label that the Bureau published, next to the resolved one."""

_RANKS = {source: rank for rank, source in enumerate(LABEL_SOURCES) if source != PUBLISHED_LABEL}
"""The more trusted a source of feedback is, the higher; each is above what was published."""


def resolve_labels(
    complaints: DataFrame, feedback: DataFrame, as_of: datetime, maturity_days: int, carried: Sequence[str] = ()
) -> DataFrame:
    """Resolves one label for each complaint.

    The newest label of the most trusted source that has one wins: a review before an event before what was published.
    Feedback is newest by `given_at`, then by `feedback_id`, so neither the order nor the number of its deliveries
    matters. Feedback given after `as_of` is not seen, a withdrawal removes the row with its `feedback_id`, and `unsure`
    is no label. Feedback on a complaint that has not arrived waits: it is not in the result until the complaint is.

    A published label is known as of any time, because the version of `silver.complaints` says what was published by
    then. Its time is the day after which no dispute is expected any more: the complaint is received, and
    `maturity_days` pass.

    Args:
        complaints: Rows of `silver.complaints`.
        feedback: Rows of `silver.feedback`.
        as_of: The time, with a zone.
        maturity_days: Days until a published label is final.
        carried: Columns of the row of feedback that wins to return too, null for a published label.

    Returns:
        One row per complaint: `complaint_id`; `label` DOUBLE (1.0, 0.0, null if unknown), `label_at` TIMESTAMP and
        `label_source`, all null without a label; `conflict_count` BIGINT, the labels that differ from the resolved one,
        the published one included; `reversal_count` BIGINT, how often a source of feedback changed its own label.
    """
    labelled = with_labels(complaints, feedback, as_of, maturity_days, carried)
    counts = ("conflict_count", "reversal_count")
    return labelled.select("complaint_id", F.col(LABEL).alias("label"), "label_at", "label_source", *counts, *carried)


def with_labels(
    complaints: DataFrame, feedback: DataFrame, as_of: datetime, maturity_days: int, carried: Sequence[str] = ()
) -> DataFrame:
    """Replaces the published label of complaints by the resolved one; see `resolve_labels`.

    Args:
        complaints: Rows of `silver.complaints`.
        feedback: Rows of `silver.feedback`.
        as_of: The time, with a zone.
        maturity_days: Days until a published label is final.
        carried: Columns of the row of feedback that wins to return too.

    Returns:
        The rows, their `is_successful_resolution` resolved, with `published_label`, `label_source`, `label_at`,
        `conflict_count`, `reversal_count` and what is carried.
    """
    published = F.col(PUBLISHED)
    has_feedback = F.col("_successes").isNotNull()
    count_of_other = F.when(F.col(LABEL) == 1.0, F.col("_failures")).otherwise(F.col("_successes"))
    is_overruled = F.coalesce(published != F.col(LABEL), F.lit(False))
    final_on = F.date_add("date_received", maturity_days).cast("timestamp")
    return (
        complaints.withColumnRenamed(LABEL, PUBLISHED)
        .join(_summarised(_live(feedback, as_of, carried), carried), on="complaint_id", how="left")
        .withColumns(
            {
                LABEL: F.coalesce("_newest.label", published),
                "label_source": F.coalesce("_newest.source", F.when(published.isNotNull(), PUBLISHED_LABEL)),
                "label_at": F.coalesce("_newest.given_at", F.when(published.isNotNull(), final_on)),
                "reversal_count": F.coalesce("_reversals", F.lit(0).cast("bigint")),
            }
        )
        .withColumn(
            "conflict_count", F.when(has_feedback, count_of_other + is_overruled.cast("bigint")).otherwise(F.lit(0))
        )
        .withColumns({name: F.col(f"_newest.{name}") for name in carried})
        .select(
            *complaints.columns, PUBLISHED, "label_source", "label_at", "conflict_count", "reversal_count", *carried
        )
    )


def _live(feedback: DataFrame, as_of: datetime, carried: Sequence[str]) -> DataFrame:
    """The labels given by then and not withdrawn by then, each once."""
    visible = feedback.where(F.col("given_at") <= F.lit(as_of))
    withdrawn = visible.where(F.col("verdict") == Verdict.WITHDRAWN).select("feedback_id")
    is_label = F.col("verdict").isin(Verdict.SUCCESS, Verdict.FAILURE) & F.col("source").isin(*_RANKS)
    rank = looked_up(_RANKS, F.col("source"))
    return (
        visible.where(is_label)
        .join(withdrawn, on="feedback_id", how="left_anti")
        .select(
            "complaint_id",
            rank.alias("rank"),
            "given_at",
            "feedback_id",
            F.when(F.col("verdict") == Verdict.SUCCESS, 1.0).otherwise(0.0).alias("label"),
            "source",
            *carried,
        )
        .distinct()
    )


def _summarised(live: DataFrame, carried: Sequence[str]) -> DataFrame:
    """One row per complaint: `_newest` (the label that wins), `_successes`, `_failures` and `_reversals`."""
    in_time = Window.partitionBy("complaint_id", "source").orderBy("given_at", "feedback_id", "label")
    is_reversal = F.lag("label").over(in_time) != F.col("label")
    newest: Column = F.max(F.struct("rank", "given_at", "feedback_id", "label", "source", *carried))
    return (
        live.withColumn("_is_reversal", F.coalesce(is_reversal, F.lit(False)))
        .groupBy("complaint_id")
        .agg(
            newest.alias("_newest"),
            F.count_if(F.col("label") == 1.0).alias("_successes"),
            F.count_if(F.col("label") == 0.0).alias("_failures"),
            F.count_if("_is_reversal").alias("_reversals"),
        )
    )
