from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from chispa import assert_df_equality
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.names import REJECTED
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.transforms.silver import (
    build_complaints,
    build_rejected,
    dedupe_to_newest,
    with_earlier_values,
    with_judgement,
    with_record_key,
)
from support.builders import INGESTED_AT, complaints, record, records

LATER = INGESTED_AT + timedelta(days=1)


def keyed(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    return with_record_key(records(spark, *rows))


def assert_same_rows(actual_df: DataFrame, expected_df: DataFrame) -> None:
    assert_df_equality(actual_df, expected_df, ignore_nullable=True, ignore_row_order=True)


def test_with_record_key_uses_a_valid_id_as_a_number(spark: SparkSession) -> None:
    actual_df = keyed(spark, {"complaint_id": "7"}, {"complaint_id": " 007 "}).select("complaint_id", "_record_key")
    expected_df = spark.createDataFrame([("7", "7"), (" 007 ", "7")], "complaint_id string, _record_key string")
    assert_same_rows(actual_df, expected_df)


def test_with_record_key_gives_different_records_without_a_valid_id_different_keys(spark: SparkSession) -> None:
    rows = keyed(
        spark,
        {"complaint_id": "abc", "_source_line": 2},
        {"complaint_id": "abc", "_source_line": 3, "company": "Other Bank"},
        {"complaint_id": None, "_source_line": 4},
        {"complaint_id": None, "_source_line": 5, "state": None},
        {"complaint_id": None, "_source_line": 6, "state": ""},
        {"complaint_id": "", "_source_line": 7, "_source_file": "a.csv"},
        {"complaint_id": "", "_source_line": 8, "_source_file": "b.csv", "_ingested_at": LATER},
    )
    keys = {row["_source_line"]: row["_record_key"] for row in rows.collect()}
    assert all(key.startswith("invalid:") for key in keys.values())
    assert keys.pop(8) == keys[7], "the same record landed twice has one key"
    assert len(set(keys.values())) == len(keys)


def test_dedupe_to_newest_keeps_the_version_landed_last(spark: SparkSession) -> None:
    rows = [
        {"complaint_id": "1", "state": "NY", "_source_line": 2, "_ingested_at": LATER},
        {"complaint_id": "1", "state": "CA", "_source_line": 9},
        {"complaint_id": "2", "state": "TX", "_source_line": 4},
        {"complaint_id": "02", "state": "TN", "_source_line": 5},
        {"complaint_id": "2", "state": "WA", "_source_line": 3},
        {"complaint_id": "3", "state": None, "_source_line": 6, "_ingested_at": LATER},
        {"complaint_id": "3", "state": "OR", "_source_line": 6},
        {"complaint_id": "abc", "_source_line": 7},
        {"complaint_id": "abc", "_source_line": 8},
    ]
    newest = keyed(spark, rows[0], rows[3], rows[5], rows[8])
    assert_same_rows(dedupe_to_newest(keyed(spark, *rows)), newest)


def test_dedupe_to_newest_keeps_withdrawn_values_that_newer_files_omit(spark: SparkSession) -> None:
    withdrawn = {"consumer_disputed": None, "consumer_consent_provided": None, "_ingested_at": LATER}
    rows = [
        {"complaint_id": "1", "consumer_disputed": "Yes", "_source_line": 2},
        {"complaint_id": "1", "consumer_disputed": "No", "_source_line": 3},
        {"complaint_id": "1", "state": "NY", **withdrawn},
        {"complaint_id": "2", "consumer_disputed": "Yes"},
        {"complaint_id": "2", "consumer_disputed": "", "consumer_consent_provided": "N/A", "_ingested_at": LATER},
        {"complaint_id": "3", **withdrawn},
        # Only withdrawn columns keep older values: in all others, the newer null wins.
        {"complaint_id": "4", "tags": "Older American"},
        {"complaint_id": "4", "tags": None, "_ingested_at": LATER},
    ]
    expected_df = keyed(spark, rows[1] | {"state": "NY", "_source_line": 2, "_ingested_at": LATER}, *rows[4:6], rows[7])
    assert_same_rows(dedupe_to_newest(keyed(spark, *rows)), expected_df)


def test_with_earlier_values_fills_withdrawn_columns_that_are_null(spark: SparkSession) -> None:
    unknown = {"consumer_disputed": None, "consumer_consent_provided": None}
    newest = [
        {"complaint_id": "1", **unknown, "state": None},
        {"complaint_id": "2", "consumer_disputed": ""},
        {"complaint_id": "3", **unknown},
        {"complaint_id": "4", **unknown},
        {"complaint_id": "abc", **unknown},
        # Late: silver already has a newer version.
        {"complaint_id": "5", **unknown},
        {"complaint_id": "6", **unknown, "_source_line": 2},
    ]
    earlier = keyed(
        spark,
        {"complaint_id": "1", "consumer_disputed": "Yes", "state": "CA"},
        {"complaint_id": "2", "consumer_disputed": "Yes"},
        {"complaint_id": "3", **unknown},
        {"complaint_id": "9", "consumer_disputed": "Yes"},
        {"complaint_id": "5", "_ingested_at": LATER},
        {"complaint_id": "6", "_source_line": 3},
    )
    filled = newest[0] | {"consumer_disputed": "Yes", "consumer_consent_provided": "Consent provided"}
    expected_df = keyed(spark, newest[0]).select("_record_key").crossJoin(records(spark, filled))
    expected_df = expected_df.unionByName(keyed(spark, *newest[1:5]))
    actual_df = with_earlier_values(keyed(spark, *newest), earlier)
    assert actual_df.columns == keyed(spark, *newest).columns
    assert_same_rows(actual_df, expected_df.select(*actual_df.columns))


def test_build_complaints_types_and_labels_records_in_scope(spark: SparkSession) -> None:
    blank = {"sub_product": "", "issue": "N/A", "zip_code": " ", "date_sent_to_company": "N/A", "consumer_disputed": ""}
    narrative = '\n  "Quoted", é\U0001f600 \t'
    rows = records(
        spark,
        {"complaint_id": "1"},
        {"complaint_id": "002", "date_received": "3/1/16", "date_sent_to_company": "2016-03-02T12:00:00-05:00"},
        {"complaint_id": "3", "consumer_disputed": "Yes", "state": " CA ", "tags": "Servicemember"},
        {"complaint_id": "4", **blank, "consumer_consent_provided": None},
        {"complaint_id": "5", "consumer_complaint_narrative": narrative, "company_response_to_consumer": "In progress"},
        {"complaint_id": "6", "_rescued": '{"Note": ""}', "_source_line": 9, "_ingested_at": LATER},
        {"complaint_id": "7", "consumer_complaint_narrative": ""},
        {"complaint_id": "abc"},
    )
    expected_df = complaints(
        spark,
        {"complaint_id": 1},
        {"complaint_id": 2},
        {"complaint_id": 3, "consumer_disputed": "Yes", "tags": "Servicemember", "is_successful_resolution": 0.0},
        {"complaint_id": 4, **dict.fromkeys([*blank, "consumer_consent_provided", "is_successful_resolution"])},
        {
            "complaint_id": 5,
            "consumer_complaint_narrative": narrative,
            "narrative_length": len(narrative),
            "company_response_to_consumer": "In progress",
            "is_successful_resolution": None,
        },
        {"complaint_id": 6, "_source_line": 9, "_ingested_at": LATER},
    )
    assert_same_rows(build_complaints(with_judgement(with_record_key(rows))), expected_df)


def test_build_complaints_restores_leading_zeros_of_zip_codes(spark: SparkSession) -> None:
    codes = {"2139": "02139", "501": "00501", "90001": "90001", "941XX": "941XX", "02139-4307": "02139-4307"}
    others = {"12": "12", "XXXXX": "XXXXX", "N/A": None, "": None, None: None, " 2139 ": "02139"}
    cases = list((codes | others).items())
    rows = records(spark, *({"complaint_id": str(n), "zip_code": code} for n, (code, _) in enumerate(cases, 1)))
    expected_df = complaints(spark, *({"complaint_id": n, "zip_code": code} for n, (_, code) in enumerate(cases, 1)))
    assert_same_rows(build_complaints(with_judgement(with_record_key(rows))), expected_df)


def test_build_rejected_keeps_records_verbatim_with_every_failed_rule(spark: SparkSession) -> None:
    bad = [
        {"complaint_id": "007", "state": "N/A", "zip_code": "2139", "tags": " ", "date_received": "3/1/16"},
        {"complaint_id": "8", "consumer_complaint_narrative": "", "company": None},
    ]
    rules = [["has_state"], ["has_narrative", "has_company"]]
    values = [
        record(**row) | {"_record_key": key, "failed_rules": names}
        for row, key, names in zip(bad, ["7", "8"], rules, strict=True)
    ]
    expected_df = spark.createDataFrame(
        [[row[name] for name in SCHEMAS[REJECTED].names] for row in values], spark_schema(REJECTED)
    )
    assert_same_rows(build_rejected(with_judgement(keyed(spark, {}, *bad))), expected_df)


def test_each_record_becomes_a_complaint_or_is_rejected(spark: SparkSession) -> None:
    dates = ["2016-03-01", "2016-02-30", None]
    rows = [{"complaint_id": n, "date_received": day, "tags": None} for n in ("1", "x", None) for day in dates]
    judged = with_judgement(keyed(spark, *rows))
    assert [row["date_received"] for row in build_complaints(judged).collect()] == [date(2016, 3, 1)]
    assert build_rejected(judged).where(F.size("failed_rules") > 0).count() == len(rows) - 1
