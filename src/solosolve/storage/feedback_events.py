"""Records feedback events in `silver.feedback`, each once, and sets the others aside as dead letters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.names import DEAD_LETTERS, FEEDBACK, Table, Verdict
from solosolve.storage.tables import Tables
from solosolve.transforms.feedback_messages import (
    OUTCOMES,
    build_feedback_rows,
    build_refused_letters,
    read_feedback,
    with_outcome,
)

_IS_SAME_EVENT = (
    "old.feedback_id = new.feedback_id AND "
    f"(old.verdict = '{Verdict.WITHDRAWN}') = (new.verdict = '{Verdict.WITHDRAWN}')"
)
_IS_SAME_LETTER = "old.letter_id = new.letter_id"


@dataclass(frozen=True)
class Recorded:
    """Counts of messages; each is counted once.

    Attributes:
        new_count: Events that are now in `silver.feedback`.
        repeated_count: Events that were there already, or came twice.
        refused_count: Messages that are dead letters.
    """

    new_count: int = 0
    repeated_count: int = 0
    refused_count: int = 0

    @property
    def message_count(self) -> int:
        """All messages."""
        return self.new_count + self.repeated_count + self.refused_count

    @classmethod
    def total(cls, parts: Iterable[Recorded]) -> Recorded:
        """The sum of several counts."""
        counts = [(each.new_count, each.repeated_count, each.refused_count) for each in parts]
        return cls(*map(sum, zip(*counts, strict=True)))


def record_events(tables: Tables, messages: DataFrame) -> Recorded:
    """Appends the new events of some messages to `silver.feedback` and the refused ones to `bronze.dead_letters`.

    Both are recognised by their ids, so messages that are read again, in the same batches or others, add nothing.

    Args:
        tables: The tables; `silver.feedback` has all its columns.
        messages: The columns that `read_feedback` takes; a message that is read again has the same `letter_id`.

    Returns:
        What became of the messages.

    Raises:
        TableError: Another process has held a write lock for ten minutes.
    """
    read = read_feedback(messages, now(), tables.settings.max_request_bytes).persist()
    judged = with_outcome(read, tables.read(FEEDBACK)).persist()
    try:
        counts = {row["outcome"]: row["count"] for row in judged.groupBy("outcome").count().collect()}
        recorded = Recorded(*(counts.get(outcome, 0) for outcome in OUTCOMES))
        if recorded.new_count:
            _insert(tables, FEEDBACK, build_feedback_rows(judged), _IS_SAME_EVENT)
        if recorded.refused_count:
            _insert_letters(tables, build_refused_letters(judged))
    finally:
        judged.unpersist()
        read.unpersist()
    return recorded


def _insert_letters(tables: Tables, letters: DataFrame) -> None:
    """Inserts the letters that the table does not have; without any, there is no commit."""
    tables.create(DEAD_LETTERS)
    known = tables.read(DEAD_LETTERS).select("letter_id")
    new = letters.join(known, on="letter_id", how="left_anti").select(*letters.columns)
    if not new.isEmpty():
        _insert(tables, DEAD_LETTERS, new, _IS_SAME_LETTER)


def _insert(tables: Tables, table: Table, rows: DataFrame, is_same: str) -> None:
    """Inserts the rows that the table does not have, in one commit that changes no other row."""
    values = {name: F.col(f"new.{name}") for name in rows.columns}
    tables.create(table)
    with tables.writing(table):
        target = tables.delta(table).alias("old")
        target.merge(rows.alias("new"), is_same).whenNotMatchedInsert(None, values).execute()
