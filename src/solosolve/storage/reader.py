"""The interface for SQL over the project's tables without a JVM, locally or through a warehouse."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import pyarrow as pa

from solosolve.errors import TableError
from solosolve.names import MADE_BY, Table

Value = str | int | float | datetime
"""What can be bound to a `:name` in a statement."""


_PARAMETER = re.compile(r"(?<!:):(?P<name>[a-z][a-z0-9_]*)")


def named_tables(sql: str) -> list[Table]:
    """The project's tables that a statement names, in order of first appearance."""
    found = {}
    for table in MADE_BY:
        pattern = rf'\b{table.layer}"?\s*\.\s*"?{table.name}\b'
        if match := re.search(pattern, sql, re.IGNORECASE):
            found[table] = match.start()
    return sorted(found, key=lambda table: found[table])


def with_values(sql: str, values: Mapping[str, Value]) -> str:
    """Writes values into a statement as literals, for an engine that takes no parameters.

    deltalake's QueryBuilder takes none (checked in 1.6.6), and Spark 4.2 binds none where Delta's parser is used.

    Args:
        sql: The statement; a parameter is `:name`.
        values: A value for each parameter. In a text, quotes are doubled and backslashes stay, as DataFusion reads it;
            Spark would read backslashes.

    Raises:
        TableError: A value is no finite number.
    """
    return _PARAMETER.sub(lambda found: _literal(values[found["name"]]), sql)


def _literal(value: Value) -> str:
    match value:
        case str():
            return "'" + value.replace("'", "''") + "'"
        case datetime():
            return f"timestamp '{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}'"
        case float() if not math.isfinite(value):
            raise TableError(f"{value} cannot be used in a query: not a finite number")
        case int() | float():
            return repr(value)


@dataclass(frozen=True)
class TableVersion:
    """One commit of one table; a recreated table gets another id."""

    table_id: str
    number: int


@dataclass(frozen=True)
class Commit:
    """When a commit of a table was made."""

    number: int
    at: datetime


@dataclass(frozen=True)
class TableSize:
    """How large a table is.

    Attributes:
        table: The table.
        row_count: Its rows.
        file_count: The data files of its newest version.
        byte_count: Their size in bytes; earlier versions may have more.
        committed_at: When its newest commit was made.
    """

    table: Table
    row_count: int
    file_count: int
    byte_count: int
    committed_at: datetime


class Reader(Protocol):
    """Answers SQL over the project's tables."""

    def tables(self) -> list[Table]:
        """The tables that exist, sorted by layer and name."""
        ...

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was created."""
        ...

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit; None if it does not exist."""
        ...

    def commits(self, table: Table) -> list[Commit]:
        """The commits of an existing table that its log still has, the newest first."""
        ...

    def size(self, table: Table) -> TableSize:
        """How large an existing table is: from its log, which is read once per commit, and not from its data.

        Raises:
            MissingTableError: The table has not been made yet.
        """
        ...

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Runs one read-only statement.

        Args:
            sql: The statement; tables are `<layer>.<table>`, a parameter is `:name`.
            parameters: A value for each parameter. A value is never read as SQL.
            versions: Commits to read instead of the newest ones.

        Returns:
            All rows; every timestamp as `timestamp[us, tz=UTC]`.

        Raises:
            MissingTableError: A table has not been made yet.
            TableError: The statement is refused or fails.
        """
        ...

    def added(self, table: Table, since: TableVersion, until: TableVersion) -> AbstractContextManager[Reader | None]:
        """Opens the rows that were added to a table between two of its commits.

        Returns:
            A reader that sees only that table, and only those rows. None if rows were also removed, or if that is
            unknown: query the whole table instead.
        """
        ...
