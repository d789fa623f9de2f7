from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from solosolve.errors import BusyError
from solosolve.flows.task import run_task


def test_task_refuses_to_run_beside_itself_on_one_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLOSOLVE_HOME", str(tmp_path))
    (tmp_path / "locks").mkdir()
    with (
        FileLock(tmp_path / "locks" / "refine_complaints.task.lock", is_singleton=False),
        pytest.raises(BusyError, match=f"refine_complaints is running in another process on {tmp_path}: wait for it"),
    ):
        run_task("refine_complaints", "local", lambda spark, settings: None)
