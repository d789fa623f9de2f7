"""Columns added to tables of earlier releases, in folders and in a catalog."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructField, StructType

from solosolve.names import FEATURES, FEEDBACK, PREDICTIONS, REQUESTS, Table
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.migrations import add_columns
from solosolve.storage.tables import Tables

ADDED = {
    FEATURES: ("label_source", "label_at"),
    FEEDBACK: ("picked_by", "pick_probability"),
    PREDICTIONS: ("date_received",),
    REQUESTS: ("source", "source_position"),
}


@pytest.fixture
def catalog(spark: SparkSession, tmp_path: Path) -> Iterator[Tables]:
    """Tables as the platform has them: entries of a catalog."""
    for layer in ("bronze", "silver", "gold"):
        spark.sql(f"CREATE DATABASE migrated_{layer} LOCATION '{tmp_path / layer}'")
    environ = {
        "SOLOSOLVE_HOME": str(tmp_path),
        "SOLOSOLVE_CATALOG": "spark_catalog",
        "SOLOSOLVE_BRONZE_SCHEMA": "migrated_bronze",
        "SOLOSOLVE_SILVER_SCHEMA": "migrated_silver",
        "SOLOSOLVE_GOLD_SCHEMA": "migrated_gold",
    }
    yield Tables(spark, Settings.load("dev", environ=environ))
    for layer in ("bronze", "silver", "gold"):
        spark.sql(f"DROP DATABASE migrated_{layer} CASCADE")


@pytest.mark.parametrize("table", list(ADDED), ids=str)
@pytest.mark.parametrize("place", ["tables", "catalog"])
def test_former_table_gains_its_new_columns_once(request: pytest.FixtureRequest, place: str, table: Table) -> None:
    tables: Tables = request.getfixturevalue(place)
    add_columns(tables, table)
    assert not tables.exists(table)
    schema = spark_schema(table)
    former = StructType([StructField(field.name, field.dataType) for field in schema if field.name not in ADDED[table]])
    writer = tables.spark.createDataFrame([(None,) * len(former)], former).write.format("delta")
    if place == "tables":
        writer.save(str(tables.settings.table_folder(table)))
    else:
        writer.saveAsTable(tables.settings.table_name(table))
    identity = tables.table_id(table)

    add_columns(tables, table)
    version = tables.version(table)
    add_columns(tables, table)
    assert tables.version(table) == version
    assert tables.table_id(table) == identity
    found = tables.read(table)
    assert found.dtypes == [(field.name, field.dataType.simpleString()) for field in schema]
    assert found.where(F.coalesce(*(F.col(each).cast("string") for each in ADDED[table])).isNull()).count() == 1
