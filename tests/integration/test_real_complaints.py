"""The published file: every record lands, and the labels match an independent calculation."""

from __future__ import annotations

import gzip
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from solosolve.flows import ingest_complaints, refine_complaints
from solosolve.storage.delta_reader import DeltaReader
from support.builders import settings_in
from support.real_data import REAL_DATA, needs_real_data

pytestmark = needs_real_data

RECORDS = 45_485
SUCCESSFUL = ["Closed with explanation", "Closed with monetary relief", "Closed with non-monetary relief"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("real") / "complaints.csv"
    path.write_bytes(gzip.decompress((REAL_DATA / "complaints_2011_2023.csv.gz").read_bytes()))
    return path


@pytest.fixture(scope="module")
def reader(spark: SparkSession, published: Path, tmp_path_factory: pytest.TempPathFactory) -> DeltaReader:
    settings = settings_in(tmp_path_factory.mktemp("real_home"))
    ingest_complaints.run(spark, settings, str(published))
    refine_complaints.run(spark, settings)
    return DeltaReader(settings.warehouse)


@pytest.fixture(scope="module")
def as_published(published: Path) -> pd.DataFrame:
    frame = pd.read_csv(published, dtype=str, keep_default_na=False)
    return frame.rename(columns={name: name.rstrip("?").replace(" ", "_").lower() for name in frame.columns})


def rows(reader: DeltaReader, sql: str) -> list[dict[str, object]]:
    return reader.query(sql).to_pylist()


def test_bronze_holds_every_record_verbatim(reader: DeltaReader, published: Path) -> None:
    expected = pd.read_csv(published, dtype=str, keep_default_na=False)
    columns = [
        *("date_received", "product", "sub_product", "issue", "sub_issue", "consumer_complaint_narrative"),
        *("company_public_response", "company", "state", "zip_code", "tags", "consumer_consent_provided"),
        *("submitted_via", "date_sent_to_company", "company_response_to_consumer", "timely_response"),
        *("consumer_disputed", "complaint_id"),
    ]
    actual = reader.query(f"select {', '.join(columns)} from bronze.complaints order by _source_line")
    assert actual.num_rows == RECORDS
    assert actual.rename_columns(list(expected.columns)).equals(
        pa.Table.from_pandas(expected, preserve_index=False).cast(actual.rename_columns(list(expected.columns)).schema)
    )
    assert rows(reader, "select count(*) as n from bronze.complaints_quarantine") == [{"n": 0}]


def test_silver_and_rejected_together_hold_every_complaint(reader: DeltaReader) -> None:
    counts = (
        "select (select count(*) from silver.complaints) as kept, (select count(*) from silver.complaints_rejected)"
    )
    (found,) = rows(reader, f"{counts} as rejected")
    assert found["kept"] + found["rejected"] == RECORDS  # type: ignore[operator]


def test_labels_match_an_independent_calculation(reader: DeltaReader, as_published: pd.DataFrame) -> None:
    known = as_published["consumer_disputed"].isin(["Yes", "No"])
    known &= as_published["timely_response"].isin(["Yes", "No"])
    known &= ~as_published["company_response_to_consumer"].isin(["", "N/A", "In progress"])
    success = (
        (as_published["consumer_disputed"] == "No")
        & (as_published["timely_response"] == "Yes")
        & as_published["company_response_to_consumer"].isin(SUCCESSFUL)
    )
    label = success.astype(float).where(known)
    by_id = dict(zip(as_published["complaint_id"].astype(int), label.astype(object).where(known, None), strict=True))
    actual = rows(reader, "select complaint_id, is_successful_resolution from silver.complaints")
    assert {row["complaint_id"]: row["is_successful_resolution"] for row in actual} == {
        row["complaint_id"]: by_id[row["complaint_id"]] for row in actual
    }
    states = [row["is_successful_resolution"] for row in actual]
    assert (states.count(1.0), states.count(0.0), states.count(None)) == (137, 70, len(states) - 207)
