"""Tables that are asked for facts, any of which may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from solosolve.errors import MissingTableError
from solosolve.names import Table
from solosolve.storage.reader import Value


class Ask(Protocol):
    """Answers one statement over tables."""

    def __call__(
        self,
        sql: str,
        tables: tuple[Table, ...],
        values: Mapping[str, Value],
        *,
        sums: tuple[str, ...] = (),
        lowest: tuple[str, ...] = (),
        highest: tuple[str, ...] = (),
    ) -> pa.Table:
        """Returns all rows, with instants in UTC.

        If `sums`, `lowest` or `highest` name columns, the answer over a single table can be folded from answers over
        parts of its rows: rows that agree in the other columns are merged.

        Args:
            sql: The statement; a table is `<layer>.<table>`, a parameter `:name`.
            tables: The tables that it names.
            values: A value for each parameter.
            sums: Columns to sum.
            lowest: Columns to take the minimum of.
            highest: Columns to take the maximum of.

        Raises:
            MissingTableError: A table does not exist.
        """
        ...


@dataclass(frozen=True)
class AskedTables:
    """The tables, of which any may be missing."""

    ask: Ask

    def rows(
        self, sql: str, *tables: Table, sums: tuple[str, ...] = (), lowest: tuple[str, ...] = (),
        highest: tuple[str, ...] = (), **values: Value,
    ) -> list[dict[str, Any]]:  # fmt: skip
        """The rows; none if a table does not exist."""
        try:
            return self.ask(sql, tables, values, sums=sums, lowest=lowest, highest=highest).to_pylist()
        except MissingTableError:
            return []

    def columns(self, table: Table) -> list[str]:
        """The names of its columns; none if it does not exist."""
        try:
            return self.ask(f"select * from {table} limit 0", (table,), {}).column_names
        except MissingTableError:
            return []

    def has(self, table: Table) -> bool:
        """Whether a table has rows."""
        return bool(self.rows(f"select 1 as one from {table} limit 1", table))
