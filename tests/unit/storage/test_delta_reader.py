from __future__ import annotations

import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from deltalake import DeltaTable, write_deltalake

from solosolve.errors import MissingTableError, TableError
from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, MADE_BY, MODEL_EVENTS, PREDICTIONS, Table
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.reader import TableVersion

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


def test_tables_lists_existing_tables(reader: DeltaReader) -> None:
    assert reader.tables() == [PREDICTIONS, COMPLAINTS]


def test_tables_of_a_missing_warehouse_is_empty(tmp_path: Path) -> None:
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


def test_query_returns_types_that_every_writer_accepts(reader: DeltaReader) -> None:
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
def test_query_accepts_any_spelling_of_a_statement(reader: DeltaReader, sql: str) -> None:
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
def test_query_of_a_missing_table_names_the_command_that_makes_it(reader: DeltaReader, table: Table) -> None:
    expected = f"table {table} does not exist yet; run: {MADE_BY[table]}"
    with pytest.raises(MissingTableError, match=f"^{re.escape(expected)}$") as error:
        reader.query(f"select * from {table}")
    assert (error.value.table, error.value.command) == (table, MADE_BY[table])


@pytest.mark.parametrize("name", ["gold.nope", "predictions", "lead.predictions"])
def test_query_of_an_unknown_table_lists_the_existing_ones(reader: DeltaReader, name: str) -> None:
    expected = rf"{re.escape(name)}' not found; existing tables: gold\.predictions, silver\.complaints$"
    with pytest.raises(TableError, match=expected):
        reader.query(f"select * from {name}")


def test_query_of_an_unknown_table_in_an_empty_warehouse_says_how_to_start(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="existing tables: none yet; run: solosolve run medallion"):
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
def test_query_refuses_statements_that_write(reader: DeltaReader, tmp_path: Path, sql: str) -> None:
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
def test_query_runs_a_single_reading_statement(reader: DeltaReader, tmp_path: Path, sql: str) -> None:
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
def test_query_reports_the_engines_reason_in_one_line(reader: DeltaReader, sql: str, reason: str) -> None:
    with pytest.raises(TableError, match=re.escape(reason)) as caught:
        reader.query(sql)
    assert "\n" not in str(caught.value)


def test_query_of_a_table_with_a_broken_log_is_a_table_error(reader: DeltaReader, warehouse: Path) -> None:
    (warehouse / COMPLAINTS_RAW.layer / COMPLAINTS_RAW.name / "_delta_log").mkdir(parents=True)
    with pytest.raises(TableError):
        reader.query("select * from bronze.complaints")


def test_reader_imports_neither_spark_nor_mlflow() -> None:
    code = "import sys, solosolve.storage.reader; print(*sorted({'pyspark', 'mlflow', 'pandas'} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == ""


@pytest.mark.parametrize(
    "value", ["Acme", "O'Hare; -- \\", "'; drop table x; --", "\\' or true --", ":company", "\u2028"]
)
def test_query_never_reads_a_parameter_as_sql(tmp_path: Path, value: str) -> None:
    write(tmp_path, PREDICTIONS, pa.table({"company": [value, "other"], "n": [1, 2]}))
    actual = DeltaReader(tmp_path).query("select n from gold.predictions where company = :company", {"company": value})
    assert actual.to_pylist() == [{"n": 1}]


def test_query_takes_numbers_and_instants_as_parameters(reader: DeltaReader) -> None:
    sql = "select complaint_id from gold.predictions where complaint_id >= :least and scored_at = :at order by 1"
    assert reader.query(sql, {"least": 2, "at": SCORED_AT}).to_pylist() == [{"complaint_id": 2}]
    with pytest.raises(TableError, match="nan cannot be used in a query: not a finite number"):
        reader.query("select :x as x", {"x": float("nan")})


def test_query_of_an_earlier_commit(warehouse: Path, reader: DeltaReader) -> None:
    before = reader.version(COMPLAINTS)
    assert before is not None
    append(warehouse, COMPLAINTS, {"complaint_id": [3], "state": ["WA"]})
    sql = "select count(*) as n from silver.complaints"
    assert reader.query(sql).to_pylist() == [{"n": 3}]
    assert reader.query(sql, versions={COMPLAINTS: before}).to_pylist() == [{"n": 2}]


def append(warehouse: Path, table: Table, rows: dict[str, list[object]]) -> None:
    write_deltalake(warehouse / table.layer / table.name, pa.table(rows), mode="append")


def test_version_follows_commits_and_recreated_tables(warehouse: Path, reader: DeltaReader) -> None:
    first = reader.version(COMPLAINTS)
    assert first is not None
    assert reader.version(COMPLAINTS) == first
    append(warehouse, COMPLAINTS, {"complaint_id": [3], "state": ["WA"]})
    append(warehouse, COMPLAINTS, {"complaint_id": [4], "state": ["WA"]})
    second = reader.version(COMPLAINTS)
    assert second == TableVersion(first.table_id, first.number + 2)
    shutil.rmtree(warehouse / "silver" / "complaints")
    assert reader.version(COMPLAINTS) is None
    write(warehouse, COMPLAINTS, pa.table({"complaint_id": [1], "state": ["TX"]}))
    recreated = reader.version(COMPLAINTS)
    assert recreated is not None
    assert recreated.table_id != first.table_id
    assert recreated.number == 0


