"""The tables through a Databricks SQL warehouse: what a deployed app, which has no Spark, reads and writes with."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from typing import Protocol, Self

import pyarrow as pa

from solosolve.errors import MissingDependencyError, SettingsError, TableError, one_line
from solosolve.names import FEEDBACK, MADE_BY, Table
from solosolve.settings import Settings
from solosolve.storage.feedback import FEEDBACK_PROPERTIES, FEEDBACK_SCHEMA, Feedback, Verdict
from solosolve.storage.reader import Reader, TableVersion, Value

_CHECKED_SECONDS = 2.0
"""A table's newest commit is asked for no more often than this."""


class Cursor(Protocol):
    """What is used of a cursor of the connector (DB-API, PEP 249, and Arrow)."""

    def execute(self, operation: str, parameters: Mapping[str, object] | None = None) -> object:
        """Runs a statement with named parameters."""
        ...

    def fetchall_arrow(self) -> pa.Table:
        """All rows of the last statement."""
        ...

    def close(self) -> None:
        """Ends the cursor."""
        ...


class Connection(Protocol):
    """What is used of a connection of the connector."""

    def cursor(self) -> Cursor:
        """A new cursor."""
        ...


@dataclass(frozen=True)
class Warehouse:
    """A way to a SQL warehouse.

    Attributes:
        catalog: The catalog of the project's tables.
        connect: Makes a connection whose default catalog that is.
    """

    catalog: str
    connect: Callable[[], Connection]
    _local: threading.local = field(default_factory=threading.local, compare=False, repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The settings' warehouse, with the identity that the platform gives the app.

        Raises:
            SettingsError: No warehouse is named.
            MissingDependencyError: The connector is not installed.
        """
        http_path = settings.sql_warehouse
        if http_path is None:
            raise SettingsError("sql_warehouse: not set; set SOLOSOLVE_SQL_WAREHOUSE to the warehouse's HTTP path")
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

        return cls(settings.catalog, connect)

    def run(self, statement: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
        """Runs one statement on this thread's connection; one that has been closed is made anew, once.

        Raises:
            TableError: The warehouse refuses it, or cannot be reached.
        """
        try:
            try:
                return self._run(statement, parameters)
            except Exception as error:
                if not re.search(r"closed|session", str(error), re.IGNORECASE):
                    raise
                self._local.connection = None
                return self._run(statement, parameters)
        except Exception as error:
            raise TableError(f"the SQL warehouse says: {one_line(error)}") from error

    def _run(self, statement: str, parameters: Mapping[str, object] | None) -> pa.Table:
        if getattr(self._local, "connection", None) is None:
            self._local.connection = self.connect()
        with closing(self._local.connection.cursor()) as cursor:
            cursor.execute(statement, dict(parameters) if parameters else None)
            return cursor.fetchall_arrow()


class WarehouseReader:
    """Answers the same SQL as the local reader, on the platform's tables."""

    def __init__(self, warehouse: Warehouse) -> None:
        """Keeps the way to the tables."""
        self._warehouse = warehouse
        self._versions: dict[Table, tuple[float, TableVersion | None]] = {}

    def tables(self) -> list[Table]:
        """The tables that exist, in order of layer and name."""
        found = self._warehouse.run("select table_schema, table_name from information_schema.tables").to_pylist()
        names = {f"{row['table_schema']}.{row['table_name']}" for row in found}
        return sorted((table for table in MADE_BY if str(table) in names), key=str)

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was made."""
        return str(self._warehouse.run(f"describe detail {table}").to_pylist()[0]["id"])

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit, as of some seconds ago at most; None while it does not exist."""
        asked_at, version = self._versions.get(table, (-_CHECKED_SECONDS, None))
        if time.monotonic() - asked_at < _CHECKED_SECONDS:
            return version
        version = self._version(table)
        self._versions[table] = (time.monotonic(), version)
        return version

    def _version(self, table: Table) -> TableVersion | None:
        known = self._versions.get(table, (0.0, None))[1]
        try:
            number = int(self._warehouse.run(f"describe history {table} limit 1").to_pylist()[0]["version"])
        except TableError as error:
            if _is_missing(error):
                return None
            raise
        is_older = known is not None and number < known.number
        return TableVersion(self.table_id(table) if known is None or is_older else known.table_id, number)

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Answers one statement that only reads; see `Reader.query`.

        Raises:
            TableError: The warehouse refuses it; of a missing table the message has the command that makes it.
        """
        for table, version in (versions or {}).items():
            pinned = f"{table} version as of {version.number}"
            sql = re.sub(rf"\b{re.escape(str(table))}\b", pinned, sql)
        try:
            return _with_utc(self._warehouse.run(sql, parameters))
        except TableError as error:
            missing = next((table for table in MADE_BY if _is_missing(error) and table.name in str(error)), None)
            if missing is None:
                raise
            raise TableError(f"table {missing} does not exist yet; run: {MADE_BY[missing]}") from error

    def added(self, table: Table, since: TableVersion, until: TableVersion) -> AbstractContextManager[Reader | None]:
        """None: the warehouse answers over the whole table as fast as over its newest rows."""
        return _nothing()


@dataclass(frozen=True)
class WarehouseFeedback:
    """Feedback in the platform's table, which the warehouse's own transactions keep whole."""

    warehouse: Warehouse

    def record(self, feedback: Feedback) -> bool:
        """Appends a row, unless one with its id stands there, or the complaint has a verdict.

        Raises:
            TableError: The warehouse refuses it.
        """
        row = feedback.as_row()
        columns = ", ".join(row)
        values = ", ".join(f":{name} as {name}" for name in row)
        if feedback.verdict == Verdict.WITHDRAWN:
            is_same, is_free = "known.verdict = 'withdrawn'", "true"
        else:
            is_same = "known.verdict <> 'withdrawn'"
            withdrawn = f"select feedback_id from {FEEDBACK} where verdict = 'withdrawn'"
            is_free = (
                f"not exists (select 1 from {FEEDBACK} where complaint_id = :complaint_id "
                f"and feedback_id not in ({withdrawn}))"
            )
        self.warehouse.run(_CREATE_FEEDBACK)
        merged = self.warehouse.run(
            f"merge into {FEEDBACK} as known using (select {values} where {is_free}) as given "
            f"on known.feedback_id = given.feedback_id and {is_same} "
            f"when not matched then insert ({columns}) values ({', '.join(f'given.{name}' for name in row)})",
            row,
        ).to_pylist()
        return bool(merged and merged[0].get("num_inserted_rows"))


def _declared(column: pa.Field) -> str:
    return f"{column.name} {_SQL_TYPES[column.type]}{'' if column.nullable else ' not null'}"


_SQL_TYPES = {
    pa.string(): "string", pa.int64(): "bigint", pa.int32(): "int", pa.float64(): "double",
    pa.timestamp("us", tz="UTC"): "timestamp",
}  # fmt: skip
_PROPERTIES = ", ".join(f"'{name}' = '{value}'" for name, value in FEEDBACK_PROPERTIES.items())
_COLUMNS = ", ".join(map(_declared, FEEDBACK_SCHEMA))
_CREATE_FEEDBACK = f"create table if not exists {FEEDBACK} ({_COLUMNS}) tblproperties ({_PROPERTIES})"


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _is_missing(error: TableError) -> bool:
    return "TABLE_OR_VIEW_NOT_FOUND" in str(error) or "does not exist yet" in str(error)


def _with_utc(found: pa.Table) -> pa.Table:
    """Timestamps as `timestamp[us, tz=UTC]`, as the local reader gives them."""
    utc = pa.timestamp("us", tz="UTC")
    fields = [each.with_type(utc) if pa.types.is_timestamp(each.type) else each for each in found.schema]
    return found.cast(pa.schema(fields))
