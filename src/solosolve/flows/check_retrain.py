"""Decides whether a challenger should be trained, and says why: in the ledger, and to the tasks that follow."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from solosolve.clock import now
from solosolve.model.retraining import ChampionFacts, RetrainDecision, RetrainLimits, decide_retraining
from solosolve.names import (
    COMPLAINTS,
    DRIFT_METRICS,
    FEEDBACK,
    LABEL,
    MODEL_EVENTS,
    MODEL_METRICS,
    MODEL_PERFORMANCE,
    TEST,
    Table,
)
from solosolve.settings import Settings
from solosolve.storage.ledger import record_event
from solosolve.storage.model_events import ModelEvent
from solosolve.storage.registry import RegisteredModel, Registry
from solosolve.storage.table_facts import read_or_empty
from solosolve.storage.tables import Tables
from solosolve.task_values import set_task_value

logger = logging.getLogger("solosolve.check_retrain")

IS_DUE = "is_due"
"""The task value that the job's condition reads."""


def run(spark: SparkSession, settings: Settings, *, is_forced: bool = False) -> RetrainDecision:
    """Decides whether the champion should be replaced, sets the task value `is_due`, and records a new decision.

    Changes `gold.model_events`, unless the newest decision of this champion was the same.

    Args:
        spark: The session.
        settings: Locates tables and registry; `retrain_labels`, `retrain_days`, `retrain_auc_fall`,
            `retrain_cooldown_days`.
        is_forced: A person asks for retraining.

    Returns:
        The decision.

    Raises:
        NoChampionError: There is no champion.
    """
    tables, registry = Tables(spark, settings), Registry(settings)
    champion = registry.champion()
    limits = RetrainLimits(
        new_labels=settings.retrain_labels,
        age_days=settings.retrain_days,
        auc_fall=settings.retrain_auc_fall,
        cooldown_days=settings.retrain_cooldown_days,
    )
    decision = decide_retraining(_facts(tables, champion, is_forced=is_forced), limits, now())
    set_task_value(IS_DUE, str(decision.is_due).lower())
    logger.info("retraining is %s: %s", "due" if decision.is_due else "not due", "; ".join(decision.reasons))
    evidence = {"is_due": decision.is_due, "reasons": list(decision.reasons)}
    if decision.is_due or _newest_evidence(tables, champion) != evidence:
        record_event(tables, champion.version, ModelEvent.RETRAIN_CHECKED, evidence)
    return decision


def _facts(tables: Tables, champion: RegisteredModel, *, is_forced: bool) -> ChampionFacts:
    metrics = _of_version(tables.read(MODEL_METRICS), champion).where(F.col("split") == TEST)
    trained_at = metrics.agg(F.max("trained_at").alias("at")).collect()[0]["at"]
    expected = metrics.where(F.col("metric") == "auc").select("value").collect()
    tried = tables.read(MODEL_EVENTS).where(F.col("event") == ModelEvent.TRAINED).agg(F.max("event_at").alias("at"))
    return ChampionFacts(
        trained_at=_utc(trained_at),
        new_label_count=_new_labels(tables, trained_at),
        tried_at=_utc(tried.collect()[0]["at"]),
        drifted=_drifted(tables, champion),
        auc_expected=expected[0]["value"] if expected else None,
        auc_high=_auc_high(tables, champion),
        is_forced=is_forced,
    )


def _new_labels(tables: Tables, since: datetime) -> int:
    """Complaints whose label has come since then: from feedback, or with a newer published version."""
    published = tables.read(COMPLAINTS).where(F.col(LABEL).isNotNull() & (F.col("_ingested_at") > F.lit(since)))
    feedback = read_or_empty(tables, FEEDBACK)
    given = feedback.where(F.col(LABEL).isNotNull() & (F.col("given_at") > F.lit(since)))
    return published.select("complaint_id").unionByName(given.select("complaint_id")).distinct().count()


def _drifted(tables: Tables, champion: RegisteredModel) -> tuple[str, ...]:
    newest = _newest_window(tables, DRIFT_METRICS, champion)
    if newest is None:
        return ()
    return tuple(sorted(row["feature"] for row in newest.where("is_alarm").select("feature").collect()))


def _auc_high(tables: Tables, champion: RegisteredModel) -> float | None:
    newest = _newest_window(tables, MODEL_PERFORMANCE, champion)
    if newest is None:
        return None
    found = newest.where((F.col("segment") == "all") & (F.col("metric") == "auc")).select("value_high").collect()
    return found[0]["value_high"] if found else None


def _newest_window(tables: Tables, table: Table, champion: RegisteredModel) -> DataFrame | None:
    if not tables.exists(table):
        return None
    rows = _of_version(tables.read(table), champion)
    newest = rows.agg(F.max("window_end").alias("end")).collect()[0]["end"]
    return None if newest is None else rows.where(F.col("window_end") == F.lit(newest))


def _newest_evidence(tables: Tables, champion: RegisteredModel) -> dict[str, object] | None:
    checks = _of_version(tables.read(MODEL_EVENTS), champion).where(F.col("event") == ModelEvent.RETRAIN_CHECKED)
    newest = checks.orderBy(F.desc("event_at")).limit(1).select("evidence").collect()
    return json.loads(newest[0]["evidence"]) if newest else None


def _of_version(rows: DataFrame, champion: RegisteredModel) -> DataFrame:
    return rows.where(F.col("model_version") == champion.version)


def _utc(instant: datetime) -> datetime:
    """An instant that Spark returned in the session's time zone."""
    return instant.astimezone(UTC)
