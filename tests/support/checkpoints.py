"""Checkpoints as Spark leaves them on disk, made without Spark."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from solosolve.storage.checkpoints import Checkpoint

PLANNED_AT = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@dataclass(frozen=True)
class CheckpointFolder:
    """A checkpoint folder, and what Spark does to it."""

    folder: Path

    @property
    def checkpoint(self) -> Checkpoint:
        return Checkpoint(self.folder)

    def start(self, identity: str) -> None:
        """Writes what the start of a query writes; a query that resumes keeps its identity."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not (self.folder / "metadata").exists():
            (self.folder / "metadata").write_text(json.dumps({"id": identity}), encoding="utf-8")

    def plan(self, batch_id: int, at: datetime = PLANNED_AT) -> None:
        """Writes what Spark writes before it runs a batch."""
        offsets = self.folder / "offsets"
        offsets.mkdir(exist_ok=True)
        metadata = {"batchWatermarkMs": 0, "batchTimestampMs": round(at.timestamp() * 1000), "conf": {}}
        (offsets / str(batch_id)).write_text(f"v1\n{json.dumps(metadata)}\n{{}}", encoding="utf-8")
        (offsets / f".{batch_id}.crc").write_bytes(b"crc")

    def finish(self, batch_id: int) -> None:
        """Writes what Spark writes after a batch."""
        commits = self.folder / "commits"
        commits.mkdir(exist_ok=True)
        (commits / str(batch_id)).write_text('v1\n{"nextBatchWatermarkMs":0}', encoding="utf-8")
        (commits / f".{batch_id}.crc").write_bytes(b"crc")
