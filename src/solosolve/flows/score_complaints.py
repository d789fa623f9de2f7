"""Batch scoring: every silver complaint that the champion has not scored yet."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from solosolve.errors import ConservationError, ModelError
from solosolve.model.scorer import THRESHOLD, ComplaintScorer
from solosolve.names import CHAMPION, COMPLAINTS, PREDICTIONS
from solosolve.settings import Settings
from solosolve.storage.registry import Registry
from solosolve.storage.tables import Tables
from solosolve.transforms.predictions import Scoring, build_predictions

logger = logging.getLogger("solosolve.score_complaints")

SOURCE = "batch"


def run(spark: SparkSession, settings: Settings) -> int:
    """Appends a prediction for each silver complaint that has none by the champion's version.

    Args:
        spark: The session.
        settings: Where tables and registry are.

    Returns:
        How many predictions were added.

    Raises:
        ModelError: There is no champion, or it cannot be loaded.
        ConservationError: A complaint has no prediction, or more than one, by this version.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    champion = registry.find(CHAMPION)
    if champion is None:
        raise ModelError("there is no champion model to score with; run: solosolve run train_model")
    scorer = ComplaintScorer.load(registry.fetch(champion))
    tables.create(PREDICTIONS)
    complaints = tables.read(COMPLAINTS)
    scored = tables.read(PREDICTIONS).where(F.col("model_version") == champion.version).select("complaint_id")
    unscored = complaints.join(scored, on="complaint_id", how="left_anti")
    now = F.lit(datetime.now(UTC))
    position = {
        "requested_at": now,
        "scored_at": now,
        "source": F.lit(SOURCE),
        "source_position": F.lit(str(tables.version(COMPLAINTS))),
        "batch_id": F.lit(None).cast("bigint"),
    }
    scoring = Scoring(scorer.score, THRESHOLD, champion.name, champion.version)
    predictions = build_predictions(unscored, scoring, position).persist()
    try:
        # Scored before the table is locked: a stream that appends to it waits for the write only.
        added = predictions.count()
        tables.append(PREDICTIONS, predictions)
    finally:
        predictions.unpersist()
    _require_each_once(tables, champion.version)
    logger.info("%d complaints scored by version %d", added, champion.version)
    return added


def _require_each_once(tables: Tables, version: int) -> None:
    """Each silver complaint has a prediction, and none two by batch; whoever asks the stream twice gets two."""
    of_version = tables.read(PREDICTIONS).where(F.col("model_version") == version)
    counts = of_version.groupBy("complaint_id").agg(F.count_if(F.col("source") == SOURCE).alias("batch_count"))
    batch_count = tables.read(COMPLAINTS).join(counts, on="complaint_id", how="left").select("batch_count")
    found = batch_count.agg(
        F.count_if(F.col("batch_count").isNull()).alias("missing"),
        F.count_if(F.col("batch_count") > 1).alias("doubled"),
    ).collect()[0]
    if found["missing"] or found["doubled"]:
        raise ConservationError(
            f"version {version}: {found['missing']} complaints have no prediction, {found['doubled']} have several"
        )
