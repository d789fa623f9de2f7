from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from solosolve.local.summary import Summary
from solosolve.samples.writer import write_sample
from solosolve.storage.delta_reader import DeltaReader
from support.drills import LONG

ROOT = Path(__file__).parents[2]
ROWS = 200_000
SECONDS = 900
"""A heap that is too small for what is in it ends here; the run itself takes about two minutes on two cores."""


@pytest.mark.skipif(not LONG, reason="takes minutes: make faults")
def test_medallion_of_two_hundred_thousand_complaints_ends_in_a_heap_of_4_gb(tmp_path: Path) -> None:
    sample = write_sample(tmp_path / "sample.csv", rows=ROWS, seed=7)
    program = [Path(sys.executable).with_name("solosolve"), "run", "medallion", "--param", f"source={sample.path}"]
    environ = os.environ | {"SOLOSOLVE_HOME": str(tmp_path / "home"), "SOLOSOLVE_DRIVER_MEMORY": "4g"}
    subprocess.run(program, cwd=ROOT, env=environ, check=True, timeout=SECONDS)
    checks = Summary(DeltaReader(tmp_path / "home" / "warehouse")).conservation
    assert (checks[0].left, checks[0].holds) == (ROWS, True)
    assert [check.statement for check in checks if not check.holds] == []
