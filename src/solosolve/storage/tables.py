"""All reading and writing of Delta tables through Spark."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from delta.tables import DeltaTable
from filelock import FileLock, Timeout
from pyspark.sql import DataFrame, SparkSession

from solosolve.errors import TableError
from solosolve.names import MADE_BY, REQUESTS, STREAM_PROGRESS, Table
from solosolve.schemas import CHECKS, SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.checkpoints import Checkpoint
from solosolve.storage.delta_log import has_commits, newest_commit

_LOCK_SECONDS = 600
_NO_LIMIT = 2**31 - 1
_PROPERTIES = {
    # delta-rs, which the dashboard reads with, opens no table with deletion vectors.
    "delta.enableDeletionVectors": "false",
    # Every tenth commit would otherwise be slow.
    "delta.checkpointInterval": "100",
}
_PROPERTIES_OF: Mapping[Table, Mapping[str, str]] = {
    # The stream that scores requests reads each with the version that brought it.
    # A new stream, and a recovery, begin at the first one.
    REQUESTS: {"delta.enableChangeDataFeed": "true", "delta.logRetentionDuration": "interval 3650 days"},
    # Written every few seconds, and read for its newest rows only.
    STREAM_PROGRESS: {
        "delta.logRetentionDuration": "interval 1 day",
        "delta.deletedFileRetentionDuration": "interval 1 day",
    },
}
_SKIPPABLE = (
    *("complaint_id", "date_received", "_source_sha256", "_ingested_at", "model_version", "scored_at", "batch_id"),
    "ended_at",
)


def _statistics(table: Table) -> dict[str, str]:
    """File statistics on the columns that queries narrow by: on all of them they cost more than the write."""
    columns = [name for name in _SKIPPABLE if name in SCHEMAS[table].fieldNames()]
    return {"delta.dataSkippingStatsColumns": ",".join(columns)} if columns else {}


@dataclass(frozen=True)
class Transaction:
    """A commit's name: Delta ignores a second commit of one application with the same or an earlier version."""

    application: str
    version: int


