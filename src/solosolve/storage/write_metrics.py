"""Aggregates over rows, computed while they are written instead of in a second pass."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame, Observation


class WriteMetrics:
    """Aggregates that an action computes while it processes the rows."""

    def __init__(self, rows: DataFrame, *aggregates: Column) -> None:
        """Plans the aggregates.

        Args:
            rows: Any frame.
            aggregates: Named aggregates over all its rows.
        """
        self._observation = Observation()
        self.rows = rows.observe(self._observation, *aggregates)
        """The same rows; the first action on them computes the aggregates."""

    @property
    def found(self) -> dict[str, Any] | None:
        """Names and values after an action; None if the action did not read the rows, as when Delta ignores a commit.

        Spark's own `get` would wait forever in that case. Before Spark 4.2 the values can arrive some time after the
        action has ended.
        """
        observed = self._observation._jo
        if observed is None or not observed.future().isCompleted():
            return None
        return self._observation.get or None
