from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.names import FEEDBACK, TRAIN, Verdict
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.labels import with_labels
from solosolve.transforms.split import NoOutcomesError, SplitError, filter_training, find_split_days, with_split
from support.builders import complaints
from support.label_cases import feedback_row

FIRST_DAY = date(2016, 1, 1)
Filed = tuple[int, float | None, str]
"""Days since FIRST_DAY, published label, narrative."""
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def filed(
    spark: SparkSession, *rows: Filed, verdicts: dict[int, Verdict] | None = None, maturity_days: int = 60
) -> DataFrame:
    """Labelled complaints with ids from 1 up, passed to Spark in descending order of id.

    Args:
        spark: The session.
        rows: The complaints.
        verdicts: Feedback: complaint id to verdict.
        maturity_days: Days until a published label is final.
    """
    overrides: list[dict[str, Any]] = [
        {
            "complaint_id": number,
            "date_received": FIRST_DAY + timedelta(days=day),
            "is_successful_resolution": label,
            "consumer_complaint_narrative": narrative,
        }
        for number, (day, label, narrative) in enumerate(rows, 1)
    ]
    given = [feedback_row(f"f{each}", each, verdict, "event", NOW) for each, verdict in (verdicts or {}).items()]
    columns = spark_schema(FEEDBACK).names
    feedback = spark.createDataFrame(
        [{name: row.get(name) for name in columns} for row in given], spark_schema(FEEDBACK)
    )
    return with_labels(complaints(spark, *reversed(overrides)), feedback, NOW, maturity_days)


def assert_split(
    spark: SparkSession,
    rows: list[Filed],
    maturity_days: int,
    expected: list[str],
    verdicts: dict[int, Verdict] | None = None,
) -> None:
    given_df = filed(spark, *rows, verdicts=verdicts, maturity_days=maturity_days)
    days = find_split_days(given_df, maturity_days)
    actual_df = with_split(given_df, days)
    assert actual_df.columns == [*given_df.columns, "split"]
    expected_df = spark.createDataFrame(list(enumerate(expected, 1)), "complaint_id bigint, split string")
    assert_df_equality(
        actual_df.select("complaint_id", "split"), expected_df, ignore_nullable=True, ignore_row_order=True
    )
    training_df = actual_df.where(F.col("split") == TRAIN).drop("split")
    assert_df_equality(filter_training(given_df, days), training_df, ignore_row_order=True)


def test_with_split_orders_by_date_and_never_divides_a_day(spark: SparkSession) -> None:
    # Six of the ten mature labelled complaints would train, but the seventh was received on the same day as the sixth.
    days = {0: 3, 1: 4, 5: 2, 6: 1}
    mature: list[Filed] = [(day, float(n % 2), f"{day} {n}") for day, count in days.items() for n in range(count)]
    immature: list[Filed] = [(7, 1.0, "too new"), (16, 0.0, "newest label")]
    unlabelled: list[Filed] = [(0, None, "in progress"), (99, None, "newest of all")]
    expected = ["train"] * 7 + ["validate"] * 2 + ["test"] + ["immature"] * 2 + ["unlabelled"] * 2
    assert_split(spark, mature + immature + unlabelled, 10, expected)


def test_with_split_uses_the_newest_labels_if_none_is_immature(spark: SparkSession) -> None:
    rows: list[Filed] = [(day, 1.0, str(day)) for day in range(5)]
    assert_split(spark, rows, 0, ["train"] * 3 + ["validate", "test"])


def test_feedback_is_mature_when_given_and_published_labels_wait(spark: SparkSession) -> None:
    published: list[Filed] = [(day, 1.0, str(day)) for day in range(10)]
    # The published period ends on day 9, so days 5 to 9 are immature, except where an event confirms or overrules.
    verdicts = {7: Verdict.FAILURE, 10: Verdict.SUCCESS}
    expected = ["train"] * 5 + ["immature", "validate", "immature", "immature", "test"]
    # Mature: days 0 to 4 and the days 6 and 9 with feedback, seven in all.
    assert_split(spark, published, 5, expected, verdicts)


