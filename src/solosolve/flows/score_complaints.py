"""Batch scoring of the silver complaints that the champion has not scored yet."""

from __future__ import annotations

import logging

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.errors import ConservationError
from solosolve.model.scorer import ComplaintScorer
from solosolve.names import BATCH_SOURCE, COMPLAINTS, PREDICTIONS, SHADOW, SHADOW_PREDICTIONS, Table
from solosolve.settings import Settings
from solosolve.storage.migrations import add_columns
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.predictions import Scoring, build_predictions

logger = logging.getLogger("solosolve.score_complaints")


def run(spark: SparkSession, settings: Settings) -> int:
    """Appends a prediction for each silver complaint that the champion's version has not scored.

    A challenger in shadow scores the same complaints, into `gold.shadow_predictions`.

    Args:
        spark: The session.
        settings: Locates tables and registry.

    Returns:
        The number of predictions added.

    Raises:
        NoChampionError: There is no champion.
        ModelError: The champion cannot be loaded.
        ConservationError: A complaint has no prediction, or several, by this version.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    added = _score(tables, registry, registry.champion(), PREDICTIONS)
    if (shadow := registry.find(SHADOW)) is not None:
        _score(tables, registry, shadow, SHADOW_PREDICTIONS)
    return added


def _score(tables: Tables, registry: Registry, model: RegisteredModel, target: Table) -> int:
    """Appends this version's prediction of each complaint that it has not scored; returns their number."""
    scorer = ComplaintScorer.load(registry.fetch(model))
    tables.create(target)
    add_columns(tables, target)
    # The version that the predictions name is the one that is scored: a passport scores it again.
    silver = tables.version(COMPLAINTS)
    complaints = tables.read(COMPLAINTS, silver)
    scored = tables.read(target).where(F.col("model_version") == model.version).select("complaint_id")
    unscored = complaints.join(scored, on="complaint_id", how="left_anti")
    at = F.lit(now())
    position = {
        "requested_at": at,
        "scored_at": at,
        "source": F.lit(BATCH_SOURCE),
        "source_position": F.lit(str(silver)),
        "batch_id": F.lit(None).cast("bigint"),
    }
    scoring = Scoring(scorer.score, scorer.threshold, model.name, model.version)
    predictions = build_predictions(unscored, scoring, position).persist()
    try:
        # Scoring happens before the table is locked, so that a stream waits only for the write.
        added = predictions.count()
        tables.append(target, predictions)
    finally:
        predictions.unpersist()
    _require_each_once(tables, target, model.version)
    logger.info(
        "%d complaints scored by version %d%s", added, model.version, "" if target == PREDICTIONS else ", in shadow"
    )
    return added


def _require_each_once(tables: Tables, target: Table, version: int) -> None:
    """Checks that each silver complaint has a prediction, and at most one from batch scoring.

    A complaint may have several from the stream, which answers every request.
    """
    of_version = tables.read(target).where(F.col("model_version") == version)
    counts = of_version.groupBy("complaint_id").agg(F.count_if(F.col("source") == BATCH_SOURCE).alias("batch_count"))
    batch_count = tables.read(COMPLAINTS).join(counts, on="complaint_id", how="left").select("batch_count")
    found = batch_count.agg(
        F.count_if(F.col("batch_count").isNull()).alias("missing"),
        F.count_if(F.col("batch_count") > 1).alias("duplicated"),
    ).collect()[0]
    if found["missing"] or found["duplicated"]:
        raise ConservationError(
            f"version {version}: {found['missing']} complaints have no prediction, "
            f"{found['duplicated']} have several from batch scoring"
        )
