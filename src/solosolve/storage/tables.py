"""Reading and writing Delta tables with Spark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from delta.tables import DeltaTable
from filelock import FileLock, Timeout
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import MissingTableError, TableError
from solosolve.names import Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.catalog_tables import create_statement
from solosolve.storage.checkpoints import Checkpoint
from solosolve.storage.delta_log import has_commits
from solosolve.storage.half_made_tables import remove_half_made
from solosolve.table_properties import CHECKS, table_properties

_LOCK_SECONDS = 600
_NO_LIMIT = 2**31 - 1


@dataclass(frozen=True)
class Transaction:
    """The name of a commit. Delta ignores a commit if its application has committed that version or a later one."""

    application: str
    version: int


@dataclass(frozen=True)
class Tables:
    """The project's tables, at the place that the settings name.

    Local writes hold a lock per table across processes, because Delta on a local disk is not safe when two processes
    write (https://docs.delta.io/latest/delta-storage.html). Of tables with a URL, it keeps out processes with the same
    home; docs/clusters.md says which stores need more.
    """

    spark: SparkSession
    settings: Settings

    def create(self, table: Table) -> None:
        """Creates the table, with its NOT NULL columns, CHECK constraints and properties, unless it exists.

        Raises:
            TableError: Another process has held the write lock for ten minutes.
        """
        if self.exists(table):
            return
        properties = table_properties(table)
        properties |= {f"delta.constraints.{name}": condition for name, condition in CHECKS.get(table, {}).items()}
        if not self._is_local:
            self.spark.sql(create_statement(self._name(table), table, properties))
            return
        builder = DeltaTable.createIfNotExists(self.spark).addColumns(spark_schema(table)).location(self._path(table))
        for key, value in properties.items():
            builder = builder.property(key, value)
        with self.writing(table):
            if not self.exists(table):
                remove_half_made(self.spark, self.settings, table)
            builder.execute()

    def exists(self, table: Table) -> bool:
        """Whether the table exists."""
        if self.settings.has_table_folders:
            return has_commits(self.settings.table_folder(table))
        if self._is_local:
            return DeltaTable.isDeltaTable(self.spark, self._path(table))
        return self.spark.catalog.tableExists(self._name(table))

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """Reads the newest version of the table, or an earlier one.

        Raises:
            MissingTableError: The table has not been made yet.
        """
        self.require(table)
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def read_stream(self, table: Table, max_bytes: int) -> DataFrame:
        """Reads an append-only table as a stream, from its first version on.

        Args:
            table: The table.
            max_bytes: About how much a batch reads, in bytes of compressed files.

        Raises:
            MissingTableError: The table has not been made yet.
        """
        self.require(table)
        reader = self.spark.readStream.format("delta").option("maxBytesPerTrigger", str(max_bytes))
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def read_changes(self, table: Table, starting: str, max_files: int | None) -> DataFrame:
        """Reads the rows added to a table as a stream.

        Args:
            table: A table with a change data feed.
            starting: `earliest` or `latest`.
            max_files: Maximum number of files per batch, which may divide a commit; None for no limit.

        Returns:
            The table's columns, `_change_type`, `_commit_version` and `_commit_timestamp`.

        Raises:
            MissingTableError: The table has not been made yet.
        """
        self.require(table)
        reader = self.spark.readStream.format("delta").options(
            readChangeFeed="true",
            startingVersion="0" if starting == "earliest" else "latest",
            # Delta's default of a thousand could divide even a single commit.
            maxFilesPerTrigger=str(_NO_LIMIT if max_files is None else max_files),
        )
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def require(self, table: Table) -> None:
        """Raises MissingTableError unless the table exists."""
        if not self.exists(table):
            raise MissingTableError(table)

    def append(
        self, table: Table, rows: DataFrame, transaction: Transaction | None = None, note: str | None = None
    ) -> None:
        """Appends the rows in one commit; does nothing if the transaction has been committed before.

        Args:
            table: The table.
            rows: All its columns.
            transaction: The commit's name; None for a commit that is never repeated.
            note: The `userMetadata` of the commit in the table's history.

        Raises:
            TableError: Another process has held the write lock for ten minutes.
        """
        self.create(table)
        options = {} if note is None else {"userMetadata": note}
        if transaction is not None:
            options |= {"txnAppId": transaction.application, "txnVersion": str(transaction.version)}
        with self.writing(table):
            self._save(rows, table, mode="append", options=options)

    def preload_transactions(self, table: Table) -> None:
        """Makes Delta look up a table's transactions before the next commit that names one.

        The look-up takes half a second of Spark jobs, which can run while the rows of the commit are computed. Delta
        keeps the result until the table changes.
        """
        if self._is_local:
            self.delta(table).detail()

    def overwrite(self, table: Table, rows: DataFrame, where: str | None = None) -> None:
        """Replaces all rows, or those that match a condition, in one commit.

        Raises:
            TableError: Another process has held the write lock for ten minutes.
        """
        self.create(table)
        with self.writing(table):
            self._save(rows, table, mode="overwrite", options={} if where is None else {"replaceWhere": where})

    def delta(self, table: Table) -> DeltaTable:
        """The table as a merge target, created if necessary; hold `writing(table)` while merging.

        Raises:
            TableError: Another process has held the write lock for ten minutes.
        """
        self.create(table)
        if self._is_local:
            return DeltaTable.forPath(self.spark, self._path(table))
        return DeltaTable.forName(self.spark, self._name(table))

    def alter(self, table: Table, change: str) -> None:
        """Changes the definition of a table: runs ALTER TABLE with the rest of the statement; hold `writing(table)`."""
        self.spark.sql(f"ALTER TABLE {self.identifier(table)} {change}")

    def version(self, table: Table) -> int:
        """The number of the table's newest commit; creates the table if necessary.

        Raises:
            TableError: The table has no commits, or another process has held the write lock for ten minutes.
        """
        newest = self.delta(table).history(1).select("version").first()
        if newest is None:
            raise TableError(f"table {table} has no commits")
        return int(newest["version"])

    def table_id(self, table: Table) -> str:
        """The id that Delta gave the table when it was created; a table recreated in its place has another.

        Raises:
            TableError: The table has no id, or another process has held the write lock for ten minutes.
        """
        found = self.delta(table).detail().select("id").first()
        if found is None:
            raise TableError(f"table {table} has no id")
        return str(found["id"])

    def checkpoint(self, stream: str) -> Checkpoint:
        """The checkpoint of a streaming query."""
        return Checkpoint(self.settings.checkpoint_folder / stream)

    @contextmanager
    def writing(self, table: Table) -> Iterator[None]:
        """Holds the table's write lock; on the platform, where Delta needs none, does nothing.

        Raises:
            TableError: Another process has held the lock for ten minutes.
        """
        if not self._is_local:
            yield
            return
        path = self.settings.lock_file(str(table))
        try:
            with FileLock(path, timeout=_LOCK_SECONDS):
                yield
        except Timeout:
            raise TableError(
                f"table {table} has been locked by another process for {_LOCK_SECONDS} s: {path}"
            ) from None

    @property
    def _is_local(self) -> bool:
        return self.settings.is_local

    def _path(self, table: Table) -> str:
        return self.settings.table_location(table)

    def identifier(self, table: Table) -> str:
        """The table in a SQL statement."""
        return f"delta.`{self._path(table)}`" if self._is_local else self._name(table)

    def _name(self, table: Table) -> str:
        return self.settings.table_name(table)

    def _save(self, rows: DataFrame, table: Table, mode: str, options: Mapping[str, str]) -> None:
        writer = rows.selectExpr(*SCHEMAS[table].names).write.format("delta").mode(mode).options(**options)
        if self._is_local:
            writer.save(self._path(table))
        else:
            writer.saveAsTable(self._name(table))
