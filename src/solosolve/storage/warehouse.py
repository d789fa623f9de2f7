"""The tables through a Databricks SQL warehouse, for a deployed app, which has no Spark."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from typing import Protocol, Self

import pyarrow as pa

from solosolve.errors import MissingDependencyError, MissingTableError, SettingsError, TableError, one_line
from solosolve.names import MADE_BY, Layer, Table
from solosolve.settings import Settings
from solosolve.storage.known_sizes import KnownSizes
from solosolve.storage.reader import Commit, Reader, TableSize, TableVersion, Value, named_tables

_DETAIL = ["numFiles", "sizeInBytes", "lastModified"]

VERSION_SECONDS = 2.0
"""Seconds for which a table's newest version is cached."""


class Cursor(Protocol):
    """The part of the connector's cursor that the project uses (DB-API, PEP 249, and Arrow)."""

    def execute(self, operation: str, parameters: Mapping[str, object] | None = None) -> object:
        """Runs a statement with named parameters."""
        ...

    def fetchall_arrow(self) -> pa.Table:
        """All rows of the last statement."""
        ...

    def close(self) -> None:
        """Closes the cursor."""
        ...


class Connection(Protocol):
    """The part of the connector's connection that the project uses."""

    def cursor(self) -> Cursor:
        """Opens a cursor."""
        ...


@dataclass(frozen=True)
class Warehouse:
    """A SQL warehouse, with one connection per thread.

    Attributes:
        schemas: The schema of each layer.
        connect: Opens a connection with the catalog of the project's tables as its default.
    """

    schemas: Mapping[Layer, str]
    connect: Callable[[], Connection]
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The warehouse that the settings name, used with the identity that the platform gives the app.

        Raises:
            SettingsError: The settings name no warehouse.
            MissingDependencyError: The connector is not installed.
        """
        warehouse = settings.sql_warehouse
        if warehouse is None:
            raise SettingsError("sql_warehouse: not set; set SOLOSOLVE_SQL_WAREHOUSE to its id or HTTP path")
        http_path = warehouse if "/" in warehouse else f"/sql/1.0/warehouses/{warehouse}"
        try:
            from databricks import sql
            from databricks.sdk.core import Config
        except ImportError as error:
            raise MissingDependencyError("databricks-sql-connector is missing: pip install 'solosolve[app]'") from error
        config = Config()

        def connect() -> Connection:
            return sql.connect(
                server_hostname=config.host.removeprefix("https://"),
                http_path=http_path,
                credentials_provider=lambda: config.authenticate,
                catalog=settings.catalog,
            )

        return cls({layer: settings.schema_of(layer) for layer in Layer}, connect)

    def run(self, statement: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Runs one statement on this thread's connection, which is reopened once if the warehouse has closed it.

        Args:
            statement: SQL; the project's tables are `<layer>.<table>`, whatever the schemas are called.
            parameters: A value for each parameter.

        Returns:
            All rows.

        Raises:
            TableError: The warehouse refuses the statement or cannot be reached.
        """
        for table in named_tables(statement):
            name = rf'\b{table.layer}"?\s*\.\s*"?{table.name}\b'
            statement = re.sub(name, f"{self.schemas[table.layer]}.{table.name}", statement, flags=re.IGNORECASE)
        try:
            try:
                return self._run(statement, parameters)
            except Exception as error:
                # The connector has no error class for an expired session.
                if not re.search(r"closed|session", str(error), re.IGNORECASE):
                    raise
                self._local.connection = None
                return self._run(statement, parameters)
        except Exception as error:
            raise TableError(f"SQL warehouse: {one_line(error)}") from error

    def _run(self, statement: str, parameters: Mapping[str, object] | None) -> pa.Table:
        if getattr(self._local, "connection", None) is None:
            self._local.connection = self.connect()
        with closing(self._local.connection.cursor()) as cursor:
            cursor.execute(statement, dict(parameters) if parameters else None)
            return cursor.fetchall_arrow()


