"""How a model version did on the labels of one window, overall and by segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from solosolve.model.evaluation import Estimate
from solosolve.model.families import FAMILIES
from solosolve.model.performance import estimate_performance
from solosolve.model.reference import COMPANY_SIZE, Reference
from solosolve.names import THRESHOLD
from solosolve.transforms.bins import CategoryBins, NumberBins

MIN_LABELS = 50
"""Labels below which a segment is not measured."""

ALL = "all"
"""The segment that has all complaints, and its one value."""

JUDGED_COLUMNS = ("label", "probability", "weight", "label_delay_days")
"""What is known of each label besides its segments."""


@dataclass(frozen=True)
class SegmentPerformance:
    """One segment of a window.

    Attributes:
        segment: ALL, or the name of what divides the complaints.
        value: The part of it.
        label_count: Labels that count in the window.
        record_count: Complaints scored in the window.
        label_delay_days: Median time from score to label; None without labels.
        metrics: Metric to value and interval; None with too few labels, or labels of one class.
    """

    segment: str
    value: str
    label_count: int
    record_count: int
    label_delay_days: float | None
    metrics: Mapping[str, Estimate] | None

    @property
    def state(self) -> str:
        """`ok`, or `too_few` without metrics."""
        return "too_few" if self.metrics is None else "ok"


def segment_bins(reference: Reference | None) -> list[CategoryBins | NumberBins]:
    """What divides complaints into segments: product, state and, for a version with a reference, company size."""
    by_name: list[CategoryBins | NumberBins] = [
        CategoryBins(name="product", column="product", bin_of=dict(FAMILIES["product"]), other=None),
        CategoryBins(name="state", column="state", bin_of={}, other=None),
    ]
    return by_name if reference is None else [*by_name, reference.bins_of(COMPANY_SIZE)]


def measure_segments(
    judged: pa.Table, counts: Mapping[str, Mapping[str, int]], rounds: int, threshold: float = THRESHOLD
) -> list[SegmentPerformance]:
    """Measures a window.

    Args:
        judged: `label`, `probability`, `weight` (how many complaints the label stands for), `label_delay_days`, and one
            column per segment with its value.
        counts: Segment to value to the number of complaints scored in the window.
        rounds: Bootstrap resamples per interval.
        threshold: Probability from which success is predicted.

    Returns:
        The whole window first, then every part of every segment that has scored or labelled complaints.
    """
    segments = [name for name in judged.column_names if name not in JUDGED_COLUMNS]
    total = sum(counts.get(segments[0], {}).values())
    measured = [_measure(ALL, ALL, judged, total, rounds, threshold)]
    for segment in segments:
        scored = counts.get(segment, {})
        for value in sorted({*judged.column(segment).unique().to_pylist(), *scored}):
            part = judged.filter(pc.equal(judged.column(segment), value))
            measured.append(_measure(segment, value, part, scored.get(value, 0), rounds, threshold))
    return measured


def _measure(
    segment: str, value: str, judged: pa.Table, record_count: int, rounds: int, threshold: float
) -> SegmentPerformance:
    labels = judged.column("label").to_numpy()
    delay = float(np.median(judged.column("label_delay_days").to_numpy())) if len(labels) else None
    metrics = None
    if len(labels) >= MIN_LABELS and 0 < labels.sum() < len(labels):
        probabilities, weights = (judged.column(name).to_numpy() for name in ("probability", "weight"))
        metrics = estimate_performance(labels, probabilities, weights, rounds, threshold)
    return SegmentPerformance(segment, value, len(labels), record_count, delay, metrics)
