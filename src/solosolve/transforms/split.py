"""Splits silver complaints by date, so that no test complaint leaks into training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.errors import SolosolveError
from solosolve.names import DUPLICATE, IMMATURE, LABEL, NARRATIVE, TEST, TRAIN, UNLABELLED, VALIDATE

SHARES = (0.6, 0.8)
"""The shares of the mature labelled complaints, oldest first, after which validate and test begin."""


class SplitError(SolosolveError):
    """There are too few labelled complaints, or too few days with any, to split by date."""


class NoOutcomesError(SplitError):
    """No complaint has a known outcome, as in what the Bureau publishes since May 2026."""

    def __init__(self) -> None:
        super().__init__(
            "no complaint has a known outcome, so there is nothing to learn from: land a file with the column "
            "'Consumer disputed?' (published until May 2026, filled in until April 2017)"
        )


@dataclass(frozen=True)
class SplitDays:
    """The days that divide labelled complaints.

    Attributes:
        mature_until: The last day whose labels are no longer expected to change.
        validate_from: The first day of validate.
        test_from: The first day of test.
    """

    mature_until: date
    validate_from: date
    test_from: date


def find_split_days(complaints: DataFrame, maturity_days: int) -> SplitDays:
    """Finds the days that put the oldest 60 % of the mature labelled complaints in train, the next 20 % in validate,
    and the newest 20 % in test.

    Args:
        complaints: Rows of `silver.complaints`.
        maturity_days: Newest days of the labelled period to leave out.

    Returns:
        The days; none of them is divided.

    Raises:
        NoOutcomesError: No complaint is labelled.
        SplitError: Train, validate or test would have no day.
    """
    labelled = complaints.where(F.col(LABEL).isNotNull() & F.col("date_received").isNotNull())
    daily = labelled.groupBy("date_received").count().collect()
    counts = sorted((row["date_received"], row["count"]) for row in daily)
    if not counts:
        raise NoOutcomesError
    mature_until = counts[-1][0] - timedelta(days=maturity_days)
    return SplitDays(mature_until, *_first_days([each for each in counts if each[0] <= mature_until], mature_until))


def with_split(complaints: DataFrame, days: SplitDays) -> DataFrame:
    """Adds `split` by date received.

    A day is never divided. Complaints that are newer than `days.mature_until` are `immature`: late disputes are still
    missing there, so the labels are biased towards success. A complaint whose exact narrative already
    occurs in an earlier split is a `duplicate` and used in none: a model would be tested on what it has memorised.

    Args:
        complaints: Rows of `silver.complaints`.
        days: From `find_split_days`.

    Returns:
        The rows with `split`: train, validate, test, immature, duplicate or unlabelled (outcome unknown).
    """
    dated = complaints.withColumn("split", _split_by_date(days))
    # Only the ids of the few duplicates are shuffled with the complaints, not their texts.
    duplicates = _duplicates(dated).select("complaint_id", F.lit(True).alias("_is_duplicate"))
    joined = dated.join(F.broadcast(duplicates), on="complaint_id", how="left")
    split = F.when(F.col("_is_duplicate"), F.lit(DUPLICATE)).otherwise(F.col("split"))
    return joined.withColumn("split", split).select(*dated.columns)


def filter_training(complaints: DataFrame, days: SplitDays) -> DataFrame:
    """Keeps the complaints that `with_split` puts in train, without looking for duplicates: train has none, as no split
    is earlier.
    """
    return complaints.where(_split_by_date(days) == TRAIN)


def _first_days(counts: list[tuple[date, int]], mature_until: date) -> tuple[date, date]:
    """The first day of validate, and of test, from the number of labelled complaints on each mature day, in order."""
    total, older = sum(count for _, count in counts), 0
    days: dict[str, date] = {}
    for day, count in counts:
        share_before = older / total
        older += count
        for name, start in zip((VALIDATE, TEST), SHARES, strict=True):
            if share_before >= start:
                days.setdefault(name, day)
    if len(days) < 2 or days[VALIDATE] == days[TEST] or days[VALIDATE] == counts[0][0]:
        raise SplitError(
            f"cannot split by date into train, validate and test: found {total} labelled complaints on {len(counts)} "
            f"days up to {mature_until}; add labelled complaints or lower SOLOSOLVE_MATURITY_DAYS"
        )
    return days[VALIDATE], days[TEST]


def _split_by_date(days: SplitDays) -> Column:
    received = F.col("date_received")
    return (
        F.when(F.col(LABEL).isNull(), F.lit(UNLABELLED))
        .when(received > F.lit(days.mature_until), F.lit(IMMATURE))
        .when(received < F.lit(days.validate_from), F.lit(TRAIN))
        .when(received < F.lit(days.test_from), F.lit(VALIDATE))
        .otherwise(F.lit(TEST))
    )


def _duplicates(split: DataFrame) -> DataFrame:
    """The complaints whose narrative is in an earlier split; only those that train, validate or test are compared."""
    order = F.when(F.col("split") == TRAIN, 0).when(F.col("split") == VALIDATE, 1).when(F.col("split") == TEST, 2)
    used = split.select("complaint_id", NARRATIVE, order.alias("_order")).where(F.col("_order").isNotNull())
    # Partitioning by the hash first compares long texts only where their hashes are equal.
    same_narrative = Window.partitionBy(F.xxhash64(NARRATIVE), NARRATIVE)
    return used.withColumn("_first", F.min("_order").over(same_narrative)).where(F.col("_order") > F.col("_first"))
