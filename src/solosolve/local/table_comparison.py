"""Compares the tables of two homes as multisets of rows, to show that two ways of running the jobs give the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from solosolve.names import COMPLAINTS, COMPLAINTS_RAW, FEATURES, PREDICTIONS, QUARANTINE, REJECTED, Table
from solosolve.storage.delta_reader import DeltaReader

COMPARED = (COMPLAINTS_RAW, QUARANTINE, COMPLAINTS, REJECTED, FEATURES, PREDICTIONS)

_OF_A_RUN = {"feature_model_uri", "batch_id", "source_position"}
"""Ids and positions that each run makes for itself, as it does all times."""
_BATCH_ROWS = 1_000


@dataclass(frozen=True)
class Comparison:
    """How the rows of one table compare.

    Attributes:
        table: The table.
        row_count: Its rows in the first home.
        only_first: Rows of the first home that the second does not have, or has fewer times.
        only_second: The same the other way round.
    """

    table: Table
    row_count: int
    only_first: int
    only_second: int

    @property
    def is_equal(self) -> bool:
        """Whether both homes have the same rows, each as often."""
        return not self.only_first and not self.only_second

    def __str__(self) -> str:
        if self.is_equal:
            return f"{self.table}: {self.row_count:,} rows, equal"
        return f"{self.table}: {self.only_first:,} rows only in the first, {self.only_second:,} only in the second"


def compare(first: DeltaReader, second: DeltaReader, tables: Sequence[Table] = COMPARED) -> list[Comparison]:
    """Compares tables of two homes; numbers must be equal in every bit.

    Raises:
        MissingTableError: A table is missing in one of them.
    """
    return [_compared(table, *(_rows(each, table) for each in (first, second))) for table in tables]


def _compared(table: Table, first: Counter[bytes], second: Counter[bytes]) -> Comparison:
    return Comparison(table, first.total(), (first - second).total(), (second - first).total())


def _rows(reader: DeltaReader, table: Table) -> Counter[bytes]:
    """A digest of each row, and how often the row occurs."""
    found = reader.query(f"select * from {table}")
    kept = [
        field.name for field in found.schema if not pa.types.is_timestamp(field.type) and field.name not in _OF_A_RUN
    ]
    rows: Counter[bytes] = Counter()
    for batch in found.select(kept).to_batches(_BATCH_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        # The text of a float is that of no other float.
        rows.update(hashlib.blake2b(repr(row).encode()).digest() for row in zip(*columns, strict=True))
    return rows
