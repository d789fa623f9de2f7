"""The figures of a run, read from the tables: rows, set-aside records, and the champion next to prior and oracle."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from solosolve.errors import NoChampionError
from solosolve.local.conservation import Conservation, can_answer, conservation_checks
from solosolve.model.metrics import METRICS, Floats, measure
from solosolve.names import (
    MADE_BY,
    MODEL_EVENTS,
    MODEL_METRICS,
    PREDICTIONS,
    TEST,
    THRESHOLD,
    THRESHOLD_METRIC,
    Table,
)
from solosolve.storage.champions import CHAMPION_EVENTS_SQL, CurrentChampion
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.reader import Reader
from solosolve.storage.sample_truth import true_probabilities, truth_files


@dataclass(frozen=True)
class Metric:
    """A metric of the champion on the test split, with those of the prior and the oracle."""

    name: str
    value: float
    low: float
    high: float
    prior: float | None
    oracle: float | None


@dataclass(frozen=True)
class Champion:
    """The champion and its metrics.

    Attributes:
        version: Its version in the registry.
        is_provisional: Whether it was promoted without beating the prior.
        label_count: Labelled complaints in all splits.
        test_count: Complaints of the test split, on which the metrics are measured.
        failure_count: How many of them failed; None if the test split is another one by now.
        threshold: Probability from which it predicts success.
        metrics: The metrics.
    """

    version: int
    is_provisional: bool
    label_count: int
    test_count: int
    failure_count: int | None
    threshold: float
    metrics: tuple[Metric, ...]


class Summary:
    """Reads the figures of a run; each property is a query."""

    def __init__(self, reader: Reader) -> None:
        """Looks up which tables exist."""
        self._reader = reader
        self.existing = frozenset(reader.tables())

    @property
    def row_counts(self) -> dict[Table, int]:
        """Rows per table, in the order in which the jobs fill them."""
        return {table: self._count(f"select count(*) from {table}") for table in MADE_BY if table in self.existing}

    @property
    def conservation(self) -> list[Conservation]:
        """The checks that the existing tables allow."""
        champion = self._current_champion
        return conservation_checks(self._reader, self.existing, champion.version if champion else None)

    @property
    def quarantined(self) -> dict[str, int]:
        """Records per reason."""
        return self._pairs("select _reason, count(*) from bronze.complaints_quarantine group by 1 order by 2 desc, 1")

    @property
    def rejected(self) -> dict[str, int]:
        """Complaints per failed rule; one may fail several."""
        return self._pairs(
            "select rule, count(*) from (select unnest(failed_rules) as rule from silver.complaints_rejected) "
            "group by 1 order by 2 desc, 1"
        )

    @property
    def splits(self) -> list[dict[str, Any]]:
        """Split, complaints, success rate, first and last day received."""
        return self._rows(
            "select split, count(*) as complaints, avg(is_successful_resolution) as success_rate, "
            "min(date_received) as first_day, max(date_received) as last_day "
            "from gold.complaint_features group by 1 order by 4, 5"
        )

    @property
    def champion(self) -> Champion | None:
        """The champion and its metrics; None before the first promotion."""
        current = self._current_champion
        if current is None or MODEL_METRICS not in self.existing:
            return None
        version = current.version
        measured = self._rows(
            "select metric, value, value_low, value_high, record_count from gold.model_metrics "
            f"where model_version = {version} and split = '{TEST}'"
        )
        trained = self._trained(version)
        # Prior and oracle are comparable only on the slice that the champion was measured on.
        is_same_slice = trained["feature_model_uri"] == self._feature_model_uri()
        _, labels = self._test_labels()
        values = {row["metric"]: float(row["value"]) for row in measured}
        threshold = values.get(THRESHOLD_METRIC, THRESHOLD)
        rates = np.full(len(labels), trained["prior"])
        prior = measure(labels, rates, threshold=threshold) if is_same_slice else {}
        oracle = self.oracle_on_test(values.get("review_share", 0.0)) if is_same_slice else {}
        metrics = tuple(
            Metric(name, row["value"], row["value_low"], row["value_high"], prior.get(name), oracle.get(name))
            for row in measured
            if (name := row["metric"]) in METRICS
        )
        test_count = int(measured[0]["record_count"]) if measured else 0
        return Champion(
            version=version,
            is_provisional=current.is_provisional,
            label_count=int(trained["label_count"]),
            test_count=test_count,
            failure_count=int((labels == 0).sum()) if is_same_slice else None,
            threshold=threshold,
            metrics=metrics,
        )

    @property
    def predicted(self) -> list[dict[str, Any]]:
        """The champion's predictions: `source` and the numbers `successful` and `not_successful`."""
        return self._of_champion(
            "select source, count(*) filter (where prediction = 1.0) as successful, "
            "count(*) filter (where prediction <> 1.0) as not_successful "
            "from gold.predictions where model_version = {version} group by 1 order by 1"
        )

    @property
    def newest_streamed(self) -> list[dict[str, Any]]:
        """The champion's newest predictions from a stream."""
        return self._of_champion(
            "select source, source_position, complaint_id, company, probability "
            "from gold.predictions where model_version = {version} and batch_id is not null "
            "order by scored_at desc, requested_at desc, complaint_id limit 5"
        )

    def _of_champion(self, sql: str) -> list[dict[str, Any]]:
        current = self._current_champion
        if current is None or PREDICTIONS not in self.existing:
            return []
        return self._rows(sql.format(version=current.version))

    def oracle_on_test(self, review_share: float) -> dict[str, float]:
        """Metrics of the true probabilities on the test split; empty unless all its complaints are made up.

        Args:
            review_share: The share of the split that the true probabilities predict to fail, from 0 to 1.
        """
        ids, labels = self._test_labels()
        truth = true_probabilities(self._truth_files(), ids)
        if truth is None:
            return {}
        return measure(labels, truth, threshold=float(np.quantile(truth, review_share)))

    @cached_property
    def _current_champion(self) -> CurrentChampion | None:
        if MODEL_EVENTS not in self.existing:
            return None
        try:
            return CurrentChampion.from_events(self._reader.query(CHAMPION_EVENTS_SQL))
        except NoChampionError:
            return None

    def _test_labels(self) -> tuple[pa.ChunkedArray, Floats]:
        rows = self._reader.query(
            "select complaint_id, is_successful_resolution from gold.complaint_features "
            f"where split = '{TEST}' order by 1"
        )
        return rows["complaint_id"], rows["is_successful_resolution"].to_numpy()

    def _trained(self, version: int) -> dict[str, Any]:
        """The evidence that the ledger has of the version's training."""
        rows = self._rows(
            f"select evidence from gold.model_events where event = '{ModelEvent.TRAINED}' "
            f"and model_version = {version} limit 1"
        )
        evidence: dict[str, Any] = json.loads(rows[0]["evidence"])
        return evidence

    def _feature_model_uri(self) -> str | None:
        rows = self._rows("select feature_model_uri from gold.complaint_features limit 1")
        return str(rows[0]["feature_model_uri"]) if rows else None

    def _truth_files(self) -> list[Path]:
        landed = self._rows("select distinct source_file from bronze.landings")
        return truth_files(row["source_file"] for row in landed)

    @property
    def is_mixed(self) -> bool:
        """Whether the tables mix made-up and real complaints."""
        return len({file.is_file() for file in self._truth_files()}) > 1

    def _count(self, sql: str) -> int:
        return int(self._reader.query(sql).column(0)[0].as_py() or 0)

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._reader.query(sql).to_pylist()
        return rows

    def _pairs(self, sql: str) -> dict[str, int]:
        if not can_answer(sql, self.existing):
            return {}
        table = self._reader.query(sql)
        return dict(zip(table.column(0).to_pylist(), table.column(1).to_pylist(), strict=True))
