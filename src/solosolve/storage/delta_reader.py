"""SQL over the local Delta tables: delta-rs opens them, and its DataFusion engine runs the queries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from solosolve.errors import MissingTableError, TableError
from solosolve.names import MADE_BY, Layer, Table
from solosolve.storage.delta_log import commit_file, has_commits, newest_commit, only_added
from solosolve.storage.known_sizes import KnownSizes
from solosolve.storage.reader import Commit, Reader, TableSize, TableVersion, Value, named_tables, with_values

_ENGINE_OPTIONS = {
    # SHOW TABLES and SHOW COLUMNS need it.
    "datafusion.catalog.information_schema": "true",
    # Names ignore case, as in Spark; delta-rs turns this off by default.
    "datafusion.sql_parser.enable_ident_normalization": "true",
}
_COMMENTS = r"(?:\s|\(|--[^\n]*(?:\n|$)|/\*.*?\*/)*"
_EXPLAIN = rf"(?:explain\b{_COMMENTS}(?:(?:analyze|verbose)\b{_COMMENTS})*(?:format\s+\w+{_COMMENTS})?)?"
# EXPLAIN ANALYZE runs the statement, so the explained statement must be read-only too: COPY would write a file.
_QUESTION = re.compile(rf"{_COMMENTS}{_EXPLAIN}(?:select|with|show|describe|desc)\b", re.IGNORECASE | re.DOTALL)
_ASKS_FOR_NAMES = re.compile(rf"{_COMMENTS}show\b|\binformation_schema\b", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class _Seen:
    """A table as it was last seen: the newest commit, the inode and time of its file, and the schema.

    The file shows whether the table was recreated.
    """

    version: TableVersion
    file: tuple[int, int]
    schema: str


@dataclass(frozen=True)
class DeltaReader:
    """Reads the Delta tables below a local warehouse folder (`<warehouse>/<layer>/<table>`)."""

    warehouse: Path
    _seen: dict[Table, _Seen] = field(default_factory=dict, compare=False, repr=False)
    _sizes: KnownSizes = field(default_factory=KnownSizes, compare=False, repr=False)

    def tables(self) -> list[Table]:
        """The tables that exist, sorted by layer and name."""
        return sorted((table for table in MADE_BY if self._exists(table)), key=str)

    def table_id(self, table: Table) -> str:
        """The id that Delta gave an existing table when it was created."""
        return str(opened(self._location(table)).metadata().id)

    def version(self, table: Table) -> TableVersion | None:
        """The table's newest commit; None if it does not exist.

        For a table seen before, this only looks up a few file names, however many commits it has.
        """
        path, seen = self._path(table), self._seen.get(table)
        if seen is not None and _file(path, seen.version.number) == seen.file:
            version = TableVersion(seen.version.table_id, newest_commit(path, seen.version.number))
            schema = seen.schema
        elif self._exists(table):
            found = opened(path)
            version = TableVersion(str(found.metadata().id), found.version())
            schema = found.schema().to_json()
        else:
            return None
        file = _file(path, version.number)
        if file is not None:
            self._seen[table] = _Seen(version, file, schema)
        return version

    def commits(self, table: Table) -> list[Commit]:
        """The commits of an existing table that its log still has, the newest first."""
        history = opened(self._location(table)).history()
        return [Commit(each["version"], _instant(each["timestamp"])) for each in history]

    def size(self, table: Table) -> TableSize:
        """How large an existing table is; see `Reader.size`.

        Raises:
            MissingTableError: The table has not been made yet.
            TableError: It cannot be read.
        """
        return self._sizes.find(table, self.version(table), self._size)

    def _size(self, table: Table) -> TableSize:
        found = opened(self._location(table))
        files = pa.table(found.get_add_actions(flatten=True))
        counts, at = files["num_records"], found.history(1)[0]["timestamp"]
        # A writer may leave statistics out; then the footers of the data files have the number of rows.
        row_count = pc.sum(counts).as_py() or 0
        if counts.null_count:
            row_count = self.query(f"select count(*) as n from {table}")["n"][0].as_py()
        return TableSize(table, row_count, files.num_rows, pc.sum(files["size_bytes"]).as_py() or 0, _instant(at))

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Runs one SELECT, WITH, SHOW, DESCRIBE or EXPLAIN statement over the tables.

        Args:
            sql: DataFusion SQL (https://datafusion.apache.org/user-guide/sql/); tables are `<layer>.<table>`.
            parameters: A value for each `:name` in it; a value is never read as SQL.
            versions: Commits to read instead of the newest ones.

        Returns:
            All rows; strings as `string`, every timestamp as `timestamp[us, tz=UTC]`.

        Raises:
            MissingTableError: A table has not been made yet.
            TableError: The statement is not read-only, names an unknown table, or fails.
        """
        if not _QUESTION.match(sql):
            raise TableError(f"only SELECT, WITH, SHOW, DESCRIBE and EXPLAIN are allowed, found: {_shortened(sql)}")
        bound = with_values(sql, parameters) if parameters else sql
        try:
            return _with_plain_types(pa.table(self._engine(sql, versions or {}).execute(bound).read_all()))
        except Exception as error:
            # The engine raises DeltaError while planning and a bare Exception while running (a division by zero).
            if not isinstance(error, DeltaError) and type(error) is not Exception:
                raise
            raise self._explained(sql, error) from error

    @contextmanager
    def added(self, table: Table, since: TableVersion, until: TableVersion) -> Iterator[Reader | None]:
        """Opens the rows that were added to a table between two commits; None if rows were also removed."""
        seen = self._seen.get(table)
        if seen is None or not since.table_id == until.table_id == seen.version.table_id or since.number > until.number:
            yield None
            return
        # A commit in between that changed the schema has an action that says so.
        with only_added(self._path(table), since.number, until.number, seen.schema) as folder:
            if folder is None:
                # The schema may have changed, so the table is opened again next time.
                self._seen.pop(table, None)
            yield None if folder is None else _OneTable(folder.parent, table=table, folder=folder)

    def _engine(self, sql: str, versions: Mapping[Table, TableVersion]) -> QueryBuilder:
        engine = QueryBuilder(_ENGINE_OPTIONS)
        for layer in Layer:
            engine.execute(f"create schema {layer}").read_all()
        named = MADE_BY if _ASKS_FOR_NAMES.search(sql) else named_tables(sql)
        for table in self.tables():
            if table in named:
                number = versions[table].number if table in versions else None
                engine.register(str(table), DeltaTable(self._location(table), version=number))
        return engine

    def _explained(self, sql: str, error: Exception) -> TableError:
        """The error of a failed statement: a table that does not exist, or else the engine's reason."""
        existing = self.tables()
        named = named_tables(sql)
        for table in named:
            if table not in existing:
                return MissingTableError(table)
        reason = _one_line(str(error))
        if named:
            return TableError(reason)
        there = ", ".join(map(str, existing)) or f"none yet; run: {next(iter(MADE_BY.values()))}"
        return TableError(f"{reason}; existing tables: {there}")

    def _exists(self, table: Table) -> bool:
        return has_commits(self._path(table))

    def _path(self, table: Table) -> Path:
        return table.folder_in(self.warehouse)

    def _location(self, table: Table) -> Path | str:
        """Where delta-rs opens the table."""
        return self._path(table)


