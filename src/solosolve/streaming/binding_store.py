"""The rows of `bronze.checkpoints`: each stream's checkpoints and sources over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pyspark.sql import Column
from pyspark.sql import functions as F

from solosolve.names import CHECKPOINTS, Table
from solosolve.spark_schemas import spark_schema
from solosolve.storage.tables import Tables

_INSTANTS = ("bound_at", "begun_at")


@dataclass(frozen=True)
class Binding:
    """A row of `bronze.checkpoints`: a stream's checkpoint and source from a point in time on. The newest row applies.

    Attributes:
        stream: The stream's name.
        checkpoint_id: The identity of its checkpoint; empty until its first batch.
        source_id: What it reads: a table, or a topic and its cluster.
        table_ids: What it writes: Delta's ids of the tables.
        bound_at: Start of the period in which the stream wrote this source's rows.
        begun_at: Start of the period in which this checkpoint wrote this source's rows.
        is_recovering: Whether messages whose position the tables already have must be skipped.
    """

    stream: str
    checkpoint_id: str
    source_id: str
    table_ids: str
    bound_at: datetime
    begun_at: datetime
    is_recovering: bool


@dataclass(frozen=True)
class Period:
    """A stretch of time, from `since` (inclusive) to `until` (exclusive); None while it lasts."""

    since: datetime
    until: datetime | None


class BindingStore(Protocol):
    """The bindings of one stream, and the tables it writes."""

    def read(self) -> list[Binding]:
        """Reads the stream's bindings, oldest first."""
        ...

    def write(self, binding: Binding) -> None:
        """Adds a binding, or replaces the one with the same `bound_at`."""
        ...

    def table_ids(self) -> str:
        """Returns the ids of the tables as they are now; a recreated table has another id."""
        ...


@dataclass(frozen=True)
class DeltaBindingStore:
    """The bindings of one stream in `bronze.checkpoints`."""

    tables: Tables
    stream: str
    written: Sequence[Table]

    def read(self) -> list[Binding]:
        """Reads the stream's bindings, oldest first."""
        if not self.tables.exists(CHECKPOINTS):
            return []
        rows = self.tables.read(CHECKPOINTS).where(F.col("stream") == self.stream).orderBy("bound_at").collect()
        return [Binding(**row.asDict() | {name: row[name].astimezone(UTC) for name in _INSTANTS}) for row in rows]

    def write(self, binding: Binding) -> None:
        """Adds a binding, or replaces the one with the same `bound_at`, in one commit."""
        row = self.tables.spark.createDataFrame([binding], spark_schema(CHECKPOINTS))
        where = f"stream = '{self.stream}' AND bound_at = TIMESTAMP '{binding.bound_at:%Y-%m-%d %H:%M:%S.%f} UTC'"
        self.tables.overwrite(CHECKPOINTS, row, where=where)

    def table_ids(self) -> str:
        """Returns Delta's ids of the tables; creates those that are missing."""
        return " ".join(self.tables.table_id(table) for table in self.written)


def is_within(periods: Sequence[Period], column: str) -> Column:
    """Whether the instant in a TIMESTAMP column lies in any of the periods; false when there are none."""
    is_in_any = F.lit(False)
    for period in periods:
        is_in_period = F.col(column) >= F.lit(period.since)
        if period.until is not None:
            is_in_period &= F.col(column) < F.lit(period.until)
        is_in_any |= is_in_period
    return is_in_any