class WarehouseReader:
    """Answers the same SQL as the local reader, on the platform's tables."""

    def __init__(self, warehouse: Warehouse, version_seconds: float = VERSION_SECONDS) -> None:
        """Reads nothing yet.

        Args:
            warehouse: The warehouse.
            version_seconds: Seconds for which a table's newest version is cached.
        """
        self._warehouse = warehouse
        self._version_seconds = version_seconds
        self._versions: dict[Table, tuple[float, TableVersion | None]] = {}
        self._sizes = KnownSizes()

    def tables(self) -> list[Table]:
        """The tables that exist, sorted by layer and name."""
        found = self._warehouse.run("select table_schema, table_name from information_schema.tables").to_pylist()
        names = {f"{row['table_schema']}.{row['table_name']}" for row in found}
        schemas = self._warehouse.schemas
        return sorted((table for table in MADE_BY if f"{schemas[table.layer]}.{table.name}" in names), key=str)

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was created."""
        return str(self._warehouse.run(f"describe detail {table}").to_pylist()[0]["id"])

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit, at most a few seconds old; None if the table does not exist."""
        asked_at, version = self._versions.get(table, (-math.inf, None))
        if time.monotonic() - asked_at < self._version_seconds:
            return version
        version = self._version(table)
        self._versions[table] = (time.monotonic(), version)
        return version

    def _version(self, table: Table) -> TableVersion | None:
        known = self._versions.get(table, (0.0, None))[1]
        try:
            number = int(self._warehouse.run(f"describe history {table} limit 1").to_pylist()[0]["version"])
        except TableError:
            if table not in self.tables():
                return None
            raise
        is_older = known is not None and number < known.number
        return TableVersion(self.table_id(table) if known is None or is_older else known.table_id, number)

    def commits(self, table: Table) -> list[Commit]:
        """The commits of an existing table that its log still has, the newest first."""
        history = _with_utc(self._warehouse.run(f"describe history {table}").select(["version", "timestamp"]))
        return [Commit(row["version"], row["timestamp"]) for row in history.to_pylist()]

    def size(self, table: Table) -> TableSize:
        """How large an existing table is; see `Reader.size`. The platform counts rows from the log, too.

        Raises:
            MissingTableError: The table has not been made yet.
            TableError: The warehouse cannot be reached.
        """
        return self._sizes.find(table, self.version(table), self._size)

    def _size(self, table: Table) -> TableSize:
        detail = _with_utc(self._warehouse.run(f"describe detail {table}").select(_DETAIL)).to_pylist()[0]
        row_count = self._warehouse.run(f"select count(*) as n from {table}")["n"][0].as_py()
        return TableSize(table, row_count, detail["numFiles"], detail["sizeInBytes"], detail["lastModified"])

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Runs one read-only statement; see `Reader.query`.

        Raises:
            MissingTableError: A table has not been made yet.
            TableError: The warehouse refuses the statement.
        """
        for table, version in (versions or {}).items():
            pinned = f"{table} version as of {version.number}"
            sql = re.sub(rf"\b{re.escape(str(table))}\b", pinned, sql)
        try:
            return _with_utc(self._warehouse.run(sql, parameters))
        except TableError as error:
            missing = self._missing_table(sql)
            if missing is not None:
                raise MissingTableError(missing) from error
            raise

    def _missing_table(self, sql: str) -> Table | None:
        """The first table that a statement names and that does not exist; None if that cannot be known."""
        try:
            existing = self.tables()
        except TableError:
            return None
        return next((table for table in named_tables(sql) if table not in existing), None)

    def added(self, table: Table, since: TableVersion, until: TableVersion) -> AbstractContextManager[Reader | None]:
        """None: the warehouse queries the whole table as fast as its newest rows."""
        return nullcontext()


def _with_utc(found: pa.Table) -> pa.Table:
    """Casts timestamps to `timestamp[us, tz=UTC]`, as the local reader returns them."""
    utc = pa.timestamp("us", tz="UTC")
    fields = [each.with_type(utc) if pa.types.is_timestamp(each.type) else each for each in found.schema]
    return found.cast(pa.schema(fields))
