"""Feedback in the local Delta table, written without a JVM under the lock that Spark's writers hold too."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder, write_deltalake
from deltalake.exceptions import DeltaError
from filelock import FileLock, Timeout

from solosolve.adapters.feedback import Feedback, Verdict
from solosolve.errors import TableError, one_line
from solosolve.names import FEEDBACK
from solosolve.settings import Settings

_LOCK_SECONDS = 10
_SCHEMA = pa.schema(
    [
        pa.field("feedback_id", pa.string(), nullable=False),
        pa.field("complaint_id", pa.int64(), nullable=False),
        pa.field("verdict", pa.string(), nullable=False),
        pa.field("is_successful_resolution", pa.float64()),
        pa.field("source", pa.string(), nullable=False),
        pa.field("reviewer", pa.string()),
        pa.field("reason", pa.string()),
        pa.field("given_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("model_version", pa.int32()),
        pa.field("probability", pa.float64()),
        pa.field("company", pa.string()),
        pa.field("state", pa.string()),
        pa.field("product", pa.string()),
    ]
)


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
                return _append(path, feedback)
        except Timeout:
            raise TableError(f"{FEEDBACK} is being written by another process; try again") from None
        except Exception as error:
            # The engine raises a bare Exception when it runs.
            if not isinstance(error, DeltaError | OSError) and type(error) is not Exception:
                raise
            raise TableError(f"{FEEDBACK} cannot be written: {one_line(error)}") from error


def _append(path: Path, feedback: Feedback) -> bool:
    if not any((path / "_delta_log").glob("[0-9]*")):
        properties = {"delta.enableDeletionVectors": "false", "delta.checkpointInterval": "100"}
        DeltaTable.create(path, _SCHEMA, configuration=properties)
    elif _is_there(path, feedback):
        return False
    write_deltalake(path, pa.Table.from_pylist([feedback.as_row()], schema=_SCHEMA), mode="append")
    return True


def _is_there(path: Path, feedback: Feedback) -> bool:
    """Whether the submission was written, or (for a verdict) the complaint has another that nobody took back."""
    engine = QueryBuilder().register("feedback", DeltaTable(path))
    rows = pa.table(engine.execute("select feedback_id, complaint_id, verdict from feedback").read_all()).to_pylist()
    withdrawn = {row["feedback_id"] for row in rows if row["verdict"] == Verdict.WITHDRAWN}
    if feedback.verdict == Verdict.WITHDRAWN:
        return feedback.feedback_id in withdrawn
    standing = [row for row in rows if row["feedback_id"] not in withdrawn]
    return any(row["feedback_id"] == feedback.feedback_id for row in rows) or any(
        row["complaint_id"] == feedback.complaint_id for row in standing
    )
