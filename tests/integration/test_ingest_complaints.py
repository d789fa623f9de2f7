from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from chispa import assert_df_equality
from deltalake import DeltaTable
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import NotAComplaintFileError, RefusedFilesError
from solosolve.flows import ingest_complaints
from solosolve.flows.ingest_complaints import Landed, run
from solosolve.landing.files import LandingFile
from solosolve.landing.landing_plan import LandingPlan
from solosolve.names import COMPLAINT_COLUMNS, COMPLAINTS_RAW, LANDINGS, QUARANTINE, Table
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.storage.tables import Tables
from support.builders import OFFICIAL_HEADER, landing_csv, record
from support.interruptions import cut_off_before_quarantine

CUT = '2016-03-01,Mortgage,"cut in a quote\nand gone'


def land(tables: Tables, source: Path) -> list[Landed]:
    return run(tables.spark, tables.settings, str(source))


def counts(tables: Tables) -> dict[str, int]:
    return {table.name: tables.read(table).count() for table in (COMPLAINTS_RAW, QUARANTINE, LANDINGS)}


def commits(tables: Tables) -> set[str]:
    bronze = tables.settings.warehouse / "bronze"
    return {str(path.relative_to(bronze)) for path in bronze.glob("*/_delta_log/*.json")}


def rows(spark: SparkSession, table: Table, *values: dict[str, Any]) -> Any:
    """Rows of a table; columns without a value are null."""
    names = SCHEMAS[table].names
    return spark.createDataFrame([[row.get(name) for name in names] for row in values], spark_schema(table))


def test_ingest_keeps_every_record_verbatim_or_in_quarantine(tmp_path: Path, tables: Tables) -> None:
    path = tmp_path / "a.csv"
    odd = {
        "consumer_complaint_narrative": 'They said "no",\nand\r\nhung up. é\U0001f600 \\n',
        "sub_issue": "",
        "tags": "N/A",
        "state": " CA ",
        "complaint_id": "007",
        "zip_code": "'=1+1",
    }
    path.write_bytes(f"Export\n{landing_csv({}, odd)}1,2,3\n{CUT}".encode())

    (landed,) = land(tables, path)

    source = {"_source_file": str(path), "_source_sha256": landed.source_sha256, "_ingested_at": landed.landed_at}
    good = [record(**source, _source_line=3), record(**source, **odd, _source_line=4)]
    assert_df_equality(tables.read(COMPLAINTS_RAW).sort("_source_line"), rows(tables.spark, COMPLAINTS_RAW, *good))
    bad = [
        {"_record": "Export\n", "_reason": "comes before the header", "_source_line": 1},
        {"_record": "1,2,3\n", "_reason": "has 3 fields, but the header has 18", "_source_line": 7},
        {
            "_record": CUT,
            "_reason": "has a quoted field that is not closed, has text after its closing quote, or is too long",
            "_source_line": 8,
        },
    ]
    expected_df = rows(tables.spark, QUARANTINE, *(source | row for row in bad))
    assert_df_equality(tables.read(QUARANTINE).sort("_source_line"), expected_df)
    assert (landed.record_count, landed.bronze_count, landed.quarantine_count) == (5, 2, 3)
    assert (landed.layout, landed.byte_count) == ("official 18 columns", path.stat().st_size)
    assert_df_equality(tables.read(LANDINGS), rows(tables.spark, LANDINGS, vars(landed)))


def test_ingest_skips_content_that_has_already_landed(tmp_path: Path, tables: Tables) -> None:
    content = landing_csv({"complaint_id": "1"}, {"complaint_id": "2"}).encode()
    (tmp_path / "a.csv").write_bytes(content)
    (tmp_path / "b.csv").write_bytes(content)
    assert [Path(landed.source_file).name for landed in land(tables, tmp_path)] == ["a.csv"]
    before = commits(tables)

    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(content))
    assert land(tables, tmp_path) == []
    assert commits(tables) == before
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 0, "landings": 1}


