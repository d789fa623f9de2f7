"""The SQL warehouse's reader, against a stand-in of the connector: its DB-API over local tables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from solosolve.dashboard.data.alerts import current_alerts
from solosolve.dashboard.data.answers import Answers
from solosolve.dashboard.data.filters import Filters
from solosolve.dashboard.views.rooms import PANELS
from solosolve.errors import MissingTableError, SettingsError, TableError
from solosolve.names import PREDICTIONS, Layer, Table
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import ALL_VERDICTS, Feedback, Verdict
from solosolve.storage.reader import Reader, TableVersion
from solosolve.storage.warehouse import Warehouse, WarehouseReader
from solosolve.storage.warehouse_feedback import WarehouseFeedback
from support.warehouses import NOW, append, folder, prediction, write_everything

PREFIX = "dev_ann_"
"""What a development deployment puts before the name of a schema."""

SCHEMAS = {layer: f"{PREFIX}{layer}" for layer in Layer}


class Error(Exception):
    """As the connector raises."""


_HISTORY = {"version": "number", "timestamp": "at"}
"""Columns of the platform's history, and their names here."""


class StandIn:
    """A connection that answers as the platform does: metadata statements here, questions by the local engine."""

    def __init__(self, warehouse: Path) -> None:
        self.warehouse, self.said, self.is_closed = warehouse, [], False
        self.said: list[tuple[str, Mapping[str, object] | None]]
        self.found = pa.table({})

    def cursor(self) -> StandIn:
        return self

    def close(self) -> None:
        pass

    def fetchall_arrow(self) -> pa.Table:
        return self.found

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> None:
        if self.is_closed:
            raise Error("Invalid SessionHandle: the session is closed")
        self.said.append((statement, parameters))
        statement = statement.replace(PREFIX, "")
        local = DeltaReader(self.warehouse)
        if "information_schema" in statement:
            names = [{"table_schema": SCHEMAS[table.layer], "table_name": table.name} for table in local.tables()]
            self.found = pa.Table.from_pylist(names)
        elif found := re.match(r"describe (history|detail) (\w+)\.(\w+)", statement):
            table = Table(Layer(found[2]), found[3])
            if not (folder(self.warehouse, table) / "_delta_log").is_dir():
                raise Error(f"[TABLE_OR_VIEW_NOT_FOUND] The table or view `{found[2]}`.`{found[3]}` cannot be found.")
            commits = local.commits(table)
            self.found = pa.table({name: [getattr(each, of) for each in commits] for name, of in _HISTORY.items()})
            if found[1] == "detail":
                size = local.size(table)
                self.found = pa.table({
                    "id": [local.table_id(table)], "numFiles": [size.file_count], "sizeInBytes": [size.byte_count],
                    "lastModified": [size.committed_at],
                })  # fmt: skip
        elif statement.startswith(("create", "merge")):
            self.found = pa.table({"num_affected_rows": [1], "num_inserted_rows": [1]})
        else:
            pins = {
                Table(Layer(layer), name): TableVersion("", int(number))
                for layer, name, number in re.findall(r"(\w+)\.(\w+) version as of (\d+)", statement)
            }
            plain = re.sub(r" version as of \d+", "", statement)
            try:
                self.found = local.query(plain, parameters, pins)
            except TableError as error:
                raise Error(f"[SQL_ERROR] {error}") from None


@pytest.fixture
def connection(tmp_path: Path) -> StandIn:
    write_everything(tmp_path, predictions=60)
    return StandIn(tmp_path)


@pytest.fixture
def reader(connection: StandIn) -> WarehouseReader:
    return WarehouseReader(Warehouse(SCHEMAS, lambda: connection))


def drawn(reader: Reader, home: Path) -> dict[str, str]:
    answers = Answers(reader, Settings(home=home))
    shown = {}
    for panel in PANELS:
        try:
            shown[panel.name] = str(panel.draw(answers, Filters(product=("Mortgage", "Credit card"))))
        except TableError as error:
            shown[panel.name] = str(error)
    return shown


def test_every_panel_is_the_same_through_both_readers(connection: StandIn, reader: WarehouseReader) -> None:
    home = connection.warehouse.parent
    expected = drawn(DeltaReader(connection.warehouse), home)
    assert {name: text for name, text in expected.items() if not text.startswith(("Div(", "Dl(", "Ul("))} == {}
    assert drawn(reader, home) == expected


