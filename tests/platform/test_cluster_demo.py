"""`make cluster-demo` with few rows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solosolve.local.table_comparison import COMPARED
from support.archives import project_archive
from support.drills import LONG

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not LONG, reason="takes minutes: make faults")
def test_a_cluster_writes_what_one_machine_writes(tmp_path: Path) -> None:
    words = ["-m", "solosolve.cli.cluster_demo", "--rows", "2000", "--wheel", str(project_archive(tmp_path))]
    environment = os.environ | {"SOLOSOLVE_HOME": str(tmp_path / "home"), "SOLOSOLVE_BOOTSTRAP_ROUNDS": "50"}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(" rows, equal") == len(COMPARED)
