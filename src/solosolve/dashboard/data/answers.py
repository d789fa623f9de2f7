"""Answers to the dashboard's questions, cached for all browsers and updated from new rows only."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import pyarrow as pa
from cachetools import LRUCache

from solosolve.clock import now
from solosolve.dashboard.data.filters import Condition
from solosolve.dashboard.data.read_failures import ReadFailures
from solosolve.errors import MissingTableError, TableError, UnreadableTablesError, one_line
from solosolve.names import Table
from solosolve.settings import Settings
from solosolve.storage.reader import Reader, TableVersion, Value

logger = logging.getLogger("solosolve.dashboard")

_MAX_CACHED_ANSWERS = 512
"""Answers in the cache; when it is full, the least recently used one is dropped."""


@dataclass(frozen=True)
class Question:
    """A SQL statement over tables.

    If `sums`, `lowest` or `highest` name columns, the answer over all rows of the question's one table can be folded
    from the answers over two parts of them: rows that agree in the other columns are merged, and the named columns are
    summed, or their minimum or maximum is taken.

    Attributes:
        sql: The statement.
        tables: The tables that it reads.
        parameters: Values of its parameters.
        sums: Columns to sum.
        lowest: Columns to take the minimum of.
        highest: Columns to take the maximum of.
    """

    sql: str
    tables: tuple[Table, ...]
    parameters: tuple[tuple[str, Value], ...] = ()
    sums: tuple[str, ...] = ()
    lowest: tuple[str, ...] = ()
    highest: tuple[str, ...] = ()

    @property
    def is_foldable(self) -> bool:
        """Whether an answer over new rows can be folded into an answer over old ones."""
        return len(self.tables) == 1 and bool(self.sums or self.lowest or self.highest)

    def fold(self, known: pa.Table, new: pa.Table) -> pa.Table:
        """Folds the answers over two sets of rows into the answer over both."""
        measures = [
            *((name, "sum") for name in self.sums),
            *((name, "min") for name in self.lowest),
            *((name, "max") for name in self.highest),
        ]
        keys = [name for name in known.column_names if name not in dict(measures)]
        both = pa.concat_tables([known, new.cast(known.schema)])
        folded = both.group_by(keys, use_threads=False).aggregate(measures)
        names = {f"{name}_{kind}": name for name, kind in measures}
        return folded.rename_columns([names.get(name, name) for name in folded.column_names]).select(known.column_names)


def ask_where(
    select: str, table: Table, condition: Condition, rest: str = "", *, sums: tuple[str, ...] = (),
    lowest: tuple[str, ...] = (), highest: tuple[str, ...] = (),
) -> Question:  # fmt: skip
    """Builds the question `select ... from table where condition`, followed by `rest` (`group by`, `order by`)."""
    sql = f"select {select} from {table} where {condition.sql} {rest}".strip()
    return Question(sql, (table,), condition.parameters, sums, lowest, highest)


@dataclass
class _CachedAnswer:
    """An answer, and the table versions that it was read from."""

    versions: dict[Table, TableVersion] = field(default_factory=dict)
    rows: pa.Table | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Answers:
    """Answers questions; however many browsers ask the same one, the tables are read once per commit."""

    def __init__(self, reader: Reader, settings: Settings | None = None) -> None:
        """Starts with no answers.

        Args:
            reader: Reads the tables.
            settings: The thresholds of alerts, and where the runs of jobs are recorded; None if nothing shows them.
        """
        self.reader, self.settings = reader, settings
        self._cache: LRUCache[Question, _CachedAnswer] = LRUCache(_MAX_CACHED_ANSWERS)
        self._lock = threading.Lock()
        self._failures = ReadFailures()

    @property
    def unreadable(self) -> dict[tuple[Table, ...], datetime]:
        """Tables that the last question about them could not read, and since when."""
        return self._failures.since

    def versions(self, tables: tuple[Table, ...]) -> dict[Table, TableVersion | None]:
        """Returns the newest version of each table; None for a table that does not exist.

        Raises:
            UnreadableTablesError: A table cannot be read.
        """
        return {table: self._version(table) for table in tables}

    def query(
        self,
        sql: str,
        tables: tuple[Table, ...],
        parameters: Mapping[str, Value] | None = None,
        versions: Mapping[Table, TableVersion] | None = None,
    ) -> pa.Table:
        """Reads the tables without keeping the answer, for questions that are asked once, such as a page of rows.

        Raises:
            MissingTableError: A table has not been made yet.
            UnreadableTablesError: A table cannot be read. Of earlier versions, that says nothing about the table.
        """
        if versions is None:
            return self._query(sql, tables, parameters, None)
        try:
            return self.reader.query(sql, parameters, versions)
        except MissingTableError:
            raise
        except TableError as error:
            logger.warning("cannot read %s as it was: %s", " and ".join(map(str, tables)), one_line(error))
            raise UnreadableTablesError(tables, now()) from error

    def ask(self, question: Question) -> pa.Table:
        """Returns the answer over the newest version of the tables.

        Raises:
            MissingTableError: A table has not been made yet.
            UnreadableTablesError: A table cannot be read.
        """
        versions: dict[Table, TableVersion] = {}
        for table, version in self.versions(question.tables).items():
            if version is None:
                raise MissingTableError(table)
            versions[table] = version
        cached = self._cached(question)
        with cached.lock:
            if cached.rows is None or not _is_up_to_date(cached.versions, versions):
                cached.rows = self._read(question, cached, versions)
                cached.versions = versions
            else:
                self._failures.note_versions(versions)
            return cached.rows

    def _read(self, question: Question, cached: _CachedAnswer, versions: dict[Table, TableVersion]) -> pa.Table:
        """Folds the rows that were added into the cached answer if that is possible; else reads the whole tables."""
        parameters = dict(question.parameters)
        if cached.rows is not None and question.is_foldable:
            table = question.tables[0]
            with self.reader.added(table, cached.versions[table], versions[table]) as added:
                if added is not None:
                    try:
                        folded = question.fold(cached.rows, added.query(question.sql, parameters))
                        self._failures.note_read(question.tables)
                        return folded
                    except TableError as error:
                        logger.warning("cannot read only the new rows of %s, reading all of it: %s", table, error)
        return self._query(question.sql, question.tables, parameters, versions)

    def _query(
        self,
        sql: str,
        tables: tuple[Table, ...],
        parameters: Mapping[str, Value] | None,
        versions: Mapping[Table, TableVersion] | None,
    ) -> pa.Table:
        """Reads the tables as they are now, and remembers whether that worked."""
        try:
            found = self.reader.query(sql, parameters, versions)
        except MissingTableError:
            raise
        except TableError as error:
            raise self._failures.note_failure(tables, versions or {}, error) from error
        self._failures.note_read(tables)
        return found

    def _version(self, table: Table) -> TableVersion | None:
        try:
            found = self.reader.version(table)
        except TableError as error:
            raise self._failures.note_lost(table, error) from error
        self._failures.note_found(table)
        return found

    def _cached(self, question: Question) -> _CachedAnswer:
        with self._lock:
            return self._cache.setdefault(question, _CachedAnswer())


def _is_up_to_date(cached: dict[Table, TableVersion], found: dict[Table, TableVersion]) -> bool:
    """Whether every cached version is at least as new as the one found; another thread may have read a newer one."""
    return all(
        cached[table].table_id == version.table_id and cached[table].number >= version.number
        for table, version in found.items()
    )
