from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from solosolve.transforms.rules import (
    SCOPE_RULES,
    failed_rules,
    has_readable_date_sent,
    has_valid_complaint_id,
    has_valid_date_received,
    is_successful_resolution,
    known,
    parsed_complaint_id,
    parsed_date,
)
from support.builders import records

MARCH_FIRST = date(2016, 3, 1)
UNKNOWN = ("", "  ", "\n\t\r\n", "N/A", " N/A ", None)


def assert_texts_become(spark: SparkSession, read: Column, kind: str, cases: Sequence[tuple[str | None, Any]]) -> None:
    """Compares what a Column makes of each text in `text` with what is expected."""
    expected_df = spark.createDataFrame(list(cases), f"text string, value {kind}")
    assert_df_equality(expected_df.select("text", read.alias("value")), expected_df, ignore_nullable=True)


def test_known_is_null_for_each_spelling_of_unknown(spark: SparkSession) -> None:
    cases = [("CA", "CA"), (" Web ", "Web"), ("None", "None"), ("n/a", "n/a"), *((text, None) for text in UNKNOWN)]
    assert_texts_become(spark, known("text"), "string", cases)


def test_parsed_date_reads_every_spelling_met_in_the_wild(spark: SparkSession) -> None:
    spellings = [
        "2016-03-01",
        " 2016-03-01 ",
        "2016-3-1",
        "2016-03-01T23:30:00",
        "2016-03-01T12:00:00-05:00",
        "2016-03-01T23:59:59.999Z",
        "2016-03-01 12:00:00+00",
        "3/1/2016",
        "03/01/2016",
        "3/1/16",
        "03/01/16",
        "3/1/2016 12:00:00 AM",
    ]
    leap_day = [("2016-02-29", date(2016, 2, 29)), ("2/29/16", date(2016, 2, 29))]
    assert_texts_become(spark, parsed_date("text"), "date", [*((text, MARCH_FIRST) for text in spellings), *leap_day])


def test_parsed_date_is_null_where_there_is_no_date(spark: SparkSession) -> None:
    impossible = ["2016-02-30", "2015-02-29", "2016-13-01", "2/30/2016", "13/1/2016", "0/1/2016", "2016-00-10"]
    other = ["2016", "2016-03", "20160301", "3-1-2016", "1.3.2016", "3/1/116", "3/1/6", "12016-03-01", "2016-03-011"]
    garbage = ["yesterday", "2016-03-01x", "x2016-03-01", "42430", "-", "0000-00-00", "2016/03/01", "٢٠١٦-٠٣-٠١"]
    cases = [(text, None) for text in (*impossible, *other, *garbage, *UNKNOWN)]
    assert_texts_become(spark, parsed_date("text"), "date", cases)


def test_parsed_complaint_id_is_a_positive_whole_number(spark: SparkSession) -> None:
    numbers = [("1", 1), ("0007", 7), (" 42 ", 42), ("999999999999999999", 999999999999999999)]
    no_numbers = ["0", "000", "-5", "+5", "1.0", "1e3", "1,000", "abc", "12a", "1 2", "0x1F", "٣", "1" * 19, "9" * 40]
    cases = [*numbers, *((text, None) for text in (*no_numbers, *UNKNOWN))]
    assert_texts_become(spark, parsed_complaint_id("text"), "bigint", cases)


def test_is_successful_resolution_has_three_states(spark: SparkSession) -> None:
    successful = ["Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief"]
    unsuccessful = ["Closed", "Closed with relief", "Closed without relief", "Untimely response", "closed WITH relief"]
    unobserved = ["In progress", *UNKNOWN]
    answers = ["Yes", "No", "yes", *UNKNOWN]

    def label(response: str | None, timely: str | None, disputed: str | None) -> float | None:
        if response in unobserved or timely not in ("Yes", "No") or disputed not in ("Yes", "No"):
            return None
        return float(response in successful and (timely, disputed) == ("Yes", "No"))

    outcomes = product([*successful, *unsuccessful, *unobserved], answers, answers)
    expected_df = spark.createDataFrame(
        [(*outcome, label(*outcome)) for outcome in outcomes],
        "company_response_to_consumer string, timely_response string, consumer_disputed string, label double",
    )
    outcome = expected_df.columns[:3]
    typed = expected_df.select(*(F.col(name).alias(f"_{name}") for name in outcome), *map(named_known, outcome))
    actual_df = typed.withColumn("label", is_successful_resolution())
    expected_df = expected_df.select(*(F.col(name).alias(f"_{name}") for name in outcome), "label")
    assert_df_equality(actual_df.drop(*outcome), expected_df, ignore_nullable=True)


