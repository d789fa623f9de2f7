"""Gold to a registered challenger: boosted trees, fitted on the training split and evaluated on all three."""

from __future__ import annotations

import hashlib
import json
import logging
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import mlflow
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve import __version__
from solosolve.bundle import git_commit
from solosolve.clock import now
from solosolve.errors import ModelError
from solosolve.model.encoder import FeatureEncoder
from solosolve.model.estimators import Engine, candidates
from solosolve.model.evaluation import Evaluation, evaluate
from solosolve.model.evaluation_data import gold_hash, trainable_features
from solosolve.model.metrics import measure
from solosolve.model.plots import calibration_plot, confusion_plot, roc_plot
from solosolve.model.reference import REFERENCE_FILE
from solosolve.model.reference_fit import fit_reference
from solosolve.model.scorer import ComplaintScorer
from solosolve.model.training import FIXED, fit_scorer, labels_and_probabilities
from solosolve.model.version_tags import VersionTags
from solosolve.names import (
    CHALLENGER,
    CHAMPION,
    COMPLAINTS,
    FEATURES,
    LABEL,
    MODEL_METRICS,
    TEST,
    TEST_SCORES,
    THRESHOLD_METRIC,
    TRAIN,
    VALIDATE,
)
from solosolve.settings import Settings
from solosolve.spark_schemas import spark_schema
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.split import NoOutcomesError

logger = logging.getLogger("solosolve.train_model")

TASK = "train_model"


def run(spark: SparkSession, settings: Settings, engine_name: str) -> RegisteredModel:
    """Trains, evaluates and registers a challenger, unless one with the same data and parameters is registered.

    Changes the registry (a version, alias `challenger`), `gold.model_metrics`, `gold.test_scores` and
    `gold.model_events`.

    Args:
        spark: The session.
        settings: Locates tables and registry; `min_labels`, `bootstrap_rounds`, `training_workers`, `review_share`.
        engine_name: `gbt`, `xgboost`, or `both`: the candidate with the lower log loss on the validation split is
            registered.

    Returns:
        The challenger; the champion if no complaint has a known outcome.

    Raises:
        UsageError: There is no such engine.
        NoOutcomesError: No complaint has a known outcome, and there is no champion.
        MissingTableError: There are no features yet.
        ModelError: A split has no rows or only one class.
    """
    engines = candidates(engine_name, settings.training_workers)
    tables, registry = Tables(spark, settings), Registry(settings)
    if not tables.exists(FEATURES) and _lacks_outcomes(tables):
        champion = registry.find(CHAMPION)
        if champion is None:
            raise NoOutcomesError
        logger.warning("version %d stays champion: %s", champion.version, NoOutcomesError())
        return champion
    features = trainable_features(tables.read(FEATURES))
    features_hash = gold_hash(features)
    fingerprint = _fingerprint(engines, features_hash, settings.review_share)
    trained = registry.find_version(fingerprint)
    if trained is not None:
        return _challenge_again(registry, trained)
    prior, label_count = _prior(features, settings)
    tags = VersionTags(
        feature_model_uri=_feature_uri(tables),
        gold_data_hash=features_hash,
        gold_version=str(tables.version(FEATURES)),
        git_commit=git_commit(),
        solosolve_version=__version__,
        prior=prior,
        label_count=label_count,
        fingerprint=fingerprint,
    )
    with registry.run(TASK, tags.write()) as active:
        return _train(tables, registry, engines, features, active.info.run_id, tags)


def _challenge_again(registry: Registry, trained: RegisteredModel) -> RegisteredModel:
    logger.info("version %d was already trained with the same data and parameters", trained.version)
    champion = registry.find(CHAMPION)
    if champion is None or champion.version != trained.version:
        registry.set_alias(CHALLENGER, trained)
    return trained


def _lacks_outcomes(tables: Tables) -> bool:
    return tables.exists(COMPLAINTS) and tables.read(COMPLAINTS).where(F.col(LABEL).isNotNull()).isEmpty()


def _train(
    tables: Tables, registry: Registry, engines: Sequence[Engine], features: DataFrame, run_id: str, tags: VersionTags
) -> RegisteredModel:
    encoder = FeatureEncoder.model_validate_json(mlflow.artifacts.load_text(str(tags.feature_model_uri)))
    started = time.perf_counter()
    chosen, scorer, scored = _fit_best(engines, features, encoder, tables.settings.review_share)
    seconds = time.perf_counter() - started
    evaluations = {}
    for split in (TRAIN, VALIDATE, TEST):
        labels, probabilities = labels_and_probabilities(scored, split)
        evaluations[split] = evaluate(labels, probabilities, tables.settings.bootstrap_rounds, scorer.threshold)
        if split == TEST:
            mlflow.log_figure(roc_plot(labels, probabilities), "pictures/roc.png")
    _log_run(chosen, scorer, evaluations, seconds, tags)
    reference = fit_reference(features, tables.read(COMPLAINTS), scored)
    mlflow.log_text(reference.model_dump_json(indent=1), REFERENCE_FILE)
    with tempfile.TemporaryDirectory() as folder:
        scorer.save(Path(folder))
        model = registry.register(Path(folder), replace(tags, fingerprint=None))
    _write_metrics(tables, model, run_id, evaluations, seconds)
    _write_test_scores(tables, model, scored)
    evidence = {
        "run_id": run_id,
        "engine": chosen.name,
        "label_count": tags.label_count,
        "prior": tags.prior,
        "threshold": scorer.threshold,
        "feature_model_uri": tags.feature_model_uri,
        "fingerprint": tags.fingerprint,
    }
    record_event(tables, model.version, ModelEvent.TRAINED, evidence, alias=CHALLENGER)
    registry.set_alias(CHALLENGER, model)
    # Last: a version without a fingerprint was interrupted, and is trained again.
    return registry.write_tags(model, tags)


