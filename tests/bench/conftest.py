"""Measurements: each prints its figures next to a peer's from the same run, and the run ends with a table of them all;
none passes or fails by the clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.figures import Figures
from solosolve.samples.writer import write_sample

_FIGURES = pytest.StashKey[Figures]()


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Records the rows of the table that the run ends with."""
    return pytestconfig.stash.setdefault(_FIGURES, Figures())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Prints the table."""
    found = config.stash.get(_FIGURES, None)
    if found is not None and found.rows:
        terminalreporter.section("figures")
        terminalreporter.write_line(found.table())


@pytest.fixture(scope="session")
def sample_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of 200,000 complaints."""
    return write_sample(tmp_path_factory.mktemp("bench") / "sample.csv", rows=200_000, seed=3).path


@pytest.fixture(scope="session")
def million_csv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sample of a million complaints (700 MB)."""
    return write_sample(tmp_path_factory.mktemp("bench") / "million.csv", rows=1_000_000, seed=3).path


def median_seconds(work: Callable[[], object], rounds: int = 5) -> float:
    """Returns the median duration of `rounds` calls, after an uncounted warm-up call."""
    work()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)
