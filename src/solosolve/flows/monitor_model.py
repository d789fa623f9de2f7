"""The monitor: compares what the champion scored with what it was trained on, and its predictions with new labels."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.model.alarms import FeatureDrift, WindowState, judge_window, new_alarms, window_alpha
from solosolve.model.drift import DriftState, compare_counts
from solosolve.model.performance import PERFORMANCE_METRICS
from solosolve.model.reference import SCORE, Reference
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.segments import JUDGED_COLUMNS, SegmentPerformance, measure_segments, segment_bins
from solosolve.model.windows import MonitorWindow, complete_windows
from solosolve.names import COMPLAINTS, DRIFT_METRICS, MEASURED_LABELS, MODEL_PERFORMANCE, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.measured_labels import LabelCount
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.storage.window_rows import drift_history, replace_windows, unmeasured
from solosolve.transforms.bins import CategoryBins, NumberBins
from solosolve.transforms.monitoring import bin_column, count_bins, select_arrivals, select_scored

logger = logging.getLogger("solosolve.monitor_model")

SETTLING_TIME = timedelta(hours=1)
"""How long after its end a window is measured, so that batches scored at its end are in the table."""

Performance = dict[MonitorWindow, list[SegmentPerformance]]
"""Windows and how the version did in each: all complaints first, then every segment."""


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


def run(spark: SparkSession, settings: Settings, window_days: int = 28, until: datetime | None = None) -> Monitored:
    """Measures every complete window of the champion that has not been measured.

    Changes `gold.drift_metrics`, `gold.measured_labels` and `gold.model_performance`, each in one commit; a second run
    changes nothing.

    Args:
        spark: The session.
        settings: Locates tables and registry; `drift_alarms_per_year`, `bootstrap_rounds`.
        window_days: Length of a window, in days.
        until: A window that ends later is not complete; SETTLING_TIME ago when None.

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
    windows = _complete_windows(tables, champion.version, window_days, until or now() - SETTLING_TIME)
    undrawn = unmeasured(tables, DRIFT_METRICS, champion.version, windows)
    drift = measure_drift(tables, champion.version, undrawn, reference)
    replace_windows(tables, DRIFT_METRICS, champion.version, undrawn, drift)
    unjudged = unmeasured(tables, MODEL_PERFORMANCE, champion.version, windows)
    measured: Performance = {}
    if unjudged:
        bins = segment_bins(reference)
        labels = LabelCount(tables, champion.version, [bin_column(each).alias(each.name) for each in bins])
        judged = labels.by_window(unjudged)
        counted = [row for window in unjudged for row in labels.rows_of(window, judged[window])]
        # Before the metrics, whose rows say that a window has been measured.
        replace_windows(tables, MEASURED_LABELS, champion.version, unjudged, counted)
        threshold = ComplaintScorer.load(registry.fetch(champion)).threshold
        measured = _performance(tables, champion.version, judged, bins, threshold)
    rows = [row for window in unjudged for row in _performance_rows(champion.version, window, measured[window])]
    replace_windows(tables, MODEL_PERFORMANCE, champion.version, unjudged, rows)
    return _summary(tables, champion.version, reference, measured)


def _complete_windows(tables: Tables, version: int, days: int, until: datetime) -> list[MonitorWindow]:
    """The complete windows from the one in which the version scored its first complaint."""
    of_version = tables.read(PREDICTIONS).where(F.col("model_version") == version)
    first = of_version.agg(F.min("scored_at").alias("at")).toArrow().column("at")[0].as_py()
    return [] if first is None else complete_windows(first, until, days)


def measure_drift(
    tables: Tables, version: int, windows: list[MonitorWindow], reference: Reference | None
) -> list[dict[str, Any]]:
    """The rows of `gold.drift_metrics` of adjacent windows, counted in one pass over what the version scored in them.

    Returns:
        One row per window and feature; without a reference, a single one per window.
    """
    if not windows:
        return []
    days = (windows[0].end - windows[0].start).days
    scored = select_scored(tables.read(PREDICTIONS), version, windows[0].start, windows[-1].end, days)
    if reference is None:
        by_window = _counts(scored, [NumberBins(name=SCORE, column="probability", edges=())])
    else:
        arrivals = select_arrivals(scored, tables.read(COMPLAINTS), reference.trained_until)
        by_window = _counts(arrivals, reference.all_bins)
    alpha, at, rows = window_alpha(tables.settings.drift_alarms_per_year, days), now(), []
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


def _counts(scored: DataFrame, bins: list[CategoryBins | NumberBins]) -> dict[datetime, dict[str, dict[str, int]]]:
    """Start of the window to feature to bin to count."""
    found: dict[datetime, dict[str, dict[str, int]]] = {}
    for row in count_bins(scored, bins).toArrow().to_pylist():
        found.setdefault(row["window_start"], {}).setdefault(row["feature"], {})[row["value"]] = row["record_count"]
    return found


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


def _performance(
    tables: Tables,
    version: int,
    judged: Mapping[MonitorWindow, pa.Table],
    bins: list[CategoryBins | NumberBins],
    threshold: float,
) -> Performance:
    """Measures adjacent windows, each on the labels that count in it."""
    windows = list(judged)
    start, end, days = windows[0].start, windows[-1].end, (windows[0].end - windows[0].start).days
    by_window = _counts(select_scored(tables.read(PREDICTIONS), version, start, end, days), bins)
    columns, rounds = [*JUDGED_COLUMNS, *(each.name for each in bins)], tables.settings.bootstrap_rounds
    return {
        window: measure_segments(rows.select(columns), by_window.get(window.start, {}), rounds, threshold)
        for window, rows in judged.items()
    }


def _performance_rows(
    version: int, window: MonitorWindow, parts: list[SegmentPerformance]
) -> Iterator[Mapping[str, Any]]:
    """The rows of `gold.model_performance` of one window: one per segment and metric."""
    at = now()
    for part in parts:
        common = {
            "window_start": window.start, "window_end": window.end, "model_version": version, "measured_at": at,
            "segment": part.segment, "segment_value": part.value, "state": part.state,
            "label_count": part.label_count, "record_count": part.record_count,
            "label_delay_days": part.label_delay_days,
        }  # fmt: skip
        for metric in PERFORMANCE_METRICS:
            found = part.metrics[metric] if part.metrics else None
            # Precision is not a number where no failure is predicted.
            is_known = found is not None and math.isfinite(found.value)
            values = (
                {"value": found.value, "value_low": found.low, "value_high": found.high} if found and is_known else {}
            )
            yield {**common, "metric": metric, **values}


def _summary(tables: Tables, version: int, reference: Reference | None, measured: Performance) -> Monitored:
    windows = tuple(measured)
    history = drift_history(tables, version, (windows[0].end - windows[0].start).days) if windows else []
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
