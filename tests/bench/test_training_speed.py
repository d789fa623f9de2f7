"""Training to an equal AUC: the default engine compared with Spark ML's GBTClassifier."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from pyspark.ml.classification import GBTClassifier
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from bench.figures import Figures
from solosolve.flows import ingest_complaints, refine_complaints
from solosolve.model.estimators import XgboostEngine
from solosolve.model.feature_sets import feature_set
from solosolve.model.features import build_pipeline, encoder_of
from solosolve.model.metrics import measure
from solosolve.model.training import fit_scorer, labels_and_probabilities
from solosolve.names import COMPLAINTS, LABEL, TEST, TRAIN, VALIDATE
from solosolve.samples.writer import write_sample
from solosolve.settings import Settings
from solosolve.storage.tables import Tables

TRAINING_ROWS = 160_000


@pytest.fixture
def labelled(spark: SparkSession, settings: Settings, tmp_path: Path) -> DataFrame:
    """Sample complaints of all years, each with an outcome drawn from its true probability."""
    sample = write_sample(tmp_path / "sample.csv", rows=500_000, seed=5)
    ingest_complaints.run(spark, settings, str(sample.path))
    refine_complaints.run(spark, settings)
    truth = spark.createDataFrame(pq.read_table(sample.truth_path))
    drawn = (F.rand(seed=1) < F.col("probability")).cast("double")
    rows = Tables(spark, settings).read(COMPLAINTS).drop(LABEL).join(truth, on="complaint_id").withColumn(LABEL, drawn)
    return rows.withColumn("place", F.row_number().over(Window.orderBy("date_received", "complaint_id")))


def test_time_to_equal_auc_compared_with_gbt_classifier(labelled: DataFrame, figures: Figures) -> None:
    split = F.when(F.col("place") <= TRAINING_ROWS, TRAIN).when(F.col("place") % 2 == 0, VALIDATE).otherwise(TEST)
    rows = labelled.withColumn("split", split)
    pipeline = build_pipeline(feature_set("default"), ("the", "and", "was", "of", "to"))
    fitted = pipeline.fit(rows.where(F.col("split") == TRAIN))
    columns = ("complaint_id", "split", "features", LABEL)
    features = fitted.transform(rows).select(*columns).persist()
    print(f"\n{features.count():,} complaints, {len(encoder_of(fitted).names)} features")
    started = time.perf_counter()
    _, scored = fit_scorer(XgboostEngine(), features, encoder_of(fitted), review_share=0.2)
    ours = time.perf_counter() - started
    reached = measure(*labels_and_probabilities(scored, TEST))["auc"]
    print(f"default engine: AUC {reached:.4f} in {ours:.0f} s")
    vectors = features.withColumn("features", array_to_vector("features"))
    train, test = vectors.where(F.col("split") == TRAIN), vectors.where(F.col("split") == TEST)
    for trees in (10, 25, 50, 100):
        started = time.perf_counter()
        model = GBTClassifier(labelCol=LABEL, maxDepth=5, maxIter=trees, seed=42).fit(train)
        theirs = time.perf_counter() - started
        probability = vector_to_array("probability")[1].alias("probability")
        found = model.transform(test).select(LABEL, probability).toArrow()
        auc = measure(np.asarray(found.column(LABEL)), np.asarray(found.column("probability")))["auc"]
        figures.add(
            f"training {TRAINING_ROWS:,} complaints", f"{ours:.0f} s, AUC {reached:.4f}",
            f"GBTClassifier, {trees} trees: {theirs:.0f} s, AUC {auc:.4f}", theirs / ours,
            "at least 5 times as fast to an equal AUC",
        )  # fmt: skip
        print(f"GBTClassifier, {trees} trees: AUC {auc:.4f} in {theirs:.0f} s, {theirs / ours:.1f} times as long")
        if auc >= reached or theirs > 20 * ours:
            break
