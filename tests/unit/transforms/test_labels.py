from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from solosolve.names import FEEDBACK, Verdict
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.labels import resolve_labels, with_labels
from support.builders import complaints
from support.label_cases import (
    AS_OF,
    LABEL_CASES,
    MATURITY_DAYS,
    at,
    complaint_rows,
    described,
    feedback_row,
    feedback_rows,
)
from support.label_oracle import Resolved, resolved_by_hand


def feedback(spark: SparkSession, rows: Sequence[dict[str, Any]]) -> DataFrame:
    filled = [{name: row.get(name) for name in SCHEMAS[FEEDBACK].names} for row in rows]
    return spark.createDataFrame(filled, spark_schema(FEEDBACK))


def resolved(
    spark: SparkSession, of: Sequence[dict[str, Any]], given: Sequence[dict[str, Any]], as_of: datetime = AS_OF
) -> dict[int, Resolved]:
    found = resolve_labels(complaints(spark, *of), feedback(spark, given), as_of, MATURITY_DAYS).toArrow().to_pylist()
    columns = ("label", "label_at", "label_source", "conflict_count", "reversal_count")
    assert list(found[0]) == ["complaint_id", *columns]
    return {row["complaint_id"]: tuple(row[name] for name in columns) for row in found}  # type: ignore[misc]


@pytest.fixture(scope="module")
def of_cases(spark: SparkSession) -> dict[int, Resolved]:
    return resolved(spark, complaint_rows(), feedback_rows())


@pytest.mark.parametrize(("number", "case"), enumerate(LABEL_CASES, 1), ids=[case.name for case in LABEL_CASES])
def test_label_follows_the_table_of_cases(of_cases: dict[int, Resolved], number: int, case: Any) -> None:
    assert of_cases[number] == case.expected


def test_feedback_on_an_unknown_complaint_waits_for_it(spark: SparkSession, of_cases: dict[int, Resolved]) -> None:
    assert 10_000 not in of_cases
    late = {"complaint_id": 10_000, "is_successful_resolution": None}
    assert resolved(spark, [late], feedback_rows())[10_000] == (1.0, at(1), "event", 0, 0)


def test_labels_depend_neither_on_the_order_nor_on_the_number_of_deliveries(
    spark: SparkSession, of_cases: dict[int, Resolved]
) -> None:
    rows = feedback_rows() * 3
    random.Random(1).shuffle(rows)
    assert resolved(spark, complaint_rows(), rows) == of_cases


def test_labels_equal_an_independent_calculation(spark: SparkSession) -> None:
    chance = random.Random(2)
    of = [
        {
            "complaint_id": number,
            "date_received": date(2026, 1, 1) + timedelta(days=number % 40),
            "is_successful_resolution": chance.choice([None, 0.0, 1.0]),
        }
        for number in range(1, 201)
    ]
    # Few days and few ids, so that ties and withdrawals are common.
    given = [
        feedback_row(
            f"f{chance.randrange(900)}", chance.randrange(1, 221), chance.choice(list(Verdict)),
            chance.choice(["event", "review"]), at(chance.randrange(70)),
        )
        for _ in range(1_500)
    ]  # fmt: skip
    for as_of in (at(0), at(35), AS_OF):
        assert resolved(spark, of, given, as_of) == resolved_by_hand(of, given, as_of, MATURITY_DAYS)


def test_with_labels_keeps_the_columns_and_the_published_label(spark: SparkSession) -> None:
    given_df = complaints(spark, *complaint_rows())
    actual_df = with_labels(given_df, feedback(spark, feedback_rows()), AS_OF, MATURITY_DAYS)
    added = ["published_label", "label_source", "label_at", "conflict_count", "reversal_count"]
    assert actual_df.columns == [*given_df.columns, *added]
    published = {row["complaint_id"]: row["published_label"] for row in actual_df.collect()}
    assert published == {number: case.published for number, case in enumerate(LABEL_CASES, 1)}


def test_documentation_shows_the_table_of_cases() -> None:
    page = (Path(__file__).parents[3] / "docs" / "loop.md").read_text(encoding="utf-8")
    assert [row for row in map(described, LABEL_CASES) if row not in page.splitlines()] == []