def test_tables_and_ids_come_from_the_platform(connection: StandIn, reader: WarehouseReader) -> None:
    local = DeltaReader(connection.warehouse)
    assert reader.tables() == local.tables()
    assert reader.table_id(PREDICTIONS) == local.table_id(PREDICTIONS)
    append(connection.warehouse, PREDICTIONS, [prediction(1_000)])
    assert reader.commits(PREDICTIONS) == local.commits(PREDICTIONS)
    assert [commit.number for commit in reader.commits(PREDICTIONS)] == [1, 0]


def test_sizes_and_alerts_are_the_same_through_both_readers(connection: StandIn, reader: WarehouseReader) -> None:
    local, settings = DeltaReader(connection.warehouse), Settings(home=connection.warehouse)
    assert [reader.size(table) for table in reader.tables()] == [local.size(table) for table in local.tables()]
    alerts = current_alerts(Answers(local), settings, NOW)
    assert {"dead_letters", "quarantined_records"} <= {row.alert for row in alerts}
    assert current_alerts(Answers(reader), settings, NOW) == alerts


def test_parameters_are_passed_apart_from_the_statement(connection: StandIn, reader: WarehouseReader) -> None:
    hostile = "\\' or 1=1 --"
    reader.query("select count(*) as n from gold.predictions where company = :company", {"company": hostile})
    statement, parameters = connection.said[-1]
    assert hostile not in statement
    assert parameters == {"company": hostile}


def test_version_is_kept_for_some_seconds(connection: StandIn) -> None:
    warehouse = Warehouse(SCHEMAS, lambda: connection)
    reader, impatient = WarehouseReader(warehouse), WarehouseReader(warehouse, version_seconds=0.0)
    first = reader.version(PREDICTIONS)
    asked = len(connection.said)
    append(connection.warehouse, PREDICTIONS, [prediction(1_000)])
    assert reader.version(PREDICTIONS) == first
    assert len(connection.said) == asked
    assert first is not None
    assert impatient.version(PREDICTIONS) == TableVersion(first.table_id, first.number + 1)


def test_missing_table_has_no_version_and_names_the_command_that_makes_it(tmp_path: Path) -> None:
    reader = WarehouseReader(Warehouse(SCHEMAS, lambda: StandIn(tmp_path)))
    assert reader.version(PREDICTIONS) is None
    with pytest.raises(MissingTableError, match=r"^table gold\.predictions does not exist yet; run: solosolve run "):
        reader.query("select 1 from gold.predictions")


def test_connection_is_reopened_after_the_warehouse_closed_it(tmp_path: Path) -> None:
    write_everything(tmp_path, predictions=5)
    made: list[StandIn] = []

    def connect() -> StandIn:
        made.append(StandIn(tmp_path))
        return made[-1]

    reader = WarehouseReader(Warehouse(SCHEMAS, connect))
    reader.tables()
    made[0].is_closed = True
    assert reader.query("select count(*) as n from gold.predictions").to_pylist() == [{"n": 5}]
    assert len(made) == 2


def test_feedback_is_recorded_in_one_merge_by_its_id(connection: StandIn) -> None:
    log = WarehouseFeedback(Warehouse(SCHEMAS, lambda: connection))
    words = "it's; drop table x"
    given = Feedback(
        "a", 7, Verdict.SUCCESS, "ann", words, datetime(2026, 5, 4, tzinfo=UTC), 2, 0.5, None, "CA", "Mortgage"
    )
    assert log.record(given)
    statement, parameters = connection.said[-1]
    assert statement.startswith("merge into dev_ann_silver.feedback as known using (select :feedback_id as feedback_id")
    assert "on known.feedback_id = given.feedback_id and known.verdict <> 'withdrawn'" in statement
    verdicts = ALL_VERDICTS.replace("silver.", f"{PREFIX}silver.")
    is_free = "where complaint_id = :complaint_id and source = :source"
    assert f"where not exists (select 1 from {verdicts} as verdicts {is_free})" in statement
    assert words not in statement
    assert parameters == given.as_row()


def test_app_without_a_warehouse_names_the_missing_setting() -> None:
    with pytest.raises(SettingsError, match="SOLOSOLVE_SQL_WAREHOUSE"):
        Warehouse.of(Settings(target="dev", catalog="dev"))
