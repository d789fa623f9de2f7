"""Complaints drawn from one distribution, scored window after window: a year of the monitor in a minute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
from deltalake import write_deltalake
from pyspark.sql import SparkSession

from solosolve.flows import monitor_model
from solosolve.flows.monitor_model import Monitored
from solosolve.model.reference import REFERENCE_FILE, Reference
from solosolve.model.reference_fit import fit_reference
from solosolve.model.version_tags import VersionTags
from solosolve.names import CHAMPION, COMPLAINTS, PREDICTIONS, SHADOW, SHADOW_PREDICTIONS, TEST, TRAIN, Table
from solosolve.schemas import SCHEMAS
from solosolve.settings import Settings
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from support.live import scorer

WINDOW = timedelta(days=28)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FIRST = EPOCH + 700 * WINDOW
"""The start of the first window."""

TRAINED_UNTIL = date(2016, 12, 31)
TEST_ROWS = 4_000

PRODUCTS = ("Mortgage", "Credit card", "Debt collection", "Student loan", "Credit reporting", "Bank account or service")
_SIZES: Mapping[str, int] = {"issue": 30, "sub_issue": 20, "state": 50, "company": 300}


def zipf(count: int, exponent: float = 1.0) -> np.ndarray:
    """Shares of values that are rarer the later they come."""
    weights = 1 / np.arange(1, count + 1) ** exponent
    return weights / weights.sum()


@dataclass
class Arrivals:
    """A home whose champion has a reference, and what arrives there.

    Attributes:
        spark: The session.
        settings: Of the home.
        generator: Draws everything.
        count: Complaints so far.
    """

    spark: SparkSession
    settings: Settings
    generator: np.random.Generator = field(default_factory=lambda: np.random.default_rng(11))
    count: int = 0

    def draw(self, count: int, received: date, ingested_at: datetime, **columns: list[str]) -> pa.Table:
        """Rows of `silver.complaints` from the one distribution, with given columns in place of drawn ones."""
        generator, first = self.generator, self.count + 1
        self.count += count
        drawn: dict[str, object] = {
            name: [f"{name} {place}" for place in generator.choice(size, count, p=zipf(size))]
            for name, size in _SIZES.items()
        }
        drawn["product"] = list(generator.choice(PRODUCTS, count, p=zipf(len(PRODUCTS), 0.7)))
        drawn["tags"] = [("Older American", None)[place] for place in generator.choice(2, count, p=(0.1, 0.9))]
        drawn["narrative_length"] = np.minimum(generator.lognormal(6.5, 0.9, count), 30_000).astype(int) + 1
        known = {
            "complaint_id": range(first, first + count),
            "date_received": [received] * count,
            "consumer_complaint_narrative": ["text"] * count,
            "submitted_via": ["Web"] * count,
            "_source_file": ["a.csv"] * count,
            "_source_sha256": ["0" * 64] * count,
            "_source_line": range(count),
            "_ingested_at": [ingested_at] * count,
        }
        rows = known | drawn | columns
        schema = SCHEMAS[COMPLAINTS]
        return pa.table(
            {name: pa.array(rows.get(name, [None] * count), schema.field(name).type) for name in schema.names}
        )

    def append(self, table: Table, rows: pa.Table) -> None:
        write_deltalake(self.settings.table_folder(table), rows.cast(SCHEMAS[table]), mode="append")

    def train(self, count: int) -> RegisteredModel:
        """Registers a champion that was trained on complaints from the distribution, and keeps its reference."""
        self.append(COMPLAINTS, self.draw(count, TRAINED_UNTIL, FIRST - timedelta(days=900)))
        ids = [(number, TRAIN if number <= count else TEST, TRAINED_UNTIL) for number in range(1, count + 1)]
        features = self.spark.createDataFrame(ids, "complaint_id bigint, split string, date_received date")
        scored = pa.table({"split": [TEST] * TEST_ROWS, "probability": self.generator.beta(5, 2, TEST_ROWS)})
        complaints = Tables(self.spark, self.settings).read(COMPLAINTS)
        return self.promote(fit_reference(features, complaints, scored))

    def promote(self, reference: Reference | None) -> RegisteredModel:
        """Registers a champion with a reference, or with none."""
        files = self.settings.home / "scorer"
        files.mkdir(parents=True, exist_ok=True)
        scorer(1).save(files)
        registry = Registry(self.settings)
        with registry.run("train_model", {}):
            if reference is not None:
                mlflow.log_text(reference.model_dump_json(indent=1), REFERENCE_FILE)
            model = registry.register(Path(files), VersionTags())
        registry.set_alias(CHAMPION, model)
        return model

    def shadow(self, complaints: pa.Table, at: datetime) -> int:
        """Registers a challenger in shadow, which scores complaints at an instant; returns its version."""
        registry = Registry(self.settings)
        with registry.run("train_model", {}):
            model = registry.register(self.settings.home / "scorer", VersionTags())
        registry.set_alias(SHADOW, model)
        scored = predictions(complaints, at, self.generator.beta(5, 2, complaints.num_rows), model.version)
        self.append(SHADOW_PREDICTIONS, scored)
        return model.version

    def arrive(self, window: int, count: int, version: int = 1, **columns: list[str]) -> pa.Table:
        """Complaints that arrive, and are scored, one day after the start of a window."""
        at = FIRST + window * WINDOW + timedelta(days=1)
        rows = self.draw(count, at.date(), at, **columns)
        self.append(COMPLAINTS, rows)
        self.score(rows, at, self.generator.beta(5, 2, count), version)
        return rows

    def arrive_often(self, windows: int, count: int) -> None:
        """As many complaints in each of some windows, all in one commit."""
        times = [FIRST + window * WINDOW + timedelta(days=1) for window in range(windows)]
        drawn = [self.draw(count, at.date(), at) for at in times]
        scored = [
            predictions(rows, at, self.generator.beta(5, 2, count)) for rows, at in zip(drawn, times, strict=True)
        ]
        self.append(COMPLAINTS, pa.concat_tables(drawn))
        self.append(PREDICTIONS, pa.concat_tables(scored))

    def score(self, complaints: pa.Table, at: datetime, probabilities: np.ndarray, version: int = 1) -> None:
        self.append(PREDICTIONS, predictions(complaints, at, probabilities, version))

    def monitor(self, windows: int) -> Monitored:
        """Runs the monitor when a number of windows have ended."""
        return monitor_model.run(self.spark, self.settings, until=FIRST + windows * WINDOW)


def predictions(complaints: pa.Table, at: datetime, probabilities: np.ndarray, version: int = 1) -> pa.Table:
    """Rows of `gold.predictions` for complaints that were scored at once."""
    rows = complaints.select(["complaint_id", "company", "state", "product", "submitted_via"]).to_pylist()
    scored = [
        row | {
            "requested_at": at, "scored_at": at, "probability": probability, "prediction": float(probability >= 0.5),
            "model_name": "a_model", "model_version": version, "source": "batch",
        }
        for row, probability in zip(rows, probabilities.tolist(), strict=True)
    ]  # fmt: skip
    schema = SCHEMAS[PREDICTIONS]
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in scored], schema)
