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
SECONDS = 900
"""A heap that is too small for what is in it ends here; the run itself takes one to two minutes on two cores."""


@pytest.mark.skipif(not LONG, reason="takes minutes: make faults")
@pytest.mark.parametrize(("rows", "heap"), [(200_000, "2g"), (1_000_000, "4g"), (1_000_000, "2g")])
def test_medallion_of_many_complaints_ends_in_a_small_heap(tmp_path: Path, rows: int, heap: str) -> None:
    sample = write_sample(tmp_path / "sample.csv", rows=rows, seed=7)
    program = [Path(sys.executable).with_name("solosolve"), "run", "medallion", "--param", f"source={sample.path}"]
    environ = os.environ | {"SOLOSOLVE_HOME": str(tmp_path / "home"), "SOLOSOLVE_DRIVER_MEMORY": heap}
    subprocess.run(program, cwd=ROOT, env=environ, check=True, timeout=SECONDS)
    checks = Summary(DeltaReader(tmp_path / "home" / "warehouse")).conservation
    assert (checks[0].left, checks[0].holds) == (rows, True)
    assert [check.statement for check in checks if not check.holds] == []
