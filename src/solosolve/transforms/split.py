"""Splits silver complaints by date, so that no test complaint leaks into training."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from solosolve.errors import SolosolveError
from solosolve.names import (
    DUPLICATE,
    IMMATURE,
    LABEL,
    NARRATIVE,
    OUTDATED,
    PUBLISHED_LABEL,
    TEST,
    TRAIN,
    UNLABELLED,
    VALIDATE,
)
from solosolve.transforms.labels import PUBLISHED

SHARES = (0.6, 0.8)
"""The shares of the mature labelled complaints, oldest first, after which validate and test begin."""


class SplitError(SolosolveError):
    """There are too few labelled complaints, or too few days with any, to split by date."""


class NoOutcomesError(SplitError):
    """No complaint has a known outcome, as in what the Bureau publishes since May 2026."""

    def __init__(self) -> None:
        super().__init__(
            "no complaint has a known outcome, so there is nothing to learn from: land a file with the column "
            "'Consumer disputed?' (published until May 2026, filled in until April 2017), or bring in feedback"
        )


@dataclass(frozen=True)
class SplitDays:
    """The days that divide labelled complaints.

    Attributes:
        mature_until: The last day whose published labels are no longer expected to change.
        validate_from: The first day of validate.
        test_from: The first day of test.
        train_from: The first day of train; older labels are outdated. None if none are.
    """

    mature_until: date
    validate_from: date
    test_from: date
    train_from: date | None = None


@dataclass(frozen=True)
class SplitLimits:
    """What a retraining uses of a long history.

    Attributes:
        window_days: Days before the newest labelled one whose labels are used (a sliding window); 0 for all.
        holdout_labels: Labelled complaints that validate, and test, have at most, so that training comes close to the
            present; 0 for the shares alone.
    """

    window_days: int = 0
    holdout_labels: int = 0


def find_split_days(complaints: DataFrame, maturity_days: int, limits: SplitLimits = SplitLimits()) -> SplitDays:
    """Finds the days that put the oldest 60 % of the mature labelled complaints in train, the next 20 % in validate,
    and the newest 20 % in test, within limits.

    An observed event or a verdict is mature when it is given, a published label only once no dispute is expected any
    more: the newest days of the published period do not count, unless there is feedback on them.

    Args:
        complaints: Rows of `silver.complaints` with the columns of `labels.with_labels`.
        maturity_days: Newest days of the published period to leave out.
        limits: What is used of the history; all of it when None.

    Returns:
        The days; none of them is divided.

    Raises:
        NoOutcomesError: No complaint is labelled.
        SplitError: Train, validate or test would have no day.
    """
    limits = limits or SplitLimits()
    labelled = complaints.where(F.col(LABEL).isNotNull() & F.col("date_received").isNotNull())
    daily = labelled.groupBy("date_received").agg(
        F.count("*").alias("labelled"),
        F.count(PUBLISHED).alias("published"),
        F.count_if(_is_from_publisher()).alias("unconfirmed"),
    )
    rows = sorted(daily.collect(), key=lambda row: row["date_received"])
    if not rows:
        raise NoOutcomesError
    newest = max((row["date_received"] for row in rows if row["published"]), default=rows[-1]["date_received"])
    mature_until = newest - timedelta(days=maturity_days)
    counts = [
        (row["date_received"], row["labelled"] - (row["unconfirmed"] if row["date_received"] > mature_until else 0))
        for row in rows
    ]
    counts = [each for each in counts if each[1]]
    train_from = counts[-1][0] - timedelta(days=limits.window_days) if limits.window_days and counts else None
    if train_from is not None:
        counts = [each for each in counts if each[0] >= train_from]
    return SplitDays(mature_until, *_first_days(counts, mature_until, limits.holdout_labels), train_from)


def with_split(complaints: DataFrame, days: SplitDays) -> DataFrame:
    """Adds `split` by date received.

    A day is never divided. Complaints that are newer than `days.mature_until` and have only a published label are
    `immature`: late disputes are still missing there, so those labels are biased towards success. A complaint whose
    exact narrative already occurs in an earlier split is a `duplicate` and used in none: a model would be tested on
    what it has memorised.

    Args:
        complaints: Rows of `silver.complaints` with the columns of `labels.with_labels`.
        days: From `find_split_days`.

    Returns:
        The rows with `split`: train, validate, test, immature, duplicate, outdated or unlabelled (outcome unknown).
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


def _first_days(counts: list[tuple[date, int]], mature_until: date, holdout_labels: int) -> tuple[date, date]:
    """The first day of validate, and of test, from the number of labelled complaints on each mature day, in order."""
    total, older = sum(count for _, count in counts), 0
    validate, test = SHARES
    if holdout_labels and total:
        validate, test = max(validate, 1 - 2 * holdout_labels / total), max(test, 1 - holdout_labels / total)
    days: dict[str, date] = {}
    for day, count in counts:
        share_before = older / total
        older += count
        for name, start in ((VALIDATE, validate), (TEST, test)):
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
    is_outdated = F.lit(False) if days.train_from is None else received < F.lit(days.train_from)
    return (
        F.when(F.col(LABEL).isNull(), F.lit(UNLABELLED))
        .when(is_outdated, F.lit(OUTDATED))
        .when(_is_from_publisher() & (received > F.lit(days.mature_until)), F.lit(IMMATURE))
        .when(received < F.lit(days.validate_from), F.lit(TRAIN))
        .when(received < F.lit(days.test_from), F.lit(VALIDATE))
        .otherwise(F.lit(TEST))
    )


def _is_from_publisher() -> Column:
    """Whether the resolved label is the published one, which late disputes may still change."""
    return F.col("label_source") == PUBLISHED_LABEL


def _duplicates(split: DataFrame) -> DataFrame:
    """The complaints whose narrative is in an earlier split; only those that train, validate or test are compared."""
    order = F.when(F.col("split") == TRAIN, 0).when(F.col("split") == VALIDATE, 1).when(F.col("split") == TEST, 2)
    used = split.select("complaint_id", NARRATIVE, order.alias("_order")).where(F.col("_order").isNotNull())
    # Partitioning by the hash first compares long texts only where their hashes are equal.
    same_narrative = Window.partitionBy(F.xxhash64(NARRATIVE), NARRATIVE)
    return used.withColumn("_first", F.min("_order").over(same_narrative)).where(F.col("_order") > F.col("_first"))
