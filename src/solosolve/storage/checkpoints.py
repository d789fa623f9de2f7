"""The checkpoint folder of a streaming query: its identity, and the batches that were planned and finished."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from solosolve.errors import CheckpointError


@dataclass(frozen=True)
class Checkpoint:
    """The folder in which Spark keeps a streaming query's identity and its planned and finished batches.

    Source of the layout: `StreamMetadata`, `OffsetSeqLog` and `CommitLog` of Spark Structured Streaming.
    """

    folder: Path

    def __str__(self) -> str:
        return str(self.folder)

    @property
    def exists(self) -> bool:
        """Whether a query has ever started from it."""
        return (self.folder / "metadata").is_file()

    @property
    def identity(self) -> str:
        """The query's id, which stays the same as long as the folder exists.

        Raises:
            CheckpointError: The folder has no readable id.
        """
        metadata = self.folder / "metadata"
        try:
            return str(json.loads(metadata.read_text(encoding="utf-8"))["id"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise CheckpointError(f"{metadata} cannot be read ({error}): restore the folder") from error

    @property
    def unfinished_batch(self) -> int | None:
        """The batch that was planned but not finished, which the next start repeats; None if all are finished."""
        planned, finished = _newest(self.folder / "offsets"), _newest(self.folder / "commits")
        return planned if planned is not None and planned != finished else None

    @property
    def planned_batch(self) -> int:
        """The newest batch that was planned; -1 before the first."""
        planned = _newest(self.folder / "offsets")
        return -1 if planned is None else planned

    def planned_at(self, batch_id: int) -> datetime:
        """When a batch was planned, to the millisecond; repeating the batch does not change it.

        Raises:
            CheckpointError: The batch's plan cannot be read.
        """
        plan = self.folder / "offsets" / str(batch_id)
        try:
            # The file has a version, then the metadata of the batch, then one line per source.
            metadata = json.loads(plan.read_text(encoding="utf-8").split("\n")[1])
            return datetime.fromtimestamp(metadata["batchTimestampMs"] / 1000, UTC)
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise CheckpointError(f"{plan} cannot be read ({error}): restore the checkpoint") from error

    def delta_position(self) -> tuple[str, int] | None:
        """Where a finished query on one Delta table goes on: the table's id, and the next commit to read.

        None if that is unknown, because a batch is unfinished, none was planned, or the last one ended inside a commit.
        Source of the format: `DeltaSourceOffset` of Delta Lake.
        """
        if self.unfinished_batch is not None or self.planned_batch < 0:
            return None
        try:
            lines = (self.folder / "offsets" / str(self.planned_batch)).read_text(encoding="utf-8").split("\n")
            offset = json.loads(lines[2])
            whole = offset["index"] == -1 and not offset["isStartingVersion"]
            return (str(offset["reservoirId"]), int(offset["reservoirVersion"])) if whole else None
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def needed_delta_version(self) -> int | None:
        """The first commit of its Delta source that a query may still have to read; None if it has never started.

        Raises:
            CheckpointError: The position cannot be read.
        """
        if not self.exists:
            return None
        finished = _newest(self.folder / "commits")
        if finished is None:
            return 0
        plan = self.folder / "offsets" / str(finished)
        try:
            return int(json.loads(plan.read_text(encoding="utf-8").split("\n")[2])["reservoirVersion"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise CheckpointError(f"{plan} cannot be read ({error}): restore the checkpoint") from error

    @property
    def has_finished_batches(self) -> bool:
        """Whether the query has ever finished a batch."""
        return _newest(self.folder / "commits") is not None

    def set_aside(self) -> Path:
        """Renames the folder, so that a new checkpoint can take its place; returns the new name."""
        now = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        return self.folder.rename(self.folder.with_name(f"{self.folder.name}.set-aside-{now}"))


def _newest(log: Path) -> int | None:
    numbers = [int(file.name) for file in log.glob("[0-9]*") if file.name.isdigit()] if log.is_dir() else []
    return max(numbers, default=None)
