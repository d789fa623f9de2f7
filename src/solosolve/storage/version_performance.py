"""How a model version did, window by window: measured on the labels that count, and written once."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pyspark.sql import DataFrame

from solosolve.clock import now
from solosolve.model.performance import PERFORMANCE_METRICS
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.segments import JUDGED_COLUMNS, SegmentPerformance, measure_segments
from solosolve.model.windows import MonitorWindow
from solosolve.names import MEASURED_LABELS, MODEL_PERFORMANCE, PREDICTIONS, Table
from solosolve.storage.measured_labels import LabelCount
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.storage.window_rows import replace_windows, unmeasured
from solosolve.transforms.bins import CategoryBins, NumberBins
from solosolve.transforms.monitoring import bin_column, count_bins, select_scored

Bins = Sequence[CategoryBins | NumberBins]

Performance = dict[MonitorWindow, list[SegmentPerformance]]
"""Windows and how the version did in each: all complaints first, then every segment."""


def measure_performance(
    tables: Tables,
    registry: Registry,
    model: RegisteredModel,
    segments: Bins,
    windows: Sequence[MonitorWindow],
    scores: Table = PREDICTIONS,
) -> Performance:
    """Measures the windows that have not been measured.

    Changes `gold.measured_labels` and `gold.model_performance`, each in one commit.

    Args:
        tables: The tables.
        registry: The registry.
        model: The version.
        segments: What divides the complaints.
        windows: Its complete windows.
        scores: The table with its predictions.

    Returns:
        The windows that this run measured.

    Raises:
        ModelError: The version cannot be loaded.
    """
    version, unjudged = model.version, unmeasured(tables, MODEL_PERFORMANCE, model.version, windows)
    if not unjudged:
        return {}
    labels = LabelCount(tables, version, [bin_column(each).alias(each.name) for each in segments], scores)
    judged = labels.by_window(unjudged)
    counted = [row for window in unjudged for row in labels.rows_of(window, judged[window])]
    # Before the metrics, whose rows say that a window has been measured.
    replace_windows(tables, MEASURED_LABELS, version, unjudged, counted)
    start, end, length = unjudged[0].start, unjudged[-1].end, unjudged[0].length
    by_window = counts_by_window(select_scored(tables.read(scores), version, start, end, length), segments)
    columns, rounds = [*JUDGED_COLUMNS, *(each.name for each in segments)], tables.settings.bootstrap_rounds
    threshold = ComplaintScorer.load(registry.fetch(model)).threshold
    measured = {
        window: measure_segments(rows.select(columns), by_window.get(window.start, {}), rounds, threshold)
        for window, rows in judged.items()
    }
    found = [row for window in unjudged for row in _rows(version, window, measured[window])]
    replace_windows(tables, MODEL_PERFORMANCE, version, unjudged, found)
    return measured


def counts_by_window(scored: DataFrame, bins: Bins) -> dict[datetime, dict[str, dict[str, int]]]:
    """Counts complaints in one pass: start of the window to feature to bin to count.

    Args:
        scored: `window_start` and the bins' columns.
        bins: The bins of each feature.
    """
    found: dict[datetime, dict[str, dict[str, int]]] = {}
    for row in count_bins(scored, bins).toArrow().to_pylist():
        found.setdefault(row["window_start"], {}).setdefault(row["feature"], {})[row["value"]] = row["record_count"]
    return found


def _rows(version: int, window: MonitorWindow, parts: list[SegmentPerformance]) -> Iterator[Mapping[str, Any]]:
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