@dataclass(frozen=True)
class Tables:
    """The project's tables, where the settings say they are.

    Local writes hold a lock per table across processes: Delta on a local disk is not safe for two
    writing processes (https://docs.delta.io/latest/delta-storage.html).
    """

    spark: SparkSession
    settings: Settings

    def create(self, table: Table) -> None:
        """Makes the table with its schema, NOT NULL columns, CHECK constraints and properties, unless it is there."""
        if self.exists(table):
            return
        builder = DeltaTable.createIfNotExists(self.spark).addColumns(SCHEMAS[table])
        builder = builder.location(self._path(table)) if self._is_local else builder.tableName(self._name(table))
        for key, value in {**_PROPERTIES, **_PROPERTIES_OF.get(table, {}), **_statistics(table)}.items():
            builder = builder.property(key, value)
        for name, condition in CHECKS.get(table, {}).items():
            builder = builder.property(f"delta.constraints.{name}", condition)
        with self.writing(table):
            builder.execute()

    def exists(self, table: Table) -> bool:
        """Whether the table has been made."""
        if self._is_local:
            return has_commits(Path(self._path(table)))
        return self.spark.catalog.tableExists(self._name(table))

    def read(self, table: Table, version: int | None = None) -> DataFrame:
        """Reads the table, or one earlier version of it.

        Raises:
            TableError: It has not been made yet; the message has the job that makes it.
        """
        self.require(table)
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def read_stream(self, table: Table) -> DataFrame:
        """Reads an append-only table as a stream, from its first version.

        Raises:
            TableError: It has not been made yet.
        """
        self.require(table)
        reader = self.spark.readStream.format("delta")
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def read_changes(self, table: Table, starting: str, max_files: int | None) -> DataFrame:
        """Reads what is added to a table as a stream.

        Args:
            table: A table with a change data feed.
            starting: `earliest` or `latest`.
            max_files: Files of one batch at most, where a commit may be divided; None for all that there are.

        Returns:
            The table's columns, `_change_type`, `_commit_version` and `_commit_timestamp`.

        Raises:
            TableError: It has not been made yet.
        """
        self.require(table)
        version = "0" if starting == "earliest" else "latest"
        reader = self.spark.readStream.format("delta").options(
            readChangeFeed="true",
            startingVersion=version,
            # Delta's own default is a thousand, and not even a commit's files would stay together.
            maxFilesPerTrigger=str(_NO_LIMIT if max_files is None else max_files),
        )
        return reader.load(self._path(table)) if self._is_local else reader.table(self._name(table))

    def require(self, table: Table) -> None:
        """Raises TableError, naming the job that makes it, when the table is not there."""
        if not self.exists(table):
            raise TableError(f"table {table} does not exist yet; run: {MADE_BY[table]}")

    def append(self, table: Table, rows: DataFrame, transaction: Transaction | None = None) -> None:
        """Adds the rows in one commit; nothing when the transaction was committed before."""
        self.create(table)
        options = {}
        if transaction is not None:
            options = {"txnAppId": transaction.application, "txnVersion": str(transaction.version)}
        with self.writing(table):
            self._save(rows, table, mode="append", options=options)

    def look_ahead(self, table: Table) -> None:
        """Has Delta find a table's transactions before the next commit, which names one, waits for them.

        Half a second of Spark jobs otherwise, that can go on while the commit's rows are being made. Delta keeps what
        it found until the table changes.
        """
        if self._is_local:
            self.delta(table).detail()

    def overwrite(self, table: Table, rows: DataFrame, where: str | None = None) -> None:
        """Replaces all rows, or those that a condition selects, in one commit."""
        self.create(table)
        with self.writing(table):
            self._save(rows, table, mode="overwrite", options={} if where is None else {"replaceWhere": where})

    def delta(self, table: Table) -> DeltaTable:
        """The table as a merge target; hold `writing(table)` while merging."""
        self.create(table)
        if self._is_local:
            return DeltaTable.forPath(self.spark, self._path(table))
        return DeltaTable.forName(self.spark, self._name(table))

    def version(self, table: Table) -> int:
        """The number of the table's newest commit."""
        newest = self.delta(table).history(1).select("version").first()
        if newest is None:
            raise TableError(f"table {table} has no commits")
        return int(newest["version"])

    def commits_from(self, table: Table, version: int) -> int | None:
        """How many commits a table has from a version on, without Spark; None on the platform."""
        if not self._is_local:
            return None
        return newest_commit(Path(self._path(table)), version - 1) - (version - 1)

    def table_id(self, table: Table) -> str:
        """The id that Delta gave the table when it was made; another one's in its place differs."""
        found = self.delta(table).detail().select("id").first()
        if found is None:
            raise TableError(f"table {table} has no id")
        return str(found["id"])

    def checkpoint(self, stream: str) -> Checkpoint:
        """Where a streaming query keeps its position."""
        if self._is_local:
            return Checkpoint(self.settings.home / "checkpoints" / stream)
        return Checkpoint(Path(f"/Volumes/{self.settings.catalog}/bronze/checkpoints/{stream}"))

    @contextmanager
    def writing(self, table: Table) -> Iterator[None]:
        """Holds the table's write lock (local only).

        Raises:
            TableError: Another process has held it for ten minutes.
        """
        if not self._is_local:
            yield
            return
        path = self.settings.home / "locks" / f"{table}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
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
        return os.fspath(self.settings.warehouse / table.layer / table.name)

    def _name(self, table: Table) -> str:
        return f"{self.settings.catalog}.{table}"

    def _save(self, rows: DataFrame, table: Table, mode: str, options: Mapping[str, str]) -> None:
        columns = SCHEMAS[table].fieldNames()
        writer = rows.selectExpr(*columns).write.format("delta").mode(mode).options(**options)
        if self._is_local:
            writer.save(self._path(table))
        else:
            writer.saveAsTable(self._name(table))