@dataclass(frozen=True)
class _OneTable(DeltaReader):
    """Reads one table from any folder."""

    table: Table = field(kw_only=True)
    folder: Path = field(kw_only=True)

    def _path(self, table: Table) -> Path:
        return self.folder if table == self.table else self.folder / "none"


def opened(location: Path | str) -> DeltaTable:
    """Opens a table.

    Raises:
        TableError: It cannot be read.
    """
    try:
        return DeltaTable(location)
    except DeltaError as error:
        raise TableError(f"{location} cannot be read: {_one_line(str(error))}") from error


def _instant(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def _file(table: Path, number: int) -> tuple[int, int] | None:
    try:
        found = commit_file(table, number).stat()
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_mtime_ns


def _one_line(message: str) -> str:
    """The innermost cause of an error that DataFusion reports as a chain."""
    return " ".join(message.rsplit("caused by\n", maxsplit=1)[-1].split())


def _shortened(sql: str) -> str:
    words = " ".join(sql.split())
    return f"{words[:40]}..." if len(words) > 40 else words or "nothing"


def _with_plain_types(table: pa.Table) -> pa.Table:
    """Casts string views to strings, which every writer accepts, and timestamps to UTC microseconds."""
    return table.cast(pa.schema([field.with_type(_plain(field.type)) for field in table.schema]), safe=False)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_binary_view(kind):
        return pa.binary()
    # Timestamps without a zone (now(), a cast date) are UTC. Python has no type for nanoseconds.
    return pa.timestamp("us", tz="UTC") if pa.types.is_timestamp(kind) else kind