def test_feedback_does_not_move_the_end_of_the_published_period(spark: SparkSession) -> None:
    rows: list[Filed] = [*((day, 1.0, str(day)) for day in range(10)), *((day, None, str(day)) for day in (90, 95))]
    without = find_split_days(filed(spark, *rows), 2)
    overruled = find_split_days(filed(spark, *rows, verdicts={10: Verdict.FAILURE, 11: Verdict.SUCCESS}), 2)
    assert overruled.mature_until == without.mature_until == FIRST_DAY + timedelta(days=7)


def test_split_goes_by_date_when_feedback_comes_long_after_the_published_period(spark: SparkSession) -> None:
    published: list[Filed] = [(day, 1.0, f"old {day}") for day in range(12)]
    # Years later, days with a single labelled complaint among unlabelled ones.
    late: list[Filed] = [(3_000 + 10 * n, None, f"late {n}") for n in range(12)]
    verdicts = {12 + 3 * n: Verdict.FAILURE for n in range(1, 5)}
    expected = ["train"] * 9 + ["validate"] + ["immature"] * 2
    # 14 mature labels: 10 published ones and 4 events; 60 % is 8.4, 80 % is 11.2.
    expected += [{5: "validate", 8: "test", 11: "test", 2: "validate"}.get(n, "unlabelled") for n in range(12)]
    assert_split(spark, [*published, *late], 2, expected, verdicts)


def test_split_by_feedback_alone_leaves_no_label_immature(spark: SparkSession) -> None:
    rows: list[Filed] = [(day, None, str(day)) for day in range(5)]
    verdicts = dict.fromkeys(range(1, 6), Verdict.SUCCESS)
    assert_split(spark, rows, 60, ["train"] * 3 + ["validate", "test"], verdicts)


def test_with_split_marks_a_narrative_of_an_earlier_split_as_duplicate(spark: SparkSession) -> None:
    rows: list[Filed] = [
        (0, 1.0, "template"),
        (0, 0.0, "template"),
        (1, 1.0, "of day 1"),
        *((1, 1.0, f"other {n}") for n in range(3)),
        (2, 1.0, "of day 2"),
        (2, 1.0, "template"),
        (2, 1.0, "of day 2 too"),
        (3, 1.0, "template"),
        (3, 0.0, "twice in validate"),
        (3, 1.0, "twice in validate"),
        (4, 1.0, "twice in validate"),
        (4, 1.0, "Template"),
        (9, 1.0, "template"),
        (9, None, "of day 2"),
        (0, None, "Template"),
    ]
    expected = ["train"] * 9 + [
        "duplicate",
        "validate",
        "validate",
        "duplicate",
        "test",
        "immature",
        "unlabelled",
        "unlabelled",
    ]
    assert_split(spark, rows, 5, expected)


@pytest.mark.parametrize("rows", [[], [(0, None, "a"), (1, None, "b")]], ids=["no complaints", "no labels"])
def test_find_split_days_refuses_complaints_without_labels(spark: SparkSession, rows: list[Filed]) -> None:
    with pytest.raises(NoOutcomesError, match="no complaint has a known outcome, so there is nothing to learn from: "):
        find_split_days(filed(spark, *rows), 60)


@pytest.mark.parametrize(
    ("days", "maturity_days", "found"),
    [
        ([0, 0, 0], 0, "3 labelled complaints on 1 days up to 2016-01-01"),
        ([0, 0, 1, 1], 0, "4 labelled complaints on 2 days"),
        ([0, *[1] * 9, 2], 1, "10 labelled complaints on 2 days up to 2016-01-02"),
        ([0, 1, 2, 3, 4], 60, "0 labelled complaints on 0 days up to 2015-11-06"),
    ],
)
def test_find_split_days_refuses_too_few_days(
    spark: SparkSession, days: list[int], maturity_days: int, found: str
) -> None:
    with pytest.raises(SplitError, match=f"cannot split by date .*: found {found}.*SOLOSOLVE_MATURITY_DAYS"):
        find_split_days(filed(spark, *((day, 1.0, str(n)) for n, day in enumerate(days))), maturity_days)