def _fit_best(
    engines: Sequence[Engine], features: DataFrame, encoder: FeatureEncoder, review_share: float
) -> tuple[Engine, ComplaintScorer, pa.Table]:
    """Fits a candidate per engine, and keeps the one with the lowest log loss on the validation split."""
    fitted = [(each, *fit_scorer(each, features, encoder, review_share)) for each in engines]
    losses = [measure(*labels_and_probabilities(scored, VALIDATE))["log_loss"] for _, _, scored in fitted]
    if len(fitted) > 1:
        for each, loss in zip(engines, losses, strict=True):
            mlflow.log_metric(f"candidate_{each.name}_validate_log_loss", loss)
            logger.info("candidate %s: log loss %.4f on the validation split", each.name, loss)
    return fitted[int(np.argmin(losses))]


def _prior(features: DataFrame, settings: Settings) -> tuple[float, int]:
    """The success rate of the training split, and how many labels all splits have."""
    rows = features.groupBy("split").agg(F.count(LABEL).alias("count"), F.avg(LABEL).alias("rate")).collect()
    counts = {row["split"]: row["count"] for row in rows}
    missing = [split for split in (TRAIN, VALIDATE, TEST) if not counts.get(split)]
    if missing:
        raise ModelError(f"no labelled complaints to {', '.join(missing)} on; labels by split: {counts or 'none'}")
    rates = {row["split"]: float(row["rate"]) for row in rows}
    for split, rate in rates.items():
        if not 0 < rate < 1:
            raise ModelError(
                f"all {counts[split]} complaints of the {split} split have the label {rate}: there is nothing to learn"
            )
    total = sum(counts.values())
    if total < settings.min_labels:
        logger.warning(
            "only %d labelled complaints (%d recommended): read metrics with intervals", total, settings.min_labels
        )
    return rates[TRAIN], total


def _log_run(
    chosen: Engine, scorer: ComplaintScorer, evaluations: dict[str, Evaluation], seconds: float, tags: VersionTags
) -> None:
    mlflow.log_params({"engine": chosen.name, "threshold": scorer.threshold, **chosen.parameters()})
    if scorer.formula.blend is not None:
        mlflow.log_params({f"blend_{name}": value for name, value in scorer.formula.blend.model_dump().items()})
    mlflow.log_metric("training_seconds", seconds)
    mlflow.log_metric("prior", tags.prior)
    for split, evaluation in evaluations.items():
        for name, estimate in evaluation.metrics.items():
            parts = {"": estimate.value, "_low": estimate.low, "_high": estimate.high}
            mlflow.log_metrics({f"{split}_{name}{suffix}": value for suffix, value in parts.items()})
    test = evaluations[TEST]
    mlflow.log_figure(confusion_plot(test.confusion), "pictures/confusion.png")
    mlflow.log_figure(calibration_plot(test.calibration), "pictures/calibration.png")
    mlflow.log_dict(
        {"confusion": test.confusion, "calibration": [asdict(part) for part in test.calibration]}, "test.json"
    )
    mlflow.log_dict(scorer.importances(), "feature_importances.json")


def _write_metrics(
    tables: Tables, model: RegisteredModel, run_id: str, evaluations: dict[str, Evaluation], seconds: float
) -> None:
    at = now()
    rows = [
        (model.version, run_id, split, name, *value, evaluation.record_count, at, seconds)
        for split, evaluation in evaluations.items()
        for name, value in (
            *((name, (found.value, found.low, found.high)) for name, found in evaluation.metrics.items()),
            (THRESHOLD_METRIC, (evaluation.threshold, None, None)),
        )
    ]
    tables.append(MODEL_METRICS, tables.spark.createDataFrame(rows, spark_schema(MODEL_METRICS)))


def _write_test_scores(tables: Tables, model: RegisteredModel, scored: pa.Table) -> None:
    """Writes the probability of each test complaint, for metrics by segment or at other thresholds."""
    complaints = tables.read(COMPLAINTS).drop(LABEL)
    tested = scored.filter(pc.equal(scored.column("split"), TEST)).drop_columns("split")
    rows = tables.spark.createDataFrame(tested).join(complaints, on="complaint_id", how="inner")
    tables.append(TEST_SCORES, rows.withColumn("model_version", F.lit(model.version)))


def _feature_uri(tables: Tables) -> str:
    rows = tables.read(FEATURES).select("feature_model_uri").distinct().collect()
    if len(rows) != 1:
        raise ModelError(f"{FEATURES} has features of {len(rows)} feature models, expected one: run medallion")
    return str(rows[0]["feature_model_uri"])


def _fingerprint(engines: Sequence[Engine], features_hash: str, review_share: float) -> str:
    fitted = [part for each in engines for part in (each.name, each.parameters())]
    text = json.dumps([__version__, *fitted, FIXED, features_hash, review_share], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
