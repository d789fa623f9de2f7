from __future__ import annotations

import shutil
from datetime import timedelta
from typing import Any

import pytest
from chispa import assert_df_equality
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from solosolve.errors import TableError
from solosolve.flows.refine_complaints import Refined, refine, run
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, REJECTED, WITHDRAWN_COLUMNS, Table
from solosolve.schemas import SCHEMAS
from solosolve.spark_schemas import spark_schema
from solosolve.storage.tables import Tables
from support.builders import INGESTED_AT, complaint, complaints, record, records

NOW, LATER, LATEST = (INGESTED_AT + timedelta(days=days) for days in range(3))
REFUSED = (PySparkException, Py4JJavaError)
NOT_IN_FILE: dict[str, Any] = dict.fromkeys(WITHDRAWN_COLUMNS)


@pytest.fixture
def silver_tables(tables: Tables) -> Tables:
    """A home whose two silver tables exist and are empty."""
    tables.create(COMPLAINTS)
    tables.create(REJECTED)
    return tables


def rejected(key: str, *failed_rules: str, **overrides: Any) -> dict[str, Any]:
    """One row of `silver.complaints_rejected`."""
    return record(complaint_id=key, _record_key=key, failed_rules=list(failed_rules)) | overrides


def frame(spark: SparkSession, table: Table, rows: list[dict[str, Any]]) -> Any:
    names = SCHEMAS[table].names
    return spark.createDataFrame([[row[name] for name in names] for row in rows], spark_schema(table))


def assert_tables(tables: Tables, silver: list[dict[str, Any]], not_in_scope: list[dict[str, Any]]) -> None:
    """Compares both silver tables, which together hold each complaint once."""
    assert_df_equality(tables.read(COMPLAINTS).sort("complaint_id"), complaints(tables.spark, *silver))
    assert_df_equality(tables.read(REJECTED).sort("_record_key"), frame(tables.spark, REJECTED, not_in_scope))


def commits(tables: Tables) -> set[str]:
    silver = tables.settings.warehouse / "silver"
    return {str(path.relative_to(silver)) for path in silver.glob("*/_delta_log/*.json")}


def test_refine_reads_each_record_once(tables: Tables) -> None:
    spark, settings = tables.spark, tables.settings
    rows = [{"complaint_id": "1"}, {"complaint_id": "2"}, {"complaint_id": "01", "state": "NY", "_source_line": 3}]
    tables.append(COMPLAINTS_RAW, records(spark, *rows, {"complaint_id": "3", "state": "N/A"}))
    assert run(spark, settings) == Refined(record_count=4, complaint_count=3)
    newest = {"complaint_id": 1, "state": "NY", "_source_line": 3}
    out_of_scope = [rejected("3", "has_state", state="N/A")]
    assert_tables(tables, [newest, {"complaint_id": 2}], out_of_scope)

    tables.delta(COMPLAINTS).delete("complaint_id = 2")
    before = commits(tables)
    assert run(spark, settings) == Refined(0, 0)
    assert commits(tables) == before
    assert_tables(tables, [newest], out_of_scope)


def test_refine_replaces_older_versions_and_moves_complaints_between_tables(silver_tables: Tables) -> None:
    spark = silver_tables.spark
    first = records(
        spark,
        {"complaint_id": "1", "consumer_disputed": "Yes"},
        {"complaint_id": "2"},
        {"complaint_id": "3", "consumer_complaint_narrative": ""},
        {"complaint_id": "4"},
    )
    second = records(
        spark,
        {"complaint_id": "1", "company": "New Name", **NOT_IN_FILE, "_ingested_at": LATER},
        {"complaint_id": "2", "state": "", **NOT_IN_FILE, "_ingested_at": LATER},
        {"complaint_id": "3", **NOT_IN_FILE, "_ingested_at": LATER},
    )
    refine(silver_tables, first)
    assert refine(silver_tables, second) == Refined(record_count=3, complaint_count=3)
    # Values missing from the newer file are kept, whichever table the complaint moves to.
    one = {
        "complaint_id": 1,
        "company": "New Name",
        "consumer_disputed": "Yes",
        "is_successful_resolution": 0.0,
        "_ingested_at": LATER,
    }
    assert_tables(
        silver_tables,
        [one, {"complaint_id": 3, "_ingested_at": LATER}, {"complaint_id": 4}],
        [rejected("2", "has_state", state="", _ingested_at=LATER)],
    )

    third = records(
        spark,
        {"complaint_id": "2", **NOT_IN_FILE, "_ingested_at": LATEST},
        {"complaint_id": "3", "product": "N/A", **NOT_IN_FILE, "_ingested_at": LATEST},
        # Arrives late: the other table already has a newer version.
        {"complaint_id": "1", "state": ""},
    )
    for _ in range(2):
        assert refine(silver_tables, third) == Refined(record_count=3, complaint_count=2)
    assert_tables(
        silver_tables,
        [one, {"complaint_id": 2, "_ingested_at": LATEST}, {"complaint_id": 4}],
        [rejected("3", "has_product", product="N/A", _ingested_at=LATEST)],
    )


