"""Feedback in the local Delta table, written without a JVM under the lock that Spark's writers hold too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from solosolve.errors import TableError, one_line
from solosolve.names import FEEDBACK
from solosolve.settings import Settings
from solosolve.storage.delta_log import has_commits
from solosolve.storage.delta_reader import DeltaReader
from solosolve.storage.feedback import FEEDBACK_PROPERTIES, FEEDBACK_SCHEMA, Feedback, Verdict

_LOCK_SECONDS = 10


@dataclass(frozen=True)
class DeltaFeedback:
    """The table `silver.feedback` below the home; made with the first row."""

    settings: Settings

    def record(self, feedback: Feedback) -> bool:
        """Appends a row, unless one with its id stands there, or the complaint has a verdict.

        Raises:
            TableError: Another process holds the table's lock, or the row cannot be written.
        """
        path = self.settings.warehouse / FEEDBACK.layer / FEEDBACK.name
        lock = self.settings.home / "locks" / f"{FEEDBACK}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(lock, timeout=_LOCK_SECONDS):
                return _append(DeltaReader(self.settings.warehouse), path, feedback)
        except Timeout:
            raise TableError(f"{FEEDBACK} is being written by another process; try again") from None
        except (DeltaError, OSError) as error:
            raise TableError(f"{FEEDBACK} cannot be written: {one_line(error)}") from error


def _append(reader: DeltaReader, path: Path, feedback: Feedback) -> bool:
    if not has_commits(path):
        DeltaTable.create(path, FEEDBACK_SCHEMA, configuration=FEEDBACK_PROPERTIES)
    elif _is_there(reader, feedback):
        return False
    write_deltalake(path, pa.Table.from_pylist([feedback.as_row()], schema=FEEDBACK_SCHEMA), mode="append")
    return True


def _is_there(reader: DeltaReader, feedback: Feedback) -> bool:
    """Whether the submission was written, or (for a verdict) the complaint has another that nobody took back."""
    rows = reader.query(f"select feedback_id, complaint_id, verdict from {FEEDBACK}").to_pylist()
    withdrawn = {row["feedback_id"] for row in rows if row["verdict"] == Verdict.WITHDRAWN}
    if feedback.verdict == Verdict.WITHDRAWN:
        return feedback.feedback_id in withdrawn
    return any(
        row["feedback_id"] == feedback.feedback_id
        or (row["complaint_id"] == feedback.complaint_id and row["feedback_id"] not in withdrawn)
        for row in rows
    )
