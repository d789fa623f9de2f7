"""Aggregates that come with a write of their rows, without a second pass over them."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column, DataFrame, Observation


class Observed:
    """What an action found out about its rows beside what it did with them."""

    def __init__(self, rows: DataFrame, *aggregates: Column) -> None:
        """Plans the aggregates.

        Args:
            rows: Any frame.
            aggregates: Named aggregates over all its rows.
        """
        self._observation = Observation()
        self.rows = rows.observe(self._observation, *aggregates)
        """The same rows; the first action on them finds the aggregates."""

    @property
    def found(self) -> dict[str, Any] | None:
        """Name to value, once an action has ended; None where the rows were not read, as when Delta ignores a commit.

        Spark's own `get` would wait for ever then. Before Spark 4.2 it may be None for a while, behind the action too.
        """
        observed = self._observation._jo
        if observed is None or not observed.future().isCompleted():
            return None
        return self._observation.get or None
