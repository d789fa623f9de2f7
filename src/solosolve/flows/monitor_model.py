"""The monitor: compares what the champion scored with what it was trained on, and its predictions with new labels."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession

from solosolve.clock import now
from solosolve.errors import ModelError, one_line
from solosolve.model.alarms import FeatureDrift, WindowState, judge_window, new_alarms, window_alpha
from solosolve.model.drift import DriftState, compare_counts
from solosolve.model.reference import SCORE, Reference
from solosolve.model.segments import SegmentPerformance, segment_bins
from solosolve.model.windows import MonitorWindow, complete_windows
from solosolve.names import COMPLAINTS, DRIFT_METRICS, PREDICTIONS, SHADOW, SHADOW_PREDICTIONS, Table
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.table_facts import first_scored_at
from solosolve.storage.tables import Tables
from solosolve.storage.version_performance import Performance, counts_by_window, measure_performance
from solosolve.storage.window_rows import drift_history, replace_windows, unmeasured
from solosolve.transforms.bins import NumberBins
from solosolve.transforms.monitoring import select_arrivals, select_scored

logger = logging.getLogger("solosolve.monitor_model")

SETTLING_TIME = timedelta(hours=1)
"""How long after its end a window is measured, so that batches scored at its end are in the table."""


@dataclass(frozen=True)
class Monitored:
    """What a run of the monitor found.

    Attributes:
        model_version: The champion.
        windows: The windows that the run measured, in order.
        has_reference: Whether the champion's training recorded what to compare with.
        alarms: The features that have drifted in these windows.
        new_alarms: Those of them that had not drifted in the measured window before.
        performance: The newest of these windows, all complaints together; None if the run measured none.
    """

    model_version: int
    windows: tuple[MonitorWindow, ...]
    has_reference: bool
    alarms: tuple[WindowState, ...]
    new_alarms: tuple[WindowState, ...]
    performance: SegmentPerformance | None


def run(
    spark: SparkSession,
    settings: Settings,
    window_days: float = 28,
    until: datetime | None = None,
    at_most: int | None = None,
) -> Monitored:
    """Measures every complete window of the champion that has not been measured, and the performance of a challenger
    in shadow, on the same segments.

    Changes `gold.drift_metrics`, `gold.measured_labels` and `gold.model_performance`, each in one commit; a second run
    changes nothing.

    Args:
        spark: The session.
        settings: Locates tables and registry; `drift_alarms_per_year`, `bootstrap_rounds`.
        window_days: Length of a window, in days.
        until: A window that ends later is not complete; SETTLING_TIME ago when None.
        at_most: Windows to look at, the newest ones; all when None.

    Returns:
        The windows, their alarms, and the newest performance.

    Raises:
        NoChampionError: There is no champion.
        MissingTableError: Nothing has been scored yet.
        ModelError: The champion cannot be loaded.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    champion = registry.champion()
    reference = registry.reference(champion)
    if reference is None:
        logger.warning("version %d has no reference, so only its performance is measured", champion.version)
    end = until or now() - SETTLING_TIME
    windows = _complete_windows(tables, champion.version, window_days, end, at_most)
    undrawn = unmeasured(tables, DRIFT_METRICS, champion.version, windows)
    drift = measure_drift(tables, champion.version, undrawn, reference)
    replace_windows(tables, DRIFT_METRICS, champion.version, undrawn, drift)
    measured = measure_performance(tables, registry, champion, segment_bins(reference), windows)
    shadow = registry.find(SHADOW)
    if shadow is not None and tables.exists(SHADOW_PREDICTIONS):
        seen = _complete_windows(tables, shadow.version, window_days, end, at_most, SHADOW_PREDICTIONS)
        try:
            measure_performance(tables, registry, shadow, segment_bins(reference), seen, SHADOW_PREDICTIONS)
        except ModelError as error:
            logger.warning("the challenger in shadow was not measured: %s", one_line(error))
    return _summary(tables, champion.version, reference, measured)


def _complete_windows(
    tables: Tables, version: int, days: float, until: datetime, at_most: int | None, scores: Table = PREDICTIONS
) -> list[MonitorWindow]:
    """The complete windows from the one in which the version scored its first complaint."""
    first = first_scored_at(tables, scores, version)
    return [] if first is None else complete_windows(first, until, days, at_most)


def measure_drift(
    tables: Tables, version: int, windows: list[MonitorWindow], reference: Reference | None
) -> list[dict[str, Any]]:
    """The rows of `gold.drift_metrics` of adjacent windows, counted in one pass over what the version scored in them.

    Returns:
        One row per window and feature; without a reference, a single one per window.
    """
    if not windows:
        return []
    length = windows[0].length
    scored = select_scored(tables.read(PREDICTIONS), version, windows[0].start, windows[-1].end, length)
    if reference is None:
        by_window = counts_by_window(scored, [NumberBins(name=SCORE, column="probability", edges=())])
    else:
        arrivals = select_arrivals(scored, tables.read(COMPLAINTS), reference.trained_until)
        by_window = counts_by_window(arrivals, reference.all_bins)
    alpha, at, rows = window_alpha(tables.settings.drift_alarms_per_year, length / timedelta(days=1)), now(), []
    for window in windows:
        found = by_window.get(window.start, {})
        common = {
            "window_start": window.start, "window_end": window.end, "model_version": version, "measured_at": at,
        }  # fmt: skip
        if reference is None:
            rows.append(common | _unreferenced_row(sum(found.get(SCORE, {}).values())))
            continue
        tests = {name: compare_counts(counts, found.get(name, {})) for name, counts in reference.counts.items()}
        rows += [common | _drift_row(each) for each in judge_window(tests, alpha)]
    return rows


def _unreferenced_row(record_count: int) -> dict[str, Any]:
    state = DriftState.NO_REFERENCE.value
    return {"feature": SCORE, "state": state, "is_alarm": False, "reference_count": 0, "record_count": record_count}


def _drift_row(drift: FeatureDrift) -> dict[str, Any]:
    return {
        "feature": drift.feature,
        "state": drift.state.value,
        "is_alarm": drift.is_alarm,
        "psi": drift.test.psi,
        "statistic": drift.test.statistic,
        "degrees": drift.test.degrees,
        "p_value": drift.test.p_value,
        "alpha": drift.alpha,
        "reference_count": drift.test.reference_count,
        "record_count": drift.test.record_count,
    }


def _summary(tables: Tables, version: int, reference: Reference | None, measured: Performance) -> Monitored:
    windows = tuple(measured)
    history = drift_history(tables, version, windows[0].length) if windows else []
    starts = {window.start for window in windows}
    alarms = tuple(each for each in history if each.is_alarm and each.window_start in starts)
    begun = new_alarms(history)
    found = Monitored(
        model_version=version,
        windows=windows,
        has_reference=reference is not None,
        alarms=alarms,
        new_alarms=tuple(each for each in alarms if each in begun),
        performance=measured[windows[-1]][0] if windows else None,
    )
    logger.info("version %d: %d windows measured, %d alarms", version, len(windows), len(alarms))
    for each in found.new_alarms:
        logger.warning("%s has drifted in the window from %s", each.feature, each.window_start.date())
    return found
