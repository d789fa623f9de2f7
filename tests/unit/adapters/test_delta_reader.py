from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from solosolve.adapters.reader import DeltaReader
from solosolve.errors import TableError
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, MADE_BY, PREDICTIONS, Table

SCORED_AT = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)


def write(warehouse: Path, table: Table, rows: pa.Table) -> None:
    write_deltalake(warehouse / table.layer / table.name, rows)


@pytest.fixture
def warehouse(tmp_path: Path) -> Path:
    folder = tmp_path / "warehouse"
    scored = pa.array([SCORED_AT, SCORED_AT, None], pa.timestamp("us", tz="UTC"))
    rows = {"complaint_id": [1, 2, 3], "company": ["Acme", None, "Ümlaut; Bank"], "scored_at": scored}
    write(folder, PREDICTIONS, pa.table(rows))
    write(folder, COMPLAINTS, pa.table({"complaint_id": [1, 2], "state": ["TX", "NY"]}))
    return folder


@pytest.fixture
def reader(warehouse: Path) -> DeltaReader:
    return DeltaReader(warehouse)


def test_tables_are_those_that_exist(reader: DeltaReader) -> None:
    assert reader.tables() == [PREDICTIONS, COMPLAINTS]


def test_tables_of_a_missing_warehouse_are_none(tmp_path: Path) -> None:
    assert DeltaReader(tmp_path / "nowhere").tables() == []


def test_query_joins_tables_of_two_layers(reader: DeltaReader) -> None:
    actual = reader.query(
        "select p.company, c.state from gold.predictions p "
        "left join silver.complaints c using (complaint_id) order by 1"
    )
    assert actual.to_pylist() == [
        {"company": "Acme", "state": "TX"},
        {"company": "Ümlaut; Bank", "state": None},
        {"company": None, "state": "NY"},
    ]


def test_query_gives_types_that_every_writer_takes(reader: DeltaReader) -> None:
    actual = reader.query(
        "select company, scored_at, now() as at, cast('2020-01-01' as date) as day from gold.predictions"
    )
    utc = pa.timestamp("us", tz="UTC")
    assert actual.schema.types == [pa.string(), utc, utc, pa.date32()]


def test_query_keeps_instants(reader: DeltaReader) -> None:
    actual = reader.query("select scored_at from gold.predictions where complaint_id = 1")
    assert actual["scored_at"].to_pylist() == [SCORED_AT]


def test_query_reads_a_timestamp_without_zone_as_utc(reader: DeltaReader) -> None:
    actual = reader.query("select cast('2026-03-01T23:30:00' as timestamp) as at")
    assert actual["at"].to_pylist() == [SCORED_AT]


def test_query_without_rows_keeps_its_columns(reader: DeltaReader) -> None:
    actual = reader.query("select complaint_id, company from gold.predictions where complaint_id > 9")
    assert (actual.num_rows, actual.column_names) == (0, ["complaint_id", "company"])


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS N FROM GOLD.PREDICTIONS",
        'select count(*) as n from "gold"."predictions"',
        "select count(*) as n\nfrom gold . predictions;",
        "-- all of them\n/* really */ (select count(*) as n from gold.predictions)",
        "with p as (select * from gold.predictions) select count(*) as n from p",
    ],
)
def test_query_accepts_spellings_of_one_question(reader: DeltaReader, sql: str) -> None:
    assert reader.query(sql).to_pylist() == [{"n": 3}]


def test_show_tables_lists_every_table(reader: DeltaReader) -> None:
    shown = reader.query("show tables").to_pylist()
    names = {
        f"{row['table_schema']}.{row['table_name']}" for row in shown if row["table_schema"] != "information_schema"
    }
    assert names == {"gold.predictions", "silver.complaints"}


def test_describe_lists_the_columns(reader: DeltaReader) -> None:
    actual = reader.query("describe silver.complaints")
    assert actual["column_name"].to_pylist() == ["complaint_id", "state"]


def test_explain_gives_a_plan(reader: DeltaReader) -> None:
    assert reader.query("explain analyze verbose select * from gold.predictions").num_rows > 0