def test_ingest_names_the_bad_files_of_a_folder_and_lands_the_others(tmp_path: Path, tables: Tables) -> None:
    (tmp_path / "a.csv").write_text("no,complaints\n1,2\n")
    (tmp_path / "b.csv").write_text(landing_csv({"complaint_id": "1"}))
    (tmp_path / "c.csv.gz").write_bytes(gzip.compress(landing_csv({}).encode())[:-9])
    (tmp_path / "d.zip").write_bytes(b"PK\3\4 cut")
    (tmp_path / "e.csv").write_text(landing_csv(header=OFFICIAL_HEADER))
    (tmp_path / "f.csv").write_text(landing_csv({"complaint_id": "2"}) + CUT)
    with pytest.raises(RefusedFilesError, match=r"^3 of 6 files refused, the others ") as refused:
        land(tables, tmp_path)
    assert [Path(reason.split(": ")[0]).name for reason in refused.value.reasons] == ["a.csv", "c.csv.gz", "d.zip"]
    landings = tables.read(LANDINGS).select(
        F.regexp_extract("source_file", "[^/]+$", 0).alias("name"), "record_count", "bronze_count", "quarantine_count"
    )
    expected_df = tables.spark.createDataFrame(
        [("b.csv", 1, 1, 0), ("e.csv", 0, 0, 0), ("f.csv", 2, 1, 1)],
        "name string, record_count bigint, bronze_count bigint, quarantine_count bigint",
    )
    assert_df_equality(landings, expected_df, ignore_nullable=True, ignore_row_order=True)
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 1, "landings": 3}


@pytest.mark.parametrize("name", ["bad.csv", "nowhere.csv"])
def test_ingest_of_a_refused_file_creates_no_table(tmp_path: Path, tables: Tables, name: str) -> None:
    (tmp_path / "bad.csv").write_text("no,complaints\n")
    with pytest.raises(NotAComplaintFileError, match=name):
        land(tables, tmp_path / name)
    assert not any(tables.exists(table) for table in (COMPLAINTS_RAW, QUARANTINE, LANDINGS))


def test_ingest_interrupted_after_the_bronze_commit_duplicates_nothing(
    tmp_path: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(landing_csv({"complaint_id": "1"}, {"complaint_id": "2"}) + CUT)

    with cut_off_before_quarantine(monkeypatch):
        land(tables, path)
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 0, "landings": 0}

    (landed,) = land(tables, path)
    assert (landed.record_count, landed.bronze_count, landed.quarantine_count) == (3, 2, 1)
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 1, "landings": 1}

    # As if stopped later, with only the row of bronze.landings missing.
    tables.delta(LANDINGS).delete()
    assert [again.bronze_count for again in land(tables, path)] == [2]
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 1, "landings": 1}


def test_ingest_reads_the_published_16_columns(tmp_path: Path, tables: Tables) -> None:
    columns = [name for name in COMPLAINT_COLUMNS if name not in ("consumer_consent_provided", "consumer_disputed")]
    text = landing_csv({"state": ""}, header=[*columns, "Note"], columns=[*columns, "tags"])
    (tmp_path / "a.csv").write_text("\ufeff" + text.replace("\n", "\r\n"))
    (landed,) = land(tables, tmp_path / "*.csv")
    actual_df = tables.read(COMPLAINTS_RAW).select(
        "consumer_consent_provided", "consumer_disputed", "state", "_rescued"
    )
    expected_df = tables.spark.createDataFrame([(None, None, "", '{"Note": ""}')], actual_df.schema)
    assert_df_equality(actual_df, expected_df)
    assert landed.layout == "published 16 columns"


