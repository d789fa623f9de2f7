"""Silver complaints to a time-ordered, leakage-safe split."""

from __future__ import annotations

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.errors import SolosolveError
from solosolve.names import LABEL, NARRATIVE

TRAIN, VALIDATE, TEST = "train", "validate", "test"
IMMATURE, COPY, UNLABELLED = "immature", "copy", "unlabelled"

SHARES = (0.6, 0.8)
"""Where, by share of the mature labelled complaints in order of time, validate and test begin."""


class SplitError(SolosolveError):
    """There are too few labelled complaints, or days, to split by date."""


def with_split(complaints: DataFrame, maturity_days: int) -> DataFrame:
    """Adds `split`, by date received: the oldest 60 % of the mature labelled complaints train, then 20 % validate, 20
    % test.

    A day is never divided. The newest `maturity_days` of the labelled period are `immature`: disputes that come
    late are not in yet, so their labels lean to success. A narrative that was seen, to the letter, in an earlier
    split is a `copy`, used in none: it would be tested on what was learned by heart.

    Args:
        complaints: Rows of `silver.complaints`.
        maturity_days: Newest days of the labelled period to leave out.

    Returns:
        The rows with `split`: train, validate, test, immature, copy or unlabelled (outcome unknown).

    Raises:
        SplitError: Not all of train, validate and test would have a day.
    """
    is_labelled = F.col(LABEL).isNotNull()
    newest = complaints.where(is_labelled).agg(F.max("date_received").alias("newest")).first()
    if newest is None or newest["newest"] is None:
        raise SplitError("no complaint has a known outcome: there is nothing to learn from")
    mature_until = newest["newest"] - timedelta(days=maturity_days)
    validate_from, test_from = _boundaries(complaints.where(is_labelled), mature_until)
    by_date = _by_date(is_labelled, mature_until, validate_from, test_from)
    return _without_copies(complaints.withColumn("split", by_date))


def _boundaries(labelled: DataFrame, mature_until: date) -> tuple[date, date]:
    """The first days of validate and of test."""
    daily = labelled.where(F.col("date_received") <= F.lit(mature_until)).groupBy("date_received").count().collect()
    counts = sorted((row["date_received"], row["count"]) for row in daily)
    total, seen = sum(count for _, count in counts), 0
    days: dict[str, date] = {}
    for day, count in counts:
        share = seen / total
        seen += count
        for name, start in zip((VALIDATE, TEST), SHARES, strict=True):
            if share >= start:
                days.setdefault(name, day)
    if len(days) < 2 or days[VALIDATE] == days[TEST] or days[VALIDATE] == counts[0][0]:
        raise SplitError(
            f"{total} labelled complaints on {len(counts)} days up to {mature_until} cannot be split by date into "
            "train, validate and test: more labels or fewer maturity days (SOLOSOLVE_MATURITY_DAYS) are needed"
        )
    return days[VALIDATE], days[TEST]


def _by_date(is_labelled: Column, mature_until: date, validate_from: date, test_from: date) -> Column:
    received = F.col("date_received")
    return (
        F.when(~is_labelled, F.lit(UNLABELLED))
        .when(received > F.lit(mature_until), F.lit(IMMATURE))
        .when(received < F.lit(validate_from), F.lit(TRAIN))
        .when(received < F.lit(test_from), F.lit(VALIDATE))
        .otherwise(F.lit(TEST))
    )


def _without_copies(split: DataFrame) -> DataFrame:
    is_used = F.col("split").isin(TRAIN, VALIDATE, TEST)
    order = F.when(F.col("split") == TRAIN, 0).when(F.col("split") == VALIDATE, 1).when(F.col("split") == TEST, 2)
    same_text = Window.partitionBy(F.xxhash64(NARRATIVE), NARRATIVE)
    first_seen = F.min(order).over(same_text)
    is_copy = is_used & (order > first_seen)
    return split.withColumn("split", F.when(is_copy, F.lit(COPY)).otherwise(F.col("split")))
