"""Makes staged Parquet files part of their table, in one commit."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
from pyspark.sql import functions as F

from solosolve.errors import TableError
from solosolve.names import Table
from solosolve.spark_schemas import spark_schema
from solosolve.storage.staged_files import StagedFile
from solosolve.storage.tables import Tables
from solosolve.table_properties import CHECKS

STAGED = "_staged"
"""The folder of staged files among the checkpoints, where tables are no folders."""


def staging_folder(tables: Tables, table: Table) -> str:
    """A folder for files that `adopt` adds; creates the table and the folder.

    Where tables are folders it is the table's own, in which files that no commit names are invisible.
    """
    tables.create(table)
    settings = tables.settings
    folder = settings.table_folder(table) if settings.has_table_folders else tables.checkpoint(STAGED).folder
    folder.mkdir(parents=True, exist_ok=True)
    return os.fspath(folder)


def adopt(tables: Tables, table: Table, files: Sequence[StagedFile], *, overwrites: bool = False) -> None:
    """Appends the rows of staged files in one commit, or replaces all rows by them.

    Where tables are folders, the files become part of the table as they are. In a store, and on the platform, where the
    catalog alone may write a table's files, Spark copies their rows.

    Args:
        tables: The tables.
        table: The table.
        files: Staged files, in `staging_folder`; those for other tables are left alone.
        overwrites: Whether they replace all rows.

    Raises:
        TableError: A row does not meet a constraint of the table, or another process has held the write lock for ten
            minutes.
    """
    files = [file for file in files if file.table == str(table)]
    if not files and not overwrites:
        return
    if tables.settings.has_table_folders:
        _require_constraints(tables, table, files)
        with tables.writing(table):
            _commit(os.fspath(tables.settings.table_folder(table)), files, "overwrite" if overwrites else "append")
        return
    rows = tables.spark.read.schema(spark_schema(table)).parquet(*(file.path for file in files))
    if overwrites:
        tables.overwrite(table, rows)
    else:
        tables.append(table, rows)
    for file in files:
        Path(file.path).unlink(missing_ok=True)


def _require_constraints(tables: Tables, table: Table, files: Sequence[StagedFile]) -> None:
    """Checks what Delta would check if it wrote the rows itself."""
    if not CHECKS.get(table) or not files:
        return
    rows = tables.spark.read.schema(spark_schema(table)).parquet(*(file.path for file in files))
    # Delta takes a condition that is null for one that does not hold.
    broken = [
        F.count_if(~F.coalesce(F.expr(condition), F.lit(False))).alias(name)
        for name, condition in CHECKS[table].items()
    ]
    found = rows.agg(*broken).collect()[0].asDict()
    if violated := [f"{name} ({count} rows)" for name, count in found.items() if count]:
        raise TableError(f"{table}: rows do not meet {', '.join(violated)}")


def _commit(table_folder: str, files: Sequence[StagedFile], mode: str) -> None:
    # The platform has no delta-rs.
    from deltalake import DeltaTable
    from deltalake.transaction import AddAction

    table = DeltaTable(table_folder)
    added = [
        AddAction(
            path=os.path.relpath(file.path, table_folder),
            size=file.size,
            partition_values={},
            modification_time=int(time.time() * 1000),
            data_change=True,
            stats=_statistics(file),
        )
        for file in files
    ]
    table.create_write_transaction(added, mode, table.schema())


def _statistics(file: StagedFile) -> str:
    """A file's statistics, as the Delta protocol writes them."""
    found = {"numRecords": file.row_count, "minValues": file.minimum, "maxValues": file.maximum}
    return msgspec.json.encode(found).decode()
