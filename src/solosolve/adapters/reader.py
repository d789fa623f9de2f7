"""Reading of the local Delta tables without a JVM: delta-rs opens them, its DataFusion engine answers SQL."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from solosolve.errors import TableError
from solosolve.names import MADE_BY, Layer, Table

_ENGINE_OPTIONS = {
    # SHOW TABLES and SHOW COLUMNS read it.
    "datafusion.catalog.information_schema": "true",
    # Names are matched without regard to case, as Spark does; delta-rs alone would not.
    "datafusion.sql_parser.enable_ident_normalization": "true",
}
_COMMENTS = r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_EXPLAIN = rf"(?:explain\b{_COMMENTS}(?:(?:analyze|verbose)\b{_COMMENTS})*(?:format\s+\w+{_COMMENTS})?)?"
# EXPLAIN ANALYZE runs what follows, so what follows must be a question too: COPY would write a file.
_QUESTION = re.compile(rf"{_COMMENTS}{_EXPLAIN}(?:select|with|show|describe|desc)\b", re.IGNORECASE | re.DOTALL)
_ASKS_FOR_NAMES = re.compile(rf"{_COMMENTS}show\b|\binformation_schema\b", re.IGNORECASE | re.DOTALL)
_NOT_FOUND = re.compile(r"table '(?:datafusion\.)?(?:public\.)?(?P<name>[^']*)' not found")


class Reader(Protocol):
    """Answers SQL over the project's tables, wherever they are."""

    def tables(self) -> list[Table]:
        """The tables that exist, in order of layer and name."""
        ...

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was made."""
        ...

    def query(self, sql: str) -> pa.Table:
        """Answers one statement that only reads; timestamps come back as UTC."""
        ...


@dataclass(frozen=True)
class DeltaReader:
    """Reads the Delta tables below a local warehouse folder (`<warehouse>/<layer>/<table>`)."""

    warehouse: Path

    def tables(self) -> list[Table]:
        """The tables that exist, in order of layer and name."""
        return sorted((table for table in MADE_BY if (self._path(table) / "_delta_log").is_dir()), key=str)

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was made."""
        return str(DeltaTable(self._path(table)).metadata().id)

    def query(self, sql: str) -> pa.Table:
        """Answers one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN statement over the tables by their names.

        Args:
            sql: DataFusion SQL (https://datafusion.apache.org/user-guide/sql/); tables are `<layer>.<table>`.

        Returns:
            All rows; strings as `string`, every timestamp as `timestamp[us, tz=UTC]`.

        Raises:
            TableError: The statement does not only read, a table is not there, or the engine refuses it.
        """
        if not _QUESTION.match(sql):
            raise TableError(f"only SELECT, WITH, SHOW, DESCRIBE and EXPLAIN are allowed, found: {_shortened(sql)}")
        try:
            return _with_plain_types(pa.table(self._engine(sql).execute(sql).read_all()))
        except Exception as error:
            # The engine raises DeltaError when it plans, and a bare Exception when it runs (a division by zero).
            if not isinstance(error, DeltaError) and type(error) is not Exception:
                raise
            raise TableError(self._explain(str(error))) from error

    def _engine(self, sql: str) -> QueryBuilder:
        engine = QueryBuilder(_ENGINE_OPTIONS)
        for layer in Layer:
            engine.execute(f"create schema {layer}").read_all()
        for table in self.tables():
            if _ASKS_FOR_NAMES.search(sql) or _names(sql, table):
                engine.register(str(table), DeltaTable(self._path(table)))
        return engine

    def _explain(self, message: str) -> str:
        missing = _NOT_FOUND.search(message)
        if missing is None:
            return _one_line(message)
        name = missing["name"]
        for table, job in MADE_BY.items():
            if str(table) == name:
                return f"table {table} does not exist yet; run: solosolve run {job}"
        there = ", ".join(str(table) for table in self.tables()) or "none yet; run: solosolve run medallion"
        return f"no table {name}; there is: {there}"

    def _path(self, table: Table) -> Path:
        return self.warehouse / table.layer / table.name


def _names(sql: str, table: Table) -> bool:
    return re.search(rf'\b{table.layer}"?\s*\.\s*"?{table.name}\b', sql, re.IGNORECASE) is not None


def _one_line(message: str) -> str:
    """The innermost of the causes that DataFusion chains."""
    return " ".join(message.rsplit("caused by\n", maxsplit=1)[-1].split())


def _shortened(sql: str) -> str:
    words = " ".join(sql.split())
    return f"{words[:40]}..." if len(words) > 40 else words or "nothing"


def _with_plain_types(table: pa.Table) -> pa.Table:
    """Casts string views to strings, which every writer takes, and timestamps to UTC microseconds."""
    return table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]), safe=False)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    # Without a zone (now(), a cast date) the engine means UTC; nanoseconds have no Python type.
    return pa.timestamp("us", tz="UTC") if pa.types.is_timestamp(kind) else kind
