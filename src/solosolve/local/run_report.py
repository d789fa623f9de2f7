"""The record of a run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class TaskRun:
    """How one task went.

    Attributes:
        job: Its job.
        task: Its key.
        seconds: How long it took, all tries together.
        state: done, failed, timed out, skipped (a task before it failed), excluded (its condition is not met), stopped
            or interrupted.
    """

    job: str
    task: str
    seconds: float
    state: str


@dataclass(frozen=True)
class RunReport:
    """How a run went."""

    started_at: str
    tasks: tuple[TaskRun, ...] = ()

    def save(self, runs: Path) -> None:
        """Writes `<started_at>.json` and `latest.json` into the folder."""
        runs.mkdir(parents=True, exist_ok=True)
        text = json.dumps(asdict(self), indent=1)
        (runs / f"{self.started_at.replace(':', '')}.json").write_text(text, encoding="utf-8")
        part = runs / ".latest.json.part"
        part.write_text(text, encoding="utf-8")
        part.replace(runs / "latest.json")

    @classmethod
    def latest(cls, runs: Path) -> RunReport | None:
        """Reads the newest report; None before the first run."""
        path = runs / "latest.json"
        if not path.is_file():
            return None
        saved = json.loads(path.read_text(encoding="utf-8"))
        return cls(saved["started_at"], tuple(TaskRun(**task) for task in saved["tasks"]))
