"""The labels that measure a model version: each counts in one window, for as many complaints as it stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from solosolve.model.performance import measuring_weights
from solosolve.model.windows import MonitorWindow
from solosolve.names import (
    COMPLAINTS,
    FEEDBACK,
    MEASURED_LABELS,
    PICKED_AUDIT,
    PREDICTIONS,
    REVIEW_LABEL,
    Table,
    Verdict,
)
from solosolve.storage.table_facts import read_or_empty
from solosolve.storage.tables import Tables
from solosolve.storage.window_rows import has_length
from solosolve.transforms.labels import resolve_labels
from solosolve.transforms.monitoring import select_judged, select_waiting

_PICK = ("picked_by", "pick_probability")


def known_labels(tables: Tables, as_of: datetime) -> DataFrame:
    """Resolves the labels that were known at an instant and measure a model.

    A verdict on a complaint that was not picked at random does not: it is as if it had not been given, so that an event
    on the same complaint still counts.

    Returns:
        `complaint_id`, `label` (0.0 or 1.0), `label_at`, `label_source`, `picked_by` and `pick_probability`.
    """
    is_random = F.coalesce("picked_by", F.lit("")) == PICKED_AUDIT
    measures = (F.col("source") != REVIEW_LABEL) | is_random | (F.col("verdict") == Verdict.WITHDRAWN)
    feedback = read_or_empty(tables, FEEDBACK).where(measures)
    labels = resolve_labels(tables.read(COMPLAINTS), feedback, as_of, tables.settings.maturity_days, _PICK)
    is_known = F.col("label").isNotNull() & (F.col("label_at") < F.lit(as_of))
    return labels.where(is_known).select("complaint_id", "label", "label_at", "label_source", *_PICK)


@dataclass(frozen=True)
class LabelCount:
    """Counts the labels of one model version, window after window.

    A label counts in the window in which it became known. One that arrives when that window has been measured counts in
    the next window that is. A complaint counts once: `gold.measured_labels` has those that have.

    Attributes:
        tables: The tables.
        version: The model version.
        segments: The columns that divide the complaints, with their names.
        scores: The table with the version's predictions.
    """

    tables: Tables
    version: int
    segments: Sequence[Column]
    scores: Table = PREDICTIONS

    def by_window(self, windows: Sequence[MonitorWindow]) -> dict[MonitorWindow, pa.Table]:
        """The labels that count in some adjacent windows, the next ones to be measured.

        Returns:
            Window to `complaint_id`, `label`, `label_at`, `label_source`, `probability`, `weight`, `label_delay_days`
            and the segments, in the order of the ids.
        """
        found: dict[MonitorWindow, pa.Table] = {}
        predictions, counted = self.tables.read(self.scores), self._counted_before(windows[0])
        for window in windows:
            labels = known_labels(self.tables, window.end)
            judged = select_judged(predictions, labels, counted, self.version, window.end)
            rows = judged.select(*labels.columns, "probability", "label_delay_days", *self.segments).toArrow()
            population = None
            if set(rows["picked_by"].to_pylist()) > {PICKED_AUDIT}:
                population = select_waiting(predictions, labels, counted, self.version, window.end).count()
            # In a fixed order, the bootstrap draws the same rows again.
            found[window] = _weighted(rows.sort_by("complaint_id"), population)
            counted = counted.unionByName(self.tables.spark.createDataFrame(rows.select(["complaint_id"])))
        return found

    def rows_of(self, window: MonitorWindow, judged: pa.Table) -> Iterator[dict[str, Any]]:
        """The rows of `gold.measured_labels` of one window, from what `by_window` returned."""
        common = {"window_start": window.start, "window_end": window.end, "model_version": self.version}
        names = ["complaint_id", "label_source", "label_at", "probability", "weight"]
        for row in judged.select([*names, "label"]).to_pylist():
            yield {**common, **row, "is_successful_resolution": row["label"]}

    def _counted_before(self, window: MonitorWindow) -> DataFrame:
        """The complaints that have counted in earlier windows of the same length."""
        rows = read_or_empty(self.tables, MEASURED_LABELS).where(F.col("model_version") == self.version)
        return rows.where(has_length(window.length) & (F.col("window_end") <= F.lit(window.start))).select(
            "complaint_id"
        )


def _weighted(rows: pa.Table, population: int | None) -> pa.Table:
    """The rows with `weight` in place of how the complaints were picked."""
    sources, picked_by, probabilities = (rows[name].to_pylist() for name in ("label_source", *_PICK))
    weights = measuring_weights(sources, picked_by, probabilities, population)
    return rows.drop_columns(list(_PICK)).append_column("weight", pa.array(weights, pa.float64()))
