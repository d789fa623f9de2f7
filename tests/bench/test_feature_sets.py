"""What each feature set and engine achieves on a later split, and what it costs."""

from __future__ import annotations

import time
from pathlib import Path

from pyspark.sql import SparkSession

from bench.figures import Figures
from solosolve.flows import build_features, ingest_complaints, refine_complaints, train_model
from solosolve.local.summary import Summary
from solosolve.settings import Settings
from solosolve.storage.delta_reader import DeltaReader


def test_quality_and_cost_of_each_feature_set_and_engine(
    spark: SparkSession, settings: Settings, sample_csv: Path, figures: Figures
) -> None:
    ingest_complaints.run(spark, settings, str(sample_csv))
    refine_complaints.run(spark, settings)
    oracle, lines = None, []
    for feature_set in ("baseline", "default"):
        started = time.perf_counter()
        build_features.run(spark, settings, feature_set)
        feature_seconds = time.perf_counter() - started
        for engine in ("gbt", "xgboost"):
            started = time.perf_counter()
            model = train_model.run(spark, settings, engine)
            training_seconds = time.perf_counter() - started
            rows = DeltaReader(settings.warehouse).query(
                f"select metric, value, value_low, value_high, record_count from gold.model_metrics "
                f"where model_version = {model.version} and split = 'test' and metric in ('auc', 'log_loss')"
            )
            metrics = {row["metric"]: row for row in rows.to_pylist()}
            auc, loss = metrics["auc"], metrics["log_loss"]
            oracle = oracle or Summary(DeltaReader(settings.warehouse)).oracle_on_test(0.2)
            figures.add(
                f"AUC of {feature_set} features, engine {engine}", f"{auc['value']:.3f}", f"oracle: {oracle['auc']:.3f}"
            )
            lines.append(
                f"{feature_set} {engine}: AUC {auc['value']:.3f} ({auc['value_low']:.3f} to {auc['value_high']:.3f}), "
                f"log loss {loss['value']:.4f} on {auc['record_count']} test complaints; "
                f"features {feature_seconds:.0f} s, training and metrics {training_seconds:.0f} s"
            )
    print("\n" + "\n".join(lines))
    assert oracle is not None
    print(f"oracle: AUC {oracle['auc']:.3f}, log loss {oracle['log_loss']:.4f}")
