"""Builders of settings and of valid rows; a test overrides only the values that it is about."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from solosolve.names import COMPLAINT_COLUMNS, COMPLAINTS, COMPLAINTS_RAW
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema

INGESTED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

OFFICIAL_HEADER = (
    "Date received",
    "Product",
    "Sub-product",
    "Issue",
    "Sub-issue",
    "Consumer complaint narrative",
    "Company public response",
    "Company",
    "State",
    "ZIP code",
    "Tags",
    "Consumer consent provided?",
    "Submitted via",
    "Date sent to company",
    "Company response to consumer",
    "Timely response?",
    "Consumer disputed?",
    "Complaint ID",
)
"""The published CSV's names for COMPLAINT_COLUMNS."""

API_HEADER = tuple(
    {
        "consumer_complaint_narrative": "complaint_what_happened",
        "company_response_to_consumer": "company_response",
        "timely_response": "timely",
    }.get(name, name)
    for name in COMPLAINT_COLUMNS
)
"""The search API's names for COMPLAINT_COLUMNS."""


def settings_in(home: Path) -> Settings:
    """The settings of a home, with few bootstrap rounds so that measuring a model is quick."""
    return Settings.load(environ={"SOLOSOLVE_HOME": str(home), "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50"})


def record(**overrides: Any) -> dict[str, Any]:
    """One row of `bronze.complaints`: a complaint in scope whose resolution was successful."""
    return {
        "date_received": "2016-03-01",
        "product": "Mortgage",
        "sub_product": "Conventional fixed mortgage",
        "issue": "Loan servicing, payments, escrow account",
        "sub_issue": "",
        "consumer_complaint_narrative": "They lost my payment.",
        "company_public_response": "",
        "company": "Acme Bank",
        "state": "CA",
        "zip_code": "90001",
        "tags": "",
        "consumer_consent_provided": "Consent provided",
        "submitted_via": "Web",
        "date_sent_to_company": "2016-03-02",
        "company_response_to_consumer": "Closed with explanation",
        "timely_response": "Yes",
        "consumer_disputed": "No",
        "complaint_id": "1",
        "_rescued": None,
        "_source_file": "complaints.csv",
        "_source_sha256": "abc",
        "_source_line": 2,
        "_ingested_at": INGESTED_AT,
    } | overrides


def records(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Rows of `bronze.complaints`, each a `record` with overrides."""
    return spark.createDataFrame([record(**row) for row in rows], spark_schema(COMPLAINTS_RAW))


def complaint(**overrides: Any) -> dict[str, Any]:
    """One row of `silver.complaints` with a known, successful outcome."""
    values = {
        "date_received": date(2016, 3, 1),
        "date_sent_to_company": date(2016, 3, 2),
        "complaint_id": 1,
        "sub_issue": None,
        "company_public_response": None,
        "tags": None,
        "is_successful_resolution": 1.0,
    } | overrides
    row = {name: value for name, value in (record() | values).items() if name != "_rescued"}
    return {"narrative_length": len(row["consumer_complaint_narrative"])} | row


def complaints(spark: SparkSession, *rows: dict[str, Any]) -> DataFrame:
    """Rows of `silver.complaints`, each a `complaint` with overrides."""
    return spark.createDataFrame([complaint(**row) for row in rows], spark_schema(COMPLAINTS))


def landing_csv(
    *rows: dict[str, str], header: Sequence[str] = OFFICIAL_HEADER, columns: Sequence[str] = COMPLAINT_COLUMNS
) -> str:
    """Returns a complaint CSV, each row a `record` with overrides.

    Args:
        rows: Overrides.
        header: The column names in the file.
        columns: The keys of the values to write, in the order of the header.
    """
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows(
        [header, *([record(**row)[name] for name in columns] for row in rows)]
    )
    return out.getvalue()
