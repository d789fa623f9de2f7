"""What the tables say, kept up to date and shared by all browsers: new rows are folded into what is known."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

import pyarrow as pa
from cachetools import LRUCache

from solosolve.dashboard.data.filters import Condition
from solosolve.errors import TableError
from solosolve.names import MADE_BY, Table
from solosolve.storage.reader import Reader, TableVersion, Value

logger = logging.getLogger("solosolve.dashboard")

_KEPT = 512
"""Answers that are kept; of these the one that was asked for longest ago goes first."""


class NotYetError(TableError):
    """A table has not been made yet; the message has the command that makes it."""


@dataclass(frozen=True)
class Question:
    """A statement over tables.

    Where `sums`, `lowest` or `highest` name columns, the answer over two sets of rows of its one table follows from the
    answers over each: rows with equal other columns become one, with those columns summed, or their lowest or highest.

    Attributes:
        sql: The statement.
        tables: What it reads.
        parameters: Values of its parameters.
        sums: Columns that add up.
        lowest: Columns of which the lowest counts.
        highest: Columns of which the highest counts.
    """

    sql: str
    tables: tuple[Table, ...]
    parameters: tuple[tuple[str, Value], ...] = ()
    sums: tuple[str, ...] = ()
    lowest: tuple[str, ...] = ()
    highest: tuple[str, ...] = ()

    @property
    def is_foldable(self) -> bool:
        """Whether an answer over new rows can be added to one over old ones."""
        return len(self.tables) == 1 and bool(self.sums or self.lowest or self.highest)

    def fold(self, known: pa.Table, new: pa.Table) -> pa.Table:
        """The answer over the rows of both."""
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
    """The question of a table's rows that meet a condition: `select`, then `rest` behind it."""
    sql = f"select {select} from {table} where {condition.sql} {rest}".strip()
    return Question(sql, (table,), condition.parameters, sums, lowest, highest)


@dataclass
class _Known:
    """An answer and the commits it is of."""

    versions: dict[Table, TableVersion] = field(default_factory=dict)
    rows: pa.Table | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Answers:
    """Answers questions; equal questions of any number of browsers are asked of the tables once a commit."""

    def __init__(self, reader: Reader) -> None:
        """Keeps the reader."""
        self.reader = reader
        self._known: LRUCache[Question, _Known] = LRUCache(_KEPT)
        self._lock = threading.Lock()

    def versions(self, tables: tuple[Table, ...]) -> dict[Table, TableVersion | None]:
        """The newest commit of each table; None for one that is not there."""
        return {table: self.reader.version(table) for table in tables}

    def ask(self, question: Question) -> pa.Table:
        """The answer as the tables are now.

        Raises:
            NotYetError: A table has not been made yet.
            TableError: A table cannot be read.
        """
        versions: dict[Table, TableVersion] = {}
        for table, version in self.versions(question.tables).items():
            if version is None:
                raise NotYetError(f"{table} does not exist yet; run: {MADE_BY[table]}")
            versions[table] = version
        known = self._entry(question)
        with known.lock:
            if known.rows is None or not _is_as_new(known.versions, versions):
                known.rows = self._answer(question, known, versions)
                known.versions = versions
            return known.rows

    def _answer(self, question: Question, known: _Known, versions: dict[Table, TableVersion]) -> pa.Table:
        parameters = dict(question.parameters)
        if known.rows is not None and question.is_foldable:
            table = question.tables[0]
            with self.reader.added(table, known.versions[table], versions[table]) as added:
                if added is not None:
                    try:
                        return question.fold(known.rows, added.query(question.sql, parameters))
                    except TableError as error:
                        logger.warning("new rows of %s cannot be read by themselves: %s", table, error)
        return self.reader.query(question.sql, parameters, versions)

    def _entry(self, question: Question) -> _Known:
        with self._lock:
            return self._known.setdefault(question, _Known())


def _is_as_new(known: dict[Table, TableVersion], found: dict[Table, TableVersion]) -> bool:
    """Whether no table has a commit that is not known; another browser's thread may know a newer one."""
    return all(
        known[table].table_id == version.table_id and known[table].number >= version.number
        for table, version in found.items()
    )
