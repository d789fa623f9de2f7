from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import product

from chispa import assert_df_equality
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from solosolve.landing import normalise
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
    restored_zip_code,
)
from support.builders import records
from support.normalisation_cases import (
    COMPLAINT_ID_CASES,
    FILE_DATE_CASES,
    ISO_DATE_CASES,
    TEXT_CASES,
    ZIP_CODE_CASES,
    Case,
    generated_texts,
)

UNKNOWN = ("", "  ", "\n\t\r\n", "N/A", " N/A ", None)


def assert_texts_become(spark: SparkSession, rule: Column, kind: str, cases: Sequence[Case]) -> None:
    """Compares what a rule on column `text` makes of each case with what is expected."""
    rows = [(case.name, case.text, case.expected) for case in cases]
    expected_df = spark.createDataFrame(rows, f"name string, text string, value {kind}")
    actual_df = expected_df.select("name", "text", rule.alias("value"))
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_known_trims_text_and_drops_unknown_values(spark: SparkSession) -> None:
    assert_texts_become(spark, known("text"), "string", TEXT_CASES)


def test_parsed_date_reads_each_published_spelling_and_no_other(spark: SparkSession) -> None:
    assert_texts_become(spark, parsed_date("text"), "date", [*ISO_DATE_CASES, *FILE_DATE_CASES])


def test_parsed_complaint_id_reads_positive_whole_numbers(spark: SparkSession) -> None:
    assert_texts_become(spark, parsed_complaint_id("text"), "bigint", COMPLAINT_ID_CASES)


def test_restored_zip_code_puts_back_leading_zeros(spark: SparkSession) -> None:
    assert_texts_become(spark, restored_zip_code("text"), "string", ZIP_CODE_CASES)


def test_rules_read_generated_texts_as_python_does(spark: SparkSession) -> None:
    texts = generated_texts(4_000)
    rules = {"known": known("text"), "id": parsed_complaint_id("text"), "zip_code": restored_zip_code("text")}
    rows = spark.createDataFrame([(text,) for text in texts], "text string").coalesce(1)
    actual = rows.select(*(rule.alias(name) for name, rule in rules.items())).toArrow()
    assert actual.column("known").to_pylist() == [normalise.known(text) for text in texts]
    assert actual.column("id").to_pylist() == [normalise.parse_complaint_id(text) for text in texts]
    assert actual.column("zip_code").to_pylist() == [normalise.restored_zip_code(text) for text in texts]


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


def test_has_valid_date_received_is_true_from_the_bureaus_opening_to_the_day_after_landing(spark: SparkSession) -> None:
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


def test_has_readable_date_sent_is_true_of_an_unknown_date(spark: SparkSession) -> None:
    days = {"2016-03-02": True, "3/2/16": True, "": True, "N/A": True, None: True, "soon": False, "2016-02-30": False}
    rows = records(spark, *({"date_sent_to_company": day} for day in days))
    actual_df = rows.select("date_sent_to_company", has_readable_date_sent().alias("is_readable"))
    expected_df = spark.createDataFrame(list(days.items()), "date_sent_to_company string, is_readable boolean")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_has_valid_complaint_id_is_false_and_not_null_without_an_id(spark: SparkSession) -> None:
    rows = records(spark, *({"complaint_id": text} for text in ("1", "abc", "", None)))
    actual_df = rows.select(has_valid_complaint_id().alias("is_valid"))
    expected_df = spark.createDataFrame([(True,), (False,), (False,), (False,)], "is_valid boolean")
    assert_df_equality(actual_df, expected_df, ignore_nullable=True)


def test_failed_rules_lists_each_broken_rule_in_order(spark: SparkSession) -> None:
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