def test_version_is_found_after_a_log_cleanup(warehouse: Path, reader: DeltaReader) -> None:
    for number in range(3, 8):
        append(warehouse, COMPLAINTS, {"complaint_id": [number], "state": ["WA"]})
    table = DeltaTable(warehouse / "silver" / "complaints")
    table.create_checkpoint()
    for number in range(4):
        (warehouse / "silver" / "complaints" / "_delta_log" / f"{number:020}.json").unlink()
    found = reader.version(COMPLAINTS)
    assert found is not None
    assert found.number == 5


def added_to(reader: DeltaReader, since: TableVersion | None, sql: str) -> list[dict[str, object]] | None:
    until = reader.version(COMPLAINTS)
    assert since is not None
    assert until is not None
    with reader.added(COMPLAINTS, since, until) as added:
        return None if added is None else added.query(sql).to_pylist()


def test_added_contains_only_rows_of_later_commits(warehouse: Path, reader: DeltaReader) -> None:
    since = reader.version(COMPLAINTS)
    append(warehouse, COMPLAINTS, {"complaint_id": [3, 4], "state": ["WA", None]})
    append(warehouse, COMPLAINTS, {"complaint_id": [5], "state": ["TX"]})
    sql = "select complaint_id, state from silver.complaints order by 1"
    expected = [
        {"complaint_id": 3, "state": "WA"},
        {"complaint_id": 4, "state": None},
        {"complaint_id": 5, "state": "TX"},
    ]
    assert added_to(reader, since, sql) == expected
    assert added_to(reader, reader.version(COMPLAINTS), sql) == []


def test_added_reads_names_with_any_line_break(warehouse: Path, reader: DeltaReader) -> None:
    since = reader.version(COMPLAINTS)
    odd = "A\u2028B\u0085C\x0cD"
    append(warehouse, COMPLAINTS, {"complaint_id": [3], "state": [odd]})
    assert added_to(reader, since, "select state from silver.complaints") == [{"state": odd}]


def test_added_sees_a_column_that_was_added_before(warehouse: Path, reader: DeltaReader) -> None:
    since = reader.version(COMPLAINTS)
    path = warehouse / "silver" / "complaints"
    wider = pa.table({"complaint_id": [9], "state": ["ZZ"], "zip": ["1"]})
    write_deltalake(path, wider, mode="append", schema_mode="merge")
    assert added_to(reader, since, "select 1") is None
    widened = reader.version(COMPLAINTS)
    append(warehouse, COMPLAINTS, {"complaint_id": [10], "state": ["ZZ"], "zip": ["2"]})
    assert added_to(reader, widened, "select zip from silver.complaints") == [{"zip": "2"}]


def test_table_without_commits_does_not_exist_yet(reader: DeltaReader, warehouse: Path) -> None:
    (warehouse / "gold" / "model_events" / "_delta_log").mkdir(parents=True)
    assert MODEL_EVENTS not in reader.tables()
    assert reader.version(MODEL_EVENTS) is None


def test_log_that_cannot_be_read_is_a_table_error(reader: DeltaReader, warehouse: Path) -> None:
    (warehouse / "silver" / "complaints" / "_delta_log" / f"{0:020}.json").write_text("broken")
    with pytest.raises(TableError, match="cannot be read"):
        reader.version(COMPLAINTS)


def test_added_ignores_a_compaction(warehouse: Path, reader: DeltaReader) -> None:
    append(warehouse, COMPLAINTS, {"complaint_id": [3], "state": ["WA"]})
    since = reader.version(COMPLAINTS)
    DeltaTable(warehouse / "silver" / "complaints").optimize.compact()
    append(warehouse, COMPLAINTS, {"complaint_id": [4], "state": ["WA"]})
    assert added_to(reader, since, "select complaint_id from silver.complaints") == [{"complaint_id": 4}]


@pytest.mark.parametrize("change", ["deleted", "overwritten", "widened", "cleaned", "recreated"])
def test_added_is_none_after_changes_other_than_additions(warehouse: Path, reader: DeltaReader, change: str) -> None:
    since = reader.version(COMPLAINTS)
    path = warehouse / "silver" / "complaints"
    match change:
        case "deleted":
            DeltaTable(path).delete("complaint_id = 1")
        case "overwritten":
            write_deltalake(path, pa.table({"complaint_id": [9], "state": ["ZZ"]}), mode="overwrite")
        case "widened":
            rows = pa.table({"complaint_id": [9], "state": ["ZZ"], "zip": ["1"]})
            write_deltalake(path, rows, mode="append", schema_mode="merge")
        case "cleaned":
            append(warehouse, COMPLAINTS, {"complaint_id": [3], "state": ["WA"]})
            append(warehouse, COMPLAINTS, {"complaint_id": [4], "state": ["WA"]})
            (path / "_delta_log" / f"{1:020}.json").unlink()
        case "recreated":
            shutil.rmtree(path)
            write(warehouse, COMPLAINTS, pa.table({"complaint_id": [1], "state": ["TX"]}))
            append(warehouse, COMPLAINTS, {"complaint_id": [2], "state": ["TX"]})
    if change == "cleaned":
        assert since is not None
        with reader.added(COMPLAINTS, since, TableVersion(since.table_id, since.number + 2)) as added:
            assert added is None
    else:
        assert added_to(reader, since, "select 1") is None
