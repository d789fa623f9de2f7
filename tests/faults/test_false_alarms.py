"""How often the monitor raises an alarm when nothing has changed, and how surely when something has."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession
from scipy.stats import binomtest

from solosolve.flows.monitor_model import measure_drift
from solosolve.model.alarms import judge_window, window_alpha
from solosolve.model.drift import MODERATE_DRIFT, compare_counts, population_stability
from solosolve.model.windows import complete_windows
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from support.arrivals import FIRST, WINDOW, Arrivals, zipf
from support.builders import settings_in
from support.drills import LONG

REPLAYED = 260 if LONG else 60
DRAWN = 20_000 if LONG else 2_000
WINDOW_ROWS = 150
"""So few that the index of an unchanged feature often exceeds 0.1: only the test stands between it and an alarm."""

TRAINED = 20_000
WINDOWS_PER_YEAR = 365.25 / WINDOW.days
BUDGET = 0.5
ALPHA = window_alpha(BUDGET, WINDOW.days)
TENTHS = np.full(10, 0.1)
SHARES = {
    "product": zipf(6, 0.7),
    "issue": zipf(30),
    "sub_issue": zipf(20),
    "state": zipf(50),
    "submitted_via": np.ones(1),
    "tags": np.array([0.9, 0.1]),
    "company_size": np.array([0.5, 0.35, 0.15]),
    "narrative_length": TENTHS,
    "score": TENTHS,
}

SWAPPED = {0.12: [1, 0, 2, 3, 4, 5], 0.27: [2, 1, 0, 3, 4, 5]}
"""Population stability index, and the products in the order that causes it: two have changed places."""


def has_alarm(generator: np.random.Generator, shares: dict[str, np.ndarray], rows: int) -> bool:
    """Draws a reference from SHARES and a window from some shares, and judges the window."""
    tests = {}
    for name, expected in SHARES.items():
        pairs = (generator.multinomial(TRAINED, expected), generator.multinomial(rows, shares[name]))
        tests[name] = compare_counts(
            *({str(place): float(count) for place, count in enumerate(each)} for each in pairs)
        )
    return any(each.is_alarm for each in judge_window(tests, ALPHA))


def per_mille(shares: np.ndarray) -> dict[str, float]:
    """Shares as counts of a thousand complaints."""
    return {str(place): 1_000 * share for place, share in enumerate(shares)}


def per_year(alarms: int, windows: int) -> tuple[float, float, float]:
    """Alarms a year with the exact 95 % interval of the binomial share (Clopper and Pearson, 1934)."""
    interval = binomtest(alarms, windows).proportion_ci()
    return tuple(WINDOWS_PER_YEAR * share for share in (alarms / windows, interval.low, interval.high))  # type: ignore[return-value]


def show(what: str, alarms: int, windows: int) -> float:
    """Prints a measured rate; returns the lower end of its interval."""
    rate, low, high = per_year(alarms, windows)
    sys.stdout.write(f"\n{what}: {alarms} of {windows} windows, {rate:.2f} a year ({low:.2f} to {high:.2f})\n")
    return low


@pytest.mark.parametrize("rows", [150, 500, 5_000])
def test_drawn_windows_without_a_change_keep_to_the_budget(rows: int) -> None:
    generator = np.random.default_rng(rows)
    alarms = sum(has_alarm(generator, SHARES, rows) for _ in range(DRAWN))
    assert show(f"no change, {rows} complaints", alarms, DRAWN) <= BUDGET


@pytest.mark.parametrize(
    ("psi", "rows", "power"), [(0.12, 500, 0.6), (0.12, 5_000, 0.8), (0.27, 150, 0.9), (0.27, 500, 0.99)]
)
def test_feature_that_moved_is_found(psi: float, rows: int, power: float) -> None:
    shares = SHARES | {"product": SHARES["product"][SWAPPED[psi]]}
    moved_by = population_stability(*(per_mille(each["product"]) for each in (SHARES, shares)))
    assert moved_by == pytest.approx(psi, abs=0.01)
    generator = np.random.default_rng(rows)
    found = sum(has_alarm(generator, shares, rows) for _ in range(DRAWN // 4))
    sys.stdout.write(f"\nproduct moved by {psi}, {rows} complaints: found in {found / (DRAWN // 4):.1%} of windows\n")
    assert found / (DRAWN // 4) > power


def test_replayed_windows_without_a_change_keep_to_the_budget(spark: SparkSession, tmp_path: Path) -> None:
    arrivals = Arrivals(spark, settings_in(tmp_path / "home"))
    model = arrivals.train(TRAINED)
    arrivals.arrive_often(REPLAYED, WINDOW_ROWS)
    reference = Registry(arrivals.settings).reference(model)
    windows = complete_windows(FIRST, FIRST + REPLAYED * WINDOW, WINDOW.days)
    rows = measure_drift(Tables(spark, arrivals.settings), model.version, windows, reference)
    assert len(rows) == REPLAYED * len(SHARES)
    assert {row["record_count"] for row in rows} == {WINDOW_ROWS}
    assert {row["state"] for row in rows} <= {"ok", "drift"}
    alarmed = {row["window_start"] for row in rows if row["is_alarm"]}
    assert show(f"replayed without a change, {WINDOW_ROWS} complaints", len(alarmed), REPLAYED) <= BUDGET
    exceeded = {row["window_start"] for row in rows if row["psi"] > MODERATE_DRIFT}
    # Without the test, these would be alarms.
    assert len(exceeded) > REPLAYED / 4


def test_replayed_change_is_found_in_every_window(spark: SparkSession, tmp_path: Path) -> None:
    arrivals = Arrivals(spark, settings_in(tmp_path / "home"))
    model = arrivals.train(TRAINED)
    # A fifth of the complaints come from one state that had a ninth.
    drawn = [f"state {place}" for place in arrivals.generator.choice(50, 500, p=zipf(50))]
    states = ["state 3" if arrivals.generator.uniform() < 0.25 else state for state in drawn]
    arrivals.arrive(0, 500, state=states)
    arrivals.arrive(1, 500, state=states)
    reference = Registry(arrivals.settings).reference(model)
    windows = complete_windows(FIRST, FIRST + 2 * WINDOW, WINDOW.days)
    rows = measure_drift(Tables(spark, arrivals.settings), model.version, windows, reference)
    assert [row["feature"] for row in rows if row["is_alarm"]] == ["state", "state"]
