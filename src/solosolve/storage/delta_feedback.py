"""Feedback in the Delta table of the local target, written without a JVM, under the lock that Spark's writers hold."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from solosolve.errors import TableError, one_line
from solosolve.names import FEEDBACK
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.delta_columns import add_columns
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import ALL_VERDICTS, Feedback, Verdict
from solosolve.storage.store_reader import reader_of
from solosolve.table_properties import table_properties

LOCK_SECONDS = 10.0
"""How long a reviewer waits for another process that writes the table."""


@dataclass(frozen=True)
class DeltaFeedback:
    """The table `silver.feedback`, a folder below the home or in a store; the first row creates it."""

    settings: Settings
    lock_seconds: float = LOCK_SECONDS

    def record(self, feedback: Feedback) -> bool:
        """Appends feedback once; see `FeedbackLog.record`.

        Raises:
            TableError: Another process holds the table's lock, or the row cannot be written.
        """
        try:
            # Spark and delta-rs guard the commits of some stores in different ways: only the lock keeps them apart.
            with FileLock(self.settings.lock_file(str(FEEDBACK)), timeout=self.lock_seconds):
                return _append(reader_of(self.settings), self.settings.table_location(FEEDBACK), feedback)
        except Timeout:
            raise TableError(f"{FEEDBACK} is being written by another process; try again") from None
        except (DeltaError, OSError) as error:
            raise TableError(f"{FEEDBACK} cannot be written: {one_line(error)}") from error


def _append(reader: DeltaReader, location: str, feedback: Feedback) -> bool:
    schema = SCHEMAS[FEEDBACK]
    if reader.version(FEEDBACK) is None:
        DeltaTable.create(location, schema, configuration=table_properties(FEEDBACK))
    elif _is_recorded(reader, feedback):
        return False
    else:
        add_columns(DeltaTable(location), schema)
    write_deltalake(location, pa.Table.from_pylist([feedback.as_row()], schema=schema), mode="append")
    return True


def _is_recorded(reader: DeltaReader, feedback: Feedback) -> bool:
    """Whether the submission is recorded or, for a verdict, the complaint has one from its source that stands."""
    sql = f"select feedback_id from {FEEDBACK} where feedback_id = :feedback_id"
    if feedback.verdict == Verdict.WITHDRAWN:
        sql += f" and verdict = '{Verdict.WITHDRAWN}'"
    else:
        sql += (
            f" union all select feedback_id from {ALL_VERDICTS} as verdicts "
            "where complaint_id = :complaint_id and source = :source"
        )
    recorded = reader.query(
        sql,
        {
            "feedback_id": feedback.feedback_id,
            "complaint_id": feedback.complaint_id,
            "source": feedback.source,
        },
    )
    return recorded.num_rows > 0
