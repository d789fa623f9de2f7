"""Tables of a catalog, as SQL declares them."""

from __future__ import annotations

from collections.abc import Mapping

from solosolve.names import Table
from solosolve.spark_schemas import spark_schema


def create_statement(name: str, table: Table, properties: Mapping[str, str]) -> str:
    """The statement that creates a table of the platform; Delta's builder takes no three-part name everywhere."""
    columns = ", ".join(
        f"{field.name} {field.dataType.simpleString()}{'' if field.nullable else ' NOT NULL'}"
        for field in spark_schema(table)
    )
    values = ", ".join(f"'{key}' = '{_escaped(value)}'" for key, value in properties.items())
    return f"CREATE TABLE IF NOT EXISTS {name} ({columns}) USING DELTA TBLPROPERTIES ({values})"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