def test_ingest_lands_many_files_in_one_commit_per_table(tmp_path: Path, tables: Tables) -> None:
    for number in range(60):
        content = landing_csv({"complaint_id": str(number + 1)}) + "1,2,3\n" * (number % 2)
        (tmp_path / f"{number:02}.csv").write_text(content)
    landed = land(tables, tmp_path)
    assert [(each.record_count, each.bronze_count) for each in landed] == [(1, 1), (2, 1)] * 30
    assert counts(tables) == {"complaints": 60, "complaints_quarantine": 30, "landings": 60}
    assert commits(tables) == {
        f"{table}/_delta_log/{version:020}.json"
        for table in ("complaints", "complaints_quarantine", "landings")
        for version in (0, 1)
    }


def test_ingest_lands_the_others_when_a_file_changes_while_it_is_read(
    tmp_path: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("a.csv", 1), ("b.csv", 2), ("c.csv", 3)):
        (tmp_path / name).write_text(landing_csv({"complaint_id": str(number)}))
    plan = ingest_complaints.plan_landing

    def plan_then_change(file: LandingFile, *, is_complete: bool) -> LandingPlan:
        planned = plan(file, is_complete=is_complete)
        if file.path.name == "b.csv":
            file.path.write_text(landing_csv({"complaint_id": "4"}))
        return planned

    with monkeypatch.context() as patch:
        patch.setattr(ingest_complaints, "plan_landing", plan_then_change)
        with pytest.raises(RefusedFilesError, match=r"b\.csv: OSError: .*b\.csv changed while it was being landed"):
            land(tables, tmp_path)
    ids = {row["complaint_id"] for row in tables.read(COMPLAINTS_RAW).select("complaint_id").collect()}
    assert ids == {"1", "3"}
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 0, "landings": 2}


def test_ingest_lands_the_others_when_a_file_vanishes_after_it_was_planned(
    tmp_path: Path, tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, number in (("a.csv", 1), ("b.csv", 2), ("c.csv", 3)):
        (tmp_path / name).write_text(landing_csv({"complaint_id": str(number)}))
    plan = ingest_complaints.plan_landing

    def plan_then_delete(file: LandingFile, *, is_complete: bool) -> LandingPlan:
        planned = plan(file, is_complete=is_complete)
        if file.path.name == "b.csv":
            file.path.unlink()
        return planned

    with monkeypatch.context() as patch:
        patch.setattr(ingest_complaints, "plan_landing", plan_then_delete)
        with pytest.raises(RefusedFilesError, match=r"b\.csv: FileNotFoundError"):
            land(tables, tmp_path)
    assert counts(tables) == {"complaints": 2, "complaints_quarantine": 0, "landings": 2}


def test_ingest_lands_a_cut_file_but_its_last_record_and_later_the_whole_file(tmp_path: Path, tables: Tables) -> None:
    whole = landing_csv({"complaint_id": "910004201"}, {"complaint_id": "910004202"})
    path = tmp_path / "a.csv"
    path.write_text(whole[:-6])
    (cut,) = land(tables, path)
    assert (cut.bronze_count, cut.quarantine_count) == (1, 1)
    path.write_text(whole)
    (landed,) = land(tables, path)
    assert (landed.bronze_count, landed.quarantine_count) == (2, 0)
    ids = [row["complaint_id"] for row in tables.read(COMPLAINTS_RAW).select("complaint_id").collect()]
    assert sorted(ids) == ["910004201", "910004201", "910004202"]


def test_ingest_keeps_what_delta_needs_to_skip_files(tmp_path: Path, tables: Tables) -> None:
    path = tmp_path / "a.csv"
    path.write_text(landing_csv({"complaint_id": "9"}, {"complaint_id": "10"}, {"complaint_id": ""}))
    (landed,) = land(tables, path)
    folder = tables.settings.table_folder(COMPLAINTS_RAW)
    (added,) = pa.table(DeltaTable(folder).get_add_actions(flatten=True)).to_pylist()
    instant = landed.landed_at.isoformat()
    assert added["num_records"] == 3
    assert (added["min.complaint_id"], added["max.complaint_id"]) == ("", "9")
    assert added["min._source_sha256"] == added["max._source_sha256"] == landed.source_sha256
    assert added["min._ingested_at"].isoformat() == added["max._ingested_at"].isoformat() == instant
