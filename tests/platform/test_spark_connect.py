"""Reads over Spark Connect, from a client without a JVM; `make faults` runs these and the tests of the transforms."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession

from solosolve.errors import MissingTableError
from solosolve.names import COMPLAINTS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.table_facts import count_rows
from solosolve.storage.tables import Tables
from support.connect import SERVER
from support.warehouses import append, complaint, prediction

pytestmark = pytest.mark.skipif(SERVER is None, reason="needs a session over Spark Connect: make faults")


def test_session_has_no_jvm(spark: SparkSession) -> None:
    assert type(spark).__module__ == "pyspark.sql.connect.session"


def test_tables_are_read(spark: SparkSession, settings: Settings) -> None:
    append(settings.warehouse, COMPLAINTS, [complaint(1), complaint(2)])
    append(settings.warehouse, COMPLAINTS, [complaint(3)])
    tables = Tables(spark, settings)
    assert sorted(row["complaint_id"] for row in tables.read(COMPLAINTS).collect()) == [1, 2, 3]
    assert tables.read(COMPLAINTS, version=0).count() == 2
    assert count_rows(tables, COMPLAINTS) == 3
    with pytest.raises(MissingTableError):
        tables.read(PREDICTIONS)


def test_rows_are_appended(spark: SparkSession, settings: Settings) -> None:
    append(settings.warehouse, PREDICTIONS, [prediction(1)])
    tables = Tables(spark, settings)
    tables.append(PREDICTIONS, tables.read(PREDICTIONS))
    assert tables.read(PREDICTIONS).count() == 2