def test_query_opens_only_the_tables_it_names(reader: DeltaReader, warehouse: Path) -> None:
    (warehouse / "silver" / "complaints" / "_delta_log" / "00000000000000000000.json").write_text("broken")
    assert reader.query("select count(*) as n from gold.predictions").to_pylist() == [{"n": 3}]
    with pytest.raises(TableError):
        reader.query("select count(*) as n from silver.complaints")


@pytest.mark.parametrize("table", [table for table in MADE_BY if table not in (PREDICTIONS, COMPLAINTS)], ids=str)
def test_query_of_a_table_not_made_yet_names_its_job(reader: DeltaReader, table: Table) -> None:
    expected = f"table {table} does not exist yet; run: solosolve run {MADE_BY[table]}"
    with pytest.raises(TableError, match=f"^{re.escape(expected)}$"):
        reader.query(f"select * from {table}")


@pytest.mark.parametrize("name", ["gold.nope", "predictions", "lead.predictions"])
def test_query_of_an_unknown_table_lists_what_there_is(reader: DeltaReader, name: str) -> None:
    with pytest.raises(
        TableError, match=f"^no table {re.escape(name)}; there is: gold.predictions, silver.complaints$"
    ):
        reader.query(f"select * from {name}")


def test_query_of_an_unknown_table_in_an_empty_warehouse_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="there is: none yet; run: solosolve run medallion"):
        DeltaReader(tmp_path).query("select * from gold.nope")


@pytest.mark.parametrize(
    "sql",
    [
        "",
        ";",
        "selec 1",
        "selection",
        "insert into gold.predictions select * from gold.predictions",
        "drop table gold.predictions",
        "create external table t stored as csv location '/etc/hostname'",
        "set datafusion.execution.batch_size = 1",
        "-- select\ndelete from gold.predictions",
        "copy (select 1) to '{file}'",
        "explain analyze copy (select 1 as a) to '{file}'",
        "explain /* select */ analyze verbose copy (select 1 as a) to '{file}'",
    ],
)
def test_query_refuses_what_does_not_only_read(reader: DeltaReader, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "written.csv"
    with pytest.raises(TableError, match="only SELECT, WITH, SHOW, DESCRIBE and EXPLAIN are allowed, found: "):
        reader.query(sql.format(file=file))
    assert not file.exists()


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; drop table gold.predictions",
        "select 1; copy (select 1 as a) to '{file}'",
        "with a as (select 1) insert into gold.predictions select * from a",
    ],
)
def test_query_runs_one_reading_statement_only(reader: DeltaReader, tmp_path: Path, sql: str) -> None:
    file = tmp_path / "written.csv"
    with pytest.raises(TableError, match="not implemented"):
        reader.query(sql.format(file=file))
    assert not file.exists()
    assert reader.query("select count(*) as n from gold.predictions").to_pylist() == [{"n": 3}]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("select compny from gold.predictions", "Did you mean 'gold.predictions.company'"),
        ("select cast('x' as int)", "Cannot cast string 'x'"),
        ("select 1 / 0", "Divide by zero"),
        ("select '", "Unterminated string literal"),
        ("select (1", "ParserError"),
    ],
)
def test_query_says_the_engines_reason_in_one_line(reader: DeltaReader, sql: str, reason: str) -> None:
    with pytest.raises(TableError, match=re.escape(reason)) as caught:
        reader.query(sql)
    assert "\n" not in str(caught.value)


def test_query_of_a_table_with_a_broken_log_is_a_table_error(reader: DeltaReader, warehouse: Path) -> None:
    (warehouse / COMPLAINTS_RAW.layer / COMPLAINTS_RAW.name / "_delta_log").mkdir(parents=True)
    with pytest.raises(TableError):
        reader.query("select * from bronze.complaints")


def test_reader_imports_neither_spark_nor_mlflow() -> None:
    code = "import sys, solosolve.adapters.reader; print(*sorted({'pyspark', 'mlflow', 'pandas'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""
