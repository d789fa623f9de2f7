"""A real Spark cluster in a process of its own, which ends in each way that a process can."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from support.drills import LONG, QUICK_START

PROGRAM = """
import sys, time
from pathlib import Path
from solosolve.local.processes import interrupted_by_signals
from solosolve.local.spark_cluster import SparkCluster

with interrupted_by_signals(), SparkCluster(Path(sys.argv[1]), worker_count=1):
    print("started", flush=True)
    time.sleep(600)
"""
AS_LONG = pytest.mark.skipif(not LONG, reason="make faults: one signal is enough here")
SECONDS = 60


@pytest.mark.parametrize(
    "number", [signal.SIGTERM, pytest.param(signal.SIGHUP, marks=AS_LONG), pytest.param(signal.SIGKILL, marks=AS_LONG)]
)
def test_no_process_of_a_cluster_is_left_after_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    words = [sys.executable, "-c", PROGRAM, str(tmp_path / "spark")]
    environment = os.environ | QUICK_START
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True) as program:
        try:
            assert program.stdout is not None and program.stdout.readline() == "started\n"
            started = [each for each in psutil.Process(program.pid).children(recursive=True) if each.name() == "java"]
            assert len(started) == 2
            program.send_signal(number)
            assert program.wait(SECONDS) != 0
        finally:
            program.kill()
    wait_until(lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in started))


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.1)
