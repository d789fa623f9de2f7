"""Requests in the Delta table of the local target, written without a JVM, under the lock that Spark's writers hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from solosolve.errors import TableError, one_line
from solosolve.names import REQUESTS
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_columns import add_columns
from solosolve.table_properties import table_properties

LOCK_SECONDS = 30.0
"""How long to wait for another process that writes the table."""


def append_requests(settings: Settings, rows: Sequence[Mapping[str, Any]], lock_seconds: float = LOCK_SECONDS) -> None:
    """Appends rows to `bronze.inference_requests` in one commit; the first ones create the table.

    Args:
        settings: The settings that locate the table.
        rows: Column to value; a column that is missing is null.
        lock_seconds: How long to wait for the table's lock.

    Raises:
        TableError: Another process holds the table's lock, or the rows cannot be written.
    """
    schema, location = SCHEMAS[REQUESTS], settings.table_location(REQUESTS)
    try:
        with FileLock(settings.lock_file(str(REQUESTS)), timeout=lock_seconds):
            if DeltaTable.is_deltatable(location):
                add_columns(DeltaTable(location), schema)
            else:
                DeltaTable.create(location, schema, configuration=table_properties(REQUESTS))
            write_deltalake(location, pa.Table.from_pylist(list(rows), schema=schema), mode="append")
    except Timeout:
        raise TableError(f"{REQUESTS} has been locked by another process for {lock_seconds:g} s") from None
    except (DeltaError, OSError) as error:
        raise TableError(f"{REQUESTS} cannot be written: {one_line(error)}") from error
