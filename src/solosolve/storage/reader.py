"""What answers SQL over the project's tables without a JVM, wherever they are."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import pyarrow as pa

from solosolve.names import Table

Value = str | int | float | datetime
"""What may stand for a `:name` in a statement."""


@dataclass(frozen=True)
class TableVersion:
    """One commit of one table: a table that was made anew in another's place has another id."""

    table_id: str
    number: int


class Reader(Protocol):
    """Answers SQL over the project's tables, wherever they are."""

    def tables(self) -> list[Table]:
        """The tables that exist, in order of layer and name."""
        ...

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was made."""
        ...

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit; None while it does not exist."""
        ...

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Answers one statement that only reads; timestamps come back as UTC.

        Args:
            sql: The statement; tables are `<layer>.<table>`, a parameter is `:name`.
            parameters: A value for each parameter. A value is never read as SQL.
            versions: Which commit of a table is read, where not the newest.
        """
        ...

    def added(self, table: Table, since: TableVersion, until: TableVersion) -> AbstractContextManager[Reader | None]:
        """What was added to a table between two of its commits.

        Returns:
            A reader that sees that table alone, and of it only those rows; None where rows were also taken away, or it
            cannot be told: ask the whole table then.
        """
        ...
