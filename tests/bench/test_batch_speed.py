"""The medallion from raw CSV to features as a person runs it: its time with everything included, and its memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bench.figures import Figures
from solosolve.samples.writer import write_sample

ROOT = Path(__file__).parents[2]
SOLOSOLVE = str(Path(sys.executable).with_name("solosolve"))
COMPARED, LARGEST = 250_000, 4_000_000
WANTED_SECONDS = {50_000: "at most 45 s", 1_000_000: "at most 90 s"}
READ_ONE_TABLE = """
import sys
from solosolve.names import COMPLAINTS
from solosolve.settings import Settings
from solosolve.storage.spark import spark_session
from solosolve.storage.tables import Tables
settings = Settings.load()
Tables(spark_session(settings, "peer"), settings).read(COMPLAINTS).count()
"""


@dataclass(frozen=True)
class Measured:
    """How long a program ran, and the most that its driver, its JVM and its largest Python worker held, in bytes."""

    seconds: float
    driver: int
    jvm: int
    worker: int


def measured(home: Path, command: Sequence[str]) -> Measured:
    """Runs a program in a 4 GB heap and watches its memory twice a second."""
    environ = os.environ | {"SOLOSOLVE_HOME": str(home), "SOLOSOLVE_DRIVER_MEMORY": "4g"}
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.DEVNULL)
    driver = jvm = worker = 0
    while process.poll() is None:
        with suppress(psutil.Error):
            program = psutil.Process(process.pid)
            driver = max(driver, program.memory_info().rss)
            for child in program.children(recursive=True):
                size, is_jvm = child.memory_info().rss, "java" in child.name()
                jvm, worker = (max(jvm, size), worker) if is_jvm else (jvm, max(worker, size))
        time.sleep(0.5)
    assert process.returncode == 0
    return Measured(time.perf_counter() - started, driver, jvm, worker)


def medallion(home: Path, source: Path) -> Measured:
    return measured(home, [SOLOSOLVE, "run", "medallion", "--param", f"source={source}"])


@pytest.fixture(scope="module")
def seconds_each() -> dict[int, float]:
    """Seconds per complaint, by the number of complaints, of the medallions measured so far."""
    return {}


@pytest.mark.parametrize("rows", [50_000, COMPARED, 1_000_000, LARGEST])
def test_time_and_memory_of_the_medallion(
    tmp_path: Path, figures: Figures, seconds_each: dict[int, float], rows: int
) -> None:
    source = write_sample(tmp_path / "sample.csv", rows=rows, seed=3).path
    rounds = 3 if rows < 500_000 else 1
    runs = [medallion(tmp_path / f"home{number}", source) for number in range(rounds)]
    seconds = statistics.median(run.seconds for run in runs)
    print(
        f"\nmedallion of {rows:,} complaints: {seconds:.0f} s, {1e6 * seconds / rows:.0f} microseconds each; "
        f"driver's Python {max(run.driver for run in runs) / 1e6:.0f} MB, "
        f"JVM {max(run.jvm for run in runs) / 1e9:.1f} GB, "
        f"largest worker {max(run.worker for run in runs) / 1e6:.0f} MB"
    )
    figures.add(f"medallion of {rows:,} complaints", f"{seconds:.0f} s", wanted=WANTED_SECONDS.get(rows, ""))
    peaks = (max(run.driver for run in runs), max(run.jvm for run in runs), max(run.worker for run in runs))
    shown = "driver's Python {:.2f} GB, JVM {:.2f} GB, worker {:.2f} GB".format(*(peak / 1e9 for peak in peaks))
    figures.add(f"its memory at {rows:,}", shown)
    seconds_each[rows] = seconds / rows
    if rows == LARGEST and COMPARED in seconds_each:
        ours, peer = seconds_each[LARGEST], seconds_each[COMPARED]
        figures.add(
            f"time per complaint of {LARGEST:,}", f"{1e6 * ours:.0f} µs", f"of {COMPARED:,}: {1e6 * peer:.0f} µs",
            ours / peer, "at most 1.1",
        )  # fmt: skip


def test_time_of_a_second_run_compared_with_reading_one_table(tmp_path: Path, figures: Figures) -> None:
    source = write_sample(tmp_path / "sample.csv", rows=50_000, seed=3).path
    medallion(tmp_path / "home", source)
    again = statistics.median(medallion(tmp_path / "home", source).seconds for _ in range(3))
    peer = statistics.median(
        measured(tmp_path / "home", [sys.executable, "-c", READ_ONE_TABLE]).seconds for _ in range(3)
    )
    print(
        f"\nsecond run on nothing new: {again:.1f} s, a session and one Delta read {peer:.1f} s: "
        f"{again / peer:.2f} times as long"
    )
    figures.add(
        "second run on nothing new", f"{again:.1f} s", f"session and one Delta read: {peer:.1f} s", again / peer,
        "at most 1.5",
    )  # fmt: skip