def named_known(column: str) -> Column:
    return known(column).alias(column)


def test_has_valid_date_received_spans_the_bureau_s_opening_to_the_day_after_landing(spark: SparkSession) -> None:
    late = datetime(2026, 1, 2, 23, 59, 59, tzinfo=UTC)
    days = {
        "2011-06-30": False,
        "2011-07-01": True,
        "7/1/11": True,
        "2026-01-02": True,
        "2026-01-03": True,
        "2026-01-04": False,
        "2116-03-01": False,
        "2016-02-30": False,
        "": False,
        None: False,
    }
    rows = records(spark, *({"date_received": day, "_ingested_at": late} for day in days))
    actual_df = rows.select("date_received", has_valid_date_received().alias("is_valid"))
    expected_df = spark.createDataFrame(list(days.items()), "date_received string, is_valid boolean")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_has_readable_date_sent_takes_an_unknown_date(spark: SparkSession) -> None:
    days = {"2016-03-02": True, "3/2/16": True, "": True, "N/A": True, None: True, "soon": False, "2016-02-30": False}
    rows = records(spark, *({"date_sent_to_company": day} for day in days))
    actual_df = rows.select("date_sent_to_company", has_readable_date_sent().alias("is_readable"))
    expected_df = spark.createDataFrame(list(days.items()), "date_sent_to_company string, is_readable boolean")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_has_valid_complaint_id_is_false_not_null_without_one(spark: SparkSession) -> None:
    rows = records(spark, *({"complaint_id": text} for text in ("1", "abc", "", None)))
    actual_df = rows.select(has_valid_complaint_id().alias("is_valid"))
    expected_df = spark.createDataFrame([(True,), (False,), (False,), (False,)], "is_valid boolean")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_failed_rules_names_each_broken_rule_in_order(spark: SparkSession) -> None:
    broken = {
        "has_valid_complaint_id": {"complaint_id": "0"},
        "has_valid_date_received": {"date_received": "2016-02-30"},
        "has_readable_date_sent": {"date_sent_to_company": "soon"},
        "has_narrative": {"consumer_complaint_narrative": " "},
        "has_product": {"product": "N/A"},
        "has_company": {"company": ""},
        "has_state": {"state": None},
        "has_submitted_via": {"submitted_via": "N/A"},
    }
    assert list(broken) == list(SCOPE_RULES)
    everything = {name: value for overrides in broken.values() for name, value in overrides.items()}
    two = broken["has_state"] | broken["has_valid_complaint_id"]
    unneeded = {"sub_product": "", "issue": None, "zip_code": "", "consumer_disputed": None, "tags": "N/A"}
    cases = [
        ({}, []),
        (unneeded, []),
        *((overrides, [name]) for name, overrides in broken.items()),
        (two, ["has_valid_complaint_id", "has_state"]),
        (everything, list(SCOPE_RULES)),
        (dict.fromkeys(everything), [name for name in SCOPE_RULES if name != "has_readable_date_sent"]),
    ]
    rows = records(spark, *(overrides | {"_source_line": line} for line, (overrides, _) in enumerate(cases)))
    actual_df = rows.select("_source_line", failed_rules().alias("failed_rules"))
    expected_df = spark.createDataFrame(
        [(line, names) for line, (_, names) in enumerate(cases)], "_source_line bigint, failed_rules array<string>"
    )
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)
