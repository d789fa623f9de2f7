"""A home with one frozen slice, for the gate and for promotions: each test registers its own models."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any, Self

import numpy as np
import xgboost as xgb
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from solosolve.flows import promote_model, validate_model
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.evaluation_data import gold_hash, trainable_features
from solosolve.model.kernels import MonthOfYear, TextLength
from solosolve.model.promotion import GateResult
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.version_tags import VersionTags
from solosolve.names import COMPLAINTS, FEATURES, LABEL, MODEL_EVENTS, NARRATIVE, TEST, TRAIN
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from support.builders import complaints

ENCODER = FeatureEncoder(kernels=(TextLength(column=NARRATIVE), MonthOfYear(column="date_received")))
GENERATOR = np.random.default_rng(9)
LENGTHS = GENERATOR.integers(1, 400, 300)
LABELS = (GENERATOR.uniform(size=300) < np.where(LENGTHS > 200, 0.85, 0.15)).astype(float)
FEATURE_ROWS = np.column_stack([LENGTHS, np.full(300, 3)]).astype(np.float32)
NOISE = (GENERATOR.uniform(size=300) < 0.5).astype(float)


def scorer_of(labels: np.ndarray) -> ComplaintScorer:
    parameters = {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "eta": 0.5}
    return ComplaintScorer(ENCODER, xgb.train(parameters, xgb.DMatrix(FEATURE_ROWS, label=labels), num_boost_round=5))


GOOD, USELESS, INVERTED = scorer_of(LABELS), scorer_of(NOISE), scorer_of(1 - LABELS)


@dataclass(frozen=True)
class Gate:
    """The registry and tables of such a home, and a folder for the files of models."""

    spark: SparkSession
    settings: Settings
    tables: Tables
    registry: Registry
    folder: Path

    @classmethod
    def open(cls, spark: SparkSession, settings: Settings, folder: Path) -> Self:
        """Makes the home's complaints and their features."""
        gate = cls(spark, settings, Tables(spark, settings), Registry(settings), folder)
        rows = [
            {"complaint_id": first + place, NARRATIVE: "x" * int(length), LABEL: float(LABELS[place])}
            for first in (1, 1 + len(LENGTHS))
            for place, length in enumerate(LENGTHS)
        ]
        gate.tables.overwrite(COMPLAINTS, complaints(spark, *rows).coalesce(1))
        gate.write_features(TEST)
        return gate

    def register(self, scorer: ComplaintScorer, alias: str, prior: float | None = 0.5) -> RegisteredModel:
        files = self.folder / alias
        files.mkdir(exist_ok=True)
        scorer.save(files)
        return self.register_files(files, alias, prior)

    def register_files(self, files: Path, alias: str, prior: float | None = 0.5) -> RegisteredModel:
        with self.registry.run("train_model", {}):
            features_hash = gold_hash(trainable_features(self.tables.read(FEATURES)))
            model = self.registry.register(files, VersionTags(gold_data_hash=features_hash, prior=prior))
        self.registry.set_alias(alias, model)
        return model

    def validate(self) -> GateResult | None:
        return validate_model.run(self.spark, self.settings)

    def promote(self) -> RegisteredModel | None:
        return promote_model.run(self.spark, self.settings)

    def tags(self, alias: str) -> VersionTags:
        model = self.registry.find(alias)
        assert model is not None
        return model.tags

    def retag(self, model: RegisteredModel, **changes: Any) -> None:
        self.registry.write_tags(model, replace(model.tags, **changes))

    def version(self, alias: str) -> int | None:
        model = self.registry.find(alias)
        return model.version if model else None

    def events(self, model: RegisteredModel) -> list[tuple[str, str | None]]:
        return [(event["event"], event["alias"]) for event in self.ledger(model)]

    def ledger(self, model: RegisteredModel) -> list[dict[str, Any]]:
        path = self.settings.warehouse / MODEL_EVENTS.layer / MODEL_EVENTS.name
        if not path.exists():
            return []
        rows = DeltaTable(path).to_pyarrow_table().sort_by("event_at").to_pylist()
        of_model = [row for row in rows if row["model_version"] == model.version]
        return [row | {"evidence": json.loads(row["evidence"])} for row in of_model]

    def write_features(self, split: str, earlier: np.ndarray = LABELS) -> None:
        """Writes the slice, and as many complaints before it, with other ids and the given labels."""
        periods = ((1, date(2016, 3, 1), split, LABELS), (1 + len(LABELS), date(2016, 2, 1), TRAIN, earlier))
        rows = [
            (first + place, day, name, row, float(labels[place]), "runs:/1/features.json", None, None)
            for first, day, name, labels in periods
            for place, row in enumerate(FEATURE_ROWS.tolist())
        ]
        self.tables.overwrite(FEATURES, self.spark.createDataFrame(rows, spark_schema(FEATURES)).coalesce(1))