def test_refine_refuses_to_start_without_bronze_or_its_position_in_bronze(tables: Tables) -> None:
    with pytest.raises(TableError, match=r"bronze\.complaints does not exist yet; run: solosolve run medallion"):
        run(tables.spark, tables.settings)
    tables.append(COMPLAINTS_RAW, records(tables.spark, {}))
    tables.append(COMPLAINTS, complaints(tables.spark, {}))
    with pytest.raises(TableError, match=r"its position in bronze is missing: restore .*refine_complaints"):
        run(tables.spark, tables.settings)


def test_silver_tables_refuse_rows_that_break_a_constraint(tables: Tables) -> None:
    bad_complaints: dict[str, dict[str, Any]] = {
        "complaint_id_is_positive": {"complaint_id": 0},
        "narrative_is_not_empty": {"consumer_complaint_narrative": "", "narrative_length": 0},
        "label_has_three_states": {"is_successful_resolution": 0.5},
        "NOT NULL.*product": {"product": None},
        "NOT NULL.*date_received": {"date_received": None},
        "NOT NULL.*state": {"state": None},
    }
    nullable = spark_schema(COMPLAINTS).simpleString().removeprefix("struct<").removesuffix(">")
    for constraint, overrides in bad_complaints.items():
        row = complaint(**overrides)
        rows = tables.spark.createDataFrame([[row[name] for name in SCHEMAS[COMPLAINTS].names]], nullable)
        with pytest.raises(REFUSED, match=rf"(?s){constraint}"):
            tables.append(COMPLAINTS, rows)
    with pytest.raises(REFUSED, match=r"CHECK constraint a_rule_failed"):
        tables.append(REJECTED, frame(tables.spark, REJECTED, [rejected("1")]))
    assert tables.read(COMPLAINTS).isEmpty() and tables.read(REJECTED).isEmpty()


@pytest.mark.parametrize("writes_before_the_cut", [1, 2])
def test_refine_interrupted_between_its_writes_loses_no_outcome(
    silver_tables: Tables, monkeypatch: pytest.MonkeyPatch, writes_before_the_cut: int
) -> None:
    spark = silver_tables.spark
    refine(silver_tables, records(spark, {"complaint_id": "1", "consumer_disputed": "Yes"}))
    moved = {"complaint_id": "1", "state": "", "_ingested_at": LATER} | NOT_IN_FILE
    writes = iter(range(writes_before_the_cut))
    original = Tables.writing

    def cut_off(tables: Tables, table: Table) -> Any:
        if next(writes, None) is None:
            raise OSError("cut off")
        return original(tables, table)

    with monkeypatch.context() as patch:
        patch.setattr(Tables, "writing", cut_off)
        with pytest.raises(OSError, match="cut off"):
            refine(silver_tables, records(spark, moved))
    refine(silver_tables, records(spark, moved))
    kept = {"consumer_disputed": "Yes", "consumer_consent_provided": "Consent provided"}
    assert_tables(silver_tables, [], [rejected("1", "has_state", state="", _ingested_at=LATER) | kept])


def test_refine_refuses_to_start_from_a_position_whose_tables_are_gone(tables: Tables) -> None:
    tables.append(COMPLAINTS_RAW, records(tables.spark, {"complaint_id": "1"}))
    run(tables.spark, tables.settings)
    shutil.rmtree(tables.settings.warehouse / "silver" / COMPLAINTS.name)
    with pytest.raises(
        TableError, match="is missing, but the checkpoint of its position in bronze still exists: to rebuild both "
    ):
        run(tables.spark, tables.settings)


def test_refine_repairs_a_complaint_that_an_interrupted_run_left_in_both_tables(silver_tables: Tables) -> None:
    spark = silver_tables.spark
    refine(silver_tables, records(spark, {"complaint_id": "1"}))
    moved = frame(spark, REJECTED, [rejected("1", "has_state", state="", _ingested_at=LATER)])
    silver_tables.append(REJECTED, moved)
    repeated = records(spark, {"complaint_id": "1", "state": "", "_ingested_at": LATER}, {"complaint_id": "2"})
    assert refine(silver_tables, repeated) == Refined(record_count=2, complaint_count=2)
    assert_tables(silver_tables, [{"complaint_id": 2}], [rejected("1", "has_state", state="", _ingested_at=LATER)])


def test_refine_appends_new_complaints_without_a_merge(silver_tables: Tables) -> None:
    spark = silver_tables.spark
    rows = [{"complaint_id": "1"}, {"complaint_id": "2", "state": ""}, {"complaint_id": "3", "_source_line": 4}]
    refine(silver_tables, records(spark, *rows, {"complaint_id": "3", "state": "NY", "_source_line": 5}))
    operations = {
        table: [row["operation"] for row in silver_tables.delta(table).history().sort("version").collect()]
        for table in (COMPLAINTS, REJECTED)
    }
    assert operations == {COMPLAINTS: ["CREATE TABLE", "WRITE"], REJECTED: ["CREATE TABLE", "WRITE"]}
    newest = {"complaint_id": 3, "state": "NY", "_source_line": 5}
    assert_tables(silver_tables, [{"complaint_id": 1}, newest], [rejected("2", "has_state", state="")])
