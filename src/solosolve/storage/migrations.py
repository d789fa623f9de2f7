"""Brings tables made by earlier releases up to date."""

from __future__ import annotations

from pyspark.sql import functions as F

from solosolve.names import DUPLICATE, FEATURES, Table
from solosolve.spark_schemas import spark_schema
from solosolve.storage.table_facts import properties
from solosolve.storage.tables import Tables
from solosolve.table_properties import CHECKS

_CHECK = "split_is_known"
_FORMER_NAME = "copy"


def rename_split(tables: Tables) -> None:
    """Renames the split `copy` of `gold.complaint_features` to `duplicate`, in its rows and its CHECK constraint.

    Tables that have the current constraint stay unchanged; an interrupted migration is completed.
    """
    if not tables.exists(FEATURES):
        return
    found = properties(tables, FEATURES).get(f"delta.constraints.{_CHECK}")
    if _normalised(found) == _normalised(CHECKS[FEATURES][_CHECK]):
        return
    table = tables.delta(FEATURES)
    with tables.writing(FEATURES):
        tables.alter(FEATURES, f"DROP CONSTRAINT IF EXISTS {_CHECK}")
        table.update(F.col("split") == _FORMER_NAME, {"split": F.lit(DUPLICATE)})
        tables.alter(FEATURES, f"ADD CONSTRAINT {_CHECK} CHECK ({CHECKS[FEATURES][_CHECK]})")


def add_columns(tables: Tables, table: Table) -> None:
    """Adds the columns that the table's schema has gained since an earlier release made it; its rows have nulls there.

    Tables that have all columns, or do not exist yet, stay unchanged.
    """
    if not tables.exists(table):
        return
    with tables.writing(table):
        present = set(tables.read(table).columns)
        if missing := [field for field in spark_schema(table).fields if field.name not in present]:
            columns = ", ".join(f"{field.name} {field.dataType.simpleString()}" for field in missing)
            tables.alter(table, f"ADD COLUMNS ({columns})")


def _normalised(condition: str | None) -> str:
    """A condition without the white space that Delta may add."""
    return "".join((condition or "").split())
